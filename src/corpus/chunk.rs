//! Chunks: the unit that is retrieved, encoded and compressed.

use serde::{Deserialize, Serialize};

/// Consecutive lines of one file.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Chunk {
    /// Name of the repository.
    pub repository: String,
    /// Path inside the repository.
    pub path: String,
    /// First line, from 1.
    pub first_line: usize,
    /// The lines, joined by `\n`, blank ones at the end taken off.
    pub text: String,
}
