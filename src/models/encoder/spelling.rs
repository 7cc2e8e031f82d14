//! An encoder without a network that keeps how a short text is spelled: the reader's token embeddings of its first tokens, one
//! behind the other, and their mean (science2.md 1: a vector of these became legible four times as fast as one that lost the order).

use std::sync::Arc;

use super::Encoder;
use super::fingerprint::fingerprint;
use super::vector::{mean, to_unit_length};
use crate::models::ModelError;
use crate::models::reader::Reader;
use crate::models::tokenizer::TextTokenizer;

/// Tokens whose order is kept; most names have fewer, and what a longer one ends with is in the mean alone.
const ORDERED: usize = 6;

/// The reader's embeddings and its tokenizer.
pub struct Spelling {
    reader: Arc<dyn Reader>,
    tokenizer: Arc<TextTokenizer>,
    /// Embedding of what stands where a text has ended: a line break, as behind a name that stands alone.
    end: Vec<f32>,
    fingerprint: String,
}

impl Spelling {
    /// Over a reader; `weights` is the SHA-256 of its files.
    pub fn new(reader: Arc<dyn Reader>, tokenizer: Arc<TextTokenizer>, weights: &str) -> Result<Self, ModelError> {
        let width = reader.config().hidden;
        let mut end = reader.embeddings(&tokenizer.ids("\n")?)?;
        end.resize(width, 0.0);
        Ok(Self {
            reader,
            tokenizer,
            end,
            fingerprint: fingerprint(&format!("reader spelling {ORDERED} {weights}")),
        })
    }

    /// Tokens of a text as it stands behind a space.
    fn ids(&self, text: &str) -> Result<Vec<u32>, ModelError> {
        self.tokenizer.ids(&format!(" {text}"))
    }
}

impl Encoder for Spelling {
    fn fingerprint(&self) -> &str {
        &self.fingerprint
    }

    fn width(&self) -> usize {
        (ORDERED + 1) * self.end.len()
    }

    fn tokens(&self, text: &str) -> Result<usize, ModelError> {
        Ok(self.ids(text)?.len())
    }

    fn encode(&self, texts: &[&str]) -> Result<Vec<Vec<f32>>, ModelError> {
        let width = self.end.len();
        let vector = |text: &&str| {
            let rows = self.reader.embeddings(&self.ids(text)?)?;
            let ends = std::iter::repeat(self.end.as_slice());
            let ordered = rows.chunks_exact(width).chain(ends).take(ORDERED);
            let mut vector: Vec<f32> = ordered.flatten().copied().collect();
            vector.extend(mean(rows.chunks_exact(width), width));
            to_unit_length(&mut vector);
            Ok(vector)
        };
        texts.iter().map(vector).collect()
    }
}
