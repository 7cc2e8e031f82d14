//! Encoder vectors on disk, named by what was encoded and how: a chunk is encoded once, whatever run needs it.

use std::collections::{HashMap, HashSet};
use std::path::{Path, PathBuf};

use sha2::{Digest, Sha256};

use super::Encoder;
use super::segment::{Key, Segment};
use crate::models::ModelError;

/// Texts encoded between two calls of `progress`: about a second of one core on the default encoder.
const BLOCK: usize = 32;

/// Makes one vector for each text.
type Make<'a, E> = dyn FnMut(&[&str]) -> Result<Vec<Vec<f32>>, E> + 'a;

/// Vectors of one encoder. Every process writes a file of its own, so that several may fill the same folder.
pub struct VectorCache {
    folder: PathBuf,
    fingerprint: String,
    width: usize,
    segments: Vec<Segment>,
    /// Where a vector is: segment and row.
    rows: HashMap<Key, (usize, u64)>,
    /// Index of the segment that this process writes.
    own: Option<usize>,
}

impl VectorCache {
    /// Opens, or begins, the vectors of the encoder with this fingerprint and width inside `folder`.
    pub fn open(folder: &Path, fingerprint: &str, width: usize) -> Result<Self, ModelError> {
        let name: String = fingerprint
            .chars()
            .filter(char::is_ascii_alphanumeric)
            .take(16)
            .collect();
        let folder = folder.join(format!("{name}-{width}"));
        std::fs::create_dir_all(&folder).map_err(ModelError::write(&folder))?;
        let mut cache = Self {
            folder,
            fingerprint: fingerprint.to_owned(),
            width,
            segments: Vec::new(),
            rows: HashMap::new(),
            own: None,
        };
        let entries = std::fs::read_dir(&cache.folder).map_err(ModelError::read(&cache.folder))?;
        for entry in entries {
            let path = entry.map_err(ModelError::read(&cache.folder))?.path();
            if path.extension().is_some_and(|extension| extension == "vectors") {
                let (segment, keys) = Segment::open(path, width)?;
                let index = cache.segments.len();
                cache.rows.extend((0..).zip(keys).map(|(row, key)| (key, (index, row))));
                cache.segments.push(segment);
            }
        }
        Ok(cache)
    }

    /// Vectors in the cache.
    pub fn len(&self) -> usize {
        self.rows.len()
    }

    /// Whether it holds no vector.
    pub fn is_empty(&self) -> bool {
        self.rows.is_empty()
    }

    /// One vector for each text, in their order; those that are missing are encoded and kept.
    ///
    /// `progress` gets the texts encoded and those that had to be; when it answers `false` the result is
    /// [`ModelError::Cancelled`], and what was encoded is kept.
    pub fn get_or_encode(
        &mut self,
        encoder: &dyn Encoder,
        texts: &[&str],
        progress: &mut dyn FnMut(usize, usize) -> bool,
    ) -> Result<Vec<Vec<f32>>, ModelError> {
        if encoder.fingerprint() != self.fingerprint || encoder.width() != self.width {
            return Err(ModelError::Broken {
                path: self.folder.clone(),
                message: "the cache was opened for another encoder".into(),
            });
        }
        self.get_or_make(texts, &mut |missing| encoder.encode(missing), progress)
    }

    /// Whether the vector of a text is in it.
    pub fn holds(&self, text: &str) -> bool {
        self.rows.contains_key(&self.key(text))
    }

    /// The same for vectors that something else than an encoder makes of texts, under a fingerprint of its own.
    pub fn get_or_make<E: From<ModelError>>(
        &mut self,
        texts: &[&str],
        make: &mut Make<'_, E>,
        progress: &mut dyn FnMut(usize, usize) -> bool,
    ) -> Result<Vec<Vec<f32>>, E> {
        let keys: Vec<Key> = texts.iter().map(|text| self.key(text)).collect();
        let mut seen = HashSet::new();
        let mut missing: Vec<(Key, &str)> = keys
            .iter()
            .zip(texts)
            .filter(|(key, _)| !self.rows.contains_key(*key) && seen.insert(**key))
            .map(|(key, text)| (*key, *text))
            .collect();
        // Long texts first: the time left is then over- rather than under-estimated, and a lack of memory shows at once.
        missing.sort_by_key(|(_, text)| std::cmp::Reverse(text.len()));
        let mut done = 0;
        for block in missing.chunks(BLOCK) {
            if !progress(done, missing.len()) {
                return Err(ModelError::Cancelled.into());
            }
            let block_texts: Vec<&str> = block.iter().map(|(_, text)| *text).collect();
            let vectors = make(&block_texts)?;
            self.append(block.iter().map(|(key, _)| *key).zip(vectors).collect())?;
            done += block.len();
        }
        if !missing.is_empty() && !progress(done, missing.len()) {
            return Err(ModelError::Cancelled.into());
        }
        Ok(keys.iter().map(|key| self.vector(key)).collect::<Result<_, _>>()?)
    }

    fn key(&self, text: &str) -> Key {
        let mut hash = Sha256::new();
        hash.update(&self.fingerprint);
        hash.update([0]);
        hash.update(text);
        hash.finalize().into()
    }

    fn append(&mut self, rows: Vec<(Key, Vec<f32>)>) -> Result<(), ModelError> {
        if rows.iter().any(|(_, vector)| vector.len() != self.width) {
            return Err(self.inconsistent("the encoder gave vectors of another width"));
        }
        let index = match self.own {
            Some(index) => index,
            None => {
                self.segments.push(Segment::create(&self.folder, self.width)?);
                *self.own.insert(self.segments.len() - 1)
            }
        };
        let Some(segment) = self.segments.get_mut(index) else {
            return Err(self.inconsistent("its own file is gone"));
        };
        let first = segment.append(&rows)?;
        self.rows
            .extend((first..).zip(rows).map(|(row, (key, _))| (key, (index, row))));
        Ok(())
    }

    fn vector(&mut self, key: &Key) -> Result<Vec<f32>, ModelError> {
        let place = self.rows.get(key).copied();
        match place.and_then(|(index, row)| Some((self.segments.get_mut(index)?, row))) {
            Some((segment, row)) => segment.vector(row),
            None => Err(self.inconsistent("the encoder gave fewer vectors than texts")),
        }
    }

    fn inconsistent(&self, message: &str) -> ModelError {
        ModelError::Broken {
            path: self.folder.clone(),
            message: message.into(),
        }
    }
}
