//! What the reader reads in one step: samples with their targets and rollouts behind one shared prompt, and chunks to spell.

use std::sync::Arc;

use crate::experiment::{Objective, RewardForm};
use crate::models::ModelError;
use crate::models::reader::{Prompt, Reader, Sequence};
use crate::prompt::continued;

use super::logits::{LogitTerms, LogitWeights, Role};
use super::reward::{policy_loss, token_factors};
use super::rollouts::Rollouts;
use super::teacher::TeacherPrediction;

/// Sequences, and what each of their predictions is asked for.
pub struct Reading {
    form: RewardForm,
    weights: LogitWeights,
    samples: usize,
    sequences: Vec<Sequence>,
    roles: Vec<Vec<Role>>,
    rollouts: Vec<Rollouts>,
}

/// What was read, in numbers.
pub struct ReadTerms {
    /// Name, value and weight of each term; what is measured only has the weight zero.
    pub terms: Vec<(&'static str, f64, f64)>,
    /// Gradient of the weighted sum with respect to the soft-token matrix, `[rows, hidden]`.
    pub gradient: Vec<f32>,
}

impl Reading {
    /// Of a batch of `samples` samples; nothing is to be read yet.
    pub fn new(objective: &Objective, samples: usize) -> Self {
        Self {
            form: objective.reward_form,
            weights: LogitWeights {
                cross_entropy: objective.cross_entropy,
                kl: objective.kl,
                reward: objective.reward,
                reconstruction: objective.reconstruction,
            },
            samples,
            sequences: Vec::new(),
            roles: Vec::new(),
            rollouts: Vec::new(),
        }
    }

    /// Adds a sample: its target, with what the teacher predicts there, and its rollouts.
    pub fn sample(
        &mut self,
        prompt: &Prompt,
        target: &[u32],
        teacher: Option<&[Arc<TeacherPrediction>]>,
        rollouts: Option<Rollouts>,
    ) {
        let taught = |at: usize| teacher.and_then(|teacher| teacher.get(at)).cloned();
        let mut roles: Vec<Role> = (0..target.len()).map(|at| Role::Target(taught(at))).collect();
        let mut continuations = vec![target];
        if let Some(rollouts) = &rollouts {
            let lengths: Vec<usize> = rollouts.tokens.iter().map(Vec::len).collect();
            let factors = token_factors(self.form, &rollouts.advantages, &lengths);
            let first: usize = self.rollouts.iter().map(|earlier| earlier.tokens.len()).sum();
            for (number, (tokens, factor)) in rollouts.tokens.iter().zip(factors).enumerate() {
                let role = Role::Rollout(first + number, factor / self.samples as f64);
                roles.extend(std::iter::repeat_n(role, tokens.len()));
                continuations.push(tokens);
            }
        }
        self.sequences.push(continued(prompt, &continuations));
        self.roles.push(roles);
        self.rollouts.extend(rollouts);
    }

    /// Adds a chunk whose names are to be spelled behind its soft tokens.
    pub fn chunk(&mut self, prompt: &Prompt, names: &[u32]) {
        self.sequences.push(continued(prompt, &[names]));
        self.roles.push(vec![Role::Name; names.len()]);
    }

    /// Whether there is nothing to read.
    pub fn is_empty(&self) -> bool {
        self.sequences.is_empty()
    }

    /// Positions to read.
    pub fn positions(&self) -> usize {
        let branches = |sequence: &Sequence| sequence.branches.iter().map(Vec::len).sum::<usize>();
        let positions = self.sequences.iter().map(|one| one.slots.len() + branches(one));
        positions.sum()
    }

    /// Reads it all; `soft` is the soft-token matrix.
    pub fn backward(&self, reader: &dyn Reader, soft: &[f32]) -> Result<ReadTerms, ModelError> {
        let mut loss = LogitTerms::new(&self.roles, self.weights);
        let read = reader.backward(&self.sequences, soft, &mut loss)?;
        let has = |of: fn(&Role) -> bool| self.roles.iter().flatten().any(of);
        let mut terms = Vec::new();
        if has(|role| matches!(role, Role::Target(_))) {
            terms.push(("cross_entropy", loss.cross_entropy(), self.weights.cross_entropy));
            terms.push(("entropy", loss.entropy(), 0.0));
        }
        if has(|role| matches!(role, Role::Target(Some(_)))) {
            terms.push(("kl", loss.kl(), self.weights.kl));
        }
        if !self.rollouts.is_empty() {
            let (reward, reward_loss) = self.rewards(loss.log_probabilities());
            terms.push(("reward", reward, 0.0));
            terms.push(("reward_loss", reward_loss, self.weights.reward));
        }
        if has(|role| matches!(role, Role::Name)) {
            terms.push(("reconstruction", loss.reconstruction(), self.weights.reconstruction));
        }
        Ok(ReadTerms {
            terms,
            gradient: read.gradient,
        })
    }

    /// Mean reward of all rollouts, and their loss as a mean over samples.
    fn rewards(&self, log_probabilities: &[Vec<f64>]) -> (f64, f64) {
        let (mut sum, mut count, mut loss) = (0.0, 0, 0.0);
        let mut rest = log_probabilities;
        for rollouts in &self.rollouts {
            let (own, others) = rest.split_at(rollouts.tokens.len().min(rest.len()));
            rest = others;
            loss += policy_loss(self.form, own, &rollouts.advantages);
            sum += rollouts.rewards.iter().sum::<f64>();
            count += rollouts.rewards.len();
        }
        (sum / count.max(1) as f64, loss / self.rollouts.len().max(1) as f64)
    }
}
