//! A sweep on the worker: its trials one after the other, each a run like any other, or a look at retrieval.

use std::collections::VecDeque;
use std::path::{Path, PathBuf};

use super::{Worker, watch};
use crate::corpus::Split;
use crate::engine::corpus_check::{CorpusCheck, LEARNED_FROM};
use crate::engine::loaded::encoder_files;
use crate::engine::{
    EngineError, EvaluationRequest, Event, Severity, SweepRequest, SweepSource, SweepTrials, WorkerState,
    retrieval_quality,
};
use crate::experiment::{Experiment, Measure, SweepPlan, Trial};
use crate::runs::{self, Outcome, Run, RunError, RunStatus, Sweep, TrialStatus, TrialWriter};

/// A sweep in progress.
pub(super) struct SweepJob {
    folder: PathBuf,
    plan: SweepPlan,
    waiting: VecDeque<usize>,
    /// The trial that is in training, or has just been.
    current: Option<Current>,
}

struct Current {
    trial: Trial,
    writer: TrialWriter,
    /// Its run; none when its preparation broke off.
    run: Option<PathBuf>,
}

impl Worker {
    /// Checks a sweep as a whole, makes its folder if it has none, and begins with its trials.
    pub(super) fn start_sweep(&mut self, request: SweepRequest) {
        self.reply.send(Event::State(WorkerState::Preparing));
        match self.prepare_sweep(request) {
            Ok(job) => {
                self.paused = false;
                self.reply.send(Event::SweepChanged(job.folder.clone()));
                self.sweep = Some(job);
            }
            Err(error) => {
                self.reply.send(Event::Progress(None));
                self.tell(&error);
                self.reply.send(Event::State(WorkerState::Idle));
            }
        }
    }

    fn prepare_sweep(&mut self, request: SweepRequest) -> Result<SweepJob, EngineError> {
        let (plan, folder, open) = match request.sweep {
            SweepSource::New(plan) => {
                let open = (0..plan.trials.len()).collect();
                (*plan, None, open)
            }
            SweepSource::Folder(folder) => {
                let sweep = Sweep::open(&folder)?;
                let open: Vec<usize> = sweep.open_trials().collect();
                (sweep.plan, Some(folder), open)
            }
        };
        let trials = plan.trials.len();
        let checked: Vec<&Trial> = match request.trials {
            SweepTrials::One(index) => {
                Vec::from([plan.trials.get(index).ok_or(EngineError::NoTrial { index, trials })?])
            }
            SweepTrials::All | SweepTrials::None => open.iter().filter_map(|index| plan.trials.get(*index)).collect(),
        };
        self.check_sweep(&plan, checked)?;
        let folder = match folder {
            Some(folder) => folder,
            None => runs::create_sweep(&self.settings.runs_dir, &plan)?,
        };
        let waiting = match request.trials {
            SweepTrials::All => open.into(),
            SweepTrials::One(index) => VecDeque::from([index]),
            SweepTrials::None => VecDeque::new(),
        };
        Ok(SweepJob {
            folder,
            plan,
            waiting,
            current: None,
        })
    }

    /// Fails where a trial could not be run: its code is not here or too little, or its models cannot do what it asks for.
    fn check_sweep(&mut self, plan: &SweepPlan, mut rest: Vec<&Trial>) -> Result<(), EngineError> {
        let of_cell = |trial: &Trial| {
            let cell = plan.cell_name(trial).to_owned();
            move |source: EngineError| match source {
                EngineError::Cancelled => EngineError::Cancelled,
                source => EngineError::Cell {
                    cell,
                    source: Box::new(source),
                },
            }
        };
        let retrieval_only = plan.file.measure == Measure::Retrieval;
        let mut needed = vec![Split::from(plan.file.split)];
        if !retrieval_only {
            needed.extend(LEARNED_FROM);
        }
        let (mut corpora, store) = (CorpusCheck::default(), &self.settings.store);
        let mut progress = watch(&self.orders, &mut self.waiting, &self.reply);
        for trial in &rest {
            let experiment = &trial.experiment;
            let k = if retrieval_only { 0 } else { experiment.retrieval.k };
            let checked = corpora.check(experiment, &needed, k, store, &mut progress);
            checked.map_err(of_cell(trial))?;
            if retrieval_only && experiment.retrieval.retriever.needs_encoder() {
                encoder_files(experiment, store).map_err(of_cell(trial))?;
            }
        }
        drop(progress);
        if retrieval_only {
            return Ok(());
        }
        // Trials with the same models are checked together, so that each model is loaded once.
        while let Some(last) = rest.last() {
            self.reply.progress("loading models", 0, 0, "models");
            self.load_models(&last.experiment).map_err(of_cell(last))?;
            let models = self.models.as_ref().ok_or(EngineError::Cancelled)?;
            let (here, others) = rest.into_iter().partition(|trial| models.serve(&trial.experiment));
            rest = others;
            for trial in here {
                let checked = models
                    .check_length(&trial.experiment, &trial.experiment.evaluation.arms)
                    .map_err(EngineError::from);
                let built = checked.and_then(|()| models.prompts(&trial.experiment).map(drop));
                built.map_err(of_cell(trial))?;
            }
        }
        Ok(())
    }

    /// Does the next piece of the sweep: what is left to do of a trained trial, or the next trial.
    pub(super) fn advance_sweep(&mut self) {
        let Some(job) = &mut self.sweep else { return };
        self.reply.send(Event::State(WorkerState::Preparing));
        let done = if let Some(current) = job.current.take() {
            self.settle_trial(current)
        } else if let Some(index) = job.waiting.pop_front() {
            self.begin_trial(index)
        } else {
            return self.end_sweep();
        };
        match done {
            Ok(()) => {}
            Err(EngineError::Cancelled) => self.end_sweep(),
            Err(error) => {
                let (message, bad_input) = (error.to_string(), error.is_bad_input());
                self.reply.send(Event::Failed { message, bad_input });
                self.end_sweep();
            }
        }
    }

    /// Ends what is in progress; a sweep's run first, so that whoever hears of the sweep's end finds it whole.
    pub(super) fn stop(&mut self, reason: &str) {
        let sweep = self.sweep.take();
        self.stop_training(reason);
        self.sweep = sweep;
        self.end_sweep();
    }

    /// Ends the sweep, whatever is left of it; its trial in progress can be taken up again.
    fn end_sweep(&mut self) {
        let Some(job) = self.sweep.take() else { return };
        let folder = job.folder.clone();
        // The trial must be free for another process before anybody hears that the sweep ended.
        drop(job);
        self.reply.send(Event::Progress(None));
        self.reply.send(Event::State(WorkerState::Idle));
        self.reply.send(Event::SweepEnded(folder));
    }

    fn begin_trial(&mut self, index: usize) -> Result<(), EngineError> {
        let Some(job) = &self.sweep else { return Ok(()) };
        let (folder, plan) = (job.folder.clone(), &job.plan);
        let Some(trial) = plan.trials.get(index).cloned() else {
            return Ok(());
        };
        let (measure, split) = (plan.file.measure, Split::from(plan.file.split));
        let writer = match TrialWriter::claim(&folder, index) {
            // Another process works on it, and will say what came of it.
            Err(RunError::Busy { .. }) => return Ok(()),
            claimed => claimed?,
        };
        if writer.is_done() {
            return Ok(());
        }
        self.reply.send(Event::SweepChanged(folder));
        if measure == Measure::Retrieval {
            let outcome = self.look_at_retrieval(&trial.experiment, split);
            return self.conclude(writer, outcome);
        }
        self.begin_training(trial, writer)
    }

    /// Trains a trial's run, or takes up the one that an earlier process began.
    fn begin_training(&mut self, trial: Trial, mut writer: TrialWriter) -> Result<(), EngineError> {
        let earlier = writer.run().map(|run| self.settings.runs_dir.join(run));
        let earlier = earlier.filter(|folder| folder.is_dir());
        let finished = |folder: &PathBuf| Run::open(folder).is_ok_and(|run| run.status() == RunStatus::Finished);
        if let Some(run) = earlier.clone().filter(finished) {
            return self.settle_trial(Current {
                trial,
                writer,
                run: Some(run),
            });
        }
        let started = match &earlier {
            Some(folder) => self.prepare_resume(folder),
            None => self.prepare_training(&trial.experiment),
        };
        self.reply.send(Event::Progress(None));
        let job = match started {
            Ok(job) => job,
            Err(error) => return self.conclude(writer, Err(error)),
        };
        writer.started(job.folder())?;
        if let Some(sweep) = &mut self.sweep {
            let run = Some(job.folder().to_owned());
            sweep.current = Some(Current { trial, writer, run });
            self.reply.send(Event::SweepChanged(sweep.folder.clone()));
        }
        self.begin(job);
        Ok(())
    }

    /// What is left to do when a trial's run has ended: its evaluation, and its outcome.
    fn settle_trial(&mut self, current: Current) -> Result<(), EngineError> {
        let Current { trial, writer, run } = current;
        let outcome = match run {
            Some(run) => self.outcome_of(&run, &trial.experiment),
            None => Err(EngineError::Cancelled),
        };
        self.conclude(writer, outcome)
    }

    fn outcome_of(&mut self, folder: &Path, experiment: &Experiment) -> Result<Outcome, EngineError> {
        let Some(job) = &self.sweep else {
            return Err(EngineError::Cancelled);
        };
        let (split, samples) = (Split::from(job.plan.file.split), job.plan.file.samples);
        let step = experiment.schedule.steps;
        let run = Run::open(folder)?;
        if run.status() != RunStatus::Finished {
            let reason = run.events.last().map(|event| event.reason.clone()).unwrap_or_default();
            return Err(EngineError::Unfinished {
                folder: folder.to_owned(),
                reason,
            });
        }
        let made = run
            .evaluations
            .iter()
            .find(|one| (one.step, one.split) == (step, split));
        let limit = samples.unwrap_or(experiment.evaluation.samples);
        if made.is_some_and(|made| made.samples >= limit || samples.is_none()) {
            return Ok(Outcome::of_run(&run, step, split)?);
        }
        self.reply
            .send(Event::State(WorkerState::Evaluating { run: folder.to_owned() }));
        self.evaluation(&EvaluationRequest {
            run: folder.to_owned(),
            step: Some(step),
            split,
            arms: experiment.evaluation.arms.clone(),
            limit,
        })?;
        Ok(Outcome::of_run(&Run::open(folder)?, step, split)?)
    }

    fn look_at_retrieval(&mut self, experiment: &Experiment, split: Split) -> Result<Outcome, EngineError> {
        let device = self.open_device()?;
        let Self {
            settings,
            waiting,
            orders,
            reply,
            ..
        } = self;
        let progress = &mut watch(orders, waiting, reply);
        let quality = retrieval_quality(experiment, split, &settings.store, &device, progress)?;
        Ok(Outcome::from(&quality))
    }

    /// Writes down what came of a trial, and the table anew.
    fn conclude(&mut self, writer: TrialWriter, outcome: Result<Outcome, EngineError>) -> Result<(), EngineError> {
        let Some(job) = &self.sweep else { return Ok(()) };
        match outcome {
            Ok(outcome) => writer.done(&outcome)?,
            Err(EngineError::Cancelled) => return Err(EngineError::Cancelled),
            Err(error) => {
                self.reply.notice(Severity::Warning, error.to_string());
                writer.failed(&error.to_string())?;
            }
        }
        let sweep = Sweep::open(&job.folder)?;
        if sweep.count(|status| *status == TrialStatus::Done) > 0 {
            runs::write_table(&job.folder, &sweep.compute_table())?;
        }
        self.reply.send(Event::SweepChanged(job.folder.clone()));
        Ok(())
    }
}
