//! Which chunks of the other files of a repository go with a cursor.

mod bm25;
mod definitions;
mod dense;
mod hybrid;
mod index;
mod jaccard;
mod names;
mod words;

use std::collections::HashMap;
use std::sync::Arc;

use serde::{Deserialize, Serialize};

use crate::corpus::{Chunk, CompletionSample, Repository};
use crate::experiment::{Retrieval, RetrievalUnit, RetrieverKind};

pub use bm25::Bm25;
pub use definitions::{DefinedNames, Definitions};
pub use dense::Dense;
pub use hybrid::Hybrid;
pub use index::ChunkIndex;
pub use jaccard::Jaccard;
pub use names::{names, rarest_names};
pub use words::{jaccard_similarity, word_sequence, words};

/// A chunk chosen for a sample.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Retrieved {
    /// The chunk.
    pub chunk: Chunk,
    /// Place in the ranking, from 1.
    pub rank: usize,
    /// The retriever's own score; higher is nearer.
    pub score: f64,
    /// The chunk holds the sample's identifier; of a name, that it is the identifier.
    pub hit: bool,
    /// The name that the chunk was chosen for, where names are ranked.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
}

impl Retrieved {
    /// What the encoder reads of it, and soft tokens stand for: its name where names are ranked, else the chunk.
    pub fn compressed_text(&self) -> &str {
        self.name.as_deref().unwrap_or(&self.chunk.text)
    }
}

/// Ranks the chunks of one repository for its samples.
pub trait Retriever: Send + Sync {
    /// The `k` nearest chunks of the files other than the sample's own, best first; fewer when there are fewer.
    fn retrieve(&self, sample: &CompletionSample, k: usize) -> Vec<Retrieved>;
}

/// The retriever of these settings over a repository.
///
/// `vectors` holds the encoder's vectors of the [`Dense::texts`] of the samples that will be asked for; only a kind that
/// [needs an encoder](RetrieverKind::needs_encoder) looks at them.
pub fn retriever(
    settings: &Retrieval,
    repository: &Repository,
    vectors: HashMap<String, Vec<f32>>,
) -> Box<dyn Retriever> {
    let index = Arc::new(ChunkIndex::new(repository, settings.chunk_lines));
    let lines = settings.query_lines;
    let ranked: Box<dyn Retriever> = match settings.retriever {
        RetrieverKind::Jaccard => Box::new(Jaccard::over(index, lines)),
        RetrieverKind::Bm25 => Box::new(Bm25::over(index, lines)),
        RetrieverKind::Dense => Box::new(Dense::over(index, vectors, lines)),
        RetrieverKind::Hybrid => Box::new(Hybrid::over(index, repository, lines)),
        RetrieverKind::Definitions => {
            let definitions = Definitions::over(index, repository, lines);
            match settings.unit {
                RetrievalUnit::Chunk => Box::new(definitions),
                RetrievalUnit::Name => Box::new(DefinedNames(definitions)),
            }
        }
    };
    Box::new(Passing {
        ranked,
        least_score: settings.least_score,
    })
}

/// A ranking without what scores too low.
struct Passing {
    ranked: Box<dyn Retriever>,
    least_score: f64,
}

impl Retriever for Passing {
    fn retrieve(&self, sample: &CompletionSample, k: usize) -> Vec<Retrieved> {
        let mut retrieved = self.ranked.retrieve(sample, k);
        retrieved.retain(|one| one.score >= self.least_score);
        retrieved
    }
}

/// The query of a sample: the last `lines` lines before the cursor, the one that it stands in counted.
///
/// Nothing of the target may get in here, or training would learn from what it has to predict.
pub fn query_text(sample: &CompletionSample, lines: usize) -> String {
    let mut last: Vec<&str> = sample.left.rsplit('\n').take(lines).collect();
    last.reverse();
    last.join("\n")
}
