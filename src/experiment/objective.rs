//! The weighted losses of a run, and their ranges.

use serde::{Deserialize, Serialize};

/// Which form of the alignment loss is minimised; both are logged (method.md A4.3).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum AlignmentForm {
    /// Mean squared difference of the cosines of distinct vectors.
    #[default]
    MeanSquare,
    /// The paper's equation 3: Frobenius norm of the difference of the cosine matrices, over root two.
    Frobenius,
}

/// How rewards of whole completions become a loss (method.md A4.2).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum RewardForm {
    /// The paper's equation 2 as its code has it: the greedy completion, made more probable in proportion to its reward.
    #[default]
    GreedyImitation,
    /// Drawn completions, their reward less a running mean of earlier rewards (Williams 1992).
    Reinforce,
    /// Drawn completions, their reward less that of the greedy completion (Rennie et al., arXiv 1612.00563).
    Scst,
    /// Drawn completions, their reward less the mean of the sample's other ones (Ahmadian et al., arXiv 2402.14740).
    Rloo,
    /// Drawn completions, their reward standardised among the sample's own, as a mean over tokens (Shao et al., arXiv 2402.03300).
    Grpo,
}

impl RewardForm {
    /// Completions of a sample that the form needs to tell a good one from a bad one.
    pub fn fewest_rollouts(self) -> usize {
        match self {
            Self::Rloo | Self::Grpo => 2,
            Self::GreedyImitation | Self::Reinforce | Self::Scst => 1,
        }
    }
}

/// Weights of the losses and what belongs to them; a weight of zero turns a term off, and it then costs nothing.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Objective {
    /// Weight of the cross-entropy of the target tokens (nats per token).
    pub cross_entropy: f64,
    /// Predict the end of the text behind a whole target; the paper's code does not.
    pub end_token: bool,
    /// Weight of the cosine alignment between encoder vectors and soft tokens of a batch. As a mean square it pulls as hard at 10
    /// as the paper's form does at the paper's 0.1 (40 vectors, Frobenius norm near 4).
    pub alignment: f64,
    /// Form of the alignment loss.
    pub alignment_form: AlignmentForm,
    /// Earlier vectors that stand beside those of the batch in the alignment loss.
    pub alignment_memory: usize,
    /// Weight of the loss that makes completions with a high reward more probable.
    pub reward: f64,
    /// How rewards become that loss.
    pub reward_form: RewardForm,
    /// Completions drawn for a sample; greedy imitation has one, its greedy one.
    pub rollouts: usize,
    /// Temperature of the draw; 1 draws from the policy that is trained.
    pub temperature: f64,
    /// Share of the probability that is drawn from, the most probable tokens first; 1 draws from all of it.
    pub top_p: f64,
    /// Weight of the divergence from the reader's own prediction with the chunks as text (nats per token).
    pub kl: f64,
    /// Weight of the cross-entropy of a chunk's rarest names, read from its soft tokens alone (nats per token).
    pub reconstruction: f64,
}

impl Default for Objective {
    fn default() -> Self {
        Self {
            cross_entropy: 1.0,
            end_token: false,
            alignment: 10.0,
            alignment_form: AlignmentForm::MeanSquare,
            alignment_memory: 0,
            reward: 0.0,
            reward_form: RewardForm::GreedyImitation,
            rollouts: 4,
            temperature: 1.0,
            top_p: 1.0,
            kl: 0.0,
            reconstruction: 0.0,
        }
    }
}

impl Objective {
    /// Sum of all weights.
    pub fn weights(&self) -> f64 {
        self.cross_entropy + self.alignment + self.reward + self.kl + self.reconstruction
    }

    /// Hands every field to `check`: whether it may be so, its name, its value, and the range that it may have.
    pub(super) fn check(&self, check: &mut impl FnMut(bool, &'static str, String, &'static str)) {
        let weights = [
            ("objective.cross_entropy", self.cross_entropy),
            ("objective.alignment", self.alignment),
            ("objective.reward", self.reward),
            ("objective.kl", self.kl),
            ("objective.reconstruction", self.reconstruction),
        ];
        for (field, weight) in weights {
            check((0.0..=1000.0).contains(&weight), field, weight.to_string(), "0 to 1000");
        }
        check(
            self.alignment_memory <= 4096,
            "objective.alignment_memory",
            self.alignment_memory.to_string(),
            "0 to 4096",
        );
        let fewest = self.reward_form.fewest_rollouts();
        check(
            (fewest..=64).contains(&self.rollouts),
            "objective.rollouts",
            self.rollouts.to_string(),
            if fewest > 1 {
                "2 to 64 for this form of reward"
            } else {
                "1 to 64"
            },
        );
        check(
            self.temperature > 0.0 && self.temperature <= 10.0,
            "objective.temperature",
            self.temperature.to_string(),
            "above 0, at most 10",
        );
        check(
            self.top_p > 0.0 && self.top_p <= 1.0,
            "objective.top_p",
            self.top_p.to_string(),
            "above 0, at most 1",
        );
    }
}
