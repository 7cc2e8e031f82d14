//! Losses on logits: what training asks of a reader.

/// A loss on rows of logits, and its gradient there. Cross-entropy is one; rewards and divergences are others.
pub trait LogitLoss: Send {
    /// The loss of one prediction, which is added to the others; `logits`, `[vocab]`, are replaced by its gradient.
    ///
    /// `sequence` and `prediction` say which of the batch it is; they come in order.
    fn row(&mut self, sequence: usize, prediction: usize, token: u32, logits: &mut [f32]) -> f64;
}

/// Mean cross-entropy over the predictions of a batch, nats.
pub struct CrossEntropy {
    scale: f64,
}

impl CrossEntropy {
    /// The mean over `predictions` predictions.
    pub fn mean_of(predictions: usize) -> Self {
        Self {
            scale: 1.0 / predictions.max(1) as f64,
        }
    }
}

impl LogitLoss for CrossEntropy {
    fn row(&mut self, _: usize, _: usize, token: u32, logits: &mut [f32]) -> f64 {
        let logit = logits.get(token as usize).copied().unwrap_or(f32::NEG_INFINITY);
        let loss = f64::from(softmax(logits)) - f64::from(logit);
        cross_entropy_gradient(logits, token, self.scale);
        loss * self.scale
    }
}

/// Replaces probabilities `[vocab]` by the gradient of `scale` times the cross-entropy of a token with respect to its logits.
pub fn cross_entropy_gradient(probabilities: &mut [f32], token: u32, scale: f64) {
    if let Some(value) = probabilities.get_mut(token as usize) {
        *value -= 1.0;
    }
    let scale = scale as f32;
    for value in probabilities {
        *value *= scale;
    }
}

/// Softmax of a row in place; returns the logarithm of the sum of its exponentials.
pub fn softmax(row: &mut [f32]) -> f32 {
    let seen = row.len();
    super::cpu::softmax_row(row, seen)
}

/// `log softmax(row)[index]`, the sum in f64.
pub fn log_softmax_at(row: &[f32], index: usize) -> f32 {
    let max = row.iter().copied().fold(f32::NEG_INFINITY, f32::max);
    let sum: f64 = row.iter().map(|&value| f64::from(value - max).exp()).sum();
    row.get(index)
        .map_or(f32::NEG_INFINITY, |&value| value - max - sum.ln() as f32)
}
