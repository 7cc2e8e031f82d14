//! Completion samples.

use serde::{Deserialize, Serialize};

use super::{CorpusError, Repository, SourceFile};

/// A cursor in a file, and what stands behind it. `left`, `target` and `right` together are the file.
///
/// A drawn sample has its cursor in mid-line, right before a name that is defined in another file of the repository
/// (science.md, setup). A person's cursor stands at the beginning of a line, behind the indentation. In both cases the
/// white space before the cursor goes to the target, because tokenizers join it with what follows: the target of a
/// drawn sample begins with at most a few blanks, the target of a person's cursor with line breaks and indentation.
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
    /// All text of the file before the cursor; never ends with white space.
    pub left: String,
    /// All text of the file behind the target.
    pub right: String,
    /// From the cursor to the end of its line, without blanks there; begins with the white space taken off `left`.
    pub target: String,
    /// The name that the target begins with, defined in another file; none for a cursor that a person placed.
    pub identifier: Option<String>,
}

impl CompletionSample {
    /// What completions are scored against: the target without the white space around it.
    pub fn expected_line(&self) -> &str {
        self.target.trim()
    }

    /// The sample whose cursor stands at byte `cursor` of the file, a character boundary.
    pub(super) fn at_cursor(repository: &str, file: &SourceFile, cursor: usize, identifier: Option<&str>) -> Self {
        let (before, behind) = file.text.split_at(cursor);
        let rest = behind.lines().next().unwrap_or_default().trim_end();
        let left = before.trim_end();
        let (until_right, right) = file.text.split_at(cursor + rest.len());
        let (_, target) = until_right.split_at(left.len());

        let line = before.matches('\n').count() + 1;
        let column = before.chars().rev().take_while(|&c| c != '\n').count() + 1;
        Self {
            id: format!("{repository}/{}:{line}:{column}", file.path),
            repository: repository.to_owned(),
            path: file.path.clone(),
            line,
            left: left.to_owned(),
            right: right.to_owned(),
            target: target.to_owned(),
            identifier: identifier.map(str::to_owned),
        }
    }
}

/// The sample of a person's cursor in a file that is being edited: at byte `cursor`, or at the character that holds this byte.
pub fn sample_in(repository: &str, file: &SourceFile, cursor: usize) -> CompletionSample {
    let mut cursor = cursor.min(file.text.len());
    while !file.text.is_char_boundary(cursor) {
        cursor -= 1;
    }
    CompletionSample::at_cursor(repository, file, cursor, None)
}

/// The sample of a person's cursor: line `line` (from 1) of a file, behind its indentation.
///
/// Fails when the repository has no such file, or the file no such line.
pub fn sample_at(repository: &Repository, path: &str, line: usize) -> Result<CompletionSample, CorpusError> {
    let file = repository
        .files
        .iter()
        .find(|file| file.path == path)
        .ok_or_else(|| CorpusError::NoSuchFile {
            repository: repository.name.clone(),
            file: path.to_owned(),
        })?;
    let mut start = 0;
    for (index, text) in file.text.split_inclusive('\n').enumerate() {
        if index + 1 == line {
            let indentation = text.len() - text.trim_start_matches([' ', '\t']).len();
            let cursor = start + indentation;
            return Ok(CompletionSample::at_cursor(&repository.name, file, cursor, None));
        }
        start += text.len();
    }
    Err(CorpusError::NoSuchLine {
        file: path.to_owned(),
        lines: file.text.lines().count(),
        line,
    })
}
