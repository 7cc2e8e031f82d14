//! Training: losses, optimiser, schedule and the step.

mod error;
pub mod objective;
pub mod optimizer;
pub mod schedule;
mod session;

pub use error::{GradientFault, TrainingError};
pub use session::{EncodedSample, StepOutcome, TrainingSession};
