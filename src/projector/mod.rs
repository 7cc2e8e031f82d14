//! The projector: the only trained part. It maps one encoder vector to one soft token (LLavaCode, table 2; method.md A3), or to
//! several.

mod embeddings;
mod error;
mod initial;
mod scale;

use std::collections::HashMap;

use candle_core::{DType, Device, Tensor, Var};
use candle_nn::ops::layer_norm_slow;

use crate::experiment::{OutputScale, ProjectorSettings};

pub use embeddings::TokenEmbeddings;
pub use error::ProjectorError;
pub use initial::normal;

/// What layer normalisation adds to the variance.
const EPSILON: f32 = 1e-5;

/// Name of the trained gain of `output_scale = "learned"`.
const GAIN: &str = "scale";

/// Name of the weight past the layers, of `skip = true`.
const SKIP: &str = "skip.weight";

/// Share that the last layer's first weights keep where a copy of the vector goes past it.
const BESIDE_SKIP: f64 = 0.01;

/// Linear-GELU-LayerNorm blocks and a last Linear, with a linear layer past them if asked for, whose outputs are cut into soft tokens and, if asked for, rescaled.
pub struct Projector {
    depth: usize,
    reader_width: usize,
    tokens_per_chunk: usize,
    /// The norm that soft tokens are given.
    norm: Option<f64>,
    /// Sorted by name.
    parameters: Vec<(String, Var)>,
}

impl Projector {
    /// The paper's untrained projector: one soft token a chunk, not rescaled.
    pub fn new(
        encoder_width: usize,
        reader_width: usize,
        depth: usize,
        seed: u64,
        device: &Device,
    ) -> Result<Self, ProjectorError> {
        let settings = ProjectorSettings {
            depth,
            ..ProjectorSettings::default()
        };
        Self::from_settings(&settings, [encoder_width, reader_width], 1.0, seed, device)
    }

    /// An untrained projector: weights N(0, 0.02), biases 0, norms (1, 0), gain 1. Equal seeds give equal weights.
    ///
    /// Depth 2 has layers (encoder, reader, reader), 3 has (encoder, 2 reader, 2 reader, reader); the last is as many times as
    /// wide as a chunk has soft tokens. `token_norm` is the mean norm of the reader's token embeddings, for the output scale.
    pub fn from_settings(
        settings: &ProjectorSettings,
        [encoder_width, reader_width]: [usize; 2],
        token_norm: f32,
        seed: u64,
        device: &Device,
    ) -> Result<Self, ProjectorError> {
        let ProjectorSettings {
            depth,
            tokens_per_chunk,
            output_scale,
            skip,
            ..
        } = *settings;
        let hidden = match depth {
            2 => vec![reader_width],
            3 => vec![2 * reader_width; 2],
            _ => return Err(ProjectorError::Depth(depth)),
        };
        let widths: Vec<usize> = std::iter::once(encoder_width)
            .chain(hidden)
            .chain(std::iter::once(tokens_per_chunk * reader_width))
            .collect();
        let mut parameters = initial::parameters(&widths, seed, device)?;
        if skip {
            let outputs = tokens_per_chunk * reader_width;
            let weight = initial::copy_of_the_last(encoder_width, outputs, reader_width, device)?;
            parameters.push((SKIP.to_owned(), weight));
            // What is copied would drown in random numbers; zeros would keep the gradient from the layers before.
            let last = format!("linears.{}.weight", depth - 1);
            for (_, var) in parameters.iter().filter(|(name, _)| *name == last) {
                var.set(&(var.as_detached_tensor() * BESIDE_SKIP)?)?;
            }
        }
        if output_scale == OutputScale::Learned {
            let one = Tensor::from_vec(vec![1f32], 1, device)?;
            parameters.push((GAIN.to_owned(), Var::from_tensor(&one)?));
        }
        parameters.sort_by(|(a, _), (b, _)| a.cmp(b));
        Ok(Self {
            depth,
            reader_width,
            tokens_per_chunk,
            norm: (output_scale != OutputScale::Off).then_some(f64::from(token_norm)),
            parameters,
        })
    }

    /// Soft tokens that one chunk becomes.
    pub fn tokens_per_chunk(&self) -> usize {
        self.tokens_per_chunk
    }

    /// Soft tokens `[chunks * tokens per chunk, reader width]` of encoder vectors `[chunks, encoder width]`, those of a chunk one
    /// after the other; differentiable in the parameters and in `x`.
    pub fn forward(&self, x: &Tensor) -> Result<Tensor, ProjectorError> {
        let rows = self.outputs(x)?.reshape(((), self.reader_width))?;
        match self.norm {
            Some(norm) => Ok(scale::rescale(&rows, norm, self.find(GAIN))?),
            None => Ok(rows),
        }
    }

    /// One vector a chunk, `[chunks, tokens per chunk * reader width]`, of soft tokens as [`Self::forward`] gives them: what
    /// alignment and probes compare with the encoder's vector. The chunk's soft tokens stand side by side, so that a cosine is
    /// the mean over their places (a mean of the soft tokens would lose what they do not share, and look collapsed), divided by the
    /// root of their number, so that the norm is theirs. One soft token a chunk is left as it is.
    pub fn chunk_vectors(&self, soft: &Tensor) -> Result<Tensor, ProjectorError> {
        if self.tokens_per_chunk == 1 {
            return Ok(soft.clone());
        }
        let together = soft.reshape(((), self.tokens_per_chunk * self.reader_width))?;
        Ok((together / (self.tokens_per_chunk as f64).sqrt())?)
    }

    /// What the last layer gives, `[chunks, tokens per chunk * reader width]`.
    fn outputs(&self, x: &Tensor) -> Result<Tensor, ProjectorError> {
        let last = self.depth - 1;
        let input = x;
        let mut x = x.clone();
        for layer in 0..last {
            let hidden = self.linear(layer, &x)?.gelu_erf()?;
            // candle's fused layer norm has no gradient, and says nothing about it.
            x = layer_norm_slow(
                &hidden,
                self.get(&format!("norms.{layer}.weight"))?,
                self.get(&format!("norms.{layer}.bias"))?,
                EPSILON,
            )?;
        }
        let outputs = self.linear(last, &x)?;
        match self.find(SKIP) {
            Some(weight) => Ok((outputs + input.matmul(&weight.t()?)?)?),
            None => Ok(outputs),
        }
    }

    /// The trained tensors, sorted by name: `linears.0.bias`, `linears.0.weight`, ..., `norms.0.weight`, `scale` if it is
    /// learned, and `skip.weight` if there is one.
    pub fn parameters(&self) -> &[(String, Var)] {
        &self.parameters
    }

    /// Numbers that are trained.
    pub fn parameter_count(&self) -> usize {
        self.parameters.iter().map(|(_, var)| var.elem_count()).sum()
    }

    /// Rescales the last linear layer, and what goes past it, so that its outputs for `sample` `[rows, encoder width]` have the mean `mean` `[reader width]`
    /// at each place in a chunk, and a mean distance to it of `deviation`: a frozen reader answers best to vectors that lie where
    /// its token embeddings lie (science.md 4). The output scale, if any, comes behind.
    pub fn match_embeddings(&mut self, sample: &Tensor, mean: &[f32], deviation: f32) -> Result<(), ProjectorError> {
        let outputs = self.outputs(sample)?.detach();
        let centre = outputs.mean_keepdim(0)?;
        let distances = outputs.broadcast_sub(&centre)?.reshape(((), self.reader_width))?;
        let spread = distances.sqr()?.sum(1)?.sqrt()?.mean_all()?;
        let spread = spread.to_scalar::<f32>()?;
        if !(spread.is_finite() && spread > 0.0) {
            return Err(ProjectorError::NoSpread(spread));
        }
        let scale = f64::from(deviation / spread);
        let layer = self.depth - 1;
        let weight = self.get(&format!("linears.{layer}.weight"))?;
        let bias = self.get(&format!("linears.{layer}.bias"))?;
        let mean = Tensor::from_slice(mean, mean.len(), sample.device())?.repeat(self.tokens_per_chunk)?;
        let without_bias = centre.squeeze(0)?.sub(bias)?.detach();
        bias.set(&(mean - (without_bias * scale)?)?)?;
        for weight in std::iter::once(weight).chain(self.find(SKIP)) {
            weight.set(&(weight.as_detached_tensor() * scale)?)?;
        }
        Ok(())
    }

    /// Every parameter by name, without its gradient, in the order of [`Self::parameters`].
    pub fn tensors(&self) -> Vec<(String, Tensor)> {
        let named = |(name, var): &(String, Var)| (name.clone(), var.as_detached_tensor());
        self.parameters.iter().map(named).collect()
    }

    /// Takes every parameter from `tensors`; names that it does not know are left alone. Nothing changes when one is wrong.
    pub fn load_tensors(&mut self, tensors: &HashMap<String, Tensor>) -> Result<(), ProjectorError> {
        if tensors.contains_key(GAIN) && self.find(GAIN).is_none() {
            return Err(ProjectorError::Scaled);
        }
        let mut values = Vec::with_capacity(self.parameters.len());
        for (name, var) in &self.parameters {
            let Some(tensor) = tensors.get(name) else {
                return Err(ProjectorError::Missing(name.clone()));
            };
            if tensor.shape() != var.shape() {
                if let Some(found) = self.other_tokens_per_chunk(name, tensor) {
                    let expected = self.tokens_per_chunk;
                    return Err(ProjectorError::TokensPerChunk { found, expected });
                }
                return Err(ProjectorError::Shape {
                    name: name.clone(),
                    found: tensor.dims().to_vec(),
                    expected: var.dims().to_vec(),
                });
            }
            // A copy: the tensor may share its memory with the parameter, as those of `Self::tensors` do.
            values.push((var, tensor.to_dtype(DType::F32)?.to_device(var.device())?.copy()?));
        }
        for (var, value) in values {
            var.set(&value)?;
        }
        Ok(())
    }

    /// How many soft tokens a chunk a last layer makes that differs in nothing else; the layers before it have been compared.
    fn other_tokens_per_chunk(&self, name: &str, tensor: &Tensor) -> Option<usize> {
        let last = name == format!("linears.{}.bias", self.depth - 1);
        let outputs = tensor.dims1().ok().filter(|_| last)?;
        outputs
            .is_multiple_of(self.reader_width)
            .then(|| outputs / self.reader_width)
    }

    fn linear(&self, layer: usize, x: &Tensor) -> Result<Tensor, ProjectorError> {
        let weight = self.get(&format!("linears.{layer}.weight"))?;
        let bias = self.get(&format!("linears.{layer}.bias"))?;
        Ok(x.matmul(&weight.t()?)?.broadcast_add(bias)?)
    }

    fn get(&self, name: &str) -> Result<&Var, ProjectorError> {
        self.find(name).ok_or_else(|| ProjectorError::Missing(name.to_owned()))
    }

    fn find(&self, name: &str) -> Option<&Var> {
        let found = self.parameters.iter().find(|(known, _)| known == name);
        found.map(|(_, var)| var)
    }
}
