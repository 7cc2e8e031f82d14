//! Carries actions out: the one place where the state changes because of a person, and where orders go to the engine.

use std::path::{Path, PathBuf};

use super::action::{Action, PathField};
use super::command::UiCommand;
use super::editor::ExperimentEditor;
use super::history::Edit;
use super::pages::{Overlay, RunsPage, Station, XAxis};
use super::playground::PLAYED;
use super::recents::RecentKind;
use super::review::ReviewAction;
use super::state::AppState;
use super::text_size::TextSize;
use super::tour::TourMove;
use crate::corpus::ChunkPlace;
use crate::engine::{
    Command, Event, ForkRequest, PlayRequest, Severity, SweepRequest, SweepSource, SweepTrials, WorkerState,
};
use crate::runs;

/// The engine as the workbench knows it.
pub trait EngineHandle {
    /// Gives an order; it never waits.
    fn send(&self, command: Command);
    /// The next answer, if there is one.
    fn try_recv(&self) -> Option<Event>;
}

/// What the system around the window can do.
pub trait Desktop {
    /// Asks for a folder, or for the file of a sweep; the answer comes through `picked`.
    fn pick_folder(&self, field: PathField);
    /// The next answer: the field and the folder, none when the person chose nothing.
    fn picked(&self) -> Option<(PathField, Option<PathBuf>)>;
    /// Shows a folder in the file manager; says what went wrong.
    fn reveal(&self, folder: &Path) -> Result<(), String>;
}

/// What actions reach beyond the state.
pub struct Outside<'a> {
    /// The engine.
    pub engine: &'a dyn EngineHandle,
    /// The system.
    pub desktop: &'a dyn Desktop,
    /// The window, for the clipboard.
    pub ctx: &'a egui::Context,
}

/// Carries one action out.
pub fn execute(state: &mut AppState, action: Action, outside: &Outside<'_>) {
    match action {
        Action::Command(command) => run_command(state, command, outside),
        Action::Go(station) => state.station = station,
        Action::Focus(folder) => state.focus_on(&folder),
        Action::ToggleOverlay(folder) => state.toggle_overlay(&folder),
        Action::SetSign(folder, sign) => state.set_sign(&folder, sign),
        Action::ShowRuns(page) => {
            show_runs(state, page);
        }
        Action::OpenSweep(folder) => state.open_sweep(&folder),
        Action::ChooseSweep(preset) => {
            state.sweeps.preset = Some(preset);
            state.sweeps.path.clear();
            state.sweeps.refused = None;
        }
        Action::RunAskedSweep => {
            if let Some(plan) = state.asked_sweep() {
                state.overlay.run_sweep = false;
                start_sweep(state, SweepSource::New(Box::new(plan)), outside);
            }
        }
        Action::ResumeSweep(folder) => start_sweep(state, SweepSource::Folder(folder), outside),
        Action::HoverStep(step) => state.selection.hovered_step = step,
        Action::PinStep(step) => state.selection.step = step,
        Action::SelectSample(sample) => state.selection.sample = sample,
        Action::SelectChunk(chunk) => select_chunks(state, chunk, None, None),
        Action::SelectPair(chunk, other) => select_chunks(state, Some(chunk), Some(other), None),
        Action::SelectRetrieved(place, row) => select_chunks(state, row, None, Some(place)),
        Action::SetCharts(charts) => state.charts = charts,
        Action::SetTheme(theme) => state.theme = theme,
        Action::LoadPreset(preset) => state.edit_experiment(|editor| *editor = ExperimentEditor::of(preset)),
        Action::SetField { key, text } => state.edit_experiment(|editor| editor.set(key, text)),
        Action::ResetField(key) => state.edit_experiment(|editor| editor.reset(key)),
        Action::StartFocused => state.editor.focus_start = false,
        Action::ResumeRun(folder) => {
            state.worker = WorkerState::Preparing;
            state.station = Station::Train;
            outside.engine.send(Command::ResumeRun(folder));
        }
        Action::Fork { run, step, changes } => fork(state, run, step, changes, outside),
        Action::Intervene { field, value } => outside.engine.send(Command::Intervene { field, value }),
        Action::RollBack(step) => outside.engine.send(Command::RollBack { step }),
        Action::Complete(request) => {
            let request = state.ask(request);
            outside.engine.send(Command::Complete(request));
        }
        Action::OpenRepository(folder) => open_repository(state, &folder, outside),
        Action::OpenTypedRepository => {
            let folder = PathBuf::from(state.playground.path.trim());
            open_repository(state, &folder, outside);
        }
        Action::PlayWithRun(run) => {
            state.focus_on(&run);
            index(state, outside);
        }
        Action::Index => {
            if let Some(folder) = state.playground.folder.clone() {
                open_repository(state, &folder, outside);
            }
        }
        Action::StopIndex => outside.engine.send(Command::CancelIndex),
        Action::Play { file, text, cursor } => {
            if let Some(index) = state.play_index() {
                let request = state.playground.ask(PlayRequest {
                    id: 0,
                    index,
                    file,
                    text,
                    cursor,
                    arms: PLAYED.to_vec(),
                });
                outside.engine.send(Command::Play(request));
            }
        }
        Action::CancelPlay => outside.engine.send(Command::CancelPlay),
        Action::Read(request) => {
            let request = state.laboratory.ask_reading(request);
            outside.engine.send(Command::Read(request));
        }
        Action::Counterfactuals(request) => {
            let request = state.laboratory.ask_counterfactuals(request);
            outside.engine.send(Command::Counterfactuals(request));
        }
        Action::Evaluate(request) => {
            state.worker = WorkerState::Evaluating {
                run: request.run.clone(),
            };
            outside.engine.send(Command::Evaluate(request));
        }
        Action::Fetch => {
            state.setup.start();
            outside.engine.send(Command::Fetch(Vec::new()));
        }
        Action::CancelFetch => outside.engine.send(Command::CancelFetch),
        Action::UseFolders => {
            state.setup.skipped = true;
            state.overlay.folders = false;
            state.station = Station::Train;
            state.editor.focus_start = true;
        }
        Action::LookAtRuns => state.look_at_recordings(),
        Action::PickFolder(field) => outside.desktop.pick_folder(field),
        Action::SetPath(field, path) => set_path(state, field, path),
        Action::AskDelete(folder) => state.overlay.delete = folder,
        Action::Delete(folder) => delete(state, &folder),
        Action::Reveal(folder) => {
            if let Err(reason) = outside.desktop.reveal(&folder) {
                state.tell(
                    Severity::Error,
                    format!("cannot show {}: {reason}", folder.display()),
                    None,
                );
            }
        }
        Action::OpenTypedRun => {
            let folder = PathBuf::from(state.run_path.trim());
            state.overlay.open_run = false;
            state.focus_on(&folder);
            state.station = Station::Train;
        }
        Action::CloseOverlays => {
            state.overlay = Overlay {
                log: state.overlay.log,
                ..Overlay::default()
            };
        }
        Action::ForgetRecent(kind, folder) => state.recents.remove(kind, &folder),
        Action::Layout(action) => state.act_on_layout(action),
        Action::Did(edit) => state.did(edit),
        Action::ExportCharts => {
            state.overlay.export = false;
            state.chart_export.folder = Some(PathBuf::from(state.chart_export.path.trim()));
        }
        Action::ChartsExported(written, failed) => state.charts_exported(written, &failed),
        Action::Review(action) => state.act_on_review(action, outside.ctx),
        Action::Tour(to) => state.move_tour(to),
        Action::Copy(text) => outside.ctx.copy_text(text),
    }
}

/// One choice takes the place of every other.
fn select_chunks(state: &mut AppState, chunk: Option<usize>, other: Option<usize>, place: Option<ChunkPlace>) {
    let selection = &mut state.selection;
    (selection.chunk, selection.other, selection.place) = (chunk, other, place);
}

/// Puts a path into its field.
pub fn set_path(state: &mut AppState, field: PathField, path: String) {
    match field {
        PathField::Run => state.run_path = path,
        PathField::Sweep => {
            state.sweeps.path = path;
            state.sweeps.preset = None;
            state.sweeps.refused = None;
        }
        PathField::SweepCorpus => {
            state.sweeps.corpus = path;
            state.sweeps.refused = None;
        }
        PathField::Repository => state.playground.path = path,
        PathField::Charts => state.chart_export.path = path,
        PathField::Experiment(key) => state.edit_experiment(|editor| editor.set(key, path)),
    }
}

fn run_command(state: &mut AppState, command: UiCommand, outside: &Outside<'_>) {
    if let Some(reason) = command.refusal(state) {
        state.tell(Severity::Warning, format!("{}: {reason}", command.name()), None);
        return;
    }
    match command {
        UiCommand::StartTraining => {
            let experiment = state.editor.experiment().clone();
            state.setup.skipped = true;
            state.worker = WorkerState::Preparing;
            state.station = Station::Train;
            outside.engine.send(Command::Train(Box::new(experiment)));
        }
        UiCommand::PauseOrResume => {
            let paused = matches!(&state.worker, WorkerState::Training { paused: true, .. });
            outside
                .engine
                .send(if paused { Command::Resume } else { Command::Pause });
        }
        UiCommand::StepOnce => outside.engine.send(Command::StepOnce),
        UiCommand::StopTraining => outside.engine.send(Command::Stop),
        UiCommand::ResumeRun => {
            if let Some(folder) = state.focus.clone() {
                execute(state, Action::ResumeRun(folder), outside);
            }
        }
        UiCommand::RollBack => {
            if let Some(step) = state.roll_back_steps().first() {
                execute(state, Action::RollBack(*step), outside);
            }
        }
        UiCommand::Fork => {
            if let (Some(run), Some(step)) = (state.focus.clone(), state.fork_steps().first().copied()) {
                fork(state, run, step, Vec::new(), outside);
            }
        }
        UiCommand::UndoHand => state.ask_hand(false, outside.engine),
        UiCommand::GoTrain => state.station = Station::Train,
        UiCommand::GoCollapse => state.station = Station::Collapse,
        UiCommand::GoCompare => state.station = Station::Compare,
        UiCommand::Review => state.open_review(outside.ctx),
        UiCommand::Report => state.write_report(outside.ctx),
        UiCommand::GoRetrieve => state.station = Station::Retrieve,
        UiCommand::GoPlay => state.station = Station::Play,
        UiCommand::GoCost => state.station = Station::Cost,
        UiCommand::GoRuns => state.station = Station::Runs,
        UiCommand::Tour => match state.is_touring() {
            true => state.move_tour(TourMove::End),
            false => state.begin_tour(outside.ctx),
        },
        UiCommand::OpenRun => state.overlay.open_run = true,
        UiCommand::GoSweep => show_runs(state, RunsPage::Sweep),
        UiCommand::RunSweep => state.overlay.run_sweep = true,
        UiCommand::Fetch => {
            state.setup.skipped = false;
            state.station = Station::Train;
        }
        UiCommand::UseFolders => state.overlay.folders = true,
        UiCommand::RefreshRuns => state.runs_stale = true,
        UiCommand::CycleXAxis => {
            state.charts.x = match state.charts.x {
                XAxis::Step => XAxis::Samples,
                XAxis::Samples => XAxis::Seconds,
                XAxis::Seconds => XAxis::Step,
            }
        }
        UiCommand::ToggleLog => state.charts.log = !state.charts.log,
        UiCommand::UnpinStep => state.selection.step = None,
        UiCommand::ResetExperiment => {
            state.edit_experiment(|editor| *editor = ExperimentEditor::of(editor.preset));
        }
        UiCommand::Undo if state.reviewing().is_some() => state.act_on_review(ReviewAction::Undo, outside.ctx),
        UiCommand::Undo => state.undo(outside),
        UiCommand::Redo if state.reviewing().is_some() => state.act_on_review(ReviewAction::Redo, outside.ctx),
        UiCommand::Redo => state.redo(outside),
        UiCommand::NextPane => state.choose_next_pane(),
        UiCommand::PaneLeft
        | UiCommand::PaneRight
        | UiCommand::PaneUp
        | UiCommand::PaneDown
        | UiCommand::PaneTabs
        | UiCommand::PaneWider
        | UiCommand::PaneNarrower
        | UiCommand::PaneTaller
        | UiCommand::PaneLower => {
            if let Some(asked) = command.pane_move() {
                state.arrange(asked);
            }
        }
        UiCommand::ResetLayout => state.reset_layouts(),
        UiCommand::Layouts => state.overlay.layouts = true,
        UiCommand::LargerText => set_text_size(state, state.text_size.larger()),
        UiCommand::SmallerText => set_text_size(state, state.text_size.smaller()),
        UiCommand::UsualText => set_text_size(state, Some(TextSize::default())),
        UiCommand::ExportCharts => state.ask_for_charts_folder(),
        UiCommand::ToggleLogDrawer => state.overlay.log = !state.overlay.log,
        UiCommand::CycleTheme => {
            state.theme = match state.theme {
                egui::ThemePreference::System => egui::ThemePreference::Dark,
                egui::ThemePreference::Dark => egui::ThemePreference::Light,
                egui::ThemePreference::Light => egui::ThemePreference::System,
            }
        }
        UiCommand::Palette => state.overlay.palette = !state.overlay.palette,
        UiCommand::Shortcuts => state.overlay.shortcuts = !state.overlay.shortcuts,
    }
}

/// Opens a repository to play with, or looks at it again; where a run can complete in it, it is indexed for that run.
fn open_repository(state: &mut AppState, folder: &Path, outside: &Outside<'_>) {
    state.playground.open(folder, outside.ctx);
    state.recents.opened(RecentKind::Repository, folder);
    index(state, outside);
}

fn index(state: &AppState, outside: &Outside<'_>) {
    if let Some(request) = state.play_index().filter(|_| state.play_refusal().is_none()) {
        outside.engine.send(Command::Index(request));
    }
}

fn set_text_size(state: &mut AppState, size: Option<TextSize>) {
    if let Some(size) = size {
        state.text_size = size;
        state.tell(Severity::Info, format!("text size {} %", size.percent()), None);
    }
}

fn show_runs(state: &mut AppState, page: RunsPage) {
    state.station = Station::Runs;
    state.runs_page = page;
    state.sweeps.stale = true;
}

fn fork(state: &mut AppState, run: PathBuf, step: usize, changes: Vec<String>, outside: &Outside<'_>) {
    if state.training().is_some() {
        outside.engine.send(Command::Stop);
    }
    let waits = changes.is_empty();
    if waits {
        state.station = Station::Train;
    } else if !state.open_runs.get(&run).is_some_and(|open| open.overlaid) {
        state.toggle_overlay(&run);
    }
    outside.engine.send(Command::Fork(ForkRequest {
        run,
        step: Some(step),
        changes,
    }));
    if waits {
        // It waits until the fork is ready, and then comes before its first step.
        outside.engine.send(Command::Pause);
    }
}

/// Gives a sweep to the engine and shows it.
fn start_sweep(state: &mut AppState, sweep: SweepSource, outside: &Outside<'_>) {
    state.worker = WorkerState::Preparing;
    show_runs(state, RunsPage::Sweep);
    let trials = SweepTrials::All;
    outside.engine.send(Command::Sweep(SweepRequest { sweep, trials }));
}

fn delete(state: &mut AppState, folder: &Path) {
    state.overlay.delete = None;
    match runs::delete(folder) {
        Ok(now_at) => {
            state.open_runs.remove(folder);
            if state.focus.as_deref() == Some(folder) {
                state.focus = None;
            }
            let text = format!(
                "{} is in the trash (Ctrl+Z): {}",
                runs::name_of(folder),
                now_at.display()
            );
            state.tell(Severity::Info, text, None);
            let folder = folder.to_owned();
            state.did(Edit::Deleted { folder, trash: now_at });
        }
        Err(error) => state.tell(Severity::Error, error.to_string(), None),
    }
    state.runs_stale = true;
}
