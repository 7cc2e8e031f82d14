//! The playground on the worker: an index is filled between two looks at what is asked for, and completions are served meanwhile.

use super::{Order, Worker, same_folder};
use crate::engine::playground::{Listener, Playground};
use crate::engine::{
    Command, EngineError, Event, IndexCounts, IndexNews, IndexPhase, IndexRequest, PlayEnd, PlayNews, PlayRequest,
};
use crate::runs::Run;

impl Worker {
    /// Reads a repository again, or for the first time, and begins to make what its index lacks.
    pub(super) fn index(&mut self, request: &IndexRequest) {
        match self.open_playground(request, true) {
            Ok(()) => {
                if let Some(playground) = &mut self.playground {
                    let news = playground.fill(true);
                    self.reply.send(Event::Indexed(news));
                }
            }
            Err(error) => self.index_failed(request, &error),
        }
    }

    /// Ends the filling of the index; what was made is kept.
    pub(super) fn stop_index(&mut self) {
        if let Some(playground) = self.playground.as_mut().filter(|one| one.is_filling()) {
            let news = playground.fill(false);
            self.reply.send(Event::Indexed(news));
        }
    }

    /// The index lacks something, and nothing else is to be done.
    pub(super) fn is_filling(&self) -> bool {
        let free = self.training.is_none() && self.sweep.is_none();
        free && self.playground.as_ref().is_some_and(Playground::is_filling)
    }

    /// Makes the soft tokens of a few more chunks.
    pub(super) fn advance_index(&mut self) {
        let Some(mut playground) = self.playground.take() else {
            return;
        };
        let experiment = playground.experiment.clone();
        match self.with_run_models(&experiment, |_, models| playground.advance(models)) {
            Ok(news) => self.reply.send(Event::Indexed(news)),
            Err(error) => {
                playground.fill(false);
                self.index_failed(&playground.of, &error);
            }
        }
        self.playground = Some(playground);
    }

    /// Completes at a cursor, arm after arm.
    pub(super) fn play(&mut self, request: &PlayRequest) {
        let end = self.serve(request).unwrap_or_else(|error| match error {
            EngineError::Cancelled => PlayEnd::Cancelled,
            error => PlayEnd::Failed {
                message: error.to_string(),
                bad_input: error.is_bad_input(),
            },
        });
        self.reply.send(Event::Played {
            id: request.id,
            news: PlayNews::Ended(end),
        });
    }

    fn serve(&mut self, request: &PlayRequest) -> Result<PlayEnd, EngineError> {
        let job = self.training.as_ref();
        let live = job.is_some_and(|job| same_folder(job.folder(), &request.index.run));
        let fits = |open: &Playground| open.of == request.index && open.is_live() == live;
        if !self.playground.as_ref().is_some_and(fits) {
            self.open_playground(&request.index, false)?;
        }
        let Some(mut playground) = self.playground.take() else {
            return Err(EngineError::Cancelled);
        };
        let experiment = playground.experiment.clone();
        let done = self.load_beside_training(&experiment).and_then(|apart| {
            let Self {
                models,
                training,
                waiting,
                orders,
                reply,
                ..
            } = self;
            let models = apart.as_ref().or(models.as_ref()).ok_or(EngineError::Cancelled)?;
            let live = training
                .as_ref()
                .filter(|job| same_folder(job.folder(), &request.index.run));
            let live = live.map(|job| (job.projector(), job.steps_done()));
            let mut goes_on = || {
                waiting.extend(orders.try_iter());
                !waiting.iter().any(ends_play)
            };
            let mut tell = |news| reply.send(Event::Played { id: request.id, news });
            let mut listener = Listener {
                goes_on: &mut goes_on,
                tell: &mut tell,
            };
            playground.play(request, live, models, &mut listener)
        });
        self.playground = Some(playground);
        done
    }

    /// Reads a repository with the settings and the newest checkpoint of a run.
    fn open_playground(&mut self, of: &IndexRequest, told: bool) -> Result<(), EngineError> {
        let earlier = self
            .playground
            .take()
            .filter(|earlier| earlier.of.repository == of.repository);
        let job = self.training.as_ref().filter(|job| same_folder(job.folder(), &of.run));
        let (experiment, live) = match job {
            Some(job) => (job.experiment().clone(), true),
            None => (Run::open(&of.run)?.experiment, false),
        };
        if told {
            self.reply.send(Event::Indexed(IndexNews {
                of: of.clone(),
                phase: IndexPhase::Reading("loading models".into()),
                counts: IndexCounts::default(),
            }));
        }
        let apart = self.load_beside_training(&experiment)?;
        let Self {
            models,
            settings,
            waiting,
            orders,
            reply,
            ..
        } = self;
        let models = apart.as_ref().or(models.as_ref()).ok_or(EngineError::Cancelled)?;
        let mut tell = |news| {
            if told {
                reply.send(Event::Indexed(news));
            }
            waiting.extend(orders.try_iter());
            !waiting.iter().any(if told { ends_index } else { ends_play })
        };
        let store = (models, &settings.store);
        self.playground = Some(Playground::open(of, (&experiment, live), store, earlier, &mut tell)?);
        Ok(())
    }

    fn index_failed(&self, of: &IndexRequest, error: &EngineError) {
        let phase = match error {
            EngineError::Cancelled => IndexPhase::Stopped,
            error => IndexPhase::Failed(error.to_string()),
        };
        self.reply.send(Event::Indexed(IndexNews {
            of: of.clone(),
            phase,
            counts: IndexCounts::default(),
        }));
    }
}

/// A completion is not waited for any more when another one is.
fn ends_play(order: &Order) -> bool {
    matches!(
        order,
        Order::Shutdown | Order::Command(Command::Play(_) | Command::CancelPlay)
    )
}

fn ends_index(order: &Order) -> bool {
    matches!(
        order,
        Order::Shutdown | Order::Command(Command::Index(_) | Command::CancelIndex)
    )
}
