//! The runs folder: what is in it, and moving a run to the trash.

use std::path::{Path, PathBuf};
use std::{fs, io};

use jiff::Timestamp;

use super::run::{RunStatus, name_of};
use super::{EventRecord, RunError, ScalarRecord, checked_manifest, layout, lines, live, read_experiment};

/// A run in a list: what can be told without reading all of it.
#[derive(Clone, Debug, PartialEq)]
pub struct RunEntry {
    /// The run's folder.
    pub folder: PathBuf,
    /// The folder's name without the date.
    pub name: String,
    /// RFC 3339 time of the start; empty when the folder is broken.
    pub started: String,
    /// Steps finished.
    pub steps_done: usize,
    /// Steps planned.
    pub steps: usize,
    /// How it stands.
    pub status: RunStatus,
    /// Loss of the last finished step.
    pub last_loss: Option<f64>,
    /// Why the folder cannot be opened; none when it can.
    pub error: Option<String>,
}

/// Whether a folder holds the files that every run begins with.
pub fn is_run(folder: &Path) -> bool {
    begins_with(folder).into_iter().all(|here| here)
}

/// Which of those files are here.
fn begins_with(folder: &Path) -> [bool; 2] {
    [layout::EXPERIMENT, layout::MANIFEST].map(|file| folder.join(file).is_file())
}

/// The runs in a folder, newest first; broken ones at the end, with the reason. A missing folder holds no runs.
pub fn list(runs_dir: &Path) -> Vec<RunEntry> {
    let mut runs: Vec<RunEntry> = fs::read_dir(runs_dir)
        .into_iter()
        .flatten()
        .flatten()
        .filter(|entry| !entry.file_name().to_string_lossy().starts_with('.') && entry.file_name() != layout::SWEEPS)
        .map(|entry| entry.path())
        .filter(|path| path.is_dir())
        .map(|folder| entry(&folder))
        .collect();
    runs.sort_by_cached_key(|run| std::cmp::Reverse((run.started.parse::<Timestamp>().ok(), run.folder.clone())));
    runs
}

fn entry(folder: &Path) -> RunEntry {
    let mut run = RunEntry {
        folder: folder.to_owned(),
        name: name_of(folder),
        started: String::new(),
        steps_done: 0,
        steps: 0,
        status: RunStatus::of(
            lines::last(&folder.join(layout::EVENTS), EventRecord::tells_status).as_ref(),
            folder,
        ),
        last_loss: None,
        error: None,
    };
    let read = checked_manifest(folder).and_then(|manifest| Ok((manifest, read_experiment(folder, &mut Vec::new())?)));
    match read {
        Ok((manifest, experiment)) => {
            run.started = manifest.started;
            run.steps = experiment.schedule.steps;
        }
        Err(error) => run.error = Some(error.to_string()),
    }
    if let Some(scalar) = lines::last::<ScalarRecord>(&folder.join(layout::SCALARS), |_| true) {
        run.steps_done = scalar.step;
        run.last_loss = Some(scalar.loss);
    }
    run
}

/// Moves a run into `.trash` of the folder that it lies in, and returns where it is now. A run being written is refused.
pub fn delete(folder: &Path) -> Result<PathBuf, RunError> {
    let folder = &fs::canonicalize(folder).map_err(RunError::read(folder))?;
    // A broken one can go, too.
    let is_run = begins_with(folder).into_iter().any(|here| here);
    let (Some(runs_dir), Some(name), true) = (folder.parent(), folder.file_name(), is_run) else {
        return Err(RunError::NotARun {
            folder: folder.clone(),
            missing: layout::EXPERIMENT,
        });
    };
    if live::is_held(folder) {
        return Err(RunError::Busy { folder: folder.clone() });
    }
    let trash = runs_dir.join(layout::TRASH);
    fs::create_dir_all(&trash).map_err(RunError::write(&trash))?;
    let mut target = trash.join(name);
    let mut number = 1;
    while target.exists() {
        number += 1;
        target = trash.join(format!("{}-{number}", name.to_string_lossy()));
    }
    fs::rename(folder, &target).map_err(RunError::write(folder))?;
    Ok(target)
}

/// Moves a run from the trash back to where it was; what is there by now is left alone.
pub fn restore(trash: &Path, folder: &Path) -> Result<(), RunError> {
    if folder.exists() {
        let source = io::Error::from(io::ErrorKind::AlreadyExists);
        return Err(RunError::write(folder)(source));
    }
    fs::rename(trash, folder).map_err(RunError::write(trash))
}
