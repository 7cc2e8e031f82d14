//! Instruments on vectors: how far the projected vectors have collapsed, and what of the encoder's geometry they keep. They are
//! pure functions on matrices, computed in double precision. A monitor raises alarms on what a run writes.

mod alarm;
mod arrange;
mod comparison;
mod cosine;
mod geometry;
mod instruments;
mod memory;
mod monitor;
mod plane;
mod probe_summary;
mod quantile;
mod sample;
mod spectrum;
mod vectors;
mod verdict;

pub use alarm::{AlarmChange, AlarmEvent, AlarmKind};
pub use arrange::{cluster_order, pca_2d};
pub use comparison::{Comparison, compare};
pub use cosine::{Histogram, cosine_histogram, cosine_matrix, off_diagonal_cosines};
pub use geometry::Geometry;
pub use instruments::{INSTRUMENTS, InstrumentInfo, Instruments, instruments};
pub use memory::MonitorState;
pub use monitor::{Difference, Judgement, Monitor};
pub use plane::Plane;
pub use probe_summary::{BINS, ProbeSummary, Spectrum};
pub use quantile::quantile;
pub use sample::{EXACT_ROWS, sampled_rows};
pub use spectrum::singular_values;
pub use vectors::{Vectors, VectorsError};
pub use verdict::{Limit, Verdict, headline, limits, verdict};
