//! Dense retrieval: chunks whose encoder vector points where that of the lines before the cursor does.

use std::collections::HashMap;
use std::sync::Arc;

use super::{ChunkIndex, Retrieved, Retriever, query_text};
use crate::corpus::CompletionSample;

/// Ranks by the scalar product of vectors of length one, comparing every chunk.
///
/// Encoding is the caller's: this module knows no model, and a batch of texts is encoded much faster than one after the other.
#[derive(Clone, Debug)]
pub struct Dense {
    index: Arc<ChunkIndex>,
    /// The vectors of all chunks and of the queries that may be asked, by their text.
    vectors: HashMap<String, Vec<f32>>,
    query_lines: usize,
}

impl Dense {
    /// Over indexed chunks and the vectors of [`Dense::texts`]; a text without a vector is near to nothing.
    pub fn over(index: Arc<ChunkIndex>, vectors: HashMap<String, Vec<f32>>, query_lines: usize) -> Self {
        Self {
            index,
            vectors,
            query_lines,
        }
    }

    /// What has to be encoded for these samples: the chunks of the repository and the queries.
    pub fn texts(index: &ChunkIndex, samples: &[CompletionSample], query_lines: usize) -> Vec<String> {
        let chunks = index.chunks().iter().map(|chunk| chunk.text.clone());
        chunks
            .chain(samples.iter().map(|sample| query_text(sample, query_lines)))
            .collect()
    }

    /// The chunks nearest to the vector of a query that was not known beforehand.
    pub fn nearest(&self, sample: &CompletionSample, query: &[f32], k: usize) -> Vec<Retrieved> {
        let chunks = self.index.chunks().iter();
        let scores: Vec<f64> = chunks.map(|chunk| product(query, self.vector(&chunk.text))).collect();
        self.index.best(sample, &scores, k)
    }

    fn vector(&self, text: &str) -> &[f32] {
        self.vectors.get(text).map(Vec::as_slice).unwrap_or_default()
    }
}

impl Retriever for Dense {
    fn retrieve(&self, sample: &CompletionSample, k: usize) -> Vec<Retrieved> {
        self.nearest(sample, self.vector(&query_text(sample, self.query_lines)), k)
    }
}

fn product(a: &[f32], b: &[f32]) -> f64 {
    f64::from(a.iter().zip(b).map(|(a, b)| a * b).sum::<f32>())
}
