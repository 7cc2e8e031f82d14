//! Singular values and the effective ranks made of them.

use nalgebra::DMatrix;

use super::vectors::{Vectors, centred_rows};

/// Singular values of the vectors as a matrix, descending, all `min(rows, width)` of them; `centred` takes the mean vector off first.
///
/// Plotted on a log scale, a cliff is dimensional collapse (Jing et al. 2022, arXiv 2110.09348).
pub fn singular_values(vectors: &Vectors, centred: bool) -> Vec<f64> {
    let matrix = vectors.matrix();
    let total = matrix.norm_squared();
    let matrix = if centred { centred_rows(matrix) } else { matrix };
    energies(&matrix, total).into_iter().map(f64::sqrt).collect()
}

/// Squared singular values, descending: eigenvalues of the smaller Gram matrix.
///
/// What lies below the precision of that matrix, measured against its largest eigenvalue and against `total` (the squared norm
/// before centring), is zero.
pub(super) fn energies(matrix: &DMatrix<f64>, total: f64) -> Vec<f64> {
    let (rows, columns) = matrix.shape();
    if rows <= columns {
        energies_of(&(matrix * matrix.transpose()), columns, total)
    } else {
        energies_of(&matrix.tr_mul(matrix), rows, total)
    }
}

/// [`energies`] of a matrix whose smaller Gram matrix is known, and whose longer side is this.
pub(super) fn energies_of(smaller: &DMatrix<f64>, longer: usize, total: f64) -> Vec<f64> {
    let mut energies: Vec<f64> = smaller.symmetric_eigenvalues().iter().copied().collect();
    energies.sort_unstable_by(|left, right| right.total_cmp(left));
    let largest = energies.first().copied().unwrap_or_default();
    let resolution = longer as f64 * f64::EPSILON;
    let floor = resolution * largest.max(f64::EPSILON * total);
    for energy in &mut energies {
        if *energy <= floor {
            *energy = 0.0;
        }
    }
    energies
}

/// `exp(-Σ p ln p)` with `p = σ / Σσ + 1e-7`; 1 for an all-zero matrix.
pub(super) fn rankme(energies: &[f64]) -> f64 {
    let sum: f64 = energies.iter().map(|energy| energy.sqrt()).sum();
    if sum == 0.0 {
        return 1.0;
    }
    let entropy: f64 = energies
        .iter()
        .map(|energy| energy.sqrt() / sum + 1e-7)
        .map(|share| -share * share.ln())
        .sum();
    entropy.exp()
}

/// `(Σλ)² / Σλ²`; 1 when all is zero.
pub(super) fn participation_ratio(energies: &[f64]) -> f64 {
    let sum: f64 = energies.iter().sum();
    let squares: f64 = energies.iter().map(|energy| energy * energy).sum();
    if squares == 0.0 { 1.0 } else { sum * sum / squares }
}

/// `λ₁ / Σλ`; 1 when all is zero.
pub(super) fn top_share(energies: &[f64]) -> f64 {
    let sum: f64 = energies.iter().sum();
    if sum == 0.0 {
        return 1.0;
    }
    energies.first().copied().unwrap_or_default() / sum
}
