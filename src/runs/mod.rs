//! The run folder: a run is a folder of plain files, and the only thing that the workbench and the reports read.
//!
//! Lines are appended whole and synced, other files are written under a temporary name and renamed, so a run can be read while
//! another process writes it, and copied to another machine.

mod error;
mod files;
mod header;
mod layout;
mod lines;
mod list;
mod live;
mod records;
mod run;
mod writer;

pub use error::RunError;
use header::{checked_manifest, read_experiment};
pub use list::{RunEntry, delete, list};
pub use records::*;
pub use run::{Checkpoint, Run, RunFollower, RunStatus, name_of};
pub use writer::RunWriter;
