//! Commands without payload: one table drives palette, shortcut sheet, keyboard and buttons.

use egui::{Key, KeyboardShortcut, Modifiers};
use strum::IntoEnumIterator as _;

use super::hands::can_resume;
use super::layouts::PaneMove;
use super::pages::Station;
use super::state::{AppState, OpenRun};
use crate::engine::WorkerState;
use crate::evaluation::EvaluationSummary;
use crate::experiment::Experiment;

/// Held with an arrow, they move a pane.
const PANES: Modifiers = Modifiers::ALT.plus(Modifiers::SHIFT);

/// What a person can ask for at any time, in the order of the palette.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, strum::EnumIter)]
pub enum UiCommand {
    /// Train the experiment of the Train station.
    StartTraining,
    /// Pause the training run, or let it go on.
    PauseOrResume,
    /// One step of a paused run.
    StepOnce,
    /// End the training run after a checkpoint.
    StopTraining,
    /// Take up the run in focus, which did not end.
    ResumeRun,
    /// The run in training back to its newest checkpoint before this step.
    RollBack,
    /// A new run from the newest checkpoint of the run in focus.
    Fork,
    /// The inverse of the last change of weights or rate, or of the last roll-back.
    UndoHand,
    /// Show the Train station.
    GoTrain,
    /// Show the Collapse station.
    GoCollapse,
    /// Show the Compare station.
    GoCompare,
    /// Review the completions of the run in focus blind.
    Review,
    /// Write a report of the run in focus and those drawn over it.
    Report,
    /// Show the Retrieve station.
    GoRetrieve,
    /// Show the Play station.
    GoPlay,
    /// Show the Cost station.
    GoCost,
    /// Show the Runs station.
    GoRuns,
    /// Show the Sweep page of the Runs station.
    GoSweep,
    /// Begin a sweep.
    RunSweep,
    /// A few stations one after the other, in large type.
    Tour,
    /// Look at a run anywhere on disk.
    OpenRun,
    /// Show the page that gets models and code.
    Fetch,
    /// Use models and code of one's own.
    UseFolders,
    /// Read the list of runs again.
    RefreshRuns,
    /// Charts count steps, samples or seconds.
    CycleXAxis,
    /// Charts have a logarithmic axis.
    ToggleLog,
    /// Follow the newest step.
    UnpinStep,
    /// Every field back to the preset.
    ResetExperiment,
    /// The last edit, filter, arrangement, deletion or intervention taken back; in a blind review, the last vote.
    Undo,
    /// What was undone last done again.
    Redo,
    /// Choose the next pane of the station.
    NextPane,
    /// Move the chosen pane to the left.
    PaneLeft,
    /// Move the chosen pane to the right.
    PaneRight,
    /// Move the chosen pane up.
    PaneUp,
    /// Move the chosen pane down.
    PaneDown,
    /// Put the chosen pane into one place with the next.
    PaneTabs,
    /// Give the chosen pane more of the width.
    PaneWider,
    /// Give the chosen pane less of the width.
    PaneNarrower,
    /// Give the chosen pane more of the height.
    PaneTaller,
    /// Give the chosen pane less of the height.
    PaneLower,
    /// Every pane where it usually is.
    ResetLayout,
    /// Save, use or remove layouts.
    Layouts,
    /// Everything drawn larger.
    LargerText,
    /// Everything drawn smaller.
    SmallerText,
    /// Everything drawn as large as usual.
    UsualText,
    /// Write every chart of the station into a folder.
    ExportCharts,
    /// Show every notice.
    ToggleLogDrawer,
    /// Dark, light, as the system.
    CycleTheme,
    /// Choose a command by name.
    Palette,
    /// Every shortcut.
    Shortcuts,
}

impl UiCommand {
    /// The name in the palette.
    pub fn name(self) -> &'static str {
        match self {
            Self::StartTraining => "Start training",
            Self::PauseOrResume => "Pause or resume training",
            Self::StepOnce => "Train one step",
            Self::StopTraining => "Stop training",
            Self::ResumeRun => "Resume the run in focus, which did not end",
            Self::RollBack => "Roll back to the last checkpoint",
            Self::Fork => "Fork the run in focus",
            Self::UndoHand => "Undo the last change of weights or rate, or roll-back",
            Self::GoTrain => "Go to Train",
            Self::GoCollapse => "Go to Collapse",
            Self::GoCompare => "Go to Compare",
            Self::Review => "Review completions blind",
            Self::Report => "Write a report of the run",
            Self::GoRetrieve => "Go to Retrieve",
            Self::GoPlay => "Go to Play",
            Self::GoCost => "Go to Cost",
            Self::GoRuns => "Go to Runs",
            Self::GoSweep => "Go to Sweep",
            Self::RunSweep => "Run a sweep…",
            Self::Tour => "Guided tour",
            Self::OpenRun => "Open a run folder…",
            Self::Fetch => "Get models and code…",
            Self::UseFolders => "Use models and code of your own…",
            Self::RefreshRuns => "Read the list of runs again",
            Self::CycleXAxis => "Charts: count steps, samples or seconds",
            Self::ToggleLog => "Charts: logarithmic axis",
            Self::UnpinStep => "Follow the newest step",
            Self::ResetExperiment => "Reset the experiment to its preset",
            Self::Undo => "Undo the last change",
            Self::Redo => "Redo what was undone",
            Self::NextPane => "Choose the next pane",
            Self::PaneLeft => "Move the pane to the left",
            Self::PaneRight => "Move the pane to the right",
            Self::PaneUp => "Move the pane up",
            Self::PaneDown => "Move the pane down",
            Self::PaneTabs => "Put the pane into tabs with the next",
            Self::PaneWider => "Make the pane wider",
            Self::PaneNarrower => "Make the pane narrower",
            Self::PaneTaller => "Make the pane taller",
            Self::PaneLower => "Make the pane lower",
            Self::ResetLayout => "Reset the layout",
            Self::Layouts => "Layouts: save, use, remove…",
            Self::LargerText => "Larger text",
            Self::SmallerText => "Smaller text",
            Self::UsualText => "Text of the usual size",
            Self::ExportCharts => "Export all charts of this station as PNG…",
            Self::ToggleLogDrawer => "Show or hide the log",
            Self::CycleTheme => "Theme: dark, light or as the system",
            Self::Palette => "Find a command",
            Self::Shortcuts => "Show keyboard shortcuts",
        }
    }

    /// What it does, for tooltips and the palette.
    pub fn tooltip(self) -> &'static str {
        match self {
            Self::StartTraining => "Trains a new run with the values of the Train station",
            Self::PauseOrResume => "Takes effect after the current step; nothing is lost",
            Self::StepOnce => "Runs one step of a paused run and pauses again",
            Self::StopTraining => "Finishes the current step, writes a checkpoint and ends the run",
            Self::ResumeRun => "Goes on from the newest whole checkpoint, to the bit as if it had never ended",
            Self::RollBack => {
                "Goes on from the newest earlier checkpoint; the steps behind it are kept aside, and it can be undone"
            }
            Self::Fork => {
                "Makes a new run that begins with the newest checkpoint, and pauses it so that its weights can be set; stops the run in training"
            }
            Self::UndoHand => "The steps taken since then stay; the next ones have what was before",
            Self::GoTrain => "The experiment, and its curves as it trains",
            Self::GoCollapse => "Projected vectors beside the encoder's, step by step",
            Self::GoCompare => "A sample and its completions, arm beside arm",
            Self::Review => {
                "Two completions at a time without the names of their arms, by keyboard; then win rates and agreement"
            }
            Self::Report => {
                "One HTML file in the runs folder: settings, curves, histograms, tables, completions, how each number was made"
            }
            Self::GoRetrieve => "A sample's query and its chunks, and how often chunks hold the name needed",
            Self::GoPlay => "A repository of your own: edit a file and complete at the cursor, arm beside arm",
            Self::GoCost => "Quality against prompt tokens, time to the first token and memory, a point an arm and run",
            Self::GoRuns => "Every run: open, overlay, compare settings, delete",
            Self::GoSweep => "A grid of runs: its cells, their metrics and the chart",
            Self::RunSweep => "Trains or measures every cell of a sweep file, one after the other",
            Self::Tour => {
                "Presents the run in focus and those drawn over it, or recorded runs, in large type: a sentence a station; again ends it"
            }
            Self::OpenRun => "Looks at a run that lies anywhere on disk",
            Self::Fetch => "Shows what is missing on this machine, and downloads it",
            Self::UseFolders => "Chooses reader, encoder and code on this machine instead of the catalogue's",
            Self::RefreshRuns => "Looks for runs that were copied into the runs folder",
            Self::CycleXAxis => "What the x axis of every chart counts",
            Self::ToggleLog => "Losses, gradient norm and learning rate on a logarithmic axis",
            Self::UnpinStep => "Lets go of the pinned step",
            Self::ResetExperiment => "Sets every changed field back",
            Self::Undo => {
                "Takes back an edit of the experiment, a filter, a moved pane, a deletion, or a change of the run in training; in a blind review, the last vote"
            }
            Self::Redo => "Does it again, until something else is done",
            Self::NextPane => "Commands that move a pane are about the outlined one; Escape lets go of it",
            Self::PaneLeft | Self::PaneRight | Self::PaneUp | Self::PaneDown => {
                "Past its neighbour there; out of its row or its tabs; at last to the edge of the station"
            }
            Self::PaneTabs => "Behind each other in one place; moved to a side, a pane leaves its tabs",
            Self::PaneWider | Self::PaneNarrower | Self::PaneTaller | Self::PaneLower => {
                "The others of its row or column get what is left"
            }
            Self::ResetLayout => "Every pane of every station where it usually is; saved layouts stay",
            Self::Layouts => "Where the panes of all stations are, under names",
            Self::LargerText | Self::SmallerText | Self::UsualText => {
                "Text and everything around it; kept for the next start"
            }
            Self::ExportCharts => "Each fills the screen for a moment, so that the whole of it is in its picture",
            Self::ToggleLogDrawer => "Everything that was told, with its time",
            Self::CycleTheme => "Dark, light, or whatever the system has",
            Self::Palette => "Every command by name",
            Self::Shortcuts => "Every command that has a key",
        }
    }

    /// Its key, if it has one.
    pub fn shortcut(self) -> Option<KeyboardShortcut> {
        let (modifiers, key) = match self {
            Self::StartTraining => (Modifiers::COMMAND, Key::Enter),
            Self::PauseOrResume => (Modifiers::NONE, Key::Space),
            Self::StepOnce => (Modifiers::NONE, Key::N),
            Self::GoTrain
            | Self::GoCollapse
            | Self::GoCompare
            | Self::GoRetrieve
            | Self::GoPlay
            | Self::GoCost
            | Self::GoRuns => (Modifiers::NONE, self.rail_key()?),
            Self::Review => (Modifiers::NONE, Key::B),
            Self::OpenRun => (Modifiers::COMMAND, Key::O),
            Self::RefreshRuns => (Modifiers::NONE, Key::F5),
            Self::CycleXAxis => (Modifiers::NONE, Key::X),
            Self::ToggleLog => (Modifiers::NONE, Key::L),
            Self::Undo => (Modifiers::COMMAND, Key::Z),
            Self::Redo => (Modifiers::COMMAND | Modifiers::SHIFT, Key::Z),
            Self::NextPane => (Modifiers::NONE, Key::F6),
            Self::PaneLeft => (PANES, Key::ArrowLeft),
            Self::PaneRight => (PANES, Key::ArrowRight),
            Self::PaneUp => (PANES, Key::ArrowUp),
            Self::PaneDown => (PANES, Key::ArrowDown),
            Self::LargerText => (Modifiers::COMMAND, Key::Plus),
            Self::SmallerText => (Modifiers::COMMAND, Key::Minus),
            Self::UsualText => (Modifiers::COMMAND, Key::Num0),
            Self::ToggleLogDrawer => (Modifiers::COMMAND, Key::L),
            Self::Palette => (Modifiers::COMMAND, Key::K),
            Self::Shortcuts => (Modifiers::NONE, Key::F1),
            Self::StopTraining
            | Self::GoSweep
            | Self::Report
            | Self::Tour
            | Self::RunSweep
            | Self::ResumeRun
            | Self::RollBack
            | Self::Fork
            | Self::UndoHand
            | Self::Fetch
            | Self::UseFolders
            | Self::UnpinStep
            | Self::ResetExperiment
            | Self::PaneTabs
            | Self::PaneWider
            | Self::PaneNarrower
            | Self::PaneTaller
            | Self::PaneLower
            | Self::ResetLayout
            | Self::Layouts
            | Self::ExportCharts
            | Self::CycleTheme => return None,
        };
        Some(KeyboardShortcut::new(modifiers, key))
    }

    /// Another key that people expect to do the same.
    pub fn second_shortcut(self) -> Option<KeyboardShortcut> {
        let key = match self {
            Self::Redo => Key::Y,
            // The key that has the plus on it, without Shift.
            Self::LargerText => Key::Equals,
            _ => return None,
        };
        Some(KeyboardShortcut::new(Modifiers::COMMAND, key))
    }

    /// What it does to the pane that is chosen.
    pub fn pane_move(self) -> Option<PaneMove> {
        Some(match self {
            Self::PaneLeft => PaneMove::Left,
            Self::PaneRight => PaneMove::Right,
            Self::PaneUp => PaneMove::Up,
            Self::PaneDown => PaneMove::Down,
            Self::PaneTabs => PaneMove::Tabs,
            Self::PaneWider => PaneMove::Wider,
            Self::PaneNarrower => PaneMove::Narrower,
            Self::PaneTaller => PaneMove::Taller,
            Self::PaneLower => PaneMove::Lower,
            _ => return None,
        })
    }

    /// Why it cannot be done now; none when it can.
    pub fn refusal(self, state: &AppState) -> Option<String> {
        let training = state.training().is_some();
        let paused = matches!(&state.worker, WorkerState::Training { paused: true, .. });
        match self {
            Self::StartTraining => busy(&state.worker)
                .or_else(|| state.editor.problem())
                .or_else(|| missing(state, state.editor.experiment())),
            Self::PauseOrResume if !training => Some("nothing is in training".into()),
            Self::StepOnce if !paused => Some("only a paused run is stepped".into()),
            Self::StopTraining if state.worker == WorkerState::Idle => Some("nothing is in training".into()),
            Self::ResumeRun => resume_refusal(state),
            Self::RollBack if state.roll_back_steps().is_empty() => {
                Some("the run in training has no earlier checkpoint".into())
            }
            Self::Fork if state.fork_steps().is_empty() => {
                Some("the run in focus has no checkpoint before its last step".into())
            }
            Self::Fork if !training => busy(&state.worker),
            Self::UndoHand if state.hands().done.is_empty() => {
                Some("nothing was changed in the run in training".into())
            }
            Self::RunSweep => busy(&state.worker),
            Self::Fetch if state.setup.missing().next().is_none() => Some("everything is here".into()),
            Self::UnpinStep if state.selection.step.is_none() => Some("no step is pinned".into()),
            Self::ResetExperiment if !state.editor.is_changed() => Some("nothing differs from the preset".into()),
            Self::Review => review_refusal(state),
            Self::Report if state.focused().is_none() => Some("no run is in focus".into()),
            Self::Report if state.report.is_busy() => Some("a report is being written".into()),
            Self::Undo => match state.reviewing() {
                Some(session) => session.last().is_none().then(|| "there is no vote to take back".into()),
                None => state
                    .last_done()
                    .is_none()
                    .then(|| "nothing was done that can be undone".into()),
            },
            Self::Redo => match state.reviewing() {
                Some(session) => {
                    let none = session.last_taken_back().is_none();
                    none.then(|| "no vote was taken back".into())
                }
                None => state.last_undone().is_none().then(|| "nothing was undone".into()),
            },
            _ if (self == Self::NextPane || self.pane_move().is_some()) && !state.shows_panes() => {
                Some("this page has no panes to move".into())
            }
            Self::ResetLayout if state.layouts.stations.is_empty() => Some("every pane is where it usually is".into()),
            Self::LargerText if state.text_size.larger().is_none() => Some("this is the largest size".into()),
            Self::SmallerText if state.text_size.smaller().is_none() => Some("this is the smallest size".into()),
            Self::ExportCharts if state.chart_export.folder.is_some() => Some("charts are being written".into()),
            _ => {
                let refused = self.pane_move().is_some_and(|asked| state.arranged(asked).is_none());
                refused.then(|| "the pane is there, or has no more to give".into())
            }
        }
    }

    /// Stations have the keys 1, 2, … in the order of the rail.
    fn rail_key(self) -> Option<Key> {
        let place = Station::iter().position(|station| Self::go(station) == self)?;
        Key::from_name(&(place + 1).to_string())
    }

    /// The command that shows a station.
    pub fn go(station: Station) -> Self {
        match station {
            Station::Train => Self::GoTrain,
            Station::Collapse => Self::GoCollapse,
            Station::Compare => Self::GoCompare,
            Station::Retrieve => Self::GoRetrieve,
            Station::Play => Self::GoPlay,
            Station::Cost => Self::GoCost,
            Station::Runs => Self::GoRuns,
        }
    }
}

/// Why the completions of the run in focus cannot be reviewed; none when they can.
fn review_refusal(state: &AppState) -> Option<String> {
    let Some(open) = state.focused() else {
        return Some("no run is in focus".into());
    };
    let several = |summary: &EvaluationSummary| summary.arms.len() > 1;
    let none = !open.run().evaluations.iter().any(several);
    none.then(|| "the run has no evaluation of two arms".into())
}

/// Why the run in focus cannot be taken up now; none when it can.
fn resume_refusal(state: &AppState) -> Option<String> {
    let Some(open) = state.focused() else {
        return Some("no run is in focus".into());
    };
    let ended = || (!can_resume(&open.status)).then(|| format!("it is {}", open.status.label()));
    busy(&state.worker)
        .or_else(ended)
        .or_else(|| missing(state, &open.run().experiment))
}

/// Why a run cannot be evaluated now; none when it can.
pub fn evaluation_refusal(state: &AppState, open: &OpenRun) -> Option<String> {
    let no_checkpoint = open.run().checkpoint_steps.is_empty();
    busy(&state.worker)
        .or_else(|| no_checkpoint.then(|| "the run has no checkpoint".into()))
        .or_else(|| missing(state, &open.run().experiment))
}

/// Why the engine takes no long work now.
fn busy(worker: &WorkerState) -> Option<String> {
    let reason = match worker {
        WorkerState::Idle => return None,
        WorkerState::Preparing => "a run is being prepared",
        WorkerState::Training { .. } => "a run is in training; stop it first",
        WorkerState::Evaluating { .. } => "an evaluation is running",
    };
    Some(reason.into())
}

/// Why an experiment cannot be computed on this machine, as far as the catalogue can tell.
fn missing(state: &AppState, experiment: &Experiment) -> Option<String> {
    let item = state.lacking(experiment)?;
    Some(format!("{} is not here; get it (Ctrl+K) or choose a folder", item.name))
}
