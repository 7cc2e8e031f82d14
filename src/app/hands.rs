//! What a person can do to a run now, and to which step of it.

use std::path::PathBuf;

use super::execute::EngineHandle;
use super::fields;
use super::state::{AppState, OpenRun};
use crate::engine::{Command, Severity, WorkerState};
use crate::experiment::{Intervention, Steering};
use crate::runs::{EventRecord, Hands, RunStatus, hands, interventions};

impl AppState {
    /// The run in training, once it has been read, and the steps that it has finished.
    pub fn in_training(&self) -> Option<(&OpenRun, usize)> {
        match &self.worker {
            WorkerState::Training { run, step, .. } => Some((self.open_runs.get(run)?, *step)),
            _ => None,
        }
    }

    /// What was done to the run in training up to now, and what of it was undone, as its log tells; nothing without such a run.
    pub fn hands(&self) -> Hands<'_> {
        let Some((open, now)) = self.in_training() else {
            return Hands::default();
        };
        let mut hands = hands(&open.run().events);
        hands.done.retain(|event| event.step <= now);
        hands.undone.retain(|(event, _)| event.step <= now);
        hands
    }

    /// Asks the engine to undo what was done to the run in training last, or to do again what was undone last. The run's log says
    /// when it is done; until then nothing more is asked for.
    pub(super) fn ask_hand(&mut self, again: bool, engine: &dyn EngineHandle) {
        let hands = self.hands();
        let hand = match again {
            true => hands.undone.last().map(|(event, _)| *event),
            false => hands.done.last().copied(),
        };
        let (Some(hand), Some(logged)) = (hand, self.logged()) else {
            return;
        };
        if self.hand_asked.as_ref() == Some(&logged) {
            self.tell(
                Severity::Info,
                "the last change is being undone or done again".into(),
                None,
            );
            return;
        }
        let word = if again { "done again" } else { "undone" };
        let text = format!("{word}: {}", hand_text(hand));
        let command = match hand.intervention.clone() {
            Some(Intervention { field, value, before }) => Command::Intervene {
                field,
                value: if again { value } else { before },
            },
            // Done again it is a return as well: both ways exchange the two branches.
            None => Command::UndoRollBack,
        };
        engine.send(command);
        self.hand_asked = Some(logged);
        self.history.close();
        self.tell(Severity::Info, text, None);
    }

    /// The run in training, and the lines of its log.
    fn logged(&self) -> Option<(PathBuf, usize)> {
        let run = self.in_training()?.0.run();
        Some((run.folder.clone(), run.events.len()))
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

/// What was done to a run in training, in words.
pub fn hand_text(hand: &EventRecord) -> String {
    match &hand.intervention {
        Some(Intervention { field, value, before }) => format!("{field}: {before} → {value}"),
        None => format!("roll-back to step {}", hand.step),
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
