//! Hybrid retrieval: two rankings made one.

use std::sync::Arc;

use super::{Bm25, ChunkIndex, Definitions, Retrieved, Retriever};
use crate::corpus::{CompletionSample, Repository};

/// How little the first places of a ranking stand out: the constant of the source.
const RANK_OFFSET: f64 = 60.0;

/// Fuses the rankings of [`Definitions`] and [`Bm25`]: a chunk has the sum of `1 / (60 + rank)` over both
/// (reciprocal rank fusion, Cormack, Clarke and Büttcher 2009).
#[derive(Debug)]
pub struct Hybrid {
    index: Arc<ChunkIndex>,
    definitions: Definitions,
    words: Bm25,
}

impl Hybrid {
    /// Over indexed chunks of a repository; queries are `query_lines` lines long.
    pub fn over(index: Arc<ChunkIndex>, repository: &Repository, query_lines: usize) -> Self {
        Self {
            definitions: Definitions::over(Arc::clone(&index), repository, query_lines),
            words: Bm25::over(Arc::clone(&index), query_lines),
            index,
        }
    }
}

impl Retriever for Hybrid {
    fn retrieve(&self, sample: &CompletionSample, k: usize) -> Vec<Retrieved> {
        let mut fused = vec![0.0; self.index.chunks().len()];
        for scores in [self.definitions.scores(sample), self.words.scores(sample)] {
            for (index, rank) in self.index.ranks(sample, &scores) {
                if let Some(score) = fused.get_mut(index) {
                    *score += 1.0 / (RANK_OFFSET + rank as f64);
                }
            }
        }
        self.index.best(sample, &fused, k)
    }
}
