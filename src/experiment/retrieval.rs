//! How chunks of the other files of a repository are cut and ranked (method.md A6).

use serde::{Deserialize, Serialize};

/// What ranks the chunks.
#[derive(
    Clone,
    Copy,
    Debug,
    Default,
    PartialEq,
    Eq,
    Hash,
    PartialOrd,
    Ord,
    Serialize,
    Deserialize,
    strum::Display,
    strum::EnumIter,
    strum::EnumString,
)]
#[serde(rename_all = "snake_case")]
#[strum(serialize_all = "snake_case")]
pub enum RetrieverKind {
    /// Words in common with the lines before the cursor, as a share of all words of both.
    #[default]
    Jaccard,
    /// Words in common, rare ones counting more (Okapi BM25).
    Bm25,
    /// Cosine of the encoder's vectors of a chunk and of the lines before the cursor.
    Dense,
    /// The rankings of `definitions` and `bm25` fused by reciprocal rank.
    Hybrid,
    /// The chunks that define the names which may come next: imports, members of the receiver, habits of the repository.
    Definitions,
}

impl RetrieverKind {
    /// It compares vectors of the experiment's encoder, so that every chunk of a repository is encoded before the first query.
    pub fn needs_encoder(self) -> bool {
        self == Self::Dense
    }
}

/// What is ranked, encoded and compressed.
#[derive(
    Clone,
    Copy,
    Debug,
    Default,
    PartialEq,
    Eq,
    Serialize,
    Deserialize,
    strum::Display,
    strum::EnumIter,
    strum::EnumString,
)]
#[serde(rename_all = "snake_case")]
#[strum(serialize_all = "snake_case")]
pub enum RetrievalUnit {
    /// A chunk: the encoder reads its text.
    #[default]
    Chunk,
    /// A name that may come next: the encoder reads the name alone, and full RAG the chunk that defines it. The best chunk in
    /// itself, compressed to a vector, had not become legible (science2.md 2); a name had.
    Name,
}

/// How chunks of the other files of a repository are cut and ranked.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Retrieval {
    /// What ranks the chunks.
    pub retriever: RetrieverKind,
    /// What is ranked, encoded and compressed.
    pub unit: RetrievalUnit,
    /// Chunks, or names, given to a sample; each becomes `projector.tokens_per_chunk` soft tokens.
    pub k: usize,
    /// What scores lower is left out, in the retriever's own unit: for `definitions` the likelihood that the name comes next.
    pub least_score: f64,
    /// Lines in a chunk; windows do not overlap.
    pub chunk_lines: usize,
    /// A chunk is clipped to this many reader tokens, for the encoder and for full RAG alike.
    pub chunk_tokens: usize,
    /// Lines before the cursor that form the query.
    pub query_lines: usize,
}

impl Default for Retrieval {
    fn default() -> Self {
        Self {
            retriever: RetrieverKind::Jaccard,
            unit: RetrievalUnit::Chunk,
            k: 5,
            least_score: -1.0,
            chunk_lines: 10,
            chunk_tokens: 80,
            query_lines: 8,
        }
    }
}

impl Retrieval {
    /// Names every field that is out of range: whether it is good, its name, its value, what is allowed.
    pub(super) fn check(&self, check: &mut dyn FnMut(bool, &'static str, String, &'static str)) {
        let ranges = [
            ("retrieval.k", self.k, 1..=50, "1 to 50"),
            ("retrieval.chunk_lines", self.chunk_lines, 1..=200, "1 to 200"),
            ("retrieval.chunk_tokens", self.chunk_tokens, 8..=4096, "8 to 4096"),
            ("retrieval.query_lines", self.query_lines, 1..=200, "1 to 200"),
        ];
        for (field, value, range, allowed) in ranges {
            check(range.contains(&value), field, value.to_string(), allowed);
        }
        check(
            self.unit == RetrievalUnit::Chunk || self.retriever == RetrieverKind::Definitions,
            "retrieval.unit",
            self.unit.to_string(),
            "\"chunk\" for this retriever: only \"definitions\" ranks names",
        );
        check(
            self.least_score.is_finite(),
            "retrieval.least_score",
            self.least_score.to_string(),
            "a number; -1 leaves nothing out",
        );
    }
}
