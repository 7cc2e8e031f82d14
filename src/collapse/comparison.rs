//! What of the encoder's geometry is left in the projected vectors (method.md F2).

use nalgebra::DMatrix;
use serde::{Deserialize, Serialize};

use super::Geometry;
use super::cosine::upper;
use super::vectors::Vectors;

/// Neighbours compared by [`Comparison::knn_overlap`].
const NEIGHBOURS: usize = 10;

/// Encoder vectors X and projected vectors Z of the same chunks, with cosine matrices `S^X` and `S^Z`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Comparison {
    /// `mean_{i≠j} (S^Z - S^X)²`, the form in the paper's code. 0 is a perfect copy of the angles.
    pub alignment_mse: f64,
    /// `‖S^Z - S^X‖_F / √2`, equation 3 of the paper.
    pub alignment_frobenius: f64,
    /// Linear CKA, `‖ZᵀX‖_F² / (‖XᵀX‖_F ‖ZᵀZ‖_F)`, both centred. 1 is the same geometry up to rotation and scale
    /// (Kornblith et al. 2019, arXiv 1905.00414).
    pub linear_cka: f64,
    /// Share of the 10 nearest neighbours by cosine that X and Z have in common, averaged; 1 is all of them
    /// (Huh et al. 2024, arXiv 2405.07987). Of two equally near neighbours the earlier row counts as nearer.
    pub knn_overlap: f64,
}

/// Compares two sets of vectors row by row; rows that only one of them has are left out.
pub fn compare(encoder: &Vectors, projected: &Vectors) -> Comparison {
    let rows = encoder.rows().min(projected.rows());
    compare_geometries(
        &Geometry::of(&encoder.first(rows)),
        &Geometry::of(&projected.first(rows)),
    )
}

/// The same of sets with equally many rows, whose cosines and Gram matrices are known.
pub(super) fn compare_geometries(encoder: &Geometry, projected: &Geometry) -> Comparison {
    let (angles_x, angles_z) = (&encoder.cosines, &projected.cosines);
    let (gram_x, gram_z) = (&encoder.centred_gram, &projected.centred_gram);
    let difference = angles_z - angles_x;
    let squares: Vec<f64> = upper(&difference).map(|value| value * value).collect();
    // ‖ZᵀX‖_F² is the inner product of the Gram matrices, and ‖XᵀX‖_F = ‖XXᵀ‖_F.
    let norms = gram_x.norm() * gram_z.norm();
    Comparison {
        alignment_mse: squares.iter().sum::<f64>() / squares.len() as f64,
        alignment_frobenius: difference.norm() / std::f64::consts::SQRT_2,
        linear_cka: if norms == 0.0 { 0.0 } else { gram_x.dot(gram_z) / norms },
        knn_overlap: knn_overlap(angles_x, angles_z),
    }
}

fn knn_overlap(angles_x: &DMatrix<f64>, angles_z: &DMatrix<f64>) -> f64 {
    let rows = angles_x.nrows();
    let k = NEIGHBOURS.min(rows - 1);
    let shared: usize = (0..rows)
        .map(|row| {
            let near = nearest(angles_x, row, k);
            nearest(angles_z, row, k)
                .iter()
                .filter(|other| near.contains(other))
                .count()
        })
        .sum();
    shared as f64 / (rows * k) as f64
}

/// The `k` nearest rows, in no order; the matrix is symmetric, so its columns are its rows.
fn nearest(angles: &DMatrix<f64>, row: usize, k: usize) -> Vec<usize> {
    let cosines = angles.column(row);
    let mut others: Vec<usize> = (0..angles.ncols()).filter(|other| *other != row).collect();
    let by_nearness = |a: &usize, b: &usize| cosines[*b].total_cmp(&cosines[*a]).then(a.cmp(b));
    if k < others.len() {
        others.select_nth_unstable_by(k, by_nearness);
        others.truncate(k);
    }
    others
}
