//! The reader as plain candle operations under autograd, on any device.
//!
//! Only operations that have a gradient are used: candle's fused norms, softmax and rotary embedding cut the graph without
//! a word.

use candle_core::{D, DType, Device, Tensor, Var};
use candle_nn::{ops, rotary_emb};

use super::weights::LayerWeights;
use super::{
    LossAndGradient, Output, Reader, ReaderConfig, ReaderWeights, Sequence, Session, Slot, check_predictions,
    check_slots,
};
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
        let mut layers = Vec::with_capacity(weights.layers.len());
        for layer in &weights.layers {
            layers.push(LayerWeights {
                attention_norm: to(&layer.attention_norm)?,
                query: to(&layer.query)?,
                key: to(&layer.key)?,
                value: to(&layer.value)?,
                biases: match &layer.biases {
                    Some([q, k, v]) => Some([to(q)?, to(k)?, to(v)?]),
                    None => None,
                },
                head_norms: match &layer.head_norms {
                    Some([q, k]) => Some([to(q)?, to(k)?]),
                    None => None,
                },
                output: to(&layer.output)?,
                mlp_norm: to(&layer.mlp_norm)?,
                gate: to(&layer.gate)?,
                up: to(&layer.up)?,
                down: to(&layer.down)?,
            });
        }
        let weights = ReaderWeights {
            embeddings: to(&weights.embeddings)?,
            norm: to(&weights.norm)?,
            head: weights.head.as_ref().map(to).transpose()?,
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
            .index_select(&Tensor::new(ids.as_slice(), &self.device)?, 0)?;
        let rows = match soft {
            Some(soft) => Tensor::cat(&[&rows, soft], 0)?,
            None => rows,
        };
        let rows = rows.index_select(&Tensor::new(order.as_slice(), &self.device)?, 0)?;
        Ok(rows.reshape((batch.len(), longest, self.weights.config.hidden))?)
    }

    /// Last hidden states behind the last norm, `[batch, positions, hidden]`.
    fn forward(&self, mut x: Tensor, past: usize, caches: &mut [Cache]) -> Result<Tensor, ModelError> {
        let config = &self.weights.config;
        let positions = x.dim(1)?;
        let (cos, sin) = self.rotation(past, positions)?;
        let mask = self.mask(past, positions)?;
        for (layer, cache) in self.weights.layers.iter().zip(caches) {
            let normed = ops::rms_norm_slow(&x, &layer.attention_norm, config.rms_eps)?;
            x = (x + self.attention(layer, &normed, &cos, &sin, &mask, cache)?)?;
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
        let project = |weight: &Tensor, bias: Option<&Tensor>, heads: usize| -> Result<Tensor, ModelError> {
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
        query = rotary_emb::rope_slow(&query, cos, sin)?;
        key = rotary_emb::rope_slow(&key, cos, sin)?;
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

    fn rotation(&self, past: usize, positions: usize) -> Result<(Tensor, Tensor), ModelError> {
        let config = &self.weights.config;
        let half = config.head_dim / 2;
        let angles: Vec<f32> = (past..past + positions)
            .flat_map(|position| {
                (0..half).map(move |j| {
                    position as f32 * config.rope_theta.powf(-2.0 * j as f64 / config.head_dim as f64) as f32
                })
            })
            .collect();
        let angles = Tensor::from_vec(angles, (positions, half), &self.device)?;
        Ok((angles.cos()?, angles.sin()?))
    }

    /// `[positions, past + positions]`: minus infinity where a key stands behind its query.
    fn mask(&self, past: usize, positions: usize) -> Result<Tensor, ModelError> {
        let keys = past + positions;
        let mask: Vec<f32> = (0..positions)
            .flat_map(|query| (0..keys).map(move |key| if key > past + query { f32::NEG_INFINITY } else { 0.0 }))
            .collect();
        Ok(Tensor::from_vec(mask, (positions, keys), &self.device)?)
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
fn linear(x: &Tensor, weight: &Tensor) -> Result<Tensor, ModelError> {
    let mut dims = x.dims().to_vec();
    let rows = x.flatten_to(D::Minus2)?.matmul(&weight.t()?)?;
    if let Some(width) = dims.last_mut() {
        *width = weight.dim(0)?;
    }
    Ok(rows.reshape(dims)?)
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

    fn embedding_table(&self) -> Result<Vec<f32>, ModelError> {
        Ok(self.weights.embeddings.flatten_all()?.to_vec1()?)
    }

    fn loss_and_gradient(&self, batch: &[Sequence], soft: &[f32]) -> Result<LossAndGradient, ModelError> {
        for sequence in batch {
            check_slots(&sequence.slots, soft, &self.weights.config)?;
            check_predictions(sequence, &self.weights.config)?;
        }
        let soft = match self.soft_tensor(soft)? {
            Some(soft) => Some(Var::from_tensor(&soft)?),
            None => None,
        };
        let slots: Vec<&[Slot]> = batch.iter().map(|sequence| sequence.slots.as_slice()).collect();
        let x = self.embed(&slots, soft.as_deref())?;
        let longest = x.dim(1)?;
        // Padding stands behind every real position, so the causal mask hides it.
        let mut caches: Vec<Cache> = self.weights.layers.iter().map(|_| None).collect();
        let hidden = self.forward(x, 0, &mut caches)?.flatten_to(1)?;
        drop(caches);
        let (mut rows, mut ids) = (Vec::new(), Vec::new());
        for (index, sequence) in batch.iter().enumerate() {
            for &(position, id) in &sequence.predictions {
                rows.push((index * longest + position) as u32);
                ids.push(id);
            }
        }
        let rows = hidden.index_select(&Tensor::new(rows.as_slice(), &self.device)?, 0)?;
        let loss = candle_nn::loss::cross_entropy(&self.logits(&rows)?, &Tensor::new(ids.as_slice(), &self.device)?)?;
        let gradient = match &soft {
            Some(soft) => match loss.backward()?.get(soft) {
                Some(gradient) => gradient.flatten_all()?.to_dtype(DType::F32)?.to_vec1()?,
                None => vec![0.0; soft.elem_count()],
            },
            None => Vec::new(),
        };
        Ok(LossAndGradient {
            loss: f64::from(loss.to_scalar::<f32>()?),
            gradient,
        })
    }

    fn session(&self) -> Box<dyn Session + '_> {
        let caches = self.weights.layers.iter().map(|_| None).collect();
        Box::new(ComposedSession {
            reader: self,
            caches,
            position: 0,
        })
    }
}

struct ComposedSession<'a> {
    reader: &'a ComposedReader,
    caches: Vec<Cache>,
    position: usize,
}

impl Session for ComposedSession<'_> {
    fn feed(&mut self, slots: &[Slot], soft: &[f32], outputs: usize) -> Result<Output, ModelError> {
        let reader = self.reader;
        check_slots(slots, soft, &reader.weights.config)?;
        if slots.is_empty() || outputs > slots.len() {
            return Err(ModelError::Prompt(format!(
                "{outputs} outputs were asked of {} positions",
                slots.len()
            )));
        }
        let x = reader.embed(&[slots], reader.soft_tensor(soft)?.as_ref())?;
        let hidden = reader.forward(x, self.position, &mut self.caches)?;
        self.position += slots.len();
        let hidden = hidden
            .narrow(1, slots.len() - outputs, outputs)?
            .flatten_to(1)?
            .contiguous()?;
        let logits = reader.logits(&hidden)?;
        Ok(Output {
            hidden: hidden.flatten_all()?.to_vec1()?,
            logits: logits.flatten_all()?.to_vec1()?,
        })
    }

    fn position(&self) -> usize {
        self.position
    }

    fn truncate(&mut self, length: usize) -> Result<(), ModelError> {
        self.position = self.position.min(length);
        for cache in &mut self.caches {
            *cache = match cache.take() {
                Some((keys, values)) if self.position > 0 => Some((
                    keys.narrow(2, 0, self.position)?.contiguous()?,
                    values.narrow(2, 0, self.position)?.contiguous()?,
                )),
                _ => None,
            };
        }
        Ok(())
    }
}
