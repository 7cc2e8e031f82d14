//! The terms of the objective (method.md A4): each alone, as pure functions of logits, rewards and vectors, and what the reader
//! is asked for them in one pass.

mod alignment;
mod logits;
mod reading;
mod reconstruction;
mod reward;
mod rollouts;
mod teacher;
mod watch;

pub use alignment::{AlignmentMemory, CosineDifference};
pub use logits::{LogProbabilities, LogitTerms, LogitWeights, Role};
pub use reading::{ReadTerms, Reading};
pub use reconstruction::NameTable;
pub use reward::{RunningBaseline, advantages, policy_loss, reward, token_factors};
pub use rollouts::{Draw, Rollouts, roll_out};
pub use teacher::{TeacherPrediction, teach};
pub use watch::{PolicyWatch, WatchedPrediction};
