//! A loss on the logits of a batch and its gradient towards the soft tokens.

use std::sync::Arc;

use rayon::prelude::*;

use super::buffer::Buffer;
use super::elementwise::{Rotation, rms_norm, rms_norm_backward};
use super::kept::{KeptContext, PlacedContext};
use super::layer::{LayerTape, Pass};
use super::matmul::Threads;
use super::matrix::Purpose;
use super::span::Span;
use super::{CpuReader, ROWS_TOGETHER, tokens};
use crate::models::ModelError;
use crate::models::reader::{LogitLoss, LossAndGradient, Sequence, Slot};

/// Rows whose logits are held at once: a row of logits is as long as the vocabulary.
const LOGIT_ROWS: usize = 64;

impl CpuReader {
    /// The loss of a batch and its gradient towards the soft tokens.
    pub(super) fn loss_and_gradient_of(
        &self,
        batch: &[Sequence],
        soft: &[f32],
        loss: &mut dyn LogitLoss,
    ) -> Result<LossAndGradient, ModelError> {
        for sequence in batch {
            sequence.check(soft, &self.config)?;
        }
        let mut result = LossAndGradient {
            loss: 0.0,
            gradient: vec![0.0; soft.len()],
        };
        let mut done = 0;
        while done < batch.len() {
            let mut rows = 0;
            let fits = |sequence: &&Sequence| {
                rows += computed_rows(sequence);
                rows <= ROWS_TOGETHER
            };
            let count = batch[done..].iter().take_while(fits).count().max(1);
            let group = &batch[done..done + count];
            // Threads that each have sequences of their own need not wait for each other after every product.
            let parts = balanced(group, rayon::current_num_threads());
            let threads = if parts.len() == rayon::current_num_threads() {
                Threads::One
            } else {
                Threads::All
            };
            let parts = if threads == Threads::One { parts } else { vec![group] };
            let mut contexts = self.contexts_of(group).into_iter();
            let parts: Vec<(&[Sequence], Vec<Arc<KeptContext>>)> = parts
                .into_iter()
                .map(|part| {
                    let apart = part.iter().filter(|sequence| sequence.apart.is_some()).count();
                    (part, contexts.by_ref().take(apart).collect())
                })
                .collect();
            let forwards: Vec<(&[Sequence], Forward)> = parts
                .into_par_iter()
                .map(|(part, contexts)| (part, self.forward(part, soft, &mut contexts.into_iter(), threads)))
                .collect();
            // The loss sees the predictions in order, whatever the threads did.
            let mut first = done;
            let mut ways_back = Vec::with_capacity(forwards.len());
            for (part, forward) in forwards {
                let (d_normed, part_loss) = self.lose(first, part, &forward, loss);
                result.loss += part_loss;
                first += part.len();
                ways_back.push((forward, d_normed));
            }
            let gradients: Vec<_> = ways_back
                .into_par_iter()
                .map(|(forward, d_normed)| self.backward_through(forward, d_normed, threads))
                .collect();
            for (row, d_row) in gradients.into_iter().flatten() {
                let at = row * self.config.hidden;
                for (sum, d) in result.gradient[at..].iter_mut().zip(d_row) {
                    *sum += d;
                }
            }
            done += count;
        }
        Ok(result)
    }

    /// Keys and values of what stands apart in some sequences, in order.
    fn contexts_of(&self, group: &[Sequence]) -> Vec<Arc<KeptContext>> {
        let apart = group
            .iter()
            .filter_map(|sequence| Some(tokens(&sequence.slots[sequence.apart.clone()?])));
        self.contexts(&apart.collect::<Vec<_>>())
    }

    /// Hidden states behind the last norm of some sequences, and what the way back needs.
    fn forward(
        &self,
        group: &[Sequence],
        soft: &[f32],
        contexts: &mut dyn Iterator<Item = Arc<KeptContext>>,
        threads: Threads,
    ) -> Forward {
        let (mut spans, mut positions, mut slots) = (Vec::with_capacity(group.len()), Vec::new(), Vec::new());
        for sequence in group {
            let apart = sequence.apart.clone().unwrap_or(0..0);
            let rows = sequence.rows().enumerate().filter(|(row, _)| !apart.contains(row));
            let rows: Vec<(Slot, usize)> = rows.map(|(_, (_, slot, position))| (slot, position)).collect();
            let first = sequence.predictions.iter().map(|one| one.row - apart.len()).min();
            let branches: Vec<usize> = sequence.branches.iter().map(Vec::len).collect();
            let front = sequence.apart.as_ref().map(|apart| apart.start);
            let needed = rows.len() - first.unwrap_or(rows.len());
            let mut span = Span::new(sequence.slots.len() - apart.len(), front, &branches, needed);
            span.kept = front.and_then(|position| Some(Arc::new(PlacedContext::new(contexts.next()?, position))));
            spans.push(span);
            positions.extend(rows.iter().map(|row| row.1));
            slots.extend(rows.iter().map(|row| row.0));
        }
        let mut rows = Vec::with_capacity(slots.len() * self.config.hidden);
        self.embed(slots.iter().copied(), soft, &mut rows);
        let mut x = Buffer::copy_of(&rows);
        let rotation = self.rotation(positions.into_iter());
        let pass = Pass {
            sizes: self.sizes,
            spans: &spans,
            rotation: &rotation,
            purpose: Purpose::Training,
            threads,
        };
        let mut tape: Vec<LayerTape> = Vec::with_capacity(self.layers.len());
        for (index, layer) in self.layers.iter().enumerate() {
            x = layer.forward(&pass, x, index, self.is_last(index), None, Some(&mut tape));
        }
        let mut normed = Buffer::stale(x.len());
        let inverse = rms_norm(&x, &self.norm, self.config.rms_eps, &mut normed);
        Forward {
            slots,
            spans,
            rotation,
            tape,
            x,
            normed,
            inverse,
        }
    }

    /// Gradient of the hidden states behind the last norm, and the loss. `first` is the number of the first sequence in its
    /// batch.
    fn lose(&self, first: usize, group: &[Sequence], forward: &Forward, loss: &mut dyn LogitLoss) -> (Buffer, f64) {
        let width = self.config.hidden;
        // Which of the rows that came out predict what.
        let mut predicted = Vec::new();
        let mut first_row = 0;
        for (index, (sequence, span)) in group.iter().zip(&forward.spans).enumerate() {
            let before = span.rows - span.needed + sequence.apart.as_ref().map_or(0, |apart| apart.len());
            for (number, one) in sequence.predictions.iter().enumerate() {
                predicted.push((first_row + one.row - before, first + index, number, one.token));
            }
            first_row += span.needed;
        }
        let (mut d_normed, mut total) = (Buffer::zeros(forward.normed.len()), 0.0);
        for part in predicted.chunks(LOGIT_ROWS) {
            let rows: Vec<f32> = part
                .iter()
                .flat_map(|&(row, ..)| forward.normed[row * width..(row + 1) * width].iter().copied())
                .collect();
            let mut logits = self.head().product(&rows, Purpose::Training, Threads::All);
            for (row, &(_, sequence, number, token)) in logits.chunks_exact_mut(self.config.vocab_size).zip(part) {
                total += loss.row(sequence, number, token, row);
            }
            let d_rows = self.head().product_backward(&logits, Threads::All);
            for (d_row, &(row, ..)) in d_rows.chunks_exact(width).zip(part) {
                for (sum, d) in d_normed[row * width..(row + 1) * width].iter_mut().zip(d_row) {
                    *sum += d;
                }
            }
        }
        (d_normed, total)
    }

    /// Gradient of the input rows of a forward pass: those that are soft tokens, with their numbers.
    fn backward_through(&self, forward: Forward, d_normed: Buffer, threads: Threads) -> Vec<(usize, Vec<f32>)> {
        let pass = Pass {
            sizes: self.sizes,
            spans: &forward.spans,
            rotation: &forward.rotation,
            purpose: Purpose::Training,
            threads,
        };
        let mut dx = Buffer::zeros(forward.x.len());
        rms_norm_backward(&d_normed, &forward.x, &self.norm, &forward.inverse, &mut dx);
        for ((index, layer), tape) in self.layers.iter().enumerate().zip(forward.tape).rev() {
            dx = layer.backward(&pass, dx, index, self.is_last(index), tape);
        }
        let rows = forward.slots.into_iter().zip(dx.chunks_exact(self.config.hidden));
        rows.filter_map(|(slot, d_row)| match slot {
            Slot::Soft(row) => Some((row, d_row.to_vec())),
            Slot::Token(_) => None,
        })
        .collect()
    }
}

/// A forward pass that waits for its way back.
struct Forward {
    slots: Vec<Slot>,
    spans: Vec<Span>,
    rotation: Rotation,
    tape: Vec<LayerTape>,
    /// Before the last norm.
    x: Buffer,
    /// Behind it.
    normed: Buffer,
    inverse: Vec<f32>,
}

/// Rows that are computed for a sequence.
fn computed_rows(sequence: &Sequence) -> usize {
    sequence.rows().count() - sequence.apart.as_ref().map_or(0, |apart| apart.len())
}

/// Cuts sequences into at most `parts` runs of about equal rows.
fn balanced(group: &[Sequence], parts: usize) -> Vec<&[Sequence]> {
    let total: usize = group.iter().map(computed_rows).sum();
    let (mut cuts, mut rest, mut done) = (Vec::new(), group, 0);
    for part in 1..=parts {
        let mut rows = done;
        let count = rest.iter().take_while(|sequence| {
            let before = rows;
            rows += computed_rows(sequence);
            // A sequence belongs to the part that holds its middle.
            (before + rows) * parts <= 2 * total * part
        });
        let count = if part == parts { rest.len() } else { count.count() };
        let (mine, behind) = rest.split_at(count);
        done += mine.iter().map(computed_rows).sum::<usize>();
        rest = behind;
        if !mine.is_empty() {
            cuts.push(mine);
        }
    }
    cuts
}
