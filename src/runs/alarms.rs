//! The monitor on the records of a run: what is written is what is watched.

use super::{EventKind, ProbeRecord, ScalarRecord};
use crate::collapse::{
    AlarmChange, AlarmEvent, Difference, Instruments, Judgement, Monitor, MonitorState, VectorsError, instruments,
};
use crate::corpus::Split;
use crate::evaluation::{Arm, EvaluationSummary, Interval};
use crate::experiment::AlarmSettings;

/// The alarms of one run.
#[derive(Clone, Debug)]
pub struct RunAlarms {
    monitor: Monitor,
    /// The encoder is frozen, so its vectors are measured once.
    encoder: Option<Instruments>,
}

impl RunAlarms {
    /// Alarms of a run that has written nothing, or of one that goes on from a checkpoint's [`Monitor::state`].
    pub fn new(settings: &AlarmSettings, state: MonitorState) -> Self {
        Self {
            monitor: Monitor::new(settings.clone(), state),
            encoder: None,
        }
    }

    /// The monitor behind them.
    pub fn monitor(&self) -> &Monitor {
        &self.monitor
    }

    /// Takes in a training step.
    pub fn observe_step(&mut self, record: &ScalarRecord) -> Vec<AlarmEvent> {
        self.monitor
            .observe_step(record.step, record.loss, &record.terms, record.gradient_norm)
    }

    /// Takes in a step that could not be taken because something is infinite or not a number.
    pub fn observe_not_finite(&mut self, step: usize, reason: String) -> Vec<AlarmEvent> {
        self.monitor.observe_not_finite(step, reason)
    }

    /// Takes in a probe; fails when its matrices have no two vectors.
    pub fn observe_probe(&mut self, probe: &ProbeRecord) -> Result<Vec<AlarmEvent>, VectorsError> {
        let projected = match probe.projected_vectors() {
            Ok(vectors) => instruments(&vectors),
            Err(error @ VectorsError::NotFinite { .. }) => {
                let reason = format!("projected probe: {error}");
                return Ok(self.monitor.observe_not_finite(probe.step, reason));
            }
            Err(error) => return Err(error),
        };
        let encoder = match self.encoder {
            Some(encoder) => encoder,
            None => *self.encoder.insert(instruments(&probe.encoder_vectors()?)),
        };
        let norms = probe.token_norm_quantiles.map(f64::from);
        Ok(self.monitor.observe_probe(probe.step, &encoder, &projected, norms))
    }

    /// Takes in an evaluation; only those on the validation split are judged.
    pub fn observe_evaluation(&mut self, summary: &EvaluationSummary) -> Vec<AlarmEvent> {
        if summary.split != Split::Validation {
            return Vec::new();
        }
        let difference = |interval: &Interval| Difference {
            mean: interval.mean,
            low: interval.low,
            high: interval.high,
        };
        let compressed = summary.arm(Arm::Compressed);
        let judgement = Judgement {
            cross_entropy: compressed.and_then(|arm| Some(arm.scores.get("cross_entropy")?.mean)),
            gain: compressed.and_then(|arm| arm.difference.get("cross_entropy").map(difference)),
            content: summary.content.get("cross_entropy").map(difference),
        };
        self.monitor.observe_evaluation(summary.step, &judgement)
    }
}

impl From<&AlarmEvent> for EventKind {
    fn from(event: &AlarmEvent) -> Self {
        match event.change {
            AlarmChange::Raised => Self::AlarmRaised(event.kind),
            AlarmChange::Cleared => Self::AlarmCleared(event.kind),
        }
    }
}
