//! Completions judged: metrics, arms and controls, statistics, latency.

mod records;

pub use records::*;
