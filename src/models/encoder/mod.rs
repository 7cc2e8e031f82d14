//! The frozen encoder: one vector for one chunk of code, and the cache that keeps it.

mod bert;
mod cache;
mod network;
mod segment;

pub use bert::BertEncoder;
pub use cache::VectorCache;
pub use network::BertNetwork;

use super::ModelError;

/// A frozen model that turns a text into one vector of length one.
pub trait Encoder: Send {
    /// Changes when the model, its pooling or its truncation changes: vectors of equal fingerprints are interchangeable.
    fn fingerprint(&self) -> &str;

    /// Length of a vector.
    fn width(&self) -> usize;

    /// Tokens that it reads of a text, which may be fewer than the text has.
    fn tokens(&self, text: &str) -> Result<usize, ModelError>;

    /// One L2-normalised vector for each text, in their order.
    fn encode(&self, texts: &[&str]) -> Result<Vec<Vec<f32>>, ModelError>;
}
