//! Training: losses, optimiser, schedule and the step.

mod assemble;
mod error;
pub mod objective;
pub mod optimizer;
mod order;
pub mod schedule;
mod session;
mod spelling;
mod state;

pub use error::{GradientFault, TrainingError};
pub use session::{EncodedSample, StepOutcome, TrainingSession};
pub use spelling::SpelledNames;
pub use state::SessionState;
