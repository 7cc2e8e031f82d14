//! What the monitor remembers between observations; it goes into checkpoints.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::alarm::{AlarmKind, Gate};

/// What the monitor remembers.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct MonitorState {
    pub(super) gates: BTreeMap<AlarmKind, Gate>,
    /// Entropy at the first probes.
    pub(super) entropy: Mean,
    /// Gradient norm of the first steps.
    pub(super) gradient: Mean,
    /// Training cross-entropy since the last evaluation.
    pub(super) training: Mean,
    pub(super) best: Option<Best>,
}

/// A running mean.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
pub(super) struct Mean {
    count: usize,
    sum: f64,
}

impl Mean {
    pub fn add(&mut self, value: f64) {
        self.count += 1;
        self.sum += value;
    }

    pub fn value(self) -> Option<f64> {
        (self.count > 0).then(|| self.sum / self.count as f64)
    }

    /// The mean of the first `count` values, once that many have come; until then it takes `value` in.
    pub fn baseline(&mut self, value: f64, count: usize) -> Option<f64> {
        if self.count < count {
            self.add(value);
            return None;
        }
        self.value()
    }
}

/// The evaluation with the lowest validation cross-entropy so far.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub(super) struct Best {
    pub step: usize,
    pub validation: f64,
    /// Mean training cross-entropy of the steps before it.
    pub training: f64,
}
