//! What can be asked of the laboratory, and what it answers.

use std::path::PathBuf;

use crate::corpus::CompletionSample;
use crate::evaluation::{Change, CompletionRecord};
use crate::retrieval::Retrieved;

/// What do the soft tokens of a watched chunk say?
#[derive(Clone, Debug)]
pub struct ReadingRequest {
    /// Comes back with the answer.
    pub id: u64,
    /// The run; its probes are read, so that any probe step can be asked for.
    pub run: PathBuf,
    /// Row of the chunk in the probes, from 0.
    pub chunk: usize,
    /// Probe steps, in the order of the answer.
    pub steps: Vec<usize>,
}

/// A token of the vocabulary beside a soft token.
#[derive(Clone, Debug, PartialEq)]
pub struct NearestToken {
    /// Its text.
    pub text: String,
    /// Cosine of its embedding with the soft token.
    pub cosine: f32,
}

/// What the soft tokens of a chunk say at one step.
#[derive(Clone, Debug, PartialEq)]
pub struct SoftTokenReading {
    /// Steps finished.
    pub step: usize,
    /// Length of each soft token.
    pub norms: Vec<f32>,
    /// For each soft token the tokens whose embeddings have the largest cosine with it, nearest first.
    pub nearest: Vec<Vec<NearestToken>>,
    /// What the reader writes greedily behind the soft tokens alone.
    pub continuation: String,
    /// Which of the chunk's names stand in that, as indices of [`ReadingAnswer::names`].
    pub recalled: Vec<usize>,
    /// Cross-entropy of the chunk's names behind its soft tokens, nats a token; none when it has no names.
    pub spelling: Option<f64>,
    /// The same without the soft tokens.
    pub spelling_without: Option<f64>,
}

/// What they say over the steps that were asked for.
#[derive(Clone, Debug, PartialEq)]
pub struct ReadingAnswer {
    /// Row of the chunk in the probes.
    pub chunk: usize,
    /// The chunk's rarest names, which the reconstruction term would have the reader spell.
    pub names: Vec<String>,
    /// One a step.
    pub readings: Vec<SoftTokenReading>,
}

/// What would be completed with other soft tokens?
#[derive(Clone, Debug)]
pub struct CounterfactualRequest {
    /// Comes back with the answer.
    pub id: u64,
    /// The run whose projector is used: its newest checkpoint, or the live projector when it is the run in training.
    pub run: PathBuf,
    /// The sample.
    pub sample: Box<CompletionSample>,
    /// Its chunks, best first.
    pub retrieved: Vec<Retrieved>,
    /// The changes, each made alone, in the order of the answer.
    pub changes: Vec<Change>,
}

/// What was completed.
#[derive(Clone, Debug)]
pub struct CounterfactualAnswer {
    /// Steps that the projector had finished.
    pub step: usize,
    /// The text of each token of the true target, beside which [`CompletionRecord::log_probabilities`] stand.
    pub target: Vec<String>,
    /// With the soft tokens as they are.
    pub unchanged: CompletionRecord,
    /// With each change.
    pub changed: Vec<(Change, CompletionRecord)>,
}
