//! The projector: the only trained part. It maps one encoder vector to one soft token (LLavaCode, table 2; method.md A3).

mod error;
mod initial;

use std::collections::HashMap;

use candle_core::{DType, Device, Tensor, Var};
use candle_nn::ops::layer_norm_slow;

pub use error::ProjectorError;

/// What layer normalisation adds to the variance.
const EPSILON: f32 = 1e-5;

/// Linear-GELU-LayerNorm blocks and a last Linear.
pub struct Projector {
    depth: usize,
    /// Sorted by name.
    parameters: Vec<(String, Var)>,
}

impl Projector {
    /// An untrained projector from `encoder_width` to `reader_width` numbers: weights N(0, 0.02), biases 0, norms (1, 0).
    /// `depth` 2 has layers (encoder, reader, reader), 3 has (encoder, 2 reader, 2 reader, reader). Equal seeds give equal weights.
    pub fn new(
        encoder_width: usize,
        reader_width: usize,
        depth: usize,
        seed: u64,
        device: &Device,
    ) -> Result<Self, ProjectorError> {
        let hidden = match depth {
            2 => vec![reader_width],
            3 => vec![2 * reader_width; 2],
            _ => return Err(ProjectorError::Depth(depth)),
        };
        let widths: Vec<usize> = std::iter::once(encoder_width)
            .chain(hidden)
            .chain(std::iter::once(reader_width))
            .collect();
        let mut parameters = initial::parameters(&widths, seed, device)?;
        parameters.sort_by(|(a, _), (b, _)| a.cmp(b));
        Ok(Self { depth, parameters })
    }

    /// Soft tokens `[rows, reader width]` of encoder vectors `[rows, encoder width]`, differentiable in the parameters and in `x`.
    pub fn forward(&self, x: &Tensor) -> Result<Tensor, ProjectorError> {
        let last = self.depth - 1;
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
        self.linear(last, &x)
    }

    /// The trained tensors, sorted by name: `linears.0.bias`, `linears.0.weight`, ..., `norms.0.weight`.
    pub fn parameters(&self) -> &[(String, Var)] {
        &self.parameters
    }

    /// Numbers that are trained.
    pub fn parameter_count(&self) -> usize {
        self.parameters.iter().map(|(_, var)| var.elem_count()).sum()
    }

    /// Rescales the last linear layer so that the soft tokens of `sample` `[rows, encoder width]` have the mean `mean`
    /// `[reader width]`, and a mean distance to it of `deviation`: a frozen reader answers best to vectors that lie where its
    /// token embeddings lie (science.md 4).
    pub fn match_embeddings(&mut self, sample: &Tensor, mean: &[f32], deviation: f32) -> Result<(), ProjectorError> {
        let outputs = self.forward(sample)?.detach();
        let centre = outputs.mean_keepdim(0)?;
        let spread = outputs.broadcast_sub(&centre)?.sqr()?.sum(1)?.sqrt()?.mean_all()?;
        let spread = spread.to_scalar::<f32>()?;
        if !(spread.is_finite() && spread > 0.0) {
            return Err(ProjectorError::NoSpread(spread));
        }
        let scale = f64::from(deviation / spread);
        let layer = self.depth - 1;
        let weight = self.get(&format!("linears.{layer}.weight"))?;
        let bias = self.get(&format!("linears.{layer}.bias"))?;
        let mean = Tensor::from_slice(mean, mean.len(), sample.device())?;
        let without_bias = centre.squeeze(0)?.sub(bias)?.detach();
        bias.set(&(mean - (without_bias * scale)?)?)?;
        weight.set(&(weight.as_detached_tensor() * scale)?)?;
        Ok(())
    }

    /// Every parameter by name, without its gradient, in the order of [`Self::parameters`].
    pub fn tensors(&self) -> Vec<(String, Tensor)> {
        let named = |(name, var): &(String, Var)| (name.clone(), var.as_detached_tensor());
        self.parameters.iter().map(named).collect()
    }

    /// Takes every parameter from `tensors`; names that it does not know are left alone. Nothing changes when one is wrong.
    pub fn load_tensors(&mut self, tensors: &HashMap<String, Tensor>) -> Result<(), ProjectorError> {
        let mut values = Vec::with_capacity(self.parameters.len());
        for (name, var) in &self.parameters {
            let Some(tensor) = tensors.get(name) else {
                return Err(ProjectorError::Missing(name.clone()));
            };
            if tensor.shape() != var.shape() {
                return Err(ProjectorError::Shape {
                    name: name.clone(),
                    found: tensor.dims().to_vec(),
                    expected: var.dims().to_vec(),
                });
            }
            values.push((var, tensor.to_dtype(DType::F32)?.to_device(var.device())?));
        }
        for (var, value) in values {
            var.set(&value)?;
        }
        Ok(())
    }

    fn linear(&self, layer: usize, x: &Tensor) -> Result<Tensor, ProjectorError> {
        let weight = self.get(&format!("linears.{layer}.weight"))?;
        let bias = self.get(&format!("linears.{layer}.bias"))?;
        Ok(x.matmul(&weight.t()?)?.broadcast_add(bias)?)
    }

    fn get(&self, name: &str) -> Result<&Var, ProjectorError> {
        match self.parameters.iter().find(|(known, _)| known == name) {
            Some((_, var)) => Ok(var),
            None => Err(ProjectorError::Missing(name.to_owned())),
        }
    }
}
