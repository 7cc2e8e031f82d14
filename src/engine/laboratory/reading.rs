//! What the soft tokens of a watched chunk say, at several steps of a run: their nearest tokens, what the reader writes behind
//! them alone, and which names of the chunk it can still spell.

use super::vocabulary::Vocabulary;
use crate::engine::loaded::LoadedModels;
use crate::engine::{EngineError, ReadingAnswer, ReadingRequest, SoftTokenReading};
use crate::evaluation::norm;
use crate::experiment::Experiment;
use crate::models::reader::{Prompt, generate, target_log_probabilities};
use crate::prompt::PromptBuilder;
use crate::runs::{ProbeRecord, Run};
use crate::training::objective::NameTable;

/// Tokens that the reader writes behind a chunk's soft tokens alone.
const CONTINUATION: usize = 24;

/// Reads the soft tokens of one watched chunk from the probes of a run: no checkpoint is needed.
pub(in crate::engine) fn read_soft_tokens(
    request: &ReadingRequest,
    experiment: &Experiment,
    models: &LoadedModels,
) -> Result<ReadingAnswer, EngineError> {
    let run = Run::open(&request.run)?;
    let chunks = run.probe_chunks()?;
    let text = chunks
        .get(request.chunk)
        .map(|chunk| chunk.text.as_str())
        .unwrap_or_default();
    let spelled = NameTable::of(chunks.iter().map(|chunk| chunk.text.as_str())).spelled(text);
    let chunk = WatchedChunk::new(spelled.as_deref(), experiment, models)?;
    let mut readings = Vec::with_capacity(request.steps.len());
    for &step in &request.steps {
        let probe = run.probe(step)?;
        if let Some(soft) = soft_tokens(&probe, request.chunk, experiment.projector.tokens_per_chunk) {
            readings.push(chunk.read(step, &soft)?);
        }
    }
    Ok(ReadingAnswer {
        chunk: request.chunk,
        names: chunk.names.into_iter().map(str::to_owned).collect(),
        readings,
    })
}

/// The soft tokens of a chunk, `[tokens per chunk, hidden]`: a probe holds them over the root of their number.
fn soft_tokens(probe: &ProbeRecord, chunk: usize, tokens_per_chunk: usize) -> Option<Vec<f32>> {
    let width = probe.projected.len() / probe.rows.max(1);
    let row = probe.projected.get(chunk * width..(chunk + 1) * width)?;
    let scale = (tokens_per_chunk as f32).sqrt();
    Some(row.iter().map(|value| value * scale).collect())
}

/// What is asked at every step, and what is the same at all of them.
struct WatchedChunk<'a> {
    models: &'a LoadedModels,
    prompts: PromptBuilder<'a>,
    vocabulary: Vocabulary<'a>,
    names: Vec<&'a str>,
    /// Tokens of the names as the reader is to write them.
    spelled: Vec<u32>,
    /// Cross-entropy of the names without soft tokens.
    spelling_without: Option<f64>,
}

impl<'a> WatchedChunk<'a> {
    /// `spelled` are the chunk's names as [`NameTable::spelled`] gives them.
    fn new(spelled: Option<&'a str>, experiment: &Experiment, models: &'a LoadedModels) -> Result<Self, EngineError> {
        let prompts = models.prompts(experiment)?;
        let mut chunk = Self {
            vocabulary: Vocabulary::of(models)?,
            names: spelled.map_or_else(Vec::new, |names| names.trim().split(", ").collect()),
            spelled: spelled.map_or_else(|| Ok(Vec::new()), |names| prompts.ids(names))?,
            spelling_without: None,
            prompts,
            models,
        };
        chunk.spelling_without = chunk.spelling(&chunk.prompts.chunk_alone(0..0, &[]), &[])?;
        Ok(chunk)
    }

    fn read(&self, step: usize, soft: &[f32]) -> Result<SoftTokenReading, EngineError> {
        let hidden = self.models.reader.config().hidden.max(1);
        let prompt = self.prompts.chunk_alone(0..soft.len() / hidden, &[]);
        let mut session = self.models.reader.session(1);
        let written = generate(session.as_mut(), &prompt, soft, CONTINUATION, &|_| false)?;
        let continuation = self.models.tokenizer.text(&written.tokens);
        let names = self.names.iter().enumerate();
        Ok(SoftTokenReading {
            step,
            norms: soft.chunks_exact(hidden).map(norm).collect(),
            nearest: soft
                .chunks_exact(hidden)
                .map(|row| self.vocabulary.nearest(row))
                .collect(),
            recalled: names
                .filter(|(_, name)| continuation.contains(**name))
                .map(|(index, _)| index)
                .collect(),
            spelling: self.spelling(&prompt, soft)?,
            spelling_without: self.spelling_without,
            continuation,
        })
    }

    /// Cross-entropy of the names behind a prompt, nats a token; none when there are no names.
    fn spelling(&self, prompt: &Prompt, soft: &[f32]) -> Result<Option<f64>, EngineError> {
        if self.spelled.is_empty() {
            return Ok(None);
        }
        let mut session = self.models.reader.session(1);
        let log_probabilities = target_log_probabilities(session.as_mut(), 0, prompt, soft, &self.spelled)?;
        let sum: f64 = log_probabilities.iter().map(|&value| f64::from(value)).sum();
        Ok(Some(-sum / log_probabilities.len().max(1) as f64))
    }
}
