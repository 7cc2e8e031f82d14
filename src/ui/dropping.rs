//! Folders dragged onto the window: a run is looked at, any other folder is opened to play with.

use std::path::{Path, PathBuf};

use egui::{Align2, Area, Context, Frame, Id, Margin, Order, RichText};

use super::View;
use super::theme;
use crate::app::{Action, Station};
use crate::runs;

/// What a dropped folder is.
enum Dropped {
    Run(PathBuf),
    Repository(PathBuf),
}

impl Dropped {
    /// A folder is itself; a file stands for the folder that it lies in.
    fn of(path: &Path) -> Self {
        let folder = match path.parent() {
            Some(parent) if !path.is_dir() => parent,
            _ => path,
        };
        match runs::is_run(folder) {
            true => Self::Run(folder.to_owned()),
            false => Self::Repository(folder.to_owned()),
        }
    }

    /// What letting go would do.
    fn promise(&self) -> String {
        match self {
            Self::Run(folder) => format!("Drop to look at the run {}", runs::name_of(folder)),
            Self::Repository(folder) => {
                let name = folder.file_name().unwrap_or(folder.as_os_str());
                format!("Drop to play with {}", name.to_string_lossy())
            }
        }
    }
}

/// Opens what was dropped, and says over the window what dropping would do while something is held over it.
pub fn dropping_ui(ctx: &Context, view: &View<'_>) {
    if view.state.overlay.covers() {
        return;
    }
    let dropped = ctx.input(|input| input.raw.dropped_files.first().map(|file| Dropped::of(file.path())));
    match dropped {
        Some(Dropped::Run(folder)) => view.act(Action::Focus(folder)),
        Some(Dropped::Repository(folder)) => {
            view.act(Action::Go(Station::Play));
            view.act(Action::OpenRepository(folder));
        }
        None => {}
    }
    let held = ctx.input(|input| input.raw.hovered_files.first().and_then(|file| file.path.clone()));
    let Some(held) = held else { return };
    Area::new(Id::unique("held over the window"))
        .anchor(Align2::CENTER_CENTER, egui::Vec2::ZERO)
        .order(Order::Foreground)
        .interactable(false)
        .show(ctx, |ui| {
            let frame = Frame::new()
                .fill(view.theme.panel)
                .stroke(egui::Stroke::new(2.0, view.theme.accent))
                .corner_radius(theme::ROUNDING)
                .inner_margin(Margin::same(24));
            frame.show(ui, |ui| {
                ui.label(
                    RichText::new(Dropped::of(&held).promise())
                        .size(theme::TITLE)
                        .color(view.theme.strong),
                );
            });
        });
}
