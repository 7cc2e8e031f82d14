//! From an arm to what its prompt is made of: the compressed arm's soft tokens, the controls that take their place, and texts.

use std::borrow::Cow;
use std::ops::Range;

use rand::{Rng as _, SeedableRng as _};
use rand_chacha::ChaCha8Rng;
use sha2::{Digest as _, Sha256};

use super::Arm;
use super::rows::{mean, norm};
use crate::experiment::EvaluationSettings;
use crate::models::ModelError;
use crate::projector::normal;
use crate::prompt::{Context, PreparedSample, PromptBuilder};

/// What stands at the place of the context, not yet in a prompt. Soft tokens are `[rows, hidden]`, row-major.
#[derive(Clone, Debug)]
pub enum ArmInput<'a> {
    /// Nothing.
    Nothing,
    /// The chunks as text.
    FullText,
    /// The chunks as soft tokens.
    Soft(Cow<'a, [f32]>),
    /// Vectors that stand for no chunk of the sample.
    Control(Cow<'a, [f32]>),
    /// Tokens where the soft tokens would stand.
    Tokens(Vec<u32>),
    /// A list of names.
    Identifiers(Vec<u32>),
    /// The text of the chunk that defines the name.
    Definition(&'a [u32]),
    /// The first chunks as text, the others of these soft tokens.
    Expanded(usize, Cow<'a, [f32]>),
}

impl ArmInput<'_> {
    /// The vectors that it reads.
    pub fn soft(&self) -> &[f32] {
        match self {
            Self::Soft(soft) | Self::Control(soft) | Self::Expanded(_, soft) => soft,
            _ => &[],
        }
    }

    /// The context of its prompt, its vectors being these rows of the soft-token matrix.
    pub fn context(&self, rows: Range<usize>) -> Context<'_> {
        match self {
            Self::Nothing => Context::Nothing,
            Self::FullText => Context::FullText,
            Self::Soft(_) => Context::Soft(rows),
            Self::Control(_) => Context::Control(rows),
            Self::Tokens(ids) => Context::Tokens(ids),
            Self::Identifiers(ids) => Context::Identifiers(ids),
            Self::Definition(ids) => Context::Definition(ids),
            Self::Expanded(texts, _) => Context::Expanded {
                texts: *texts,
                soft: rows,
            },
        }
    }
}

/// The chunk that defines a sample's name, as text and as soft tokens; both empty where no chunk does.
#[derive(Clone, Debug, Default)]
pub struct Definition {
    /// Its tokens, clipped as every chunk.
    pub tokens: Vec<u32>,
    /// Its soft tokens, `[tokens per chunk, hidden]`.
    pub soft: Vec<f32>,
}

/// The samples of an evaluation, and what their arms are made of.
pub struct ArmMaterial {
    samples: Vec<PreparedSample>,
    soft: Vec<Vec<f32>>,
    /// Mean soft token of all samples.
    mean: Vec<f32>,
    hidden: usize,
    settings: EvaluationSettings,
    seed: u64,
    /// The definition of each sample's name; needed by the two oracles only.
    pub definitions: Vec<Definition>,
    /// The trained constant, `[soft tokens, hidden]`; needed by the soft prompt only.
    pub constant: Vec<f32>,
}

impl ArmMaterial {
    /// `soft` holds the soft tokens of each sample, `[rows, hidden]`; `seed` decides noise and random tokens.
    pub fn new(
        samples: Vec<PreparedSample>,
        soft: Vec<Vec<f32>>,
        hidden: usize,
        settings: &EvaluationSettings,
        seed: u64,
    ) -> Self {
        let width = hidden.max(1);
        let count = soft.iter().map(|soft| soft.len() / width).sum();
        let mean = mean(soft.iter().flat_map(|soft| soft.chunks_exact(width)), count, hidden);
        Self {
            samples,
            soft,
            mean,
            hidden: width,
            settings: settings.clone(),
            seed,
            definitions: Vec::new(),
            constant: Vec::new(),
        }
    }

    /// The samples.
    pub fn samples(&self) -> &[PreparedSample] {
        &self.samples
    }

    /// Whether there are samples of two repositories, without which no context can be shuffled.
    pub fn has_strangers(&self) -> bool {
        let mut names = self.samples.iter().map(|one| one.sample.repository.as_str());
        let first = names.next();
        names.any(|name| Some(name) != first)
    }

    /// What an arm reads of a sample.
    pub fn input(&self, arm: Arm, index: usize, prompts: &PromptBuilder<'_>) -> Result<ArmInput<'_>, ModelError> {
        let (sample, soft) = (&self.samples[index], self.soft[index].as_slice());
        let rows = soft.len() / self.hidden;
        let definition = self.definitions.get(index);
        let definition_soft = definition.map(|one| one.soft.as_slice()).unwrap_or_default();
        Ok(match arm {
            Arm::NoContext => ArmInput::Nothing,
            Arm::FullRag => ArmInput::FullText,
            Arm::Compressed => ArmInput::Soft(soft.into()),
            Arm::ShuffledContext => ArmInput::Control(self.soft[self.stranger(index)].as_slice().into()),
            Arm::MeanVector => ArmInput::Control(self.mean.repeat(rows).into()),
            Arm::ZeroVector => ArmInput::Control(vec![0.0; soft.len()].into()),
            Arm::NoiseVector => ArmInput::Control(self.noise(index).into()),
            Arm::RandomTokens => ArmInput::Tokens(self.random_tokens(index, rows, prompts)),
            Arm::SoftPrompt => {
                let length = soft.len().min(self.constant.len());
                ArmInput::Control(self.constant[..length].into())
            }
            Arm::Identifiers => ArmInput::Identifiers(prompts.identifiers(sample, self.settings.identifier_tokens)?),
            Arm::DefinitionText => {
                ArmInput::Definition(definition.map(|one| one.tokens.as_slice()).unwrap_or_default())
            }
            Arm::DefinitionVector => ArmInput::Control(definition_soft.into()),
            Arm::SelectiveExpansion => {
                ArmInput::Expanded(self.settings.expanded_chunks.min(sample.chunks.len()), soft.into())
            }
        })
    }

    /// The next sample of another repository, for the shuffled control.
    fn stranger(&self, index: usize) -> usize {
        let repository = &self.samples[index].sample.repository;
        let count = self.samples.len();
        let mut others = (1..count).map(|step| (index + step) % count);
        others
            .find(|&other| &self.samples[other].sample.repository != repository)
            .unwrap_or(index)
    }

    /// Gaussian noise, each row with the norm of the soft token that it stands for.
    fn noise(&self, index: usize) -> Vec<f32> {
        let mut random = self.random("noise", index);
        let mut noise = Vec::with_capacity(self.soft[index].len());
        for row in self.soft[index].chunks_exact(self.hidden) {
            let drawn: Vec<f32> = row.iter().map(|_| normal(&mut random) as f32).collect();
            let scale = norm(row) / norm(&drawn).max(f32::MIN_POSITIVE);
            noise.extend(drawn.iter().map(|value| value * scale));
        }
        noise
    }

    /// Tokens of the vocabulary; none that ends a text or belongs to fill in the middle.
    fn random_tokens(&self, index: usize, count: usize, prompts: &PromptBuilder<'_>) -> Vec<u32> {
        let mut random = self.random("tokens", index);
        let tokenizer = prompts.tokenizer();
        let (highest, ends) = (tokenizer.vocab_size().max(1) as u32, tokenizer.end_of_text());
        let drawn = std::iter::repeat_with(|| random.random_range(0..highest));
        // A vocabulary of nothing but ends has no other token to give.
        let tries = drawn.take(count * 64 + ends.len());
        tries.filter(|id| ends.binary_search(id).is_err()).take(count).collect()
    }

    /// Chance that depends on the seed and the sample alone, not on which samples are completed beside it.
    fn random(&self, what: &str, index: usize) -> ChaCha8Rng {
        let id = &self.samples[index].sample.id;
        let hash = Sha256::new().chain_update(self.seed.to_le_bytes()).chain_update(what);
        ChaCha8Rng::from_seed(hash.chain_update(id).finalize().into())
    }
}
