//! A plane to look at vectors in that stays the same while they move.

use nalgebra::{DMatrix, DVector, SymmetricEigen};

/// Directions that are followed; two are shown, the others make these two settle sooner.
const BLOCK: usize = 4;
/// Rounds of orthogonal iteration; what is left of the error shrinks with the ratio of eigenvalues in each.
const ROUNDS: usize = 40;

/// The first two principal directions of some vectors, and their mean.
#[derive(Clone, Debug, PartialEq)]
pub struct Plane {
    mean: DVector<f64>,
    axes: DMatrix<f64>,
    /// Share of the variance along each of the two axes, 0 to 1.
    pub shares: [f64; 2],
}

impl Plane {
    /// Fits the plane to the rows of all `sets` together, each `[rows, width]` row-major; none when there are no two rows, no
    /// two columns, or a value is not finite.
    ///
    /// Found by orthogonal iteration from fixed directions, so the same vectors always give the same plane.
    pub fn fit(sets: &[&[f32]], width: usize) -> Option<Self> {
        let values: Vec<f64> = sets.iter().flat_map(|set| set.iter().copied().map(f64::from)).collect();
        let rows = values.len().checked_div(width)?;
        if rows < 2 || width < 2 || values.len() != rows * width || values.iter().any(|value| !value.is_finite()) {
            return None;
        }
        let mut matrix = DMatrix::from_row_slice(rows, width, &values);
        let mean = matrix.row_mean();
        for mut row in matrix.row_iter_mut() {
            row -= &mean;
        }
        let total = matrix.norm_squared();
        // Cosines of different frequencies: independent, and no direction is left out of all of them.
        let start = DMatrix::from_fn(width, BLOCK.min(width), |row, column| {
            (0.7 + (row + 1) as f64 * (column + 1) as f64 * 1.618).cos()
        });
        let mut directions = start.qr().q();
        for _ in 0..ROUNDS {
            let coordinates = &matrix * &directions;
            directions = matrix.tr_mul(&coordinates).qr().q();
        }
        let coordinates = &matrix * &directions;
        let inner = SymmetricEigen::new(coordinates.tr_mul(&coordinates));
        let mut order: Vec<usize> = (0..inner.eigenvalues.len()).collect();
        order.sort_by(|a, b| inner.eigenvalues[*b].total_cmp(&inner.eigenvalues[*a]));
        let (Some(&first), Some(&second)) = (order.first(), order.get(1)) else {
            return None;
        };
        let mut axes = DMatrix::from_columns(&[
            &directions * inner.eigenvectors.column(first),
            &directions * inner.eigenvectors.column(second),
        ]);
        for mut axis in axes.column_iter_mut() {
            let sign = axis[axis.iamax()].signum();
            axis *= sign;
        }
        let share = |at: usize| {
            if total > 0.0 {
                inner.eigenvalues[at] / total
            } else {
                0.0
            }
        };
        Some(Self {
            mean: mean.transpose(),
            axes,
            shares: [share(first), share(second)],
        })
    }

    /// Where vectors lie in the plane: `values` is `[rows, width]` row-major, a width that is not the plane's gives no points.
    pub fn points(&self, values: &[f32]) -> Vec<[f32; 2]> {
        let width = self.mean.len();
        if !values.len().is_multiple_of(width) {
            return Vec::new();
        }
        let place = |row: &[f32]| {
            let mut point = [0.0; 2];
            for (at, value) in row.iter().enumerate() {
                let offset = f64::from(*value) - self.mean[at];
                point[0] += offset * self.axes[(at, 0)];
                point[1] += offset * self.axes[(at, 1)];
            }
            point.map(|coordinate| coordinate as f32)
        };
        values.chunks_exact(width).map(place).collect()
    }
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "a failing test should panic")]
    use super::super::{Vectors, pca_2d};
    use super::*;

    /// Points that spread most along two directions.
    fn cloud(rows: usize, width: usize) -> Vec<f32> {
        let wave = |row: usize, at: usize| ((row * 37 + at * 11) as f32 * 0.613).sin();
        let along = |row: usize, at: usize| {
            let strong = 6.0 * wave(row, 1) * (at as f32 * 0.9).cos();
            let weak = 2.5 * wave(row, 5) * (at as f32 * 2.3).sin();
            strong + weak + 0.1 * wave(row, at)
        };
        (0..rows * width).map(|at| along(at / width, at % width)).collect()
    }

    #[test]
    fn it_is_the_plane_of_the_principal_components() {
        let values = cloud(60, 20);
        let plane = Plane::fit(&[&values], 20).unwrap();
        let expected = pca_2d(&Vectors::new(60, 20, &values).unwrap());
        let found = plane.points(&values);
        for axis in 0..2 {
            let pairs = || found.iter().zip(&expected).map(|(a, b)| (f64::from(a[axis]), b[axis]));
            let sign = pairs().map(|(a, b)| a * b).sum::<f64>().signum();
            assert!(pairs().all(|(a, b)| (a * sign - b).abs() < 1e-3), "axis {axis}");
        }
        assert!(plane.shares[0] > plane.shares[1] && plane.shares[0] + plane.shares[1] > 0.95);
    }

    #[test]
    fn what_has_no_plane_gives_none() {
        assert!(Plane::fit(&[&[1.0, 2.0]], 2).is_none());
        assert!(Plane::fit(&[&[1.0, f32::NAN, 0.0, 1.0]], 2).is_none());
        assert!(Plane::fit(&[], 0).is_none());
        let flat = Plane::fit(&[&[1.0; 6]], 3).unwrap();
        assert_eq!(flat.shares, [0.0; 2]);
    }
}
