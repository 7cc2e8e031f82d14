//! The chunks of one repository, and where each word occurs: what every retriever ranks.

use std::collections::HashMap;
use std::ops::Range;

use super::Retrieved;
use super::words::word_sequence;
use crate::corpus::{Chunk, CompletionSample, Repository, chunks};

/// How often a chunk holds a word.
#[derive(Clone, Copy, Debug)]
pub(super) struct Posting {
    /// Index of the chunk.
    pub(super) chunk: usize,
    /// Occurrences, at least one.
    pub(super) count: usize,
}

/// Chunks behind an index from words to chunks, so that a query looks only at its own words. Built once for all retrievers of a
/// repository, in time linear in its text.
#[derive(Debug)]
pub struct ChunkIndex {
    chunks: Vec<Chunk>,
    /// Words of each chunk: distinct ones, and all.
    sizes: Vec<(usize, usize)>,
    /// The chunks that hold a word, ascending.
    postings: HashMap<String, Vec<Posting>>,
    /// The chunks of each file.
    files: HashMap<String, Range<usize>>,
}

impl ChunkIndex {
    /// Cuts a repository into chunks of `chunk_lines` lines and indexes them.
    pub fn new(repository: &Repository, chunk_lines: usize) -> Self {
        let chunks = chunks(repository, chunk_lines);
        let mut sizes = Vec::with_capacity(chunks.len());
        let mut postings: HashMap<String, Vec<Posting>> = HashMap::new();
        let mut files: HashMap<String, Range<usize>> = HashMap::new();
        for (index, chunk) in chunks.iter().enumerate() {
            let (mut distinct, mut all) = (0, 0);
            for word in word_sequence(&chunk.text) {
                all += 1;
                let of_word = match postings.get_mut(word) {
                    Some(of_word) => of_word,
                    None => postings.entry(word.to_owned()).or_default(),
                };
                match of_word.last_mut() {
                    Some(last) if last.chunk == index => last.count += 1,
                    _ => {
                        distinct += 1;
                        of_word.push(Posting { chunk: index, count: 1 });
                    }
                }
            }
            sizes.push((distinct, all));
            files.entry(chunk.path.clone()).or_insert(index..index).end = index + 1;
        }
        Self {
            chunks,
            sizes,
            postings,
            files,
        }
    }

    /// The chunks of the repository, in file order.
    pub fn chunks(&self) -> &[Chunk] {
        &self.chunks
    }

    /// Words of each chunk, in the order of the chunks: distinct ones, and all.
    pub(super) fn sizes(&self) -> &[(usize, usize)] {
        &self.sizes
    }

    /// Every word with the chunks that hold it.
    pub(super) fn words(&self) -> impl Iterator<Item = (&str, &[Posting])> {
        self.postings
            .iter()
            .map(|(word, postings)| (word.as_str(), postings.as_slice()))
    }

    /// The chunks that hold a word, ascending.
    pub(super) fn holders(&self, word: &str) -> &[Posting] {
        self.postings.get(word).map(Vec::as_slice).unwrap_or_default()
    }

    /// The chunk that holds a line of a file, lines from 1; none when the chunk is blank.
    pub(super) fn chunk_at(&self, path: &str, line: usize) -> Option<usize> {
        let range = self.files.get(path)?.clone();
        let of_file = self.chunks.get(range.clone())?;
        let behind = of_file.partition_point(|chunk| chunk.first_line <= line);
        let index = behind.checked_sub(1)?;
        let chunk = of_file.get(index)?;
        (line < chunk.first_line + chunk.text.split('\n').count()).then_some(range.start + index)
    }

    /// The `k` best chunks of the files other than the sample's own, given the score of every chunk; of equal ones the first.
    pub(super) fn best(&self, sample: &CompletionSample, scores: &[f64], k: usize) -> Vec<Retrieved> {
        let own = self.own(sample);
        let mut ranking: Vec<(usize, f64)> = scores
            .iter()
            .copied()
            .enumerate()
            .filter(|(index, _)| !own.contains(index))
            .collect();
        let order = |(i, a): &(usize, f64), (j, b): &(usize, f64)| b.total_cmp(a).then(i.cmp(j));
        if k < ranking.len() && k > 0 {
            ranking.select_nth_unstable_by(k - 1, order);
        }
        ranking.truncate(k);
        ranking.sort_unstable_by(order);
        self.retrieved(sample, ranking)
    }

    /// The place of every chunk of the files other than the sample's own in the ranking, from 1.
    pub(super) fn ranks(&self, sample: &CompletionSample, scores: &[f64]) -> Vec<(usize, usize)> {
        let own = self.own(sample);
        let mut order: Vec<(usize, f64)> = scores
            .iter()
            .copied()
            .enumerate()
            .filter(|(index, _)| !own.contains(index))
            .collect();
        order.sort_by(|(_, a), (_, b)| b.total_cmp(a));
        order
            .into_iter()
            .zip(1..)
            .map(|((index, _), rank)| (index, rank))
            .collect()
    }

    /// Ranked chunks as they are handed out; those of the sample's own file must not be among them.
    pub(super) fn retrieved(&self, sample: &CompletionSample, ranking: Vec<(usize, f64)>) -> Vec<Retrieved> {
        let holders = sample
            .identifier
            .as_deref()
            .map(|name| self.holders(name))
            .unwrap_or_default();
        let held = |index: usize| holders.binary_search_by_key(&index, |posting| posting.chunk).is_ok();
        ranking
            .into_iter()
            .zip(1..)
            .filter_map(|((index, score), rank)| {
                Some(Retrieved {
                    chunk: self.chunks.get(index)?.clone(),
                    rank,
                    score,
                    hit: held(index),
                    name: None,
                })
            })
            .collect()
    }

    /// The chunks of the sample's own file.
    pub(super) fn own(&self, sample: &CompletionSample) -> Range<usize> {
        self.files.get(&sample.path).cloned().unwrap_or_default()
    }
}
