//! A frozen weight matrix and its products.

use super::matmul::{Into, Threads, View, matmul};
use crate::models::reader::packed::Packed;

/// Up to so many input rows the packed weights are faster than f32 ones: their reading is what costs, and they are smaller.
const FEW_ROWS: usize = 48;

/// A matrix `[out, in]`: f32 for training and long prompts, and as packed as its file for few rows.
pub struct Matrix {
    values: Vec<f32>,
    columns: usize,
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
            values,
            columns,
            packed,
        }
    }

    /// All rows as f32, `[out, in]`.
    pub fn values(&self) -> &[f32] {
        &self.values
    }

    /// Width of an output row.
    pub fn rows(&self) -> usize {
        self.values.len() / self.columns
    }

    /// `x * matrix^T` for rows of `x`.
    pub fn product(&self, x: &[f32], purpose: Purpose) -> Vec<f32> {
        let mut out = vec![0f32; x.len() / self.columns * self.rows()];
        self.add_product(x, &mut out, purpose);
        out
    }

    /// Adds `x * matrix^T` to `out`.
    pub fn add_product(&self, x: &[f32], out: &mut [f32], purpose: Purpose) {
        let (count, rows) = (x.len() / self.columns, self.rows());
        if let Some(packed) = self
            .packed
            .as_ref()
            .filter(|_| purpose == Purpose::Inference && count <= FEW_ROWS)
        {
            packed.add_product(x, out);
            return;
        }
        matmul(
            out,
            rows,
            Into::Add,
            (count, rows, self.columns),
            View::rows(x, self.columns),
            View::rows(&self.values, self.columns).transposed(),
            1.0,
            Threads::All,
        );
    }

    /// `d_out * matrix`: the gradient of `x`.
    pub fn product_backward(&self, d_out: &[f32]) -> Vec<f32> {
        let rows = self.rows();
        let count = d_out.len() / rows;
        let mut dx = vec![0f32; count * self.columns];
        matmul(
            &mut dx,
            self.columns,
            Into::Replace,
            (count, self.columns, rows),
            View::rows(d_out, rows),
            View::rows(&self.values, self.columns),
            1.0,
            Threads::All,
        );
        dx
    }
}
