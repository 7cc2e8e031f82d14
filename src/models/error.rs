//! Why a model or a corpus cannot be used.

use std::io::ErrorKind;
use std::path::{Path, PathBuf};

use crate::experiment::FieldError;

/// What went wrong with a model, a tokenizer, a corpus or a cache of vectors, and what to do.
#[derive(Debug, thiserror::Error)]
pub enum ModelError {
    /// A file or folder could not be read.
    #[error("cannot access {}: {source}", path.display())]
    Read {
        /// The file or folder.
        path: PathBuf,
        /// What the system said.
        source: std::io::Error,
    },
    /// A file or folder of the cache could not be written.
    #[error(
        "cannot write {}: {source}{}", path.display(),
        match source.kind() {
            ErrorKind::StorageFull => "; free some space, or set LLAVACODE_CACHE to a folder on another disk (what was written before is kept)",
            _ => "; make it writable, or set LLAVACODE_CACHE to another folder",
        }
    )]
    Write {
        /// The file or folder.
        path: PathBuf,
        /// What the system said.
        source: std::io::Error,
    },
    /// A file was read, but it does not hold what it should.
    #[error("{} cannot be used: {message}", path.display())]
    Broken {
        /// The file or folder.
        path: PathBuf,
        /// What is wrong, and what to do.
        message: String,
    },
    /// Models or corpora of the catalogue that were not fetched yet.
    #[error("{} not here yet: run `llavacode fetch {}`, or name a folder of your own that holds {needs}", list(ids), ids.join(" "))]
    Missing {
        /// Catalogue ids.
        ids: Vec<String>,
        /// The files that a folder must hold to stand in for them.
        needs: &'static str,
    },
    /// A name that is nothing we know.
    #[error(
        "there is no {kind} `{name}`: it is not in the catalogue ({known}), not a file or folder, and not in the Hugging Face cache"
    )]
    Unknown {
        /// `reader`, `encoder` or `corpus`.
        kind: String,
        /// The name.
        name: String,
        /// The catalogue's ids of this kind.
        known: String,
    },
    /// A model of a kind that this program does not run.
    #[error("{} is not supported: {message}", path.display())]
    Unsupported {
        /// The file or folder.
        path: PathBuf,
        /// What is not supported, and what is.
        message: String,
    },
    /// A setting that this model cannot serve.
    #[error(transparent)]
    Setting(#[from] FieldError),
    /// The grammar of Python could not be used, so that there is no syntax tree.
    #[error("no syntax tree can be made ({0}); set encoder.input to \"code\"")]
    Syntax(String),
    /// The platform names no cache folder.
    #[error("this system names no cache folder; set LLAVACODE_CACHE to the folder that models and code shall lie in")]
    NoCacheFolder,
    /// The prompt has a position that does not exist: a token outside the vocabulary, or a soft token without a vector.
    #[error("the prompt cannot be read: {0}")]
    Prompt(String),
    /// A person stopped the work; what is done is kept.
    #[error("stopped")]
    Cancelled,
    /// The device could not compute, mostly for want of memory.
    #[error("the device failed: {0}")]
    Compute(#[from] candle_core::Error),
}

impl ModelError {
    /// For `map_err`: the file that could not be written.
    pub fn write(path: &Path) -> impl FnOnce(std::io::Error) -> Self {
        let path = path.to_owned();
        move |source| Self::Write { path, source }
    }

    /// The input was wrong, rather than the machine.
    pub fn is_bad_input(&self) -> bool {
        !matches!(self, Self::Compute(_) | Self::Write { .. } | Self::Cancelled)
    }

    /// For `map_err`: the file that could not be read.
    pub fn read(path: &Path) -> impl FnOnce(std::io::Error) -> Self {
        let path = path.to_owned();
        move |source| Self::Read { path, source }
    }

    /// For `map_err`: the file that is broken, with what its parser said.
    pub fn broken<E: std::fmt::Display>(path: &Path) -> impl FnOnce(E) -> Self {
        let path = path.to_owned();
        move |error| Self::Broken {
            path,
            message: error.to_string(),
        }
    }
}

fn list(ids: &[String]) -> String {
    match ids {
        [one] => format!("{one} is"),
        several => format!("{} are", several.join(", ")),
    }
}
