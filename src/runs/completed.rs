//! The completions of one evaluation with their samples, where they lie: a thread can read them without the run.

use std::path::{Path, PathBuf};

use super::lines::{self, LineReader};
use super::{RunError, SampleRecord};
use crate::evaluation::CompletionRecord;

/// The two files of one evaluation.
#[derive(Clone, Debug)]
pub struct Completed {
    completions: PathBuf,
    samples: PathBuf,
}

impl Completed {
    pub(super) fn new(completions: PathBuf, samples: PathBuf) -> Self {
        Self { completions, samples }
    }

    /// Bytes on disk: what reading costs.
    pub fn bytes(&self) -> u64 {
        let files = [&self.completions, &self.samples];
        let sizes = files.into_iter().filter_map(|path| std::fs::metadata(path).ok());
        sizes.map(|file| file.len()).sum()
    }

    /// Every completion.
    pub fn completions(&self) -> Result<Vec<CompletionRecord>, RunError> {
        lines::read_all(&self.completions)
    }

    /// The samples of all evaluations; none when there is no such file.
    pub fn samples(&self) -> Result<Vec<SampleRecord>, RunError> {
        read_samples(&self.samples)
    }
}

/// Every sample of the file; none when there is no such file.
pub(super) fn read_samples(path: &Path) -> Result<Vec<SampleRecord>, RunError> {
    LineReader::new(path.to_owned()).read(&mut Vec::new())
}
