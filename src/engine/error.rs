//! Why a job of the engine ended without its result.

use std::path::PathBuf;

use crate::corpus::{CorpusError, Split};
use crate::experiment::{ExperimentError, FieldError};
use crate::models::ModelError;
use crate::projector::ProjectorError;
use crate::runs::RunError;
use crate::training::TrainingError;

/// What stopped a job.
#[derive(Debug, thiserror::Error)]
pub enum EngineError {
    /// A field of the experiment is out of range.
    #[error(transparent)]
    Field(#[from] FieldError),
    /// The experiment cannot be read.
    #[error(transparent)]
    Experiment(#[from] ExperimentError),
    /// Code cannot be read.
    #[error(transparent)]
    Corpus(#[from] CorpusError),
    /// A model cannot be used.
    #[error(transparent)]
    Model(#[from] ModelError),
    /// A projector cannot be made or loaded.
    #[error(transparent)]
    Projector(#[from] ProjectorError),
    /// A training step failed.
    #[error(transparent)]
    Training(#[from] TrainingError),
    /// A run folder cannot be written or read.
    #[error(transparent)]
    Run(#[from] RunError),
    /// The device computes no more.
    #[error("the device failed: {0}")]
    Compute(#[from] candle_core::Error),
    /// The device asked for is not there.
    #[error("the device {name} cannot be used: {message}")]
    Device {
        /// Its name.
        name: &'static str,
        /// Why, and what to do.
        message: String,
    },
    /// The corpus has no repository for a split.
    #[error(
        "data.corpus is {corpus:?}, and with {repositories} in it none is left for the {split} split: repositories are split, never \
         files; give a folder with at least 3 repositories (sub-folders with Python files)",
        repositories = count(*repositories, "repository", "repositories")
    )]
    FewRepositories {
        /// Name of the corpus, as in the experiment.
        corpus: String,
        /// How many it has.
        repositories: usize,
        /// The split that stayed empty.
        split: Split,
    },
    /// No sample of a split has as many chunks as it is to get.
    #[error(
        "retrieval.k is {k}, but no {split} repository of data.corpus = {corpus:?} has more than {chunks} of {chunk_lines} lines in files \
         other than a sample's own; lower retrieval.k or retrieval.chunk_lines, or give larger repositories",
        chunks = count(*chunks, "chunk", "chunks")
    )]
    FewChunks {
        /// Name of the corpus, as in the experiment.
        corpus: String,
        /// The split.
        split: Split,
        /// Chunks that each sample is to get.
        k: usize,
        /// The most that a sample can get.
        chunks: usize,
        /// Lines of a chunk.
        chunk_lines: usize,
    },
    /// Too few chunks to watch.
    #[error(
        "schedule.probe_chunks is {asked}, but the validation samples of data.corpus = {corpus:?} bring only {found} to watch, and \
         geometry takes at least {least}; raise retrieval.k or data.samples_per_repository, or give more repositories",
        found = count(*found, "chunk", "chunks")
    )]
    FewProbeChunks {
        /// Name of the corpus, as in the experiment.
        corpus: String,
        /// Chunks that were to be watched.
        asked: usize,
        /// Chunks that there are.
        found: usize,
        /// Fewer are no geometry.
        least: usize,
    },
    /// The corpus yields no sample for a split.
    #[error(
        "data.corpus is {corpus:?} and yields no {split} sample: a sample is a name that another file of its repository defines; give \
         Python repositories whose files import from each other"
    )]
    NoSamples {
        /// Name of the corpus, as in the experiment.
        corpus: String,
        /// The split that stayed empty.
        split: Split,
    },
    /// A run has no checkpoint to work with.
    #[error("{} has no checkpoint{}; train it for at least one step, or choose another", folder.display(), step.map(|step| format!(" of step {step}")).unwrap_or_default())]
    NoCheckpoint {
        /// The run's folder.
        folder: PathBuf,
        /// The step that was asked for.
        step: Option<usize>,
    },
    /// A model or the corpus of a run is not what it was trained with.
    #[error(
        "{name} has changed since {} was trained with it (SHA-256 {} then, {} now), so the run cannot go on; put the earlier files \
         back, or start a new run with these",
        folder.display(), short(was), short(now)
    )]
    Changed {
        /// The run's folder.
        folder: PathBuf,
        /// Name of the model or corpus, as in the experiment.
        name: String,
        /// SHA-256 in the run's manifest.
        was: String,
        /// SHA-256 of today.
        now: String,
    },
    /// A run has done all its steps.
    #[error("{} has finished all its {steps} steps; fork it with more schedule.steps to train on", folder.display())]
    Finished {
        /// The run's folder.
        folder: PathBuf,
        /// Its steps.
        steps: usize,
    },
    /// A fork would be another experiment.
    #[error("a fork cannot change {field}: what it learned until now depends on it; start a new run instead")]
    Fork {
        /// The field, or the group of fields.
        field: String,
    },
    /// A checkpoint lacks what a run goes on from.
    #[error("the checkpoint of step {step} in {} has no {what}, so no run can go on from it; delete it, and an earlier one is taken", folder.display())]
    Checkpoint {
        /// The run's folder.
        folder: PathBuf,
        /// The checkpoint's step.
        step: usize,
        /// What is missing.
        what: String,
    },
    /// An evaluation would replace a larger one.
    #[error(
        "{} has a larger evaluation of step {step} on the {split} split, with {samples} samples; take at least as many and all arms, \
         or another split or step",
        folder.display()
    )]
    Smaller {
        /// The run's folder.
        folder: PathBuf,
        /// The checkpoint's step.
        step: usize,
        /// The split.
        split: Split,
        /// Samples of the evaluation that is there.
        samples: usize,
    },
    /// A cell of a sweep cannot be run.
    #[error("the cell {cell:?} cannot be run: {source}")]
    Cell {
        /// Its name.
        cell: String,
        /// Why.
        source: Box<EngineError>,
    },
    /// A sweep has fewer trials.
    #[error("the sweep has no trial {index}, its {trials} trials are numbered from 0; choose one of them")]
    NoTrial {
        /// The trial asked for.
        index: usize,
        /// How many there are.
        trials: usize,
    },
    /// A run of a sweep did not come to its last step, so that it cannot be held against the others.
    #[error("{} ended before its last step: {reason}", folder.display())]
    Unfinished {
        /// The run's folder.
        folder: PathBuf,
        /// Why it ended.
        reason: String,
    },
    /// Slurm did not take a job.
    #[error("cannot submit the sweep to Slurm: {message}; {} can be submitted by hand", script.display())]
    Slurm {
        /// What sbatch, or the system, said.
        message: String,
        /// The batch script.
        script: PathBuf,
    },
    /// The chunks of a repository have no vectors yet.
    #[error("the retriever of this run compares vectors of all chunks: wait until the index is complete")]
    NotIndexed,
    /// A person ended the job.
    #[error("stopped before it was done")]
    Cancelled,
}

impl EngineError {
    /// The input was wrong, rather than the machine: the command line's exit code 2 rather than 1.
    pub fn is_bad_input(&self) -> bool {
        match self {
            Self::Field(_)
            | Self::Experiment(_)
            | Self::Corpus(_)
            | Self::Device { .. }
            | Self::FewRepositories { .. }
            | Self::FewChunks { .. }
            | Self::FewProbeChunks { .. }
            | Self::NoSamples { .. }
            | Self::NoCheckpoint { .. }
            | Self::Changed { .. }
            | Self::Finished { .. }
            | Self::Fork { .. }
            | Self::Checkpoint { .. }
            | Self::Smaller { .. }
            | Self::NoTrial { .. }
            | Self::NotIndexed
            | Self::Projector(_) => true,
            Self::Cell { source, .. } => source.is_bad_input(),
            Self::Model(error) => error.is_bad_input(),
            Self::Run(error) => !matches!(
                error,
                RunError::Full { .. } | RunError::Write { .. } | RunError::Gone { .. }
            ),
            Self::Training(_) | Self::Compute(_) | Self::Unfinished { .. } | Self::Slurm { .. } | Self::Cancelled => {
                false
            }
        }
    }
}

/// A number with its noun.
fn count(number: usize, one: &str, many: &str) -> String {
    format!("{number} {}", if number == 1 { one } else { many })
}

/// The first digits of a checksum, which tell two apart.
fn short(sha256: &str) -> &str {
    sha256.get(..12).unwrap_or(sha256)
}
