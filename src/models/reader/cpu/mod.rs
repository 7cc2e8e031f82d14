//! The reader on the CPU, outside autograd: no gradient of a frozen weight is computed or kept.

mod attention;
mod elementwise;
mod layer;
mod matmul;

use candle_core::Tensor;

use super::weights::LayerWeights;
use super::{
    LossAndGradient, Output, Reader, ReaderConfig, ReaderWeights, Sequence, Session, Slot, check_predictions,
    check_slots,
};
use crate::models::ModelError;
use elementwise::{Rotation, rms_norm, rms_norm_backward};
use layer::{Layer, LayerCache, LayerTape, Pass, Sizes, Span};
use matmul::{Into, Threads, View, matmul};

/// Rows run together in training: enough to keep matrix products busy, few enough to bound the tape (about 23 kB a row and
/// layer for a hidden size of 576).
const ROWS_TOGETHER: usize = 640;

/// Rows whose logits are held at once: a row of logits is as long as the vocabulary.
const LOGIT_ROWS: usize = 64;

/// A decoder of the llama, qwen2 or qwen3 family in f32.
pub struct CpuReader {
    config: ReaderConfig,
    sizes: Sizes,
    embeddings: Vec<f32>,
    layers: Vec<Layer>,
    norm: Vec<f32>,
    head: Option<Vec<f32>>,
}

fn values(tensor: &Tensor) -> Result<Vec<f32>, ModelError> {
    Ok(tensor.flatten_all()?.to_vec1()?)
}

/// Matrices on top of each other.
fn stacked(tensors: &[&Tensor]) -> Result<Vec<f32>, ModelError> {
    values(&Tensor::cat(tensors, 0)?)
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
            Ok(Layer {
                attention_norm: values(&weights.attention_norm)?,
                qkv: stacked(&[&weights.query, &weights.key, &weights.value])?,
                qkv_bias: weights.biases.map(|[q, k, v]| stacked(&[&q, &k, &v])).transpose()?,
                head_norms: weights
                    .head_norms
                    .map(|[query, key]| Ok::<_, ModelError>([values(&query)?, values(&key)?]))
                    .transpose()?,
                output: values(&weights.output)?,
                mlp_norm: values(&weights.mlp_norm)?,
                gate_up: stacked(&[&weights.gate, &weights.up])?,
                down: values(&weights.down)?,
            })
        };
        Ok(Self {
            sizes: Sizes::of(&config),
            embeddings: values(&embeddings)?,
            layers: layers.into_iter().map(layer).collect::<Result<_, _>>()?,
            norm: values(&norm)?,
            head: head.as_ref().map(values).transpose()?,
            config,
        })
    }

    fn head(&self) -> &[f32] {
        self.head.as_deref().unwrap_or(&self.embeddings)
    }

    /// Input rows of slots that have been checked.
    fn embed(&self, slots: &[Slot], soft: &[f32], rows: &mut Vec<f32>) {
        let width = self.config.hidden;
        for slot in slots {
            let (table, row) = match *slot {
                Slot::Token(id) => (self.embeddings.as_slice(), id as usize),
                Slot::Soft(row) => (soft, row),
            };
            rows.extend_from_slice(&table[row * width..(row + 1) * width]);
        }
    }

    /// `rows * head^T`.
    fn logits(&self, rows: &[f32]) -> Vec<f32> {
        let (width, vocab) = (self.config.hidden, self.config.vocab_size);
        let count = rows.len() / width;
        let mut logits = vec![0f32; count * vocab];
        let head = View::rows(self.head(), width).transposed();
        matmul(
            &mut logits,
            vocab,
            Into::Replace,
            (count, vocab, width),
            View::rows(rows, width),
            head,
            1.0,
            Threads::All,
        );
        logits
    }

    /// Adds the loss of some sequences, divided by `total` predictions, and its gradient.
    fn accumulate(&self, group: &[Sequence], soft: &[f32], total: usize, loss: &mut f64, gradient: &mut [f32]) {
        let width = self.config.hidden;
        let spans: Vec<Span> = group
            .iter()
            .map(|sequence| {
                let first = sequence
                    .predictions
                    .first()
                    .map_or(sequence.slots.len(), |prediction| prediction.0);
                Span {
                    rows: sequence.slots.len(),
                    needed: sequence.slots.len() - first,
                }
            })
            .collect();
        let mut x = Vec::new();
        for sequence in group {
            self.embed(&sequence.slots, soft, &mut x);
        }
        let positions = spans.iter().flat_map(|span| 0..span.rows);
        let rotation = Rotation::new(positions, self.config.head_dim, self.config.rope_theta);
        let pass = Pass {
            sizes: self.sizes,
            spans: &spans,
            rotation: &rotation,
        };
        let mut tape: Vec<LayerTape> = Vec::with_capacity(self.layers.len());
        for (index, layer) in self.layers.iter().enumerate() {
            let last = index + 1 == self.layers.len();
            x = layer.forward(&pass, x, None, last, Some(&mut tape));
        }
        let mut normed = vec![0f32; x.len()];
        let inverse = rms_norm(&x, &self.norm, self.config.rms_eps, &mut normed);

        // Which of the rows that came out predict what.
        let mut predicted = Vec::new();
        let mut first_row = 0;
        for (sequence, span) in group.iter().zip(&spans) {
            let hidden_before = span.rows - span.needed;
            predicted.extend(
                sequence
                    .predictions
                    .iter()
                    .map(|&(at, id)| (first_row + at - hidden_before, id as usize)),
            );
            first_row += span.needed;
        }
        let mut d_normed = vec![0f32; normed.len()];
        for part in predicted.chunks(LOGIT_ROWS) {
            let rows: Vec<f32> = part
                .iter()
                .flat_map(|&(row, _)| normed[row * width..(row + 1) * width].iter().copied())
                .collect();
            let mut logits = self.logits(&rows);
            for (row, &(_, id)) in logits.chunks_exact_mut(self.config.vocab_size).zip(part) {
                *loss -= f64::from(super::generation::log_softmax_at(row, id)) / total as f64;
                let seen = row.len();
                elementwise::softmax_row(row, seen);
                row[id] -= 1.0;
            }
            let mut d_rows = vec![0f32; rows.len()];
            let (left, right) = (
                View::rows(&logits, self.config.vocab_size),
                View::rows(self.head(), width),
            );
            let shape = (part.len(), width, self.config.vocab_size);
            matmul(
                &mut d_rows,
                width,
                Into::Replace,
                shape,
                left,
                right,
                1.0 / total as f32,
                Threads::All,
            );
            for (d_row, &(row, _)) in d_rows.chunks_exact(width).zip(part) {
                d_normed[row * width..(row + 1) * width].copy_from_slice(d_row);
            }
        }
        let mut dx = vec![0f32; x.len()];
        rms_norm_backward(&d_normed, &x, &self.norm, &inverse, &mut dx);
        for (layer, tape) in self.layers.iter().zip(tape).rev() {
            dx = layer.backward(&pass, dx, tape);
        }
        let slots = group.iter().flat_map(|sequence| &sequence.slots);
        for (slot, d_row) in slots.zip(dx.chunks_exact(width)) {
            if let Slot::Soft(row) = *slot {
                for (sum, d) in gradient[row * width..(row + 1) * width].iter_mut().zip(d_row) {
                    *sum += d;
                }
            }
        }
    }
}

impl Reader for CpuReader {
    fn config(&self) -> &ReaderConfig {
        &self.config
    }

    fn embedding_table(&self) -> Result<Vec<f32>, ModelError> {
        Ok(self.embeddings.clone())
    }

    fn loss_and_gradient(&self, batch: &[Sequence], soft: &[f32]) -> Result<LossAndGradient, ModelError> {
        for sequence in batch {
            check_slots(&sequence.slots, soft, &self.config)?;
            check_predictions(sequence, &self.config)?;
        }
        let total: usize = batch.iter().map(|sequence| sequence.predictions.len()).sum();
        let mut result = LossAndGradient {
            loss: 0.0,
            gradient: vec![0.0; soft.len()],
        };
        let mut rest = batch;
        while !rest.is_empty() {
            let mut rows = 0;
            let fits = |sequence: &&Sequence| {
                rows += sequence.slots.len();
                rows <= ROWS_TOGETHER
            };
            let count = rest.iter().take_while(fits).count().max(1);
            let (group, behind) = rest.split_at(count);
            self.accumulate(group, soft, total.max(1), &mut result.loss, &mut result.gradient);
            rest = behind;
        }
        Ok(result)
    }

    fn session(&self) -> Box<dyn Session + '_> {
        let caches = self.layers.iter().map(|_| LayerCache::default()).collect();
        Box::new(CpuSession {
            reader: self,
            caches,
            position: 0,
        })
    }
}

/// KV caches of all layers.
struct CpuSession<'a> {
    reader: &'a CpuReader,
    caches: Vec<LayerCache>,
    position: usize,
}

impl Session for CpuSession<'_> {
    fn feed(&mut self, slots: &[Slot], soft: &[f32], outputs: usize) -> Result<Output, ModelError> {
        let reader = self.reader;
        check_slots(slots, soft, &reader.config)?;
        if slots.is_empty() || outputs > slots.len() {
            return Err(ModelError::Prompt(format!(
                "{outputs} outputs were asked of {} positions",
                slots.len()
            )));
        }
        let spans = [Span {
            rows: slots.len(),
            needed: outputs,
        }];
        let positions = self.position..self.position + slots.len();
        let rotation = Rotation::new(positions, reader.config.head_dim, reader.config.rope_theta);
        let pass = Pass {
            sizes: reader.sizes,
            spans: &spans,
            rotation: &rotation,
        };
        let mut x = Vec::with_capacity(slots.len() * reader.config.hidden);
        reader.embed(slots, soft, &mut x);
        for (index, (layer, cache)) in reader.layers.iter().zip(&mut self.caches).enumerate() {
            let last = index + 1 == reader.layers.len();
            x = layer.forward(&pass, x, Some(cache), last, None);
        }
        self.position += slots.len();
        let mut hidden = vec![0f32; x.len()];
        rms_norm(&x, &reader.norm, reader.config.rms_eps, &mut hidden);
        let logits = reader.logits(&hidden);
        Ok(Output { hidden, logits })
    }

    fn position(&self) -> usize {
        self.position
    }

    fn truncate(&mut self, length: usize) -> Result<(), ModelError> {
        let width = self.reader.config.kv_heads * self.reader.config.head_dim;
        for cache in &mut self.caches {
            cache.keys.truncate(length * width);
            cache.values.truncate(length * width);
        }
        self.position = self.position.min(length);
        Ok(())
    }
}
