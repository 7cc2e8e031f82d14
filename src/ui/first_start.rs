//! The first start: what is needed, its licences, and three ways on.

use egui::{RichText, Ui};

use super::widgets::primary_button;
use super::{View, format, theme};
use crate::app::{Action, Fetch, Setup, UiCommand};

const WIDTH: f32 = 620.0;

/// Draws the page.
pub fn first_start_ui(ui: &mut Ui, view: &View<'_>) {
    let setup = &view.state.setup;
    let top = (ui.available_height() * 0.18).max(theme::GAP);
    let side = ((ui.available_width() - WIDTH) / 2.0).max(0.0);
    egui::ScrollArea::vertical().auto_shrink(false).show(ui, |ui| {
        ui.add_space(top);
        ui.horizontal(|ui| {
            ui.add_space(side);
            ui.vertical(|ui| {
                ui.set_width(WIDTH.min(ui.available_width()));
                page_ui(ui, view, setup);
            });
        });
    });
}

fn page_ui(ui: &mut Ui, view: &View<'_>, setup: &Setup) {
    let bytes: u64 = setup.missing().map(|item| item.bytes).sum();
    ui.label(theme::heading("Train a projector on this machine").color(view.theme.strong));
    ui.add_space(theme::GAP);
    ui.label(
        RichText::new("Retrieved code becomes soft tokens, one a chunk or several. Watch the loss, the vectors and the completions as it learns.")
            .size(theme::TITLE)
            .color(view.theme.text),
    );
    ui.add_space(theme::PAGE);
    view.theme.card().show(ui, |ui| {
        ui.set_width(ui.available_width());
        items_ui(ui, view, setup);
    });
    ui.add_space(theme::SECTION);
    if let Some(reason) = setup.failed.as_ref().filter(|_| !setup.fetching) {
        ui.label(RichText::new(format!("▲ {reason}")).color(view.theme.alarm));
        ui.label(RichText::new("What is complete stays; a later download goes on from there.").color(view.theme.weak));
        ui.add_space(theme::GAP);
    }
    match &setup.fetch {
        Some(fetch) => fetch_ui(ui, view, fetch),
        None if setup.fetching => {
            ui.horizontal(|ui| {
                ui.label("Starting the download…");
                if ui.button("Cancel").clicked() {
                    view.act(Action::CancelFetch);
                }
            });
        }
        None => ways_ui(ui, view, bytes),
    }
    ui.add_space(theme::SECTION);
    let kept = format!(
        "Nothing is sent anywhere. Everything is checked by SHA-256 and kept in {}",
        setup.cache.display()
    );
    ui.label(RichText::new(kept).color(view.theme.weak));
}

fn items_ui(ui: &mut Ui, view: &View<'_>, setup: &Setup) {
    egui::Grid::new("needed")
        .num_columns(4)
        .min_col_width(0.0)
        .spacing([theme::SECTION, 8.0])
        .show(ui, |ui| {
            for item in &setup.items {
                let (mark, color) = if item.present {
                    ("✓", view.theme.good)
                } else {
                    ("↓", view.theme.weak)
                };
                ui.label(RichText::new(mark).color(color))
                    .on_hover_text(if item.present { "here" } else { "not here yet" });
                ui.label(RichText::new(&item.name).color(view.theme.strong));
                ui.label(format::bytes(item.bytes));
                ui.label(RichText::new(&item.licence).color(view.theme.weak))
                    .on_hover_text("Licence");
                ui.end_row();
            }
        });
}

fn ways_ui(ui: &mut Ui, view: &View<'_>, bytes: u64) {
    ui.horizontal(|ui| {
        let get =
            primary_button(ui, "Get them", true, 0.0).on_hover_text(format!("Downloads {}", format::bytes(bytes)));
        if get.clicked() {
            view.act(Action::Fetch);
        }
        ui.label(RichText::new(format::bytes(bytes)).color(view.theme.weak));
        ui.add_space(theme::GAP);
        if ui.button("I have a folder…").clicked() {
            view.command(UiCommand::UseFolders);
        }
        if ui
            .button("Look at a recorded run")
            .on_hover_text("Needs neither models nor code")
            .clicked()
        {
            view.act(Action::LookAtRuns);
        }
    });
}

fn fetch_ui(ui: &mut Ui, view: &View<'_>, fetch: &Fetch) {
    let progress = &fetch.progress;
    let share = if progress.total == 0 {
        0.0
    } else {
        progress.done as f32 / progress.total as f32
    };
    let mut parts = vec![format!(
        "{} of {}",
        format::bytes(progress.done),
        if progress.total == 0 {
            "an unknown size".into()
        } else {
            format::bytes(progress.total)
        }
    )];
    if let Some(speed) = fetch.speed() {
        parts.push(format!("{}/s", format::bytes(speed as u64)));
    }
    if let Some(seconds) = fetch.seconds_left() {
        parts.push(format!("{} left", format::duration(seconds)));
    }
    ui.label(RichText::new(&progress.task).color(view.theme.strong));
    ui.add(
        egui::ProgressBar::new(share)
            .desired_height(10.0)
            .fill(view.theme.accent)
            .corner_radius(5.0),
    );
    ui.horizontal(|ui| {
        ui.label(RichText::new(parts.join(" · ")).color(view.theme.weak));
        let cancel = ui
            .button("Cancel")
            .on_hover_text("What is complete stays; a later download goes on from there");
        if cancel.clicked() {
            view.act(Action::CancelFetch);
        }
    });
}
