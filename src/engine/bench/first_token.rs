//! Time to the first token of a completion, by arm and stage: what passes between a key stroke and the first token, on a
//! repository whose chunks are indexed.

use candle_core::Device;
use serde::{Deserialize, Serialize};

use super::BenchSettings;
use super::repository::made_up_repository;
use crate::corpus::{CompletionSample, sample_at};
use crate::engine::EngineError;
use crate::engine::loaded::LoadedModels;
use crate::engine::stages::{Clock, Stages};
use crate::engine::training_job::project;
use crate::evaluation::Arm;
use crate::experiment::{Experiment, PromptLayout};
use crate::models::ModelError;
use crate::models::reader::generate;
use crate::projector::Projector;
use crate::retrieval::{Jaccard, Retriever as _};

/// Chunks of a prompt, and reader tokens of a chunk.
const SHAPES: [(usize, usize); 2] = [(10, 128), (10, 512)];

/// A line of the made-up code has more tokens than this, so that every chunk is cut to its budget.
const TOKENS_A_LINE: usize = 6;

/// File and line that the cursor stands in: a call in the body of a loop, much code before it.
const CURSOR: (&str, usize) = ("package/module_08.py", 247);

/// Where the vectors of the chunks come from.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Vectors {
    /// The encoder reads every chunk.
    Cold,
    /// They lie in the cache on disk.
    Warm,
}

/// What is known of the left context before the completion.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Left {
    /// Nothing: soft tokens first, the whole prompt is computed.
    Computed,
    /// Late fusion: its keys and values but for the last tokens are kept from the key stroke before.
    Cached,
}

/// One completion up to its first token.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct FirstToken {
    /// What the reader knows.
    pub arm: Arm,
    /// Chunks retrieved.
    pub chunks: usize,
    /// Reader tokens of a chunk.
    pub chunk_tokens: usize,
    /// Where the vectors came from, for the arm that has some.
    pub vectors: Option<Vectors>,
    /// Tokens that the encoder reads of all chunks; it cuts long ones.
    pub encoder_tokens: usize,
    /// What was known of the left context.
    pub left: Left,
    /// Positions of the prompt.
    pub prompt_tokens: usize,
    /// Where the time went.
    pub stages: Stages,
}

/// The models, and one cursor with an index for every shape.
pub(super) struct FirstTokens {
    models: LoadedModels,
    projector: Projector,
    shapes: Vec<Shape>,
}

struct Shape {
    left: Left,
    experiment: Experiment,
    jaccard: Jaccard,
    sample: CompletionSample,
}

/// The left contexts in the order of their turns.
const LEFT: [Left; 2] = [Left::Computed, Left::Cached];

/// The arms in the order of their turns.
const ARMS: [(Arm, Option<Vectors>); 4] = [
    (Arm::NoContext, None),
    (Arm::Compressed, Some(Vectors::Warm)),
    (Arm::Compressed, Some(Vectors::Cold)),
    (Arm::FullRag, None),
];

impl FirstTokens {
    /// Loads the models, indexes the repository, and completes once with every arm: afterwards the vectors of the chunks lie
    /// in their cache, and the reader holds what it keeps of the left context.
    pub fn load(settings: &BenchSettings, device: &Device) -> Result<Self, EngineError> {
        let models = LoadedModels::load(&settings.experiment, &settings.store, device)?;
        let (encoder_width, reader_width) = (models.encoder.width(), models.reader.config().hidden);
        let (widths, norm) = ([encoder_width, reader_width], models.embeddings.mean_norm);
        let Experiment { projector, seed, .. } = &settings.experiment;
        let projector = Projector::from_settings(projector, widths, norm, *seed, device)?;
        let repository = made_up_repository();
        let (path, line) = CURSOR;
        let mut shapes = Vec::new();
        for ((chunks, chunk_tokens), left) in SHAPES.into_iter().flat_map(|shape| LEFT.map(|left| (shape, left))) {
            let mut experiment = settings.experiment.clone();
            experiment.retrieval.k = chunks;
            experiment.retrieval.chunk_tokens = chunk_tokens;
            experiment.retrieval.chunk_lines = chunk_tokens / TOKENS_A_LINE;
            experiment.prompt.layout = match left {
                Left::Computed => PromptLayout::SoftFirst,
                Left::Cached => PromptLayout::LateFusion,
            };
            let retrieval = &experiment.retrieval;
            let shape = Shape {
                left,
                jaccard: Jaccard::new(&repository, retrieval.chunk_lines, retrieval.query_lines),
                sample: sample_at(&repository, path, line)?,
                experiment,
            };
            shapes.push(shape);
        }
        let loaded = Self {
            models,
            projector,
            shapes,
        };
        for shape in &loaded.shapes {
            // Long chunks only once, so that their vectors lie in the cache: full RAG takes its time on them.
            let long = shape.experiment.retrieval.chunk_tokens > SHAPES[0].1;
            let arms = ARMS
                .iter()
                .filter(|(_, vectors)| !long || *vectors == Some(Vectors::Warm));
            for &(arm, vectors) in arms {
                loaded.complete(shape, arm, vectors)?;
            }
        }
        Ok(loaded)
    }

    /// Every arm at every shape, in turn.
    pub fn repeat(&self) -> Result<Vec<FirstToken>, EngineError> {
        let turns = self
            .shapes
            .iter()
            .flat_map(|shape| ARMS.map(|(arm, vectors)| (shape, arm, vectors)));
        turns
            .map(|(shape, arm, vectors)| self.complete(shape, arm, vectors))
            .collect()
    }

    /// One completion up to its first token, by the engine's own means.
    fn complete(&self, shape: &Shape, arm: Arm, vectors: Option<Vectors>) -> Result<FirstToken, EngineError> {
        let models = &self.models;
        let Shape {
            left,
            experiment,
            jaccard,
            sample,
        } = shape;
        let prompts = models.prompts(experiment)?;
        let mut stages = Stages::default();
        let mut clock = Clock::start();

        let k = if arm == Arm::NoContext {
            0
        } else {
            experiment.retrieval.k
        };
        let retrieved = jaccard.retrieve(sample, k);
        stages.retrieve = clock.lap();

        let prepared = prompts.prepare(sample, &retrieved)?;
        let prompt = match arm {
            Arm::NoContext => prompts.without_context(&prepared),
            Arm::FullRag => prompts.full_text(&prepared),
            _ => {
                let count = prepared.chunks.len() * self.projector.tokens_per_chunk();
                prompts.compressed(&prepared, 0, count)
            }
        };
        stages.tokenise = clock.lap();

        let texts: Vec<&str> = prepared.retrieved.iter().map(|one| one.chunk.text.as_str()).collect();
        let rows = match vectors {
            None => Vec::new(),
            Some(Vectors::Cold) => models.encoder.encode(&texts)?,
            Some(Vectors::Warm) => {
                let mut cache = models.vectors.borrow_mut();
                cache.get_or_encode(models.encoder.as_ref(), &texts, &mut |_, _| true)?
            }
        };
        stages.encode = clock.lap();

        let soft = match rows.is_empty() {
            true => Vec::new(),
            false => project(&self.projector, &rows.concat(), models)?,
        };
        stages.project = clock.lap();

        let ends = |tokens: &[u32]| prompts.ends_line(tokens);
        let mut session = models.reader.session(1);
        let generation = generate(session.as_mut(), &prompt, &soft, 1, &ends)?;
        prompts.line(&generation.tokens);
        stages.prefill = generation.first_token.as_secs_f64() * 1e3;
        stages.first_token = (clock.lap() - stages.prefill).max(0.0);
        let read = texts.iter().map(|text| models.encoder.tokens(text));
        let encoder_tokens = match vectors {
            Some(_) => read.sum::<Result<usize, ModelError>>()?,
            None => 0,
        };
        Ok(FirstToken {
            arm,
            chunks: experiment.retrieval.k,
            chunk_tokens: experiment.retrieval.chunk_tokens,
            vectors,
            left: *left,
            encoder_tokens,
            prompt_tokens: prompt.slots.len(),
            stages,
        })
    }
}
