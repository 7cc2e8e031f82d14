//! The one prompt builder: training, evaluation, the playground and the bench make their prompts here.
//!
//! A prompt is `before`, soft tokens, `after`, left context for the compressed arm; chunks as text, worst first, and left
//! context for full RAG; left context alone without retrieval (science.md, "details needed to reproduce").

mod builder;
mod target;

pub use builder::{PreparedSample, PromptBuilder};
pub use target::continued;
