//! Models: the catalogue and its download, loading, tokenizers, the frozen encoder and the frozen reader.

pub mod catalogue;
pub mod digest;
pub mod encoder;
mod error;
pub mod reader;
mod tensors;
pub mod tokenizer;

pub use error::ModelError;
