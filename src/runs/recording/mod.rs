//! Recordings: runs thinned to one small archive, which ships with the program and is unpacked as ordinary run folders.
//!
//! The archive is a zip. Of each run it has the settings, the manifest, every line of `scalars.jsonl` and `events.jsonl`, the newest
//! evaluation of each split, some probes with the numbers of their instruments, and the newest projector where that is small. All
//! numbers are those of the run; vectors and weights are in half precision.

mod archive;
mod halves;
mod pack;
mod thin;
mod unpack;

pub use pack::{Change, Packed, pack};
pub use unpack::Recordings;

use super::RunError;

/// Probes of a run with their vectors, under [`super::layout::PROBES`]; they become one file a step.
const VECTORS: &str = "vectors";
/// The encoder's vectors, where they are the same at every step.
const ENCODER: &str = "encoder";
/// Projected vectors, behind the step.
const PROJECTED: &str = "projected";
/// Parameters of the newest projector, under [`super::layout::CHECKPOINTS`].
const PROJECTOR: &str = "projector-";

/// An archive that is not what a packer wrote.
fn torn(message: impl ToString) -> RunError {
    RunError::Recording {
        message: message.to_string(),
    }
}
