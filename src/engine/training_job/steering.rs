//! Hands on a run: other weights or another rate from the next step on, and back to an earlier checkpoint.

use super::TrainingJob;
use crate::corpus::Split;
use crate::engine::EngineError;
use crate::engine::loaded::LoadedModels;
use crate::experiment::Steering;
use crate::runs::{Run, interventions};

impl TrainingJob {
    /// Changes a weight or the learning rate's factor from the next step on. The log is what a resumed run follows, so it comes first.
    pub fn intervene(&mut self, field: &str, value: f64) -> Result<(), EngineError> {
        let step = self.session.steps_done();
        let made = self.interventions.iter().filter(|(at, _)| *at <= step);
        let change = Steering::new(&self.experiment, made.map(|(_, change)| change))?.set(field, value)?;
        if change.value == change.before {
            return Ok(());
        }
        let change = self.writer.intervention(step, &change)?;
        self.interventions.retain(|(at, _)| *at <= step);
        self.interventions.push((step, change));
        self.in_force = None;
        Ok(())
    }

    /// Gives the session the weights and the rate of its next step.
    pub(super) fn steer(&mut self) -> Result<(), EngineError> {
        let step = self.session.steps_done();
        let in_force = self.interventions.iter().filter(|(at, _)| *at <= step);
        let count = in_force.clone().count();
        if self.in_force != Some(count) {
            let steering = Steering::new(&self.experiment, in_force.map(|(_, change)| change))?;
            self.session.steer(steering.experiment());
            self.in_force = Some(count);
        }
        Ok(())
    }

    /// Goes on from the checkpoint of an earlier step, as if the run had just written it. What came behind it is kept in
    /// `abandoned/`, with a checkpoint of the last step there.
    pub fn roll_back(&mut self, step: usize, reason: &str, models: &LoadedModels) -> Result<(), EngineError> {
        self.keep_last_step()?;
        Run::open(self.folder())?.checkpoint(step)?;
        self.writer.roll_back(step, reason)?;
        self.go_on_from(step, models)
    }

    /// Goes back to where the run stood before its last roll-back; what came since is kept in its turn.
    pub fn undo_roll_back(&mut self, models: &LoadedModels) -> Result<(), EngineError> {
        self.keep_last_step()?;
        let step = self.writer.undo_roll_back()?;
        self.go_on_from(step, models)
    }

    /// Has a checkpoint of this step on disk. Nothing is pruned: the one that is asked for may be the oldest.
    fn keep_last_step(&mut self) -> Result<(), EngineError> {
        match self.checkpoint("before a roll-back") {
            Err(EngineError::Training(error)) if error.is_divergence() => {}
            begun => begun?,
        }
        self.writer.settle(true)?;
        Ok(())
    }

    /// Takes everything from the checkpoint of a step, and the changes in force from the log.
    fn go_on_from(&mut self, step: usize, models: &LoadedModels) -> Result<(), EngineError> {
        let run = Run::open(self.folder())?;
        let checkpoint = run.checkpoint(step)?;
        self.restore(&checkpoint, &models.device)?;
        self.restore_alarms(&checkpoint)?;
        self.interventions = interventions(&run.events);
        self.evaluate_if_missing(&run, models)
    }

    /// Makes the evaluation of this step if it is due and was never finished.
    pub(super) fn evaluate_if_missing(&mut self, run: &Run, models: &LoadedModels) -> Result<(), EngineError> {
        let step = self.session.steps_done();
        let mut made = run.evaluations.iter().filter(|one| one.split == Split::Validation);
        if self.evaluation_due() && !made.any(|one| one.step == step) {
            self.begin_evaluation(models)?;
        }
        Ok(())
    }
}
