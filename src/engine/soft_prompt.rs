//! The control that knows nothing of the context: soft tokens that are the same for every sample, trained as the run was.

use super::EngineError;
use super::dataset::{Dataset, OnProgress};
use super::loaded::LoadedModels;
use super::training_job::project;
use crate::experiment::{Experiment, Objective};
use crate::models::catalogue::Store;
use crate::training::TrainingSession;

/// Trains the constant soft prompt of an experiment, `[k * tokens per chunk, hidden]`.
///
/// A projector of the same kind, from the same seed, on the same samples in the same order, for as many steps with the same
/// optimiser; but whatever the sample, it reads the vectors of one fixed sample's chunks, and so learns nothing but what a prompt
/// without content can do. It minimises cross-entropy alone: the other terms speak of content.
pub(super) fn train_soft_prompt(
    experiment: &Experiment,
    models: &LoadedModels,
    store: &Store,
    progress: OnProgress<'_>,
) -> Result<Vec<f32>, EngineError> {
    let mut train = Dataset::prepare(experiment, models, store, progress)?.train;
    let constant = train.iter().map(|sample| sample.vectors.as_slice());
    let constant = constant
        .max_by_key(|vectors| vectors.len())
        .unwrap_or_default()
        .to_vec();
    for sample in &mut train {
        let length = sample.vectors.len();
        sample.vectors = constant.get(..length).unwrap_or_default().to_vec();
    }
    let mut experiment = experiment.clone();
    experiment.objective = Objective {
        cross_entropy: 1.0,
        alignment: 0.0,
        reward: 0.0,
        kl: 0.0,
        reconstruction: 0.0,
        ..experiment.objective
    };
    // It spells nothing, so that only the steps count in which the run learned to complete.
    experiment.schedule.steps -= experiment
        .schedule
        .reconstruction_steps
        .min(experiment.schedule.steps - 1);
    experiment.schedule.reconstruction_steps = 0;
    // One vector has no spread that could be matched.
    experiment.projector.match_embeddings &= constant.len() > models.encoder.width();
    let mut session = TrainingSession::new(
        &experiment,
        train,
        &[],
        models.encoder.width(),
        &models.embeddings,
        &models.device,
    )?;
    let prompts = models.prompts(&experiment)?;
    let steps = experiment.schedule.steps;
    while session.steps_done() < steps {
        if !progress("training the soft prompt", session.steps_done(), steps, "steps") {
            return Err(EngineError::Cancelled);
        }
        session.step(models.reader.as_ref(), &prompts)?;
    }
    project(session.projector(), &constant, models)
}
