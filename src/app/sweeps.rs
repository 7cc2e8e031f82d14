//! The sweep that is looked at: read again as its trials end, whoever works on them.

use std::path::{Path, PathBuf};

use super::presets::SWEEPS;
use super::state::AppState;
use crate::engine::Severity;
use crate::experiment::SweepPlan;
use crate::runs::{self, Sweep, TrialStatus, name_of};

/// What the Sweep page reads.
#[derive(Debug, Default)]
pub struct Sweeps {
    /// Folders of the sweeps in the runs folder, newest first.
    pub folders: Vec<PathBuf>,
    /// The one that is looked at.
    pub open: Option<Sweep>,
    /// Why the last one asked for could not be read.
    pub error: Option<String>,
    /// The path in the field that asks for a sweep file.
    pub path: String,
    /// The chosen one of [`SWEEPS`]; none when a file of one's own was typed.
    pub preset: Option<usize>,
    /// Catalogue id or folder of the code that every cell takes instead of the file's; empty for that.
    pub corpus: String,
    /// Why that sweep cannot be run.
    pub refused: Option<String>,
    /// There is something new to read.
    pub stale: bool,
}

impl Sweeps {
    /// There is something to run.
    pub fn is_asked(&self) -> bool {
        self.preset.is_some() || !self.path.trim().is_empty()
    }

    /// Some trial is being worked on.
    pub fn is_running(&self) -> bool {
        let running = |sweep: &Sweep| sweep.count(|status| *status == TrialStatus::Running) > 0;
        self.open.as_ref().is_some_and(running)
    }
}

impl AppState {
    /// Looks at a sweep.
    pub fn open_sweep(&mut self, folder: &Path) {
        match Sweep::open(folder) {
            Ok(sweep) => {
                self.sweeps.open = Some(sweep);
                self.sweeps.error = None;
            }
            Err(error) => self.sweeps.error = Some(error.to_string()),
        }
    }

    /// Takes the engine's word that a sweep has news; one that was just started is looked at.
    pub fn sweep_changed(&mut self, folder: &Path) {
        self.sweeps.stale = true;
        self.runs_stale = true;
        if self.sweeps.open.as_ref().is_none_or(|sweep| sweep.folder != folder) {
            self.open_sweep(folder);
        }
    }

    /// Tells how a sweep ended.
    pub fn sweep_ended(&mut self, folder: &Path) {
        self.sweep_changed(folder);
        let text = match Sweep::open(folder) {
            Ok(sweep) if sweep.is_done() => format!("sweep {} is done", name_of(folder)),
            Ok(sweep) => {
                let done = sweep.count(|status| *status == TrialStatus::Done);
                let name = name_of(folder);
                format!(
                    "sweep {name} ended with {done} of {} trials done; it can be resumed",
                    sweep.trials.len()
                )
            }
            Err(error) => error.to_string(),
        };
        self.tell(Severity::Info, text, None);
    }

    /// Reads what is new of the sweep that is looked at, and which sweeps there are; the newest one when none is looked at.
    pub fn poll_sweeps(&mut self) -> bool {
        self.sweeps.stale = false;
        let folders = runs::sweeps(&self.runs_dir);
        let mut changed = folders != self.sweeps.folders;
        self.sweeps.folders = folders;
        if self.sweeps.open.is_none()
            && self.sweeps.error.is_none()
            && let Some(newest) = self.sweeps.folders.first().cloned()
        {
            self.open_sweep(&newest);
            changed = true;
        }
        match self.sweeps.open.as_mut().map(Sweep::poll) {
            Some(Ok(grown)) => {
                changed |= grown;
                // Its runs are in the list of runs.
                self.runs_stale |= grown;
            }
            Some(Err(error)) => {
                let error = Some(error.to_string());
                changed |= error != self.sweeps.error;
                self.sweeps.error = error;
            }
            None => {}
        }
        changed
    }

    /// Reads the sweep that was chosen or whose path was typed; none, with the reason kept, when it cannot be run.
    pub fn asked_sweep(&mut self) -> Option<SweepPlan> {
        let corpus = self.sweeps.corpus.trim();
        let changes: Vec<String> = match corpus.is_empty() {
            true => Vec::new(),
            false => vec![format!("data.corpus={corpus}")],
        };
        let plan = match self.sweeps.preset.and_then(|preset| SWEEPS.get(preset)) {
            Some(preset) => preset.plan(&changes),
            None => SweepPlan::load(Path::new(self.sweeps.path.trim()), &changes),
        };
        match plan {
            Ok(plan) => {
                self.sweeps.refused = None;
                Some(plan)
            }
            Err(error) => {
                self.sweeps.refused = Some(error.to_string());
                None
            }
        }
    }
}
