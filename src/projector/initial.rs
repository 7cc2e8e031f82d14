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

/// A draw of N(0, 1), by Box and Muller.
pub fn normal(random: &mut impl Rng) -> f64 {
    let radius = (-2.0 * (1.0 - random.random::<f64>()).ln()).sqrt();
    radius * (std::f64::consts::TAU * random.random::<f64>()).cos()
}
