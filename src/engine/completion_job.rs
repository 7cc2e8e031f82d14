//! A completion that a person asks for.

use std::path::{Component, Path};

use super::candidates::retriever_for;
use super::dataset::encode_sample;
use super::loaded::LoadedModels;
use super::training_job::project;
use super::{CompletionAnswer, CompletionSource, EngineError};
use crate::corpus::{CompletionSample, repository_from_folder, sample_at};
use crate::evaluation::{Arm, ArmMaterial, complete_in};
use crate::experiment::Experiment;
use crate::projector::Projector;
use crate::retrieval::Retrieved;
use crate::training::EncodedSample;

/// Completes what was asked for with every arm. Arms that need more than this sample are left to evaluations; an arm whose prompt
/// would be empty, because nothing stands before the cursor, is left out.
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
    let hidden = models.reader.config().hidden;
    let EncodedSample { prepared, .. } = encoded;
    let material = ArmMaterial::new(
        vec![prepared],
        vec![soft],
        hidden,
        &experiment.evaluation,
        experiment.seed,
    );
    let prepared = &material.samples()[0];
    let mut inputs = Vec::with_capacity(arms.len());
    let mut shown = Vec::with_capacity(arms.len());
    for &arm in arms.iter().filter(|arm| !arm.needs_evaluation()) {
        let input = material.input(arm, 0, &prompts)?;
        let context = input.context(0..input.soft().len() / hidden.max(1));
        if !prompts.prompt(prepared, &context).slots.is_empty() {
            shown.push(prompts.inspect(prepared, &context));
            inputs.push((arm, input));
        }
    }
    let mut session = models.reader.session(inputs.len());
    session.reuse_beginnings();
    let completions = complete_in(session.as_mut(), hidden, &prompts, prepared, &inputs)?;
    Ok(CompletionAnswer {
        step,
        sample,
        retrieved: prepared.retrieved.clone(),
        completions,
        prompts: shown,
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
