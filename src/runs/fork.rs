//! A run that begins with a checkpoint of another one.

use std::fs;
use std::path::{Path, PathBuf};

use super::{EventKind, Manifest, Parent, Run, RunError, RunWriter, layout};
use crate::experiment::Experiment;

/// Makes a run folder in `runs_dir` that holds `parent`'s lines and files up to a step, and its checkpoint of that step. Nothing is
/// left behind when this fails.
pub fn fork(runs_dir: &Path, parent: &Run, step: usize, experiment: &Experiment) -> Result<PathBuf, RunError> {
    // Read whole first: a run cannot begin with a damaged checkpoint.
    parent.checkpoint(step)?;
    let name = parent
        .folder
        .file_name()
        .unwrap_or_default()
        .to_string_lossy()
        .into_owned();
    let manifest = Manifest {
        started: jiff::Timestamp::now().to_string(),
        parent: Some(Parent {
            run: name.clone(),
            step,
        }),
        ..parent.manifest.clone()
    };
    let mut writer = RunWriter::create(runs_dir, experiment, &manifest)?;
    let folder = writer.folder().to_owned();
    let filled = copy(&parent.folder, &folder, step)
        .and_then(|()| writer.drop_behind(step))
        .and_then(|()| writer.event(EventKind::Start, step, &format!("forked from {name} at step {step}")));
    drop(writer);
    match filled {
        Ok(()) => Ok(folder),
        Err(error) => {
            fs::remove_dir_all(&folder).ok();
            Err(error)
        }
    }
}

/// Copies what tells of the steps up to `step`; of checkpoints only that of `step`.
fn copy(from: &Path, to: &Path, step: usize) -> Result<(), RunError> {
    let mut files = vec![layout::checkpoint(from, step), from.join(layout::SCALARS)];
    for inner in [layout::PROBES, layout::EVALUATIONS] {
        let names = layout::entries(&from.join(inner)).map(|entry| entry.path());
        files.extend(names.filter(|path| {
            let name = path.file_name().unwrap_or_default();
            !layout::is_temporary(name) && layout::step_of(name).is_none_or(|of| of <= step)
        }));
    }
    for file in files {
        let target = to.join(file.strip_prefix(from).unwrap_or(&file));
        fs::copy(&file, &target).map_err(RunError::write(&target))?;
    }
    Ok(())
}
