//! The reader as plain candle operations under autograd, on any device.
//!
//! Only operations that have a gradient are used: candle's fused norms, softmax and rotary embedding cut the graph without
//! a word.

use std::path::Path;

use candle_core::{D, DType, Device, Tensor, Var};
use candle_nn::ops;

use super::input::check_texts;
use super::weights::{LayerWeights, Weight};
use super::{Feed, LogitLoss, LossAndGradient, Output, Reader, ReaderConfig, ReaderWeights, Sequence, Session, Slot};
use crate::models::ModelError;

/// A decoder of the llama, qwen2 or qwen3 family in f32 on a device.
pub struct ComposedReader {
    weights: ReaderWeights,
    device: Device,
}

/// Keys and values of one layer, `[batch, kv_heads, positions, head_dim]`.
type Cache = Option<(Tensor, Tensor)>;

impl ComposedReader {
    /// Moves loaded weights to a device.
    pub fn new(weights: ReaderWeights, device: &Device) -> Result<Self, ModelError> {
        let to = |tensor: &Tensor| tensor.to_device(device);
        let matrix = |weight: &Weight| -> Result<Weight, ModelError> {
            Ok(Weight {
                values: to(&weight.values)?,
                packed: None,
            })
        };
        let mut layers = Vec::with_capacity(weights.layers.len());
        for layer in &weights.layers {
            layers.push(LayerWeights {
                attention_norm: to(&layer.attention_norm)?,
                query: matrix(&layer.query)?,
                key: matrix(&layer.key)?,
                value: matrix(&layer.value)?,
                biases: match &layer.biases {
                    Some([q, k, v]) => Some([to(q)?, to(k)?, to(v)?]),
                    None => None,
                },
                head_norms: match &layer.head_norms {
                    Some([q, k]) => Some([to(q)?, to(k)?]),
                    None => None,
                },
                output: matrix(&layer.output)?,
                mlp_norm: to(&layer.mlp_norm)?,
                gate: matrix(&layer.gate)?,
                up: matrix(&layer.up)?,
                down: matrix(&layer.down)?,
            });
        }
        let weights = ReaderWeights {
            embeddings: matrix(&weights.embeddings)?,
            norm: to(&weights.norm)?,
            head: weights.head.as_ref().map(matrix).transpose()?,
            config: weights.config,
            layers,
        };
        Ok(Self {
            weights,
            device: device.clone(),
        })
    }

    /// Input embeddings of right-padded slots, `[batch, longest, hidden]`.
    fn embed(&self, batch: &[&[Slot]], soft: Option<&Tensor>) -> Result<Tensor, ModelError> {
        let longest = batch.iter().map(|slots| slots.len()).max().unwrap_or(0);
        let mut ids = vec![0u32];
        let tokens = batch
            .iter()
            .flat_map(|slots| slots.iter())
            .filter_map(|slot| match slot {
                Slot::Token(id) => Some(*id),
                Slot::Soft(_) => None,
            });
        ids.extend(tokens);
        let (mut order, mut next) = (Vec::with_capacity(batch.len() * longest), 1u32);
        for slots in batch {
            for slot in *slots {
                order.push(match *slot {
                    Slot::Token(_) => {
                        next += 1;
                        next - 1
                    }
                    Slot::Soft(row) => (ids.len() + row) as u32,
                });
            }
            order.resize(order.len() + longest - slots.len(), 0);
        }
        let rows = self
            .weights
            .embeddings
            .values
            .index_select(&Tensor::new(ids.as_slice(), &self.device)?, 0)?;
        let rows = match soft {
            Some(soft) => Tensor::cat(&[&rows, soft], 0)?,
            None => rows,
        };
        let rows = rows.index_select(&Tensor::new(order.as_slice(), &self.device)?, 0)?;
        Ok(rows.reshape((batch.len(), longest, self.weights.config.hidden))?)
    }

    /// Last hidden states behind the last norm, `[batch, positions, hidden]`.
    ///
    /// `mask` is `[batch, 1, rows, keys]`, `positions` are those of all rows, batch by batch.
    fn forward(
        &self,
        mut x: Tensor,
        positions: &[usize],
        mask: &Tensor,
        caches: &mut [Cache],
    ) -> Result<Tensor, ModelError> {
        let config = &self.weights.config;
        let (batch, rows, _) = x.dims3()?;
        let (cos, sin) = self.rotation(positions, batch, rows)?;
        for (layer, cache) in self.weights.layers.iter().zip(caches) {
            let normed = ops::rms_norm_slow(&x, &layer.attention_norm, config.rms_eps)?;
            x = (x + self.attention(layer, &normed, &cos, &sin, mask, cache)?)?;
            let normed = ops::rms_norm_slow(&x, &layer.mlp_norm, config.rms_eps)?;
            let activated = (linear(&normed, &layer.gate)?.silu()? * linear(&normed, &layer.up)?)?;
            x = (x + linear(&activated, &layer.down)?)?;
        }
        Ok(ops::rms_norm_slow(&x, &self.weights.norm, config.rms_eps)?)
    }

    fn attention(
        &self,
        layer: &LayerWeights,
        x: &Tensor,
        cos: &Tensor,
        sin: &Tensor,
        mask: &Tensor,
        cache: &mut Cache,
    ) -> Result<Tensor, ModelError> {
        let config = &self.weights.config;
        let (batch, positions, _) = x.dims3()?;
        let project = |weight: &Weight, bias: Option<&Tensor>, heads: usize| -> Result<Tensor, ModelError> {
            let mut out = linear(x, weight)?;
            if let Some(bias) = bias {
                out = out.broadcast_add(bias)?;
            }
            Ok(out
                .reshape((batch, positions, heads, config.head_dim))?
                .transpose(1, 2)?
                .contiguous()?)
        };
        let biases = layer.biases.as_ref();
        let mut query = project(&layer.query, biases.map(|b| &b[0]), config.heads)?;
        let mut key = project(&layer.key, biases.map(|b| &b[1]), config.kv_heads)?;
        let mut value = project(&layer.value, biases.map(|b| &b[2]), config.kv_heads)?;
        if let Some([query_norm, key_norm]) = &layer.head_norms {
            query = ops::rms_norm_slow(&query, query_norm, config.rms_eps)?;
            key = ops::rms_norm_slow(&key, key_norm, config.rms_eps)?;
        }
        query = rotate(&query, cos, sin)?;
        key = rotate(&key, cos, sin)?;
        if let Some((keys, values)) = cache {
            key = Tensor::cat(&[&*keys, &key], 2)?;
            value = Tensor::cat(&[&*values, &value], 2)?;
        }
        *cache = Some((key.clone(), value.clone()));
        let group = config.heads / config.kv_heads;
        let (key, value) = (repeat_heads(&key, group)?, repeat_heads(&value, group)?);
        let scale = 1.0 / (config.head_dim as f64).sqrt();
        let scores = (query.matmul(&key.t()?.contiguous()?)? * scale)?.broadcast_add(mask)?;
        let attended = ops::softmax(&scores, D::Minus1)?.matmul(&value)?;
        let rows = attended
            .transpose(1, 2)?
            .reshape((batch, positions, config.heads * config.head_dim))?;
        linear(&rows, &layer.output)
    }

    /// Cosines and sines, `[batch, rows, head_dim / 2]`.
    fn rotation(&self, positions: &[usize], batch: usize, rows: usize) -> Result<(Tensor, Tensor), ModelError> {
        let config = &self.weights.config;
        let half = config.head_dim / 2;
        let angles: Vec<f32> = positions
            .iter()
            .flat_map(|&position| {
                (0..half).map(move |j| {
                    position as f32 * config.rope_theta.powf(-2.0 * j as f64 / config.head_dim as f64) as f32
                })
            })
            .collect();
        let angles = Tensor::from_vec(angles, (batch, rows, half), &self.device)?;
        Ok((angles.cos()?, angles.sin()?))
    }

    /// `[batch, 1, rows, keys]`: minus infinity where a row does not see a key.
    fn mask(
        &self,
        batch: usize,
        rows: usize,
        keys: usize,
        sees: impl Fn(usize, usize, usize) -> bool,
    ) -> Result<Tensor, ModelError> {
        let mut mask = Vec::with_capacity(batch * rows * keys);
        for sequence in 0..batch {
            for row in 0..rows {
                mask.extend((0..keys).map(|key| {
                    if sees(sequence, row, key) {
                        0.0
                    } else {
                        f32::NEG_INFINITY
                    }
                }));
            }
        }
        Ok(Tensor::from_vec(mask, (batch, 1, rows, keys), &self.device)?)
    }

    fn logits(&self, rows: &Tensor) -> Result<Tensor, ModelError> {
        linear(rows, self.weights.head.as_ref().unwrap_or(&self.weights.embeddings))
    }

    /// `[rows, hidden]`, or nothing without soft tokens: CUDA allocates no empty tensor.
    fn soft_tensor(&self, soft: &[f32]) -> Result<Option<Tensor>, ModelError> {
        if soft.is_empty() {
            return Ok(None);
        }
        let hidden = self.weights.config.hidden;
        let tensor = Tensor::from_slice(soft, (soft.len() / hidden, hidden), &self.device)?;
        Ok(Some(tensor))
    }
}

/// `x * weight^T` over the last dimension.
fn linear(x: &Tensor, Weight { values: weight, .. }: &Weight) -> Result<Tensor, ModelError> {
    let mut dims = x.dims().to_vec();
    let rows = x.flatten_to(D::Minus2)?.matmul(&weight.t()?)?;
    if let Some(width) = dims.last_mut() {
        *width = weight.dim(0)?;
    }
    Ok(rows.reshape(dims)?)
}

/// Rotary embedding of `[batch, heads, rows, head_dim]`, with angles of each row `[batch, rows, head_dim / 2]`.
fn rotate(x: &Tensor, cos: &Tensor, sin: &Tensor) -> Result<Tensor, ModelError> {
    let half = x.dim(D::Minus1)? / 2;
    let (cos, sin) = (cos.unsqueeze(1)?, sin.unsqueeze(1)?);
    let (a, b) = (x.narrow(D::Minus1, 0, half)?, x.narrow(D::Minus1, half, half)?);
    let first = (a.broadcast_mul(&cos)? - b.broadcast_mul(&sin)?)?;
    let second = (b.broadcast_mul(&cos)? + a.broadcast_mul(&sin)?)?;
    Ok(Tensor::cat(&[&first, &second], D::Minus1)?)
}

/// Each key head `group` times, in a row.
fn repeat_heads(x: &Tensor, group: usize) -> Result<Tensor, ModelError> {
    let (batch, heads, positions, width) = x.dims4()?;
    let x = x.unsqueeze(2)?.expand((batch, heads, group, positions, width))?;
    Ok(x.contiguous()?.reshape((batch, heads * group, positions, width))?)
}

impl Reader for ComposedReader {
    fn config(&self) -> &ReaderConfig {
        &self.weights.config
    }

    fn embeddings(&self, ids: &[u32]) -> Result<Vec<f32>, ModelError> {
        check_texts(&[ids], &self.weights.config)?;
        let rows = self
            .weights
            .embeddings
            .values
            .index_select(&Tensor::new(ids, &self.device)?, 0)?;
        Ok(rows.flatten_all()?.to_vec1()?)
    }

    fn hidden_states(&self, texts: &[&[u32]]) -> Result<Vec<Vec<f32>>, ModelError> {
        check_texts(texts, &self.weights.config)?;
        let slots: Vec<Vec<Slot>> = texts
            .iter()
            .map(|text| text.iter().map(|&id| Slot::Token(id)).collect())
            .collect();
        let x = self.embed(&slots.iter().map(Vec::as_slice).collect::<Vec<_>>(), None)?;
        let longest = x.dim(1)?;
        let positions: Vec<usize> = texts.iter().flat_map(|_| 0..longest).collect();
        let mask = self.mask(texts.len(), longest, longest, |_, row, key| key <= row)?;
        let mut caches: Vec<Cache> = self.weights.layers.iter().map(|_| None).collect();
        let hidden = self.forward(x, &positions, &mask, &mut caches)?;
        let of = |(index, text): (usize, &&[u32])| {
            Ok(hidden.get(index)?.narrow(0, 0, text.len())?.flatten_all()?.to_vec1()?)
        };
        texts.iter().enumerate().map(of).collect()
    }

    fn backward(
        &self,
        batch: &[Sequence],
        soft: &[f32],
        loss: &mut dyn LogitLoss,
    ) -> Result<LossAndGradient, ModelError> {
        for sequence in batch {
            sequence.check(soft, &self.weights.config)?;
        }
        let soft = match self.soft_tensor(soft)? {
            Some(soft) => Some(Var::from_tensor(&soft)?),
            None => None,
        };
        let rows: Vec<Vec<(Option<usize>, Slot, usize)>> =
            batch.iter().map(|sequence| sequence.rows().collect()).collect();
        let slots: Vec<Vec<Slot>> = rows.iter().map(|rows| rows.iter().map(|row| row.1).collect()).collect();
        let x = self.embed(&slots.iter().map(Vec::as_slice).collect::<Vec<_>>(), soft.as_deref())?;
        let longest = x.dim(1)?;
        let positions: Vec<usize> = rows
            .iter()
            .flat_map(|rows| (0..longest).map(|row| rows.get(row).map_or(0, |row| row.2)))
            .collect();
        // Padding stands behind every real row, and sees only what stands before it, so no row of it is all minus infinity.
        let sees = |index: usize, row: usize, key: usize| {
            let rows = &rows[index];
            key <= row && (row >= rows.len() || batch[index].sees((rows[row].0, row), (rows[key].0, key)))
        };
        let mask = self.mask(batch.len(), longest, longest, sees)?;
        let mut caches: Vec<Cache> = self.weights.layers.iter().map(|_| None).collect();
        let hidden = self.forward(x, &positions, &mask, &mut caches)?.flatten_to(1)?;
        drop(caches);
        let mut predicted = Vec::new();
        for (index, sequence) in batch.iter().enumerate() {
            for (number, prediction) in sequence.predictions.iter().enumerate() {
                predicted.push((
                    index,
                    number,
                    prediction.token,
                    (index * longest + prediction.row) as u32,
                ));
            }
        }
        let at: Vec<u32> = predicted.iter().map(|one| one.3).collect();
        let hidden = hidden.index_select(&Tensor::new(at.as_slice(), &self.device)?, 0)?;
        let logits = self.logits(&hidden)?;
        let shape = logits.dims2()?;
        let mut values: Vec<f32> = logits.detach().flatten_all()?.to_vec1()?;
        let mut total = 0.0;
        for (&(sequence, number, token, _), row) in predicted.iter().zip(values.chunks_exact_mut(shape.1)) {
            total += loss.row(sequence, number, token, row);
        }
        // The loss gives its gradient ready-made; this product hands it to the graph.
        let given = Tensor::from_vec(values, shape, &self.device)?;
        let gradient = match &soft {
            Some(soft) => match (logits * given)?.sum_all()?.backward()?.get(soft) {
                Some(gradient) => gradient.flatten_all()?.to_dtype(DType::F32)?.to_vec1()?,
                None => vec![0.0; soft.elem_count()],
            },
            None => Vec::new(),
        };
        Ok(LossAndGradient { loss: total, gradient })
    }

    fn session(&self, members: usize) -> Box<dyn Session + '_> {
        let member = Member {
            caches: self.weights.layers.iter().map(|_| None).collect(),
            position: 0,
            apart: 0,
        };
        Box::new(ComposedSession {
            reader: self,
            members: vec![member; members],
        })
    }

    /// What stands apart is computed with the rest here: nothing is kept.
    fn keep_contexts_in(&mut self, _: &Path) {}
}

struct ComposedSession<'a> {
    reader: &'a ComposedReader,
    members: Vec<Member>,
}

#[derive(Clone)]
struct Member {
    caches: Vec<Cache>,
    position: usize,
    /// End of what stands apart: the positions before it cannot be cut off one by one.
    apart: usize,
}

impl ComposedSession<'_> {
    fn member(&mut self, index: usize) -> Result<&mut Member, ModelError> {
        let members = self.members.len();
        self.members
            .get_mut(index)
            .ok_or_else(|| ModelError::Prompt(format!("member {index} of a session of {members}")))
    }

    fn feed_one(&mut self, feed: &Feed<'_>, soft: &[f32]) -> Result<Output, ModelError> {
        let reader = self.reader;
        let member = self.member(feed.member)?;
        feed.check(soft, member.position, &reader.weights.config)?;
        let (past, rows) = (member.position, feed.slots.len());
        let x = reader.embed(&[feed.slots], reader.soft_tensor(soft)?.as_ref())?;
        let apart = feed.apart.clone().unwrap_or(0..0);
        let mask = reader.mask(1, rows, past + rows, |_, row, key| {
            key <= past + row && (!apart.contains(&row) || key >= apart.start)
        })?;
        let positions: Vec<usize> = (past..past + rows).collect();
        let hidden = reader.forward(x, &positions, &mask, &mut member.caches)?;
        member.position += rows;
        member.apart = member.apart.max(apart.end);
        if feed.outputs == 0 {
            return Ok(Output {
                hidden: Vec::new(),
                logits: Vec::new(),
            });
        }
        let hidden = hidden
            .narrow(1, rows - feed.outputs, feed.outputs)?
            .flatten_to(1)?
            .contiguous()?;
        let logits = reader.logits(&hidden)?;
        Ok(Output {
            hidden: hidden.flatten_all()?.to_vec1()?,
            logits: logits.flatten_all()?.to_vec1()?,
        })
    }
}

impl Session for ComposedSession<'_> {
    fn feed(&mut self, feeds: &[Feed<'_>], soft: &[f32]) -> Result<Vec<Output>, ModelError> {
        feeds.iter().map(|feed| self.feed_one(feed, soft)).collect()
    }

    fn position(&self, member: usize) -> usize {
        self.members.get(member).map_or(0, |member| member.position)
    }

    fn truncate(&mut self, member: usize, length: usize) -> Result<(), ModelError> {
        let member = self.member(member)?;
        let length = if length < member.apart { 0 } else { length };
        member.position = member.position.min(length);
        if member.position == 0 {
            member.apart = 0;
        }
        for cache in &mut member.caches {
            *cache = match cache.take() {
                Some((keys, values)) if member.position > 0 => Some((
                    keys.narrow(2, 0, member.position)?.contiguous()?,
                    values.narrow(2, 0, member.position)?.contiguous()?,
                )),
                _ => None,
            };
        }
        Ok(())
    }

    fn copy(&mut self, from: usize, to: usize) -> Result<(), ModelError> {
        let held = self.member(from)?.clone();
        *self.member(to)? = held;
        Ok(())
    }
}
