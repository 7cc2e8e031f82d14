//! Taking a run back to a step: what lies behind it is dropped before a resume, and moved to `abandoned/` by a roll-back.

use std::ffi::OsString;
use std::fs;
use std::path::{Path, PathBuf};

use super::{EventKind, EventRecord, RunError, RunWriter, files, layout, lines::LineReader};

/// Folders with files of steps.
const FOLDERS: [&str; 3] = [layout::PROBES, layout::EVALUATIONS, layout::CHECKPOINTS];

impl RunWriter {
    /// Drops the lines and files behind a step, and files that a kill left half-written.
    pub fn drop_behind(&mut self, step: usize) -> Result<(), RunError> {
        for inner in FOLDERS {
            let folder = self.folder.join(inner);
            let broken = layout::entries(&folder).map(|entry| entry.file_name());
            let broken = broken.filter(|name| layout::is_temporary(name));
            for name in broken.chain(behind(&folder, step)) {
                let path = folder.join(name);
                fs::remove_file(&path).map_err(RunError::write(&path))?;
            }
        }
        let (kept, behind) = self.scalars.split_behind(step)?;
        if behind.is_empty() {
            return Ok(());
        }
        self.scalars.replace(&kept)
    }

    /// Notes a roll-back to a step and moves the lines and files behind it to `abandoned/`.
    pub fn roll_back(&mut self, step: usize, reason: &str) -> Result<(), RunError> {
        self.settle(true)?;
        self.event(EventKind::RollBack, step, reason)?;
        self.finish_roll_back()
    }

    /// Ends what [`Self::roll_back`] began, if a kill broke it off after it was noted.
    pub fn finish_roll_back(&mut self) -> Result<(), RunError> {
        let events: Vec<EventRecord> = LineReader::new(self.folder.join(layout::EVENTS)).read(&mut Vec::new())?;
        let mut roll_backs = events.iter().filter(|event| event.kind == EventKind::RollBack);
        let (number, Some(last)) = (roll_backs.clone().count(), roll_backs.next_back()) else {
            return Ok(());
        };
        let abandoned = self.folder.join(layout::ABANDONED);
        let target = abandoned.join(number.to_string());
        if target.exists() {
            return Ok(());
        }
        self.abandon(last.step, &abandoned.join(format!(".{number}")))?;
        files::rename(&abandoned.join(format!(".{number}")), &target)
    }

    /// Moves what lies behind a step into a folder; done again, it does what was not done.
    fn abandon(&mut self, step: usize, target: &Path) -> Result<(), RunError> {
        for inner in FOLDERS {
            let path = target.join(inner);
            fs::create_dir_all(&path).map_err(RunError::write(&path))?;
        }
        let (kept, later) = self.scalars.split_behind(step)?;
        let copy = target.join(layout::SCALARS);
        if !copy.exists() {
            files::write_whole(&copy, &later)?;
        }
        self.scalars.replace(&kept)?;
        for inner in FOLDERS {
            let folder = self.folder.join(inner);
            for name in behind(&folder, step) {
                files::rename(&folder.join(&name), &target.join(inner).join(&name))?;
            }
        }
        Ok(())
    }
}

/// Files of later steps.
fn behind(folder: &Path, step: usize) -> Vec<OsString> {
    layout::entries(folder)
        .map(|entry| entry.file_name())
        .filter(|name| layout::step_of(name).is_some_and(|of| of > step))
        .collect()
}

/// The `scalars.jsonl` of every roll-back, the earliest first.
pub(super) fn abandoned_scalars(folder: &Path) -> impl Iterator<Item = PathBuf> {
    let folder = folder.join(layout::ABANDONED);
    (1..)
        .map(move |number: usize| folder.join(number.to_string()).join(layout::SCALARS))
        .take_while(|path| path.exists())
}
