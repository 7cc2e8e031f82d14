//! The one prompt builder: training, evaluation, the playground and the bench make their prompts here.
//!
//! A prompt is code and, at the place that its layout says, a context: `before`, soft tokens and `after` for the compressed arm,
//! chunks as text, worst first, for full RAG, nothing without retrieval (method.md A2; science.md, "details needed to reproduce").

mod builder;
mod context;
mod identifiers;
mod inspect;
mod layout;
mod target;

pub use builder::{PreparedSample, PromptBuilder};
pub use context::{Context, Source};
pub use inspect::PromptEntry;
pub use target::continued;
