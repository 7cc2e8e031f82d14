//! Completions judged: metrics, arms and controls, statistics, latency.

pub mod metrics;
mod records;
pub mod statistics;

pub use metrics::{SCORE_INFO, ScoreInfo};
pub use records::*;
