//! The frozen code LM, fed with token embeddings and soft tokens.
//!
//! Two implementations of one trait: [`CpuReader`], outside autograd, with hand-written backward passes towards the
//! input embeddings only; and [`ComposedReader`], plain candle operations under autograd, for CUDA and Metal and as the
//! second way of computing in tests.

mod composed;
mod config;
mod cpu;
mod generation;
mod weights;

use std::path::Path;

use candle_core::Device;

pub use composed::ComposedReader;
pub use config::ReaderConfig;
pub use cpu::CpuReader;
pub use generation::{Generation, generate, target_log_probabilities};
pub use weights::ReaderWeights;

use super::ModelError;

/// What stands at one position of the reader's input.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Slot {
    /// A token of the vocabulary.
    Token(u32),
    /// A row of the soft-token matrix that goes with the input.
    Soft(usize),
}

/// An input with the tokens that it is to predict.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Sequence {
    /// The input, prompt and all target tokens but the last.
    pub slots: Vec<Slot>,
    /// `(position, token)`: the logits at `position` are to predict `token`; positions ascend.
    pub predictions: Vec<(usize, u32)>,
}

/// Loss of a batch and its gradient.
#[derive(Clone, Debug)]
pub struct LossAndGradient {
    /// Mean cross-entropy over all predictions of the batch, nats.
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
pub trait Reader: Send {
    /// Shape and constants.
    fn config(&self) -> &ReaderConfig;

    /// The token-embedding table, `[vocab, hidden]`.
    fn embedding_table(&self) -> Result<Vec<f32>, ModelError>;

    /// Mean cross-entropy of a batch and its gradient towards the soft tokens, `soft` being `[rows, hidden]`.
    fn loss_and_gradient(&self, batch: &[Sequence], soft: &[f32]) -> Result<LossAndGradient, ModelError>;

    /// An empty KV cache to feed.
    fn session(&self) -> Box<dyn Session + '_>;
}

/// An inference in progress: a KV cache that grows with what is fed.
pub trait Session {
    /// Feeds positions behind those already there, and returns the output at the last `outputs` of them.
    fn feed(&mut self, slots: &[Slot], soft: &[f32], outputs: usize) -> Result<Output, ModelError>;

    /// Positions in the cache.
    fn position(&self) -> usize;

    /// Forgets all positions from `length` on.
    fn truncate(&mut self, length: usize) -> Result<(), ModelError>;
}

/// Loads a reader for a device: a `.gguf` file, or a folder with `config.json` and safetensors.
pub fn load(path: &Path, device: &Device) -> Result<Box<dyn Reader>, ModelError> {
    let weights = ReaderWeights::load(path)?;
    if device.is_cpu() {
        Ok(Box::new(CpuReader::new(weights)?))
    } else {
        Ok(Box::new(ComposedReader::new(weights, device)?))
    }
}

/// Checks that every slot names a token and a soft row that exist.
fn check_slots(slots: &[Slot], soft: &[f32], config: &ReaderConfig) -> Result<(), ModelError> {
    let rows = soft.len() / config.hidden;
    for (position, slot) in slots.iter().enumerate() {
        match *slot {
            Slot::Token(id) if id as usize >= config.vocab_size => {
                return Err(ModelError::Prompt(format!(
                    "token {id} at position {position} is outside the vocabulary of {}",
                    config.vocab_size
                )));
            }
            Slot::Soft(row) if row >= rows => {
                return Err(ModelError::Prompt(format!(
                    "soft token {row} at position {position} has no vector ({rows} are there)"
                )));
            }
            _ => {}
        }
    }
    Ok(())
}

/// Checks that predictions ascend, stay inside their input and name tokens of the vocabulary.
fn check_predictions(sequence: &Sequence, config: &ReaderConfig) -> Result<(), ModelError> {
    let ascending = sequence.predictions.windows(2).all(|pair| pair[0].0 < pair[1].0);
    let inside = sequence
        .predictions
        .iter()
        .all(|&(position, token)| position < sequence.slots.len() && (token as usize) < config.vocab_size);
    if ascending && inside {
        Ok(())
    } else {
        Err(ModelError::Prompt(
            "its predictions do not ascend inside the input, or name tokens outside the vocabulary".into(),
        ))
    }
}
