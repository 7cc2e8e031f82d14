//! What several instruments need of one set of vectors, computed once: a probe is looked at in one pass.

use nalgebra::DMatrix;

use super::comparison::{Comparison, compare_geometries};
use super::cosine::{Histogram, histogram_of, upper};
use super::instruments::Instruments;
use super::quantile::quantile;
use super::spectrum::{energies, energies_of, participation_ratio, rankme, top_share};
use super::vectors::{Vectors, centred_rows, gram};

/// Norms, cosines and spectra of a set of vectors.
#[derive(Clone, Debug)]
pub struct Geometry {
    norms: Vec<f64>,
    pub(super) cosines: DMatrix<f64>,
    pub(super) centred_gram: DMatrix<f64>,
    /// Squared singular values, descending.
    uncentred: Vec<f64>,
    centred: Vec<f64>,
}

impl Geometry {
    /// Of these vectors.
    pub fn of(vectors: &Vectors) -> Self {
        let matrix = vectors.matrix();
        let total = matrix.norm_squared();
        let products = gram(&matrix);
        let norms: Vec<f64> = products.diagonal().iter().map(|square| square.sqrt()).collect();
        let uncentred = spectrum(&matrix, &products, total);
        let matrix = centred_rows(matrix);
        let centred_gram = gram(&matrix);
        let centred = spectrum(&matrix, &centred_gram, total);
        Self {
            cosines: scaled(products, &norms),
            norms,
            centred_gram,
            uncentred,
            centred,
        }
    }

    /// All instruments.
    pub fn instruments(&self) -> Instruments {
        let mut norms = self.norms.clone();
        norms.sort_unstable_by(f64::total_cmp);
        let cosines: Vec<f64> = upper(&self.cosines).collect();
        let pairs = cosines.len() as f64;
        Instruments {
            mean_cosine: cosines.iter().sum::<f64>() / pairs,
            rankme: rankme(&self.uncentred),
            participation_ratio: participation_ratio(&self.centred),
            stable_rank: 1.0 / top_share(&self.uncentred),
            top_share_centred: top_share(&self.centred),
            top_share_uncentred: top_share(&self.uncentred),
            // Of unit vectors, ‖a - b‖² = 2 - 2 cos(a, b).
            uniformity: (cosines.iter().map(|cosine| (4.0 * cosine - 4.0).exp()).sum::<f64>() / pairs).ln(),
            median_norm: quantile(&norms, 0.5),
            largest_rank: self.uncentred.len(),
        }
    }

    /// What these projected vectors keep of the encoder's, row by row.
    pub fn compared_with(&self, encoder: &Self) -> Comparison {
        compare_geometries(encoder, self)
    }

    /// Histogram of the cosines of all pairs over [-1, 1].
    pub fn histogram(&self, bins: usize) -> Histogram {
        histogram_of(upper(&self.cosines).collect(), bins)
    }

    /// Cosine of every two vectors, `[rows, rows]` row-major.
    pub fn cosine_matrix(&self) -> Vec<f32> {
        self.cosines.iter().map(|cosine| *cosine as f32).collect()
    }

    /// Singular values, descending; `centred` takes the mean vector off first.
    pub fn singular_values(&self, centred: bool) -> Vec<f64> {
        let energies = if centred { &self.centred } else { &self.uncentred };
        energies.iter().map(|energy| energy.sqrt()).collect()
    }
}

/// Energies of a matrix whose Gram matrix of rows is known: only a matrix with fewer columns than rows has a smaller one.
fn spectrum(matrix: &DMatrix<f64>, products: &DMatrix<f64>, total: f64) -> Vec<f64> {
    if matrix.nrows() <= matrix.ncols() {
        energies_of(products, matrix.ncols(), total)
    } else {
        energies(matrix, total)
    }
}

/// Inner products divided by the norms; a vector of zeros has cosine 0 with everything.
fn scaled(mut products: DMatrix<f64>, norms: &[f64]) -> DMatrix<f64> {
    let inverse: Vec<f64> = norms
        .iter()
        .map(|norm| if *norm > 0.0 { norm.recip() } else { 0.0 })
        .collect();
    for (mut column, across) in products.column_iter_mut().zip(&inverse) {
        for (value, down) in column.iter_mut().zip(&inverse) {
            *value *= down * across;
        }
    }
    products
}
