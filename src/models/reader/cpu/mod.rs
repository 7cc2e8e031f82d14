//! The reader on the CPU, outside autograd: no gradient of a frozen weight is computed or kept.

mod attention;
mod attention_backward;
mod buffer;
mod elementwise;
mod gradient;
mod kept;
mod layer;
mod matmul;
mod matrix;
mod session;
mod span;

use std::path::Path;
use std::sync::Arc;

use candle_core::Tensor;

use super::input::check_texts;
use super::packed::{Format, Packed};
use super::weights::{LayerWeights, Weight};
use super::{LogitLoss, LossAndGradient, Reader, ReaderConfig, ReaderWeights, Sequence, Session, Slot};
use crate::models::ModelError;
use buffer::Buffer;
pub use elementwise::softmax_row;
use elementwise::{Rotation, rms_norm};
use kept::{ContextStore, KeptContext, PlacedContext};
use layer::{Layer, LayerCache, Pass, Sizes};
use matmul::Threads;
use matrix::{Matrix, Purpose};
use session::CpuSession;
use span::Span;

/// Rows run together in training: enough to keep matrix products busy, few enough to bound the tape (about 23 kB a row and
/// layer for a hidden size of 576).
const ROWS_TOGETHER: usize = 448;

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
                down: stacked(&[&weights.down])?.laid_out_for_long_rows(),
            })
        };
        matmul::prepare();
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
            rows.extend_from_slice(match slot {
                Slot::Token(id) => self.embeddings.row(id as usize),
                Slot::Soft(row) => &soft[row * width..(row + 1) * width],
            });
        }
    }

    /// Whether a layer is the last: only needed rows come out of it.
    fn is_last(&self, index: usize) -> bool {
        index + 1 == self.layers.len()
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

    /// The keys and values of a context, computed behind the longest beginning of it that is kept.
    fn continued_context(&self, tokens: &[u32]) -> Arc<KeptContext> {
        if let Some(whole) = self.contexts.get(tokens) {
            return whole;
        }
        if let Some((context, shared)) = self.contexts.beginning(tokens) {
            if shared == tokens.len() && context.tokens() == shared {
                return context;
            }
            // The last token is computed in any case: a pass needs a row.
            let held = shared.min(tokens.len() - 1);
            let rows = self.rows_behind(&PlacedContext::new(context, 0), held, &tokens[held..]);
            return self.contexts.put_continued(tokens, rows);
        }
        let rows = self.context_rows(&[tokens]).into_iter().flatten().collect();
        self.contexts.put(tokens, rows)
    }

    /// Rows `[keys | values]` of every layer: the first `held` of a context, and those of tokens behind them.
    fn rows_behind(&self, context: &PlacedContext, held: usize, behind: &[u32]) -> Vec<f32> {
        let spans = [Span::plain(behind.len(), 0)];
        let rotation = self.rotation(held..held + behind.len());
        let pass = Pass {
            sizes: self.sizes,
            spans: &spans,
            rotation: &rotation,
            purpose: Purpose::Inference,
            threads: Threads::All,
        };
        let mut embedded = Vec::new();
        self.embed(behind.iter().map(|&id| Slot::Token(id)), &[], &mut embedded);
        let mut x = Buffer::copy_of(&embedded);
        let width = 2 * self.sizes.key_width();
        let mut rows = Vec::with_capacity(self.layers.len() * (held + behind.len()) * width);
        for (index, layer) in self.layers.iter().enumerate() {
            let mut cache = LayerCache {
                rows: vec![0.0; context.tokens() * width],
            };
            context.rows(index, &mut cache.rows);
            cache.rows.truncate(held * width);
            let last = self.is_last(index);
            x = layer.forward(&pass, x, index, last, Some(vec![&mut cache]), None);
            rows.extend(cache.rows);
        }
        rows
    }

    /// Rows `[keys | values]` of every layer for each of some texts, each text on its own.
    fn context_rows(&self, texts: &[&[u32]]) -> Vec<Vec<f32>> {
        let mut kept = vec![Vec::new(); texts.len()];
        self.read_texts(texts, Some(&mut kept));
        kept
    }

    /// Rows behind the last layer of some texts, each text on its own; or, if that is what is wanted, the rows
    /// `[keys | values]` of every layer for each text.
    fn read_texts(&self, texts: &[&[u32]], mut kept: Option<&mut [Vec<f32>]>) -> Buffer {
        let needed = |text: &[u32]| if kept.is_some() { 0 } else { text.len() };
        let spans: Vec<Span> = texts.iter().map(|text| Span::plain(text.len(), needed(text))).collect();
        let rotation = self.rotation(texts.iter().flat_map(|text| 0..text.len()));
        let pass = Pass {
            sizes: self.sizes,
            spans: &spans,
            rotation: &rotation,
            purpose: Purpose::Training,
            threads: Threads::All,
        };
        let mut rows = Vec::new();
        for text in texts {
            self.embed(text.iter().map(|&id| Slot::Token(id)), &[], &mut rows);
        }
        let mut x = Buffer::copy_of(&rows);
        for (index, layer) in self.layers.iter().enumerate() {
            let mut caches = kept.as_ref().map(|kept| vec![LayerCache::default(); kept.len()]);
            let borrowed = caches.as_mut().map(|caches| caches.iter_mut().collect());
            x = layer.forward(&pass, x, index, self.is_last(index), borrowed, None);
            for (kept, cache) in kept
                .iter_mut()
                .flat_map(|kept| kept.iter_mut())
                .zip(caches.into_iter().flatten())
            {
                kept.extend(cache.rows);
            }
        }
        x
    }

    /// Hidden states of checked texts, as many together as fit.
    fn hidden_of(&self, texts: &[&[u32]]) -> Vec<Vec<f32>> {
        let mut states = Vec::with_capacity(texts.len());
        while states.len() < texts.len() {
            let mut rows = 0;
            let fits = |text: &&&[u32]| {
                rows += text.len();
                rows <= ROWS_TOGETHER
            };
            let rest = &texts[states.len()..];
            let group = &rest[..rest.iter().take_while(fits).count().max(1)];
            let x = self.read_texts(group, None);
            let mut hidden = Buffer::stale(x.len());
            rms_norm(&x, &self.norm, self.config.rms_eps, &mut hidden);
            let mut hidden = &hidden[..];
            for text in group {
                let (own, others) = hidden.split_at(text.len() * self.config.hidden);
                states.push(own.to_vec());
                hidden = others;
            }
        }
        states
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

    fn embeddings(&self, ids: &[u32]) -> Result<Vec<f32>, ModelError> {
        check_texts(&[ids], &self.config)?;
        let mut rows = Vec::with_capacity(ids.len() * self.config.hidden);
        self.embed(ids.iter().map(|&id| Slot::Token(id)), &[], &mut rows);
        Ok(rows)
    }

    fn hidden_states(&self, texts: &[&[u32]]) -> Result<Vec<Vec<f32>>, ModelError> {
        check_texts(texts, &self.config)?;
        // As in `backward`.
        Ok(rayon::scope(|_| self.hidden_of(texts)))
    }

    fn backward(
        &self,
        batch: &[Sequence],
        soft: &[f32],
        loss: &mut dyn LogitLoss,
    ) -> Result<LossAndGradient, ModelError> {
        // Inside the pool, where handing out a part of a product does not wake a thread.
        rayon::scope(|_| self.loss_and_gradient_of(batch, soft, loss))
    }

    fn session(&self, members: usize) -> Box<dyn Session + '_> {
        Box::new(CpuSession::new(self, members))
    }

    fn keep_contexts_in(&mut self, folder: &Path) {
        self.contexts.keep_in(folder);
    }
}
