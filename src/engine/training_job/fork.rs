//! A fork: a new run that begins with a checkpoint of another one, under other weights or another schedule.

use std::path::PathBuf;

use crate::engine::{EngineError, EngineSettings, ForkRequest};
use crate::experiment::{Experiment, FieldError, Steering};
use crate::runs::{self, Run, interventions};

/// Groups of fields that may not differ from the parent's: they say what was learned from and what learned, not how to go on.
const FIXED: [&str; 7] = ["seed", "data", "retrieval", "encoder", "reader", "projector", "prompt"];

/// Makes the folder of a fork, ready to be resumed, and returns it.
pub fn fork(request: &ForkRequest, settings: &EngineSettings) -> Result<PathBuf, EngineError> {
    let parent = Run::open(&request.run)?;
    let step = match request.step {
        Some(step) => step,
        None => {
            let newest = parent.newest_checkpoint().0.map(|checkpoint| checkpoint.step);
            newest.ok_or_else(|| EngineError::NoCheckpoint {
                folder: request.run.clone(),
                step: None,
            })?
        }
    };
    let experiment = changed(&parent, step, &request.changes)?;
    Ok(runs::fork(&settings.runs_dir, &parent, step, &experiment)?)
}

/// The parent's experiment with the weights and the rate that it had at a step, and these changes.
fn changed(parent: &Run, step: usize, changes: &[String]) -> Result<Experiment, EngineError> {
    let made = interventions(&parent.events);
    let in_force = made.iter().filter(|(at, _)| *at < step).map(|(_, change)| change);
    let mut experiment = Steering::new(&parent.experiment, in_force)?.experiment();
    experiment.name = fork_name(&experiment.name);
    let before = experiment.clone();
    for change in changes {
        experiment.set(change)?;
    }
    experiment.validate()?;
    if let Some(field) = fixed_difference(&before, &experiment) {
        return Err(EngineError::Fork { field });
    }
    if experiment.schedule.steps <= step {
        return Err(EngineError::Field(FieldError {
            field: "schedule.steps",
            value: experiment.schedule.steps.to_string(),
            allowed: "above the step that is forked from",
        }));
    }
    Ok(experiment)
}

/// `name-fork`, within the length that a name may have.
fn fork_name(parent: &str) -> String {
    let parent = parent.strip_suffix("-fork").unwrap_or(parent);
    format!("{}-fork", parent.get(..55).unwrap_or(parent))
}

/// The first group that differs and may not.
fn fixed_difference(one: &Experiment, other: &Experiment) -> Option<String> {
    let table = |experiment| toml::Table::try_from(experiment).unwrap_or_default();
    let other = table(other);
    let mut groups = table(one).into_iter();
    groups
        .find(|(key, value)| FIXED.contains(&key.as_str()) && other.get(key) != Some(value))
        .map(|(key, _)| key)
}
