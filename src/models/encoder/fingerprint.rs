//! What names the vectors of an encoder: all that decides them.

use std::path::{Path, PathBuf};

use sha2::{Digest, Sha256};

use crate::models::ModelError;
use crate::models::digest::{hash_of_file, hexadecimal};
use crate::models::tensors::weight_files;

/// SHA-256 of how vectors are made.
pub(super) fn fingerprint(how: &str) -> String {
    hexadecimal(Sha256::new_with_prefix(how))
}

/// SHA-256 of how vectors are made and of the files of the model that makes them.
pub(super) fn fingerprint_of_folder(how: &str, folder: &Path) -> Result<String, ModelError> {
    let tokenizer: &[&str] = if folder.join("tokenizer.json").is_file() {
        &["tokenizer.json"]
    } else {
        &["vocab.json", "merges.txt"]
    };
    let named = ["config.json"].iter().chain(tokenizer).map(|name| folder.join(name));
    let files: Vec<PathBuf> = named.chain(weight_files(folder)?).collect();
    let mut hash = Sha256::new_with_prefix(how);
    for path in files {
        hash.update(hash_of_file(&path).map_err(ModelError::read(&path))?.finalize());
    }
    Ok(hexadecimal(hash))
}
