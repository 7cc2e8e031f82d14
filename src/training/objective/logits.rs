//! The losses on the reader's logits, all of them in one pass over a batch.

use std::sync::Arc;

use crate::models::reader::{LogitLoss, cross_entropy_gradient, softmax};

use super::teacher::TeacherPrediction;

/// What makes log-probabilities of a row of logits.
#[derive(Clone, Copy, Debug)]
pub struct LogProbabilities {
    max: f32,
    log_sum: f64,
    entropy: f64,
}

impl LogProbabilities {
    /// Of a row `[vocab]`; sums in f64.
    pub fn of(logits: &[f32]) -> Self {
        let max = logits.iter().copied().fold(f32::NEG_INFINITY, f32::max);
        let (mut sum, mut pull) = (0f64, 0f64);
        for &logit in logits {
            let below = f64::from(logit - max);
            let share = below.exp();
            sum += share;
            pull += share * below;
        }
        let log_sum = sum.ln();
        Self {
            max,
            log_sum,
            entropy: log_sum - pull / sum,
        }
    }

    /// Log-probability of a token; minus infinity outside the vocabulary.
    pub fn of_token(&self, logits: &[f32], token: u32) -> f64 {
        let logit = logits.get(token as usize).copied();
        logit.map_or(f64::NEG_INFINITY, |logit| f64::from(logit - self.max) - self.log_sum)
    }

    /// Entropy of the prediction, nats.
    pub fn entropy(&self) -> f64 {
        self.entropy
    }
}

/// What a prediction is asked for.
#[derive(Clone, Debug)]
pub enum Role {
    /// A token of a sample's target, with what the teacher predicts there if its divergence is minimised.
    Target(Option<Arc<TeacherPrediction>>),
    /// A token of the rollout with this number; its log-probability goes into the loss with this factor.
    Rollout(usize, f64),
    /// A token of a chunk's spelled names.
    Name,
}

/// Weights of the terms in the loss.
#[derive(Clone, Copy, Debug, Default)]
pub struct LogitWeights {
    /// Of the mean cross-entropy of the target tokens.
    pub cross_entropy: f64,
    /// Of the mean divergence from the teacher there.
    pub kl: f64,
    /// Of the rollouts' tokens, each with its own factor.
    pub reward: f64,
    /// Of the mean cross-entropy of the tokens of names.
    pub reconstruction: f64,
}

/// The weighted sum of all terms on logits: means over target tokens and over tokens of names, and the sum over rollouts.
pub struct LogitTerms<'a> {
    roles: &'a [Vec<Role>],
    weights: LogitWeights,
    targets: f64,
    names: f64,
    cross_entropy: f64,
    entropy: f64,
    kl: f64,
    reconstruction: f64,
    log_probabilities: Vec<Vec<f64>>,
}

impl<'a> LogitTerms<'a> {
    /// For a batch whose predictions have these roles, sequence by sequence.
    pub fn new(roles: &'a [Vec<Role>], weights: LogitWeights) -> Self {
        let count = |of: fn(&Role) -> bool| roles.iter().flatten().filter(|role| of(role)).count().max(1) as f64;
        Self {
            targets: count(|role| matches!(role, Role::Target(_))),
            names: count(|role| matches!(role, Role::Name)),
            roles,
            weights,
            cross_entropy: 0.0,
            entropy: 0.0,
            kl: 0.0,
            reconstruction: 0.0,
            log_probabilities: Vec::new(),
        }
    }

    /// Mean cross-entropy of the target tokens, nats.
    pub fn cross_entropy(&self) -> f64 {
        self.cross_entropy / self.targets
    }

    /// Mean entropy of the prediction at the target tokens, nats.
    pub fn entropy(&self) -> f64 {
        self.entropy / self.targets
    }

    /// Mean divergence from the teacher at the target tokens, nats.
    pub fn kl(&self) -> f64 {
        self.kl / self.targets
    }

    /// Mean cross-entropy of the tokens of names, nats.
    pub fn reconstruction(&self) -> f64 {
        self.reconstruction / self.names
    }

    /// Log-probabilities of each rollout's tokens.
    pub fn log_probabilities(&self) -> &[Vec<f64>] {
        &self.log_probabilities
    }
}

impl LogitLoss for LogitTerms<'_> {
    fn row(&mut self, sequence: usize, prediction: usize, token: u32, logits: &mut [f32]) -> f64 {
        let normal = LogProbabilities::of(logits);
        let log_probability = normal.of_token(logits, token);
        match self.roles.get(sequence).and_then(|roles| roles.get(prediction)) {
            None => {
                logits.fill(0.0);
                0.0
            }
            Some(Role::Target(teacher)) => {
                self.cross_entropy -= log_probability;
                self.entropy += normal.entropy();
                let weight = self.weights.cross_entropy / self.targets;
                let mut loss = -weight * log_probability;
                let divergence = teacher.as_ref().map(|teacher| teacher.divergence(logits, &normal));
                softmax(logits);
                let Some(divergence) = divergence else {
                    cross_entropy_gradient(logits, token, weight);
                    return loss;
                };
                let scale = self.weights.kl / self.targets;
                self.kl += divergence.value;
                loss += scale * divergence.value;
                let probabilities = logits.to_vec();
                cross_entropy_gradient(logits, token, weight);
                divergence.add_gradient(&probabilities, scale, logits);
                loss
            }
            Some(&Role::Rollout(rollout, factor)) => {
                if self.log_probabilities.len() <= rollout {
                    self.log_probabilities.resize(rollout + 1, Vec::new());
                }
                self.log_probabilities[rollout].push(log_probability);
                let weight = self.weights.reward * factor;
                softmax(logits);
                cross_entropy_gradient(logits, token, -weight);
                weight * log_probability
            }
            Some(Role::Name) => {
                self.reconstruction -= log_probability;
                let weight = self.weights.reconstruction / self.names;
                softmax(logits);
                cross_entropy_gradient(logits, token, weight);
                -weight * log_probability
            }
        }
    }
}
