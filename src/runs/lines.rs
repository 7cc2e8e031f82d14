//! JSON lines: appended whole and synced, read from where the last reading ended.

use std::fs::{File, OpenOptions};
use std::io::{Read as _, Seek as _, SeekFrom, Write as _};
use std::path::{Path, PathBuf};

use serde::Serialize;
use serde::de::DeserializeOwned;

use super::{RunError, files};

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

    /// The lines up to the first one whose record has a later step than `step`, and the lines from there on, as they stand.
    pub(super) fn split_behind(&self, step: usize) -> Result<(Vec<u8>, Vec<u8>), RunError> {
        #[derive(serde::Deserialize)]
        struct Step {
            step: usize,
        }
        let mut kept = std::fs::read(&self.path).map_err(RunError::read(&self.path))?;
        let torn = |line: &[u8]| !line.ends_with(b"\n");
        let later = |line: &[u8]| torn(line) || serde_json::from_slice(line).is_ok_and(|one: Step| one.step > step);
        let before = kept
            .split_inclusive(|byte| *byte == b'\n')
            .take_while(|line| !later(line));
        let behind = kept.split_off(before.map(<[u8]>::len).sum());
        Ok((kept, behind))
    }

    /// Puts other lines in the place of all; a reader sees the old ones or the new ones.
    pub(super) fn replace(&mut self, lines: &[u8]) -> Result<(), RunError> {
        files::write_whole(&self.path, lines)?;
        *self = Self::open(self.path.clone())?;
        Ok(())
    }

    fn truncate(&self, length: u64) -> Result<(), RunError> {
        self.file.set_len(length).map_err(RunError::write(&self.path))
    }
}

/// The reading end of a `.jsonl` file: remembers how far it has read.
#[derive(Clone, Debug)]
pub(super) struct LineReader {
    path: PathBuf,
    offset: u64,
    line: usize,
    torn: bool,
    /// The last line read.
    last: Vec<u8>,
}

impl LineReader {
    /// Begins at the top; a missing file reads as an empty one.
    pub(super) fn new(path: PathBuf) -> Self {
        Self {
            path,
            offset: 0,
            line: 0,
            torn: false,
            last: Vec::new(),
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
            self.last = line.to_owned();
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

    /// Whether other lines took the place of those that were read, so that reading must begin anew.
    pub(super) fn replaced(&self) -> bool {
        let mut found = vec![0; self.last.len()];
        let read = |mut file: File| {
            file.seek(SeekFrom::Start(self.offset - self.last.len() as u64))?;
            file.read_exact(&mut found)
        };
        self.offset > 0 && (File::open(&self.path).and_then(read).is_err() || found != self.last)
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

/// The records of a file that was written whole, so that any line that does not parse is an error.
pub(super) fn read_all<T: DeserializeOwned>(path: &Path) -> Result<Vec<T>, RunError> {
    let text = std::fs::read_to_string(path).map_err(RunError::read(path))?;
    let records = text.split_terminator('\n').zip(1..).map(|(line, number)| {
        serde_json::from_str(line).map_err(|error| RunError::damaged(path, format!("line {number}: {error}")))
    });
    records.collect()
}

/// The last whole line of a file that parses and is wanted, read from its end alone; none for a missing or empty file.
pub(super) fn last<T: DeserializeOwned>(path: &Path, wanted: impl Fn(&T) -> bool) -> Option<T> {
    const TAIL: u64 = 16 * 1024;
    let mut file = File::open(path).ok()?;
    let length = file.metadata().ok()?.len();
    file.seek(SeekFrom::Start(length.saturating_sub(TAIL))).ok()?;
    let mut bytes = Vec::new();
    file.read_to_end(&mut bytes).ok()?;
    whole_lines(&bytes)
        .rsplit(|byte| *byte == b'\n')
        .find_map(|line| serde_json::from_slice(line).ok().filter(&wanted))
}

/// Everything up to the last line break.
fn whole_lines(bytes: &[u8]) -> &[u8] {
    let end = bytes.iter().rposition(|byte| *byte == b'\n').map_or(0, |at| at + 1);
    bytes.get(..end).unwrap_or_default()
}
