//! Alignment losses: the projected vectors of a batch keep the geometry that their encoder vectors have (method.md A4.3).

use candle_core::{D, Result, Tensor};

/// Keeps roots differentiable at zero: far below the square of any number that matters, far above the smallest f32.
const TINY: f64 = 1e-24;

/// Cosines of all pairs of rows of `[n, width]`: `[n, n]`. A row of zeros has cosine 0 to every row, itself included.
pub fn cosine_matrix(rows: &Tensor) -> Result<Tensor> {
    let length = (rows.sqr()?.sum_keepdim(D::Minus1)? + TINY)?.sqrt()?;
    let unit = rows.broadcast_div(&length)?;
    unit.matmul(&unit.t()?)
}

/// Paper, equation 3: Frobenius norm of the difference of the cosine matrices, over root two. A scalar, differentiable in
/// `projected`; where the matrices are equal its gradient is zero.
pub fn alignment_frobenius(encoder: &Tensor, projected: &Tensor) -> Result<Tensor> {
    let square = difference(encoder, projected)?.sqr()?.sum_all()?;
    (square + TINY)?.sqrt()? / std::f64::consts::SQRT_2
}

/// Mean squared difference of the cosines of distinct rows; 0 when there is one row. A scalar, differentiable in `projected`.
pub fn alignment_mean_square(encoder: &Tensor, projected: &Tensor) -> Result<Tensor> {
    let difference = difference(encoder, projected)?;
    let n = difference.dim(0)?;
    let diagonal = Tensor::eye(n, difference.dtype(), difference.device())?;
    let distinct = difference.mul(&(1.0 - diagonal)?)?;
    distinct.sqr()?.sum_all()? / (n * n.saturating_sub(1)).max(1) as f64
}

/// Mean squared difference of all cosines, the diagonal of zeros included: the form in the authors' code. A scalar.
pub fn alignment_mean_square_all(encoder: &Tensor, projected: &Tensor) -> Result<Tensor> {
    difference(encoder, projected)?.sqr()?.mean_all()
}

/// Cosines of `projected` minus those of `encoder`, which is held fixed.
fn difference(encoder: &Tensor, projected: &Tensor) -> Result<Tensor> {
    cosine_matrix(projected)? - cosine_matrix(&encoder.detach())?
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "a failing test should panic")]
mod tests {
    use candle_core::{Device, Tensor, Var};

    use super::*;

    type Loss = fn(&Tensor, &Tensor) -> Result<Tensor>;
    const LOSSES: [Loss; 3] = [alignment_frobenius, alignment_mean_square, alignment_mean_square_all];

    fn rows(offset: usize, rows: usize, width: usize) -> Tensor {
        let values: Vec<f64> = (0..rows * width)
            .map(|i| ((i * 7 + offset * 13) as f64 * 0.61).sin())
            .collect();
        Tensor::from_vec(values, (rows, width), &Device::Cpu).unwrap()
    }

    #[test]
    fn gradients_equal_finite_differences() {
        let encoder = rows(1, 4, 5);
        let start = rows(2, 4, 3).flatten_all().unwrap().to_vec1::<f64>().unwrap();
        let at = |values: Vec<f64>| Tensor::from_vec(values, (4, 3), &Device::Cpu).unwrap();
        for loss in LOSSES {
            let projected = Var::from_tensor(&at(start.clone())).unwrap();
            let gradients = loss(&encoder, &projected).unwrap().backward().unwrap();
            let gradient = gradients.get(&projected).unwrap().flatten_all().unwrap();
            let gradient = gradient.to_vec1::<f64>().unwrap();
            for (i, analytic) in gradient.iter().enumerate() {
                let value = |change: f64| {
                    let mut values = start.clone();
                    values[i] += change;
                    loss(&encoder, &at(values)).unwrap().to_scalar::<f64>().unwrap()
                };
                let numeric = (value(1e-5) - value(-1e-5)) / 2e-5;
                assert!((analytic - numeric).abs() < 1e-7, "{analytic} against {numeric}");
            }
        }
    }

    #[test]
    fn equal_geometry_has_no_loss_and_a_finite_gradient() {
        let encoder = rows(3, 4, 5).to_dtype(candle_core::DType::F32).unwrap();
        for loss in LOSSES {
            let projected = Var::from_tensor(&encoder).unwrap();
            let value = loss(&encoder, &projected).unwrap();
            assert!(value.to_scalar::<f32>().unwrap() < 1e-6);
            let gradient = value.backward().unwrap().get(&projected).unwrap().sqr().unwrap();
            assert!(gradient.sum_all().unwrap().to_scalar::<f32>().unwrap().is_finite());
        }
    }

    #[test]
    fn a_row_of_zeros_has_a_finite_gradient() {
        let encoder = rows(3, 2, 5);
        let projected = Var::from_tensor(&rows(4, 2, 5).affine(0.0, 0.0).unwrap()).unwrap();
        for loss in LOSSES {
            let gradients = loss(&encoder, &projected).unwrap().backward().unwrap();
            let gradient = gradients.get(&projected).unwrap().sqr().unwrap().sum_all().unwrap();
            assert!(gradient.to_scalar::<f64>().unwrap().is_finite());
        }
    }

    #[test]
    fn one_row_has_no_pairs() {
        let loss = alignment_mean_square(&rows(1, 1, 5), &rows(2, 1, 3)).unwrap();
        assert_eq!(loss.to_scalar::<f64>().unwrap(), 0.0);
    }
}
