//! Completion samples.

use serde::{Deserialize, Serialize};

/// A cursor in a file, and what stands behind it.
///
/// The cursor stands in mid-line, right before a name that is defined in another file of the repository (science.md, setup).
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct CompletionSample {
    /// `repository/path:line:column`, unique in a corpus.
    pub id: String,
    /// Name of the repository.
    pub repository: String,
    /// Path inside the repository.
    pub path: String,
    /// Line of the cursor, from 1.
    pub line: usize,
    /// All text of the file before the cursor; never ends with a space or a line break.
    pub left: String,
    /// All text of the file behind the target.
    pub right: String,
    /// From the cursor to the end of its line, without the line break; begins with the blanks taken off `left`.
    pub target: String,
    /// The name that the target begins with, defined in another file; none for a cursor that a person placed.
    pub identifier: Option<String>,
}
