//! Products with packed weights: unpacked in registers for one input row, in the first-level cache for several.

use pulp::{Simd, WithSimd};

use super::{BLOCK, Format, LANES, Packed, ROWS};

/// Input rows multiplied at a time with [`ROWS`] matrix rows.
const COLUMNS: usize = 4;

/// A product of some matrix rows with all input rows, for [`pulp`] to compile for the machine's vectors.
pub(super) struct Product<'a> {
    pub(super) matrix: &'a Packed,
    /// Input rows, one after the other.
    pub(super) x: &'a [f32],
    /// Sums of their blocks, where there is one row.
    pub(super) sums: &'a [f32],
    /// Input rows.
    pub(super) count: usize,
    /// First matrix row.
    pub(super) first: usize,
    /// `[matrix rows, input rows]`, added to.
    pub(super) out: &'a mut [f32],
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
        let mut scales = vec![0f32; 2 * matrix.scales_a_row()];
        if count == 1 {
            for (index, out) in out.iter_mut().enumerate() {
                *out += matrix.dot(simd, first + index, x, sums, &mut scales);
            }
            return;
        }
        let mut unpacked = vec![0f32; ROWS * width];
        for (group, out) in out.chunks_mut(ROWS * count).enumerate() {
            let rows = out.len() / count;
            for (index, row) in unpacked.chunks_exact_mut(width).take(rows).enumerate() {
                matrix.unpack(simd, first + group * ROWS + index, row, &mut scales);
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

/// Values of f16 bits in the low halves of words; exact for every finite value.
#[inline(always)]
fn from_half<S: Simd>(simd: S, words: S::u32s) -> S::f32s {
    let magnitude = simd.and_u32s(words, simd.splat_u32s(0x7FFF));
    let magnitude = simd.wrapping_dyn_shl_u32s(magnitude, simd.splat_u32s(13));
    // 2^112: the difference of the exponents' biases.
    let value = simd.mul_f32s(
        simd.transmute_f32s_u32s(magnitude),
        simd.splat_f32s(f32::from_bits((127 + 112) << 23)),
    );
    let sign = simd.and_u32s(words, simd.splat_u32s(0x8000));
    let sign = simd.wrapping_dyn_shl_u32s(sign, simd.splat_u32s(16));
    simd.transmute_f32s_u32s(simd.or_u32s(simd.transmute_u32s_f32s(value), sign))
}

/// The weights of `BITS` bits at place `k` of words: as the low bits of a float's mantissa, where a unit is worth one.
#[inline(always)]
fn weights<S: Simd, const BITS: usize>(simd: S, words: S::u32s, k: usize) -> S::f32s {
    // Places past the mantissa's 23 bits come from words that are shifted down.
    let low = 20 / BITS;
    let (words, place) = if k < low {
        (words, k)
    } else {
        (
            simd.wrapping_dyn_shr_u32s(words, simd.splat_u32s((BITS * low) as u32)),
            k - low,
        )
    };
    let one = 1u32 << (BITS * place);
    let mask = ((1u32 << BITS) - 1) << (BITS * place);
    let magic = (1u32 << 23) as f32 / one as f32;
    let bits = simd.or_u32s(
        simd.and_u32s(words, simd.splat_u32s(mask)),
        simd.splat_u32s(magic.to_bits()),
    );
    let zero = if BITS == 8 { magic + 128.0 } else { magic };
    simd.sub_f32s(simd.transmute_f32s_u32s(bits), simd.splat_f32s(zero))
}

/// Unpacks `BLOCKS` blocks of a group.
#[inline(always)]
fn unpack_group<S: Simd, const BITS: usize, const BLOCKS: usize>(
    simd: S,
    words: &[u32; LANES],
    (scales, minima): (&[f32], &[f32]),
    out: &mut [f32],
) {
    let words = S::as_simd_u32s(words).0;
    let out = out.as_chunks_mut::<LANES>().0;
    for block in 0..BLOCKS {
        let (scale, minimum) = (simd.splat_f32s(scales[block]), simd.splat_f32s(minima[block]));
        for k in [2 * block, 2 * block + 1] {
            for (&words, out) in words.iter().zip(S::as_mut_simd_f32s(&mut out[k]).0) {
                *out = simd.mul_add_e_f32s(weights::<S, BITS>(simd, words, k), scale, minimum);
            }
        }
    }
}

/// Adds the products of `BLOCKS` blocks of a group with their inputs, minima left out.
#[inline(always)]
fn dot_group<S: Simd, const BITS: usize, const BLOCKS: usize>(
    simd: S,
    words: &[u32; LANES],
    x: &[f32],
    scales: &[f32],
    mut total: S::f32s,
) -> S::f32s {
    let words = S::as_simd_u32s(words).0;
    let x = x.as_chunks::<LANES>().0;
    for block in 0..BLOCKS {
        let scale = simd.splat_f32s(scales[block]);
        let inputs = S::as_simd_f32s(&x[2 * block])
            .0
            .iter()
            .zip(S::as_simd_f32s(&x[2 * block + 1]).0);
        for (&words, (&low, &high)) in words.iter().zip(inputs) {
            let of_low = simd.mul_f32s(weights::<S, BITS>(simd, words, 2 * block), low);
            let both = simd.mul_add_e_f32s(weights::<S, BITS>(simd, words, 2 * block + 1), high, of_low);
            total = simd.mul_add_e_f32s(both, scale, total);
        }
    }
    total
}

impl Packed {
    /// Scales of a row into the first half of `scales`, minima into the second.
    #[inline(always)]
    fn scales<'a, S: Simd>(&self, simd: S, row: usize, scales: &'a mut [f32]) -> (&'a [f32], &'a [f32]) {
        let blocks = self.scales_a_row();
        let words = &self.scales[row * blocks..(row + 1) * blocks];
        let (first, second) = scales.split_at_mut(blocks);
        let (words, rest) = S::as_simd_u32s(words);
        let (scales, scales_rest) = S::as_mut_simd_f32s(first);
        let (minima, minima_rest) = S::as_mut_simd_f32s(second);
        let sixteen = simd.splat_u32s(16);
        for ((&words, scale), minimum) in words.iter().zip(scales).zip(minima) {
            *scale = from_half(simd, words);
            *minimum = from_half(simd, simd.wrapping_dyn_shr_u32s(words, sixteen));
        }
        if !rest.is_empty() {
            let words = simd.partial_load_u32s(rest);
            simd.partial_store_f32s(scales_rest, from_half(simd, words));
            let words = simd.wrapping_dyn_shr_u32s(words, sixteen);
            simd.partial_store_f32s(minima_rest, from_half(simd, words));
        }
        (first, second)
    }

    #[inline(always)]
    fn words(&self, row: usize) -> &[[u32; LANES]] {
        let width = self.words_a_row();
        self.words[row * width..(row + 1) * width].as_chunks().0
    }

    /// One row as f32.
    #[inline(always)]
    fn unpack<S: Simd>(&self, simd: S, row: usize, out: &mut [f32], scales: &mut [f32]) {
        match self.format {
            Format::Four => self.unpack_blocks::<S, 4>(simd, row, out, scales),
            Format::Eight => self.unpack_blocks::<S, 8>(simd, row, out, scales),
            Format::Half => self.unpack_half(simd, row, out),
        }
    }

    #[inline(always)]
    fn unpack_blocks<S: Simd, const BITS: usize>(&self, simd: S, row: usize, out: &mut [f32], scales: &mut [f32]) {
        let (scales, minima) = self.scales(simd, row, scales);
        let group = self.format.group();
        let groups = self.words(row).iter().zip(out.chunks_mut(group));
        let scales = scales.chunks(group / BLOCK).zip(minima.chunks(group / BLOCK));
        for ((words, out), scales) in groups.zip(scales) {
            match scales.0.len() {
                4 => unpack_group::<S, BITS, 4>(simd, words, scales, out),
                3 => unpack_group::<S, BITS, 3>(simd, words, scales, out),
                2 => unpack_group::<S, BITS, 2>(simd, words, scales, out),
                _ => unpack_group::<S, BITS, 1>(simd, words, scales, out),
            }
        }
    }

    #[inline(always)]
    fn unpack_half<S: Simd>(&self, simd: S, row: usize, out: &mut [f32]) {
        let sixteen = simd.splat_u32s(16);
        for (words, out) in self.words(row).iter().zip(out.chunks_exact_mut(2 * LANES)) {
            let (low, high) = out.split_at_mut(LANES);
            let outs = S::as_mut_simd_f32s(low).0.iter_mut().zip(S::as_mut_simd_f32s(high).0);
            for (&words, (low, high)) in S::as_simd_u32s(words).0.iter().zip(outs) {
                *low = from_half(simd, words);
                *high = from_half(simd, simd.wrapping_dyn_shr_u32s(words, sixteen));
            }
        }
    }

    /// Product of one row with one input row.
    #[inline(always)]
    fn dot<S: Simd>(&self, simd: S, row: usize, x: &[f32], sums: &[f32], scales: &mut [f32]) -> f32 {
        match self.format {
            Format::Four => self.dot_blocks::<S, 4>(simd, row, x, sums, scales),
            Format::Eight => self.dot_blocks::<S, 8>(simd, row, x, sums, scales),
            Format::Half => self.dot_half(simd, row, x),
        }
    }

    #[inline(always)]
    fn dot_blocks<S: Simd, const BITS: usize>(
        &self,
        simd: S,
        row: usize,
        x: &[f32],
        sums: &[f32],
        scales: &mut [f32],
    ) -> f32 {
        let (scales, minima) = self.scales(simd, row, scales);
        let mut total = simd.splat_f32s(0.0);
        let group = self.format.group();
        let groups = self
            .words(row)
            .iter()
            .zip(x.chunks(group))
            .zip(scales.chunks(group / BLOCK));
        for ((words, x), scales) in groups {
            total = match scales.len() {
                4 => dot_group::<S, BITS, 4>(simd, words, x, scales, total),
                3 => dot_group::<S, BITS, 3>(simd, words, x, scales, total),
                2 => dot_group::<S, BITS, 2>(simd, words, x, scales, total),
                _ => dot_group::<S, BITS, 1>(simd, words, x, scales, total),
            };
        }
        let rest: f32 = minima.iter().zip(sums).map(|(minimum, sum)| minimum * sum).sum();
        simd.reduce_sum_f32s(total) + rest
    }

    #[inline(always)]
    fn dot_half<S: Simd>(&self, simd: S, row: usize, x: &[f32]) -> f32 {
        let sixteen = simd.splat_u32s(16);
        let mut total = simd.splat_f32s(0.0);
        for (words, x) in self.words(row).iter().zip(x.chunks_exact(2 * LANES)) {
            let (low, high) = x.split_at(LANES);
            let inputs = S::as_simd_f32s(low).0.iter().zip(S::as_simd_f32s(high).0);
            for (&words, (&low, &high)) in S::as_simd_u32s(words).0.iter().zip(inputs) {
                total = simd.mul_add_e_f32s(from_half(simd, words), low, total);
                let words = simd.wrapping_dyn_shr_u32s(words, sixteen);
                total = simd.mul_add_e_f32s(from_half(simd, words), high, total);
            }
        }
        simd.reduce_sum_f32s(total)
    }
}
