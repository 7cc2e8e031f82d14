//! Training steps, prefills and decodings of the shapes that the peers are timed on, with random tokens.

use std::time::{Duration, Instant};

use rand::{Rng as _, SeedableRng as _};
use rand_chacha::ChaCha8Rng;

use super::shapes::{BATCH, CONTEXT, LEFT, NEW, SOFT, TARGET, Work};
use crate::models::ModelError;
use crate::models::reader::{Reader, Sequence, Slot, generate};

/// Ids below stand for special tokens, those from the end on are rare.
const IDS: std::ops::Range<u32> = 5..40_000;

/// Spread of the soft tokens, about that of token embeddings.
const SPREAD: f32 = 0.17;

/// A reader and what it is fed.
pub(super) struct ReaderWork {
    reader: Box<dyn Reader>,
    input: Input,
}

enum Input {
    Step { batch: Vec<Sequence>, soft: Vec<f32> },
    Prefill(Vec<Slot>),
    Decode(Vec<Vec<Slot>>),
}

impl ReaderWork {
    /// Draws the input of a work, the same every time.
    pub fn new(work: Work, reader: Box<dyn Reader>) -> Self {
        let mut random = ChaCha8Rng::seed_from_u64(0);
        let highest = IDS.end.min(reader.config().vocab_size as u32);
        let mut tokens = |count: usize| -> Vec<Slot> {
            (0..count)
                .map(|_| Slot::Token(random.random_range(IDS.start..highest)))
                .collect()
        };
        let input = match work {
            Work::Prefill206 => Input::Prefill(tokens(206)),
            Work::Prefill1290 => Input::Prefill(tokens(1290)),
            Work::Prefill5130 => Input::Prefill(tokens(5130)),
            Work::DecodeOne => Input::Decode(vec![tokens(CONTEXT)]),
            Work::DecodeEight => Input::Decode((0..BATCH).map(|_| tokens(CONTEXT)).collect()),
            Work::TrainStep | Work::Ttft | Work::Load => {
                let batch = (0..BATCH).map(|index| sample(index, tokens(LEFT + TARGET))).collect();
                let width = reader.config().hidden;
                let soft = (0..BATCH * SOFT * width).map(|_| random.random_range(-SPREAD..SPREAD));
                Input::Step {
                    batch,
                    soft: soft.collect(),
                }
            }
        };
        Self { reader, input }
    }

    /// Does it once: tokens that count, and the time that they took.
    pub fn repeat(&mut self) -> Result<(usize, Duration), ModelError> {
        match &self.input {
            Input::Step { batch, soft } => {
                let start = Instant::now();
                self.reader.loss_and_gradient(batch, soft)?;
                Ok((BATCH * (SOFT + LEFT + TARGET), start.elapsed()))
            }
            Input::Prefill(prompt) => {
                let generation = generate(self.reader.session().as_mut(), prompt, &[], 1, &|_| false)?;
                Ok((prompt.len(), generation.first_token))
            }
            Input::Decode(prompts) => {
                let (mut tokens, mut elapsed) = (0, Duration::ZERO);
                for prompt in prompts {
                    // The first token comes from the prefill, which is not counted.
                    let generation = generate(self.reader.session().as_mut(), prompt, &[], NEW + 1, &|_| false)?;
                    tokens += generation.tokens.len() - 1;
                    elapsed += generation.total - generation.first_token;
                }
                Ok((tokens, elapsed))
            }
        }
    }
}

/// Soft tokens, left context and target of one sample of a batch; the last target token is predicted, never read.
fn sample(index: usize, tokens: Vec<Slot>) -> Sequence {
    let mut slots: Vec<Slot> = (index * SOFT..(index + 1) * SOFT).map(Slot::Soft).collect();
    slots.extend(tokens);
    let ids = slots.iter().enumerate().skip(SOFT + LEFT);
    let predictions = ids.filter_map(|(place, slot)| match slot {
        Slot::Token(id) => Some((place - 1, *id)),
        Slot::Soft(_) => None,
    });
    let predictions = predictions.collect();
    slots.pop();
    Sequence { slots, predictions }
}
