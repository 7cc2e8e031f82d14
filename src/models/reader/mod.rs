//! The frozen code LM, fed with token embeddings and soft tokens.
//!
//! Two implementations of one trait: [`CpuReader`], outside autograd, with hand-written backward passes towards the
//! input embeddings only; and [`ComposedReader`], plain candle operations under autograd, for CUDA and Metal and as the
//! second way of computing in tests.

mod composed;
mod config;
mod cpu;
mod generation;
mod input;
mod loss;
mod packed;
mod weights;

use std::path::Path;

use candle_core::Device;

pub use composed::ComposedReader;
pub use config::ReaderConfig;
pub use cpu::CpuReader;
pub use generation::{
    Choice, Generation, Greedy, Sampled, generate, generate_timed, generate_together, generate_while,
    target_log_probabilities, target_logits,
};
pub use input::{Feed, Prediction, Prompt, Sequence, Slot};
pub use loss::{CrossEntropy, LogitLoss, cross_entropy_gradient, log_softmax_at, softmax};
pub use weights::ReaderWeights;

use super::ModelError;

/// Loss of a batch and its gradient.
#[derive(Clone, Debug)]
pub struct LossAndGradient {
    /// Sum of the losses of all predictions.
    pub loss: f64,
    /// Its gradient with respect to the soft-token matrix, `[rows, hidden]`.
    pub gradient: Vec<f32>,
}

/// Output at the last positions of an input.
#[derive(Clone, Debug)]
pub struct Output {
    /// Last hidden state behind the last norm, `[positions, hidden]`.
    pub hidden: Vec<f32>,
    /// Logits, `[positions, vocab]`.
    pub logits: Vec<f32>,
}

/// A frozen decoder.
pub trait Reader: Send + Sync {
    /// Shape and constants.
    fn config(&self) -> &ReaderConfig;

    /// Token embeddings, `[ids, hidden]`.
    fn embeddings(&self, ids: &[u32]) -> Result<Vec<f32>, ModelError>;

    /// The token-embedding table, `[vocab, hidden]`.
    fn embedding_table(&self) -> Result<Vec<f32>, ModelError> {
        let all: Vec<u32> = (0..self.config().vocab_size as u32).collect();
        self.embeddings(&all)
    }

    /// Last hidden states behind the last norm of some texts, each on its own: `[tokens, hidden]` a text. No text may be empty.
    fn hidden_states(&self, texts: &[&[u32]]) -> Result<Vec<Vec<f32>>, ModelError>;

    /// A loss on the logits of a batch and its gradient towards the soft tokens, `soft` being `[rows, hidden]`.
    fn backward(
        &self,
        batch: &[Sequence],
        soft: &[f32],
        loss: &mut dyn LogitLoss,
    ) -> Result<LossAndGradient, ModelError>;

    /// Mean cross-entropy of a batch and its gradient towards the soft tokens.
    fn loss_and_gradient(&self, batch: &[Sequence], soft: &[f32]) -> Result<LossAndGradient, ModelError> {
        let predictions = batch.iter().map(|sequence| sequence.predictions.len()).sum();
        self.backward(batch, soft, &mut CrossEntropy::mean_of(predictions))
    }

    /// Empty KV caches to feed, one for each of `members` inputs that are computed together.
    fn session(&self, members: usize) -> Box<dyn Session + '_>;

    /// Keeps contexts that stand apart in a folder as well, where later runs find them; rounded to f16 from here on.
    fn keep_contexts_in(&mut self, folder: &Path);
}

/// An inference in progress: KV caches that grow with what is fed.
pub trait Session {
    /// Feeds positions behind those already there, several members at once, and returns an output for each feed.
    /// A member may stand in `feeds` once.
    fn feed(&mut self, feeds: &[Feed<'_>], soft: &[f32]) -> Result<Vec<Output>, ModelError>;

    /// From here on, a context that stands apart may be computed behind the longest beginning of it that is kept: right up to
    /// rounding, and far less work after a key stroke.
    fn reuse_beginnings(&mut self) {}

    /// Positions that a member holds.
    fn position(&self, member: usize) -> usize;

    /// Forgets all positions of a member from `length` on.
    fn truncate(&mut self, member: usize, length: usize) -> Result<(), ModelError>;

    /// Makes member `to` hold what member `from` holds: rollouts share the pass over their prompt.
    fn copy(&mut self, from: usize, to: usize) -> Result<(), ModelError>;
}

/// Loads a reader for a device: a `.gguf` file, or a folder with `config.json` and safetensors.
pub fn load(path: &Path, device: &Device) -> Result<Box<dyn Reader>, ModelError> {
    on_device(ReaderWeights::load(path)?, device)
}

/// Loads the same for [`Reader::hidden_states`] alone.
pub fn load_to_encode(path: &Path, device: &Device) -> Result<Box<dyn Reader>, ModelError> {
    on_device(ReaderWeights::load(path)?.unpacked(), device)
}

fn on_device(weights: ReaderWeights, device: &Device) -> Result<Box<dyn Reader>, ModelError> {
    if device.is_cpu() {
        Ok(Box::new(CpuReader::new(weights)?))
    } else {
        Ok(Box::new(ComposedReader::new(weights, device)?))
    }
}
