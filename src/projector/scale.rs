//! The norms of soft tokens: a frozen reader answers best to vectors as long as its token embeddings (science.md 4 to 6).

use candle_core::{D, Result, Tensor, Var};

/// Keeps the norm differentiable at zero: far below the square of any number that matters, far above the smallest f32.
const TINY: f64 = 1e-24;

/// Rows of `[rows, width]`, each with the length `norm`, times `gain` `[1]` where there is one.
pub(super) fn rescale(rows: &Tensor, norm: f64, gain: Option<&Var>) -> Result<Tensor> {
    let lengths = (rows.sqr()?.sum_keepdim(D::Minus1)? + TINY)?.sqrt()?;
    let rows = (rows.broadcast_div(&lengths)? * norm)?;
    match gain {
        Some(gain) => rows.broadcast_mul(gain),
        None => Ok(rows),
    }
}
