//! The terms of the objective (method.md A4): each alone, as pure functions of logits, rewards and vectors.

mod alignment;
mod reward;

pub use alignment::{AlignmentMemory, CosineDifference};
pub use reward::{RunningBaseline, advantages, policy_loss, reward, token_factors};
