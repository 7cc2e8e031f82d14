//! Retrieval that knows definitions: the chunks that define the names which may come next.

mod candidates;
mod catalogue;
mod cursor;
mod expressions;
mod facts;
mod habits;
mod likelihood;
mod reading;
mod view;

use std::sync::Arc;

use super::{ChunkIndex, Jaccard, Retrieved, Retriever};
use crate::corpus::{CompletionSample, Repository};
use candidates::{Candidate, Names};
use catalogue::Catalogue;
use cursor::Cursor;
use habits::Habits;
use reading::read_file;
use view::View;

/// Ranks chunks by how likely the name that comes next is defined in them.
///
/// Candidates are the names that the file imports from the repository or, behind a dot, the members of the receiver where its class
/// or module is known, else the members of all classes. How likely each is, is told by how the repository and the
/// file so far go on after the same words, by names used near the cursor, and by what kind of thing fits there. A chunk has the sum over the
/// names that it defines; chunks that define none follow by Jaccard similarity. Of the sample's own file only what stands before the
/// cursor is read.
#[derive(Debug)]
pub struct Definitions {
    index: Arc<ChunkIndex>,
    words: Jaccard,
    catalogue: Catalogue,
    names: Names,
    habits: Habits,
}

impl Definitions {
    /// Reads the definitions and habits of a repository whose chunks are indexed; what is left is ranked by the last `query_lines`
    /// lines.
    pub fn over(index: Arc<ChunkIndex>, repository: &Repository, query_lines: usize) -> Self {
        let facts = repository.files.iter().map(|file| read_file(&file.path, &file.text));
        let catalogue = Catalogue::new(repository, facts.collect());
        let names = Names::of(&catalogue);
        Self {
            words: Jaccard::over(Arc::clone(&index), query_lines),
            habits: Habits::new(repository, names.numbers()),
            index,
            catalogue,
            names,
        }
    }

    /// The names that may come next with what speaks for each, and the chunk that defines it; `words` is the similarity of the chunks.
    fn candidates(&self, sample: &CompletionSample, words: &[f64]) -> Vec<(Candidate, Option<usize>)> {
        let cursor = Cursor::read(sample);
        let view = View::new(&self.catalogue, &sample.path, &cursor.facts);
        let candidates = self.names.candidates(&cursor, &view, &self.habits).into_iter();
        candidates
            .map(|mut candidate| {
                let path = self.catalogue.path(candidate.file);
                let chunk = path.and_then(|path| self.index.chunk_at(path, candidate.line));
                if let Some(similarity) = chunk.and_then(|chunk| words.get(chunk)) {
                    candidate.features[likelihood::Feature::Words as usize] = *similarity;
                }
                (candidate, chunk)
            })
            .collect()
    }

    /// Score of every chunk, in their order: the share of the likelihood that falls on it, and its Jaccard similarity where none does.
    pub(super) fn scores(&self, sample: &CompletionSample) -> Vec<f64> {
        let mut scores = self.words.scores(sample);
        let candidates = self.candidates(sample, &scores);
        let likelihoods = likelihood::likelihoods(&candidates, sample.left.ends_with('.'));
        for ((_, chunk), likelihood) in candidates.iter().zip(likelihoods) {
            if let Some(score) = chunk.and_then(|chunk| scores.get_mut(chunk)) {
                *score += likelihood;
            }
        }
        scores
    }
}

impl Retriever for Definitions {
    fn retrieve(&self, sample: &CompletionSample, k: usize) -> Vec<Retrieved> {
        self.index.best(sample, &self.scores(sample), k)
    }
}
