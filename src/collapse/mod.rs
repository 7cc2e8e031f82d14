//! Instruments on vectors: how far the projected vectors have collapsed, and what of the encoder's geometry they keep. They are
//! pure functions on matrices, computed in double precision. A monitor raises alarms on what a run writes.

mod alarm;
mod arrange;
mod comparison;
mod cosine;
mod instruments;
mod memory;
mod monitor;
mod quantile;
mod spectrum;
mod vectors;
mod verdict;

pub use alarm::{AlarmChange, AlarmEvent, AlarmKind};
pub use arrange::{cluster_order, pca_2d};
pub use comparison::{Comparison, compare};
pub use cosine::{Histogram, cosine_histogram, cosine_matrix, off_diagonal_cosines};
pub use instruments::{INSTRUMENTS, InstrumentInfo, Instruments, instruments};
pub use memory::MonitorState;
pub use monitor::{Difference, Judgement, Monitor};
pub use quantile::quantile;
pub use spectrum::singular_values;
pub use vectors::{Vectors, VectorsError};
pub use verdict::{Verdict, headline, verdict};
