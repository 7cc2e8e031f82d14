//! Instruments on vectors: how far the projected vectors have collapsed, and what of the encoder's geometry they keep.
//!
//! Pure functions on matrices, computed in double precision.

mod arrange;
mod comparison;
mod cosine;
mod instruments;
mod spectrum;
mod vectors;
mod verdict;

pub use arrange::{cluster_order, pca_2d};
pub use comparison::{Comparison, compare};
pub use cosine::{Histogram, cosine_histogram, cosine_matrix, off_diagonal_cosines};
pub use instruments::{INSTRUMENTS, InstrumentInfo, Instruments, instruments};
pub use spectrum::singular_values;
pub use vectors::{Vectors, VectorsError};
pub use verdict::{Verdict, headline, verdict};
