//! What is completed at an evaluation.

use serde::{Deserialize, Serialize};

use super::Arm;

/// What is completed at an evaluation. While training runs, that is the validation split.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct EvaluationSettings {
    /// Validation samples completed by every arm.
    pub samples: usize,
    /// Arms compared while training runs, and by `llavacode evaluate` when it is not told which. No context is always among them;
    /// the soft prompt and the oracles are left to `llavacode evaluate`.
    pub arms: Vec<Arm>,
    /// Most reader tokens of the identifiers arm.
    pub identifier_tokens: usize,
    /// Chunks that selective expansion gives as text, the best first.
    pub expanded_chunks: usize,
}

impl Default for EvaluationSettings {
    fn default() -> Self {
        Self {
            samples: 32,
            arms: Arm::DEFAULT.into(),
            identifier_tokens: 32,
            expanded_chunks: 1,
        }
    }
}

impl EvaluationSettings {
    /// Hands every field to `check`: whether it may be so, its name, its value, and the range that it may have.
    pub(super) fn check(&self, check: &mut impl FnMut(bool, &'static str, String, &'static str)) {
        check(
            (1..=100_000).contains(&self.samples),
            "evaluation.samples",
            self.samples.to_string(),
            "1 to 100000",
        );
        let names: Vec<String> = self.arms.iter().map(Arm::to_string).collect();
        let once = self
            .arms
            .iter()
            .enumerate()
            .all(|(at, arm)| self.arms.iter().position(|other| other == arm) == Some(at));
        check(
            once && !self.arms.is_empty(),
            "evaluation.arms",
            format!("[{}]", names.join(", ")),
            "at least one arm, and each once",
        );
        check(
            (4..=4096).contains(&self.identifier_tokens),
            "evaluation.identifier_tokens",
            self.identifier_tokens.to_string(),
            "4 to 4096",
        );
        check(
            (1..=50).contains(&self.expanded_chunks),
            "evaluation.expanded_chunks",
            self.expanded_chunks.to_string(),
            "1 to 50",
        );
    }
}
