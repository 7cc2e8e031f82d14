//! Training: losses, optimiser, schedule and the step.

mod assemble;
mod error;
pub mod objective;
pub mod optimizer;
mod order;
pub mod schedule;
mod session;

pub use error::{GradientFault, TrainingError};
pub use session::{EncodedSample, StepOutcome, TrainingSession};
