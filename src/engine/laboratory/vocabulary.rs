//! The reader's vocabulary around a soft token.

use crate::engine::loaded::LoadedModels;
use crate::engine::{EngineError, NearestToken};
use crate::evaluation::norm;

/// Tokens of the vocabulary that are named for a soft token.
const NEAREST: usize = 8;

/// Every token's embedding.
pub(in crate::engine) struct Vocabulary<'a> {
    models: &'a LoadedModels,
    /// Token embeddings, `[vocabulary, hidden]`.
    table: Vec<f32>,
    /// The length of each.
    lengths: Vec<f32>,
}

impl<'a> Vocabulary<'a> {
    /// That of the models' reader.
    pub fn of(models: &'a LoadedModels) -> Result<Self, EngineError> {
        let table = models.reader.embedding_table()?;
        let hidden = models.reader.config().hidden.max(1);
        Ok(Self {
            lengths: table.chunks_exact(hidden).map(norm).collect(),
            table,
            models,
        })
    }

    /// The tokens whose embeddings have the largest cosine with a row, nearest first.
    pub fn nearest(&self, row: &[f32]) -> Vec<NearestToken> {
        let length = norm(row);
        let embeddings = self.table.chunks_exact(row.len().max(1)).zip(&self.lengths);
        let cosines = embeddings.enumerate().map(|(id, (embedding, own))| {
            let product: f32 = embedding.iter().zip(row).map(|(a, b)| a * b).sum();
            (id as u32, product / (own * length).max(f32::MIN_POSITIVE))
        });
        let mut cosines: Vec<(u32, f32)> = cosines.collect();
        let count = NEAREST.min(cosines.len());
        if count < cosines.len() {
            cosines.select_nth_unstable_by(count, |a, b| b.1.total_cmp(&a.1));
        }
        cosines.truncate(count);
        cosines.sort_by(|a, b| b.1.total_cmp(&a.1));
        let token = |(id, cosine): (u32, f32)| NearestToken {
            text: self.models.tokenizer.text(&[id]),
            cosine,
        };
        cosines.into_iter().map(token).collect()
    }
}
