//! Questions that lie over the station: which run to open, which sweep to run, whether one may go to the trash, which folders to use.

use egui::{RichText, Ui};

use super::layouts_dialog::layouts_ui;
use super::widgets::{entered, path_field, primary_button};
use super::{View, theme};
use crate::app::{Action, PathField, SWEEPS};
use crate::runs;

const WIDTH: f32 = 520.0;

/// Draws whichever question is open.
pub fn dialogs_ui(ctx: &egui::Context, view: &View<'_>) {
    let overlay = &view.state.overlay;
    if overlay.open_run {
        modal(ctx, view, "open run", open_run_ui);
    }
    if overlay.run_sweep {
        modal(ctx, view, "run sweep", run_sweep_ui);
    }
    if overlay.folders {
        modal(ctx, view, "folders", folders_ui);
    }
    if overlay.layouts {
        modal(ctx, view, "layouts", layouts_ui);
    }
    if overlay.export {
        modal(ctx, view, "export charts", export_ui);
    }
    if let Some(folder) = &overlay.delete {
        modal(ctx, view, "delete run", |ui, view| {
            ui.label(theme::title(format!("Move {} to the trash?", runs::name_of(folder))).color(view.theme.strong));
            ui.add_space(theme::GAP);
            ui.label(format!(
                "{} moves into .trash of the runs folder. Move it back to have it again.",
                folder.display()
            ));
            ui.add_space(theme::SECTION);
            ui.horizontal(|ui| {
                if primary_button(ui, "Move to the trash", true, 0.0).clicked() {
                    view.act(Action::Delete(folder.clone()));
                }
                cancel(ui, view);
            });
        });
    }
}

fn modal(ctx: &egui::Context, view: &View<'_>, id: &str, content: impl FnOnce(&mut Ui, &View<'_>)) {
    let modal = egui::Modal::new(egui::Id::unique(id))
        .frame(view.theme.dialog())
        .show(ctx, |ui| {
            ui.set_width(WIDTH);
            content(ui, view);
        });
    if modal.should_close() {
        view.act(Action::CloseOverlays);
    }
}

fn cancel(ui: &mut Ui, view: &View<'_>) {
    if ui.button("Cancel").clicked() {
        view.act(Action::CloseOverlays);
    }
}

/// What a field takes, under it.
fn help(ui: &mut Ui, view: &View<'_>, text: &str) {
    ui.label(RichText::new(text).size(theme::SMALL).color(view.theme.weak));
}

fn open_run_ui(ui: &mut Ui, view: &View<'_>) {
    let state = view.state;
    ui.label(theme::title("Open a run folder").color(view.theme.strong));
    ui.add_space(theme::GAP);
    ui.label(
        RichText::new("A folder with experiment.toml and scalars.jsonl in it, on this machine or copied from another.")
            .color(view.theme.weak),
    );
    ui.add_space(theme::GAP);
    let field = path_field(ui, view, PathField::Run, "Folder of the run", &state.run_path, WIDTH);
    let entered = entered(ui, &[&field]);
    ui.add_space(theme::SECTION);
    let ready = !state.run_path.trim().is_empty();
    ui.horizontal(|ui| {
        if primary_button(ui, "Open", ready, 0.0).clicked() || entered && ready {
            view.act(Action::OpenTypedRun);
        }
        cancel(ui, view);
    });
}

fn export_ui(ui: &mut Ui, view: &View<'_>) {
    let path = &view.state.chart_export.path;
    ui.label(theme::title("Export all charts of this station").color(view.theme.strong));
    ui.add_space(theme::GAP);
    let text = "A PNG file a chart, as it stands on screen now. A file of the same name is replaced.";
    ui.label(RichText::new(text).color(view.theme.weak));
    ui.add_space(theme::GAP);
    let field = path_field(ui, view, PathField::Charts, "Folder of the pictures", path, WIDTH);
    let entered = entered(ui, &[&field]);
    ui.add_space(theme::SECTION);
    let ready = !path.trim().is_empty();
    ui.horizontal(|ui| {
        if primary_button(ui, "Export", ready, 0.0).clicked() || entered && ready {
            view.act(Action::ExportCharts);
        }
        cancel(ui, view);
    });
}

fn run_sweep_ui(ui: &mut Ui, view: &View<'_>) {
    let sweeps = &view.state.sweeps;
    ui.label(theme::title("Run a sweep").color(view.theme.strong));
    ui.add_space(theme::GAP);
    let text = "A grid of values, or named cells, each with some seeds. Every cell is checked before the first begins.";
    ui.label(RichText::new(text).color(view.theme.weak));
    ui.add_space(theme::GAP);
    ui.label(theme::caption("Sweep"));
    for (preset, index) in SWEEPS.iter().zip(0..) {
        let chosen = ui.radio(
            sweeps.preset == Some(index),
            format!("{}: {}", preset.name, preset.asks),
        );
        if chosen.on_hover_text(format!("configs/{}", preset.file)).clicked() {
            view.act(Action::ChooseSweep(index));
        }
    }
    let field = path_field(ui, view, PathField::Sweep, "File of the sweep", &sweeps.path, WIDTH);
    help(ui, view, "Or a file of your own; configs/ shows how one is written");
    ui.add_space(theme::GAP);
    ui.label(theme::caption("Code"));
    let corpus = path_field(
        ui,
        view,
        PathField::SweepCorpus,
        "As the sweep says",
        &sweeps.corpus,
        WIDTH,
    );
    help(
        ui,
        view,
        "A folder whose sub-folders are repositories, or a catalogue id; every cell takes it",
    );
    let entered = entered(ui, &[&field, &corpus]);
    if let Some(reason) = &sweeps.refused {
        ui.add_space(theme::GAP);
        ui.label(RichText::new(format!("▲ {reason}")).color(view.theme.alarm));
    }
    ui.add_space(theme::SECTION);
    let ready = sweeps.is_asked();
    ui.horizontal(|ui| {
        if primary_button(ui, "Run", ready, 0.0).clicked() || entered && ready {
            view.act(Action::RunAskedSweep);
        }
        cancel(ui, view);
    });
}

fn folders_ui(ui: &mut Ui, view: &View<'_>) {
    ui.label(theme::title("Use folders of your own").color(view.theme.strong));
    ui.add_space(theme::GAP);
    let fields = [
        (
            "reader.model",
            "Reader",
            "A folder with config.json, tokenizer.json and safetensors, or a GGUF file",
        ),
        (
            "encoder.model",
            "Encoder",
            "A folder with config.json, tokenizer.json and safetensors",
        ),
        (
            "data.corpus",
            "Code",
            "A folder whose sub-folders are repositories with Python files",
        ),
    ];
    for (key, name, text) in fields {
        ui.label(theme::caption(name));
        let value = view.state.editor.text(key);
        path_field(ui, view, PathField::Experiment(key), name, value, WIDTH);
        help(ui, view, text);
        ui.add_space(theme::GAP);
    }
    ui.label("What stays a catalogue id is taken from the catalogue. The Train station checks the values, and the first step of a run the files.");
    ui.add_space(theme::SECTION);
    ui.horizontal(|ui| {
        if primary_button(ui, "Use these", true, 0.0).clicked() {
            view.act(Action::UseFolders);
        }
        cancel(ui, view);
    });
}
