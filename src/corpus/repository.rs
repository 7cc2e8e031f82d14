//! Repositories: the source files that chunks and samples are taken from.

use std::collections::HashSet;
use std::io::Read;

/// A larger file was written by a program, and would fill the chunks of its repository.
pub(super) const MAX_BYTES: u64 = 1 << 20;

/// Folders that hold a copy of another project: their licence and their style are not this repository's.
const VENDORED: [&str; 4] = ["_vendor", "_vendored", "extern", "vendor"];

/// One Python file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SourceFile {
    /// Path inside the repository, parts joined by `/`.
    pub path: String,
    /// Its text; line breaks are `\n`.
    pub text: String,
}

/// The Python files of one project: what a completion may know about.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Repository {
    /// Name, unique in a corpus; decides the split.
    pub name: String,
    /// The files, sorted by path.
    pub files: Vec<SourceFile>,
}

impl Repository {
    /// Sorts the files, so that everything drawn from them is the same on every machine, and leaves out copies: a chunk
    /// of a sample's twin would hold its target.
    pub(super) fn new(name: String, mut files: Vec<SourceFile>) -> Self {
        files.sort_by(|a, b| a.path.cmp(&b.path));
        let mut seen = HashSet::new();
        files.retain(|file| file.text.trim().is_empty() || seen.insert(file.text.clone()));
        Self { name, files }
    }
}

impl SourceFile {
    /// Reads a file's bytes; nothing when it is too large to be written by hand, or is not UTF-8.
    pub(super) fn read(path: String, bytes: impl Read) -> std::io::Result<Option<Self>> {
        let mut content = Vec::new();
        // One byte past the limit tells "too large" without trusting the size that an archive declares.
        bytes.take(MAX_BYTES + 1).read_to_end(&mut content)?;
        if content.len() as u64 > MAX_BYTES {
            return Ok(None);
        }
        Ok(String::from_utf8(content).ok().map(|text| Self {
            path,
            text: text
                .trim_start_matches('\u{feff}')
                .replace("\r\n", "\n")
                .replace('\r', "\n"),
        }))
    }
}

/// The folder holds a copy of another project.
pub(super) fn is_vendored(folder: &str) -> bool {
    VENDORED.contains(&folder)
}
