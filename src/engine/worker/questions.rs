//! Questions to the models, answered between two steps: they change nothing, and what fails is told to whoever asked.

use std::path::Path;

use super::{Worker, same_folder};
use crate::engine::completion_job::answer;
use crate::engine::evaluation_job::load_projector;
use crate::engine::laboratory::{counterfactuals, read_soft_tokens};
use crate::engine::loaded::LoadedModels;
use crate::engine::{
    Command, CompletionRequest, CounterfactualRequest, EngineError, Event, PlayEnd, PlayNews, ReadingRequest,
};
use crate::experiment::Experiment;
use crate::projector::Projector;
use crate::runs::Run;

/// What was asked, with the id that its answer carries.
#[derive(Clone, Copy, Debug)]
pub(super) enum Question {
    Completion(u64),
    Reading(u64),
    Counterfactuals(u64),
    Play(u64),
}

impl Question {
    /// None for an order that is no question.
    pub fn of(command: &Command) -> Option<Self> {
        match command {
            Command::Complete(request) => Some(Self::Completion(request.id)),
            Command::Read(request) => Some(Self::Reading(request.id)),
            Command::Counterfactuals(request) => Some(Self::Counterfactuals(request.id)),
            Command::Play(request) => Some(Self::Play(request.id)),
            _ => None,
        }
    }

    /// Why there is no answer.
    pub fn refused(self, text: String, bad_input: bool) -> Event {
        match self {
            Self::Completion(id) => Event::Completed {
                id,
                result: Err(text),
                bad_input,
            },
            Self::Reading(id) => Event::Read { id, result: Err(text) },
            Self::Counterfactuals(id) => Event::Counterfactuals { id, result: Err(text) },
            Self::Play(id) => Event::Played {
                id,
                news: PlayNews::Ended(PlayEnd::Failed {
                    message: text,
                    bad_input,
                }),
            },
        }
    }
}

impl Worker {
    pub(super) fn complete(&mut self, request: &CompletionRequest) {
        let id = request.id;
        let result = self.with_projector(&request.run, |projector, experiment, models| {
            answer(&request.source, &request.arms, projector, experiment, models)
        });
        let completed = |answer| Event::Completed {
            id,
            result: Ok(answer),
            bad_input: false,
        };
        self.reply_to(Question::Completion(id), result.map(completed));
    }

    pub(super) fn read(&mut self, request: &ReadingRequest) {
        let id = request.id;
        let result = Run::open(&request.run).map_err(EngineError::from).and_then(|run| {
            self.with_run_models(&run.experiment, |experiment, models| {
                read_soft_tokens(request, experiment, models)
            })
        });
        let read = |answer| Event::Read { id, result: Ok(answer) };
        self.reply_to(Question::Reading(id), result.map(read));
    }

    pub(super) fn change(&mut self, request: &CounterfactualRequest) {
        let id = request.id;
        let result = self.with_projector(&request.run, |projector, experiment, models| {
            counterfactuals(request, projector, experiment, models)
        });
        let changed = |answer| Event::Counterfactuals { id, result: Ok(answer) };
        self.reply_to(Question::Counterfactuals(id), result.map(changed));
    }

    fn reply_to(&self, question: Question, answer: Result<Event, EngineError>) {
        let event = answer.unwrap_or_else(|error| question.refused(error.to_string(), error.is_bad_input()));
        self.reply.send(event);
    }

    /// Asks something of a run's projector and the steps that it has finished: the live one when the run is in training, else that
    /// of the newest checkpoint.
    fn with_projector<R>(
        &mut self,
        run: &Path,
        ask: impl FnOnce((&Projector, usize), &Experiment, &LoadedModels) -> Result<R, EngineError>,
    ) -> Result<R, EngineError> {
        if let (Some(job), Some(models)) = (&self.training, &self.models)
            && same_folder(job.folder(), run)
        {
            return ask((job.projector(), job.steps_done()), job.experiment(), models);
        }
        let experiment = Run::open(run)?.experiment;
        self.with_run_models(&experiment, |experiment, models| {
            let (projector, step) = load_projector(run, experiment, None, models)?;
            ask((&projector, step), experiment, models)
        })
    }

    /// Asks something of an experiment's models.
    pub(super) fn with_run_models<R>(
        &mut self,
        experiment: &Experiment,
        ask: impl FnOnce(&Experiment, &LoadedModels) -> Result<R, EngineError>,
    ) -> Result<R, EngineError> {
        let apart = self.load_beside_training(experiment)?;
        let models = apart.as_ref().or(self.models.as_ref());
        ask(experiment, models.ok_or(EngineError::Cancelled)?)
    }

    /// Loads an experiment's models: into their place, or, when that is taken by those of the run in training, apart for once.
    pub(super) fn load_beside_training(
        &mut self,
        experiment: &Experiment,
    ) -> Result<Option<LoadedModels>, EngineError> {
        let serving = self.models.as_ref().is_some_and(|models| models.serve(experiment));
        if self.training.is_some() && !serving {
            // The models in memory belong to the run in training, and are not to be loaded anew for every step.
            let device = self.open_device()?;
            return Ok(Some(LoadedModels::load(experiment, &self.settings.store, &device)?));
        }
        self.load_models(experiment)?;
        Ok(None)
    }
}
