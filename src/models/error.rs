//! Why a model cannot be used.

use std::path::PathBuf;

/// What went wrong with a model file, and what to do.
#[derive(Debug, thiserror::Error)]
pub enum ModelError {
    /// A file could not be read.
    #[error("cannot read {}: {source}", path.display())]
    Read {
        /// The file or folder.
        path: PathBuf,
        /// What the system said.
        source: std::io::Error,
    },
    /// A file is damaged or not what its name says.
    #[error("{} cannot be used: {message}", path.display())]
    Broken {
        /// The file or folder.
        path: PathBuf,
        /// What is wrong with it, and what to do.
        message: String,
    },
    /// The model needs something that this program does not have.
    #[error("{} is not supported: {message}", path.display())]
    Unsupported {
        /// The file or folder.
        path: PathBuf,
        /// What it needs.
        message: String,
    },
    /// A computation failed: shapes that do not fit, or a device out of memory.
    #[error("the computation failed: {0}")]
    Compute(#[from] candle_core::Error),
    /// The prompt has a position that does not exist: a token outside the vocabulary, or a soft token without a vector.
    #[error("the prompt cannot be read: {0}")]
    Prompt(String),
}
