//! Rollouts: what the reader completes with the soft tokens as they are, and how much better than expected each completion is.

use rand::SeedableRng;
use rand_chacha::ChaCha8Rng;

use crate::experiment::{Objective, RewardForm};
use crate::models::ModelError;
use crate::models::reader::{Choice, Greedy, Prompt, Reader, Sampled, generate_together};
use crate::prompt::{PreparedSample, PromptBuilder};

use super::reward::{RunningBaseline, advantages, reward};

/// The rollouts of one sample. Each ends with the token that ends the counted lines, so that all of its tokens count.
pub struct Rollouts {
    /// Tokens of each.
    pub tokens: Vec<Vec<u32>>,
    /// Reward of each, 0 to 2.
    pub rewards: Vec<f64>,
    /// How much better than expected each was.
    pub advantages: Vec<f64>,
}

/// Where the chance of a step's draws comes from, so that a step is a function of the seed and its number alone.
#[derive(Clone, Copy)]
pub struct Draw {
    /// Of the experiment.
    pub seed: u64,
    /// From 0.
    pub step: usize,
}

impl Draw {
    /// The source of the choice of how many chunks each sample of the step is shown.
    pub fn of_context(self) -> ChaCha8Rng {
        let mut random = ChaCha8Rng::seed_from_u64(self.seed);
        random.set_stream(1 << 62 | self.step as u64);
        random
    }

    /// The source of one member's chance. Streams below are those of the batch order.
    fn random(self, member: usize) -> ChaCha8Rng {
        let mut random = ChaCha8Rng::seed_from_u64(self.seed);
        random.set_stream(1 << 63 | (self.step as u64) << 20 | member as u64);
        random
    }
}

/// Completes every sample of a batch behind its prompt.
pub fn roll_out(
    reader: &dyn Reader,
    prompts: &PromptBuilder<'_>,
    batch: &[(&PreparedSample, Prompt)],
    soft: &[f32],
    objective: &Objective,
    draw: Draw,
    baseline: &mut RunningBaseline,
) -> Result<Vec<Rollouts>, ModelError> {
    let form = objective.reward_form;
    // SCST measures the drawn completions by the greedy one, which stands before them.
    let (greedy, drawn) = match form {
        RewardForm::GreedyImitation => (1, 0),
        RewardForm::Scst => (1, objective.rollouts),
        RewardForm::Reinforce | RewardForm::Rloo | RewardForm::Grpo => (0, objective.rollouts),
    };
    let copies = greedy + drawn;
    let members = batch.len() * copies;
    let mut choice = FirstGreedy {
        greedy,
        copies,
        sampled: Sampled {
            temperature: objective.temperature as f32,
            top_p: objective.top_p as f32,
            random: (0..members).map(|member| draw.random(member)).collect(),
        },
    };
    let generations = generate_together(
        reader.session(members).as_mut(),
        &batch.iter().map(|(_, prompt)| prompt).collect::<Vec<_>>(),
        copies,
        soft,
        prompts.longest(),
        &mut choice,
        &|_, tokens| prompts.ends_target(tokens),
    )?;
    let mut scored = Vec::with_capacity(batch.len());
    for ((sample, _), generations) in batch.iter().zip(generations.chunks(copies)) {
        let expected = prompts.expected_text(&sample.sample);
        let tokens: Vec<Vec<u32>> = generations.iter().map(|one| one.tokens.clone()).collect();
        let rewards = tokens
            .iter()
            .map(|tokens| reward(&prompts.target_text(tokens), &expected));
        scored.push((rewards.collect::<Vec<f64>>(), tokens));
    }
    let first = if drawn > 0 { greedy } else { 0 };
    let all: Vec<f64> = scored
        .iter()
        .flat_map(|(rewards, _)| rewards.iter().skip(first).copied())
        .collect();
    let mean = all.iter().sum::<f64>() / all.len().max(1) as f64;
    let running = baseline.expected(mean);
    if form == RewardForm::Reinforce {
        baseline.update(mean);
    }
    let rollouts = scored.into_iter().map(|(mut rewards, mut tokens)| {
        let expected = match form {
            RewardForm::Scst => rewards.first().copied().unwrap_or(0.0),
            _ => running,
        };
        let rewards = rewards.split_off(first);
        Rollouts {
            advantages: advantages(form, &rewards, expected),
            tokens: tokens.split_off(first),
            rewards,
        }
    });
    Ok(rollouts.collect())
}

/// The first completions of every prompt greedy, the others drawn.
struct FirstGreedy {
    greedy: usize,
    copies: usize,
    sampled: Sampled,
}

impl Choice for FirstGreedy {
    fn choose(&mut self, member: usize, logits: &mut [f32]) -> u32 {
        match member % self.copies < self.greedy {
            true => Greedy.choose(member, logits),
            false => self.sampled.choose(member, logits),
        }
    }
}
