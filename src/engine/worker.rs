//! The worker's loop: orders are carried out between two steps, and nothing that fails takes the worker with it.

mod playground;
mod questions;
mod sweep;

use std::any::Any;
use std::collections::VecDeque;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::Path;

use candle_core::Device;
use crossbeam_channel::Receiver;

use super::dataset::OnProgress;
use super::device::{OpenDevice, give_way};
use super::evaluation_job::evaluate_run;
use super::fetch_job::FetchJob;
use super::loaded::LoadedModels;
use super::playground::Playground;
use super::reply::Reply;
use super::training_job::{Advance, TrainingJob, check_unchanged, fork};
use super::{Command, EngineError, EngineSettings, EvaluationRequest, Event, ForkRequest, Severity, WorkerState};
use crate::experiment::Experiment;
use crate::runs::{EventKind, Run};
use questions::Question;
use sweep::SweepJob;

/// What reaches the worker.
pub(super) enum Order {
    Command(Command),
    Shutdown,
}

/// The worker's own state.
pub(super) struct Worker {
    settings: EngineSettings,
    orders: Receiver<Order>,
    /// Orders that came while something long ran.
    waiting: VecDeque<Order>,
    reply: Reply,
    /// Opened when something is first computed.
    device: Option<Device>,
    models: Option<LoadedModels>,
    training: Option<TrainingJob>,
    paused: bool,
    /// Pause again after the next step.
    one_step: bool,
    fetch: Option<FetchJob>,
    sweep: Option<SweepJob>,
    /// The repository that is open for completions.
    playground: Option<Playground>,
}

impl Worker {
    pub fn new(settings: EngineSettings, orders: Receiver<Order>, reply: Reply) -> Self {
        Self {
            settings,
            orders,
            waiting: VecDeque::new(),
            reply,
            device: None,
            models: None,
            training: None,
            paused: false,
            one_step: false,
            fetch: None,
            sweep: None,
            playground: None,
        }
    }

    /// Works until it is told to shut down.
    pub fn run(mut self) {
        give_way();
        self.reply.send(Event::State(WorkerState::Idle));
        while let Some(order) = self.next_order() {
            let asked = match &order {
                Some(Order::Command(command)) => Question::of(command),
                _ => None,
            };
            // A panic is a mistake of ours: it is told, the job that met it ends, and the worker goes on.
            let done = catch_unwind(AssertUnwindSafe(|| self.obey(order)));
            match done {
                Ok(true) => {}
                Ok(false) => break,
                Err(panic) => self.survive(panic.as_ref(), asked),
            }
        }
        self.stop("the program was closed");
        self.fetch = None;
    }

    /// Tells of a panic: to whoever asked a question, else the job in progress ends with it.
    fn survive(&mut self, panic: &(dyn Any + Send), asked: Option<Question>) {
        let text = format!(
            "a mistake in this program ended the work: {}; please report it",
            panic_text(panic)
        );
        if let Some(question) = asked {
            self.reply.send(question.refused(text, false));
            return;
        }
        self.end_training(EventKind::Failed, &text);
        self.reply.send(Event::Progress(None));
        self.reply.send(Event::State(WorkerState::Idle));
        self.reply.send(Event::Failed {
            message: text,
            bad_input: false,
        });
    }

    /// The next order; `Some(None)` when there is none and training goes on; `None` when nobody can give one any more.
    fn next_order(&mut self) -> Option<Option<Order>> {
        if let Some(order) = self.waiting.pop_front() {
            return Some(Some(order));
        }
        if (self.training.is_some() || self.sweep.is_some()) && !self.paused || self.is_filling() {
            match self.orders.try_recv() {
                Ok(order) => Some(Some(order)),
                Err(crossbeam_channel::TryRecvError::Empty) => Some(None),
                Err(crossbeam_channel::TryRecvError::Disconnected) => None,
            }
        } else {
            self.orders.recv().ok().map(Some)
        }
    }

    /// Carries out an order, or goes on with training when there is none. `false` ends the worker.
    fn obey(&mut self, order: Option<Order>) -> bool {
        let command = match order {
            None => {
                if self.training.is_some() {
                    self.advance_training();
                } else if self.sweep.is_some() {
                    self.advance_sweep();
                } else {
                    self.advance_index();
                }
                return true;
            }
            Some(Order::Shutdown) => return false,
            Some(Order::Command(command)) => command,
        };
        if self.sweep.is_some() && command.is_work() {
            let text = "a sweep is in progress; stop it before starting something else";
            self.reply.notice(Severity::Warning, text);
            return true;
        }
        match command {
            Command::Train(experiment) => self.start_training(|worker| worker.prepare_training(&experiment)),
            Command::ResumeRun(folder) => self.start_training(|worker| worker.prepare_resume(&folder)),
            Command::Fork(request) => self.start_training(|worker| worker.prepare_fork(&request)),
            Command::Intervene { field, value } => self.hand_on(|job, _| job.intervene(&field, value)),
            Command::RollBack { step } => self.hand_on(|job, models| job.roll_back(step, "by a person", models)),
            Command::Pause => self.set_paused(true),
            Command::Resume => self.set_paused(false),
            Command::StepOnce => {
                if self.training.is_some() && self.paused {
                    self.one_step = true;
                    self.paused = false;
                }
            }
            Command::UndoRollBack => self.hand_on(TrainingJob::undo_roll_back),
            Command::Stop => self.stop("stopped by a person"),
            Command::Sweep(request) => self.start_sweep(request),
            Command::Complete(request) => self.complete(&request),
            Command::Read(request) => self.read(&request),
            Command::Counterfactuals(request) => self.change(&request),
            Command::Index(request) => self.index(&request),
            Command::CancelIndex => self.stop_index(),
            Command::Play(request) => self.play(&request),
            Command::CancelPlay => {}
            Command::Evaluate(request) => self.evaluate(&request),
            Command::Fetch(ids) => self.fetch = FetchJob::start(self.settings.store.clone(), ids, self.reply.clone()),
            Command::CancelFetch => self.fetch = None,
        }
        true
    }

    fn start_training(&mut self, prepare: impl FnOnce(&mut Self) -> Result<TrainingJob, EngineError>) {
        if self.training.is_some() {
            self.reply.notice(
                Severity::Warning,
                "a run is in training; stop it before starting another",
            );
            return;
        }
        self.reply.send(Event::State(WorkerState::Preparing));
        let started = prepare(self);
        self.reply.send(Event::Progress(None));
        match started {
            Ok(job) => self.begin(job),
            Err(error) => {
                self.tell(&error);
                self.reply.send(Event::State(WorkerState::Idle));
            }
        }
    }

    fn begin(&mut self, job: TrainingJob) {
        self.paused = false;
        self.one_step = false;
        self.reply.send(Event::RunStarted(job.folder().to_owned()));
        self.reply.send(Event::State(job.state(false)));
        self.training = Some(job);
    }

    fn prepare_training(&mut self, experiment: &Experiment) -> Result<TrainingJob, EngineError> {
        experiment.validate()?;
        self.with_models(experiment, |models, settings, progress| {
            TrainingJob::start(experiment, models, settings, progress)
        })
    }

    fn prepare_resume(&mut self, folder: &Path) -> Result<TrainingJob, EngineError> {
        let run = Run::open(folder)?;
        check_unchanged(&run, &self.settings.store)?;
        let (job, notes) = self.with_models(&run.experiment, |models, settings, progress| {
            TrainingJob::resume(&run, models, settings, progress)
        })?;
        for note in notes {
            self.reply.notice(Severity::Info, note);
        }
        Ok(job)
    }

    fn prepare_fork(&mut self, request: &ForkRequest) -> Result<TrainingJob, EngineError> {
        let folder = fork(request, &self.settings)?;
        self.prepare_resume(&folder).inspect_err(|_| {
            // A run that never began leaves no folder behind.
            std::fs::remove_dir_all(&folder).ok();
        })
    }

    /// Lets a person's hand on the run in training. What cannot be done is told, and the run goes on as it was; only where its
    /// folder cannot be written any more does it end.
    fn hand_on(&mut self, act: impl FnOnce(&mut TrainingJob, &LoadedModels) -> Result<(), EngineError>) {
        let (Some(job), Some(models)) = (&mut self.training, &self.models) else {
            self.reply.notice(Severity::Warning, "nothing is in training");
            return;
        };
        match act(job, models) {
            Ok(()) => {}
            Err(error) if error.is_bad_input() => self.reply.notice(Severity::Error, error.to_string()),
            Err(error) => return self.fail_training(&error),
        }
        self.reply.send(Event::Progress(None));
        self.reply.send(Event::State(job.state(self.paused)));
        self.reply.send(Event::RunChanged(job.folder().to_owned()));
    }

    fn advance_training(&mut self) {
        let (Some(job), Some(models)) = (&mut self.training, &self.models) else {
            return;
        };
        let mut advanced = job.advance(models, &self.reply);
        if self.one_step && matches!(advanced, Ok(Advance::Step)) {
            // A paused run has everything on disk.
            advanced = job.settle(true).map(|()| Advance::Step);
        }
        match advanced {
            Ok(Advance::Step) => {
                if self.one_step {
                    self.one_step = false;
                    self.paused = true;
                }
                self.reply.send(Event::State(job.state(self.paused)));
            }
            Ok(Advance::Evaluation) => {}
            Ok(Advance::Finished) => self.end_training(EventKind::End, ""),
            Ok(Advance::Stopped(reason)) => self.stop_training(&reason),
            Err(error) => {
                // Nothing moves in a step that fails, so what the steps before it learned is sound, unless the numbers went
                // wrong. If it cannot be written either, the first error is the one to tell.
                if !matches!(&error, EngineError::Training(error) if error.is_divergence()) {
                    job.checkpoint("the run failed").ok();
                }
                self.fail_training(&error);
            }
        }
    }

    fn fail_training(&mut self, error: &EngineError) {
        self.tell(error);
        self.end_training(EventKind::Failed, &error.to_string());
    }

    fn set_paused(&mut self, paused: bool) {
        let Some(job) = &mut self.training else { return };
        if self.paused == paused {
            return;
        }
        self.paused = paused;
        self.one_step = false;
        if let Err(error) = job.note(if paused { EventKind::Pause } else { EventKind::Resume }) {
            return self.fail_training(&error);
        }
        self.reply.send(Event::State(job.state(paused)));
        self.reply.send(Event::RunChanged(job.folder().to_owned()));
    }

    fn stop_training(&mut self, reason: &str) {
        let Some(job) = &mut self.training else { return };
        match job.checkpoint(reason).and_then(|()| job.settle(true)) {
            Ok(()) => self.end_training(EventKind::Stop, reason),
            Err(error) => self.fail_training(&error),
        }
    }

    fn end_training(&mut self, kind: EventKind, reason: &str) {
        let Some(mut job) = self.training.take() else { return };
        self.paused = false;
        // A run that failed has told why; that this cannot be written down as well, on a full disk, adds nothing.
        if let Err(error) = job.end(kind, reason)
            && kind != EventKind::Failed
        {
            self.reply.notice(Severity::Error, error.to_string());
        }
        let folder = job.folder().to_owned();
        // The folder must be free for another writer before anybody hears that the run ended.
        drop(job);
        self.reply.send(Event::Progress(None));
        self.reply.send(Event::State(WorkerState::Idle));
        self.reply.send(Event::RunEnded(folder));
    }

    fn evaluate(&mut self, request: &EvaluationRequest) {
        if self.training.is_some() {
            self.reply
                .notice(Severity::Warning, "a run is in training; evaluate when it has ended");
            return;
        }
        self.reply.send(Event::State(WorkerState::Evaluating {
            run: request.run.clone(),
        }));
        let result = self.evaluation(request);
        self.reply.send(Event::Progress(None));
        self.reply.send(Event::State(WorkerState::Idle));
        match result {
            Ok(()) => self.reply.send(Event::RunChanged(request.run.clone())),
            Err(error) => self.tell(&error),
        }
        self.reply.send(Event::RunEnded(request.run.clone()));
    }

    fn evaluation(&mut self, request: &EvaluationRequest) -> Result<(), EngineError> {
        let run = Run::open(&request.run)?;
        let experiment = run.experiment;
        for (name, sum) in &run.manifest.sha256 {
            if self.settings.store.sha256(name).is_ok_and(|now| now != *sum) {
                let text = format!(
                    "{name} has changed since the run was trained; its numbers and its split may not be comparable"
                );
                self.reply.notice(Severity::Warning, text);
            }
        }
        self.with_models(&experiment, |models, settings, progress| {
            evaluate_run(request, &experiment, models, &settings.store, progress)
        })
    }

    /// Does something long with an experiment's models; it tells its progress and can be stopped.
    fn with_models<R>(
        &mut self,
        experiment: &Experiment,
        work: impl FnOnce(&LoadedModels, &EngineSettings, OnProgress<'_>) -> Result<R, EngineError>,
    ) -> Result<R, EngineError> {
        self.reply.progress("loading models", 0, 0, "models");
        self.load_models(experiment)?;
        let Self {
            models,
            settings,
            waiting,
            orders,
            reply,
            ..
        } = self;
        let models = models.as_ref().ok_or(EngineError::Cancelled)?;
        work(models, settings, &mut watch(orders, waiting, reply))
    }

    fn load_models(&mut self, experiment: &Experiment) -> Result<(), EngineError> {
        if !self.models.as_ref().is_some_and(|models| models.serve(experiment)) {
            // The old ones go first: two readers may not fit into memory.
            self.models = None;
            let device = self.open_device()?;
            self.models = Some(LoadedModels::load(experiment, &self.settings.store, &device)?);
        }
        Ok(())
    }

    fn open_device(&mut self) -> Result<Device, EngineError> {
        if let Some(device) = &self.device {
            return Ok(device.clone());
        }
        let OpenDevice { device, without_gpu } = self.settings.device.open()?;
        if let Some(reason) = without_gpu {
            let text = format!("no GPU can be used ({reason}): the CPU computes, which is slower");
            self.reply.notice(Severity::Warning, text);
        }
        Ok(self.device.insert(device).clone())
    }

    fn tell(&self, error: &EngineError) {
        match error {
            EngineError::Cancelled => self.reply.notice(Severity::Info, "stopped before it was done"),
            // Told when its trial is concluded; the sweep goes on.
            _ if self.sweep.is_some() => {}
            error => self.reply.send(Event::Failed {
                message: error.to_string(),
                bad_input: error.is_bad_input(),
            }),
        }
    }
}

/// Progress for something long: it is told, and a stop or a shutdown that comes meanwhile ends the work. Other orders wait.
fn watch<'a>(
    orders: &'a Receiver<Order>,
    waiting: &'a mut VecDeque<Order>,
    reply: &'a Reply,
) -> impl FnMut(&str, usize, usize, &'static str) -> bool + 'a {
    move |task, done, total, unit| {
        reply.progress(task, done, total, unit);
        for order in orders.try_iter() {
            match order {
                Order::Command(Command::Stop) => return false,
                Order::Shutdown => {
                    waiting.push_front(Order::Shutdown);
                    return false;
                }
                order => waiting.push_back(order),
            }
        }
        true
    }
}

fn same_folder(a: &Path, b: &Path) -> bool {
    a == b
        || a.canonicalize()
            .ok()
            .zip(b.canonicalize().ok())
            .is_some_and(|(a, b)| a == b)
}

fn panic_text(panic: &(dyn Any + Send)) -> &str {
    panic
        .downcast_ref::<&str>()
        .copied()
        .or_else(|| panic.downcast_ref::<String>().map(String::as_str))
        .unwrap_or("no reason given")
}
