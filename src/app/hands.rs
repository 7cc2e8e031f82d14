//! What a person can do to a run now, and to which step of it.

use super::fields;
use super::state::{AppState, OpenRun};
use crate::engine::WorkerState;
use crate::experiment::{Intervention, Steering};
use crate::runs::{EventKind, RunStatus, interventions, live_events};

/// The last thing done to a run in training that can be undone.
#[derive(Clone, Debug, PartialEq)]
pub enum Undoable {
    /// A change of a weight or of the rate, with the step that it was made at.
    Change(usize, Intervention),
    /// A roll-back to a step.
    RollBack(usize),
}

impl AppState {
    /// The run in training, once it has been read, and the steps that it has finished.
    pub fn in_training(&self) -> Option<(&OpenRun, usize)> {
        match &self.worker {
            WorkerState::Training { run, step, .. } => Some((self.open_runs.get(run)?, *step)),
            _ => None,
        }
    }

    /// The last thing done to the run in training that can be undone.
    pub fn undoable(&self) -> Option<Undoable> {
        let (open, now) = self.in_training()?;
        let done = live_events(&open.run().events)
            .into_iter()
            .rev()
            .filter(|event| event.step <= now);
        done.into_iter().find_map(|event| match event.kind {
            EventKind::Intervention => Some(Undoable::Change(event.step, event.intervention.clone()?)),
            EventKind::RollBack => Some(Undoable::RollBack(event.step)),
            _ => None,
        })
    }

    /// The checkpoints that the run in training can be rolled back to, newest first.
    pub fn roll_back_steps(&self) -> Vec<usize> {
        let Some((open, now)) = self.in_training() else {
            return Vec::new();
        };
        let steps = open.run().checkpoint_steps.iter().rev().copied();
        steps.filter(|step| *step < now).collect()
    }

    /// The checkpoints of the run in focus that a fork can begin with, newest first.
    pub fn fork_steps(&self) -> Vec<usize> {
        let Some(run) = self.focused().map(OpenRun::run) else {
            return Vec::new();
        };
        let steps = run.checkpoint_steps.iter().rev().copied();
        steps.filter(|step| *step < run.experiment.schedule.steps).collect()
    }
}

/// Whether a run with this status can be taken up again.
pub fn can_resume(status: &RunStatus) -> bool {
    matches!(
        status,
        RunStatus::Stopped | RunStatus::Failed(_) | RunStatus::Interrupted
    )
}

/// The weights and the rate's factor of a run behind a step, in the order of the form.
pub fn weights(open: &OpenRun, step: usize) -> Vec<(String, f64)> {
    let made = interventions(&open.run().events)
        .into_iter()
        .filter(|(at, _)| *at <= step);
    let made: Vec<Intervention> = made.map(|(_, change)| change).collect();
    let mut weights =
        Steering::new(&open.run().experiment, &made).map_or_else(|_| Vec::new(), |steering| steering.fields());
    let last = fields::all().count();
    weights.sort_by_key(|(name, _)| fields::all().position(|field| field.key == name).unwrap_or(last));
    weights
}
