//! Weights at rest: a matrix in the 4, 8 or 16 bits of its file, multiplied with few rows without ever being unpacked as a whole.
//!
//! Decoding reads every weight once a token, so its speed is that of memory; products with many rows use f32 weights.

mod kernel;

use half::f16;
use rayon::prelude::*;

use kernel::Product;

/// Weights that share a scale, as in GGUF files.
pub const BLOCK: usize = 32;

/// Words in a group, and columns that stand side by side in it.
const LANES: usize = 16;

/// Matrix rows unpacked together: they stay in the first-level cache while every input row meets them.
const ROWS: usize = 4;

/// How weights are stored.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Format {
    /// `scale * q + minimum`, q of 4 bits: GGUF's Q4_0 and Q4_1, exactly.
    Four,
    /// `scale * q`, q of 8 bits: GGUF's Q8_0, exactly.
    Eight,
    /// f16.
    Half,
}

/// Rows of a matrix `[out, in]` in one format.
///
/// A group of 16 words holds the weights of as many columns as fit: bits `width * k` and up of word `lane` are column
/// `16 * k + lane`. So one mask gives 16 neighbours, in vectors of any width up to 16. The last group of a row may be part empty.
#[derive(Clone)]
pub struct Packed {
    columns: usize,
    format: Format,
    words: Vec<u32>,
    /// One a block: f16 bits of the scale, and above them those of the minimum.
    scales: Vec<u32>,
}

impl Format {
    fn bits(self) -> usize {
        match self {
            Self::Four => 4,
            Self::Eight => 8,
            Self::Half => 16,
        }
    }

    /// Columns in a group of words.
    fn group(self) -> usize {
        LANES * 32 / self.bits()
    }
}

impl Packed {
    /// Blocks as a GGUF file has them; `None` for a kind that is not kept as it is.
    pub fn from_gguf(kind: candle_core::quantized::GgmlDType, bytes: &[u8], columns: usize) -> Option<Self> {
        use candle_core::quantized::GgmlDType;
        let (format, size) = match kind {
            GgmlDType::Q4_0 => (Format::Four, 18),
            GgmlDType::Q4_1 => (Format::Four, 20),
            GgmlDType::Q8_0 => (Format::Eight, 34),
            GgmlDType::F16 => (Format::Half, 2),
            _ => return None,
        };
        if !columns.is_multiple_of(BLOCK) {
            return None;
        }
        if format == Format::Half {
            let halves = bytes
                .chunks_exact(2)
                .map(|pair| u32::from(u16::from_le_bytes([pair[0], pair[1]])));
            return Some(Self::pack(columns, format, halves.collect(), Vec::new()));
        }
        let (mut weights, mut scales) = (Vec::with_capacity(bytes.len()), Vec::new());
        for block in bytes.chunks_exact(size) {
            let scale = u16::from_le_bytes([block[0], block[1]]);
            let minimum = match kind {
                GgmlDType::Q4_1 => u16::from_le_bytes([block[2], block[3]]),
                // Q4_0 counts from -8.
                GgmlDType::Q4_0 => (f16::from_bits(scale) * f16::from_f32(-8.0)).to_bits(),
                _ => 0,
            };
            scales.push(u32::from(scale) | u32::from(minimum) << 16);
            if format == Format::Four {
                let quants = &block[size - 16..];
                weights.extend(quants.iter().map(|q| u32::from(q & 15)));
                weights.extend(quants.iter().map(|q| u32::from(q >> 4)));
            } else {
                weights.extend(block[2..].iter().map(|&q| eight(q as i8)));
            }
        }
        Some(Self::pack(columns, format, weights, scales))
    }

    /// Rounds f32 weights: to 8 bits with one scale a block, or to f16.
    pub fn rounded(values: &[f32], columns: usize, format: Format) -> Option<Self> {
        if !columns.is_multiple_of(BLOCK) {
            return None;
        }
        let mut scales = Vec::new();
        let weights = match format {
            Format::Half => values
                .iter()
                .map(|&value| u32::from(f16::from_f32(value).to_bits()))
                .collect(),
            Format::Eight => {
                let mut weights = Vec::with_capacity(values.len());
                for block in values.chunks_exact(BLOCK) {
                    let largest = block.iter().fold(0f32, |largest, value| largest.max(value.abs()));
                    let scale = f16::from_f32(largest / 127.0);
                    let inverse = if scale == f16::ZERO { 0.0 } else { 1.0 / scale.to_f32() };
                    scales.push(u32::from(scale.to_bits()));
                    weights.extend(block.iter().map(|value| eight((value * inverse).round() as i8)));
                }
                weights
            }
            Format::Four => return None,
        };
        Some(Self::pack(columns, format, weights, scales))
    }

    /// Words of whole rows of unsigned weights.
    fn pack(columns: usize, format: Format, weights: Vec<u32>, scales: Vec<u32>) -> Self {
        let (bits, group) = (format.bits(), format.group());
        let mut words = Vec::with_capacity(weights.len() * bits / 32);
        for row in weights.chunks_exact(columns) {
            for weights in row.chunks(group) {
                let mut of_group = [0u32; LANES];
                for (index, weight) in weights.iter().enumerate() {
                    of_group[index % LANES] |= weight << (index / LANES * bits);
                }
                words.extend(of_group);
            }
        }
        Self {
            columns,
            format,
            words,
            scales,
        }
    }

    /// Puts the rows of another matrix of the same format behind these.
    pub fn stack(mut self, below: &Self) -> Option<Self> {
        if (self.format, self.columns) != (below.format, below.columns) {
            return None;
        }
        self.words.extend_from_slice(&below.words);
        self.scales.extend_from_slice(&below.scales);
        Some(self)
    }

    /// Its rows in another order: `order[new] = old`.
    pub fn reordered(&self, order: &[usize]) -> Self {
        let pick = |values: &[u32], width: usize| -> Vec<u32> {
            let rows = order.iter().flat_map(|&row| &values[row * width..(row + 1) * width]);
            rows.copied().collect()
        };
        Self {
            columns: self.columns,
            format: self.format,
            words: pick(&self.words, self.words_a_row()),
            scales: pick(&self.scales, self.scales_a_row()),
        }
    }

    /// Rows of the matrix.
    pub fn rows(&self) -> usize {
        self.words.len() / self.words_a_row()
    }

    fn words_a_row(&self) -> usize {
        self.columns.div_ceil(self.format.group()) * LANES
    }

    fn scales_a_row(&self) -> usize {
        if self.format == Format::Half {
            0
        } else {
            self.columns / BLOCK
        }
    }

    /// Adds `x * matrix^T` to `out`, rows of `x` being `[in]` and rows of `out` `[out]`.
    pub fn add_product(&self, x: &[f32], out: &mut [f32]) {
        let (count, rows) = (x.len() / self.columns, self.rows());
        // Code that is only kept needs no row of the last layer.
        if count == 0 {
            return;
        }
        let pieces = 4 * rayon::current_num_threads();
        let piece = rows.div_ceil(pieces).next_multiple_of(ROWS);
        let arch = pulp::Arch::new();
        let sums = self.block_sums(x);
        let product = |first: usize, out: &mut [f32]| {
            arch.dispatch(Product {
                matrix: self,
                x,
                sums: &sums,
                count,
                first,
                out,
            });
        };
        if count == 1 {
            out.par_chunks_mut(piece)
                .enumerate()
                .for_each(|(index, out)| product(index * piece, out));
            return;
        }
        // Each task owns consecutive matrix rows, which are columns of `out`.
        let mut transposed = vec![0f32; rows * count];
        transposed
            .par_chunks_mut(piece * count)
            .enumerate()
            .for_each(|(index, out)| product(index * piece, out));
        for (row, out) in out.chunks_exact_mut(rows).enumerate() {
            for (value, column) in out.iter_mut().zip(transposed.chunks_exact(count)) {
                *value += column[row];
            }
        }
    }

    /// Sum of each block of a single input row: what the minima are multiplied with.
    fn block_sums(&self, x: &[f32]) -> Vec<f32> {
        if self.format != Format::Four || x.len() > self.columns {
            return Vec::new();
        }
        x.chunks_exact(BLOCK).map(|block| block.iter().sum()).collect()
    }
}

/// A weight of 8 bits as it is packed.
fn eight(weight: i8) -> u32 {
    (i32::from(weight) + 128) as u32
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "a failing test should panic")]
mod tests {
    use candle_core::quantized::{GgmlDType, QTensor};
    use candle_core::{Device, Tensor};

    use super::*;

    fn wave(count: usize, speed: f32) -> Vec<f32> {
        (0..count).map(|i| (i as f32 * speed).sin() * 0.4 + 0.05).collect()
    }

    /// Products with these weights, by plain sums.
    fn products(weights: &[f32], x: &[f32], columns: usize) -> Vec<f32> {
        let row = |x: &[f32]| -> Vec<f32> {
            let dot = |w: &[f32]| w.iter().zip(x).map(|(w, x)| f64::from(w * x)).sum::<f64>() as f32;
            weights.chunks_exact(columns).map(dot).collect()
        };
        x.chunks_exact(columns).flat_map(row).collect()
    }

    fn holds(packed: &Packed, weights: &[f32], columns: usize, tolerance: f32) {
        // One row has a way of its own; the others leave 1, 2, 3 and 0 rows over.
        for count in [0, 1, 2, 3, 5, 8] {
            let x = wave(count * columns, 0.31);
            let expected = products(weights, &x, columns);
            let mut out = vec![1.0; expected.len()];
            packed.add_product(&x, &mut out);
            for (index, (out, expected)) in out.iter().zip(expected).enumerate() {
                let difference = (out - 1.0 - expected).abs();
                assert!(
                    difference < tolerance,
                    "{count} rows of {columns}, {index}: off by {difference}"
                );
            }
        }
    }

    #[test]
    fn products_with_the_blocks_of_a_gguf_equal_those_with_its_f32_weights() {
        // 288 columns end in part of a group; 11 rows are no multiple of the rows unpacked together.
        for columns in [32, 64, 96, 128, 288] {
            let tensor = Tensor::from_vec(wave(11 * columns, 0.017), (11, columns), &Device::Cpu).unwrap();
            for kind in [GgmlDType::Q4_0, GgmlDType::Q4_1, GgmlDType::Q8_0, GgmlDType::F16] {
                let quantised = QTensor::quantize(&tensor, kind).unwrap();
                let packed = Packed::from_gguf(kind, &quantised.data().unwrap(), columns).unwrap();
                let weights = quantised.dequantize(&Device::Cpu).unwrap();
                holds(
                    &packed,
                    &weights.flatten_all().unwrap().to_vec1().unwrap(),
                    columns,
                    1e-4,
                );
            }
        }
    }

    #[test]
    fn rounded_weights_are_off_by_half_a_step_at_most() {
        let (columns, weights) = (96, wave(7 * 96, 0.23));
        for (format, tolerance) in [(Format::Half, 1e-2), (Format::Eight, 6e-2)] {
            let packed = Packed::rounded(&weights, columns, format).unwrap();
            holds(&packed, &weights, columns, tolerance);
        }
        assert!(Packed::rounded(&weights, columns, Format::Four).is_none());
        assert!(
            Packed::rounded(&wave(40, 0.1), 40, Format::Half).is_none(),
            "40 columns are no whole block"
        );
    }

    #[test]
    fn rows_can_be_stacked_and_put_in_another_order() {
        let (columns, weights) = (64, wave(6 * 64, 0.41));
        let all = Packed::rounded(&weights, columns, Format::Half).unwrap();
        let (above, below) = weights.split_at(2 * columns);
        let part = |weights| Packed::rounded(weights, columns, Format::Half).unwrap();
        let stacked = part(above).stack(&part(below)).unwrap();
        assert_eq!(stacked.words, all.words);
        let order = [5, 4, 3, 2, 1, 0];
        let mirrored: Vec<f32> = weights.chunks_exact(columns).rev().flatten().copied().collect();
        holds(&all.reordered(&order), &mirrored, columns, 1e-2);
        let other = Packed::rounded(&weights, columns, Format::Eight).unwrap();
        assert!(part(above).stack(&other).is_none());
    }
}
