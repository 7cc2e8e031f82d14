//! What is asked of the playground, and what it answers.

use std::path::PathBuf;

use serde::Serialize;

use crate::corpus::CompletionSample;
use crate::engine::{NearestToken, Stages};
use crate::evaluation::Arm;
use crate::experiment::RetrieverKind;
use crate::prompt::PromptEntry;
use crate::retrieval::Retrieved;

/// Index a repository, or look again at what changed in it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct IndexRequest {
    /// The run whose settings cut and encode it, and whose newest checkpoint projects it.
    pub run: PathBuf,
    /// Its folder.
    pub repository: PathBuf,
}

/// Complete at the cursor of an edited file, arm after arm. A newer request ends an older one wherever it stands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PlayRequest {
    /// Comes back with every answer.
    pub id: u64,
    /// Through the index of what.
    pub index: IndexRequest,
    /// The file, relative to the repository, parts joined by `/`.
    pub file: String,
    /// Its text as edited.
    pub text: String,
    /// Byte of the text that the cursor stands before.
    pub cursor: usize,
    /// The arms in the order in which they are served: no context, compressed, full RAG; others are left to evaluations.
    pub arms: Vec<Arm>,
}

/// How an index stands.
#[derive(Clone, Debug, PartialEq)]
pub struct IndexNews {
    /// Of what.
    pub of: IndexRequest,
    /// What is being done.
    pub phase: IndexPhase,
    /// What was found and done so far.
    pub counts: IndexCounts,
}

/// What is being done to an index.
#[derive(Clone, Debug, PartialEq)]
pub enum IndexPhase {
    /// Files are read and cut into chunks, and what ranks them is made; in words what of this.
    Reading(String),
    /// Chunks are encoded and projected. Completions are served meanwhile.
    Filling,
    /// Everything is there.
    Ready,
    /// A person ended it; what was done is kept.
    Stopped,
    /// It cannot be made: why, and what to do.
    Failed(String),
}

/// What an index holds, and what the last look at the repository found and did.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct IndexCounts {
    /// Files that chunks are cut from; copies counted once.
    pub files: usize,
    /// Files as the last index knew them.
    pub unchanged: usize,
    /// Files with another content than it knew.
    pub changed: usize,
    /// Files that it did not know.
    pub added: usize,
    /// Files that it knew and that are gone.
    pub deleted: usize,
    /// Files that are not read, because they are too large or no text.
    pub left_out: usize,
    /// Chunks in the files.
    pub chunks: usize,
    /// Different texts among them.
    pub texts: usize,
    /// Texts whose soft tokens were missing.
    pub missing: usize,
    /// Of those, how many are done.
    pub done: usize,
    /// Of those, how many the encoder had to read.
    pub encoded: usize,
    /// What ranks the chunks: the run's retriever, or BM25 where that one reads Python and there is none.
    pub retriever: RetrieverKind,
    /// Seconds to read, compare and cut the files.
    pub seconds_reading: f64,
    /// Seconds to make what ranks the chunks.
    pub seconds_ranking: f64,
    /// Seconds to find out which texts are missing.
    pub seconds_comparing: f64,
    /// Seconds to encode and project those.
    pub seconds_filling: f64,
}

/// A part of the answer to a [`PlayRequest`], in the order in which they come.
#[derive(Clone, Debug)]
pub enum PlayNews {
    /// What is completed, and with which chunks.
    Found {
        /// Steps that the projector had finished.
        step: usize,
        /// The sample.
        sample: Box<CompletionSample>,
        /// Its chunks, best first, clipped as the arms read them.
        retrieved: Vec<Retrieved>,
        /// Milliseconds of what the layout keeps of the code before the cursor, computed once for all arms.
        left: f64,
    },
    /// An arm is done. An arm whose prompt would be empty never comes.
    Served(Box<Served>),
    /// For every chunk and each of its soft tokens the nearest tokens of the vocabulary.
    Said(Vec<Vec<Vec<NearestToken>>>),
    /// Nothing more comes.
    Ended(PlayEnd),
}

/// How a completion ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum PlayEnd {
    /// Every arm was served.
    Done,
    /// A newer request or a person ended it.
    Cancelled,
    /// It could not be served.
    Failed {
        /// Why, and what to do.
        message: String,
        /// The input was wrong, rather than the machine.
        bad_input: bool,
    },
}

/// The completion of one arm, with the times of an arm that is asked for alone.
#[derive(Clone, Debug, Serialize)]
pub struct Served {
    /// The arm.
    pub arm: Arm,
    /// The completed line, without the blanks before it.
    pub text: String,
    /// What goes in at the cursor: the line with the blanks that it needs there.
    pub insertion: String,
    /// Up to the first token.
    #[serde(flatten)]
    pub stages: Stages,
    /// Milliseconds of the tokens behind the first.
    pub decode: f64,
    /// Tokens written, the one that ended the line counted.
    pub tokens: usize,
    /// Probability of each of them where it was chosen.
    pub probabilities: Vec<f32>,
    /// Positions in the prompt.
    pub prompt_tokens: usize,
    /// Soft tokens among them.
    pub soft_tokens: usize,
    /// Chunks whose soft tokens lay in the index; the others were encoded or projected on the way.
    pub looked_up: usize,
    /// The prompt, token by token.
    #[serde(skip)]
    pub prompt: Vec<PromptEntry>,
}

impl Served {
    /// Milliseconds of everything.
    pub fn total(&self) -> f64 {
        self.stages.total() + self.decode
    }
}
