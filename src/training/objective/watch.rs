//! How the reader's prediction changes on a few samples that stay the same: its entropy, and its divergence from what it
//! predicted with the untrained projector's soft tokens.

use candle_core::Tensor;

use crate::models::ModelError;
use crate::models::reader::{Reader, target_logits};
use crate::prompt::{PreparedSample, PromptBuilder};

use super::logits::LogProbabilities;

/// Target tokens watched in each sample: the untrained predictions there are kept whole.
const TOKENS: usize = 16;

/// What was measured; both are means over the watched target tokens, in nats.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct WatchedPrediction {
    /// Entropy.
    pub entropy: f64,
    /// KL(now ‖ untrained), over the whole vocabulary.
    pub kl_untrained: f64,
}

/// The watched samples.
pub struct PolicyWatch {
    samples: Vec<PreparedSample>,
    /// Soft tokens that a chunk becomes.
    tokens_per_chunk: usize,
    encoded: Tensor,
    untrained: Vec<f32>,
    /// Log-probabilities with the untrained soft tokens, a row `[vocab]` for each watched token; none before the first measurement.
    reference: Option<Vec<Vec<f32>>>,
}

impl PolicyWatch {
    /// Of samples whose chunks become `tokens_per_chunk` soft tokens each, with the encoder vectors of their chunks, `[rows, encoder width]`, and the untrained projector's soft tokens of
    /// these, `[rows, hidden]`.
    pub fn new(samples: Vec<PreparedSample>, tokens_per_chunk: usize, encoded: Tensor, untrained: Vec<f32>) -> Self {
        Self {
            samples,
            tokens_per_chunk,
            encoded,
            untrained,
            reference: None,
        }
    }

    /// Encoder vectors of the samples' chunks.
    pub fn encoded(&self) -> &Tensor {
        &self.encoded
    }

    /// Measures the prediction with the soft tokens `soft`, `[rows, hidden]`.
    pub fn measure(
        &mut self,
        reader: &dyn Reader,
        prompts: &PromptBuilder<'_>,
        soft: &[f32],
    ) -> Result<WatchedPrediction, ModelError> {
        let reference = match self.reference.take() {
            Some(reference) => reference,
            None => self.predictions(reader, prompts, &self.untrained)?,
        };
        let now = self.predictions(reader, prompts, soft)?;
        let (mut entropy, mut divergence) = (0.0, 0.0);
        for (now, before) in now.iter().zip(&reference) {
            for (&now, &before) in now.iter().zip(before) {
                let probability = f64::from(now).exp();
                entropy -= probability * f64::from(now);
                divergence += probability * f64::from(now - before);
            }
        }
        let rows = now.len().max(1) as f64;
        self.reference = Some(reference);
        Ok(WatchedPrediction {
            entropy: entropy / rows,
            kl_untrained: divergence / rows,
        })
    }

    /// Log-probabilities at every watched token of every sample.
    fn predictions(
        &self,
        reader: &dyn Reader,
        prompts: &PromptBuilder<'_>,
        soft: &[f32],
    ) -> Result<Vec<Vec<f32>>, ModelError> {
        let (mut rows, mut first) = (Vec::new(), 0);
        for sample in &self.samples {
            let count = sample.chunks.len() * self.tokens_per_chunk;
            let prompt = prompts.compressed(sample, first, count);
            first += count;
            let target = sample.target.get(..TOKENS).unwrap_or(&sample.target);
            let logits = target_logits(reader.session(1).as_mut(), 0, &prompt, soft, target)?;
            for row in logits.chunks_exact(reader.config().vocab_size) {
                let normal = LogProbabilities::of(row);
                let tokens = 0..row.len() as u32;
                rows.push(tokens.map(|token| normal.of_token(row, token) as f32).collect());
            }
        }
        Ok(rows)
    }
}
