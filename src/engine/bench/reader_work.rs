//! Training steps, prefills and decodings of the shapes that the peers are timed on, with random tokens.

use std::time::{Duration, Instant};

use rand::{Rng as _, SeedableRng as _};
use rand_chacha::ChaCha8Rng;

use crate::corpus::CompletionSample;
use crate::experiment::{PromptLayout, PromptSettings, Retrieval};
use crate::models::ModelError;
use crate::models::reader::{Generation, Greedy, Prompt, Reader, Sequence, Slot, generate_together};
use crate::models::tokenizer::TextTokenizer;
use crate::prompt::{PreparedSample, PromptBuilder, continued};

/// Soft tokens in front of a training sample.
const SOFT: usize = 10;
/// Tokens of left context of a training sample.
const LEFT: usize = 180;
/// Target tokens of a training sample.
const TARGET: usize = 16;
/// Samples of a training step.
const BATCH: usize = 8;
/// Tokens in the cache before decoding begins.
const CONTEXT: usize = 190;
/// Tokens decoded.
const NEW: usize = 64;

/// Ids below stand for special tokens, those from the end on are rare.
const IDS: std::ops::Range<u32> = 5..40_000;

/// Half the width of the range of the soft tokens: their spread is about that of token embeddings.
const SPREAD: f32 = 0.17;

/// What a reader is given to do.
#[derive(Clone, Copy, Debug)]
pub(super) enum Shape {
    /// Loss and gradient of a batch.
    Step(PromptLayout),
    /// A prompt of this many tokens.
    Prefill(usize),
    /// Tokens behind this many prompts, decoded together.
    Decode(usize),
}

/// A reader and what it is fed.
pub(super) struct ReaderWork {
    reader: Box<dyn Reader>,
    input: Input,
}

enum Input {
    Step { batch: Vec<Sequence>, soft: Vec<f32> },
    Prefill(Prompt),
    Decode(Vec<Prompt>),
}

impl ReaderWork {
    /// Draws an input of this shape, the same every time.
    pub fn new(shape: Shape, reader: Box<dyn Reader>, tokenizer: &TextTokenizer) -> Result<Self, ModelError> {
        let mut random = ChaCha8Rng::seed_from_u64(0);
        let highest = IDS.end.min(reader.config().vocab_size as u32).max(IDS.start + 1);
        let mut ids =
            |count: usize| -> Vec<u32> { (0..count).map(|_| random.random_range(IDS.start..highest)).collect() };
        let input = match shape {
            Shape::Prefill(length) => Input::Prefill(prompt(&ids(length))),
            Shape::Decode(members) => Input::Decode((0..members).map(|_| prompt(&ids(CONTEXT))).collect()),
            Shape::Step(layout) => {
                let settings = PromptSettings {
                    layout,
                    before: String::new(),
                    after: String::new(),
                    ..PromptSettings::default()
                };
                let prompts = PromptBuilder::new(tokenizer, &settings, &Retrieval::default())?;
                let samples: Vec<PreparedSample> = (0..BATCH).map(|_| sample(ids(LEFT), ids(TARGET))).collect();
                let sequence = |(index, sample): (usize, &PreparedSample)| {
                    continued(&prompts.compressed(sample, index * SOFT, SOFT), &[&sample.target])
                };
                let width = reader.config().hidden;
                Input::Step {
                    batch: samples.iter().enumerate().map(sequence).collect(),
                    soft: (0..BATCH * SOFT * width)
                        .map(|_| random.random_range(-SPREAD..SPREAD))
                        .collect(),
                }
            }
        };
        Ok(Self { reader, input })
    }

    /// Does it once: tokens that count, and the time that they took.
    pub fn repeat(&self) -> Result<(usize, Duration), ModelError> {
        match &self.input {
            Input::Step { batch, soft } => {
                let start = Instant::now();
                self.reader.loss_and_gradient(batch, soft)?;
                Ok((BATCH * (SOFT + LEFT + TARGET), start.elapsed()))
            }
            Input::Prefill(prompt) => {
                let generations = self.generate(&[prompt], 1)?;
                let first = generations.iter().map(|one| one.first_token).max();
                Ok((prompt.slots.len(), first.unwrap_or_default()))
            }
            Input::Decode(prompts) => {
                let prompts: Vec<&Prompt> = prompts.iter().collect();
                // The first tokens come from the prefill, which is not counted.
                let generations = self.generate(&prompts, NEW + 1)?;
                let first = generations.iter().map(|one| one.first_token).max();
                let end = generations.iter().map(|one| one.total).max();
                let elapsed = end.unwrap_or_default().saturating_sub(first.unwrap_or_default());
                Ok((NEW * prompts.len(), elapsed))
            }
        }
    }

    /// Decodes behind prompts together, by the engine's own means.
    fn generate(&self, prompts: &[&Prompt], longest: usize) -> Result<Vec<Generation>, ModelError> {
        let mut session = self.reader.session(prompts.len());
        generate_together(session.as_mut(), prompts, 1, &[], longest, &mut Greedy, &|_, _| false)
    }
}

fn prompt(ids: &[u32]) -> Prompt {
    Prompt {
        slots: ids.iter().map(|&id| Slot::Token(id)).collect(),
        apart: None,
    }
}

/// A sample that has tokens and no text.
fn sample(left: Vec<u32>, target: Vec<u32>) -> PreparedSample {
    let sample = CompletionSample {
        id: String::new(),
        repository: String::new(),
        path: String::new(),
        line: 1,
        left: String::new(),
        right: String::new(),
        target: String::new(),
        identifier: None,
    };
    PreparedSample {
        sample,
        retrieved: Vec::new(),
        left,
        target,
        following: Vec::new(),
        right: Vec::new(),
        chunks: Vec::new(),
    }
}
