//! Greedy decoding and teacher-forced scoring, on any reader.

use std::time::{Duration, Instant};

use super::{Session, Slot};
use crate::models::ModelError;

/// A greedy completion and its times.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Generation {
    /// The tokens, with the one that ended it.
    pub tokens: Vec<u32>,
    /// From the start of the prefill to the first token.
    pub first_token: Duration,
    /// From the start of the prefill to the end.
    pub total: Duration,
}

/// Feeds a prompt and decodes greedily until `ends` says so of the tokens so far, or `longest` tokens are out.
///
/// The session must be empty or hold what stands before the prompt. Afterwards it holds
/// the prompt and all of the completion but its last token.
pub fn generate(
    session: &mut dyn Session,
    prompt: &[Slot],
    soft: &[f32],
    longest: usize,
    ends: &dyn Fn(&[u32]) -> bool,
) -> Result<Generation, ModelError> {
    let start = Instant::now();
    let mut generation = Generation::default();
    let mut logits = session.feed(prompt, soft, 1)?.logits;
    while generation.tokens.len() < longest {
        let token = argmax(&logits);
        if generation.tokens.is_empty() {
            generation.first_token = start.elapsed();
        }
        generation.tokens.push(token);
        if ends(&generation.tokens) || generation.tokens.len() == longest {
            break;
        }
        logits = session.feed(&[Slot::Token(token)], &[], 1)?.logits;
    }
    generation.total = start.elapsed();
    Ok(generation)
}

/// Log-probability of each target token behind a prompt, teacher-forced. What the session holds must be the beginning of
/// this prompt, or the prompt and a completion: only what is missing is computed.
pub fn target_log_probabilities(
    session: &mut dyn Session,
    prompt: &[Slot],
    soft: &[f32],
    target: &[u32],
) -> Result<Vec<f32>, ModelError> {
    let Some((_, inputs)) = target.split_last() else {
        return Ok(Vec::new());
    };
    // The last position of the prompt predicts the first target token, so at least that one is fed here.
    let held = session.position().min(prompt.len().saturating_sub(1));
    session.truncate(held)?;
    let mut slots = prompt.get(held..).unwrap_or_default().to_vec();
    slots.extend(inputs.iter().map(|&id| Slot::Token(id)));
    let logits = session.feed(&slots, soft, target.len())?.logits;
    let vocab = logits.len() / target.len();
    Ok(target
        .iter()
        .zip(logits.chunks_exact(vocab.max(1)))
        .map(|(&id, row)| log_softmax_at(row, id as usize))
        .collect())
}

/// Index of the largest value; the first of equals.
fn argmax(values: &[f32]) -> u32 {
    let mut best = (0, f32::NEG_INFINITY);
    for (index, &value) in values.iter().enumerate() {
        if value > best.1 {
            best = (index, value);
        }
    }
    best.0 as u32
}

/// `log softmax(row)[index]`, the sum in f64.
pub(crate) fn log_softmax_at(row: &[f32], index: usize) -> f32 {
    let max = row.iter().copied().fold(f32::NEG_INFINITY, f32::max);
    let sum: f64 = row.iter().map(|&value| f64::from(value - max).exp()).sum();
    row.get(index)
        .map_or(f32::NEG_INFINITY, |&value| value - max - sum.ln() as f32)
}
