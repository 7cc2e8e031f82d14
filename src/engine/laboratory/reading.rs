//! What the soft tokens of a watched chunk say, at several steps of a run: their nearest tokens, what the reader writes behind
//! them alone, and which names of the chunk it can still spell.

use crate::engine::loaded::LoadedModels;
use crate::engine::{EngineError, NearestToken, ReadingAnswer, ReadingRequest, SoftTokenReading};
use crate::experiment::Experiment;
use crate::models::reader::{Prompt, generate, target_log_probabilities};
use crate::runs::{ProbeRecord, Run};
use crate::training::objective::NameTable;

/// Tokens of the vocabulary that are named for a soft token.
const NEAREST: usize = 8;

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
    let names = NameTable::of(chunks.iter().map(|chunk| chunk.text.as_str())).spelled(text);
    let table = models.reader.embedding_table()?;
    let mut readings = Vec::with_capacity(request.steps.len());
    for &step in &request.steps {
        let probe = run.probe(step)?;
        if let Some(soft) = soft_tokens(&probe, request.chunk, experiment.projector.tokens_per_chunk) {
            readings.push(read(step, &soft, names.as_deref(), &table, experiment, models)?);
        }
    }
    let names = names
        .iter()
        .flat_map(|names| names.trim().split(", "))
        .map(str::to_owned);
    Ok(ReadingAnswer {
        chunk: request.chunk,
        names: names.collect(),
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

fn read(
    step: usize,
    soft: &[f32],
    names: Option<&str>,
    table: &[f32],
    experiment: &Experiment,
    models: &LoadedModels,
) -> Result<SoftTokenReading, EngineError> {
    let hidden = models.reader.config().hidden.max(1);
    let prompts = models.prompts(experiment)?;
    let nearest = soft.chunks_exact(hidden).map(|row| nearest(row, table, models));
    let prompt = prompts.chunk_alone(0..soft.len() / hidden);
    let mut session = models.reader.session(1);
    let written = generate(session.as_mut(), &prompt, soft, CONTINUATION, &|_| false)?;
    let continuation = models.tokenizer.text(&written.tokens);
    let spelling = |prompt: &Prompt, soft: &[f32]| -> Result<Option<f64>, EngineError> {
        let Some(names) = names else { return Ok(None) };
        let target = prompts.ids(names)?;
        let mut session = models.reader.session(1);
        let log_probabilities = target_log_probabilities(session.as_mut(), 0, prompt, soft, &target)?;
        let sum: f64 = log_probabilities.iter().map(|&value| f64::from(value)).sum();
        Ok(Some(-sum / log_probabilities.len().max(1) as f64))
    };
    Ok(SoftTokenReading {
        step,
        norms: soft.chunks_exact(hidden).map(norm).collect(),
        nearest: nearest.collect(),
        recalled: names.map_or_else(Vec::new, |names| {
            let names = names.trim().split(", ").enumerate();
            names
                .filter(|(_, name)| continuation.contains(name))
                .map(|(index, _)| index)
                .collect()
        }),
        spelling: spelling(&prompt, soft)?,
        spelling_without: spelling(&prompts.chunk_alone(0..0), &[])?,
        continuation,
    })
}

/// The tokens whose embeddings have the largest cosine with a row, nearest first.
fn nearest(row: &[f32], table: &[f32], models: &LoadedModels) -> Vec<NearestToken> {
    let length = norm(row);
    let cosine = |embedding: &[f32]| {
        let product: f32 = embedding.iter().zip(row).map(|(a, b)| a * b).sum();
        product / (norm(embedding) * length).max(f32::MIN_POSITIVE)
    };
    let mut cosines: Vec<(u32, f32)> = table
        .chunks_exact(row.len().max(1))
        .enumerate()
        .map(|(id, embedding)| (id as u32, cosine(embedding)))
        .collect();
    let count = NEAREST.min(cosines.len());
    if count < cosines.len() {
        cosines.select_nth_unstable_by(count, |a, b| b.1.total_cmp(&a.1));
    }
    cosines.truncate(count);
    cosines.sort_by(|a, b| b.1.total_cmp(&a.1));
    let token = |(id, cosine): (u32, f32)| NearestToken {
        text: models.tokenizer.text(&[id]),
        cosine,
    };
    cosines.into_iter().map(token).collect()
}

fn norm(row: &[f32]) -> f32 {
    row.iter().map(|value| value * value).sum::<f32>().sqrt()
}
