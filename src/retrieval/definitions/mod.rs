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

use std::collections::BTreeMap;
use std::collections::btree_map::Entry;
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
        let weighed = self.weighed(sample, &words);
        let mut scores: Vec<f64> = words.into_iter().map(|similarity| WORDS * similarity).collect();
        for one in weighed {
            if let Some(score) = scores.get_mut(one.chunk) {
                *score += one.likelihood;
            }
        }
        scores
    }

    /// How likely every definition is, given the Jaccard similarity of every chunk.
    fn weighed(&self, sample: &CompletionSample, words: &[f64]) -> Vec<Weighed> {
        let cursor = Cursor::read(sample);
        let view = View::new(&self.catalogue, &sample.path, &cursor.facts);
        let evidence = Evidence::new(&cursor, &view, &self.names, &self.habits);
        let (mut found, mut features) = (Vec::new(), Vec::new());
        for (one, reach) in candidates(&cursor, &view, &self.names) {
            let path = self.catalogue.path(one.file);
            let chunk = path.and_then(|path| self.index.chunk_at(path, one.line));
            if let Some((chunk, words)) = chunk.and_then(|chunk| Some((chunk, *words.get(chunk)?))) {
                found.push((one.name, chunk));
                features.push(evidence.features(&one, reach, words));
            }
        }
        let likelihoods = likelihoods(&features, cursor.attribute);
        let weighed = |((name, chunk), likelihood)| Weighed {
            name,
            chunk,
            likelihood,
        };
        found.into_iter().zip(likelihoods).map(weighed).collect()
    }
}

/// A definition that may be named next.
struct Weighed {
    /// Number of its name.
    name: u32,
    /// Index of the chunk that holds it.
    chunk: usize,
    likelihood: f64,
}

impl Retriever for Definitions {
    fn retrieve(&self, sample: &CompletionSample, k: usize) -> Vec<Retrieved> {
        self.index.best(sample, &self.scores(sample), k)
    }
}

/// Ranks names instead of chunks: a name has the likelihood of all its definitions, and the chunk of the likeliest one.
#[derive(Debug)]
pub struct DefinedNames(pub Definitions);

impl Retriever for DefinedNames {
    fn retrieve(&self, sample: &CompletionSample, k: usize) -> Vec<Retrieved> {
        let Definitions {
            index, words, names, ..
        } = &self.0;
        let mut of_name: BTreeMap<u32, (f64, Weighed)> = BTreeMap::new();
        for one in self.0.weighed(sample, &words.scores(sample)) {
            let likelihood = one.likelihood;
            match of_name.entry(one.name) {
                Entry::Vacant(place) => {
                    place.insert((likelihood, one));
                }
                Entry::Occupied(mut place) => {
                    let (sum, best) = place.get_mut();
                    *sum += likelihood;
                    if likelihood > best.likelihood {
                        *best = one;
                    }
                }
            }
        }
        let mut ranking: Vec<(f64, Weighed)> = of_name.into_values().collect();
        ranking.sort_by(|(a, _), (b, _)| b.total_cmp(a));
        ranking.truncate(k);
        let of_chunks = ranking
            .iter()
            .map(|(likelihood, one)| (one.chunk, *likelihood))
            .collect();
        let mut retrieved = index.retrieved(sample, of_chunks);
        for (found, (_, one)) in retrieved.iter_mut().zip(&ranking) {
            found.name = names.name(one.name).map(|named| named.text.clone());
            found.hit = found.name.is_some() && found.name == sample.identifier;
        }
        retrieved
    }
}
