//! BM25 retrieval: words in common with the lines before the cursor, rare words counting more.

use std::collections::HashMap;
use std::sync::Arc;

use super::words::word_sequence;
use super::{ChunkIndex, Retrieved, Retriever, query_text};
use crate::corpus::CompletionSample;

/// How soon further occurrences of a word in a chunk stop counting.
const K1: f64 = 1.5;

/// How much longer chunks are held back: 0 not at all, 1 in proportion.
const B: f64 = 0.75;

/// Weight of a word that more than half of the chunks hold, as a share of the mean weight.
const EPSILON: f64 = 0.25;

/// Okapi BM25 (Robertson and Zaragoza 2009, equation 3.15), with the inverse document frequency `ln((N − n + ½) / (n + ½))`,
/// raised to a quarter of the mean where it is negative.
#[derive(Clone, Debug)]
pub struct Bm25 {
    index: Arc<ChunkIndex>,
    /// Weight of a word that is common in the repository: the floor of all.
    common: f64,
    /// Words in a chunk, on average.
    mean_words: f64,
    query_lines: usize,
}

impl Bm25 {
    /// Over indexed chunks; queries are `query_lines` lines long.
    pub fn over(index: Arc<ChunkIndex>, query_lines: usize) -> Self {
        let chunks = index.chunks().len();
        // In a fixed order, because the sum of floating-point numbers depends on it.
        let mut holders: Vec<usize> = index.words().map(|(_, postings)| postings.len()).collect();
        holders.sort_unstable();
        let sum: f64 = holders.iter().map(|&holders| inverse_frequency(chunks, holders)).sum();
        let all: usize = index.sizes().iter().map(|(_, all)| all).sum();
        Self {
            common: EPSILON * sum / holders.len().max(1) as f64,
            mean_words: all as f64 / chunks.max(1) as f64,
            index,
            query_lines,
        }
    }

    /// Score of every chunk for the sample's query, in the order of the chunks.
    pub(super) fn scores(&self, sample: &CompletionSample) -> Vec<f64> {
        let query = query_text(sample, self.query_lines);
        let mut asked: HashMap<&str, f64> = HashMap::new();
        for word in word_sequence(&query) {
            *asked.entry(word).or_default() += 1.0;
        }
        let mut asked: Vec<(&str, f64)> = asked.into_iter().collect();
        asked.sort_unstable_by_key(|(word, _)| *word);

        let sizes = self.index.sizes();
        let mut scores = vec![0.0; sizes.len()];
        for (word, times) in asked {
            let holders = self.index.holders(word);
            let rarity = inverse_frequency(sizes.len(), holders.len());
            let weight = times * if rarity < 0.0 { self.common } else { rarity };
            for posting in holders {
                if let (Some(score), Some((_, all))) = (scores.get_mut(posting.chunk), sizes.get(posting.chunk)) {
                    let count = posting.count as f64;
                    let length = 1.0 - B + B * *all as f64 / self.mean_words;
                    *score += weight * count * (K1 + 1.0) / (count + K1 * length);
                }
            }
        }
        scores
    }
}

impl Retriever for Bm25 {
    fn retrieve(&self, sample: &CompletionSample, k: usize) -> Vec<Retrieved> {
        self.index.best(sample, &self.scores(sample), k)
    }
}

/// `ln((N − n + ½) / (n + ½))`, n of N chunks holding the word: negative for words in more than half of them.
fn inverse_frequency(chunks: usize, holders: usize) -> f64 {
    let (chunks, holders) = (chunks as f64, holders as f64);
    (chunks - holders + 0.5).ln() - (holders + 0.5).ln()
}
