//! What an evaluation yields, as it is shown and as it stands in a run folder.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::corpus::Split;
use crate::experiment::Arm;

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

/// One completion of one sample by one arm, a line of `evaluations/step-N.jsonl` (validation), `step-N-test.jsonl` or `step-N-train.jsonl`.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
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
    /// Log-probability of each token of the target behind the prompt, in nats; their mean is the negative cross-entropy.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub log_probabilities: Vec<f32>,
    /// Text of each of these tokens, as the tokenizer gives it for the token alone; none in a record of an earlier program.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub target_tokens: Vec<String>,
    /// The sample's name occurs in a retrieved chunk; unknown in a record of an earlier program.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub hit: Option<bool>,
    /// The sample's name occurs in the code that the reader sees; unknown for a sample without a name.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub in_window: Option<bool>,
}

/// McNemar's exact test on exact match (tokens) of two arms.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct ExactTest {
    /// Samples that the arm has right and the other one wrong.
    pub gained: usize,
    /// Samples that the arm has wrong and the other one right.
    pub lost: usize,
    /// Two-sided p-value.
    pub p: f64,
    /// The same, corrected by Holm for all rows of its table.
    pub p_holm: f64,
}

/// What an arm costs a sample, with 95% bootstrap intervals clustered by repository.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct ArmCost {
    /// Mean positions in the prompt.
    pub prompt_tokens: Interval,
    /// Median milliseconds to the first token, at the place of the mean; its interval is from the first 2,000 resamples.
    pub ttft_ms: Interval,
    /// Mean bytes of keys and values that the reader holds of the prompt.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub kv_bytes: Option<Interval>,
}

/// One arm of an evaluation: means and paired differences to no context, with 95% bootstrap intervals clustered by repository.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct ArmSummary {
    /// The arm.
    pub arm: Arm,
    /// Mean of each score.
    pub scores: BTreeMap<String, Interval>,
    /// Mean paired difference to the no-context arm of each score; empty for that arm itself.
    pub difference: BTreeMap<String, Interval>,
    /// Exact match against no context; none for that arm itself.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub exact: Option<ExactTest>,
    /// Share of the samples that full RAG has right and this arm wrong; none without full RAG.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub overflow: Option<Interval>,
    /// Share of the samples that this arm has right and no context wrong.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub boost: Option<Interval>,
    /// Mean positions in the prompt.
    pub prompt_tokens: f64,
    /// Median milliseconds to the first token.
    pub ttft_ms: f64,
    /// Its costs with their intervals; none in an evaluation of an earlier program.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cost: Option<ArmCost>,
}

/// Two arms in pairs, sample by sample.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Comparison {
    /// The arm.
    pub arm: Arm,
    /// What it is compared to.
    pub to: Arm,
    /// Mean paired difference of each score.
    pub difference: BTreeMap<String, Interval>,
    /// Exact match of the two.
    pub exact: ExactTest,
}

/// A part of the samples.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, strum::Display, strum::EnumIter)]
#[serde(rename_all = "snake_case")]
#[strum(serialize_all = "snake_case")]
pub enum SampleGroup {
    /// The name occurs in a retrieved chunk.
    Hit,
    /// It does not.
    Miss,
    /// The name occurs in the code that the reader sees anyway.
    InWindow,
    /// It does not.
    NotInWindow,
}

impl SampleGroup {
    /// What a person reads.
    pub fn label(self) -> &'static str {
        match self {
            Self::Hit => "name in a retrieved chunk",
            Self::Miss => "name in no retrieved chunk",
            Self::InWindow => "name in the window",
            Self::NotInWindow => "name not in the window",
        }
    }

    /// Whether a completion's sample belongs to it.
    pub fn holds(self, record: &CompletionRecord) -> bool {
        match self {
            Self::Hit => record.hit == Some(true),
            Self::Miss => record.hit == Some(false),
            Self::InWindow => record.in_window == Some(true),
            Self::NotInWindow => record.in_window == Some(false),
        }
    }
}

/// The arms on a part of the samples.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct GroupSummary {
    /// Which part.
    pub group: SampleGroup,
    /// Samples in it.
    pub samples: usize,
    /// Repositories that they come from.
    pub repositories: usize,
    /// One entry an arm.
    pub arms: Vec<ArmSummary>,
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
    /// Compressed against every other arm but no context, whose comparison stands with each arm.
    #[serde(default)]
    pub comparisons: Vec<Comparison>,
    /// The arms on the samples with and without the name in a retrieved chunk, and in the window. Empty groups are left out.
    #[serde(default)]
    pub groups: Vec<GroupSummary>,
    /// On the test split: how often the run has been evaluated on it, this time included. Only the first look is a clean one.
    #[serde(default)]
    pub test_looks: usize,
}

impl EvaluationSummary {
    /// What was found of an arm.
    pub fn arm(&self, arm: Arm) -> Option<&ArmSummary> {
        self.arms.iter().find(|summary| summary.arm == arm)
    }

    /// Adds what keys and values take, of a reader that holds so many bytes a position.
    pub fn tell_kv_bytes(&mut self, per_position: usize) {
        let of_groups = self.groups.iter_mut().flat_map(|group| &mut group.arms);
        for cost in self
            .arms
            .iter_mut()
            .chain(of_groups)
            .filter_map(|arm| arm.cost.as_mut())
        {
            cost.kv_bytes = Some(cost.prompt_tokens.scaled(per_position as f64));
        }
    }
}
