//! What is kept of every probe of a run: all its numbers, none of its vectors.

use serde::{Deserialize, Serialize};

use super::{Comparison, Geometry, Histogram, Instruments};

/// Bins of the histograms: 0.02 wide.
pub const BINS: usize = 100;

/// The numbers of the projected vectors at one step.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ProbeSummary {
    /// Of the projected vectors.
    pub instruments: Instruments,
    /// With the encoder's vectors.
    pub comparison: Comparison,
    /// Of the cosines, in [`BINS`] bins.
    pub histogram: Histogram,
    /// Singular values, descending.
    pub spectrum: Spectrum,
}

/// Singular values of a set of vectors, descending.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Spectrum {
    /// As the vectors are.
    pub uncentred: Vec<f32>,
    /// With the mean vector taken off.
    pub centred: Vec<f32>,
}

impl Spectrum {
    /// Of these vectors.
    pub fn of(geometry: &Geometry) -> Self {
        let single = |centred| {
            geometry
                .singular_values(centred)
                .iter()
                .map(|value| *value as f32)
                .collect()
        };
        Self {
            uncentred: single(false),
            centred: single(true),
        }
    }
}

impl ProbeSummary {
    /// Of projected vectors beside the encoder's of the same chunks.
    pub fn of(encoder: &Geometry, projected: &Geometry) -> Self {
        Self {
            instruments: projected.instruments(),
            comparison: projected.compared_with(encoder),
            histogram: projected.histogram(BINS),
            spectrum: Spectrum::of(projected),
        }
    }
}
