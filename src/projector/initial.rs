//! Initial weights. They come from our own generator: candle cannot seed its own on the CPU.

use candle_core::{Device, Result, Tensor, Var};
use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha8Rng;

/// Standard deviation of the weights.
const DEVIATION: f64 = 0.02;

/// Every parameter of the linear layers between `widths`, and of the norms behind all but the last.
pub(super) fn parameters(widths: &[usize], seed: u64, device: &Device) -> Result<Vec<(String, Var)>> {
    let mut random = ChaCha8Rng::seed_from_u64(seed);
    let mut parameters = Vec::new();
    let layers = widths.len().saturating_sub(1);
    for (layer, (&input, &output)) in widths.iter().zip(widths.iter().skip(1)).enumerate() {
        let weights: Vec<f32> = (0..input * output)
            .map(|_| (DEVIATION * normal(&mut random)) as f32)
            .collect();
        let weight = Tensor::from_vec(weights, (output, input), device)?;
        parameters.push((format!("linears.{layer}.weight"), Var::from_tensor(&weight)?));
        let zeros = Tensor::from_vec(vec![0f32; output], output, device)?;
        parameters.push((format!("linears.{layer}.bias"), Var::from_tensor(&zeros)?));
        if layer + 1 < layers {
            let ones = Tensor::from_vec(vec![1f32; output], output, device)?;
            parameters.push((format!("norms.{layer}.weight"), Var::from_tensor(&ones)?));
            parameters.push((format!("norms.{layer}.bias"), Var::from_tensor(&zeros)?));
        }
    }
    Ok(parameters)
}

/// The weight `[output, input]` past the layers: each soft token of `width` numbers is a copy of the vector's last ones.
pub(super) fn copy_of_the_last(input: usize, output: usize, width: usize, device: &Device) -> Result<Var> {
    let mut weight = vec![0f32; output * input];
    let shared = width.min(input);
    for (row, weights) in weight.chunks_exact_mut(input.max(1)).enumerate() {
        let at = row % width.max(1);
        if at < shared {
            weights[input - shared + at] = 1.0;
        }
    }
    Var::from_tensor(&Tensor::from_vec(weight, (output, input), device)?)
}

/// A draw of N(0, 1), by Box and Muller.
pub fn normal(random: &mut impl Rng) -> f64 {
    let radius = (-2.0 * (1.0 - random.random::<f64>()).ln()).sqrt();
    radius * (std::f64::consts::TAU * random.random::<f64>()).cos()
}
