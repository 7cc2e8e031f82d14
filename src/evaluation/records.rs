//! What an evaluation yields, as it is shown and as it stands in a run folder.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::corpus::Split;

/// A mean with its 95% interval.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Interval {
    /// The mean.
    pub mean: f64,
    /// Lower end.
    pub low: f64,
    /// Upper end.
    pub high: f64,
}

/// How a prompt is made for a completion. Every arm sees the same left context.
#[derive(
    Clone,
    Copy,
    Debug,
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
pub enum Arm {
    /// Left context alone.
    NoContext,
    /// The chunks as soft tokens.
    Compressed,
    /// The chunks as text.
    FullRag,
    /// Control: the soft tokens of a sample of another repository.
    ShuffledContext,
}

impl Arm {
    /// The name a person reads.
    pub fn label(self) -> &'static str {
        match self {
            Self::NoContext => "no context",
            Self::Compressed => "compressed",
            Self::FullRag => "full RAG",
            Self::ShuffledContext => "shuffled context",
        }
    }
}

/// Exact match in three definitions and edit similarity in two (method.md A7), of one completion or averaged.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Scores {
    /// LLavaCode's exact match: equal code tokens. 0 or 1.
    pub em_token: f64,
    /// Strict exact match: equal stripped strings. 0 or 1.
    pub em_strict: f64,
    /// RepoCoder's and CrossCodeEval's exact match: equal stripped non-empty lines. 0 or 1.
    pub em_lines: f64,
    /// Edit similarity from the Levenshtein distance, 0 to 100.
    pub es_levenshtein: f64,
    /// Edit similarity as `fuzz.ratio`, 0 to 100.
    pub es_ratio: f64,
    /// The completion begins with the sample's identifier. 0 or 1.
    pub identifier_match: f64,
    /// Mean cross-entropy of the true target's tokens, nats.
    pub cross_entropy: f64,
}

/// One completion, a line of `evaluations/step-N.jsonl` (validation), `step-N-test.jsonl` or `step-N-train.jsonl`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct CompletionRecord {
    /// Id of the sample.
    pub sample: String,
    /// How the prompt was made.
    pub arm: Arm,
    /// Positions in the prompt, soft tokens counted as one each.
    pub prompt_tokens: usize,
    /// Soft tokens among them.
    pub soft_tokens: usize,
    /// The completion, up to the end of the line.
    pub text: String,
    /// Its scores against the sample's target.
    pub scores: Scores,
    /// Milliseconds from the prompt to the first token (prefill and first token; retrieval and encoding left out).
    pub ttft_ms: f64,
    /// Milliseconds to the whole completion. The arms of a sample decode together, so the steps behind the first token are shared.
    pub total_ms: f64,
}

/// One arm of an evaluation: means and paired differences to no context, with 95% bootstrap intervals clustered by repository.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ArmSummary {
    /// The arm.
    pub arm: Arm,
    /// Mean of each score.
    pub scores: BTreeMap<String, Interval>,
    /// Mean paired difference to the no-context arm of each score; empty for that arm itself.
    pub difference: BTreeMap<String, Interval>,
    /// Mean positions in the prompt.
    pub prompt_tokens: f64,
    /// Median milliseconds to the first token.
    pub ttft_ms: f64,
}

/// `evaluations/step-N.json` for the validation split, `step-N-test.json` and `step-N-train.json` for the others.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct EvaluationSummary {
    /// Steps finished when it was taken.
    pub step: usize,
    /// The split that was completed.
    pub split: Split,
    /// Samples, the same for every arm.
    pub samples: usize,
    /// Repositories that the samples come from.
    pub repositories: usize,
    /// Seed of the bootstrap.
    pub seed: u64,
    /// Bootstrap resamples.
    pub resamples: usize,
    /// One entry an arm.
    pub arms: Vec<ArmSummary>,
    /// Mean paired difference of compressed to shuffled context of each score: what the content of the soft tokens is worth,
    /// rather than their presence. Empty without that control.
    #[serde(default)]
    pub content: BTreeMap<String, Interval>,
}

impl EvaluationSummary {
    /// What was found of an arm.
    pub fn arm(&self, arm: Arm) -> Option<&ArmSummary> {
        self.arms.iter().find(|summary| summary.arm == arm)
    }
}
