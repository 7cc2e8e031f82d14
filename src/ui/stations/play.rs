//! The Play station: any repository, a file of it in an editor, and what each arm writes at the cursor.
//!
//! Edits stay in the workbench: no file of the repository is ever written.

use std::collections::HashMap;
use std::path::{Path, PathBuf};

use egui::{Id, Key, Modifiers, RichText, Ui};

use super::play_arms::arms_ui;
use super::play_chunks::chunks_ui;
use super::play_editor::{Buffer, editor_ui};
use super::play_files::files_ui;
use super::play_find::Find;
use super::play_head::{head_ui, open_ui, refusal_ui};
use crate::app::{Action, FileList, Pane, PlayTask};
use crate::corpus::code_file;
use crate::engine::Served;
use crate::evaluation::Arm;
use crate::ui::charts::local;
use crate::ui::docks::panes_ui;
use crate::ui::{View, theme};

/// What this page keeps between frames.
#[derive(Default)]
struct Memory {
    folder: PathBuf,
    search: String,
    find: Find,
    /// The file in the editor.
    file: Option<String>,
    /// Files that were opened, with what was edited in them.
    buffers: HashMap<String, Buffer>,
    /// Why the file chosen last is not in the editor.
    error: Option<String>,
    /// The arm whose completion Tab takes.
    taken: Option<Arm>,
    /// The repository is being changed.
    opening: bool,
}

impl Memory {
    /// Puts a file into the editor: as it was left there, or else as it is on disk.
    fn show(&mut self, ctx: &egui::Context, folder: &Path, path: &str) {
        // Only edits are worth keeping; the file may be another one by now.
        self.buffers.retain(|_, buffer| buffer.edited);
        self.error = None;
        if !self.buffers.contains_key(path) {
            match code_file(folder, path) {
                Ok(file) => {
                    self.buffers.insert(path.to_owned(), Buffer::new(file.text));
                }
                Err(error) => {
                    self.error = Some(error.to_string());
                    return;
                }
            }
        }
        self.file = Some(path.to_owned());
        if let Some(buffer) = self.buffers.get_mut(path) {
            // The widget is one for all files, and still has the cursor of the file before.
            let cursor = buffer.cursor;
            buffer.select(ctx, cursor..cursor);
        }
    }
}

/// Draws the Play station.
pub fn play_ui(ui: &mut Ui, view: &View<'_>) {
    let memory = local::<Memory>(ui.ctx(), Id::unique("play station"));
    let mut memory = memory.lock();
    let memory = &mut *memory;
    let Some(folder) = view.state.playground.folder.clone() else {
        return open_ui(ui, view, true);
    };
    if memory.folder != folder {
        *memory = Memory {
            folder: folder.clone(),
            ..Memory::default()
        };
    }
    head_ui(ui, view, &folder, &mut memory.opening);
    if memory.opening {
        open_ui(ui, view, false);
        ui.add_space(theme::GAP);
    }
    refusal_ui(ui, view);
    match view.state.playground.files() {
        None => {
            ui.label("Reading the repository…");
        }
        Some(Err(reason)) => {
            ui.label(RichText::new(format!("▲ {reason}")).color(view.theme.alarm));
            if !memory.opening {
                open_ui(ui, view, false);
            }
        }
        Some(Ok(files)) => workplace_ui(ui, view, memory, &files),
    }
}

/// The panes of an open repository.
fn workplace_ui(ui: &mut Ui, view: &View<'_>, memory: &mut Memory, files: &FileList) {
    if memory
        .file
        .as_ref()
        .is_some_and(|path| !memory.buffers.contains_key(path))
    {
        memory.file = None;
    }
    let Some(path) = memory.file.clone() else {
        panes_ui(
            ui,
            view,
            &[Pane::Files, Pane::Editor, Pane::Chunks],
            |ui, pane| match pane {
                Pane::Files => list_ui(ui, memory, files),
                Pane::Editor => no_file_ui(ui, view, memory),
                _ => chunks_ui(ui, view),
            },
        );
        return;
    };
    let Some(buffer) = memory.buffers.get_mut(&path) else {
        return;
    };
    let playground = &view.state.playground;
    let task = playground.task.as_ref().filter(|task| task.request.file == path);
    let fits = |task: &&PlayTask| task.request.text == buffer.text && task.request.cursor == buffer.cursor;
    let current = task.filter(fits);
    let taken = taken(current, memory.taken).cloned();
    let refusal = view.state.play_refusal();
    let keys = Keys::of(ui, view, taken.is_some());
    if keys.cancel {
        view.act(Action::CancelPlay);
    }
    let mut ask = keys.ask;
    if let Some(served) = taken.filter(|_| keys.accept) {
        buffer.insert(ui.ctx(), &served.insertion);
    }
    let is_current = current.is_some();
    let mut accepted = None;
    let every = [Pane::Files, Pane::Editor, Pane::Completions, Pane::Chunks];
    panes_ui(ui, view, &every, |ui, pane| match pane {
        Pane::Files => list_ui(ui, memory, files),
        Pane::Editor => {
            error_ui(ui, view, memory);
            if let Some(buffer) = memory.buffers.get_mut(&path) {
                editor_ui(ui, &memory.folder, &path, (buffer, &mut memory.find));
            }
        }
        Pane::Completions => {
            let shown = arms_ui(ui, view, task, is_current, &mut memory.taken);
            accepted = shown.accepted;
            ask |= shown.ask;
        }
        _ => chunks_ui(ui, view),
    });
    let Some(buffer) = memory.buffers.get_mut(&path) else {
        return;
    };
    if let Some(served) = &accepted {
        buffer.insert(ui.ctx(), &served.insertion);
        ui.ctx().request_repaint();
    }
    if ask && refusal.is_none() {
        view.act(Action::Play {
            file: path,
            text: buffer.text.clone(),
            cursor: buffer.cursor,
        });
    }
}

fn list_ui(ui: &mut Ui, memory: &mut Memory, files: &FileList) {
    let edited = |path: &str| memory.buffers.get(path).is_some_and(|buffer| buffer.edited);
    let chosen = files_ui(ui, files, &mut memory.search, memory.file.as_deref(), &edited);
    if let Some(path) = chosen {
        let folder = memory.folder.clone();
        memory.show(ui.ctx(), &folder, &path);
    }
}

/// Why the file chosen last is not in the editor.
fn error_ui(ui: &mut Ui, view: &View<'_>, memory: &Memory) {
    if let Some(reason) = &memory.error {
        ui.label(RichText::new(format!("▲ {reason}")).color(view.theme.alarm));
    }
}

fn no_file_ui(ui: &mut Ui, view: &View<'_>, memory: &Memory) {
    error_ui(ui, view, memory);
    ui.add_space(theme::SECTION);
    ui.label(theme::title("Choose a file").color(view.theme.strong));
    let text = "It opens here, to be read and edited; Ctrl+Space completes at the cursor. Edits stay in the workbench: \
                no file of the repository is ever written.";
    ui.label(RichText::new(text).color(view.theme.weak));
}

/// The completion that Tab takes: that of the chosen arm, or else the compressed one, or else the first.
fn taken(task: Option<&PlayTask>, chosen: Option<Arm>) -> Option<&Served> {
    let served = &task?.served;
    let of = |arm: Arm| served.iter().find(|one| one.arm == arm);
    let found = chosen.and_then(of).or_else(|| of(Arm::Compressed)).or(served.first());
    found.filter(|one| !one.text.is_empty())
}

/// What was pressed; the editor does not see it.
struct Keys {
    ask: bool,
    accept: bool,
    cancel: bool,
}

impl Keys {
    fn of(ui: &Ui, view: &View<'_>, can_accept: bool) -> Self {
        let covered = view.state.overlay.covers();
        let serving = view.state.playground.is_serving();
        let in_editor = ui.memory(|memory| memory.has_focus(Buffer::id()));
        ui.input_mut(|input| {
            let mut pressed = |modifiers, key, wanted: bool| wanted && !covered && input.consume_key(modifiers, key);
            Self {
                ask: pressed(Modifiers::CTRL, Key::Space, true),
                accept: pressed(Modifiers::NONE, Key::Tab, can_accept && in_editor),
                cancel: pressed(Modifiers::NONE, Key::Escape, serving),
            }
        })
    }
}
