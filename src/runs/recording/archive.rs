//! The archive as it is written: files that are equal in several runs lie in it once.

use std::collections::HashMap;
use std::io::{Cursor, Write as _};

use sha2::{Digest as _, Sha256};
use zip::write::SimpleFileOptions;
use zip::{CompressionMethod, ZipWriter};

use super::torn;
use crate::runs::RunError;

/// Level of deflate: as small as it gets.
const LEVEL: i64 = 9;

/// A zip archive in memory.
pub(super) struct Archive {
    zip: ZipWriter<Cursor<Vec<u8>>>,
    /// The first file of each content.
    known: HashMap<[u8; 32], String>,
}

impl Archive {
    pub(super) fn new() -> Self {
        Self {
            zip: ZipWriter::new(Cursor::new(Vec::new())),
            known: HashMap::new(),
        }
    }

    /// Adds a file; its folders are those of its name.
    pub(super) fn add(&mut self, name: String, bytes: &[u8]) -> Result<(), RunError> {
        let digest: [u8; 32] = Sha256::digest(bytes).into();
        if let Some(first) = self.known.get(&digest) {
            return self.zip.shallow_copy_file(first, &name).map_err(torn);
        }
        // No time: the same runs give the same archive.
        let options = SimpleFileOptions::default()
            .compression_method(CompressionMethod::Deflated)
            .compression_level(Some(LEVEL))
            .last_modified_time(zip::DateTime::default());
        self.zip.start_file(name.as_str(), options).map_err(torn)?;
        self.zip.write_all(bytes).map_err(torn)?;
        self.known.insert(digest, name);
        Ok(())
    }

    pub(super) fn finish(self) -> Result<Vec<u8>, RunError> {
        Ok(self.zip.finish().map_err(torn)?.into_inner())
    }
}
