//! Pictures of every station, rendered off-screen by the real application on recorded runs.

use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use egui_kittest::Harness;
use egui_kittest::kittest::Queryable as _;

use super::{Workbench, WorkbenchSettings, theme};
use crate::app::{
    Action, AppState, CatalogueItem, Desktop, EngineHandle, PathField, ReviewAction, ReviewForm, Station, UiCommand,
};
use crate::corpus::Split;
use crate::engine::{Command, Engine, EngineSettings, Event, IndexPhase, PlayEnd};
use crate::evaluation::{Arm, CompletionRecord};
use crate::runs::Run;

/// Size of a picture in points.
const SIZE: [f32; 2] = [1440.0, 900.0];

/// Time between two frames while something is waited for.
const FRAME: Duration = Duration::from_millis(50);

/// Frames until nothing moves any more.
const SETTLING_FRAMES: usize = 10;

/// Longest wait for the instruments, which a thread of the Collapse station computes.
const LONGEST_WAIT: Duration = Duration::from_secs(30);

/// After the newest step's instruments are here, those of the others follow within about this time; so do the numbers of a list of runs.
const REST_OF_READING: Duration = Duration::from_secs(3);

/// What the pictures show.
pub struct Pictures {
    /// Where runs lie.
    pub runs_dir: PathBuf,
    /// The run in focus, and the runs drawn over it.
    pub runs: Vec<PathBuf>,
    /// Name of the device, for the top bar.
    pub device: String,
    /// What a first start needs.
    pub catalogue: Vec<CatalogueItem>,
    /// Where that is kept.
    pub cache: PathBuf,
    /// What the Play station completes, through the real engine; its open page without it.
    pub played: Option<Played>,
}

/// A completion that is shown in the Play station.
pub struct Played {
    /// Folder of the repository.
    pub repository: PathBuf,
    /// File with the cursor, relative to it, parts joined by `/`.
    pub file: String,
    /// `line:column` of the cursor, from 1.
    pub at: String,
    /// What completes it.
    pub engine: EngineSettings,
}

/// Why a picture could not be made.
#[derive(Debug, thiserror::Error)]
pub enum PictureError {
    /// No graphics driver renders off-screen.
    #[error("the pictures could not be rendered: {0}; a Vulkan driver is needed (Debian: mesa-vulkan-drivers)")]
    Render(String),
    /// What the Play station was to show did not come about.
    #[error("the Play station could not be shown: {0}")]
    Play(String),
    /// A picture could not be written.
    #[error("cannot write {}: {message}", path.display())]
    Write {
        /// The picture.
        path: PathBuf,
        /// What the system said.
        message: String,
    },
}

/// Longest wait for an index and a completion.
const LONGEST_SERVING: Duration = Duration::from_secs(600);

/// An engine that does nothing, and a desktop that opens nothing.
struct Still;

impl EngineHandle for Still {
    fn send(&self, _command: Command) {}

    fn try_recv(&self) -> Option<Event> {
        None
    }
}

impl Desktop for Still {
    fn pick_folder(&self, _field: PathField) {}

    fn picked(&self) -> Option<(PathField, Option<PathBuf>)> {
        None
    }

    fn reveal(&self, _folder: &Path) -> Result<(), String> {
        Ok(())
    }
}

/// Renders every station in light and dark into `folder` and returns the pictures' paths.
pub fn render(pictures: &Pictures, folder: &Path) -> Result<Vec<PathBuf>, PictureError> {
    let write = |path: &Path, error: &dyn std::fmt::Display| PictureError::Write {
        path: path.to_owned(),
        message: error.to_string(),
    };
    std::fs::create_dir_all(folder).map_err(|error| write(folder, &error))?;
    let mut paths = Vec::new();
    for (mode, preference) in [
        ("dark", egui::ThemePreference::Dark),
        ("light", egui::ThemePreference::Light),
    ] {
        let mut shoot = |window: &mut Harness<'_, Workbench>, name: &str| -> Result<(), PictureError> {
            settle(window);
            let image = window.render().map_err(PictureError::Render)?;
            let path = folder.join(format!("{name}-{mode}.png"));
            image.save(&path).map_err(|error| write(&path, &error))?;
            paths.push(path);
            Ok(())
        };
        let mut first = window(pictures, preference, false, Box::new(Still));
        shoot(&mut first, "first-start")?;
        let engine: Box<dyn EngineHandle> = match &pictures.played {
            Some(played) => Box::new(Engine::spawn(played.engine.clone(), || {}).map_err(play_error)?),
            None => Box::new(Still),
        };
        let mut window = window(pictures, preference, true, engine);
        for (index, run) in pictures.runs.iter().enumerate() {
            let show = if index == 0 {
                Action::Focus
            } else {
                Action::ToggleOverlay
            };
            act(&mut window, show(run.clone()));
        }
        for (station, name) in [
            (Station::Train, "train"),
            (Station::Collapse, "collapse"),
            (Station::Compare, "compare"),
            (Station::Retrieve, "retrieve"),
            (Station::Play, "play"),
            (Station::Cost, "cost"),
            (Station::Runs, "runs"),
        ] {
            act(&mut window, Action::Go(station));
            // What is claimed stands on the test split, where there is an evaluation on it.
            if let Some(test) = window.query_by_label("test split") {
                test.click();
            }
            if matches!(station, Station::Compare | Station::Retrieve) {
                act(&mut window, Action::SelectSample(telling_sample(&pictures.runs)));
            }
            if let (Station::Play, Some(played)) = (station, &pictures.played) {
                complete(&mut window, played)?;
            }
            shoot(&mut window, name)?;
            if station == Station::Compare {
                blind_review(&mut window);
                shoot(&mut window, "review")?;
                act(&mut window, Action::Review(ReviewAction::Close));
            }
            if station == Station::Collapse {
                // The drawer, on the pairs that merged first.
                window.key_press(egui::Key::C);
                shoot(&mut window, "collapse-pairs")?;
                window.key_press(egui::Key::C);
            }
        }
    }
    Ok(paths)
}

/// Lets layout and background work come to rest.
fn settle(window: &mut Harness<'_, Workbench>) {
    let wait = |window: &mut Harness<'_, Workbench>| {
        std::thread::sleep(FRAME);
        window.run_steps(1);
    };
    window.run_steps(SETTLING_FRAMES);
    let started = Instant::now();
    let reading = |window: &Harness<'_, Workbench>| {
        let probes = window.query_all_by_label_contains("eading probes").next().is_some();
        let completions = window.query_all_by_label_contains("Reading the completions").next();
        probes || completions.is_some() || window.state().state().digests.left() > 0
    };
    while reading(window) && started.elapsed() < LONGEST_WAIT {
        wait(window);
    }
    if matches!(window.state().state().station, Station::Collapse | Station::Runs) {
        let started = Instant::now();
        while started.elapsed() < REST_OF_READING {
            wait(window);
        }
    }
}

/// A sample of the first run that compressed context completes and none does not, or else full RAG, if there is one.
fn telling_sample(runs: &[PathBuf]) -> Option<String> {
    let run = Run::open(runs.first()?).ok()?;
    let newest = |split: Split| run.evaluations.iter().rfind(|one| one.split == split);
    let last = newest(Split::Test).or_else(|| newest(Split::Validation))?;
    let completions = run.completions(last.step, last.split).ok()?;
    let right = |sample: &str, arm: Arm| {
        let of = |one: &&CompletionRecord| one.sample == sample && one.arm == arm;
        completions.iter().find(of).is_some_and(|one| one.scores.em_token > 0.0)
    };
    let gained = |arm: Arm| {
        let mut samples = completions.iter().map(|one| &one.sample);
        samples.find(|sample| right(sample, arm) && !right(sample, Arm::NoContext))
    };
    gained(Arm::Compressed).or_else(|| gained(Arm::FullRag)).cloned()
}

/// Shows the first question of a blind review; no vote is given, and so nothing is written.
fn blind_review(window: &mut Harness<'_, Workbench>) {
    act(window, Action::Command(UiCommand::Review));
    let form = ReviewForm {
        reviewer: "Ada".into(),
        ..window.state().state().review.form.clone()
    };
    act(window, Action::Review(ReviewAction::SetForm(form)));
    settle(window);
    act(window, Action::Review(ReviewAction::Begin));
}

/// Opens a repository and a file, puts the cursor where it is wanted, and waits until every arm is served.
fn complete(window: &mut Harness<'_, Workbench>, played: &Played) -> Result<(), PictureError> {
    let type_into = |window: &mut Harness<'_, Workbench>, field: &str, text: &str| {
        let node = window
            .query_by_label(field)
            .ok_or_else(|| play_error(format!("no field {field}")))?;
        node.focus();
        node.type_text(text);
        window.run_steps(2);
        window.key_press(egui::Key::Enter);
        window.run_steps(2);
        Ok(())
    };
    act(window, Action::OpenRepository(played.repository.clone()));
    wait_for(window, |state| match state.playground.files() {
        Some(Ok(_)) => Some(Ok(())),
        Some(Err(reason)) => Some(Err(reason)),
        None => None,
    })?;
    type_into(window, "search files", &played.file)?;
    if window.query_by_label(&format!("Code of {}", played.file)).is_none() {
        return Err(play_error(format!("{} is not one of the files", played.file)));
    }
    type_into(window, "find in the file", &played.at)?;
    wait_for(window, |state| match &state.playground.index.as_ref()?.phase {
        IndexPhase::Ready => Some(Ok(())),
        IndexPhase::Failed(reason) => Some(Err(reason.clone())),
        _ => None,
    })?;
    window.key_press_modifiers(egui::Modifiers::CTRL, egui::Key::Space);
    window.run_steps(2);
    wait_for(window, |state| match state.playground.task.as_ref()?.end.as_ref()? {
        PlayEnd::Done => Some(Ok(())),
        PlayEnd::Cancelled => Some(Err("the completion was ended".into())),
        PlayEnd::Failed { message, .. } => Some(Err(message.clone())),
    })
}

/// Lets frames pass until the state says how something ended.
fn wait_for(
    window: &mut Harness<'_, Workbench>,
    ended: impl Fn(&AppState) -> Option<Result<(), String>>,
) -> Result<(), PictureError> {
    let started = Instant::now();
    while started.elapsed() < LONGEST_SERVING {
        window.run_steps(1);
        if let Some(result) = ended(window.state().state()) {
            return result.map_err(play_error);
        }
        std::thread::sleep(FRAME);
    }
    Err(play_error(format!("it took more than {} s", LONGEST_SERVING.as_secs())))
}

fn play_error(reason: impl ToString) -> PictureError {
    PictureError::Play(reason.to_string())
}

fn act(window: &mut Harness<'_, Workbench>, action: Action) {
    let ctx = window.ctx.clone();
    window.state_mut().act(&ctx, action);
    window.run_steps(2);
}

fn window(
    pictures: &Pictures,
    preference: egui::ThemePreference,
    everything_here: bool,
    engine: Box<dyn EngineHandle>,
) -> Harness<'static, Workbench> {
    let items = pictures.catalogue.iter().cloned();
    let settings = WorkbenchSettings {
        runs_dir: pictures.runs_dir.clone(),
        open: None,
        device: pictures.device.clone(),
        catalogue: items
            .map(|item| CatalogueItem {
                present: everything_here,
                ..item
            })
            .collect(),
        cache: pictures.cache.clone(),
        clock: jiff::Timestamp::now,
    };
    let mut window = Harness::builder()
        .with_size(SIZE)
        .with_render_cursor(false)
        .with_context_setup(theme::install)
        .wgpu()
        .build_eframe(move |cc| Workbench::new(cc, settings, engine, Box::new(Still)));
    act(&mut window, Action::SetTheme(preference));
    window
}
