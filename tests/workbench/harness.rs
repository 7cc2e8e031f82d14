//! A workbench with a fake engine: what was sent to it is kept, what it answers is put in by the test.

use std::cell::RefCell;
use std::collections::{BTreeMap, VecDeque};
use std::path::{Path, PathBuf};
use std::rc::Rc;

use egui::accesskit::Role;
use egui_kittest::kittest::{NodeT as _, Queryable as _};
use egui_kittest::{Harness, HarnessBuilder};
use jiff::Timestamp;
use llavacode::app::{Action, CatalogueItem, Desktop, EngineHandle, PathField};
use llavacode::engine::{Command, Event, WorkerState};
use llavacode::ui::{Workbench, WorkbenchSettings};

/// Both ends of a fake engine and a fake desktop.
#[derive(Clone, Default)]
pub struct Fake {
    pub sent: Rc<RefCell<Vec<Command>>>,
    pub answers: Rc<RefCell<VecDeque<Event>>>,
    pub folder: Rc<RefCell<Option<PathBuf>>>,
    picked: Rc<RefCell<VecDeque<PathField>>>,
}

impl Fake {
    /// Puts an answer in.
    pub fn answer(&self, event: Event) {
        self.answers.borrow_mut().push_back(event);
    }

    /// The names of the commands that were sent.
    pub fn sent(&self) -> Vec<String> {
        let name = |command: &Command| {
            format!("{command:?}")
                .chars()
                .take_while(|c| c.is_alphabetic())
                .collect()
        };
        self.sent.borrow().iter().map(name).collect()
    }
}

impl EngineHandle for Fake {
    fn send(&self, command: Command) {
        self.sent.borrow_mut().push(command);
    }

    fn try_recv(&self) -> Option<Event> {
        self.answers.borrow_mut().pop_front()
    }
}

impl Desktop for Fake {
    fn pick_folder(&self, field: PathField) {
        self.picked.borrow_mut().push_back(field);
    }

    fn picked(&self) -> Option<(PathField, Option<PathBuf>)> {
        let field = self.picked.borrow_mut().pop_front()?;
        Some((field, self.folder.borrow().clone()))
    }

    fn reveal(&self, _folder: &Path) -> Result<(), String> {
        Ok(())
    }
}

/// The time that every test lives in.
pub fn clock() -> Timestamp {
    "2026-11-24T09:00:00Z".parse().unwrap()
}

/// What a first start lacks.
pub fn catalogue(present: bool) -> Vec<CatalogueItem> {
    let item = |id: &str, name: &str, bytes, licence: &str| CatalogueItem {
        id: id.into(),
        name: name.into(),
        bytes,
        licence: licence.into(),
        present,
    };
    vec![
        item(
            "smollm2-135m-instruct",
            "Reader SmolLM2-135M-Instruct",
            91_700_000,
            "Apache-2.0",
        ),
        item("all-minilm-l6-v2", "Encoder all-MiniLM-L6-v2", 90_900_000, "Apache-2.0"),
        item(
            "python-packages",
            "Code of 48 Python packages",
            61_000_000,
            "MIT, BSD, Apache-2.0",
        ),
    ]
}

/// A workbench over `runs_dir`; with everything on this machine when `present`.
pub fn workbench(runs_dir: &Path, present: bool) -> (Harness<'static, Workbench>, Fake) {
    build(Harness::builder(), runs_dir, present)
}

/// The same with a builder of one's own.
pub fn build(
    builder: HarnessBuilder<Workbench>,
    runs_dir: &Path,
    present: bool,
) -> (Harness<'static, Workbench>, Fake) {
    let fake = Fake::default();
    let harness = over(builder, runs_dir, present, Box::new(fake.clone()), fake.clone());
    (harness, fake)
}

/// The same over an engine of one's own.
pub fn over(
    builder: HarnessBuilder<Workbench>,
    runs_dir: &Path,
    present: bool,
    engine: Box<dyn EngineHandle>,
    desktop: Fake,
) -> Harness<'static, Workbench> {
    let settings = settings(runs_dir, present);
    builder
        .with_size([1440.0, 900.0])
        .with_context_setup(llavacode::ui::theme::install)
        .build_eframe(move |cc| Workbench::new(cc, settings, engine, Box::new(desktop)))
}

fn settings(runs_dir: &Path, present: bool) -> WorkbenchSettings {
    WorkbenchSettings {
        runs_dir: runs_dir.to_owned(),
        open: None,
        device: "CPU×2".into(),
        catalogue: catalogue(present),
        cache: "/home/ada/.cache/llavacode".into(),
        clock,
    }
}

/// What is kept between two starts.
#[derive(Clone, Default)]
pub struct Kept(pub BTreeMap<String, String>);

impl eframe::Storage for Kept {
    fn get_string(&self, key: &str) -> Option<String> {
        self.0.get(key).cloned()
    }

    fn set_string(&mut self, key: &str, value: String) {
        self.0.insert(key.to_owned(), value);
    }

    fn remove_string(&mut self, key: &str) {
        self.0.remove(key);
    }

    fn flush(&mut self) {}
}

/// A workbench of 1280 × 720 that starts with what was kept.
pub fn started(runs_dir: &Path, kept: Kept) -> (Harness<'static, Workbench>, Fake) {
    let (settings, fake) = (settings(runs_dir, true), Fake::default());
    let (engine, desktop) = (Box::new(fake.clone()), Box::new(fake.clone()));
    // It lives as long as the window, which in a test is until the end.
    let kept: &'static Kept = Box::leak(Box::new(kept));
    let h = Harness::builder()
        .with_size([1280.0, 720.0])
        .with_context_setup(llavacode::ui::theme::install)
        .build_eframe(move |cc| {
            cc.storage = Some(kept);
            Workbench::new(cc, settings, engine, desktop)
        });
    (h, fake)
}

/// What would be kept if the workbench were closed now.
pub fn kept(h: &mut Harness<'_, Workbench>) -> Kept {
    let mut kept = Kept::default();
    eframe::App::save(h.state_mut(), &mut kept);
    kept
}

/// Does what a person would do.
pub fn act(h: &mut Harness<'_, Workbench>, action: Action) {
    let ctx = h.ctx.clone();
    h.state_mut().act(&ctx, action);
    h.run_ok();
}

/// Draws until something holds that a thread reads from disk.
pub fn until(h: &mut Harness<'_, Workbench>, what: &str, holds: impl Fn(&Harness<'_, Workbench>) -> bool) {
    let start = std::time::Instant::now();
    while !holds(h) {
        assert!(
            start.elapsed() < std::time::Duration::from_secs(30),
            "{what} never comes"
        );
        std::thread::sleep(std::time::Duration::from_millis(20));
        h.run_ok();
    }
}

/// What a chart says to those who do not see it; the one whose title begins so.
pub fn figure(h: &Harness<'_, Workbench>, title: &str) -> String {
    let figures = h.query_all_by_role(Role::Figure);
    let texts = figures.filter_map(|node| node.accesskit_node().label());
    let found: Vec<String> = texts.filter(|text| text.starts_with(title)).collect();
    found
        .first()
        .cloned()
        .unwrap_or_else(|| panic!("no chart is called {title}"))
}

/// Asks a menu for a file by keyboard and pointer.
pub fn export(h: &mut Harness<'_, Workbench>, menu: &str, kind: &str, path: &Path) {
    h.get_by_label(menu).click();
    h.run_ok();
    h.get_by_label(kind).click();
    h.run_ok();
    h.get_by_role_and_label(Role::TextInput, "file").focus();
    h.run_ok();
    h.key_press_modifiers(egui::Modifiers::COMMAND, egui::Key::A);
    h.get_by_role_and_label(Role::TextInput, "file")
        .type_text(&path.display().to_string());
    h.run_ok();
    h.get_by_label("Save").click();
}

/// Writes the numbers behind a menu to a CSV file, and answers with its lines, each in cells.
pub fn export_csv(h: &mut Harness<'_, Workbench>, menu: &str, path: &Path) -> Vec<Vec<String>> {
    export(h, menu, "Export CSV…", path);
    h.run_ok();
    let saved = format!("saved {}", path.display());
    assert!(h.query_by_label(&saved).is_some());
    let text = std::fs::read_to_string(path).unwrap();
    text.lines().map(cells).collect()
}

/// The cells of a line of CSV without line breaks in cells.
fn cells(line: &str) -> Vec<String> {
    let (mut cells, mut quoted) = (vec![String::new()], false);
    for c in line.chars() {
        match c {
            '"' => quoted = !quoted,
            ',' if !quoted => cells.push(String::new()),
            c => cells.last_mut().unwrap().push(c),
        }
    }
    cells
}

/// A run in training, as the engine tells it.
pub fn training(run: &Path, step: usize, paused: bool) -> Event {
    Event::State(WorkerState::Training {
        run: run.to_owned(),
        step,
        steps: super::demo_run::STEPS,
        paused,
        samples_per_second: 5.1,
        seconds_left: Some(190.0),
    })
}

/// A dark and a light look at the workbench, with what is set for it.
pub const THEMES: [(egui::Theme, egui::ThemePreference); 2] = [
    (egui::Theme::Dark, egui::ThemePreference::Dark),
    (egui::Theme::Light, egui::ThemePreference::Light),
];

/// Where pictures are written: the folder that LLAVACODE_SHOTS names; none without it.
pub fn picture_folder() -> Option<PathBuf> {
    let folder = PathBuf::from(std::env::var_os("LLAVACODE_SHOTS")?);
    std::fs::create_dir_all(&folder).unwrap();
    Some(folder)
}

/// A workbench that can be rendered.
pub fn painted(
    runs_dir: &Path,
    present: bool,
    (theme, preference): (egui::Theme, egui::ThemePreference),
) -> (Harness<'static, Workbench>, Fake) {
    let builder = Harness::builder().with_theme(theme).with_render_cursor(false).wgpu();
    let (mut h, fake) = build(builder, runs_dir, present);
    act(&mut h, Action::SetTheme(preference));
    (h, fake)
}

/// Writes what the window shows to `<name>-<dark or light>.png`.
pub fn shoot(h: &mut Harness<'_, Workbench>, folder: &Path, name: &str, theme: egui::Theme) {
    h.run_ok();
    let file = format!("{name}-{theme:?}.png").to_lowercase().replace(' ', "-");
    h.render().unwrap().save(folder.join(file)).unwrap();
}

/// A file on a disk that does not answer: who reads it waits until it is let go.
#[cfg(unix)]
pub struct Held {
    path: PathBuf,
    content: Vec<u8>,
}

#[cfg(unix)]
impl Held {
    /// Holds a file back.
    pub fn new(path: &Path) -> Self {
        let content = std::fs::read(path).unwrap();
        std::fs::remove_file(path).unwrap();
        let made = std::process::Command::new("mkfifo").arg(path).status().unwrap();
        assert!(made.success(), "no pipe can be made");
        Self {
            path: path.to_owned(),
            content,
        }
    }

    /// Waits until somebody reads it; who drops what this answers with lets it go empty.
    pub fn reached(&self) -> std::fs::File {
        std::fs::OpenOptions::new().write(true).open(&self.path).unwrap()
    }

    /// Lets it go: those who wait for it and those who come later read what it holds.
    pub fn release(self) {
        let mut waiting = self.reached();
        let whole = self.path.with_extension("whole");
        std::fs::write(&whole, &self.content).unwrap();
        std::fs::rename(whole, &self.path).unwrap();
        std::io::Write::write_all(&mut waiting, &self.content).unwrap();
    }
}
