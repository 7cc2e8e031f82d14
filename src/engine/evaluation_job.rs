//! Arms completed sample by sample, and the evaluation of a finished run.

use std::collections::HashMap;
use std::path::Path;
use std::time::{Duration, Instant};

use candle_core::Tensor;

use super::dataset::{Dataset, OnProgress};
use super::definitions::defining;
use super::loaded::LoadedModels;
use super::soft_prompt::train_soft_prompt;
use super::training_job::soft_tokens;
use super::{EngineError, EvaluationRequest};
use crate::corpus::{CompletionSample, Split};
use crate::evaluation::{
    Arm, ArmInput, ArmMaterial, CompletionRecord, EvaluationSummary, complete, scored_again, summarise,
};
use crate::experiment::Experiment;
use crate::models::ModelError;
use crate::models::catalogue::Store;
use crate::models::reader::{Reader, ReaderConfig};
use crate::projector::Projector;
use crate::prompt::PromptBuilder;
use crate::runs::{EventKind, PartKey, Run, RunWriter, SampleRecord};
use crate::training::EncodedSample;

/// Lines of context on either side of the cursor that a run folder keeps of a sample.
const KEPT_LINES: usize = 60;

/// Samples completed by several arms, one sample at a time. All arms of a sample follow each other, so that a slow
/// minute of the machine falls on all of them alike.
pub(super) struct ArmsEvaluation {
    material: ArmMaterial,
    arms: Vec<Arm>,
    records: Vec<CompletionRecord>,
    elapsed: Duration,
    /// Bytes of keys and values that the reader holds of one position.
    kv_bytes: usize,
}

impl ArmsEvaluation {
    /// Every difference is against no context, so that arm is never left out; the shuffled control is, where there is no second
    /// repository to take soft tokens from.
    pub fn new(material: ArmMaterial, arms: &[Arm], reader: &ReaderConfig) -> Self {
        let none = std::iter::once(Arm::NoContext).filter(|none| !arms.contains(none));
        let mut arms: Vec<Arm> = none.chain(arms.iter().copied()).collect();
        if !material.has_strangers() {
            arms.retain(|arm| *arm != Arm::ShuffledContext);
        }
        Self {
            material,
            arms,
            records: Vec::new(),
            elapsed: Duration::ZERO,
            kv_bytes: reader.kv_bytes_per_position(),
        }
    }

    /// What it completes, in its order.
    pub fn key(&self) -> PartKey {
        let samples = self.material.samples().iter();
        PartKey {
            arms: self.arms.clone(),
            samples: samples.map(|one| one.sample.id.clone()).collect(),
        }
    }

    /// Goes on behind the samples that an evaluation of the same key has completed with every arm.
    pub fn take_up(&mut self, records: Vec<CompletionRecord>) {
        let whole = records.len() - records.len() % self.arms.len();
        let samples = self.material.samples().iter();
        let expected = samples.flat_map(|one| self.arms.iter().map(move |arm| (one, *arm)));
        let same = records.into_iter().take(whole).zip(expected);
        let same = same.take_while(|(record, (one, arm))| record.sample == one.sample.id && record.arm == *arm);
        self.records = same.map(|(record, (one, _))| scored_again(record, one)).collect();
        self.records
            .truncate(self.records.len() - self.records.len() % self.arms.len());
    }

    pub fn done(&self) -> usize {
        self.records.len()
    }

    pub fn total(&self) -> usize {
        self.material.samples().len() * self.arms.len()
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
        let input = |&arm: &Arm| Ok((arm, self.material.input(arm, index, prompts)?));
        let arms: Vec<(Arm, ArmInput<'_>)> = self.arms.iter().map(input).collect::<Result<_, ModelError>>()?;
        let records = complete(reader, prompts, &self.material.samples()[index], &arms)?;
        self.records.extend(records);
        self.elapsed += start.elapsed();
        Ok(true)
    }

    /// What was completed.
    pub fn records(&self) -> &[CompletionRecord] {
        &self.records
    }

    /// Means, intervals, differences and costs of records of these samples.
    pub fn summarise(&self, split: Split, step: usize, seed: u64) -> EvaluationSummary {
        let samples = self.material.samples().iter();
        let repositories: HashMap<&str, &str> = samples
            .map(|one| (one.sample.id.as_str(), one.sample.repository.as_str()))
            .collect();
        let repository_of = |id: &str| repositories.get(id).copied().unwrap_or_default().to_owned();
        let mut summary = summarise(&self.records, repository_of, split, step, seed);
        summary.tell_kv_bytes(self.kv_bytes);
        summary
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
    let (tensors, step) = checkpoint_tensors(folder, step, models)?;
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

/// The tensors of a run's checkpoint, the newest when no step is named, with its step.
pub(super) fn checkpoint_tensors(
    folder: &Path,
    step: Option<usize>,
    models: &LoadedModels,
) -> Result<(HashMap<String, Tensor>, usize), EngineError> {
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
    let tensors = run
        .checkpoint(step)?
        .tensors
        .into_iter()
        .map(|(name, shape, values)| Ok((name, Tensor::from_vec(values, shape, &models.device)?)))
        .collect::<candle_core::Result<_>>()?;
    Ok((tensors, step))
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
    models.check_length(experiment, &request.arms)?;
    let (projector, step) = load_projector(&request.run, experiment, request.step, models)?;
    let samples = Dataset::of_split(experiment, request.split, request.limit, models, store, progress)?;
    let prompts = models.prompts(experiment)?;
    let soft = soft_tokens(&projector, &samples, models)?;
    let prepared = samples.iter().map(|sample| sample.prepared.clone()).collect();
    let hidden = models.reader.config().hidden;
    let mut material = ArmMaterial::new(prepared, soft, hidden, &experiment.evaluation, experiment.seed);
    let run = Run::open(&request.run)?;
    check_larger(&run, step, request, samples.len() * request.arms.len())?;
    if request.arms.iter().any(|arm| arm.is_definition()) {
        material.definitions = defining(material.samples(), &projector, experiment, models, store, progress)?;
    }
    if request.arms.contains(&Arm::SoftPrompt) {
        material.constant = match run.soft_prompt()? {
            Some(constant) => constant,
            None => {
                let constant = train_soft_prompt(experiment, models, store, progress)?;
                writer.soft_prompt(&constant, hidden)?;
                constant
            }
        };
    }
    let mut evaluation = ArmsEvaluation::new(material, &request.arms, models.reader.config());
    let (mut part, completed) = writer.evaluation_part(step, request.split, &evaluation.key())?;
    evaluation.take_up(completed);
    loop {
        let done = evaluation.done();
        if !evaluation.advance(models.reader.as_ref(), &prompts)? {
            break;
        }
        part.append(evaluation.records().get(done..).unwrap_or_default())?;
        if !progress("evaluating", evaluation.done(), evaluation.total(), "completions") {
            return Err(EngineError::Cancelled);
        }
    }
    let mut summary = evaluation.summarise(request.split, step, experiment.seed);
    writer.samples(
        &samples
            .iter()
            .map(|sample| sample_record(sample, request.split))
            .collect::<Vec<_>>(),
    )?;
    if request.split == Split::Test {
        summary.test_looks = run.test_looks() + 1;
        let look = format!("{} samples, look {}", summary.samples, summary.test_looks);
        writer.event(EventKind::TestEvaluation, step, &look)?;
    }
    writer.evaluation(&summary, evaluation.records())?;
    Ok(part.finish()?)
}

/// Fails when the evaluation would replace a larger one.
fn check_larger(run: &Run, step: usize, request: &EvaluationRequest, completions: usize) -> Result<(), EngineError> {
    let mut earlier = run.evaluations.iter();
    let earlier = earlier.find(|one| (one.step, one.split) == (step, request.split));
    match earlier.filter(|one| one.samples * one.arms.len() > completions) {
        None => Ok(()),
        Some(earlier) => Err(EngineError::Smaller {
            folder: request.run.clone(),
            step,
            split: request.split,
            samples: earlier.samples,
        }),
    }
}
