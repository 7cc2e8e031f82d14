//! Which chunks of the other files of a repository go with a cursor.

mod jaccard;
mod names;
mod words;

use serde::{Deserialize, Serialize};

use crate::corpus::{Chunk, CompletionSample};

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
    /// The chunk holds the sample's identifier.
    pub hit: bool,
}

/// Ranks the chunks of one repository for its samples.
pub trait Retriever {
    /// The `k` nearest chunks of the files other than the sample's own, best first; fewer when there are fewer.
    fn retrieve(&self, sample: &CompletionSample, k: usize) -> Vec<Retrieved>;
}

/// The query of a sample: the last `lines` lines before the cursor, the one that it stands in counted.
///
/// Nothing of the target may get in here, or training would learn from what it has to predict.
pub fn query_text(sample: &CompletionSample, lines: usize) -> String {
    let mut last: Vec<&str> = sample.left.rsplit('\n').take(lines).collect();
    last.reverse();
    last.join("\n")
}
