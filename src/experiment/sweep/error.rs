//! Why a sweep cannot be run.

use std::path::PathBuf;

use crate::experiment::{ExperimentError, FieldError};

/// Why a sweep cannot be read or run; nothing has been computed then.
#[derive(Debug, thiserror::Error)]
pub enum SweepError {
    /// The sweep, or its base, could not be read.
    #[error("cannot read {}: {source}; check the path (base is relative to the sweep file)", path.display())]
    Read {
        /// The file.
        path: PathBuf,
        /// What the system said.
        source: std::io::Error,
    },
    /// The text is not a sweep.
    #[error("{origin} is not a valid sweep: {message}")]
    Parse {
        /// The file.
        origin: String,
        /// What the parser said, with the line.
        message: String,
    },
    /// The base is not an experiment, or a `--set` is wrong.
    #[error(transparent)]
    Experiment(#[from] ExperimentError),
    /// A field of the sweep has a value that it may not have.
    #[error("{field} is {value}: {reason}; {remedy}")]
    Field {
        /// Where it stands in the file, as `grid."retrieval.k"`.
        field: String,
        /// Its value.
        value: String,
        /// Why it may not be so.
        reason: String,
        /// What to do.
        remedy: String,
    },
    /// A cell's experiment has a field out of range.
    #[error("the cell {cell:?} cannot be run: {source}; change this value in the sweep")]
    Cell {
        /// The cell.
        cell: String,
        /// The field, its value and its range.
        source: FieldError,
    },
}

impl SweepError {
    /// A field that may not be so.
    pub(super) fn field(
        field: impl Into<String>,
        value: impl ToString,
        reason: impl Into<String>,
        remedy: impl Into<String>,
    ) -> Self {
        Self::Field {
            field: field.into(),
            value: value.to_string(),
            reason: reason.into(),
            remedy: remedy.into(),
        }
    }
}
