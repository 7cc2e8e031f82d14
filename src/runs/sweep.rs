//! The folder of a sweep, `<runs-dir>/sweeps/<date>-<name>/`; the runs themselves are ordinary run folders in the runs folder.
//!
//! | file | content |
//! |---|---|
//! | `experiment.toml` | the experiment that the cells change, every default written out |
//! | `sweep.toml` | the sweep, a valid sweep file on that experiment |
//! | `trials/N/trial.json` | which run a trial trains, and why it failed if it did; `live` is locked while a process works on it |
//! | `trials/N/outcome.json` | what a finished trial has measured, sample by sample |
//! | `table.json`, `table.csv`, `table.tex`, `chart.svg` | the table of all cells, made again whenever a trial ends |
//!
//! Every file is written whole or not at all, and each trial is written by one process, so that a sweep can be read while an array
//! of batch jobs works on it.

mod chart;
mod export;
mod metrics;
mod outcome;
mod permutation;
mod table;
mod writer;

use std::fs;
use std::path::{Path, PathBuf};
use std::time::SystemTime;

use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

use super::{RunError, layout, live};
use crate::corpus::Split;
use crate::experiment::{SweepPlan, SweepSplit};
use export::table_files;
pub use metrics::Column;
pub use outcome::{Outcome, SampleKey};
pub use table::{SweepDifference, SweepEntry, SweepRow, SweepTable};
pub use writer::{TrialWriter, create_sweep, write_table};

pub(super) const SWEEP: &str = "sweep.toml";
pub(super) const EXPERIMENT: &str = "experiment.toml";
pub(super) const TRIALS: &str = "trials";
pub(super) const TRIAL: &str = "trial.json";
pub(super) const OUTCOME: &str = "outcome.json";
pub(super) const TABLE: &str = "table.json";

/// `trials/N/trial.json`.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct TrialRecord {
    /// Name of the folder of its run, inside the runs folder; none where nothing is trained.
    pub run: Option<String>,
    /// Why it failed the last time that it was tried.
    pub failed: Option<String>,
}

/// How a trial stands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum TrialStatus {
    /// Nobody has begun it.
    Waiting,
    /// A process works on it.
    Running,
    /// It was begun and nobody works on it; it can be taken up.
    Interrupted,
    /// It ended without an outcome; why, in words.
    Failed(String),
    /// Its outcome is there.
    Done,
}

impl TrialStatus {
    /// The word that a person reads.
    pub fn label(&self) -> &'static str {
        match self {
            Self::Waiting => "waiting",
            Self::Running => "running",
            Self::Interrupted => "interrupted",
            Self::Failed(_) => "failed",
            Self::Done => "done",
        }
    }
}

/// A trial as it stands on disk.
#[derive(Clone, Debug, PartialEq)]
pub struct TrialEntry {
    /// How it stands.
    pub status: TrialStatus,
    /// The folder of its run, once it has one.
    pub run: Option<PathBuf>,
    /// What it has measured, once it is done.
    pub outcome: Option<Outcome>,
}

/// A sweep as it stands on disk; what it is does not change, so that [`Self::poll`] reads only what is new.
#[derive(Clone, Debug, PartialEq)]
pub struct Sweep {
    /// Its folder.
    pub folder: PathBuf,
    /// Its cells and trials.
    pub plan: SweepPlan,
    /// One entry a trial of the plan, in its order.
    pub trials: Vec<TrialEntry>,
    /// The table as of the last trial that ended.
    pub table: Option<SweepTable>,
    table_stamp: Option<(SystemTime, u64)>,
}

impl Sweep {
    /// Reads a sweep's folder.
    pub fn open(folder: &Path) -> Result<Self, RunError> {
        let path = folder.join(SWEEP);
        if !path.is_file() {
            return Err(RunError::NotASweep {
                folder: folder.to_owned(),
            });
        }
        let plan = SweepPlan::load(&path, &[]).map_err(|error| RunError::damaged(&path, error))?;
        let waiting = TrialEntry {
            status: TrialStatus::Waiting,
            run: None,
            outcome: None,
        };
        let mut sweep = Self {
            folder: folder.to_owned(),
            trials: vec![waiting; plan.trials.len()],
            plan,
            table: None,
            table_stamp: None,
        };
        sweep.poll()?;
        Ok(sweep)
    }

    /// Reads what is new, and says whether there was anything.
    pub fn poll(&mut self) -> Result<bool, RunError> {
        let mut changed = false;
        let runs_dir = self.runs_dir();
        for (index, entry) in self.trials.iter_mut().enumerate() {
            if entry.outcome.is_some() {
                continue;
            }
            let now = read_trial(&trial_folder(&self.folder, index), &runs_dir)?;
            changed |= now != *entry;
            *entry = now;
        }
        let path = self.folder.join(TABLE);
        let stamp = fs::metadata(&path)
            .and_then(|data| Ok((data.modified()?, data.len())))
            .ok();
        if stamp != self.table_stamp {
            self.table = read_json(&path)?;
            self.table_stamp = stamp;
            changed = true;
        }
        Ok(changed)
    }

    /// The folder that its runs lie in.
    pub fn runs_dir(&self) -> PathBuf {
        let parent = self.folder.parent().and_then(Path::parent);
        parent.unwrap_or(Path::new(".")).to_owned()
    }

    /// Trials that stand so.
    pub fn count(&self, wanted: impl Fn(&TrialStatus) -> bool) -> usize {
        self.trials.iter().filter(|entry| wanted(&entry.status)).count()
    }

    /// The trials that have no outcome, by their place in the plan.
    pub fn open_trials(&self) -> impl Iterator<Item = usize> {
        let entries = self.trials.iter().enumerate();
        entries
            .filter(|(_, entry)| entry.status != TrialStatus::Done)
            .map(|(index, _)| index)
    }

    /// Whether every trial has its outcome.
    pub fn is_done(&self) -> bool {
        self.open_trials().next().is_none()
    }

    /// The table of what is done so far, computed anew: 10,000 resamples a number, a second for a large sweep.
    pub fn compute_table(&self) -> SweepTable {
        table::compute(self)
    }
}

impl From<SweepSplit> for Split {
    fn from(split: SweepSplit) -> Self {
        match split {
            SweepSplit::Train => Self::Train,
            SweepSplit::Validation => Self::Validation,
            SweepSplit::Test => Self::Test,
        }
    }
}

/// The folders of the sweeps in a runs folder, newest first.
pub fn sweeps(runs_dir: &Path) -> Vec<PathBuf> {
    let entries = layout::entries(&runs_dir.join(layout::SWEEPS));
    let mut found: Vec<(SystemTime, PathBuf)> = entries
        .filter_map(|entry| {
            let written = fs::metadata(entry.path().join(SWEEP)).and_then(|data| data.modified());
            Some((written.ok()?, entry.path()))
        })
        .collect();
    found.sort_unstable();
    found.into_iter().rev().map(|(_, folder)| folder).collect()
}

fn trial_folder(sweep: &Path, index: usize) -> PathBuf {
    sweep.join(TRIALS).join(index.to_string())
}

fn read_trial(folder: &Path, runs_dir: &Path) -> Result<TrialEntry, RunError> {
    // Whether somebody works on it is asked first: who ends in between has left an outcome, which is read behind it.
    let held = live::is_held(folder);
    let record: Option<TrialRecord> = read_json(&folder.join(TRIAL))?;
    let outcome: Option<Outcome> = read_json(&folder.join(OUTCOME))?;
    let begun = record.is_some();
    let TrialRecord { run, failed } = record.unwrap_or_default();
    let status = match (&outcome, failed) {
        (Some(_), _) => TrialStatus::Done,
        (None, _) if held => TrialStatus::Running,
        (None, Some(reason)) => TrialStatus::Failed(reason),
        (None, None) if begun => TrialStatus::Interrupted,
        (None, None) => TrialStatus::Waiting,
    };
    Ok(TrialEntry {
        status,
        run: run.map(|run| runs_dir.join(run)),
        outcome,
    })
}

/// A file's value; none when there is no file.
fn read_json<T: DeserializeOwned>(path: &Path) -> Result<Option<T>, RunError> {
    match fs::read(path) {
        Ok(bytes) => serde_json::from_slice(&bytes)
            .map(Some)
            .map_err(|error| RunError::damaged(path, error)),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(RunError::read(path)(error)),
    }
}
