//! Completions judged: metrics, arms and controls, statistics, latency.

mod completion;
pub mod metrics;
mod records;
pub mod statistics;

pub use completion::{complete, complete_in};
pub use metrics::{SCORE_INFO, ScoreInfo};
pub use records::*;
