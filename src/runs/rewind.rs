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
        let Some((step, target)) = self.last_roll_back()? else {
            return Ok(());
        };
        if target.exists() {
            return Ok(());
        }
        let unfinished =
            target.with_file_name(format!(".{}", target.file_name().unwrap_or_default().to_string_lossy()));
        self.abandon(step, &unfinished)?;
        files::rename(&unfinished, &target)
    }

    /// Undoes the last roll-back, by another one and a return to where the run stood before it. Returns that step, whose checkpoint
    /// the run now has; undone again, the two are exchanged.
    pub fn undo_roll_back(&mut self) -> Result<usize, RunError> {
        let nothing = || RunError::NotRolledBack {
            folder: self.folder.clone(),
        };
        let (step, branch) = self.last_roll_back()?.ok_or_else(nothing)?;
        let checkpoints = layout::tensor_steps(&branch.join(layout::CHECKPOINTS));
        let back_to = *checkpoints.last().ok_or_else(nothing)?;
        files::read_checkpoint(&layout::checkpoint(&branch, back_to), back_to)?;
        self.roll_back(step, "to undo a roll-back")?;
        self.event(EventKind::Return, back_to, "a roll-back was undone")?;
        // Lines first: a run that is killed between these goes on from a checkpoint that has all of its lines.
        let (mut lines, _) = self.scalars.split_behind(step)?;
        let copy = branch.join(layout::SCALARS);
        lines.extend(fs::read(&copy).map_err(RunError::read(&copy))?);
        self.scalars.replace(&lines)?;
        for inner in FOLDERS {
            for entry in layout::entries(&branch.join(inner)) {
                let bytes = fs::read(entry.path()).map_err(RunError::read(&entry.path()))?;
                files::write_whole(&self.folder.join(inner).join(entry.file_name()), &bytes)?;
            }
        }
        Ok(back_to)
    }

    /// The step of the last roll-back, and where it put what lay behind that step.
    fn last_roll_back(&self) -> Result<Option<(usize, PathBuf)>, RunError> {
        let events: Vec<EventRecord> = LineReader::new(self.folder.join(layout::EVENTS)).read(&mut Vec::new())?;
        let mut roll_backs = events.iter().filter(|event| event.kind == EventKind::RollBack);
        let number = roll_backs.clone().count().to_string();
        let target = self.folder.join(layout::ABANDONED).join(number);
        Ok(roll_backs.next_back().map(|last| (last.step, target)))
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
