//! One append-only file of vectors. Row: SHA-256 key, vector (f32, little-endian), first 8 bytes of the SHA-256 of both.

use std::fs::File;
use std::io::{BufReader, ErrorKind, Read, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};

use sha2::{Digest, Sha256};

use crate::models::ModelError;

/// SHA-256 that names a vector.
pub(super) type Key = [u8; 32];

/// Bytes of a row behind the vector.
const CHECK: usize = 8;

/// A file of rows, each `width` numbers wide.
pub(super) struct Segment {
    path: PathBuf,
    file: File,
    width: usize,
    rows: u64,
}

impl Segment {
    /// Opens a file and reads the keys of its whole rows: a torn tail, or a row that another process is writing, is left out,
    /// and so is all behind a damaged row.
    pub(super) fn open(path: PathBuf, width: usize) -> Result<(Self, Vec<Key>), ModelError> {
        let file = File::open(&path).map_err(ModelError::read(&path))?;
        let mut reader = BufReader::with_capacity(1 << 20, &file);
        let mut row = vec![0u8; row_bytes(width)];
        let mut keys = Vec::new();
        loop {
            match reader.read_exact(&mut row) {
                Ok(()) => {}
                Err(error) if error.kind() == ErrorKind::UnexpectedEof => break,
                Err(error) => return Err(ModelError::read(&path)(error)),
            }
            let (content, check) = row.split_at(row.len() - CHECK);
            let (key, _) = content.split_at(size_of::<Key>());
            if Sha256::digest(content).get(..CHECK) != Some(check) {
                break;
            }
            keys.extend(Key::try_from(key));
        }
        let rows = keys.len() as u64;
        Ok((
            Self {
                path,
                file,
                width,
                rows,
            },
            keys,
        ))
    }

    /// A new file in `folder`, under a name that no other process has.
    pub(super) fn create(folder: &Path, width: usize) -> Result<Self, ModelError> {
        let (file, path) = tempfile::Builder::new()
            .prefix("segment-")
            .suffix(".vectors")
            .tempfile_in(folder)
            .map_err(ModelError::write(folder))?
            .keep()
            .map_err(|error| ModelError::write(folder)(error.error))?;
        Ok(Self {
            path,
            file,
            width,
            rows: 0,
        })
    }

    /// Writes rows behind the last one and returns the index of the first. They are on disk when this returns.
    pub(super) fn append(&mut self, rows: &[(Key, Vec<f32>)]) -> Result<u64, ModelError> {
        let mut bytes = Vec::with_capacity(rows.len() * row_bytes(self.width));
        for (key, vector) in rows {
            let start = bytes.len();
            bytes.extend_from_slice(key);
            bytes.extend(vector.iter().flat_map(|x| x.to_le_bytes()));
            let check = Sha256::digest(bytes.get(start..).unwrap_or_default());
            bytes.extend(check.iter().take(CHECK));
        }
        let first = self.rows;
        // A write that failed half-way left a torn row: the next one starts over it.
        self.seek(first)?;
        self.file.write_all(&bytes).map_err(ModelError::write(&self.path))?;
        self.file.sync_data().map_err(ModelError::write(&self.path))?;
        self.rows += rows.len() as u64;
        Ok(first)
    }

    /// The vector of a row.
    pub(super) fn vector(&mut self, row: u64) -> Result<Vec<f32>, ModelError> {
        self.seek(row)?;
        let mut bytes = vec![0u8; size_of::<Key>() + 4 * self.width];
        self.file.read_exact(&mut bytes).map_err(ModelError::read(&self.path))?;
        let (_, vector) = bytes.split_at(size_of::<Key>());
        let numbers = vector.as_chunks::<4>().0;
        Ok(numbers.iter().map(|bytes| f32::from_le_bytes(*bytes)).collect())
    }

    fn seek(&mut self, row: u64) -> Result<(), ModelError> {
        let offset = row * row_bytes(self.width) as u64;
        self.file
            .seek(SeekFrom::Start(offset))
            .map_err(ModelError::read(&self.path))?;
        Ok(())
    }
}

fn row_bytes(width: usize) -> usize {
    size_of::<Key>() + 4 * width + CHECK
}
