//! Models: the catalogue and its download, loading, tokenizers, the frozen encoder and the frozen reader.

mod error;
pub mod reader;

pub use error::ModelError;
