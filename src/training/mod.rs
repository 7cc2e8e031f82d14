//! Training: losses, optimiser, schedule and the step.

mod error;
pub mod objective;
pub mod optimizer;
pub mod schedule;
mod session;
mod state;

pub use error::{GradientFault, TrainingError};
pub use session::{EncodedSample, StepOutcome, TrainingSession};
pub use state::SessionState;
