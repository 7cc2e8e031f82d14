//! A frozen weight matrix and its products.

use super::buffer::Buffer;
use super::matmul::{Into, Threads, View, matmul};
use crate::models::reader::packed::Packed;

/// Up to so many input rows the packed weights are faster than f32 ones: their reading is what costs, and they are smaller.
const FEW_ROWS: usize = 48;

/// A matrix `[out, in]`: f32 for training and long prompts, and as packed as its file for few rows.
pub struct Matrix {
    values: Vec<f32>,
    rows: usize,
    columns: usize,
    /// Whether `values` are `[in, out]`.
    transposed: bool,
    packed: Option<Packed>,
}

/// What a product is for.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Purpose {
    /// With f32 weights whatever its size: every part of a step rounds alike.
    Training,
    /// With the fastest weights.
    Inference,
}

impl Matrix {
    /// From its rows and, where there are any, the same rows packed.
    pub fn new(values: Vec<f32>, columns: usize, packed: Option<Packed>) -> Self {
        Self {
            rows: values.len() / columns,
            values,
            columns,
            transposed: false,
            packed,
        }
    }

    /// The same matrix, laid out for products with rows longer than its own: gemm packs long rows slowly (22 instead of 120
    /// GFLOP/s for 26 input rows of 1,536).
    pub fn laid_out_for_long_rows(mut self) -> Self {
        let mut transposed = vec![0f32; self.values.len()];
        for (row, values) in self.values.chunks_exact(self.columns).enumerate() {
            for (column, &value) in values.iter().enumerate() {
                transposed[column * self.rows + row] = value;
            }
        }
        self.values = transposed;
        self.transposed = true;
        self
    }

    /// Row `index` as f32, `[in]`; only of a matrix in its usual layout.
    pub fn row(&self, index: usize) -> &[f32] {
        &self.values[index * self.columns..(index + 1) * self.columns]
    }

    /// Width of an output row.
    pub fn rows(&self) -> usize {
        self.rows
    }

    /// The matrix as `[in, out]`.
    fn view(&self) -> View<'_> {
        if self.transposed {
            View::rows(&self.values, self.rows)
        } else {
            View::rows(&self.values, self.columns).transposed()
        }
    }

    /// `x * matrix^T` for rows of `x`.
    pub fn product(&self, x: &[f32], purpose: Purpose, threads: Threads) -> Buffer {
        let length = x.len() / self.columns * self.rows;
        if self.packed_for(x, purpose).is_some() {
            let mut out = Buffer::zeros(length);
            self.add_product(x, &mut out, purpose, threads);
            return out;
        }
        let mut out = Buffer::stale(length);
        self.dense_product(x, &mut out, Into::Replace, threads);
        out
    }

    /// Adds `x * matrix^T` to `out`.
    pub fn add_product(&self, x: &[f32], out: &mut [f32], purpose: Purpose, threads: Threads) {
        match self.packed_for(x, purpose) {
            Some(packed) => packed.add_product(x, out),
            None => self.dense_product(x, out, Into::Add, threads),
        }
    }

    fn packed_for(&self, x: &[f32], purpose: Purpose) -> Option<&Packed> {
        let few = x.len() / self.columns <= FEW_ROWS;
        self.packed.as_ref().filter(|_| few && purpose == Purpose::Inference)
    }

    fn dense_product(&self, x: &[f32], out: &mut [f32], into: Into, threads: Threads) {
        matmul(
            out,
            self.rows,
            into,
            (x.len() / self.columns, self.rows, self.columns),
            View::rows(x, self.columns),
            self.view(),
            1.0,
            threads,
        );
    }

    /// `d_out * matrix`: the gradient of `x`.
    pub fn product_backward(&self, d_out: &[f32], threads: Threads) -> Buffer {
        let rows = self.rows();
        let count = d_out.len() / rows;
        let mut dx = Buffer::stale(count * self.columns);
        matmul(
            &mut dx,
            self.columns,
            Into::Replace,
            (count, self.columns, rows),
            View::rows(d_out, rows),
            self.view().transposed(),
            1.0,
            threads,
        );
        dx
    }
}
