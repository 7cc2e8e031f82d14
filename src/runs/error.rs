//! Why a run folder cannot be read or written, and what to do about it.

use std::io;
use std::path::{Path, PathBuf};

/// Why a run folder cannot be read or written.
#[derive(Debug, thiserror::Error)]
pub enum RunError {
    /// A file or folder could not be read.
    #[error("cannot read {}: {source}; check that the run folder is complete and readable", path.display())]
    Read {
        /// The file or folder.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// A file or folder could not be written.
    #[error("cannot write {}: {source}; check the folder's permissions, or choose another one with --runs-dir", path.display())]
    Write {
        /// The file or folder.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// The folder was there, and is no more.
    #[error("{} is gone: it was removed or moved while the run was being written, so the run ends here; put it back and resume it, or start anew", folder.display())]
    Gone {
        /// The folder.
        folder: PathBuf,
    },
    /// The disk is full.
    #[error("the disk that holds {} is full; free some space, or choose another folder with --runs-dir (what was written before is kept)", folder.display())]
    Full {
        /// The folder that no longer fits.
        folder: PathBuf,
    },
    /// The folder is not a run.
    #[error("{} is not a run: it has no {missing}; choose a folder inside the runs folder", folder.display())]
    NotARun {
        /// The folder.
        folder: PathBuf,
        /// The file that every run has.
        missing: &'static str,
    },
    /// The folder is not a sweep.
    #[error("{} is not a sweep: it has no sweep.toml; name a sweep file, or a folder inside sweeps/ of the runs folder", folder.display())]
    NotASweep {
        /// The folder.
        folder: PathBuf,
    },
    /// A file is there, but its content is not what it should be.
    #[error("{} is damaged ({message}); restore it from a copy, or delete the run", path.display())]
    Damaged {
        /// The file.
        path: PathBuf,
        /// What the parser said.
        message: String,
    },
    /// A newer program wrote the folder.
    #[error("{} was written by a newer program (layout {found}, this one knows up to {known}); update llavacode", folder.display())]
    Newer {
        /// The folder.
        folder: PathBuf,
        /// The layout's version found.
        found: u32,
        /// The newest version known.
        known: u32,
    },
    /// Another process, or another part of this one, writes the folder.
    #[error("{} is being written by a training or an evaluation; wait until it ends, or stop it", folder.display())]
    Busy {
        /// The folder.
        folder: PathBuf,
    },
    /// The run holds nothing for the step that was asked for.
    #[error("{} has no {what} of step {step}; it has {}", folder.display(), steps_in_words(there))]
    NoSuchStep {
        /// The folder.
        folder: PathBuf,
        /// `probe`, `checkpoint` or `validation evaluation`.
        what: String,
        /// The step asked for.
        step: usize,
        /// The steps that there are.
        there: Vec<usize>,
    },
    /// No roll-back can be undone.
    #[error("{} has no roll-back to undo, or what it left has no checkpoint", folder.display())]
    NotRolledBack {
        /// The folder.
        folder: PathBuf,
    },
    /// An archive of recorded runs is not whole, or none.
    #[error(
        "the recorded runs cannot be unpacked or packed: {message}; get the program anew, or pack them again with `llavacode record`"
    )]
    Recording {
        /// What does not fit.
        message: String,
    },
    /// Recorded runs have no place to be unpacked to.
    #[error("the recorded runs cannot be unpacked: no folder can be made in {} ({source}); set TMPDIR to a folder that can be written", folder.display())]
    NoTemporaryFolder {
        /// Where temporary files lie.
        folder: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// Values handed over for writing do not have the shape that they claim.
    #[error("cannot write {}: {message}; this is a bug in the program", path.display())]
    Shape {
        /// The file.
        path: PathBuf,
        /// What does not fit.
        message: String,
    },
}

impl RunError {
    /// A failed read of `path`.
    pub(super) fn read(path: &Path) -> impl FnOnce(io::Error) -> Self {
        let path = path.to_owned();
        move |source| Self::Read { path, source }
    }

    /// A failed write of `path`; a full disk gets its own message.
    pub(super) fn write(path: &Path) -> impl FnOnce(io::Error) -> Self {
        let path = path.to_owned();
        move |source| match source.kind() {
            io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded => Self::Full {
                folder: path.parent().map(Path::to_owned).unwrap_or(path),
            },
            io::ErrorKind::NotFound => Self::Gone {
                folder: path.parent().map(Path::to_owned).unwrap_or(path),
            },
            _ => Self::Write { path, source },
        }
    }

    /// Content of `path` that cannot be understood.
    pub(super) fn damaged(path: &Path, message: impl ToString) -> Self {
        Self::Damaged {
            path: path.to_owned(),
            message: message.to_string(),
        }
    }
}

fn steps_in_words(steps: &[usize]) -> String {
    if steps.is_empty() {
        return "none at all".into();
    }
    let steps: Vec<String> = steps.iter().map(ToString::to_string).collect();
    format!("steps {}", steps.join(", "))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_full_disk_names_the_folder_and_the_way_out() {
        let path = Path::new("/data/runs/2026-01-02-aligned/scalars.jsonl");
        let full = RunError::write(path)(io::Error::from(io::ErrorKind::StorageFull)).to_string();
        assert!(
            full.starts_with("the disk that holds /data/runs/2026-01-02-aligned is full"),
            "{full}"
        );
        let other = RunError::write(path)(io::Error::from(io::ErrorKind::PermissionDenied)).to_string();
        assert!(
            other.contains("scalars.jsonl") && other.contains("permissions"),
            "{other}"
        );
    }
}
