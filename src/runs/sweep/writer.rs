//! Writing a sweep's folder.

use std::fs::{self, File};
use std::path::{Path, PathBuf};

use super::{EXPERIMENT, OUTCOME, Outcome, SWEEP, SweepTable, TRIAL, TRIALS, TrialRecord, table_files, trial_folder};
use crate::experiment::{SweepFile, SweepPlan};
use crate::runs::writer::{claim_folder, write_json};
use crate::runs::{RunError, files, layout, live};

/// Makes the folder of a sweep in a runs folder, and returns it. Nothing is left behind when this fails.
pub fn create_sweep(runs_dir: &Path, plan: &SweepPlan) -> Result<PathBuf, RunError> {
    let sweeps = runs_dir.join(layout::SWEEPS);
    fs::create_dir_all(&sweeps).map_err(RunError::write(&sweeps))?;
    let folder = claim_folder(&sweeps, &plan.file.name)?;
    let file = SweepFile {
        base: Some(EXPERIMENT.into()),
        ..plan.file.clone()
    };
    let trials = folder.join(TRIALS);
    // The sweep itself comes last: with it the folder is one.
    let filled = fs::create_dir(&trials)
        .map_err(RunError::write(&trials))
        .and_then(|()| files::write_whole(&folder.join(EXPERIMENT), plan.experiment.to_toml().as_bytes()))
        .and_then(|()| files::write_whole(&folder.join(SWEEP), file.to_toml().as_bytes()));
    match filled {
        Ok(()) => Ok(folder),
        Err(error) => {
            fs::remove_dir_all(&folder).ok();
            Err(error)
        }
    }
}

/// Writes the table as JSON, CSV and LaTeX, and its chart, into the folder of a sweep.
pub fn write_table(folder: &Path, table: &SweepTable) -> Result<(), RunError> {
    for (name, text) in table_files(table) {
        files::write_whole(&folder.join(name), text.as_bytes())?;
    }
    write_json(&folder.join(super::TABLE), table)
}

/// The one writer of a trial. While it lives, the trial counts as running and nobody else can begin it.
#[derive(Debug)]
pub struct TrialWriter {
    folder: PathBuf,
    record: TrialRecord,
    _live: File,
}

impl TrialWriter {
    /// Takes a trial of the sweep in `folder`. Fails with [`RunError::Busy`] when another process works on it.
    pub fn claim(folder: &Path, index: usize) -> Result<Self, RunError> {
        let folder = trial_folder(folder, index);
        fs::create_dir_all(&folder).map_err(RunError::write(&folder))?;
        let live = live::hold(&folder)?;
        let record: Option<TrialRecord> = super::read_json(&folder.join(TRIAL))?;
        let run = record.and_then(|record| record.run);
        let writer = Self {
            folder,
            record: TrialRecord { run, failed: None },
            _live: live,
        };
        writer.write()?;
        Ok(writer)
    }

    /// Whether the trial has its outcome already.
    pub fn is_done(&self) -> bool {
        self.folder.join(OUTCOME).is_file()
    }

    /// Name of the folder of the run that an earlier process began.
    pub fn run(&self) -> Option<&str> {
        self.record.run.as_deref()
    }

    /// Notes which run the trial trains.
    pub fn started(&mut self, run: &Path) -> Result<(), RunError> {
        let name = run.file_name().unwrap_or_default();
        self.record.run = Some(name.to_string_lossy().into_owned());
        self.write()
    }

    /// Ends the trial without an outcome.
    pub fn failed(mut self, reason: &str) -> Result<(), RunError> {
        self.record.failed = Some(reason.to_owned());
        self.write()
    }

    /// Ends the trial.
    pub fn done(self, outcome: &Outcome) -> Result<(), RunError> {
        write_json(&self.folder.join(OUTCOME), outcome)
    }

    fn write(&self) -> Result<(), RunError> {
        write_json(&self.folder.join(TRIAL), &self.record)
    }
}
