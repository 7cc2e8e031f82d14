//! The alarms of a run: written down as they come, and what their rules make of the run.

use super::{Advance, TrainingJob};
use crate::collapse::{AlarmChange, AlarmEvent, AlarmKind};
use crate::engine::EngineError;
use crate::engine::loaded::LoadedModels;
use crate::experiment::{AlarmRule, RATE_FACTOR, Steering};
use crate::runs::{Checkpoint, EventKind, Run, RunAlarms};
use crate::training::TrainingError;

/// The key of the monitor's memory among the text of a checkpoint.
pub(super) const MEMORY: &str = "alarms";
/// Share of the scheduled learning rate below which an alarm ends the run instead of rolling it back once more.
const SMALLEST_RATE: f64 = 1.0 / 8.0;

/// What an alarm's rule wants done before the next step.
pub(super) struct Demand {
    rule: AlarmRule,
    /// The alarm, in words.
    reason: String,
    /// Last finished step when it was raised.
    step: usize,
}

impl TrainingJob {
    /// Writes alarms into the log, and remembers what their rules ask for.
    pub(super) fn raise(&mut self, events: Vec<AlarmEvent>) -> Result<(), EngineError> {
        for event in events {
            self.writer.event(EventKind::from(&event), event.step, &event.reason)?;
            let settings = &self.experiment.alarms;
            let rule = match event.kind {
                AlarmKind::RepresentationCollapse => settings.on_collapse,
                AlarmKind::NotFinite => settings.on_not_finite,
                _ => AlarmRule::Continue,
            };
            if event.change == AlarmChange::Raised && rule != AlarmRule::Continue {
                self.demand = Some(Demand {
                    rule,
                    reason: format!("alarm: {}, {}", event.kind.label(), event.reason),
                    step: event.step,
                });
            }
        }
        Ok(())
    }

    /// Does what an alarm asked for: nothing when there was none.
    pub(super) fn obey(&mut self, models: &LoadedModels) -> Result<Option<Advance>, EngineError> {
        let Some(Demand { rule, reason, step }) = self.demand.take() else {
            return Ok(None);
        };
        if rule == AlarmRule::RollBack && self.back_with_half_the_rate(step, &reason, models)? {
            return Ok(Some(Advance::Step));
        }
        Ok(Some(Advance::Stopped(reason)))
    }

    /// Takes in a step that could not be taken because its numbers went wrong; fails with its error unless the run goes back.
    pub(super) fn diverged(&mut self, error: TrainingError, models: &LoadedModels) -> Result<(), EngineError> {
        let step = self.session.steps_done();
        let events = self.alarms.observe_not_finite(step, error.to_string());
        self.raise(events)?;
        // The same weights would give the same numbers at any rate, so a checkpoint of this step is no help.
        let back = match self.demand.take() {
            Some(demand) if demand.rule == AlarmRule::RollBack => {
                self.back_with_half_the_rate(step, &demand.reason, models)?
            }
            _ => false,
        };
        if back { Ok(()) } else { Err(error.into()) }
    }

    /// Goes on from the newest checkpoint of a step before `step`, with half the learning rate: with the same one, the same
    /// steps would come again. `false` when there is none, or when that was done too often.
    fn back_with_half_the_rate(
        &mut self,
        step: usize,
        reason: &str,
        models: &LoadedModels,
    ) -> Result<bool, EngineError> {
        self.settle(true)?;
        let run = Run::open(self.folder())?;
        let mut earlier = run
            .checkpoint_steps
            .iter()
            .rev()
            .copied()
            .filter(|earlier| *earlier < step);
        let Some(checkpoint) = earlier.find(|earlier| run.checkpoint(*earlier).is_ok()) else {
            return Ok(false);
        };
        let now = self.session.steps_done();
        let in_force = self.interventions.iter().filter(|(at, _)| *at <= now);
        let steering = Steering::new(&self.experiment, in_force.map(|(_, change)| change))?;
        let factor = steering.fields().into_iter().find(|(name, _)| name == RATE_FACTOR);
        let half = factor.map_or(1.0, |(_, factor)| factor) / 2.0;
        if half < SMALLEST_RATE {
            return Ok(false);
        }
        self.roll_back(checkpoint, reason, models)?;
        self.intervene(RATE_FACTOR, half)?;
        Ok(true)
    }

    /// Goes on with the alarms of a checkpoint that has been restored. The evaluation of its step comes behind it, so it is taken
    /// in here when it is there, and told where the log does not tell of it.
    pub(super) fn restore_alarms(&mut self, checkpoint: &Checkpoint) -> Result<(), EngineError> {
        // Checkpoints of earlier versions have none: the alarms begin anew.
        let memory = checkpoint.metadata.get(MEMORY);
        let memory = memory
            .and_then(|text| serde_json::from_str(text).ok())
            .unwrap_or_default();
        self.alarms = RunAlarms::new(&self.experiment.alarms, memory);
        self.demand = None;
        let run = Run::open(self.folder())?;
        let standing: Vec<AlarmKind> = run.standing_alarms().iter().map(|(kind, _)| *kind).collect();
        let evaluations = run.evaluations.iter().filter(|summary| summary.step == checkpoint.step);
        let mut events: Vec<AlarmEvent> = evaluations
            .flat_map(|summary| self.alarms.observe_evaluation(summary))
            .collect();
        events.retain(|event| standing.contains(&event.kind) == (event.change == AlarmChange::Cleared));
        self.raise(events)
    }
}
