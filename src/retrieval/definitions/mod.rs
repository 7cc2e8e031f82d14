//! Retrieval that knows definitions: the chunks that define the names which may come next.

mod candidates;
mod catalogue;
mod cursor;
mod evidence;
mod expressions;
mod facts;
mod habits;
mod likelihood;
mod names;
mod reading;
mod view;

use std::sync::Arc;

use super::{ChunkIndex, Jaccard, Retrieved, Retriever};
use crate::corpus::{CompletionSample, Repository};
use candidates::candidates;
use catalogue::Catalogue;
use cursor::Cursor;
use evidence::Evidence;
use habits::Habits;
use likelihood::likelihoods;
use names::Names;
use reading::read_file;
use view::View;

/// Likelihood that a Jaccard similarity of 1 is worth: chunks that define no candidate follow those that define a likely one.
const WORDS: f64 = 0.01;

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

    /// Score of every chunk, in their order: the share of the likelihood that falls on it, and a little of its Jaccard similarity.
    pub(super) fn scores(&self, sample: &CompletionSample) -> Vec<f64> {
        let words = self.words.scores(sample);
        let cursor = Cursor::read(sample);
        let view = View::new(&self.catalogue, &sample.path, &cursor.facts);
        let evidence = Evidence::new(&cursor, &view, &self.names, &self.habits);
        let (mut holders, mut features) = (Vec::new(), Vec::new());
        for (one, reach) in candidates(&cursor, &view, &self.names) {
            let path = self.catalogue.path(one.file);
            let chunk = path.and_then(|path| self.index.chunk_at(path, one.line));
            if let Some((chunk, words)) = chunk.and_then(|chunk| Some((chunk, *words.get(chunk)?))) {
                holders.push(chunk);
                features.push(evidence.features(&one, reach, words));
            }
        }
        let mut scores: Vec<f64> = words.into_iter().map(|similarity| WORDS * similarity).collect();
        for (chunk, likelihood) in holders.into_iter().zip(likelihoods(&features, cursor.attribute)) {
            if let Some(score) = scores.get_mut(chunk) {
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
