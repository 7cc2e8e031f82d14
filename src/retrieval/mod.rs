//! Which chunks of the other files of a repository go with a cursor.

use serde::{Deserialize, Serialize};

use crate::corpus::Chunk;

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
