//! Code as data: repositories, their chunks, completion samples whose target needs another file, and splits by repository.

mod chunk;
mod code_folder;
mod definition;
mod folder;
mod imports;
pub(crate) mod python;
mod repository;
mod sample;
mod sampling;
mod split;
mod wheel;

use std::path::PathBuf;

pub use chunk::{Chunk, ChunkPlace, chunks};
pub use code_folder::{CodeFolder, LeftOut, OTHER_KINDS, code_file, code_folder};
pub use definition::{Definition, definitions};
pub use folder::{repositories_in_folder, repository_from_folder};
pub use repository::{Repository, SourceFile};
pub use sample::{CompletionSample, sample_at, sample_in};
pub use sampling::{SampleSettings, samples};
pub use split::{Split, split_of, splits_of};
pub use wheel::repository_from_wheel;

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
    /// A folder has no file of a kind that is read.
    #[error(
        "{} holds no code that can be read: Python files, or where there are none those of other languages ({}); choose another folder",
        path.display(), OTHER_KINDS.join(", ")
    )]
    NoCode {
        /// The folder.
        path: PathBuf,
    },
    /// A file is left out of its repository.
    #[error("{file} cannot be edited: {reason}")]
    LeftOut {
        /// The file, relative to its repository.
        file: String,
        /// Why.
        reason: LeftOut,
    },
    /// A repository has no such file.
    #[error("{repository} has no Python file {file}; paths are relative to the repository, parts joined by `/`")]
    NoSuchFile {
        /// Name of the repository.
        repository: String,
        /// The path asked for.
        file: String,
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
