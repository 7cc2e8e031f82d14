//! Completions judged: metrics, arms and controls, statistics, latency.

mod completion;
pub mod metrics;
mod records;
mod retrieval_quality;
pub mod statistics;

pub use completion::{complete, complete_in};
pub use metrics::{SCORE_INFO, ScoreInfo};
pub use records::*;
pub use retrieval_quality::{HitRate, RANKS, RetrievalQuality, RetrievalRecord};
