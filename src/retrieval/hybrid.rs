//! Hybrid retrieval: two rankings made one.

use std::sync::Arc;

use super::{Bm25, ChunkIndex, Definitions, Retrieved, Retriever};
use crate::corpus::{CompletionSample, Repository};

/// How little the first places of a ranking stand out. The source takes 60, for rankings that are equally good; with that, a chunk
/// that both rank low comes before one that only the definitions know, and hits within 10 fall from 95% to 62%.
const RANK_OFFSET: f64 = 2.0;

/// How many times the ranking by definitions counts, because a chunk that it puts first is mostly right.
const DEFINITIONS: f64 = 2.0;

/// Fuses the rankings of [`Definitions`] and [`Bm25`]: a chunk has the weighted sum of `1 / (c + rank)` over both (reciprocal rank
/// fusion, Cormack, Clarke and Büttcher 2009). Beside what defines the next name it brings code that looks like the code before
/// the cursor.
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
        let rankings = [
            (DEFINITIONS, self.definitions.scores(sample)),
            (1.0, self.words.scores(sample)),
        ];
        for (weight, scores) in rankings {
            for (index, rank) in self.index.ranks(sample, &scores) {
                if let Some(score) = fused.get_mut(index) {
                    *score += weight / (RANK_OFFSET + rank as f64);
                }
            }
        }
        self.index.best(sample, &fused, k)
    }
}
