//! The reader on the CPU, outside autograd: no gradient of a frozen weight is computed or kept.

mod attention;
mod attention_backward;
mod elementwise;
mod kept;
mod layer;
mod matmul;
mod matrix;
mod session;
mod span;

use std::path::Path;
use std::sync::Arc;

use candle_core::Tensor;

use super::packed::{Format, Packed};
use super::weights::{LayerWeights, Weight};
use super::{LogitLoss, LossAndGradient, Reader, ReaderConfig, ReaderWeights, Sequence, Session, Slot};
use crate::models::ModelError;
pub use elementwise::softmax_row;
use elementwise::{Rotation, rms_norm, rms_norm_backward};
use kept::{ContextStore, KeptContext};
use layer::{Layer, LayerCache, LayerTape, Pass, Sizes};
use matrix::{Matrix, Purpose};
use session::CpuSession;
use span::Span;

/// Rows run together in training: enough to keep matrix products busy, few enough to bound the tape (about 23 kB a row and
/// layer for a hidden size of 576).
const ROWS_TOGETHER: usize = 640;

/// Rows whose logits are held at once: a row of logits is as long as the vocabulary.
const LOGIT_ROWS: usize = 64;

/// A decoder of the llama, qwen2 or qwen3 family in f32.
pub struct CpuReader {
    config: ReaderConfig,
    sizes: Sizes,
    embeddings: Matrix,
    layers: Vec<Layer>,
    norm: Vec<f32>,
    head: Option<Matrix>,
    contexts: ContextStore,
}

fn values(tensor: &Tensor) -> Result<Vec<f32>, ModelError> {
    Ok(tensor.flatten_all()?.to_vec1()?)
}

/// Matrices on top of each other.
fn stacked(weights: &[&Weight]) -> Result<Matrix, ModelError> {
    let tensors: Vec<&Tensor> = weights.iter().map(|weight| &weight.values).collect();
    let tensor = Tensor::cat(&tensors, 0)?;
    let columns = tensor.dim(1)?;
    let values = values(&tensor)?;
    let packed: Option<Vec<&Packed>> = weights.iter().map(|weight| weight.packed.as_ref()).collect();
    let packed = packed.and_then(|parts| {
        let (first, rest) = parts.split_first()?;
        let same = rest.iter().try_fold((*first).clone(), |stack, part| stack.stack(part));
        // Parts that are packed in different ways meet in 8 bits.
        same.or_else(|| Packed::rounded(&values, columns, Format::Eight))
    });
    Ok(Matrix::new(values, columns, packed))
}

impl CpuReader {
    /// Takes over loaded weights.
    pub fn new(weights: ReaderWeights) -> Result<Self, ModelError> {
        let ReaderWeights {
            config,
            embeddings,
            layers,
            norm,
            head,
        } = weights;
        let layer = |weights: LayerWeights| -> Result<Layer, ModelError> {
            let biases = weights.biases.as_ref();
            Ok(Layer {
                attention_norm: values(&weights.attention_norm)?,
                qkv: stacked(&[&weights.query, &weights.key, &weights.value])?,
                qkv_bias: biases
                    .map(|[q, k, v]| values(&Tensor::cat(&[q, k, v], 0)?))
                    .transpose()?,
                head_norms: weights
                    .head_norms
                    .map(|[query, key]| Ok::<_, ModelError>([values(&query)?, values(&key)?]))
                    .transpose()?,
                output: stacked(&[&weights.output])?,
                mlp_norm: values(&weights.mlp_norm)?,
                gate_up: stacked(&[&weights.gate, &weights.up])?,
                down: stacked(&[&weights.down])?,
            })
        };
        let sizes = Sizes::of(&config);
        Ok(Self {
            sizes,
            embeddings: stacked(&[&embeddings])?,
            layers: layers.into_iter().map(layer).collect::<Result<_, _>>()?,
            norm: values(&norm)?,
            head: head.map(|head| stacked(&[&head])).transpose()?,
            contexts: ContextStore::new(sizes, config.layers, config.rope_theta),
            config,
        })
    }

    fn head(&self) -> &Matrix {
        self.head.as_ref().unwrap_or(&self.embeddings)
    }

    /// Input rows of slots that have been checked.
    fn embed(&self, slots: impl Iterator<Item = Slot>, soft: &[f32], rows: &mut Vec<f32>) {
        let width = self.config.hidden;
        for slot in slots {
            let (table, row) = match slot {
                Slot::Token(id) => (self.embeddings.values(), id as usize),
                Slot::Soft(row) => (soft, row),
            };
            rows.extend_from_slice(&table[row * width..(row + 1) * width]);
        }
    }

    fn rotation(&self, positions: impl Iterator<Item = usize>) -> Rotation {
        Rotation::new(positions, self.config.head_dim, self.config.rope_theta)
    }

    /// The keys and values of contexts that stand apart, computed where they are not kept yet.
    fn contexts(&self, wanted: &[Vec<u32>]) -> Vec<Arc<KeptContext>> {
        let mut found: Vec<Option<Arc<KeptContext>>> = wanted.iter().map(|tokens| self.contexts.get(tokens)).collect();
        let mut missing: Vec<usize> = (0..wanted.len()).filter(|&index| found[index].is_none()).collect();
        while !missing.is_empty() {
            let mut rows = 0;
            let fits = |index: &&usize| {
                rows += wanted[**index].len();
                rows <= ROWS_TOGETHER
            };
            let count = missing.iter().take_while(fits).count().max(1);
            let group: Vec<usize> = missing.drain(..count).collect();
            let tokens: Vec<&[u32]> = group.iter().map(|&index| wanted[index].as_slice()).collect();
            for (&index, rows) in group.iter().zip(self.context_rows(&tokens)) {
                found[index] = Some(self.contexts.put(&wanted[index], rows));
            }
        }
        found.into_iter().flatten().collect()
    }

    /// Rows `[keys | values]` of every layer for each of some texts, each text on its own.
    fn context_rows(&self, texts: &[&[u32]]) -> Vec<Vec<f32>> {
        let spans: Vec<Span> = texts.iter().map(|text| Span::plain(text.len(), 0)).collect();
        let rotation = self.rotation(texts.iter().flat_map(|text| 0..text.len()));
        let pass = Pass {
            sizes: self.sizes,
            spans: &spans,
            rotation: &rotation,
            purpose: Purpose::Training,
        };
        let mut x = Vec::new();
        for text in texts {
            self.embed(text.iter().map(|&id| Slot::Token(id)), &[], &mut x);
        }
        let mut kept = vec![Vec::new(); texts.len()];
        for (index, layer) in self.layers.iter().enumerate() {
            let mut caches = vec![LayerCache::default(); texts.len()];
            let last = index + 1 == self.layers.len();
            x = layer.forward(&pass, x, index, last, Some(caches.iter_mut().collect()), None);
            for (kept, cache) in kept.iter_mut().zip(caches) {
                kept.extend(cache.rows);
            }
        }
        kept
    }

    /// Adds the loss of some sequences, the first of which has number `first` in its batch, and its gradient.
    fn accumulate(
        &self,
        first: usize,
        group: &[Sequence],
        soft: &[f32],
        loss: &mut dyn LogitLoss,
        total: &mut f64,
        gradient: &mut [f32],
    ) {
        let width = self.config.hidden;
        let mut x = Vec::new();
        let (mut spans, mut positions, mut slots) = (Vec::with_capacity(group.len()), Vec::new(), Vec::new());
        // Kept all together: a context that the store drops is still there until this pass is over.
        let wanted: Vec<Vec<u32>> = group
            .iter()
            .filter_map(|sequence| Some(tokens(&sequence.slots[sequence.apart.clone()?])))
            .collect();
        let mut contexts = self.contexts(&wanted).into_iter();
        for sequence in group {
            let apart = sequence.apart.clone().unwrap_or(0..0);
            let rows = sequence.rows().enumerate().filter(|(row, _)| !apart.contains(row));
            let rows: Vec<(Slot, usize)> = rows.map(|(_, (_, slot, position))| (slot, position)).collect();
            let first = sequence.predictions.iter().map(|one| one.row - apart.len()).min();
            let branches: Vec<usize> = sequence.branches.iter().map(Vec::len).collect();
            let front = sequence.apart.as_ref().map(|apart| apart.start);
            let needed = rows.len() - first.unwrap_or(rows.len());
            let mut span = Span::new(sequence.slots.len() - apart.len(), front, &branches, needed);
            span.kept = front.and_then(|position| Some((contexts.next()?, position)));
            spans.push(span);
            positions.extend(rows.iter().map(|row| row.1));
            slots.extend(rows.iter().map(|row| row.0));
        }
        self.embed(slots.iter().copied(), soft, &mut x);
        let rotation = self.rotation(positions.into_iter());
        let pass = Pass {
            sizes: self.sizes,
            spans: &spans,
            rotation: &rotation,
            purpose: Purpose::Training,
        };
        let is_last = |index: usize| index + 1 == self.layers.len();
        let mut tape: Vec<LayerTape> = Vec::with_capacity(self.layers.len());
        for (index, layer) in self.layers.iter().enumerate() {
            x = layer.forward(&pass, x, index, is_last(index), None, Some(&mut tape));
        }
        let mut normed = vec![0f32; x.len()];
        let inverse = rms_norm(&x, &self.norm, self.config.rms_eps, &mut normed);

        // Which of the rows that came out predict what.
        let mut predicted = Vec::new();
        let mut first_row = 0;
        for (index, (sequence, span)) in group.iter().zip(&spans).enumerate() {
            let before = span.rows - span.needed + sequence.apart.as_ref().map_or(0, |apart| apart.len());
            for (number, one) in sequence.predictions.iter().enumerate() {
                predicted.push((first_row + one.row - before, first + index, number, one.token));
            }
            first_row += span.needed;
        }
        let mut d_normed = vec![0f32; normed.len()];
        for part in predicted.chunks(LOGIT_ROWS) {
            let rows: Vec<f32> = part
                .iter()
                .flat_map(|&(row, ..)| normed[row * width..(row + 1) * width].iter().copied())
                .collect();
            let mut logits = self.head().product(&rows, Purpose::Training);
            for (row, &(_, sequence, number, token)) in logits.chunks_exact_mut(self.config.vocab_size).zip(part) {
                *total += loss.row(sequence, number, token, row);
            }
            let d_rows = self.head().product_backward(&logits);
            for (d_row, &(row, ..)) in d_rows.chunks_exact(width).zip(part) {
                for (sum, d) in d_normed[row * width..(row + 1) * width].iter_mut().zip(d_row) {
                    *sum += d;
                }
            }
        }
        let mut dx = vec![0f32; x.len()];
        rms_norm_backward(&d_normed, &x, &self.norm, &inverse, &mut dx);
        for ((index, layer), tape) in self.layers.iter().enumerate().zip(tape).rev() {
            dx = layer.backward(&pass, dx, index, is_last(index), tape);
        }
        for (slot, d_row) in slots.into_iter().zip(dx.chunks_exact(width)) {
            if let Slot::Soft(row) = slot {
                for (sum, d) in gradient[row * width..(row + 1) * width].iter_mut().zip(d_row) {
                    *sum += d;
                }
            }
        }
    }
}

/// Tokens of slots that are tokens all.
fn tokens(slots: &[Slot]) -> Vec<u32> {
    let ids = slots.iter().filter_map(|slot| match *slot {
        Slot::Token(id) => Some(id),
        Slot::Soft(_) => None,
    });
    ids.collect()
}

impl Reader for CpuReader {
    fn config(&self) -> &ReaderConfig {
        &self.config
    }

    fn embedding_table(&self) -> Result<Vec<f32>, ModelError> {
        Ok(self.embeddings.values().to_vec())
    }

    fn backward(
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
            let rest = &batch[done..];
            let mut rows = 0;
            let fits = |sequence: &&Sequence| {
                rows += sequence.rows().count() - sequence.apart.as_ref().map_or(0, |apart| apart.len());
                rows <= ROWS_TOGETHER
            };
            let count = rest.iter().take_while(fits).count().max(1);
            self.accumulate(done, &rest[..count], soft, loss, &mut result.loss, &mut result.gradient);
            done += count;
        }
        Ok(result)
    }

    fn session(&self, members: usize) -> Box<dyn Session + '_> {
        Box::new(CpuSession::new(self, members))
    }

    fn keep_contexts_in(&mut self, folder: &Path) {
        self.contexts.keep_in(folder);
    }
}
