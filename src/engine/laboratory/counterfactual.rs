//! One sample completed with its soft tokens as they are, and with each of some changes to them.

use crate::engine::dataset::encode_sample;
use crate::engine::loaded::LoadedModels;
use crate::engine::training_job::project;
use crate::engine::{CounterfactualAnswer, CounterfactualRequest, EngineError};
use crate::evaluation::{Arm, ArmInput, complete};
use crate::experiment::Experiment;
use crate::projector::Projector;

/// Changes that are completed together: enough to share the passes over the weights, few enough for their caches.
const TOGETHER: usize = 8;

/// Completes the sample of the request again and again. All completions are of the compressed prompt.
pub(in crate::engine) fn counterfactuals(
    request: &CounterfactualRequest,
    (projector, step): (&Projector, usize),
    experiment: &Experiment,
    models: &LoadedModels,
) -> Result<CounterfactualAnswer, EngineError> {
    let prompts = models.prompts(experiment)?;
    let encoded = encode_sample(prompts.prepare(&request.sample, &request.retrieved)?, models)?;
    let soft = if encoded.vectors.is_empty() {
        Vec::new()
    } else {
        project(projector, &encoded.vectors, models)?
    };
    let hidden = models.reader.config().hidden;
    let chunk = experiment.projector.tokens_per_chunk * hidden;
    let mut inputs = vec![(Arm::Compressed, ArmInput::Soft(soft.as_slice().into()))];
    for change in &request.changes {
        let changed = change.apply(&soft, chunk, hidden);
        inputs.push((Arm::Compressed, ArmInput::Control(changed.into())));
    }
    let mut completions = Vec::with_capacity(inputs.len());
    for inputs in inputs.chunks(TOGETHER) {
        completions.extend(complete(models.reader.as_ref(), &prompts, &encoded.prepared, inputs)?);
    }
    let changed = completions.split_off(1.min(completions.len()));
    let unchanged = completions.pop().ok_or(EngineError::Cancelled)?;
    let target = encoded.prepared.target.iter();
    Ok(CounterfactualAnswer {
        step,
        target: target.map(|token| models.tokenizer.text(&[*token])).collect(),
        unchanged,
        changed: request.changes.iter().cloned().zip(changed).collect(),
    })
}
