//! A run in training: one call to [`TrainingJob::advance`] is one step, one completion of an evaluation, or the end.

use std::collections::BTreeMap;
use std::path::Path;
use std::time::{Duration, Instant};

use candle_core::Tensor;
use strum::IntoEnumIterator as _;

use super::dataset::{Dataset, OnProgress};
use super::device::device_name;
use super::evaluation_job::{ArmsEvaluation, sample_record};
use super::loaded::LoadedModels;
use super::reply::Reply;
use super::{EngineError, EngineSettings, Event, WorkerState};
use crate::corpus::{Chunk, Split};
use crate::evaluation::Arm;
use crate::experiment::Experiment;
use crate::projector::Projector;
use crate::runs::{EventKind, Manifest, ProbeRecord, RunWriter, SCHEMA_VERSION, ScalarRecord};
use crate::training::{EncodedSample, TrainingSession};

/// Steps that the shown throughput is averaged over.
const RECENT_STEPS: usize = 10;

/// What a call to [`TrainingJob::advance`] did.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Advance {
    /// One optimiser step.
    Step,
    /// A part of an evaluation.
    Evaluation,
    /// Nothing is left to do.
    Finished,
}

/// Training with its data, its folder and its rhythm.
pub(super) struct TrainingJob {
    experiment: Experiment,
    session: TrainingSession,
    writer: RunWriter,
    validation: Vec<EncodedSample>,
    probe: ProbeRecord,
    evaluation: Option<ArmsEvaluation>,
    samples: usize,
    tokens: usize,
    training_time: Duration,
    recent: Vec<(usize, Duration)>,
    evaluation_time: Option<Duration>,
    checkpointed: Option<usize>,
}

impl TrainingJob {
    /// Prepares the data and makes the run folder, with the untrained projector's probe in it.
    pub fn start(
        experiment: &Experiment,
        models: &LoadedModels,
        settings: &EngineSettings,
        progress: OnProgress<'_>,
    ) -> Result<Self, EngineError> {
        models.check_length(experiment)?;
        let data = Dataset::prepare(experiment, models, &settings.store, progress)?;
        let width = models.encoder.width();
        let embeddings = &models.embeddings;
        let session = TrainingSession::new(
            experiment,
            data.train,
            &data.validation,
            width,
            &embeddings.mean,
            embeddings.deviation,
            &models.device,
        )?;
        let manifest = manifest(experiment, models, settings, data.facts, session.projector())?;
        let writer = RunWriter::create(&settings.runs_dir, experiment, &manifest)?;
        let probe = ProbeRecord {
            step: 0,
            rows: data.probe_chunks.len(),
            encoder: data.probe_vectors,
            projected: Vec::new(),
            token_norm_quantiles: embeddings.norm_quantiles,
        };
        let mut job = Self {
            experiment: experiment.clone(),
            session,
            writer,
            validation: data.validation,
            probe,
            evaluation: None,
            samples: 0,
            tokens: 0,
            training_time: Duration::ZERO,
            recent: Vec::new(),
            evaluation_time: None,
            checkpointed: None,
        };
        match job.fill(models, &data.probe_chunks) {
            Ok(()) => Ok(job),
            Err(error) => {
                // A run that never began leaves no folder behind; if that fails as well, the first error is the one to tell.
                let folder = job.folder().to_owned();
                drop(job);
                std::fs::remove_dir_all(folder).ok();
                Err(error)
            }
        }
    }

    /// Writes what a run has before its first step.
    fn fill(&mut self, models: &LoadedModels, probe_chunks: &[Chunk]) -> Result<(), EngineError> {
        self.writer.probe_chunks(probe_chunks)?;
        let samples = self.validation.iter().map(|one| sample_record(one, Split::Validation));
        self.writer.samples(&samples.collect::<Vec<_>>())?;
        self.write_probe(models)?;
        Ok(self.writer.event(EventKind::Start, 0, "")?)
    }

    pub fn folder(&self) -> &Path {
        self.writer.folder()
    }

    pub fn experiment(&self) -> &Experiment {
        &self.experiment
    }

    pub fn steps_done(&self) -> usize {
        self.session.steps_done()
    }

    pub fn projector(&self) -> &Projector {
        self.session.projector()
    }

    /// Notes that a person paused the run or let it go on.
    pub fn note(&mut self, kind: EventKind) -> Result<(), EngineError> {
        Ok(self.writer.event(kind, self.session.steps_done(), "")?)
    }

    /// Does the next piece of work.
    pub fn advance(&mut self, models: &LoadedModels, reply: &Reply) -> Result<Advance, EngineError> {
        if let Some(mut evaluation) = self.evaluation.take() {
            let prompts = models.prompts(&self.experiment)?;
            if evaluation.advance(models.reader.as_ref(), &prompts)? {
                reply.progress("evaluating", evaluation.done(), evaluation.total(), "completions");
                self.evaluation = Some(evaluation);
            } else {
                self.finish_evaluation(&evaluation)?;
                reply.send(Event::Progress(None));
                reply.send(Event::RunChanged(self.folder().to_owned()));
            }
            return Ok(Advance::Evaluation);
        }
        if self.session.steps_done() >= self.experiment.schedule.steps {
            return Ok(Advance::Finished);
        }
        self.step(models)?;
        reply.send(Event::RunChanged(self.folder().to_owned()));
        Ok(Advance::Step)
    }

    fn step(&mut self, models: &LoadedModels) -> Result<(), EngineError> {
        let prompts = models.prompts(&self.experiment)?;
        let start = Instant::now();
        let mut outcome = self.session.step(models.reader.as_ref(), &prompts)?;
        let elapsed = start.elapsed();
        self.training_time += elapsed;
        self.samples += outcome.samples;
        self.tokens += outcome.tokens;
        self.recent.push((outcome.samples, elapsed));
        if self.recent.len() > RECENT_STEPS {
            self.recent.remove(0);
        }
        let step = self.session.steps_done();
        if step == self.experiment.schedule.steps || step.is_multiple_of(self.experiment.schedule.probe_every) {
            let mut watched = self.session.watch(models.reader.as_ref(), &prompts)?;
            outcome.terms.append(&mut watched);
        }
        self.writer.scalar(&ScalarRecord {
            step,
            samples: self.samples,
            tokens: self.tokens,
            seconds: self.training_time.as_secs_f64(),
            loss: outcome.loss,
            terms: outcome.terms,
            gradient_norm: outcome.gradient_norm,
            learning_rate: outcome.learning_rate,
            samples_per_second: outcome.samples as f64 / elapsed.as_secs_f64().max(1e-9),
        })?;
        let schedule = &self.experiment.schedule;
        let last = step == schedule.steps;
        let (probe, checkpoint) = (
            step.is_multiple_of(schedule.probe_every),
            step.is_multiple_of(schedule.checkpoint_every),
        );
        let evaluate = step.is_multiple_of(schedule.evaluate_every);
        if last || probe {
            self.write_probe(models)?;
        }
        if last || checkpoint {
            self.checkpoint("by schedule")?;
        }
        if last || evaluate {
            self.begin_evaluation(models)?;
        }
        Ok(())
    }

    /// Writes projector and optimiser, unless this step has a checkpoint already.
    pub fn checkpoint(&mut self, reason: &str) -> Result<(), EngineError> {
        let step = self.session.steps_done();
        if self.checkpointed == Some(step) {
            return Ok(());
        }
        let tensors: Vec<(String, Vec<usize>, Vec<f32>)> = self
            .session
            .state()
            .into_iter()
            .map(|(name, tensor)| Ok((name, tensor.dims().to_vec(), tensor.flatten_all()?.to_vec1()?)))
            .collect::<candle_core::Result<_>>()?;
        let metadata = [
            ("samples", self.samples.to_string()),
            ("tokens", self.tokens.to_string()),
            ("seconds", self.training_time.as_secs_f64().to_string()),
        ];
        let metadata = metadata.map(|(key, value)| (key.to_owned(), value)).into();
        self.writer.checkpoint(step, &tensors, metadata)?;
        self.writer.event(EventKind::Checkpoint, step, reason)?;
        self.checkpointed = Some(step);
        Ok(())
    }

    /// Writes the last line of the run.
    pub fn end(&mut self, kind: EventKind, reason: &str) -> Result<(), EngineError> {
        Ok(self.writer.event(kind, self.session.steps_done(), reason)?)
    }

    /// What the worker does, for the top bar.
    pub fn state(&self, paused: bool) -> WorkerState {
        let (samples, time) = self.recent.iter().fold((0, Duration::ZERO), |(samples, time), step| {
            (samples + step.0, time + step.1)
        });
        let steps = self.experiment.schedule.steps;
        let step = self.session.steps_done();
        let seconds = time.as_secs_f64();
        let seconds_left = (!self.recent.is_empty()).then(|| {
            let each = self.experiment.schedule.evaluate_every;
            let evaluations = steps.div_ceil(each) - step / each;
            let evaluation = self.evaluation_time.unwrap_or_default().as_secs_f64();
            (steps - step) as f64 * seconds / self.recent.len() as f64 + evaluations as f64 * evaluation
        });
        WorkerState::Training {
            run: self.folder().to_owned(),
            step,
            steps,
            paused,
            samples_per_second: if seconds > 0.0 { samples as f64 / seconds } else { 0.0 },
            seconds_left,
        }
    }

    fn write_probe(&mut self, models: &LoadedModels) -> Result<(), EngineError> {
        self.probe.step = self.session.steps_done();
        self.probe.projected = project(self.session.projector(), &self.probe.encoder, models)?;
        Ok(self.writer.probe(&self.probe)?)
    }

    fn begin_evaluation(&mut self, models: &LoadedModels) -> Result<(), EngineError> {
        let soft = soft_tokens(self.session.projector(), &self.validation, models)?;
        let samples = self.validation.iter().map(|sample| sample.prepared.clone()).collect();
        self.evaluation = Some(ArmsEvaluation::new(samples, soft, Arm::iter().collect()));
        Ok(())
    }

    fn finish_evaluation(&mut self, evaluation: &ArmsEvaluation) -> Result<(), EngineError> {
        self.evaluation_time = Some(evaluation.elapsed());
        let summary = evaluation.summarise(Split::Validation, self.session.steps_done(), self.experiment.seed);
        Ok(self.writer.evaluation(&summary, evaluation.records())?)
    }
}

/// Soft tokens of encoder vectors, both row-major.
pub(super) fn project(projector: &Projector, vectors: &[f32], models: &LoadedModels) -> Result<Vec<f32>, EngineError> {
    let width = models.encoder.width();
    let rows = Tensor::from_slice(vectors, (vectors.len() / width, width), &models.device)?;
    Ok(projector.forward(&rows)?.detach().flatten_all()?.to_vec1()?)
}

/// Soft tokens of each sample, `[chunks, hidden]` row-major.
pub(super) fn soft_tokens(
    projector: &Projector,
    samples: &[EncodedSample],
    models: &LoadedModels,
) -> Result<Vec<Vec<f32>>, EngineError> {
    samples
        .iter()
        .map(|sample| project(projector, &sample.vectors, models))
        .collect()
}

fn manifest(
    experiment: &Experiment,
    models: &LoadedModels,
    settings: &EngineSettings,
    mut facts: BTreeMap<String, String>,
    projector: &Projector,
) -> Result<Manifest, EngineError> {
    let mut sha256 = BTreeMap::new();
    for name in [
        &experiment.reader.model,
        &experiment.encoder.model,
        &experiment.data.corpus,
    ] {
        sha256.insert(name.clone(), settings.store.sha256(name)?);
    }
    let config = models.reader.config();
    facts.insert("reader.family".into(), config.family.clone());
    facts.insert("reader.hidden".into(), config.hidden.to_string());
    facts.insert("reader.layers".into(), config.layers.to_string());
    facts.insert("encoder.width".into(), models.encoder.width().to_string());
    facts.insert("projector.parameters".into(), projector.parameter_count().to_string());
    Ok(Manifest {
        schema: SCHEMA_VERSION,
        program: env!("CARGO_PKG_VERSION").to_owned(),
        commit: git_commit(),
        device: device_name(&models.device).to_owned(),
        threads: rayon::current_num_threads(),
        started: jiff::Timestamp::now().to_string(),
        sha256,
        facts,
    })
}

/// Commit of the source tree that the program was built from, where that still lies on this machine.
fn git_commit() -> Option<String> {
    let arguments = ["-C", env!("CARGO_MANIFEST_DIR"), "rev-parse", "HEAD"];
    let output = std::process::Command::new("git").args(arguments).output().ok()?;
    output
        .status
        .success()
        .then(|| String::from_utf8_lossy(&output.stdout).trim().to_owned())
}
