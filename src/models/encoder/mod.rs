//! The frozen encoder: one vector for one chunk of code, and the cache that keeps it.

mod bert;
mod cache;
mod fingerprint;
mod input;
mod kind;
mod rare_identifiers;
mod segment;
mod spelling;
mod syntax_tree;
mod text_encoder;
mod vector;

use std::sync::Arc;

pub use cache::VectorCache;
pub use rare_identifiers::RareIdentifiers;
pub use spelling::Spelling;
pub use syntax_tree::{Part, linearised};
pub use text_encoder::TextEncoder;

use super::ModelError;
use super::reader::Reader;
use super::tokenizer::TextTokenizer;
use crate::experiment::{EncoderSettings, Pooling};

/// A frozen model that turns a text into one vector of length one.
pub trait Encoder: Send + Sync {
    /// Changes when the model, its pooling, its input or its truncation changes: vectors of equal fingerprints are
    /// interchangeable.
    fn fingerprint(&self) -> &str;

    /// Length of a vector.
    fn width(&self) -> usize;

    /// Tokens that it reads of a text, which may be fewer than the text has.
    fn tokens(&self, text: &str) -> Result<usize, ModelError>;

    /// One L2-normalised vector for each text, in their order.
    fn encode(&self, texts: &[&str]) -> Result<Vec<Vec<f32>>, ModelError>;
}

/// The reader itself as encoder: by its hidden states, by its token embeddings of rare identifiers, or by those of the first tokens. No weights are loaded;
/// `weights` is the SHA-256 of the reader's files.
pub fn of_reader(
    settings: &EncoderSettings,
    reader: Arc<dyn Reader>,
    tokenizer: Arc<TextTokenizer>,
    weights: &str,
) -> Result<Box<dyn Encoder>, ModelError> {
    Ok(match settings.pooling {
        Pooling::RareIdentifiers => Box::new(RareIdentifiers::new(settings, reader, tokenizer, weights)),
        Pooling::Spelling => Box::new(Spelling::new(reader, tokenizer, weights)?),
        _ => Box::new(TextEncoder::of_reader(settings, reader, tokenizer, weights)?),
    })
}
