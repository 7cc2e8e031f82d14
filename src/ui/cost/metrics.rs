//! What an arm costs, and what it is worth.

use strum::EnumIter;

use crate::evaluation::{Arm, ArmSummary, Interval};
use crate::ui::format::{fixed, grouped, number};

/// What an arm costs a sample.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, EnumIter)]
pub enum Cost {
    /// Positions in the prompt.
    #[default]
    PromptTokens,
    /// Time to the first token.
    FirstToken,
    /// Keys and values of the prompt.
    KeyValueBytes,
}

impl Cost {
    /// The name with its unit.
    pub fn label(self) -> &'static str {
        match self {
            Self::PromptTokens => "prompt tokens",
            Self::FirstToken => "TTFT, ms",
            Self::KeyValueBytes => "KV bytes, MB",
        }
    }

    /// The definition in one line.
    pub fn definition(self) -> &'static str {
        match self {
            Self::PromptTokens => "mean positions in the prompt; soft tokens count one each",
            Self::FirstToken => {
                "median time to the first token: prefill and first token, without retrieval and encoding; measured on this run's machine"
            }
            Self::KeyValueBytes => {
                "mean bytes of keys and values that the reader holds of the prompt: 2 · layers · KV heads · head width · 4 bytes (f32) a position"
            }
        }
    }

    /// Its value for an arm. An earlier program told no intervals, and nothing of keys and values.
    pub fn of(self, arm: &ArmSummary) -> Option<Interval> {
        let exact = |mean| Interval {
            mean,
            low: mean,
            high: mean,
        };
        match (self, arm.cost) {
            (Self::PromptTokens, Some(cost)) => Some(cost.prompt_tokens),
            (Self::PromptTokens, None) => Some(exact(arm.prompt_tokens)),
            (Self::FirstToken, Some(cost)) => Some(cost.ttft_ms),
            (Self::FirstToken, None) => Some(exact(arm.ttft_ms)),
            (Self::KeyValueBytes, cost) => Some(cost?.kv_bytes?.scaled(1e-6)),
        }
    }

    /// A value in a table.
    pub fn text(self, value: f64) -> String {
        match self {
            Self::PromptTokens => grouped(value.round() as i64),
            Self::FirstToken | Self::KeyValueBytes => number(value),
        }
    }
}

/// What an arm is worth.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, EnumIter)]
pub enum Quality {
    /// Exact match of tokens.
    ExactMatch,
    /// Edit similarity.
    #[default]
    Similarity,
    /// Cross-entropy of the true line.
    CrossEntropy,
    /// Its paired difference to no context.
    Difference,
}

impl Quality {
    /// The name with its unit.
    pub fn label(self) -> &'static str {
        match self {
            Self::ExactMatch => "EM, %",
            Self::Similarity => "ES, %",
            Self::CrossEntropy => "cross-entropy, nats a token",
            Self::Difference => "cross-entropy to no context, nats a token",
        }
    }

    /// The definition in one line.
    pub fn definition(self) -> &'static str {
        match self {
            Self::ExactMatch => "exact match: the completion's code tokens equal the true line's",
            Self::Similarity => "edit similarity: 100 (1 − Levenshtein distance / longer length)",
            Self::CrossEntropy => "mean cross-entropy of the true line's tokens; less is better",
            Self::Difference => {
                "mean of the paired differences of cross-entropy to the no-context arm on the same samples; below zero is better"
            }
        }
    }

    /// More is better.
    pub fn higher_is_better(self) -> bool {
        matches!(self, Self::ExactMatch | Self::Similarity)
    }

    /// Where better points lie in a chart against cost.
    pub fn direction(self) -> &'static str {
        match self.higher_is_better() {
            true => "up and left is better",
            false => "down and left is better",
        }
    }

    /// Its value for an arm in its unit; none where it is not measured. No context differs from itself by nothing.
    pub fn of(self, arm: &ArmSummary) -> Option<Interval> {
        let score = |key: &str| arm.scores.get(key).copied();
        match self {
            Self::ExactMatch => score("em_token").map(|share| share.scaled(100.0)),
            Self::Similarity => score("es_levenshtein"),
            Self::CrossEntropy => score("cross_entropy"),
            Self::Difference if arm.arm == Arm::NoContext => score("cross_entropy").map(|_| Interval::default()),
            Self::Difference => arm.difference.get("cross_entropy").copied(),
        }
    }

    /// A value in a table.
    pub fn text(self, value: f64) -> String {
        match self {
            Self::ExactMatch | Self::Similarity => fixed(value, 1),
            Self::CrossEntropy | Self::Difference => fixed(value, 3),
        }
    }
}

/// `41.7 [33.1, 50.4]`; a number without an interval stands alone.
pub fn interval_text(value: Interval, text: impl Fn(f64) -> String) -> String {
    let Interval { mean, low, high } = value;
    match low < high {
        true => format!("{} [{}, {}]", text(mean), text(low), text(high)),
        false => text(mean),
    }
}
