//! Jaccard retrieval: chunks that share the most words with the lines before the cursor.

use std::sync::Arc;

use super::words::{ratio, words};
use super::{ChunkIndex, Retrieved, Retriever, query_text};
use crate::corpus::{Chunk, CompletionSample, Repository};

/// Ranks by `|A∩B| / |A∪B|` of the word sets of query and chunk (method.md A6).
#[derive(Clone, Debug)]
pub struct Jaccard {
    index: Arc<ChunkIndex>,
    query_lines: usize,
}

impl Jaccard {
    /// Cuts a repository into chunks of `chunk_lines` lines and indexes them; queries are `query_lines` lines long.
    pub fn new(repository: &Repository, chunk_lines: usize, query_lines: usize) -> Self {
        Self::over(Arc::new(ChunkIndex::new(repository, chunk_lines)), query_lines)
    }

    /// Over chunks that are indexed already.
    pub fn over(index: Arc<ChunkIndex>, query_lines: usize) -> Self {
        Self { index, query_lines }
    }

    /// The chunks of the repository, in file order.
    pub fn chunks(&self) -> &[Chunk] {
        self.index.chunks()
    }

    /// Similarity of every chunk to the sample's query, 0 to 1, in the order of the chunks.
    pub(super) fn scores(&self, sample: &CompletionSample) -> Vec<f64> {
        let query = query_text(sample, self.query_lines);
        let words = words(&query);
        let mut common = vec![0; self.index.chunks().len()];
        for posting in words.iter().flat_map(|word| self.index.holders(word)) {
            if let Some(count) = common.get_mut(posting.chunk) {
                *count += 1;
            }
        }
        common
            .into_iter()
            .zip(self.index.sizes())
            .map(|(common, &(distinct, _))| ratio(common, words.len(), distinct))
            .collect()
    }
}

impl Retriever for Jaccard {
    fn retrieve(&self, sample: &CompletionSample, k: usize) -> Vec<Retrieved> {
        self.index.best(sample, &self.scores(sample), k)
    }
}
