//! Completions judged: metrics, arms and controls, statistics, latency.

pub mod agreement;
mod arms;
mod completion;
mod content;
mod counterfactual;
pub mod metrics;
mod pool;
mod records;
mod retrieval_quality;
mod rows;
pub mod statistics;
mod summary;
pub mod tables;

pub use crate::experiment::Arm;
pub use arms::{ArmInput, ArmMaterial, Definition};
pub use completion::{complete, complete_in, keep_left, scored_again};
pub use counterfactual::{Change, Effect};
pub use metrics::{SCORE_INFO, ScoreInfo};
pub use pool::{Pooled, PooledArm, PooledSummary, SeedRecords, pool};
pub use records::*;
pub use retrieval_quality::{HitRate, RANKS, RetrievalQuality, RetrievalRecord};
pub use rows::norm;
pub use summary::summarise;
