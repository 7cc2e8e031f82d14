//! Jaccard retrieval: chunks that share the most words with the lines before the cursor.

use std::collections::HashMap;
use std::ops::Range;

use super::words::{ratio, words};
use super::{Retrieved, Retriever, query_text};
use crate::corpus::{Chunk, CompletionSample, Repository, chunks};

/// The chunks of a repository behind an index from words to chunks, so that a query looks only at its own words.
#[derive(Debug)]
pub struct Jaccard {
    chunks: Vec<Chunk>,
    /// Distinct words of each chunk.
    sizes: Vec<usize>,
    /// The chunks that hold a word, ascending.
    holders: HashMap<String, Vec<usize>>,
    /// The chunks of each file.
    files: HashMap<String, Range<usize>>,
    query_lines: usize,
}

impl Jaccard {
    /// Cuts a repository into chunks of `chunk_lines` lines and indexes them; queries are `query_lines` lines long.
    pub fn new(repository: &Repository, chunk_lines: usize, query_lines: usize) -> Self {
        let chunks = chunks(repository, chunk_lines);
        let mut sizes = Vec::with_capacity(chunks.len());
        let mut holders: HashMap<String, Vec<usize>> = HashMap::new();
        let mut files: HashMap<String, Range<usize>> = HashMap::new();
        for (index, chunk) in chunks.iter().enumerate() {
            let words = words(&chunk.text);
            sizes.push(words.len());
            for word in words {
                match holders.get_mut(word) {
                    Some(indices) => indices.push(index),
                    None => {
                        holders.insert(word.to_owned(), vec![index]);
                    }
                }
            }
            files.entry(chunk.path.clone()).or_insert(index..index).end = index + 1;
        }
        Self {
            chunks,
            sizes,
            holders,
            files,
            query_lines,
        }
    }

    /// The chunks of the repository, in file order.
    pub fn chunks(&self) -> &[Chunk] {
        &self.chunks
    }

    /// Similarity of every chunk to a query, in the order of the chunks.
    fn scores(&self, query: &str) -> Vec<f64> {
        let words = words(query);
        let mut common = vec![0; self.chunks.len()];
        for index in words.iter().filter_map(|word| self.holders.get(*word)).flatten() {
            if let Some(count) = common.get_mut(*index) {
                *count += 1;
            }
        }
        common
            .into_iter()
            .zip(&self.sizes)
            .map(|(common, &size)| ratio(common, words.len(), size))
            .collect()
    }
}

impl Retriever for Jaccard {
    fn retrieve(&self, sample: &CompletionSample, k: usize) -> Vec<Retrieved> {
        let own = self.files.get(&sample.path).cloned().unwrap_or_default();
        let holders = sample.identifier.as_ref().and_then(|name| self.holders.get(name));
        let scores = self.scores(&query_text(sample, self.query_lines));
        let mut ranking: Vec<(usize, &Chunk, f64)> = self
            .chunks
            .iter()
            .zip(scores)
            .enumerate()
            .filter(|(index, _)| !own.contains(index))
            .map(|(index, (chunk, score))| (index, chunk, score))
            .collect();
        // A stable sort: chunks of equal score stay in file order.
        ranking.sort_by(|(_, _, a), (_, _, b)| b.total_cmp(a));
        ranking
            .into_iter()
            .take(k)
            .zip(1..)
            .map(|((index, chunk, score), rank)| Retrieved {
                chunk: chunk.clone(),
                rank,
                score,
                hit: holders.is_some_and(|holders| holders.binary_search(&index).is_ok()),
            })
            .collect()
    }
}
