//! Row-wise operations and their backward passes, compiled for the widest vectors of the machine at run time.

use rayon::prelude::*;

/// Rows handled by one task.
const ROWS_A_TASK: usize = 16;

/// Runs `body` compiled for the machine's vector unit; everything in it must be `#[inline(always)]`.
#[inline]
fn vectorised<R>(body: impl FnOnce() -> R) -> R {
    pulp::Arch::new().dispatch(body)
}

/// Sum of products, eight partial sums wide: a plain fold may not be reordered and so would not vectorise.
#[inline(always)]
fn dot(a: &[f32], b: &[f32]) -> f32 {
    let mut sums = [0f32; 16];
    let (a_chunks, b_chunks) = (a.chunks_exact(16), b.chunks_exact(16));
    let rest: f32 = a_chunks
        .remainder()
        .iter()
        .zip(b_chunks.remainder())
        .map(|(x, y)| x * y)
        .sum();
    for (x, y) in a_chunks.zip(b_chunks) {
        for lane in 0..16 {
            sums[lane] += x[lane] * y[lane];
        }
    }
    sums.iter().sum::<f32>() + rest
}

/// Sum of products of three vectors.
#[inline(always)]
fn dot3(a: &[f32], b: &[f32], c: &[f32]) -> f32 {
    let mut sums = [0f32; 16];
    let (xs, ys, zs) = (a.chunks_exact(16), b.chunks_exact(16), c.chunks_exact(16));
    let rest: f32 = xs
        .remainder()
        .iter()
        .zip(ys.remainder())
        .zip(zs.remainder())
        .map(|((x, y), z)| x * y * z)
        .sum();
    for ((x, y), z) in xs.zip(ys).zip(zs) {
        for lane in 0..16 {
            sums[lane] += x[lane] * y[lane] * z[lane];
        }
    }
    sums.iter().sum::<f32>() + rest
}

/// `e^x` to about 2 ulp, without a branch, so that loops over it vectorise; NaN stays NaN.
#[inline(always)]
fn exp(x: f32) -> f32 {
    const ROUND: f32 = 12_582_912.0; // 1.5 * 2^23: adding it leaves the nearest integer in the low bits
    let x = x.clamp(-87.3, 88.7);
    let shifted = x * std::f32::consts::LOG2_E + ROUND;
    let n = shifted - ROUND;
    let r = (x - n * 0.693_359_4) + n * 2.121_944_4e-4; // ln 2 in two parts
    let mut p = 1.987_569_2e-4_f32;
    p = p * r + 1.398_199_9e-3;
    p = p * r + 8.333_452e-3;
    p = p * r + 4.166_579_6e-2;
    p = p * r + 1.666_666_5e-1;
    p = p * r + 0.5;
    let y = p * r * r + r + 1.0;
    let exponent = shifted.to_bits().wrapping_sub(0x4B40_0000).wrapping_add(127);
    y * f32::from_bits(exponent << 23)
}

/// RMS norm of rows of `width`: `out = x * inverse * weight`; returns the inverse root mean square of each row.
pub fn rms_norm(x: &[f32], weight: &[f32], eps: f32, out: &mut [f32]) -> Vec<f32> {
    let width = weight.len();
    let mut inverse = vec![0f32; x.len() / width];
    out.par_chunks_mut(width * ROWS_A_TASK)
        .zip(x.par_chunks(width * ROWS_A_TASK))
        .zip(inverse.par_chunks_mut(ROWS_A_TASK))
        .for_each(|((out, x), inverse)| {
            vectorised(
                #[inline(always)]
                || {
                    let rows = out.chunks_exact_mut(width).zip(x.chunks_exact(width)).zip(inverse);
                    for ((out, x), inverse) in rows {
                        *inverse = 1.0 / (dot(x, x) / width as f32 + eps).sqrt();
                        for ((out, x), w) in out.iter_mut().zip(x).zip(weight) {
                            *out = x * *inverse * w;
                        }
                    }
                },
            );
        });
    inverse
}

/// Adds to `dx` the gradient of an RMS norm's input, given that of its output.
pub fn rms_norm_backward(d_out: &[f32], x: &[f32], weight: &[f32], inverse: &[f32], dx: &mut [f32]) {
    let width = weight.len();
    dx.par_chunks_mut(width * ROWS_A_TASK)
        .zip(d_out.par_chunks(width * ROWS_A_TASK))
        .zip(x.par_chunks(width * ROWS_A_TASK))
        .zip(inverse.par_chunks(ROWS_A_TASK))
        .for_each(|(((dx, d_out), x), inverse)| {
            vectorised(
                #[inline(always)]
                || {
                    let rows = dx
                        .chunks_exact_mut(width)
                        .zip(d_out.chunks_exact(width))
                        .zip(x.chunks_exact(width))
                        .zip(inverse);
                    for (((dx, d_out), x), &inverse) in rows {
                        let pull = dot3(d_out, weight, x) * inverse * inverse * inverse / width as f32;
                        for (((dx, d_out), w), x) in dx.iter_mut().zip(d_out).zip(weight).zip(x) {
                            *dx += d_out * w * inverse - x * pull;
                        }
                    }
                },
            );
        });
}

/// `out = silu(gate) * up` for rows `[gate | up]` of twice the width of `out`.
pub fn swiglu(gate_up: &[f32], width: usize, out: &mut [f32]) {
    out.par_chunks_mut(width * ROWS_A_TASK)
        .zip(gate_up.par_chunks(2 * width * ROWS_A_TASK))
        .for_each(|(out, gate_up)| {
            vectorised(
                #[inline(always)]
                || {
                    for (out, row) in out.chunks_exact_mut(width).zip(gate_up.chunks_exact(2 * width)) {
                        let (gate, up) = row.split_at(width);
                        for ((out, &gate), &up) in out.iter_mut().zip(gate).zip(up) {
                            *out = gate / (1.0 + exp(-gate)) * up;
                        }
                    }
                },
            );
        });
}

/// Gradient of [`swiglu`], written over `gate_up`.
pub fn swiglu_backward(d_out: &[f32], width: usize, gate_up: &mut [f32]) {
    gate_up
        .par_chunks_mut(2 * width * ROWS_A_TASK)
        .zip(d_out.par_chunks(width * ROWS_A_TASK))
        .for_each(|(gate_up, d_out)| {
            vectorised(
                #[inline(always)]
                || {
                    for (row, d_out) in gate_up.chunks_exact_mut(2 * width).zip(d_out.chunks_exact(width)) {
                        let (gate, up) = row.split_at_mut(width);
                        for ((gate, up), &d) in gate.iter_mut().zip(up).zip(d_out) {
                            let sigmoid = 1.0 / (1.0 + exp(-*gate));
                            let silu = *gate * sigmoid;
                            let d_gate = d * *up * (sigmoid + silu * (1.0 - sigmoid));
                            *up = d * silu;
                            *gate = d_gate;
                        }
                    }
                },
            );
        });
}

/// Softmax of the first `seen` values of a row; the rest become zero. Returns the logarithm of the sum of exponentials.
#[inline]
pub fn softmax_row(row: &mut [f32], seen: usize) -> f32 {
    vectorised(
        #[inline(always)]
        || {
            let (seen, hidden) = row.split_at_mut(seen);
            let max = largest(seen);
            for value in seen.iter_mut() {
                *value = exp(*value - max);
            }
            let sum = sum(seen);
            let scale = 1.0 / sum;
            for value in seen {
                *value *= scale;
            }
            hidden.fill(0.0);
            max + sum.ln()
        },
    )
}

/// One tile of a running softmax: the first `seen` values become `e^(value - largest)`, the rest zero. Returns the largest value
/// so far, `before` being that of earlier tiles, and the sum of the tile.
#[inline]
pub fn exp_row(row: &mut [f32], seen: usize, before: f32) -> (f32, f32) {
    vectorised(
        #[inline(always)]
        || {
            let (seen, hidden) = row.split_at_mut(seen);
            let max = largest(seen).max(before);
            for value in seen.iter_mut() {
                *value = exp(*value - max);
            }
            hidden.fill(0.0);
            (max, sum(seen))
        },
    )
}

/// Multiplies a row.
#[inline]
pub fn scale_row(row: &mut [f32], scale: f32) {
    for value in row {
        *value *= scale;
    }
}

#[inline(always)]
fn largest(values: &[f32]) -> f32 {
    let mut maxima = [f32::NEG_INFINITY; 16];
    let chunks = values.chunks_exact(16);
    let max = chunks.remainder().iter().copied().fold(f32::NEG_INFINITY, f32::max);
    for chunk in chunks {
        for (max, &value) in maxima.iter_mut().zip(chunk) {
            *max = if value > *max { value } else { *max };
        }
    }
    maxima.iter().copied().fold(max, f32::max)
}

#[inline(always)]
fn sum(values: &[f32]) -> f32 {
    let ones = [1f32; 16];
    values.chunks(16).map(|chunk| dot(chunk, &ones[..chunk.len()])).sum()
}

/// Gradient of a softmax row before its scale: `d = p * (d - pull) * scale`, `pull` being `sum(p * d)`.
#[inline]
pub fn softmax_row_backward(p: &[f32], d: &mut [f32], pull: f32, scale: f32) {
    vectorised(
        #[inline(always)]
        || {
            for (d, p) in d.iter_mut().zip(p) {
                *d = p * (*d - pull) * scale;
            }
        },
    );
}

/// Sum of products of two rows.
#[inline]
pub fn row_dot(a: &[f32], b: &[f32]) -> f32 {
    vectorised(
        #[inline(always)]
        || dot(a, b),
    )
}

/// Cosines and sines of the rotary embedding for consecutive positions, `[positions, head_dim / 2]` each.
pub struct Rotation {
    cos: Vec<f32>,
    sin: Vec<f32>,
    half: usize,
}

impl Rotation {
    /// For the given positions, in f64 as the angle of a far position has few correct digits in f32.
    pub fn new(positions: impl Iterator<Item = usize>, head_dim: usize, theta: f64) -> Self {
        let half = head_dim / 2;
        let (mut cos, mut sin) = (Vec::new(), Vec::new());
        let inverse: Vec<f64> = (0..half)
            .map(|j| theta.powf(-2.0 * j as f64 / head_dim as f64))
            .collect();
        for position in positions {
            for frequency in &inverse {
                // transformers multiplies in f32; the same rounding keeps far positions equal to the reference.
                let angle = f64::from(position as f32 * *frequency as f32);
                cos.push(angle.cos() as f32);
                sin.push(angle.sin() as f32);
            }
        }
        Self { cos, sin, half }
    }

    /// Turns `heads` heads at the start of each row of `stride` values by its position; backwards with `inverse`.
    pub fn apply(&self, rows: &mut [f32], stride: usize, heads: usize, inverse: bool) {
        let (half, sign) = (self.half, if inverse { -1.0 } else { 1.0 });
        rows.par_chunks_mut(stride).enumerate().for_each(|(index, row)| {
            let angles = index * half..(index + 1) * half;
            let (cos, sin) = (&self.cos[angles.clone()], &self.sin[angles]);
            for head in row[..heads * 2 * half].chunks_exact_mut(2 * half) {
                let (a, b) = head.split_at_mut(half);
                for (((a, b), cos), sin) in a.iter_mut().zip(b).zip(cos).zip(sin) {
                    let (x, y, sin) = (*a, *b, sin * sign);
                    *a = x * cos - y * sin;
                    *b = y * cos + x * sin;
                }
            }
        });
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn exp_is_exact_to_a_few_ulp_over_its_range() {
        for i in -8700..8800 {
            let x = i as f32 / 100.0;
            let (ours, exact) = (f64::from(exp(x)), f64::from(x).exp());
            assert!((ours - exact).abs() <= 4e-7 * exact, "exp({x}) = {ours}, not {exact}");
        }
        assert!(exp(f32::NAN).is_nan());
        assert!(exp(f32::NEG_INFINITY) < 1e-37);
    }
}
