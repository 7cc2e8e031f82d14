//! Decoding and teacher-forced scoring, on any reader.

use std::cell::{Cell, RefCell};
use std::time::{Duration, Instant};

use rand::Rng;
use rand_chacha::ChaCha8Rng;

use super::{Feed, Prompt, Session, Slot, log_softmax_at, softmax};
use crate::models::ModelError;

/// A completion and its times.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Generation {
    /// The tokens, with the one that ended it.
    pub tokens: Vec<u32>,
    /// Log-probability of each token where it was chosen.
    pub log_probabilities: Vec<f32>,
    /// From the start of the prefill to the first token.
    pub first_token: Duration,
    /// From the start of the prefill to the end.
    pub total: Duration,
}

/// How the next token is chosen.
pub trait Choice {
    /// A token by the logits behind what member `member` has so far; they may be written over.
    fn choose(&mut self, member: usize, logits: &mut [f32]) -> u32;
}

/// Always the likeliest token; the first of equals.
pub struct Greedy;

impl Choice for Greedy {
    fn choose(&mut self, _: usize, logits: &mut [f32]) -> u32 {
        let mut best = (0, f32::NEG_INFINITY);
        for (index, &value) in logits.iter().enumerate() {
            if value > best.1 {
                best = (index, value);
            }
        }
        best.0 as u32
    }
}

/// A draw from the likeliest tokens that together have a probability of `top_p`, at a temperature.
pub struct Sampled {
    /// Logits are divided by it.
    pub temperature: f32,
    /// Share of the probability that is kept.
    pub top_p: f32,
    /// One source of chance a member, so that a member's draw does not depend on the others.
    pub random: Vec<ChaCha8Rng>,
}

impl Choice for Sampled {
    fn choose(&mut self, member: usize, logits: &mut [f32]) -> u32 {
        for value in logits.iter_mut() {
            *value /= self.temperature;
        }
        softmax(logits);
        let mut order: Vec<u32> = (0..logits.len() as u32).collect();
        order.sort_unstable_by(|&a, &b| logits[b as usize].total_cmp(&logits[a as usize]).then(a.cmp(&b)));
        let mut kept = 0.0;
        let count = order.iter().take_while(|&&id| {
            let before = kept;
            kept += logits[id as usize];
            before < self.top_p
        });
        let count = count.count().max(1);
        order.truncate(count);
        let total: f32 = order.iter().map(|&id| logits[id as usize]).sum();
        let Some(random) = self.random.get_mut(member) else {
            return order.first().copied().unwrap_or(0);
        };
        let mut left = random.random::<f32>() * total;
        let drawn = order.iter().find(|&&id| {
            left -= logits[id as usize];
            left < 0.0
        });
        drawn.or(order.last()).copied().unwrap_or(0)
    }
}

/// Feeds a prompt to the first member of a session and decodes greedily until `ends` says so of the tokens so far, or
/// `longest` tokens are out. Afterwards the member holds the prompt and all of the completion but its last token.
pub fn generate(
    session: &mut dyn Session,
    prompt: &Prompt,
    soft: &[f32],
    longest: usize,
    ends: &dyn Fn(&[u32]) -> bool,
) -> Result<Generation, ModelError> {
    let mut generations = generate_timed(session, std::slice::from_ref(prompt), soft, longest, ends)?;
    Ok(generations.pop().unwrap_or_default())
}

/// Decodes `copies` completions of each prompt together, each until `ends` says so of its number and tokens. The session has a
/// member for every completion, those of one prompt side by side; a prompt is fed once.
pub fn generate_together(
    session: &mut dyn Session,
    prompts: &[&Prompt],
    copies: usize,
    soft: &[f32],
    longest: usize,
    choice: &mut dyn Choice,
    ends: &dyn Fn(usize, &[u32]) -> bool,
) -> Result<Vec<Generation>, ModelError> {
    let start = Instant::now();
    let feeds: Vec<Feed<'_>> = prompts
        .iter()
        .enumerate()
        .map(|(index, prompt)| last_position(index * copies, prompt))
        .collect();
    let mut begun = Vec::with_capacity(prompts.len() * copies);
    for (index, output) in session.feed(&feeds, soft)?.into_iter().enumerate() {
        for copy in 1..copies {
            session.copy(index * copies, index * copies + copy)?;
        }
        for _ in 0..copies {
            begun.push((output.logits.clone(), start.elapsed()));
        }
    }
    decode(session, begun, longest, choice, ends)
}

/// Like [`generate_together`], greedily, one completion a prompt, but each prompt is fed alone: so the time to its first token
/// is its own. The decoding is shared, and so is its time.
pub fn generate_timed(
    session: &mut dyn Session,
    prompts: &[Prompt],
    soft: &[f32],
    longest: usize,
    ends: &dyn Fn(&[u32]) -> bool,
) -> Result<Vec<Generation>, ModelError> {
    let mut begun = Vec::with_capacity(prompts.len());
    for (member, prompt) in prompts.iter().enumerate() {
        let start = Instant::now();
        let output = session.feed(&[last_position(member, prompt)], soft)?.pop();
        begun.push((output.map(|output| output.logits).unwrap_or_default(), start.elapsed()));
    }
    decode(session, begun, longest, &mut Greedy, &|_, tokens| ends(tokens))
}

/// Positions of a prompt that are read between two questions whether to go on: about a tenth of a second.
const PIECE: usize = 256;

/// Like [`generate`], but `goes_on` is asked before every piece of the prompt and every token; none when it said no.
pub fn generate_while(
    session: &mut dyn Session,
    prompt: &Prompt,
    soft: &[f32],
    longest: usize,
    ends: &dyn Fn(&[u32]) -> bool,
    goes_on: &mut dyn FnMut() -> bool,
) -> Result<Option<Generation>, ModelError> {
    let start = Instant::now();
    // What stands apart is read with the first piece.
    let first = prompt.apart.as_ref().map_or(0, |apart| apart.end + 1).max(PIECE);
    let (head, rest) = prompt.slots.split_at(first.min(prompt.slots.len()));
    let pieces: Vec<&[Slot]> = std::iter::once(head).chain(rest.chunks(PIECE)).collect();
    let mut logits = Vec::new();
    for (index, slots) in pieces.iter().enumerate() {
        if !goes_on() {
            return Ok(None);
        }
        let feed = Feed {
            member: 0,
            slots,
            apart: prompt.apart.clone().filter(|_| index == 0),
            outputs: usize::from(index + 1 == pieces.len()),
        };
        let output = session.feed(&[feed], soft)?.pop();
        logits = output.map(|output| output.logits).unwrap_or_default();
    }
    let going = Cell::new(true);
    let goes_on = RefCell::new(goes_on);
    let ends = |_: usize, tokens: &[u32]| {
        going.set((goes_on.borrow_mut())());
        !going.get() || ends(tokens)
    };
    let mut generations = decode(session, vec![(logits, start.elapsed())], longest, &mut Greedy, &ends)?;
    Ok(generations.pop().filter(|_| going.get()))
}

/// A whole prompt, of which the output at its last position is wanted.
fn last_position(member: usize, prompt: &Prompt) -> Feed<'_> {
    Feed {
        member,
        slots: &prompt.slots,
        apart: prompt.apart.clone(),
        outputs: 1,
    }
}

/// Goes on from the logits behind each member's prompt and the time that they took. What is over leaves the batch.
fn decode(
    session: &mut dyn Session,
    begun: Vec<(Vec<f32>, Duration)>,
    longest: usize,
    choice: &mut dyn Choice,
    ends: &dyn Fn(usize, &[u32]) -> bool,
) -> Result<Vec<Generation>, ModelError> {
    let start = Instant::now();
    let mut generations = vec![Generation::default(); begun.len()];
    let mut open: Vec<(usize, Vec<f32>)> = Vec::with_capacity(begun.len());
    let mut before = Vec::with_capacity(begun.len());
    for (member, (logits, prefill)) in begun.into_iter().enumerate() {
        open.push((member, logits));
        before.push(prefill);
    }
    if longest == 0 {
        return Ok(generations);
    }
    loop {
        let mut next = Vec::with_capacity(open.len());
        for (member, mut logits) in open {
            let generation = &mut generations[member];
            let plain = logits.clone();
            let token = choice.choose(member, &mut logits);
            generation.total = before[member] + start.elapsed();
            if generation.tokens.is_empty() {
                generation.first_token = generation.total;
            }
            generation.tokens.push(token);
            generation
                .log_probabilities
                .push(log_softmax_at(&plain, token as usize));
            if generation.tokens.len() < longest && !ends(member, &generation.tokens) {
                next.push((member, [Slot::Token(token)]));
            }
        }
        if next.is_empty() {
            return Ok(generations);
        }
        let feeds: Vec<Feed<'_>> = next
            .iter()
            .map(|(member, slots)| Feed {
                member: *member,
                slots,
                apart: None,
                outputs: 1,
            })
            .collect();
        let outputs = session.feed(&feeds, &[])?.into_iter().map(|output| output.logits);
        open = next.iter().map(|(member, _)| *member).zip(outputs).collect();
    }
}

/// Log-probability of each target token behind a prompt, teacher-forced; as [`target_logits`].
pub fn target_log_probabilities(
    session: &mut dyn Session,
    member: usize,
    prompt: &Prompt,
    soft: &[f32],
    target: &[u32],
) -> Result<Vec<f32>, ModelError> {
    let logits = target_logits(session, member, prompt, soft, target)?;
    let vocab = logits.len() / target.len().max(1);
    Ok(target
        .iter()
        .zip(logits.chunks_exact(vocab.max(1)))
        .map(|(&id, row)| log_softmax_at(row, id as usize))
        .collect())
}

/// Logits that predict each target token behind a prompt, `[target, vocab]`. What the member holds must be the beginning of
/// this prompt, or the prompt and a completion: only what is missing is computed.
pub fn target_logits(
    session: &mut dyn Session,
    member: usize,
    prompt: &Prompt,
    soft: &[f32],
    target: &[u32],
) -> Result<Vec<f32>, ModelError> {
    let Some((_, inputs)) = target.split_last() else {
        return Ok(Vec::new());
    };
    // The last position of the prompt predicts the first target token, so at least that one is fed here.
    session.truncate(member, prompt.slots.len().saturating_sub(1))?;
    let held = session.position(member);
    let mut slots = prompt.slots.get(held..).unwrap_or_default().to_vec();
    slots.extend(inputs.iter().map(|&id| Slot::Token(id)));
    let feed = Feed {
        member,
        slots: &slots,
        apart: prompt.apart.clone().filter(|_| held == 0),
        outputs: target.len(),
    };
    let output = session.feed(&[feed], soft)?.pop();
    Ok(output.map(|output| output.logits).unwrap_or_default())
}
