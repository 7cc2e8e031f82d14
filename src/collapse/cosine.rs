//! Cosines between vectors: the matrix behind the heat map, and the histogram of figure 2 of the paper.

use nalgebra::DMatrix;
use serde::{Deserialize, Serialize};

use super::quantile::quantile;
use super::vectors::{Vectors, gram, unit_rows};

/// How often each cosine occurs among pairs of distinct vectors.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Histogram {
    /// Lower end of the first bin.
    pub low: f64,
    /// Upper end of the last bin.
    pub high: f64,
    /// Pairs in each bin; bins are equally wide, and the last one includes its upper end.
    pub counts: Vec<usize>,
    /// Mean cosine of all pairs.
    pub mean: f64,
    /// Quantiles 5%, 25%, 50%, 75% and 95%.
    pub quantiles: [f64; 5],
}

/// Cosine of every two vectors, `[rows, rows]` row-major; symmetric, ones on the diagonal.
pub fn cosine_matrix(vectors: &Vectors) -> Vec<f32> {
    cosines(vectors).iter().map(|cosine| *cosine as f32).collect()
}

/// Cosine of every pair of distinct vectors, each pair once: (0, 1), (0, 2), …, (1, 2), …
pub fn off_diagonal_cosines(vectors: &Vectors) -> Vec<f64> {
    upper(&cosines(vectors)).collect()
}

/// Histogram of the cosines of all pairs of distinct vectors over [-1, 1], in `bins` bins (at least one).
pub fn cosine_histogram(vectors: &Vectors, bins: usize) -> Histogram {
    histogram_of(off_diagonal_cosines(vectors), bins)
}

/// Histogram of cosines over [-1, 1].
pub(super) fn histogram_of(mut cosines: Vec<f64>, bins: usize) -> Histogram {
    let mut counts = vec![0; bins.max(1)];
    let last = counts.len() - 1;
    for cosine in &cosines {
        let bin = ((cosine + 1.0) / 2.0 * counts.len() as f64) as usize;
        if let Some(count) = counts.get_mut(bin.min(last)) {
            *count += 1;
        }
    }
    let mean = cosines.iter().sum::<f64>() / cosines.len() as f64;
    cosines.sort_unstable_by(f64::total_cmp);
    Histogram {
        low: -1.0,
        high: 1.0,
        counts,
        mean,
        quantiles: [0.05, 0.25, 0.5, 0.75, 0.95].map(|share| quantile(&cosines, share)),
    }
}

/// Cosine of every two vectors, `[rows, rows]`.
pub(super) fn cosines(vectors: &Vectors) -> DMatrix<f64> {
    gram(&unit_rows(vectors.matrix()))
}

/// Entries above the diagonal, row by row.
pub(super) fn upper(square: &DMatrix<f64>) -> impl Iterator<Item = f64> + '_ {
    (0..square.nrows()).flat_map(move |row| (row + 1..square.ncols()).map(move |column| square[(row, column)]))
}
