//! Reads what runs have written since the last look: those the engine names at once, those of other processes every second.

use std::path::Path;

use super::state::{AppState, OpenRun};
use crate::engine::Severity;
use crate::runs::{self, RunFollower, RunStatus};

impl AppState {
    /// Reads new lines of runs. With `all`, also of runs that nobody announced: other processes write them.
    /// Returns whether anything changed.
    pub fn poll_runs(&mut self, all: bool) -> bool {
        let mut changed = false;
        if std::mem::take(&mut self.runs_stale) {
            self.runs = runs::list(&self.runs_dir);
            changed = true;
        }
        if let Some(folder) = self.focus.clone()
            && !self.open_runs.contains_key(&folder)
        {
            changed = true;
            if !self.open(&folder) {
                self.focus = None;
            }
        }
        let mut problems = Vec::new();
        for (folder, open) in &mut self.open_runs {
            if !(open.stale || all && open.run().status() == RunStatus::Running) {
                continue;
            }
            open.stale = false;
            match open.follower.poll() {
                Ok(news) => {
                    changed |= news;
                    open.generation += u64::from(news);
                    open.error = None;
                }
                Err(error) => {
                    let text = format!("{}: {error}", runs::name_of(folder));
                    if open.error.replace(text.clone()).as_ref() != Some(&text) {
                        problems.push(text);
                    }
                }
            }
        }
        changed |= !problems.is_empty();
        for text in problems {
            self.tell(Severity::Error, text, None);
        }
        changed
    }

    /// Some open run is being written, so it is worth looking again.
    pub fn has_growing_run(&self) -> bool {
        self.open_runs
            .values()
            .any(|open| open.run().status() == RunStatus::Running)
    }

    /// Draws a run over the one in focus, or no longer.
    pub fn toggle_overlay(&mut self, folder: &Path) {
        if let Some(open) = self.open_runs.get_mut(folder) {
            open.overlaid = !open.overlaid;
            if !open.overlaid && self.focus.as_deref() != Some(folder) {
                self.open_runs.remove(folder);
            }
        } else if self.open(folder)
            && let Some(open) = self.open_runs.get_mut(folder)
        {
            open.overlaid = true;
        }
    }

    /// Reads a run; tells why when it cannot be read.
    fn open(&mut self, folder: &Path) -> bool {
        match RunFollower::open(folder) {
            Ok(follower) => {
                for warning in &follower.run().warnings.clone() {
                    self.tell(Severity::Warning, warning.clone(), None);
                }
                self.open_runs.insert(
                    folder.to_owned(),
                    OpenRun {
                        follower,
                        overlaid: false,
                        generation: 0,
                        stale: false,
                        error: None,
                    },
                );
                true
            }
            Err(error) => {
                self.tell(Severity::Error, error.to_string(), None);
                false
            }
        }
    }
}
