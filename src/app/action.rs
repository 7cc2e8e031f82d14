//! What panels ask for. A panel reads the state and emits actions; `execute` carries them out, in one place.

use std::path::PathBuf;

use super::command::UiCommand;
use super::history::Edit;
use super::layouts::LayoutAction;
use super::pages::{ChartSettings, RunsPage, Station};
use super::recents::RecentKind;
use super::review::ReviewAction;
use super::tour::TourMove;
use crate::corpus::ChunkPlace;
use crate::engine::{CompletionRequest, CounterfactualRequest, EvaluationRequest, ReadingRequest};

/// A field that takes a path, typed or chosen.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum PathField {
    /// The folder of a run.
    Run,
    /// The file of a sweep.
    Sweep,
    /// The folder of a repository to play with.
    Repository,
    /// The folder that charts are written into.
    Charts,
    /// The code that a sweep takes.
    SweepCorpus,
    /// A field of the experiment, by its dotted name.
    Experiment(&'static str),
}

/// Something a person did, with what it was done to.
#[derive(Clone, Debug)]
pub enum Action {
    /// A command of the palette.
    Command(UiCommand),
    /// Show a page.
    Go(Station),
    /// Look at a run, wherever its folder lies.
    Focus(PathBuf),
    /// Draw a run over the one in focus, or no longer.
    ToggleOverlay(PathBuf),
    /// Draw a run in another sign from now on.
    SetSign(PathBuf, usize),
    /// Show a page of the Runs station.
    ShowRuns(RunsPage),
    /// Look at a sweep.
    OpenSweep(PathBuf),
    /// Choose a sweep that ships with the program.
    ChooseSweep(usize),
    /// Begin the sweep that was chosen or typed.
    RunAskedSweep,
    /// Go on with the trials of a sweep that are not done.
    ResumeSweep(PathBuf),
    /// The pointer stands at a step, or at none.
    HoverStep(Option<usize>),
    /// Pin a step, or follow the newest one.
    PinStep(Option<usize>),
    /// Choose a sample.
    SelectSample(Option<String>),
    /// Choose a row of the probe set, alone.
    SelectChunk(Option<usize>),
    /// Choose a chunk among those that a sample retrieved; its row of the probe set, if it is watched.
    SelectRetrieved(ChunkPlace, Option<usize>),
    /// Choose two rows of the probe set.
    SelectPair(usize, usize),
    /// Change how charts are drawn.
    SetCharts(ChartSettings),
    /// Dark, light, or as the system.
    SetTheme(egui::ThemePreference),
    /// Start from a preset.
    LoadPreset(usize),
    /// Change a field of the experiment to what was typed.
    SetField {
        /// Dotted name of the field.
        key: &'static str,
        /// As typed.
        text: String,
    },
    /// Set a field back to the preset's value.
    ResetField(&'static str),
    /// The Start button has taken the keyboard.
    StartFocused,
    /// Take up a run that did not end.
    ResumeRun(PathBuf),
    /// Train a new run from a checkpoint of one; a run in training is stopped for it. Without changes the new one waits, paused;
    /// with some it goes on at once, and the old one stays beside it.
    Fork {
        /// The run.
        run: PathBuf,
        /// The checkpoint's step.
        step: usize,
        /// `key=value`, as after `--set`.
        changes: Vec<String>,
    },
    /// Change a weight or the rate of the run in training.
    Intervene {
        /// The field.
        field: String,
        /// Its value from the next step on.
        value: f64,
    },
    /// Let the run in training go on from an earlier checkpoint.
    RollBack(usize),
    /// Complete a sample; the id is given by the state.
    Complete(CompletionRequest),
    /// Open a repository to play with.
    OpenRepository(PathBuf),
    /// Open the one whose folder was typed.
    OpenTypedRepository,
    /// Play with the projector of another run.
    PlayWithRun(PathBuf),
    /// Bring the index of the open repository up to date.
    Index,
    /// Stop indexing.
    StopIndex,
    /// Complete at the cursor of an edited file.
    Play {
        /// The file, relative to the repository.
        file: String,
        /// Its text as edited.
        text: String,
        /// Byte that the cursor stands before.
        cursor: usize,
    },
    /// End the completion that is being served.
    CancelPlay,
    /// Ask what the soft tokens of a watched chunk say.
    Read(ReadingRequest),
    /// Complete a sample again with changed soft tokens.
    Counterfactuals(CounterfactualRequest),
    /// Evaluate a checkpoint.
    Evaluate(EvaluationRequest),
    /// Get what is missing.
    Fetch,
    /// Stop getting it; a later fetch goes on.
    CancelFetch,
    /// Use the typed folders of one's own instead of the catalogue's.
    UseFolders,
    /// Leave the first page for a recorded run.
    LookAtRuns,
    /// Ask the system for a folder; the answer goes into the field.
    PickFolder(PathField),
    /// A path was typed.
    SetPath(PathField, String),
    /// Ask whether a run may go to the trash.
    AskDelete(Option<PathBuf>),
    /// Move a run to the trash.
    Delete(PathBuf),
    /// Show a run's folder in the system's file manager.
    Reveal(PathBuf),
    /// Look at the run whose folder was typed.
    OpenTypedRun,
    /// Forget a folder that was opened before.
    ForgetRecent(RecentKind, PathBuf),
    /// Something done to the arrangement of panes.
    Layout(LayoutAction),
    /// Something was done that can be undone.
    Did(Edit),
    /// Write every chart of the station into the folder that was typed.
    ExportCharts,
    /// That many charts were written, and what went wrong with others.
    ChartsExported(usize, Vec<String>),
    /// Something in a blind review.
    Review(ReviewAction),
    /// Go on in the guided tour, back, or end it.
    Tour(TourMove),
    /// Close whatever lies over the station.
    CloseOverlays,
    /// Put text on the clipboard.
    Copy(String),
}
