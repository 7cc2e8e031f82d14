//! A completion that a person asks for.

use std::path::{Component, Path};

use super::candidates::retriever_for;
use super::dataset::encode_sample;
use super::loaded::LoadedModels;
use super::training_job::project;
use super::{CompletionAnswer, CompletionSource, EngineError};
use crate::corpus::{CompletionSample, repository_from_folder, sample_at};
use crate::evaluation::{Arm, complete_in};
use crate::experiment::Experiment;
use crate::projector::Projector;
use crate::retrieval::Retrieved;

/// Completes what was asked for with every arm. The shuffled control needs a second sample and is left to evaluations; no
/// context is left out where nothing stands before the cursor.
pub(super) fn answer(
    source: &CompletionSource,
    arms: &[Arm],
    (projector, step): (&Projector, usize),
    experiment: &Experiment,
    models: &LoadedModels,
) -> Result<CompletionAnswer, EngineError> {
    let (sample, retrieved) = match source {
        CompletionSource::Sample(sample, retrieved) => (sample.as_ref().clone(), retrieved.clone()),
        CompletionSource::Cursor { repository, file, line } => at_cursor(repository, file, *line, experiment, models)?,
    };
    let prompts = match source {
        CompletionSource::Cursor { .. } => models.prompts(experiment)?.for_typing(),
        CompletionSource::Sample(..) => models.prompts(experiment)?,
    };
    let encoded = encode_sample(prompts.prepare(&sample, &retrieved)?, models)?;
    let soft = if encoded.vectors.is_empty() {
        Vec::new()
    } else {
        project(projector, &encoded.vectors, models)?
    };
    let arms: Vec<(Arm, &[f32])> = arms
        .iter()
        .filter(|arm| **arm != Arm::ShuffledContext)
        .filter(|arm| **arm != Arm::NoContext || !encoded.prepared.left.is_empty())
        .map(|&arm| (arm, soft.as_slice()))
        .collect();
    let mut session = models.reader.session(arms.len());
    session.reuse_beginnings();
    let hidden = models.reader.config().hidden;
    let completions = complete_in(session.as_mut(), hidden, &prompts, &encoded.prepared, &arms)?;
    Ok(CompletionAnswer {
        step,
        sample,
        retrieved: encoded.prepared.retrieved,
        completions,
    })
}

fn at_cursor(
    folder: &Path,
    file: &Path,
    line: usize,
    experiment: &Experiment,
    models: &LoadedModels,
) -> Result<(CompletionSample, Vec<Retrieved>), EngineError> {
    let repository = repository_from_folder(folder)?;
    let names = file.components().filter(|part| matches!(part, Component::Normal(_)));
    let path: Vec<_> = names.map(|part| part.as_os_str().to_string_lossy()).collect();
    let sample = sample_at(&repository, &path.join("/"), line)?;
    let asked = std::slice::from_ref(&sample);
    let retriever = retriever_for(experiment, &repository, asked, Some(models), &mut |_, _, _, _| true)?;
    let retrieved = retriever.retrieve(&sample, experiment.retrieval.k);
    Ok((sample, retrieved))
}
