//! What a run is: every setting of data, retrieval, models, objective and schedule, read from TOML and checked by name.

mod alarms;
mod arm;
mod encoder;
mod evaluation;
mod objective;
mod prompt;
mod retrieval;
mod steering;
mod sweep;
mod validation;

use std::path::Path;

use serde::{Deserialize, Serialize};

pub use alarms::{AlarmRule, AlarmSettings};
pub use arm::Arm;
pub use encoder::{EncoderInput, EncoderSettings, Pooling};
pub use evaluation::EvaluationSettings;
pub use objective::{AlignmentForm, Objective, RewardForm};
pub use prompt::{PromptLayout, PromptSettings};
pub use retrieval::{Retrieval, RetrievalUnit, RetrieverKind};
pub use steering::{Intervention, RATE_FACTOR, Steering};
pub use sweep::{Measure, SweepCell, SweepError, SweepFile, SweepPlan, SweepSplit, Trial};
pub use validation::{ExperimentError, FieldError};

/// One training run, fully described. `configs/` holds presets; a run folder holds the resolved form with every default written out.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Experiment {
    /// Short name; the run folder is `<date>-<name>`.
    pub name: String,
    /// Seeds initial weights, batch order and all else that training draws.
    pub seed: u64,
    /// Which code is learned from.
    pub data: Data,
    /// How chunks of other files are found for a sample.
    pub retrieval: Retrieval,
    /// The frozen model that turns a chunk into one vector.
    pub encoder: EncoderSettings,
    /// The frozen code LM.
    pub reader: ReaderSettings,
    /// The trained part.
    pub projector: ProjectorSettings,
    /// How text and soft tokens are laid out in front of the reader.
    pub prompt: PromptSettings,
    /// The weighted losses.
    pub objective: Objective,
    /// Optimiser, learning rate and the rhythm of probes, evaluations and checkpoints.
    pub schedule: Schedule,
    /// What is completed and measured at each evaluation.
    pub evaluation: EvaluationSettings,
    /// When the run calls for attention, and what it does then.
    pub alarms: AlarmSettings,
}

/// Which code is learned from, and how samples are drawn from it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Data {
    /// Catalogue id of a corpus, or a folder whose sub-folders are repositories.
    pub corpus: String,
    /// Training samples drawn; fewer are used when the corpus yields fewer.
    pub train_samples: usize,
    /// Train only on samples whose identifier occurs in a retrieved chunk (science.md: the whole gain of retrieval sits there).
    pub only_hits: bool,
    /// At most this many samples from one repository, so that no large package dominates.
    pub samples_per_repository: usize,
    /// A step shows each of its samples between one and all of its chunks, so that the projector learns to be read among few and many.
    pub vary_context: bool,
    /// Names of the training repositories that soft tokens learn to spell, at most; 0 takes the rarest names of the samples' chunks.
    pub spelled_names: usize,
    /// Seeds the split of a folder's repositories and the draw of samples, so that runs of several seeds can be compared on the
    /// same samples. A file that does not name it means the seed of the run.
    pub seed: u64,
}

impl Default for Data {
    fn default() -> Self {
        Self {
            corpus: "python-packages".into(),
            train_samples: 672,
            only_hits: true,
            samples_per_repository: 60,
            vary_context: false,
            spelled_names: 0,
            seed: 0,
        }
    }
}

/// The frozen reader.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct ReaderSettings {
    /// Catalogue id, a GGUF file, or a folder with `config.json`, `tokenizer.json` and safetensors.
    pub model: String,
}

impl Default for ReaderSettings {
    fn default() -> Self {
        Self {
            model: "smollm2-135m-instruct".into(),
        }
    }
}

/// How the norms of soft tokens are brought to those of the reader's token embeddings.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum OutputScale {
    /// They are what the last layer gives.
    #[default]
    Off,
    /// Every soft token has the mean norm of the token embeddings.
    Fixed,
    /// That norm times one trained number, which begins at 1.
    Learned,
}

/// The projector: Linear-GELU-LayerNorm blocks and a last Linear (method.md A3).
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct ProjectorSettings {
    /// Linear layers: 2 (d_enc, d, d) or 3 (d_enc, 2d, 2d, d), d being the reader's hidden size.
    pub depth: usize,
    /// Soft tokens that one chunk becomes; they follow each other in the prompt.
    pub tokens_per_chunk: usize,
    /// How the norms of the soft tokens are brought to those of the reader's token embeddings.
    pub output_scale: OutputScale,
    /// A linear layer from the encoder's vector past the others, which begin near nothing: an untrained soft token is then about the
    /// last numbers of the vector, with `encoder.pooling = "spelling"` the mean of the name's token embeddings (science2.md 1).
    pub skip: bool,
    /// A run's folder whose newest checkpoint is where training begins, so that one reconstruction stage serves several recipes;
    /// empty begins untrained.
    pub start_from: String,
    /// Match mean and spread of the outputs to the reader's token embeddings before the first step.
    pub match_embeddings: bool,
}

impl Default for ProjectorSettings {
    fn default() -> Self {
        Self {
            depth: 2,
            tokens_per_chunk: 1,
            output_scale: OutputScale::Off,
            skip: false,
            start_from: String::new(),
            match_embeddings: true,
        }
    }
}

/// AdamW with linear warm-up, cosine decay and clipping, and when to look.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Schedule {
    /// Optimiser steps.
    pub steps: usize,
    /// The first steps, which learn nothing but to spell a chunk's rarest names (science2.md: what makes a soft token legible). They
    /// are a stage of their own: the learning rate rises and falls over them, and again over the steps behind them.
    pub reconstruction_steps: usize,
    /// Names that a step of this first stage spells, where `data.spelled_names` are spelled.
    pub reconstruction_batch: usize,
    /// Peak learning rate of this first stage.
    pub reconstruction_rate: f64,
    /// Names that a later step spells beside its samples, where `data.spelled_names` are spelled.
    pub spelled_batch: usize,
    /// Samples a step.
    pub batch: usize,
    /// Peak learning rate, behind the first stage.
    pub learning_rate: f64,
    /// Share of a stage's steps spent warming up.
    pub warmup: f64,
    /// AdamW's decay of the first moment.
    pub beta1: f64,
    /// AdamW's decay of the second moment.
    pub beta2: f64,
    /// Decoupled weight decay, on matrices only.
    pub weight_decay: f64,
    /// Largest gradient norm; a larger one is scaled down to it.
    pub clip: f64,
    /// Steps between probes of the projected vectors.
    pub probe_every: usize,
    /// Chunks in the probe set.
    pub probe_chunks: usize,
    /// Steps between evaluations; the last step is always evaluated.
    pub evaluate_every: usize,
    /// Steps between checkpoints; every evaluation and the last step write one as well.
    pub checkpoint_every: usize,
    /// The newest checkpoints that are kept, beside the one with the lowest cross-entropy on the validation split.
    pub keep_last: usize,
    /// Checkpoints of steps that are a multiple of this are kept as well; 0 keeps none for that.
    pub keep_every: usize,
}

impl Default for Schedule {
    fn default() -> Self {
        Self {
            steps: 84,
            reconstruction_steps: 0,
            reconstruction_batch: 32,
            reconstruction_rate: 1e-3,
            spelled_batch: 8,
            batch: 8,
            learning_rate: 1e-3,
            warmup: 0.08,
            beta1: 0.9,
            beta2: 0.98,
            weight_decay: 0.01,
            clip: 1.0,
            probe_every: 3,
            probe_chunks: 100,
            evaluate_every: 42,
            checkpoint_every: 21,
            keep_last: 3,
            keep_every: 0,
        }
    }
}

impl Experiment {
    /// Reads and checks a TOML file.
    pub fn load(path: &Path) -> Result<Self, ExperimentError> {
        let text = std::fs::read_to_string(path).map_err(|source| ExperimentError::Read {
            path: path.to_owned(),
            source,
        })?;
        let experiment = Self::from_toml(&text, &path.display().to_string())?;
        experiment.validate()?;
        Ok(experiment)
    }

    /// Parses TOML text without checking ranges; `origin` names the text in errors.
    pub fn from_toml(text: &str, origin: &str) -> Result<Self, ExperimentError> {
        let parse_error = |error: toml::de::Error| ExperimentError::Parse {
            origin: origin.to_owned(),
            message: error.to_string(),
        };
        // Errors of the text itself name line and column; those of a table cannot.
        toml::from_str::<Self>(text).map_err(parse_error)?;
        toml::from_str(text).and_then(Self::from_table).map_err(parse_error)
    }

    /// From the fields of a file.
    pub fn from_table(table: toml::Table) -> Result<Self, toml::de::Error> {
        let data = table.get("data").and_then(toml::Value::as_table);
        let names_data_seed = data.is_some_and(|data| data.contains_key("seed"));
        let mut experiment: Self = table.try_into()?;
        if !names_data_seed {
            experiment.data.seed = experiment.seed;
        }
        Ok(experiment)
    }

    /// Whether a sample may have nothing retrieved and still count: where no name may come next, that is the answer.
    pub fn may_be_empty(&self) -> bool {
        self.retrieval.unit == RetrievalUnit::Name
    }

    /// The resolved experiment as TOML, every default written out.
    pub fn to_toml(&self) -> String {
        toml::to_string_pretty(self).unwrap_or_default()
    }
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "a failing test should panic")]
mod tests {
    use super::*;

    #[test]
    fn the_draw_follows_the_seed_of_the_run_unless_it_has_its_own() {
        let seeds = |text: &str| {
            let experiment = Experiment::from_toml(text, "text").unwrap();
            (experiment.seed, experiment.data.seed)
        };
        assert_eq!(seeds("seed = 3"), (3, 3));
        assert_eq!(seeds("seed = 3\n[data]\nonly_hits = false"), (3, 3));
        assert_eq!(seeds("seed = 3\n[data]\nseed = 0"), (3, 0));
        assert_eq!(seeds(""), (0, 0));
    }
}
