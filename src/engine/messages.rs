//! What the workbench and the command line say to the engine, and what it answers.

use std::path::PathBuf;

use super::{
    CounterfactualAnswer, CounterfactualRequest, IndexNews, IndexRequest, PlayNews, PlayRequest, ReadingAnswer,
    ReadingRequest,
};
use crate::corpus::{CompletionSample, Split};
use crate::evaluation::{Arm, CompletionRecord};
use crate::experiment::{Experiment, SweepPlan};
use crate::prompt::PromptEntry;
use crate::retrieval::Retrieved;

/// An order to the engine.
#[derive(Clone, Debug)]
pub enum Command {
    /// Train a new run.
    Train(Box<Experiment>),
    /// Pause the training run after its current step.
    Pause,
    /// Let a paused run go on.
    Resume,
    /// Run one step of a paused run, then pause again.
    StepOnce,
    /// Finish the current step, write a checkpoint and end the run.
    Stop,
    /// Take up a run that did not end, from its newest whole checkpoint.
    ResumeRun(PathBuf),
    /// Train a new run that begins with a checkpoint of another one.
    Fork(ForkRequest),
    /// Change a weight or the learning rate's factor of the training run from its next step on; the inverse change undoes it.
    Intervene {
        /// A field of [`crate::experiment::Steering::fields`].
        field: String,
        /// Its value from now on.
        value: f64,
    },
    /// Let the training run go on from one of its checkpoints; what came behind it is kept aside.
    RollBack {
        /// The checkpoint's step.
        step: usize,
    },
    /// Let the training run go back to where it stood before its last roll-back.
    UndoRollBack,
    /// Complete one sample with the given arms; served between two training steps.
    Complete(CompletionRequest),
    /// Tell what the soft tokens of a watched chunk say; served between two training steps.
    Read(ReadingRequest),
    /// Complete one sample again with changed soft tokens; served between two training steps.
    Counterfactuals(CounterfactualRequest),
    /// Index a repository, or look again at what changed in it.
    Index(IndexRequest),
    /// Stop indexing; what is done stays, and the next look goes on from there.
    CancelIndex,
    /// Complete at a cursor in an edited file; served between two steps, and ended by a newer request.
    Play(PlayRequest),
    /// End the completion that is being served.
    CancelPlay,
    /// Evaluate a run's checkpoint and write the result into its folder.
    Evaluate(EvaluationRequest),
    /// Work on a sweep: its trials one after the other.
    Sweep(SweepRequest),
    /// Get models and corpora of the catalogue; all defaults when empty.
    Fetch(Vec<String>),
    /// Stop a fetch; what is complete stays, and a later fetch goes on from there.
    CancelFetch,
}

impl Command {
    /// Whether it asks for something long of its own, which cannot begin while a sweep is in progress.
    pub(super) fn is_work(&self) -> bool {
        matches!(
            self,
            Self::Train(_) | Self::ResumeRun(_) | Self::Fork(_) | Self::Evaluate(_) | Self::Sweep(_)
        )
    }
}

/// A fork asked for by a person.
#[derive(Clone, Debug)]
pub struct ForkRequest {
    /// The run that it begins with.
    pub run: PathBuf,
    /// The checkpoint's step; the newest when none.
    pub step: Option<usize>,
    /// `key=value`, as after `--set`: name, weights, schedule or evaluation.
    pub changes: Vec<String>,
}

/// A completion asked for by a person.
#[derive(Clone, Debug)]
pub struct CompletionRequest {
    /// Comes back with the answer.
    pub id: u64,
    /// The run whose projector is used: its newest checkpoint, or the live projector when it is the run in training.
    pub run: PathBuf,
    /// What is completed.
    pub source: CompletionSource,
    /// The arms, in the order of the answer.
    pub arms: Vec<Arm>,
}

/// What is completed.
#[derive(Clone, Debug)]
pub enum CompletionSource {
    /// A sample with its chunks already chosen.
    Sample(Box<CompletionSample>, Vec<Retrieved>),
    /// A cursor in a repository on disk: at the end of a line's indentation, the rest of the line is the target.
    Cursor {
        /// The repository.
        repository: PathBuf,
        /// The file, relative to it.
        file: PathBuf,
        /// The line, from 1.
        line: usize,
    },
}

/// An evaluation asked for by a person.
#[derive(Clone, Debug)]
pub struct EvaluationRequest {
    /// The run.
    pub run: PathBuf,
    /// The checkpoint's step; the newest when none.
    pub step: Option<usize>,
    /// Split that is completed.
    pub split: Split,
    /// Arms compared.
    pub arms: Vec<Arm>,
    /// At most this many samples.
    pub limit: usize,
}

/// A sweep asked for by a person.
#[derive(Clone, Debug)]
pub struct SweepRequest {
    /// Which one.
    pub sweep: SweepSource,
    /// What of it; trials that are done, and those that another process works on, are left alone.
    pub trials: SweepTrials,
}

/// Where a sweep comes from.
#[derive(Clone, Debug)]
pub enum SweepSource {
    /// A new one; its folder is made in the runs folder.
    New(Box<SweepPlan>),
    /// One that has a folder already.
    Folder(PathBuf),
}

/// Which trials are worked on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SweepTrials {
    /// All that are not done.
    All,
    /// One, by its place in the plan.
    One(usize),
    /// None: the sweep is only checked, and its folder made.
    None,
}

/// What the engine is doing.
#[derive(Clone, Debug, Default, PartialEq)]
pub enum WorkerState {
    /// Nothing.
    #[default]
    Idle,
    /// Getting a run ready: reading code, retrieving, encoding. `progress` says how far.
    Preparing,
    /// Training.
    Training {
        /// Folder of the run.
        run: PathBuf,
        /// Steps finished.
        step: usize,
        /// Steps in all.
        steps: usize,
        /// A person paused it.
        paused: bool,
        /// Samples a second, averaged over the last steps.
        samples_per_second: f64,
        /// Seconds until the last step, evaluations included, as far as that can be told.
        seconds_left: Option<f64>,
    },
    /// Evaluating a finished run.
    Evaluating {
        /// Folder of the run.
        run: PathBuf,
    },
}

/// How far a piece of work that takes longer than a second has come.
#[derive(Clone, Debug, PartialEq)]
pub struct Progress {
    /// What is done, in words: "encoding chunks".
    pub task: String,
    /// Units done.
    pub done: u64,
    /// Units in all; 0 when unknown.
    pub total: u64,
    /// The unit: "chunks", "bytes", "samples".
    pub unit: &'static str,
}

/// How much a notice matters.
#[derive(Clone, Copy, Debug, PartialEq, Eq, strum::Display)]
#[strum(serialize_all = "lowercase")]
pub enum Severity {
    /// Good to know.
    Info,
    /// Something was left out or will be slower.
    Warning,
    /// Something asked for did not happen.
    Error,
}

/// An answer of the engine.
#[derive(Clone, Debug)]
pub enum Event {
    /// What the engine does now.
    State(WorkerState),
    /// How far it has come; none when the work is over.
    Progress(Option<Progress>),
    /// How far a fetch has come, and none when it is over.
    FetchProgress(Option<Progress>),
    /// A fetch ended; what is still missing.
    Fetched {
        /// Catalogue ids that are not here.
        missing: Vec<String>,
    },
    /// A run folder now exists.
    RunStarted(PathBuf),
    /// A run's folder has new lines or files.
    RunChanged(PathBuf),
    /// A run, or the evaluation of one, ended, whatever the reason; its folder says which.
    RunEnded(PathBuf),
    /// A sweep's folder now exists, or has news.
    SweepChanged(PathBuf),
    /// Nothing works on a sweep any more, whatever the reason; its folder says how its trials stand.
    SweepEnded(PathBuf),
    /// A completion is here.
    Completed {
        /// Id of the request.
        id: u64,
        /// One record an arm, or why there is none.
        result: Result<CompletionAnswer, String>,
        /// When there is none: the input was wrong, rather than the machine.
        bad_input: bool,
    },
    /// What the soft tokens of a watched chunk say, or why that cannot be told.
    Read {
        /// Id of the request.
        id: u64,
        /// One reading a step.
        result: Result<ReadingAnswer, String>,
    },
    /// A sample was completed again with changed soft tokens, or why it was not.
    Counterfactuals {
        /// Id of the request.
        id: u64,
        /// One completion a change.
        result: Result<CounterfactualAnswer, String>,
    },
    /// How an index stands.
    Indexed(IndexNews),
    /// A part of the answer to a completion at a cursor.
    Played {
        /// Id of the request.
        id: u64,
        /// The part.
        news: PlayNews,
    },
    /// A job ended without its result: what happened, to what, and what to do.
    Failed {
        /// In words.
        message: String,
        /// The input was wrong, rather than the machine.
        bad_input: bool,
    },
    /// Something else to tell a person.
    Notice(Severity, String),
}

/// The answer to a completion request.
#[derive(Clone, Debug)]
pub struct CompletionAnswer {
    /// Steps that the projector had finished.
    pub step: usize,
    /// The sample that was completed.
    pub sample: CompletionSample,
    /// Its chunks, best first.
    pub retrieved: Vec<Retrieved>,
    /// One record an arm, in the order asked for; arms that need more than this sample are left to evaluations.
    pub completions: Vec<CompletionRecord>,
    /// The prompt of each of them, token by token, with the target behind it.
    pub prompts: Vec<Vec<PromptEntry>>,
}
