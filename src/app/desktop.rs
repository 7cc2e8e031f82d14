//! The system around the window: folder and file dialogs in a thread of their own, and the file manager.

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::thread;

use crossbeam_channel::{Receiver, Sender};

use super::action::PathField;
use super::execute::Desktop;

type Answer = (PathField, Option<PathBuf>);

/// The real one.
pub struct NativeDesktop {
    answers: (Sender<Answer>, Receiver<Answer>),
    ctx: egui::Context,
}

/// A path that is proposed for what a person saves: of this name, in the home folder.
pub fn in_home(name: &str) -> PathBuf {
    let home = directories::UserDirs::new().map_or_else(PathBuf::new, |dirs| dirs.home_dir().to_owned());
    home.join(name)
}

impl NativeDesktop {
    /// Wakes the window of `ctx` when a dialog closes.
    pub fn new(ctx: egui::Context) -> Self {
        Self {
            answers: crossbeam_channel::bounded(8),
            ctx,
        }
    }
}

impl Desktop for NativeDesktop {
    fn pick_folder(&self, field: PathField) {
        let (sender, ctx) = (self.answers.0.clone(), self.ctx.clone());
        let spawned = thread::Builder::new().name("folder dialog".into()).spawn(move || {
            // A window that closed meanwhile has no use for the answer.
            let dialog = rfd::FileDialog::new();
            let answer = match field {
                PathField::Sweep => dialog.add_filter("sweep", &["toml"]).pick_file(),
                PathField::Run
                | PathField::SweepCorpus
                | PathField::Repository
                | PathField::Charts
                | PathField::Experiment(_) => dialog.pick_folder(),
            };
            sender.send((field, answer)).ok();
            ctx.request_repaint_of(egui::ViewportId::ROOT);
        });
        if spawned.is_err() {
            self.answers.0.try_send((field, None)).ok();
        }
    }

    fn picked(&self) -> Option<Answer> {
        self.answers.1.try_recv().ok()
    }

    fn reveal(&self, folder: &Path) -> Result<(), String> {
        let program = match std::env::consts::OS {
            "macos" => "open",
            "windows" => "explorer",
            _ => "xdg-open",
        };
        let mut child = Command::new(program)
            .arg(folder)
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .map_err(|error| format!("{program}: {error}"))?;
        // The file manager is waited for so that it does not stay behind as a zombie.
        thread::Builder::new()
            .name("file manager".into())
            .spawn(move || child.wait())
            .map(drop)
            .map_err(|error| error.to_string())
    }
}
