//! Rewards of whole completions, and the losses that they become (method.md A4.2). A completion is an action that the
//! policy took as a whole: the gradient of its log-probability is scaled by how much better it was than expected.

use crate::evaluation::metrics::{em_token, es_levenshtein};
use crate::experiment::RewardForm;

/// Added to the deviation of rewards in GRPO.
const GRPO_EPSILON: f64 = 1e-6;

/// Part of the running mean that a batch leaves in place.
const BASELINE_DECAY: f64 = 0.9;

/// Exact match in code tokens plus edit similarity of a completion, 0 to 2.
pub fn reward(completion: &str, target: &str) -> f64 {
    f64::from(u8::from(em_token(completion, target))) + es_levenshtein(completion, target) / 100.0
}

/// How much better each of a sample's rollouts was than expected.
///
/// `baseline` is what [`RewardForm::Reinforce`] expects, the running mean of earlier rewards, and what [`RewardForm::Scst`]
/// expects, the reward of the greedy completion; the other forms do not read it.
pub fn advantages(form: RewardForm, rewards: &[f64], baseline: f64) -> Vec<f64> {
    let count = rewards.len() as f64;
    let sum: f64 = rewards.iter().sum();
    match form {
        RewardForm::GreedyImitation => rewards.to_vec(),
        RewardForm::Reinforce | RewardForm::Scst => rewards.iter().map(|reward| reward - baseline).collect(),
        RewardForm::Rloo => {
            let others = (count - 1.0).max(1.0);
            rewards.iter().map(|reward| reward - (sum - reward) / others).collect()
        }
        RewardForm::Grpo => {
            let mean = sum / count.max(1.0);
            let variance = rewards.iter().map(|reward| (reward - mean).powi(2)).sum::<f64>() / count.max(1.0);
            let scale = variance.sqrt() + GRPO_EPSILON;
            rewards.iter().map(|reward| (reward - mean) / scale).collect()
        }
    }
}

/// What the log-probability of each counted token of each rollout is multiplied with in the loss of a sample: minus the
/// advantage, as a mean over the rollouts, and for [`RewardForm::Grpo`] over the rollout's tokens.
pub fn token_factors(form: RewardForm, advantages: &[f64], lengths: &[usize]) -> Vec<f64> {
    let rollouts = advantages.len().max(1) as f64;
    let factor = |(advantage, &length): (&f64, &usize)| {
        let tokens = match form {
            RewardForm::Grpo => length.max(1) as f64,
            _ => 1.0,
        };
        -advantage / (rollouts * tokens)
    };
    advantages.iter().zip(lengths).map(factor).collect()
}

/// The loss of a sample's rollouts from the log-probabilities of their counted tokens.
pub fn policy_loss(form: RewardForm, log_probabilities: &[Vec<f64>], advantages: &[f64]) -> f64 {
    let lengths: Vec<usize> = log_probabilities.iter().map(Vec::len).collect();
    let sums = log_probabilities.iter().map(|tokens| tokens.iter().sum::<f64>());
    let factors = token_factors(form, advantages, &lengths);
    factors.iter().zip(sums).map(|(factor, sum)| factor * sum).sum()
}

/// Mean of the rewards of earlier batches, newer ones weighing more: what [`RewardForm::Reinforce`] expects.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct RunningBaseline {
    /// None before the first batch. Single precision, so that a checkpoint holds it exactly.
    pub mean: Option<f32>,
}

impl RunningBaseline {
    /// What is expected of a batch whose rewards have the mean `batch`; the first batch is measured by its own mean.
    pub fn expected(self, batch: f64) -> f64 {
        self.mean.map_or(batch, f64::from)
    }

    /// Takes in a batch's mean reward.
    pub fn update(&mut self, batch: f64) {
        let earlier = self.expected(batch);
        self.mean = Some((BASELINE_DECAY * earlier + (1.0 - BASELINE_DECAY) * batch) as f32);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_reward_is_exact_match_plus_edit_similarity() {
        assert_eq!(reward("return x", "return x"), 2.0);
        assert_eq!(reward("return  x", "return x"), 1.0 + 8.0 / 9.0);
        assert_eq!(reward("ab", "ax"), 0.5);
        assert_eq!(reward("", "pass"), 0.0);
    }

    #[test]
    fn advantages_of_equal_rewards_vanish_where_rollouts_are_compared() {
        for form in [RewardForm::Rloo, RewardForm::Grpo] {
            assert_eq!(advantages(form, &[0.5; 4], 0.0), [0.0; 4]);
        }
        assert_eq!(advantages(RewardForm::Scst, &[0.5, 1.0], 0.5), [0.0, 0.5]);
        assert_eq!(advantages(RewardForm::Reinforce, &[0.5], 0.75), [-0.25]);
        assert_eq!(advantages(RewardForm::GreedyImitation, &[1.5], 9.0), [1.5]);
    }

    #[test]
    fn a_running_baseline_follows_the_rewards() {
        let mut baseline = RunningBaseline::default();
        assert_eq!(baseline.expected(0.25), 0.25);
        baseline.update(0.25);
        assert_eq!(baseline.expected(1.0), 0.25);
        for _ in 0..100 {
            baseline.update(1.0);
        }
        assert!((baseline.expected(0.0) - 1.0).abs() < 1e-3);
    }
}
