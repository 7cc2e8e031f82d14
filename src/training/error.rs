//! Why a training step cannot be taken.

use crate::models::ModelError;
use crate::projector::ProjectorError;

/// What is wrong with a gradient.
#[derive(Clone, Copy, Debug, PartialEq, Eq, strum::Display)]
pub enum GradientFault {
    /// The loss does not depend on the tensor: an operation without gradient lies between them.
    #[strum(serialize = "missing")]
    Missing,
    /// All its numbers are zero.
    #[strum(serialize = "zero")]
    Zero,
    /// It holds infinity or not-a-number.
    #[strum(serialize = "not finite")]
    NotFinite,
}

/// Why a training step cannot be taken.
#[derive(Debug, thiserror::Error)]
pub enum TrainingError {
    /// A trained tensor that the loss does not reach would stay as it is, and nobody would notice.
    #[error(
        "the gradient of {tensor} is {kind}: {}",
        match kind {
            GradientFault::NotFinite => "lower schedule.learning_rate or schedule.clip",
            _ => "no loss with a weight above zero reaches it",
        }
    )]
    NoGradient {
        /// Name of the trained tensor.
        tensor: String,
        /// What is wrong with its gradient.
        kind: GradientFault,
    },
    /// A loss has no number, so that nothing can be learned from it.
    #[error(
        "the loss {term} is {value}, at a step that was not taken: lower schedule.learning_rate or schedule.clip, and go on from \
         an earlier checkpoint"
    )]
    NotFinite {
        /// Name of the term.
        term: String,
        /// Infinity or not-a-number.
        value: f64,
    },
    /// The projector or the optimiser has left the numbers.
    #[error(
        "{tensor} is not finite any more; go on from an earlier checkpoint, with a lower schedule.learning_rate or schedule.clip"
    )]
    Diverged {
        /// Name of the tensor.
        tensor: String,
    },
    /// A checkpoint's optimiser state does not fit the projector.
    #[error(
        "the checkpoint's optimiser state has no tensor {tensor} of shape {expected:?}: resume with the run's own projector"
    )]
    State {
        /// Name of the tensor.
        tensor: String,
        /// The shape that it must have.
        expected: Vec<usize>,
    },
    /// There is nothing to learn from.
    #[error("there is no training sample; draw more, or turn data.only_hits off")]
    NoSamples,
    /// No term of the objective has a weight above zero for this batch.
    #[error("no loss has a weight above zero for a batch of one vector; raise schedule.batch or retrieval.k")]
    NothingToMinimise,
    /// The reader cannot read the batch.
    #[error(transparent)]
    Reader(#[from] ModelError),
    /// The projector cannot be made.
    #[error(transparent)]
    Projector(#[from] ProjectorError),
    /// The device could not compute, mostly for want of memory.
    #[error("the device failed: {0}")]
    Compute(#[from] candle_core::Error),
}

impl TrainingError {
    /// The numbers went wrong, and so may what the steps before this one learned.
    pub fn is_divergence(&self) -> bool {
        let not_finite = |kind: &GradientFault| *kind == GradientFault::NotFinite;
        matches!(self, Self::NotFinite { .. } | Self::Diverged { .. })
            || matches!(self, Self::NoGradient { kind, .. } if not_finite(kind))
    }
}
