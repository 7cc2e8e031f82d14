//! JSON lines: appended whole and synced, read from where the last reading ended.

use std::fs::{File, OpenOptions};
use std::io::{Read as _, Seek as _, SeekFrom, Write as _};
use std::path::{Path, PathBuf};

use serde::Serialize;
use serde::de::DeserializeOwned;

use super::RunError;

/// The writing end of a `.jsonl` file.
pub(super) struct LineWriter {
    path: PathBuf,
    file: File,
}

impl LineWriter {
    /// Opens the file for appending, makes it if it is missing, and cuts off a last line that a crash left torn.
    pub(super) fn open(path: PathBuf) -> Result<Self, RunError> {
        let file = OpenOptions::new()
            .create(true)
            .read(true)
            .append(true)
            .open(&path)
            .map_err(RunError::write(&path))?;
        let mut writer = Self { path, file };
        let mut bytes = Vec::new();
        writer
            .file
            .read_to_end(&mut bytes)
            .map_err(RunError::read(&writer.path))?;
        let whole = whole_lines(&bytes).len();
        if whole < bytes.len() {
            writer.truncate(whole as u64)?;
        }
        Ok(writer)
    }

    /// Appends the records, one line each, in one write; a write that fails leaves no half of a line behind.
    pub(super) fn append<T: Serialize>(&mut self, records: &[T]) -> Result<(), RunError> {
        let mut text = String::new();
        for record in records {
            let line = serde_json::to_string(record).map_err(|error| RunError::Shape {
                path: self.path.clone(),
                message: error.to_string(),
            })?;
            text.push_str(&line);
            text.push('\n');
        }
        let before = self.file.metadata().map_err(RunError::read(&self.path))?.len();
        let written = self
            .file
            .write_all(text.as_bytes())
            .and_then(|()| self.file.sync_data());
        written.map_err(|source| match self.truncate(before) {
            Ok(()) => RunError::write(&self.path)(source),
            Err(error) => error,
        })
    }

    fn truncate(&self, length: u64) -> Result<(), RunError> {
        self.file.set_len(length).map_err(RunError::write(&self.path))
    }
}

/// The reading end of a `.jsonl` file: remembers how far it has read.
#[derive(Debug)]
pub(super) struct LineReader {
    path: PathBuf,
    offset: u64,
    line: usize,
    torn: bool,
}

impl LineReader {
    /// Begins at the top; a missing file reads as an empty one.
    pub(super) fn new(path: PathBuf) -> Self {
        Self {
            path,
            offset: 0,
            line: 0,
            torn: false,
        }
    }

    /// The records of all lines that are new and whole. Lines that do not parse are left out with a warning.
    pub(super) fn read<T: DeserializeOwned>(&mut self, warnings: &mut Vec<String>) -> Result<Vec<T>, RunError> {
        let mut bytes = Vec::new();
        match File::open(&self.path) {
            Ok(mut file) => {
                file.seek(SeekFrom::Start(self.offset))
                    .and_then(|_| file.read_to_end(&mut bytes))
                    .map_err(RunError::read(&self.path))?;
            }
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => {}
            Err(error) => return Err(RunError::read(&self.path)(error)),
        }
        let whole = whole_lines(&bytes);
        self.torn = whole.len() < bytes.len();
        self.offset += whole.len() as u64;
        let mut records = Vec::new();
        for line in whole.split_inclusive(|byte| *byte == b'\n') {
            self.line += 1;
            match serde_json::from_slice(line) {
                Ok(record) => records.push(record),
                Err(error) => warnings.push(format!(
                    "{}: line {} is damaged and was left out ({error})",
                    self.path.display(),
                    self.line
                )),
            }
        }
        Ok(records)
    }

    /// Whether the file is shorter than what was read of it, so that reading must begin anew.
    pub(super) fn shrunk(&self) -> bool {
        std::fs::metadata(&self.path).map_or(self.offset > 0, |metadata| metadata.len() < self.offset)
    }

    /// What to tell a person when the last line is torn and nobody is there to finish it.
    pub(super) fn torn_warning(&self) -> Option<String> {
        self.torn.then(|| {
            format!(
                "{}: the last line was cut off, probably by a crash, and was left out",
                self.path.display()
            )
        })
    }
}

/// The last whole line of a file that parses, read from its end alone; none for a missing or empty file.
pub(super) fn last<T: DeserializeOwned>(path: &Path) -> Option<T> {
    const TAIL: u64 = 16 * 1024;
    let mut file = File::open(path).ok()?;
    let length = file.metadata().ok()?.len();
    file.seek(SeekFrom::Start(length.saturating_sub(TAIL))).ok()?;
    let mut bytes = Vec::new();
    file.read_to_end(&mut bytes).ok()?;
    whole_lines(&bytes)
        .rsplit(|byte| *byte == b'\n')
        .find_map(|line| serde_json::from_slice(line).ok())
}

/// Everything up to the last line break.
fn whole_lines(bytes: &[u8]) -> &[u8] {
    let end = bytes.iter().rposition(|byte| *byte == b'\n').map_or(0, |at| at + 1);
    bytes.get(..end).unwrap_or_default()
}
