//! Arms completed sample by sample, and the evaluation of a finished run.

use std::collections::HashMap;
use std::path::Path;
use std::time::{Duration, Instant};

use candle_core::Tensor;

use super::dataset::{Dataset, OnProgress};
use super::loaded::LoadedModels;
use super::training_job::soft_tokens;
use super::{EngineError, EvaluationRequest};
use crate::corpus::{CompletionSample, Split};
use crate::evaluation::statistics::summarise;
use crate::evaluation::{Arm, CompletionRecord, EvaluationSummary, complete};
use crate::experiment::Experiment;
use crate::models::catalogue::Store;
use crate::models::reader::Reader;
use crate::projector::Projector;
use crate::prompt::{PreparedSample, PromptBuilder};
use crate::runs::{Run, RunWriter, SampleRecord};
use crate::training::EncodedSample;

/// Lines of context on either side of the cursor that a run folder keeps of a sample.
const KEPT_LINES: usize = 60;

/// Samples completed by several arms, one sample at a time. All arms of a sample follow each other, so that a slow
/// minute of the machine falls on all of them alike.
pub(super) struct ArmsEvaluation {
    samples: Vec<PreparedSample>,
    soft: Vec<Vec<f32>>,
    arms: Vec<Arm>,
    records: Vec<CompletionRecord>,
    elapsed: Duration,
}

impl ArmsEvaluation {
    /// `soft` holds the soft tokens of each sample. Every difference is against no context, so that arm is never left out;
    /// the shuffled control is, where there is no second repository to take soft tokens from.
    pub fn new(samples: Vec<PreparedSample>, soft: Vec<Vec<f32>>, mut arms: Vec<Arm>) -> Self {
        if !arms.contains(&Arm::NoContext) {
            arms.insert(0, Arm::NoContext);
        }
        let first = samples.first().map(|one| one.sample.repository.as_str());
        if samples.iter().all(|one| Some(one.sample.repository.as_str()) == first) {
            arms.retain(|arm| *arm != Arm::ShuffledContext);
        }
        Self {
            samples,
            soft,
            arms,
            records: Vec::new(),
            elapsed: Duration::ZERO,
        }
    }

    pub fn done(&self) -> usize {
        self.records.len()
    }

    pub fn total(&self) -> usize {
        self.samples.len() * self.arms.len()
    }

    pub fn elapsed(&self) -> Duration {
        self.elapsed
    }

    /// Completes the next sample with every arm; `false` when there is none left.
    pub fn advance(&mut self, reader: &dyn Reader, prompts: &PromptBuilder<'_>) -> Result<bool, EngineError> {
        if self.done() >= self.total() {
            return Ok(false);
        }
        let start = Instant::now();
        let index = self.done() / self.arms.len();
        let arms: Vec<(Arm, &[f32])> = self
            .arms
            .iter()
            .map(|&arm| match arm {
                Arm::ShuffledContext => (arm, self.soft[self.stranger(index)].as_slice()),
                _ => (arm, self.soft[index].as_slice()),
            })
            .collect();
        let records = complete(reader, prompts, &self.samples[index], &arms)?;
        self.records.extend(records);
        self.elapsed += start.elapsed();
        Ok(true)
    }

    /// The next sample of another repository, for the shuffled control.
    fn stranger(&self, index: usize) -> usize {
        let repository = &self.samples[index].sample.repository;
        let count = self.samples.len();
        let others = (1..count).map(|step| (index + step) % count);
        others
            .into_iter()
            .find(|&other| &self.samples[other].sample.repository != repository)
            .unwrap_or(index)
    }

    /// What was completed.
    pub fn records(&self) -> &[CompletionRecord] {
        &self.records
    }

    /// Means, intervals and differences of records of these samples.
    pub fn summarise(&self, split: Split, step: usize, seed: u64) -> EvaluationSummary {
        let repositories: HashMap<&str, &str> = self
            .samples
            .iter()
            .map(|one| (one.sample.id.as_str(), one.sample.repository.as_str()))
            .collect();
        let repository_of = |id: &str| repositories.get(id).copied().unwrap_or_default().to_owned();
        summarise(&self.records, repository_of, split, step, seed)
    }
}

/// What a run folder keeps of a sample.
pub(super) fn sample_record(sample: &EncodedSample, split: Split) -> SampleRecord {
    let CompletionSample { left, right, .. } = &sample.prepared.sample;
    let last: Vec<&str> = left.rsplitn(KEPT_LINES + 1, '\n').take(KEPT_LINES).collect();
    let left = last.into_iter().rev().collect::<Vec<_>>().join("\n");
    let right = right.split_inclusive('\n').take(KEPT_LINES).collect();
    SampleRecord {
        split,
        sample: CompletionSample {
            left,
            right,
            ..sample.prepared.sample.clone()
        },
        retrieved: sample.prepared.retrieved.clone(),
    }
}

/// A run's projector at a step, the newest checkpoint when none is named, with that step.
pub(super) fn load_projector(
    folder: &Path,
    experiment: &Experiment,
    step: Option<usize>,
    models: &LoadedModels,
) -> Result<(Projector, usize), EngineError> {
    let run = Run::open(folder)?;
    let missing = || EngineError::NoCheckpoint {
        folder: folder.to_owned(),
        step,
    };
    let step = match step {
        Some(step) if run.checkpoint_steps.contains(&step) => step,
        Some(_) => return Err(missing()),
        None => run.checkpoint_steps.last().copied().ok_or_else(missing)?,
    };
    let tensors: HashMap<String, Tensor> = run
        .checkpoint(step)?
        .tensors
        .into_iter()
        .map(|(name, shape, values)| Ok((name, Tensor::from_vec(values, shape, &models.device)?)))
        .collect::<candle_core::Result<_>>()?;
    let (width, hidden) = (models.encoder.width(), models.reader.config().hidden);
    let mut projector = Projector::from_settings(
        &experiment.projector,
        [width, hidden],
        models.embeddings.mean_norm,
        experiment.seed,
        &models.device,
    )?;
    projector.load_tensors(&tensors)?;
    Ok((projector, step))
}

/// Evaluates a checkpoint of a run and writes the result into its folder.
pub(super) fn evaluate_run(
    request: &EvaluationRequest,
    experiment: &Experiment,
    models: &LoadedModels,
    store: &Store,
    progress: OnProgress<'_>,
) -> Result<(), EngineError> {
    // Opened first: a run that another process writes is refused before minutes of work, not after.
    let mut writer = RunWriter::open(&request.run)?;
    let (projector, step) = load_projector(&request.run, experiment, request.step, models)?;
    let samples = Dataset::of_split(experiment, request.split, request.limit, models, store, progress)?;
    let prompts = models.prompts(experiment)?;
    let soft = soft_tokens(&projector, &samples, models)?;
    let prepared = samples.iter().map(|sample| sample.prepared.clone()).collect();
    let mut evaluation = ArmsEvaluation::new(prepared, soft, request.arms.clone());
    let run = Run::open(&request.run)?;
    let earlier = run
        .evaluations
        .iter()
        .find(|one| (one.step, one.split) == (step, request.split));
    if let Some(earlier) = earlier.filter(|one| one.samples * one.arms.len() > evaluation.total()) {
        return Err(EngineError::Smaller {
            folder: request.run.clone(),
            step,
            split: request.split,
            samples: earlier.samples,
        });
    }
    while evaluation.advance(models.reader.as_ref(), &prompts)? {
        if !progress("evaluating", evaluation.done(), evaluation.total(), "completions") {
            return Err(EngineError::Cancelled);
        }
    }
    let summary = evaluation.summarise(request.split, step, experiment.seed);
    writer.samples(
        &samples
            .iter()
            .map(|sample| sample_record(sample, request.split))
            .collect::<Vec<_>>(),
    )?;
    Ok(writer.evaluation(&summary, evaluation.records())?)
}
