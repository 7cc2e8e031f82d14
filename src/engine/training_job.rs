//! A run in training: one call to [`TrainingJob::advance`] is one step, one completion of an evaluation, or the end.

mod alarms;
mod checkpoint;
mod fork;
mod manifest;
mod resume;
mod steering;

use std::path::Path;
use std::time::{Duration, Instant};

use candle_core::Tensor;

use super::corpus_check::{CorpusCheck, LEARNED_FROM};
use super::dataset::{Dataset, OnProgress};
use super::evaluation_job::{ArmsEvaluation, checkpoint_tensors, sample_record};
use super::loaded::LoadedModels;
use super::reply::Reply;
use super::spelled_names::spelled_names;
use super::{EngineError, EngineSettings, Event, WorkerState};
use crate::collapse::MonitorState;
use crate::corpus::{Chunk, Split};
use crate::evaluation::ArmMaterial;
use crate::experiment::{Experiment, Intervention};
use crate::projector::Projector;
use crate::runs::{EventKind, ProbeRecord, RunAlarms, RunWriter, ScalarRecord};
use crate::training::{EncodedSample, SpelledNames, TrainingSession};
pub(super) use fork::fork;
use manifest::manifest;
pub(super) use resume::check_unchanged;

/// Steps that the shown throughput is averaged over.
const RECENT_STEPS: usize = 10;

/// What a call to [`TrainingJob::advance`] did.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Advance {
    /// One optimiser step.
    Step,
    /// A part of an evaluation.
    Evaluation,
    /// Nothing is left to do.
    Finished,
    /// An alarm asks for the run to end; why, in words.
    Stopped(String),
}

/// What a run has done so far.
#[derive(Clone, Copy, Debug, Default)]
struct Counters {
    samples: usize,
    tokens: usize,
    time: Duration,
}

/// Training with its data, its folder and its rhythm.
pub(super) struct TrainingJob {
    experiment: Experiment,
    session: TrainingSession,
    writer: RunWriter,
    validation: Vec<EncodedSample>,
    probe: ProbeRecord,
    evaluation: Option<ArmsEvaluation>,
    done: Counters,
    recent: Vec<(usize, Duration)>,
    evaluation_time: Option<Duration>,
    checkpointed: Option<usize>,
    /// Changes of weights and rate with the steps behind which they hold; some may lie ahead of a resumed run.
    interventions: Vec<(usize, Intervention)>,
    /// How many of them the session trains with; none when that is to be found out.
    in_force: Option<usize>,
    alarms: RunAlarms,
    /// What an alarm asks for before the next step.
    demand: Option<alarms::Demand>,
}

/// What a run needs beside its folder.
struct Prepared {
    session: TrainingSession,
    data: Dataset,
}

impl Prepared {
    fn new(
        experiment: &Experiment,
        models: &LoadedModels,
        settings: &EngineSettings,
        progress: OnProgress<'_>,
    ) -> Result<Self, EngineError> {
        models.check_length(experiment, &experiment.evaluation.arms)?;
        // A layout that the reader cannot do is refused before code is read.
        models.prompts(experiment)?;
        let (store, k) = (&settings.store, experiment.retrieval.k);
        CorpusCheck::default().check(experiment, &LEARNED_FROM, k, store, progress)?;
        let mut data = Dataset::prepare(experiment, models, &settings.store, progress)?;
        let mut session = TrainingSession::new(
            experiment,
            std::mem::take(&mut data.train),
            &data.validation,
            models.encoder.width(),
            &models.embeddings,
            &models.device,
        )?;
        let names = spelled_names(experiment, models, &settings.store, progress)?;
        if !names.is_empty() {
            data.facts.insert("names.spelled".into(), names.len().to_string());
            session.spell(SpelledNames::new(names, models.encoder.clone()));
        }
        let start = experiment.projector.start_from.trim();
        if !start.is_empty() {
            let (tensors, step) = checkpoint_tensors(Path::new(start), None, models)?;
            session.start_from(&tensors)?;
            data.facts.insert("projector.start_step".into(), step.to_string());
        }
        Ok(Self { session, data })
    }
}

impl TrainingJob {
    /// Prepares the data and makes the run folder, with the untrained projector's probe in it.
    pub fn start(
        experiment: &Experiment,
        models: &LoadedModels,
        settings: &EngineSettings,
        progress: OnProgress<'_>,
    ) -> Result<Self, EngineError> {
        let mut prepared = Prepared::new(experiment, models, settings, progress)?;
        let facts = std::mem::take(&mut prepared.data.facts);
        let manifest = manifest(experiment, models, settings, facts, prepared.session.projector())?;
        let writer = RunWriter::create(&settings.runs_dir, experiment, &manifest)?;
        let chunks = std::mem::take(&mut prepared.data.probe_chunks);
        let mut job = Self::new(experiment, models, prepared, writer);
        let filled = job.fill(models, &chunks);
        match filled.and_then(|()| Ok(job.writer.event(EventKind::Start, 0, "")?)) {
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

    fn new(experiment: &Experiment, models: &LoadedModels, prepared: Prepared, writer: RunWriter) -> Self {
        let Prepared { session, data } = prepared;
        let width = models.encoder.width();
        Self {
            experiment: experiment.clone(),
            session,
            writer,
            validation: data.validation,
            probe: ProbeRecord {
                step: 0,
                rows: data.probe_vectors.len() / width,
                encoder: data.probe_vectors,
                projected: Vec::new(),
                token_norm_quantiles: models.embeddings.norm_quantiles,
            },
            evaluation: None,
            done: Counters::default(),
            recent: Vec::new(),
            evaluation_time: None,
            checkpointed: None,
            interventions: Vec::new(),
            in_force: None,
            alarms: RunAlarms::new(&experiment.alarms, MonitorState::default()),
            demand: None,
        }
    }

    /// Writes what a run has before its first step.
    fn fill(&mut self, models: &LoadedModels, probe_chunks: &[Chunk]) -> Result<(), EngineError> {
        self.writer.probe_chunks(probe_chunks)?;
        self.writer.token_sample(&models.tokens)?;
        let samples = self.validation.iter().map(|one| sample_record(one, Split::Validation));
        self.writer.samples(&samples.collect::<Vec<_>>())?;
        self.write_probe(models)
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
        self.settle(true)?;
        Ok(self.writer.event(kind, self.session.steps_done(), "")?)
    }

    /// Does the next piece of work.
    pub fn advance(&mut self, models: &LoadedModels, reply: &Reply) -> Result<Advance, EngineError> {
        self.settle(false)?;
        if let Some(done) = self.obey(models)? {
            reply.send(Event::Progress(None));
            reply.send(Event::RunChanged(self.folder().to_owned()));
            return Ok(done);
        }
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
        self.steer()?;
        let prompts = models.prompts(&self.experiment)?;
        let start = Instant::now();
        let mut outcome = match self.session.step(models.reader.as_ref(), &prompts) {
            Err(error) if error.is_divergence() => return self.diverged(error, models),
            outcome => outcome?,
        };
        let elapsed = start.elapsed();
        self.done.time += elapsed;
        self.done.samples += outcome.samples;
        self.done.tokens += outcome.tokens;
        self.recent.push((outcome.samples, elapsed));
        if self.recent.len() > RECENT_STEPS {
            self.recent.remove(0);
        }
        let step = self.session.steps_done();
        let schedule = &self.experiment.schedule;
        let due = |every: usize| step == schedule.steps || step.is_multiple_of(every);
        let (probe, checkpoint) = (due(schedule.probe_every), due(schedule.checkpoint_every));
        if probe {
            let mut watched = self.session.watch(models.reader.as_ref(), &prompts)?;
            outcome.terms.append(&mut watched);
        }
        let record = ScalarRecord {
            step,
            samples: self.done.samples,
            tokens: self.done.tokens,
            seconds: self.done.time.as_secs_f64(),
            loss: outcome.loss,
            terms: outcome.terms,
            gradient_norm: outcome.gradient_norm,
            learning_rate: outcome.learning_rate,
            samples_per_second: outcome.samples as f64 / elapsed.as_secs_f64().max(1e-9),
        };
        self.writer.scalar(&record)?;
        let alarms = self.alarms.observe_step(&record);
        self.raise(alarms)?;
        if probe {
            self.write_probe(models)?;
        }
        if checkpoint {
            self.checkpoint("by schedule")?;
        }
        if self.evaluation_due() {
            // With its projector on disk an evaluation can be made again after a kill, and the best step be kept.
            self.checkpoint("evaluated")?;
            self.begin_evaluation(models)?;
        }
        Ok(())
    }

    /// Whether the arms are compared at this step.
    fn evaluation_due(&self) -> bool {
        let schedule = &self.experiment.schedule;
        let step = self.session.steps_done();
        step == schedule.steps || (step > 0 && step.is_multiple_of(schedule.evaluate_every))
    }

    /// Writes the last line of the run, behind its last checkpoint.
    pub fn end(&mut self, kind: EventKind, reason: &str) -> Result<(), EngineError> {
        let settled = self.settle(true);
        self.writer.event(kind, self.session.steps_done(), reason)?;
        settled
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
        let projector = self.session.projector();
        let soft = projector.forward(&rows(&self.probe.encoder, models)?)?;
        self.probe.projected = projector.chunk_vectors(&soft)?.detach().flatten_all()?.to_vec1()?;
        self.writer.probe(&self.probe)?;
        // Fewer than two chunks cannot be compared, and raise nothing.
        let alarms = self.alarms.observe_probe(&self.probe).unwrap_or_default();
        self.raise(alarms)
    }

    fn begin_evaluation(&mut self, models: &LoadedModels) -> Result<(), EngineError> {
        let soft = soft_tokens(self.session.projector(), &self.validation, models)?;
        let samples = self.validation.iter().map(|sample| sample.prepared.clone()).collect();
        let (settings, seed) = (&self.experiment.evaluation, self.experiment.seed);
        let material = ArmMaterial::new(samples, soft, models.reader.config().hidden, settings, seed);
        let mut arms = settings.arms.clone();
        arms.retain(|arm| !arm.waits_for_the_end());
        self.evaluation = Some(ArmsEvaluation::new(material, &arms, models.reader.config()));
        Ok(())
    }

    fn finish_evaluation(&mut self, evaluation: &ArmsEvaluation) -> Result<(), EngineError> {
        self.evaluation_time = Some(evaluation.elapsed());
        let summary = evaluation.summarise(Split::Validation, self.session.steps_done(), self.experiment.seed);
        self.writer.evaluation(&summary, evaluation.records())?;
        let alarms = self.alarms.observe_evaluation(&summary);
        self.raise(alarms)?;
        // Another checkpoint may be the best one now.
        Ok(self.writer.prune(&self.experiment.schedule)?)
    }
}

/// Soft tokens of encoder vectors, both row-major.
pub(super) fn project(projector: &Projector, vectors: &[f32], models: &LoadedModels) -> Result<Vec<f32>, EngineError> {
    let soft = projector.forward(&rows(vectors, models)?)?;
    Ok(soft.detach().flatten_all()?.to_vec1()?)
}

/// Encoder vectors as a matrix, one a row.
fn rows(vectors: &[f32], models: &LoadedModels) -> Result<Tensor, EngineError> {
    let width = models.encoder.width();
    Ok(Tensor::from_slice(
        vectors,
        (vectors.len() / width, width),
        &models.device,
    )?)
}

/// Soft tokens of each sample, `[chunks * tokens per chunk, hidden]` row-major.
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
