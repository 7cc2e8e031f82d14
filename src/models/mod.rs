//! Models: the catalogue and its download, loading, tokenizers, the frozen encoder and the frozen reader.

pub mod catalogue;
mod error;

pub use error::ModelError;
