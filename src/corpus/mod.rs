//! Code as data: repositories, their chunks, completion samples whose target needs another file, and splits by repository.

mod chunk;
mod sample;
mod split;

use std::path::PathBuf;

pub use chunk::Chunk;
pub use sample::CompletionSample;
pub use split::Split;

/// Why code could not be read.
#[derive(Debug, thiserror::Error)]
pub enum CorpusError {
    /// A file or folder could not be read.
    #[error("cannot read {}: {source}", path.display())]
    Read {
        /// The file or folder.
        path: PathBuf,
        /// What the system said.
        source: std::io::Error,
    },
    /// A wheel is not a readable zip archive.
    #[error("{} is not a readable wheel ({message}); delete it and run `llavacode fetch` again", path.display())]
    Wheel {
        /// The wheel.
        path: PathBuf,
        /// What the unpacker said.
        message: String,
    },
    /// A folder has no Python files in it.
    #[error("{} holds no Python files; choose a folder whose sub-folders are repositories", path.display())]
    Empty {
        /// The folder.
        path: PathBuf,
    },
    /// A file has fewer lines than the cursor asks for.
    #[error("{file} has {lines} lines, so the cursor cannot be on line {line}")]
    NoSuchLine {
        /// The file, relative to its repository.
        file: String,
        /// Lines in it.
        lines: usize,
        /// The line asked for, from 1.
        line: usize,
    },
}
