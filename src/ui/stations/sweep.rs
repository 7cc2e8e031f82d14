//! The Sweep page of the Runs station: which sweep, how far it is, its cells and the chart of a metric.

use egui::{Id, RichText, Ui};

use super::sweep_chart::{Chosen, chart_ui};
use super::sweep_table::{cells_ui, numbers};
use crate::app::{Action, UiCommand};
use crate::runs::{Sweep, TrialStatus, name_of};
use crate::ui::charts::{local, table_menu};
use crate::ui::widgets::{command_tooltip, empty_state};
use crate::ui::{View, format, theme};

/// Draws the page.
pub fn sweep_ui(ui: &mut Ui, view: &View<'_>) {
    let sweeps = &view.state.sweeps;
    let Some(sweep) = &sweeps.open else {
        let text = "Every combination of some values, each with several seeds, in one table with intervals.";
        let text = sweeps.error.as_deref().unwrap_or(text);
        let title = if sweeps.error.is_some() {
            "This sweep cannot be read"
        } else {
            "Sweeps appear here"
        };
        let run = UiCommand::RunSweep;
        return empty_state(ui, view, title, text, Some((run.name(), Action::Command(run))));
    };
    head_ui(ui, view, sweep);
    if let Some(error) = &sweeps.error {
        ui.label(RichText::new(format!("▲ {error}")).color(view.theme.alarm));
    }
    ui.add_space(theme::GAP);
    let chosen = local::<Chosen>(ui.ctx(), Id::unique("metric of the sweep"));
    let mut chosen = chosen.lock();
    if let Some(table) = &sweep.table {
        egui::Panel::bottom("chart of the sweep")
            .resizable(true)
            .default_size((ui.available_height() * 0.5).max(160.0))
            .frame(egui::Frame::new().inner_margin(egui::Margin {
                top: 8,
                ..egui::Margin::ZERO
            }))
            .show(ui, |ui| {
                // The border stays where a person put it, however little the chart needs.
                ui.set_min_height(ui.available_height());
                chart_ui(ui, view, sweep, table, &mut chosen);
            });
    }
    cells_ui(ui, view, sweep);
}

fn head_ui(ui: &mut Ui, view: &View<'_>, sweep: &Sweep) {
    ui.horizontal_wrapped(|ui| {
        let label = ui.label("sweep");
        egui::ComboBox::from_id_salt("sweep")
            .selected_text(name_of(&sweep.folder))
            .width(180.0)
            .show_ui(ui, |ui| {
                for folder in &view.state.sweeps.folders {
                    let name = ui.selectable_label(*folder == sweep.folder, name_of(folder));
                    if name.on_hover_text(folder.display().to_string()).clicked() {
                        view.act(Action::OpenSweep(folder.clone()));
                    }
                }
            })
            .response
            .labelled_by(label.id);
        let file = &sweep.plan.file;
        let what = format!(
            "{} · {} · {} split",
            file.measure,
            format::count(sweep.plan.cells.len(), "cell"),
            file.split
        );
        ui.label(RichText::new(what).color(view.theme.weak));
        ui.label(progress_text(sweep));
        ui.separator();
        let run = UiCommand::RunSweep;
        let refusal = run.refusal(view.state);
        let help = command_tooltip(view, ui.ctx(), run);
        if !sweep.is_done() && !view.state.sweeps.is_running() {
            let resume = ui.add_enabled(refusal.is_none(), egui::Button::new("Resume sweep"));
            let resume = resume.on_hover_text("Goes on with the trials that are not done");
            if resume.on_disabled_hover_text(&help).clicked() {
                view.act(Action::ResumeSweep(sweep.folder.clone()));
            }
        }
        let button = ui.add_enabled(refusal.is_none(), egui::Button::new(run.name()));
        if button.on_hover_text(&help).on_disabled_hover_text(&help).clicked() {
            view.command(run);
        }
        let folder = ui.button("Show its folder");
        if folder
            .on_hover_text("table.csv, table.tex and chart.svg lie there")
            .clicked()
        {
            view.act(Action::Reveal(sweep.folder.clone()));
        }
        table_menu(ui, "cells of the sweep", || numbers(sweep));
    });
}

/// "12 of 16 trials done, 1 running, 2 waiting, 1 failed".
fn progress_text(sweep: &Sweep) -> String {
    let mut text = format!(
        "{} of {} done",
        sweep.count(|status| *status == TrialStatus::Done),
        format::count(sweep.trials.len(), "trial")
    );
    for (count, word) in [
        (sweep.count(|status| *status == TrialStatus::Running), "running"),
        (sweep.count(|status| *status == TrialStatus::Waiting), "waiting"),
        (sweep.count(|status| *status == TrialStatus::Interrupted), "interrupted"),
        (sweep.count(|status| matches!(status, TrialStatus::Failed(_))), "failed"),
    ] {
        if count > 0 {
            text.push_str(&format!(", {count} {word}"));
        }
    }
    text
}
