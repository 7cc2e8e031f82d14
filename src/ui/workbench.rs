//! The window: takes the engine's answers, draws a frame, carries out what the person did.

use std::cell::RefCell;
use std::fs;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::{Duration, Instant, SystemTime};

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::View;
use super::first_picture::FirstPicture;
use super::frame::frame_ui;
use super::theme::{self, Theme};
use super::tour::tour_zoom;
use crate::app::{
    Action, AppState, CatalogueItem, ChartSettings, Desktop, EngineHandle, NativeDesktop, Outside, PathField,
    RecentKind, Recents, RunsPage, Setup, Station, TextSize, execute, set_path,
};
use crate::engine::{Command, Severity, WorkerState};
use crate::runs::{Recordings, RunStatus};

/// Longest time that a frame spends on the engine's answers; the rest waits for the next frame.
const ANSWERS_BUDGET: Duration = Duration::from_millis(8);
/// The engine wakes the window at most this often: every frame costs training time.
const WAKE_EVERY: Duration = Duration::from_millis(50);
/// How often runs of other processes, the list of runs and the memory are looked at.
const LOOK_EVERY: Duration = Duration::from_secs(1);
/// Version of what is kept between sessions; another version is ignored.
const SAVED_VERSION: u32 = 1;
/// Where the arrangement of panes is kept.
const LAYOUTS_KEY: &str = "layouts";

/// What the workbench starts with.
pub struct WorkbenchSettings {
    /// Where runs lie.
    pub runs_dir: PathBuf,
    /// A run to look at.
    pub open: Option<PathBuf>,
    /// Name of the device that computes, for the top bar.
    pub device: String,
    /// What the default experiment needs, and what of it is here.
    pub catalogue: Vec<CatalogueItem>,
    /// Where that is kept.
    pub cache: PathBuf,
    /// Tells the time; tests hold it still.
    pub clock: fn() -> Timestamp,
}

/// Wakes the window from another thread.
pub type Wake = Arc<dyn Fn() + Send + Sync>;

/// How the window is opened.
#[derive(Default)]
pub struct Opening {
    /// Recorded runs to present; nothing of such a session is kept.
    pub demo: Option<Arc<Recordings>>,
    /// Close it once its first picture is on the screen.
    pub first_picture: bool,
}

/// Opens the window and returns when it closes. `engine` gets the call that wakes the window and makes the engine.
pub fn run(
    settings: WorkbenchSettings,
    opening: Opening,
    engine: impl FnOnce(Wake) -> std::io::Result<Box<dyn EngineHandle>> + 'static,
) -> Result<(), eframe::Error> {
    let options = eframe::NativeOptions {
        viewport: egui::ViewportBuilder::default()
            .with_title("LLavaCode")
            .with_app_id("llavacode")
            .with_inner_size([1440.0, 900.0])
            .with_min_inner_size([960.0, 600.0]),
        renderer: eframe::Renderer::Wgpu,
        // What a demo leaves goes with its recordings; the home folder may not be there, and is not touched.
        persistence_path: opening.demo.as_deref().map(|demo| demo.folder().join(".window.ron")),
        ..Default::default()
    };
    eframe::run_native(
        "LLavaCode",
        options,
        Box::new(move |cc| {
            let ctx = cc.egui_ctx.clone();
            close_on_interrupt(ctx.clone());
            let wake: Wake = Arc::new(move || ctx.request_repaint_after_for(WAKE_EVERY, egui::ViewportId::ROOT));
            let desktop = Box::new(NativeDesktop::new(cc.egui_ctx.clone()));
            let mut workbench = Workbench::new(cc, settings, engine(wake)?, desktop);
            if let Some(demo) = opening.demo {
                workbench.present(demo, &cc.egui_ctx);
            }
            Ok(match opening.first_picture {
                true => Box::new(FirstPicture::new(workbench)),
                false => Box::new(workbench),
            })
        }),
    )
}

/// Ctrl-C in the terminal, or a polite kill, closes the window as a click would: a run in training keeps its last step.
fn close_on_interrupt(ctx: egui::Context) {
    let close = move || {
        ctx.send_viewport_cmd_to(egui::ViewportId::ROOT, egui::ViewportCommand::Close);
        ctx.request_repaint_of(egui::ViewportId::ROOT);
    };
    // A handler that cannot be set leaves what the system does by default.
    ctrlc::set_handler(close).ok();
}

/// What is kept between sessions, besides the sizes of panels, which egui keeps.
#[derive(Debug, Serialize, Deserialize)]
struct Saved {
    version: u32,
    station: Station,
    theme: egui::ThemePreference,
    charts: ChartSettings,
    #[serde(default)]
    recent_repositories: Vec<PathBuf>,
    #[serde(default)]
    recent_runs: Vec<PathBuf>,
    #[serde(default)]
    text_size: TextSize,
}

/// The application.
pub struct Workbench {
    state: AppState,
    engine: Box<dyn EngineHandle>,
    desktop: Box<dyn Desktop>,
    clock: fn() -> Timestamp,
    looked: Option<Instant>,
    /// The station that was shown at the last look.
    seen: Station,
    /// When the runs folder last got or lost a run, as of the last look.
    runs_dir_changed: Option<SystemTime>,
    /// Time that `logic` took for the frame being drawn.
    spent: Duration,
}

impl Workbench {
    /// Installs the theme and reads what was kept from the last session.
    pub fn new(
        cc: &eframe::CreationContext<'_>,
        settings: WorkbenchSettings,
        engine: Box<dyn EngineHandle>,
        desktop: Box<dyn Desktop>,
    ) -> Self {
        theme::install(&cc.egui_ctx);
        // The commands for the size of text do it, so that palette and keys do the same.
        cc.egui_ctx.options_mut(|options| options.zoom_with_keyboard = false);
        let setup = Setup {
            items: settings.catalogue,
            cache: settings.cache,
            ..Setup::default()
        };
        let mut state = AppState::new(settings.runs_dir, settings.device, setup, (settings.clock)());
        let saved = cc
            .storage
            .and_then(|storage| eframe::get_value::<Saved>(storage, eframe::APP_KEY));
        if let Some(saved) = saved.filter(|saved| saved.version == SAVED_VERSION) {
            state.station = saved.station;
            state.theme = saved.theme;
            state.charts = saved.charts;
            state.recents = Recents::of(saved.recent_runs, saved.recent_repositories);
            state.text_size = saved.text_size;
        }
        // Under a key of its own: whatever is wrong with it, the rest is kept.
        let layouts = cc.storage.and_then(|storage| eframe::get_value(storage, LAYOUTS_KEY));
        state.layouts.restore(layouts.unwrap_or_default());
        if state.setup.is_needed() {
            state.station = Station::Train;
        }
        if let Some(folder) = settings.open {
            state.setup.skipped = true;
            state.focus_on(&folder);
        }
        Self {
            state,
            engine,
            desktop,
            clock: settings.clock,
            looked: None,
            seen: Station::default(),
            runs_dir_changed: None,
            spent: Duration::ZERO,
        }
    }

    /// Shows recorded runs alone, in a guided tour.
    pub fn present(&mut self, recordings: Arc<Recordings>, ctx: &egui::Context) {
        self.state.present(recordings, ctx);
    }

    /// What the workbench knows.
    pub fn state(&self) -> &AppState {
        &self.state
    }

    /// Does what a person would do; for tests and pictures.
    pub fn act(&mut self, ctx: &egui::Context, action: Action) {
        let outside = Outside {
            engine: &*self.engine,
            desktop: &*self.desktop,
            ctx,
        };
        execute(&mut self.state, action, &outside);
    }

    /// Takes answers of the engine and of dialogs; returns whether there were any.
    fn take_answers(&mut self, ctx: &egui::Context) -> bool {
        let started = Instant::now();
        let mut any = false;
        while let Some(event) = self.engine.try_recv() {
            self.state.apply(event);
            any = true;
            if started.elapsed() > ANSWERS_BUDGET {
                ctx.request_repaint();
                break;
            }
        }
        while let Some((field, folder)) = self.desktop.picked() {
            any = true;
            match folder {
                Some(folder) if field == PathField::Repository => self.act(ctx, Action::OpenRepository(folder)),
                Some(folder) => set_path(&mut self.state, field, folder.display().to_string()),
                None => self.state.tell(
                    Severity::Info,
                    "no folder was chosen; a path can also be typed".into(),
                    None,
                ),
            }
        }
        any
    }

    /// The table of runs is shown, and a run in it grows.
    fn lists_a_running_run(&self) -> bool {
        let mut runs = self.state.runs.iter();
        self.state.station == Station::Runs && runs.any(|run| run.status == RunStatus::Running)
    }

    /// Looks at runs; every second also at those that nobody announces. Returns whether anything changed.
    fn look_at_runs(&mut self, ctx: &egui::Context) -> bool {
        // A station is not left waiting for the next look: nothing may happen before it.
        let entered = std::mem::replace(&mut self.seen, self.state.station) != self.state.station;
        let due = entered || self.looked.is_none_or(|looked| looked.elapsed() >= LOOK_EVERY);
        if due {
            self.looked = Some(Instant::now());
            self.state.memory = memory_stats::memory_stats().map(|stats| stats.physical_mem);
            let changed = fs::metadata(&self.state.runs_dir)
                .and_then(|folder| folder.modified())
                .ok();
            let new = std::mem::replace(&mut self.runs_dir_changed, changed) != changed;
            self.state.runs_stale |= new || self.lists_a_running_run();
            self.state.recents.look();
        }
        let sweeps = self.state.station == Station::Runs && self.state.runs_page == RunsPage::Sweep;
        let news = sweeps && (due || self.state.sweeps.stale) && self.state.poll_sweeps();
        let first = self.state.runs_stale && self.state.runs.is_empty();
        let listed = self.state.runs_stale;
        let mut changed = self.state.poll_runs(due) | news;
        if self.state.station == Station::Runs && (due || listed) {
            self.state.digests.look(&self.state.runs, ctx);
        }
        if first && self.state.focus.is_none() && self.state.training().is_none() && !self.state.is_touring() {
            let newest = self.state.runs.iter().find(|run| run.error.is_none());
            if let Some(folder) = newest.map(|run| run.folder.clone()) {
                self.state.focus_on(&folder);
                changed |= self.state.poll_runs(false);
            }
        }
        changed
    }
}

impl eframe::App for Workbench {
    fn logic(&mut self, ctx: &egui::Context, _frame: &mut eframe::Frame) {
        let started = Instant::now();
        self.state.now = (self.clock)();
        let answered = self.take_answers(ctx);
        let changed =
            self.state.poll_tour() | self.look_at_runs(ctx) | self.state.poll_report() | self.state.poll_review();
        if answered || changed {
            ctx.request_repaint_after(WAKE_EVERY);
        }
        if self.lists_a_running_run() || self.state.sweeps.is_running() || self.state.has_growing_run() {
            ctx.request_repaint_after(LOOK_EVERY);
        }
        self.spent = started.elapsed();
    }

    fn ui(&mut self, ui: &mut egui::Ui, frame: &mut eframe::Frame) {
        let started = Instant::now();
        let ctx = ui.ctx().clone();
        ctx.set_theme(self.state.theme);
        let text_size = self.state.text_size.factor();
        ctx.set_zoom_factor(match self.state.is_touring() {
            true => tour_zoom(&ctx).max(text_size),
            false => text_size,
        });
        let actions = RefCell::new(Vec::new());
        frame_ui(ui, &View::new(&self.state, Theme::of(ui), &actions));
        for action in actions.into_inner() {
            self.act(&ctx, action);
            ctx.request_repaint();
        }
        // The window knows what the frame before this one took, painting included; without a window there is only this much.
        let whole = frame
            .info()
            .cpu_usage
            .and_then(|seconds| Duration::try_from_secs_f32(seconds).ok());
        self.state.frames.push(whole.unwrap_or(self.spent + started.elapsed()));
    }

    /// The sizes that a tour gives to panels and letters are its own.
    fn persist_egui_memory(&self) -> bool {
        !self.state.is_touring()
    }

    fn save(&mut self, storage: &mut dyn eframe::Storage) {
        let saved = Saved {
            version: SAVED_VERSION,
            station: self.state.station,
            theme: self.state.theme,
            charts: self.state.charts,
            recent_repositories: self.state.recents.folders(RecentKind::Repository),
            recent_runs: self.state.recents.folders(RecentKind::Run),
            text_size: self.state.text_size,
        };
        eframe::set_value(storage, eframe::APP_KEY, &saved);
        eframe::set_value(storage, LAYOUTS_KEY, &self.state.layouts.keep());
    }

    fn on_exit(&mut self) {
        if matches!(self.state.worker, WorkerState::Preparing | WorkerState::Training { .. }) {
            self.engine.send(Command::Stop);
        }
    }
}
