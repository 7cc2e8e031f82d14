//! Why a model or a corpus cannot be used.

use std::path::PathBuf;

/// Why a model or a corpus cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum ModelError {
    /// A file or folder could not be read.
    #[error("cannot read {}: {source}", path.display())]
    Read {
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
    /// The platform names no cache folder.
    #[error("this system names no cache folder; set LLAVACODE_CACHE to the folder that models and code shall lie in")]
    NoCacheFolder,
}

fn list(ids: &[String]) -> String {
    match ids {
        [one] => format!("{one} is"),
        several => format!("{} are", several.join(", ")),
    }
}
