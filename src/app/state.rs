//! What the workbench knows. `apply` takes the engine's events and touches nothing else: it is tested without a window.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use jiff::Timestamp;

use super::chart_export::ChartExport;
use super::digests::Digests;
use super::editor::ExperimentEditor;
use super::frames::FrameTimes;
use super::history::History;
use super::laboratory::Laboratory;
use super::layouts::Layouts;
use super::notices::{Notices, Target};
use super::pages::{ChartSettings, Overlay, RunsPage, Selection, Station};
use super::playground::Playground;
use super::reading::Reading;
use super::recents::{RecentKind, Recents, is_inside};
use super::recorded::Recorded;
use super::report::ReportWork;
use super::review::ReviewDesk;
use super::setup::{CatalogueItem, Setup};
use super::sweeps::Sweeps;
use super::text_size::TextSize;
use super::tour::Tour;
use super::tour_read::TourRead;
use crate::engine::{CompletionAnswer, CompletionRequest, Event, Progress, Severity, WorkerState};
use crate::experiment::Experiment;
use crate::runs::{Run, RunEntry, RunFollower, RunStatus, name_of};

/// Most completions that are kept; older ones are asked for again.
const COMPLETIONS_KEPT: usize = 200;

/// A run that is read, and read again as it grows.
#[derive(Debug)]
pub struct OpenRun {
    /// Reads the folder.
    pub follower: RunFollower,
    /// How it stood when it was last read.
    pub status: RunStatus,
    /// How many of its warnings were told.
    pub told: usize,
    /// How many of its events were looked at for alarms.
    pub heard: usize,
    /// Drawn over the run in focus.
    pub overlaid: bool,
    /// Number of its colour, dash and mark; the same wherever it is drawn.
    pub sign: usize,
    /// Counts the changes seen; whoever derives something from the run keeps it under this number.
    pub generation: u64,
    /// There is something new to read.
    pub stale: bool,
    /// It was being written when it was last read, so its last lines may be unread.
    pub growing: bool,
    /// Why the last read failed.
    pub error: Option<String>,
}

impl OpenRun {
    /// The run as last read.
    pub fn run(&self) -> &Run {
        self.follower.run()
    }
}

/// A completion that was asked for.
#[derive(Clone, Debug)]
pub struct CompletionTask {
    /// What was asked.
    pub request: CompletionRequest,
    /// The answer, or why there is none; nothing yet while it is awaited.
    pub answer: Option<Result<CompletionAnswer, String>>,
}

/// Everything that panels read.
pub struct AppState {
    /// The page shown.
    pub station: Station,
    /// Where runs lie.
    pub runs_dir: PathBuf,
    /// Every run in it, newest first.
    pub runs: Vec<RunEntry>,
    /// The list is out of date.
    pub runs_stale: bool,
    /// What the table of runs says of each.
    pub digests: Digests,
    /// What the Runs station shows.
    pub runs_page: RunsPage,
    /// Sweeps, and the one that is looked at.
    pub sweeps: Sweeps,
    /// The sign that each run has or had last.
    pub run_signs: BTreeMap<PathBuf, usize>,
    /// Folder of the run that is looked at.
    pub focus: Option<PathBuf>,
    /// The run in focus and the overlaid ones, by folder.
    pub open_runs: BTreeMap<PathBuf, OpenRun>,
    /// What the engine does.
    pub worker: WorkerState,
    /// How far it has come.
    pub progress: Option<Progress>,
    /// What a first start needs, and how far getting it has come.
    pub setup: Setup,
    /// What was told, newest last.
    pub notices: Notices,
    /// What is looked at.
    pub selection: Selection,
    /// How charts are drawn.
    pub charts: ChartSettings,
    /// Completions by request id.
    pub completions: BTreeMap<u64, CompletionTask>,
    /// What was asked of the laboratory.
    pub laboratory: Laboratory,
    /// The repository that is played with.
    pub playground: Playground,
    /// The blind review that is open, and earlier ones.
    pub review: ReviewDesk,
    /// The report that is being written.
    pub report: ReportWork,
    /// The recorded runs that ship with the program.
    pub recorded: Recorded,
    /// The guided tour that is under way.
    pub tour: Option<Tour>,
    /// The guided tour that is about to begin.
    pub tour_read: Option<Reading<TourRead>>,
    /// The experiment that Start would train.
    pub editor: ExperimentEditor,
    /// What can be undone.
    pub history: History,
    /// The run in training and the lines of its log when something done to it was last asked to be undone or done again; none once
    /// that has failed.
    pub hand_asked: Option<(PathBuf, usize)>,
    /// How panes are arranged.
    pub layouts: Layouts,
    /// Folders that were opened before.
    pub recents: Recents,
    /// How large everything is drawn.
    pub text_size: TextSize,
    /// The charts of a station that are written into a folder.
    pub chart_export: ChartExport,
    /// Dark, light or as the system.
    pub theme: egui::ThemePreference,
    /// What lies over the station.
    pub overlay: Overlay,
    /// The path in the field that asks for the folder of a run.
    pub run_path: String,
    /// What the program took for its last frames.
    pub frames: FrameTimes,
    /// Bytes of memory that the program holds.
    pub memory: Option<usize>,
    /// Name of the device that computes.
    pub device: String,
    /// The time of this frame; tests set it.
    pub now: Timestamp,
    next_request: u64,
}

impl AppState {
    /// A workbench that knows nothing yet; `now` is the time of the first frame.
    pub fn new(runs_dir: PathBuf, device: String, setup: Setup, now: Timestamp) -> Self {
        Self {
            station: Station::default(),
            runs_dir,
            runs: Vec::new(),
            runs_stale: true,
            digests: Digests::default(),
            runs_page: RunsPage::default(),
            sweeps: Sweeps::default(),
            run_signs: BTreeMap::new(),
            focus: None,
            open_runs: BTreeMap::new(),
            worker: WorkerState::Idle,
            progress: None,
            setup,
            notices: Notices::default(),
            selection: Selection::default(),
            charts: ChartSettings::default(),
            completions: BTreeMap::new(),
            laboratory: Laboratory::default(),
            playground: Playground::default(),
            review: ReviewDesk::default(),
            report: ReportWork::default(),
            recorded: Recorded::default(),
            tour: None,
            tour_read: None,
            editor: ExperimentEditor::default(),
            history: History::default(),
            hand_asked: None,
            layouts: Layouts::default(),
            recents: Recents::default(),
            text_size: TextSize::default(),
            chart_export: ChartExport::default(),
            theme: egui::ThemePreference::System,
            overlay: Overlay::default(),
            run_path: String::new(),
            frames: FrameTimes::default(),
            memory: None,
            device,
            now,
            next_request: 1,
        }
    }

    /// Takes an answer of the engine.
    pub fn apply(&mut self, event: Event) {
        match event {
            Event::State(worker) => {
                // What was being done belongs to the state that it was told in.
                if std::mem::discriminant(&worker) != std::mem::discriminant(&self.worker) {
                    self.progress = None;
                }
                self.worker = worker;
            }
            Event::Progress(progress) => self.progress = progress,
            Event::FetchProgress(progress) => self.setup.progress(progress, self.now),
            Event::Fetched { missing } => {
                if self.setup.fetched(&missing) {
                    self.editor.focus_start = self.station == Station::Train;
                    self.tell(Severity::Info, "models and code are here".into(), None);
                }
            }
            Event::RunStarted(folder) => {
                self.runs_stale = true;
                self.focus_on(&folder);
                self.mark_stale(&folder);
                self.tell(
                    Severity::Info,
                    format!("training {}", name_of(&folder)),
                    Some(Target::new(Station::Train, &folder)),
                );
            }
            Event::RunChanged(folder) => self.mark_stale(&folder),
            Event::SweepChanged(folder) => self.sweep_changed(&folder),
            Event::SweepEnded(folder) => self.sweep_ended(&folder),
            Event::RunEnded(folder) => {
                self.runs_stale = true;
                self.mark_stale(&folder);
                // Why a run failed is told just before, and says more.
                if !self.shows_error() {
                    self.tell(
                        Severity::Info,
                        format!("{} ended", name_of(&folder)),
                        Some(Target::new(Station::Train, &folder)),
                    );
                }
            }
            Event::Completed { id, result, .. } => {
                if let Some(task) = self.completions.get_mut(&id) {
                    task.answer = Some(result);
                }
            }
            event @ (Event::Read { .. } | Event::Counterfactuals { .. }) => self.laboratory.apply(event),
            Event::Indexed(news) => self.playground.indexed(news),
            Event::Played { id, news } => self.playground.played(id, news),
            Event::Failed { message, .. } => {
                self.hand_asked = None;
                self.setup.fail(&message);
                self.tell(Severity::Error, message, None);
            }
            Event::Notice(severity, text) => {
                self.hand_asked = None;
                self.tell(severity, text, None);
            }
        }
    }

    /// Adds a notice of this moment.
    pub fn tell(&mut self, severity: Severity, text: String, target: Option<Target>) {
        self.notices.push(severity, text, target, self.now);
    }

    /// The newest notice is an error that is still on top of the station.
    fn shows_error(&self) -> bool {
        let newest = self.notices.newest();
        newest.is_some_and(|notice| {
            notice.severity == Severity::Error && self.now.duration_since(notice.at) < notice.shown_for()
        })
    }

    /// Makes a run the one that is looked at; it is read at the next poll.
    pub fn focus_on(&mut self, folder: &Path) {
        if self.focus.as_deref() == Some(folder) {
            return;
        }
        if !is_inside(folder, &self.runs_dir) {
            self.recents.opened(RecentKind::Run, folder);
        }
        self.focus = Some(folder.to_owned());
        self.selection = Selection::default();
        self.open_runs.retain(|path, open| open.overlaid || path == folder);
    }

    fn mark_stale(&mut self, folder: &Path) {
        if let Some(open) = self.open_runs.get_mut(folder) {
            open.stale = true;
        }
    }

    /// The run that is looked at, once it has been read.
    pub fn focused(&self) -> Option<&OpenRun> {
        self.open_runs.get(self.focus.as_ref()?)
    }

    /// The runs to draw: the one in focus first, then the overlaid ones by folder.
    pub fn shown_runs(&self) -> impl Iterator<Item = &OpenRun> {
        let others = self
            .open_runs
            .iter()
            .filter(|(path, open)| open.overlaid && Some(*path) != self.focus.as_ref())
            .map(|(_, open)| open);
        self.focused().into_iter().chain(others)
    }

    /// Folder of the run in training, if one is.
    pub fn training(&self) -> Option<&Path> {
        match &self.worker {
            WorkerState::Training { run, .. } => Some(run),
            _ => None,
        }
    }

    /// Why nothing can be completed with the projector of a run now; none when it can.
    pub fn completion_refusal(&self, open: &OpenRun) -> Option<String> {
        let run = open.run();
        if let Some(item) = self.lacking(&run.experiment) {
            return Some(format!("{} is not on this machine", item.name));
        }
        let trains = self.training() == Some(&*run.folder);
        (run.checkpoint_steps.is_empty() && !trains).then(|| match run.manifest.recording() {
            Some(_) => format!("{} is a recording without its projector", run.name()),
            None => format!("{} has no checkpoint yet", run.name()),
        })
    }

    /// What an experiment takes from the catalogue and is not on this machine; the first such thing.
    pub fn lacking(&self, experiment: &Experiment) -> Option<&CatalogueItem> {
        let Experiment {
            reader, encoder, data, ..
        } = experiment;
        let named = [&reader.model, &encoder.model, &data.corpus];
        self.setup.missing().find(|item| named.contains(&&item.id))
    }

    /// Gives a completion request an id and keeps it until it is answered.
    pub fn ask(&mut self, mut request: CompletionRequest) -> CompletionRequest {
        request.id = self.next_request;
        self.next_request += 1;
        let task = CompletionTask {
            request: request.clone(),
            answer: None,
        };
        self.completions.insert(request.id, task);
        while self.completions.len() > COMPLETIONS_KEPT {
            self.completions.pop_first();
        }
        request
    }

    /// The newest request that `matches`.
    pub fn completion(&self, matches: impl Fn(&CompletionRequest) -> bool) -> Option<&CompletionTask> {
        self.completions.values().rev().find(|task| matches(&task.request))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::app::CatalogueItem;
    use crate::engine::CompletionSource;

    fn state() -> AppState {
        let item = CatalogueItem {
            id: "reader".into(),
            name: "reader".into(),
            bytes: 1,
            licence: "MIT".into(),
            present: false,
        };
        let setup = Setup {
            items: vec![item],
            ..Setup::default()
        };
        AppState::new("runs".into(), "cpu".into(), setup, Timestamp::UNIX_EPOCH)
    }

    #[test]
    fn a_started_run_is_looked_at_and_its_selection_is_new() {
        let mut state = state();
        state.selection.step = Some(40);
        state.apply(Event::RunStarted("runs/2026-11-24-a".into()));
        assert_eq!(state.focus.as_deref(), Some(Path::new("runs/2026-11-24-a")));
        assert_eq!(state.selection, Selection::default());
        assert!(state.runs_stale);
        let target = state.notices.newest().and_then(|notice| notice.target.clone());
        assert_eq!(target.map(|target| target.station), Some(Station::Train));
    }

    #[test]
    fn a_finished_download_leads_to_the_start_button_and_takes_nobody_from_another_page() {
        for station in [Station::Train, Station::Runs] {
            let mut state = state();
            state.station = station;
            state.apply(Event::Fetched { missing: Vec::new() });
            assert_eq!(state.station, station);
            assert_eq!(state.editor.focus_start, station == Station::Train);
        }
    }

    #[test]
    fn why_a_run_failed_stays_the_newest_notice_when_it_ends() {
        let mut state = state();
        let newest = |state: &AppState| state.notices.newest().map(|notice| notice.text.clone());
        state.apply(Event::Failed {
            message: "the loss is not a number at step 41".into(),
            bad_input: false,
        });
        state.apply(Event::State(WorkerState::Idle));
        state.apply(Event::RunEnded("runs/2026-11-24-a".into()));
        assert_eq!(newest(&state).as_deref(), Some("the loss is not a number at step 41"));
        state.now += jiff::SignedDuration::from_secs(60);
        state.apply(Event::RunEnded("runs/2026-11-24-b".into()));
        assert_eq!(newest(&state).as_deref(), Some("b ended"));
    }

    #[test]
    fn progress_does_not_outlive_the_work_that_it_was_told_of() {
        let mut state = state();
        state.apply(Event::State(WorkerState::Preparing));
        state.apply(Event::Progress(Some(Progress {
            task: "encoding chunks".into(),
            done: 1,
            total: 2,
            unit: "chunks",
        })));
        state.apply(Event::State(WorkerState::Preparing));
        assert!(state.progress.is_some());
        state.apply(Event::State(WorkerState::Idle));
        assert_eq!(state.progress, None);
    }

    #[test]
    fn answers_find_their_request_and_old_ones_are_forgotten() {
        let mut state = state();
        let request = CompletionRequest {
            id: 0,
            run: "runs/a".into(),
            source: CompletionSource::Cursor {
                repository: "r".into(),
                file: "f.py".into(),
                line: 3,
            },
            arms: Vec::new(),
        };
        let first = state.ask(request.clone()).id;
        state.apply(Event::Completed {
            id: first,
            result: Err("no checkpoint".into()),
            bad_input: true,
        });
        let answer = |state: &AppState, id| state.completions.get(&id).map(|task| task.answer.is_some());
        assert_eq!(answer(&state, first), Some(true));
        for _ in 0..COMPLETIONS_KEPT {
            state.ask(request.clone());
        }
        assert_eq!(
            (state.completions.len(), answer(&state, first)),
            (COMPLETIONS_KEPT, None)
        );
    }
}
