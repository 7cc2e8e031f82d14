//! SHA-256 of files, read piece by piece, and how a sum is written.

use std::fs::File;
use std::io::{self, Read as _};
use std::path::Path;

use sha2::{Digest as _, Sha256};

/// The hash of a file's content.
pub fn hash_of_file(path: &Path) -> io::Result<Sha256> {
    let (mut file, mut hash) = (File::open(path)?, Sha256::new());
    let mut buffer = vec![0; 1 << 20];
    loop {
        match file.read(&mut buffer)? {
            0 => return Ok(hash),
            read => hash.update(buffer.get(..read).unwrap_or_default()),
        }
    }
}

/// A sum in hexadecimal.
pub fn hexadecimal(hash: Sha256) -> String {
    hash.finalize().iter().map(|byte| format!("{byte:02x}")).collect()
}
