//! Weights at rest: a matrix in the 4, 8 or 16 bits of its file, multiplied with few rows without ever being unpacked as a whole.
//!
//! Decoding reads every weight once a token, so its speed is that of memory; products with many rows use f32 weights.

use half::f16;
use pulp::{Simd, WithSimd};
use rayon::prelude::*;

/// Weights that share a scale, as in GGUF files.
pub const BLOCK: usize = 32;

/// Matrix rows unpacked together: they stay in the first-level cache while every input row meets them.
const ROWS: usize = 4;

/// Input rows multiplied at a time with [`ROWS`] matrix rows.
const COLUMNS: usize = 4;

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
#[derive(Clone)]
pub struct Packed {
    columns: usize,
    format: Format,
    /// 16 bytes a block (`q[i] | q[i + 16] << 4`), 32 bytes a block, or 2 bytes a weight.
    quants: Vec<u8>,
    /// f16 bits, one a block.
    scales: Vec<u16>,
    /// f16 bits, one a block.
    minima: Vec<u16>,
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
        let mut packed = Self {
            columns,
            format,
            quants: Vec::with_capacity(bytes.len()),
            scales: Vec::new(),
            minima: Vec::new(),
        };
        if format == Format::Half {
            packed.quants.extend_from_slice(bytes);
            return Some(packed);
        }
        for block in bytes.chunks_exact(size) {
            let scale = u16::from_le_bytes([block[0], block[1]]);
            packed.scales.push(scale);
            match kind {
                GgmlDType::Q4_1 => packed.minima.push(u16::from_le_bytes([block[2], block[3]])),
                // Q4_0 counts from -8.
                GgmlDType::Q4_0 => packed
                    .minima
                    .push((f16::from_bits(scale) * f16::from_f32(-8.0)).to_bits()),
                _ => {}
            }
            let quants = size - if format == Format::Four { 16 } else { BLOCK };
            packed.quants.extend_from_slice(&block[quants..]);
        }
        Some(packed)
    }

    /// Rounds f32 weights: to 8 bits with one scale a block, or to f16.
    pub fn rounded(values: &[f32], columns: usize, format: Format) -> Option<Self> {
        let mut packed = Self {
            columns,
            format,
            quants: Vec::with_capacity(values.len()),
            scales: Vec::new(),
            minima: Vec::new(),
        };
        match format {
            Format::Half => {
                let bytes = values.iter().flat_map(|&value| f16::from_f32(value).to_le_bytes());
                packed.quants.extend(bytes);
            }
            Format::Eight if columns.is_multiple_of(BLOCK) => {
                for block in values.chunks_exact(BLOCK) {
                    let largest = block.iter().fold(0f32, |largest, value| largest.max(value.abs()));
                    let scale = f16::from_f32(largest / 127.0);
                    let inverse = if scale == f16::ZERO { 0.0 } else { 1.0 / scale.to_f32() };
                    packed.scales.push(scale.to_bits());
                    let quants = block
                        .iter()
                        .map(|value| (value * inverse).round().clamp(-127.0, 127.0) as i8 as u8);
                    packed.quants.extend(quants);
                }
            }
            _ => return None,
        }
        Some(packed)
    }

    /// Puts the rows of another matrix of the same format behind these.
    pub fn stack(mut self, below: &Self) -> Option<Self> {
        if (self.format, self.columns) != (below.format, below.columns) {
            return None;
        }
        self.quants.extend_from_slice(&below.quants);
        self.scales.extend_from_slice(&below.scales);
        self.minima.extend_from_slice(&below.minima);
        Some(self)
    }

    /// Its rows in another order: `order[new] = old`.
    pub fn reordered(&self, order: &[usize]) -> Self {
        let pick = |values: &[u16]| -> Vec<u16> {
            let width = values.len() / self.rows().max(1);
            order
                .iter()
                .flat_map(|&row| &values[row * width..(row + 1) * width])
                .copied()
                .collect()
        };
        let width = self.quants_a_row();
        Self {
            columns: self.columns,
            format: self.format,
            quants: order
                .iter()
                .flat_map(|&row| &self.quants[row * width..(row + 1) * width])
                .copied()
                .collect(),
            scales: pick(&self.scales),
            minima: pick(&self.minima),
        }
    }

    /// Rows of the matrix.
    pub fn rows(&self) -> usize {
        self.quants.len() / self.quants_a_row().max(1)
    }

    /// Bytes in memory.
    pub fn bytes(&self) -> usize {
        self.quants.len() + 2 * (self.scales.len() + self.minima.len())
    }

    /// How it is stored.
    pub fn format(&self) -> Format {
        self.format
    }

    fn quants_a_row(&self) -> usize {
        match self.format {
            Format::Four => self.columns / 2,
            Format::Eight => self.columns,
            Format::Half => self.columns * 2,
        }
    }

    /// Adds `x * matrix^T` to `out`, rows of `x` being `[in]` and rows of `out` `[out]`.
    pub fn add_product(&self, x: &[f32], out: &mut [f32]) {
        let (count, rows) = (x.len() / self.columns, self.rows());
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
        if self.minima.is_empty() || x.len() > self.columns {
            return Vec::new();
        }
        x.chunks_exact(BLOCK).map(|block| block.iter().sum()).collect()
    }
}

/// A product of some matrix rows with all input rows, for [`pulp`] to compile for the machine's vectors.
struct Product<'a> {
    matrix: &'a Packed,
    x: &'a [f32],
    sums: &'a [f32],
    count: usize,
    first: usize,
    /// `[matrix rows, input rows]`, added to.
    out: &'a mut [f32],
}

impl WithSimd for Product<'_> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(self, simd: S) {
        let Self {
            matrix,
            x,
            sums,
            count,
            first,
            out,
        } = self;
        let width = matrix.columns;
        let mut scales = vec![0f32; 2 * width / BLOCK];
        if count == 1 {
            for (index, out) in out.iter_mut().enumerate() {
                *out += matrix.dot(first + index, x, sums, &mut scales);
            }
            return;
        }
        let mut unpacked = vec![0f32; ROWS * width];
        for (group, out) in out.chunks_mut(ROWS * count).enumerate() {
            let rows = out.len() / count;
            for (index, row) in unpacked.chunks_exact_mut(width).take(rows).enumerate() {
                matrix.unpack(first + group * ROWS + index, row, &mut scales);
            }
            let mut done = 0;
            while done < count {
                let columns = (count - done).min(COLUMNS);
                let x = &x[done * width..(done + columns) * width];
                match (rows, columns) {
                    (ROWS, 4) => tile::<S, ROWS, 4>(simd, &unpacked, x, width, out, count, done),
                    (ROWS, 3) => tile::<S, ROWS, 3>(simd, &unpacked, x, width, out, count, done),
                    (ROWS, 2) => tile::<S, ROWS, 2>(simd, &unpacked, x, width, out, count, done),
                    (ROWS, 1) => tile::<S, ROWS, 1>(simd, &unpacked, x, width, out, count, done),
                    _ => {
                        for row in 0..rows {
                            let unpacked = &unpacked[row * width..(row + 1) * width];
                            for column in 0..columns {
                                let x = &x[column * width..(column + 1) * width];
                                tile::<S, 1, 1>(
                                    simd,
                                    unpacked,
                                    x,
                                    width,
                                    &mut out[row * count..],
                                    count,
                                    done + column,
                                );
                            }
                        }
                    }
                }
                done += columns;
            }
        }
    }
}

/// Adds the products of `R` matrix rows with `C` input rows to `out[row * stride + at + column]`.
#[inline(always)]
fn tile<S: Simd, const R: usize, const C: usize>(
    simd: S,
    rows: &[f32],
    x: &[f32],
    width: usize,
    out: &mut [f32],
    stride: usize,
    at: usize,
) {
    let rows: [_; R] = std::array::from_fn(|row| S::as_simd_f32s(&rows[row * width..(row + 1) * width]));
    let inputs: [_; C] = std::array::from_fn(|column| S::as_simd_f32s(&x[column * width..(column + 1) * width]));
    let mut sums = [[simd.splat_f32s(0.0); C]; R];
    for k in 0..rows[0].0.len() {
        let inputs: [_; C] = std::array::from_fn(|column| inputs[column].0[k]);
        for (sums, row) in sums.iter_mut().zip(&rows) {
            let weight = row.0[k];
            for (sum, &input) in sums.iter_mut().zip(&inputs) {
                *sum = simd.mul_add_e_f32s(weight, input, *sum);
            }
        }
    }
    for (row, (sums, (_, row_rest))) in sums.iter().zip(&rows).enumerate() {
        for (column, (&sum, (_, input_rest))) in sums.iter().zip(&inputs).enumerate() {
            let rest: f32 = row_rest.iter().zip(*input_rest).map(|(a, b)| a * b).sum();
            out[row * stride + at + column] += simd.reduce_sum_f32s(sum) + rest;
        }
    }
}

/// The value of f16 bits, in operations that vectorise; exact for every finite value.
#[inline(always)]
fn from_half(bits: u16) -> f32 {
    let magnitude = f32::from_bits(u32::from(bits & 0x7FFF) << 13) * 5.192_296_9e33; // 2^112: the difference of the exponents' biases
    f32::from_bits(magnitude.to_bits() | u32::from(bits & 0x8000) << 16)
}

impl Packed {
    /// Scales of a row into the first half of `scales`, minima into the second.
    #[inline(always)]
    fn scales<'a>(&self, row: usize, scales: &'a mut [f32]) -> (&'a [f32], &'a [f32]) {
        let blocks = self.columns / BLOCK;
        let (first, second) = scales.split_at_mut(blocks);
        let of_row = row * blocks..(row + 1) * blocks;
        for (scale, &bits) in first.iter_mut().zip(&self.scales[of_row.clone()]) {
            *scale = from_half(bits);
        }
        if !self.minima.is_empty() {
            for (minimum, &bits) in second.iter_mut().zip(&self.minima[of_row]) {
                *minimum = from_half(bits);
            }
        }
        (first, second)
    }

    /// One row as f32.
    #[inline(always)]
    fn unpack(&self, row: usize, out: &mut [f32], scales: &mut [f32]) {
        let width = self.quants_a_row();
        let quants = &self.quants[row * width..(row + 1) * width];
        match self.format {
            Format::Four => {
                let (scales, minima) = self.scales(row, scales);
                let blocks = quants.chunks_exact(16).zip(out.chunks_exact_mut(BLOCK));
                for ((quants, out), (&scale, &minimum)) in blocks.zip(scales.iter().zip(minima)) {
                    let (low, high) = out.split_at_mut(16);
                    for lane in 0..16 {
                        low[lane] = f32::from(quants[lane] & 15) * scale + minimum;
                        high[lane] = f32::from(quants[lane] >> 4) * scale + minimum;
                    }
                }
            }
            Format::Eight => {
                let (scales, _) = self.scales(row, scales);
                let blocks = quants.chunks_exact(BLOCK).zip(out.chunks_exact_mut(BLOCK));
                for ((quants, out), &scale) in blocks.zip(scales) {
                    for lane in 0..BLOCK {
                        out[lane] = f32::from(quants[lane] as i8) * scale;
                    }
                }
            }
            Format::Half => {
                for (pair, out) in quants.chunks_exact(2).zip(out) {
                    *out = from_half(u16::from_le_bytes([pair[0], pair[1]]));
                }
            }
        }
    }

    /// Product of one row with one input row.
    #[inline(always)]
    fn dot(&self, row: usize, x: &[f32], sums: &[f32], scales: &mut [f32]) -> f32 {
        let width = self.quants_a_row();
        let quants = &self.quants[row * width..(row + 1) * width];
        let mut total = [0f32; 16];
        let mut rest = 0.0;
        match self.format {
            Format::Four => {
                let (scales, minima) = self.scales(row, scales);
                for ((quants, x), &scale) in quants.chunks_exact(16).zip(x.chunks_exact(BLOCK)).zip(scales) {
                    for lane in 0..16 {
                        let low = f32::from(quants[lane] & 15) * x[lane];
                        let both = f32::from(quants[lane] >> 4) * x[lane + 16] + low;
                        total[lane] += both * scale;
                    }
                }
                rest = minima.iter().zip(sums).map(|(minimum, sum)| minimum * sum).sum();
            }
            Format::Eight => {
                let (scales, _) = self.scales(row, scales);
                for ((quants, x), &scale) in quants.chunks_exact(BLOCK).zip(x.chunks_exact(BLOCK)).zip(scales) {
                    for lane in 0..16 {
                        let low = f32::from(quants[lane] as i8) * x[lane];
                        let both = f32::from(quants[lane + 16] as i8) * x[lane + 16] + low;
                        total[lane] += both * scale;
                    }
                }
            }
            Format::Half => {
                let (quants, x) = (quants.chunks_exact(32), x.chunks_exact(16));
                rest = quants
                    .remainder()
                    .chunks_exact(2)
                    .zip(x.remainder())
                    .map(|(pair, x)| from_half(u16::from_le_bytes([pair[0], pair[1]])) * x)
                    .sum();
                for (quants, x) in quants.zip(x) {
                    for lane in 0..16 {
                        let weight = from_half(u16::from_le_bytes([quants[2 * lane], quants[2 * lane + 1]]));
                        total[lane] += weight * x[lane];
                    }
                }
            }
        }
        total.iter().sum::<f32>() + rest
    }
}
