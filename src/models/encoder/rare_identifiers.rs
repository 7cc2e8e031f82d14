//! An encoder without a network: the mean of the reader's token embeddings of a chunk's rarest identifiers (science2.md 1: the
//! reader's own embeddings keep a name's spelling).

use std::sync::Arc;

use super::Encoder;
use super::fingerprint::fingerprint;
use super::vector::{mean, to_unit_length};
use crate::experiment::EncoderSettings;
use crate::models::ModelError;
use crate::models::reader::Reader;
use crate::models::tokenizer::TextTokenizer;
use crate::retrieval::rarest_names;

/// The reader's embeddings and its tokenizer.
pub struct RareIdentifiers {
    reader: Arc<dyn Reader>,
    tokenizer: Arc<TextTokenizer>,
    max_tokens: usize,
    fingerprint: String,
}

impl RareIdentifiers {
    /// Over a reader; `weights` is the SHA-256 of its files.
    pub fn new(
        settings: &EncoderSettings,
        reader: Arc<dyn Reader>,
        tokenizer: Arc<TextTokenizer>,
        weights: &str,
    ) -> Self {
        let how = format!("reader rare_identifiers {} {weights}", settings.max_tokens);
        Self {
            reader,
            tokenizer,
            max_tokens: settings.max_tokens,
            fingerprint: fingerprint(&how),
        }
    }

    /// Tokens of the rarest names of a text, in their order; of the whole text when it has no name.
    ///
    /// Rare is what the tokenizer saw seldom: its ids run from common to rare tokens, so that by Zipf's law a name is as
    /// probable as the product of `1 / (id + 1)` over its tokens. Unlike counts in a corpus this depends on the chunk alone.
    pub fn ids(&self, text: &str) -> Result<Vec<u32>, ModelError> {
        // A name that has no tokens counts as the rarest, and fails below.
        let commonness = |name: &str| self.name_ids(name).map_or(f64::NEG_INFINITY, |ids| -surprise(&ids));
        let mut ids = Vec::new();
        for name in rarest_names(text, commonness) {
            ids.extend(self.name_ids(name)?);
        }
        if ids.is_empty() {
            ids = self.tokenizer.ids(text)?;
        }
        ids.truncate(self.max_tokens);
        Ok(ids)
    }

    /// Tokens of a name as it stands behind a space.
    fn name_ids(&self, name: &str) -> Result<Vec<u32>, ModelError> {
        self.tokenizer.ids(&format!(" {name}"))
    }
}

fn surprise(ids: &[u32]) -> f64 {
    ids.iter().map(|&id| (f64::from(id) + 1.0).ln()).sum()
}

impl Encoder for RareIdentifiers {
    fn fingerprint(&self) -> &str {
        &self.fingerprint
    }

    fn width(&self) -> usize {
        self.reader.config().hidden
    }

    fn tokens(&self, text: &str) -> Result<usize, ModelError> {
        Ok(self.ids(text)?.len())
    }

    fn encode(&self, texts: &[&str]) -> Result<Vec<Vec<f32>>, ModelError> {
        let vector = |text: &&str| {
            let rows = self.reader.embeddings(&self.ids(text)?)?;
            let mut vector = mean(rows.chunks_exact(self.width()), self.width());
            to_unit_length(&mut vector);
            Ok(vector)
        };
        texts.iter().map(vector).collect()
    }
}
