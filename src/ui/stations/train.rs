//! The Train station: the experiment, and the curves of the run.

use egui::{RichText, Ui};
use strum::IntoEnumIterator as _;

use super::experiment_form::experiment_form_ui;
use super::train_hands::hands_ui;
use crate::app::{Action, ChartSettings, OpenRun, Pane, UiCommand, XAxis};
use crate::engine::WorkerState;
use crate::runs::RunStatus;
use crate::ui::charts::run_charts_ui;
use crate::ui::docks::panes_ui;
use crate::ui::widgets::empty_state;
use crate::ui::{View, format, theme};

const PREPARING_WIDTH: f32 = 440.0;

/// Room of the slider with its name and number, points.
const SMOOTHING: f32 = 240.0;

/// Runs whose alarms have a line each; of more, only the counts are shown.
const LINES_OF_ALARMS: usize = 2;

/// Draws the Train station.
pub fn train_ui(ui: &mut Ui, view: &View<'_>) {
    panes_ui(ui, view, &[Pane::Experiment, Pane::Curves], |ui, pane| match pane {
        Pane::Experiment => experiment_form_ui(ui, view),
        _ => curves_ui(ui, view),
    });
}

fn curves_ui(ui: &mut Ui, view: &View<'_>) {
    let state = view.state;
    let has_steps = state.shown_runs().any(|open| !open.run().scalars.is_empty());
    let waits_for_first_step = state.training().is_some_and(|run| state.focus.as_deref() == Some(run)) && !has_steps;
    if has_steps {
        if state.worker == WorkerState::Preparing {
            view.theme.card().show(ui, |ui| progress_ui(ui, view));
            ui.add_space(theme::GAP);
        }
        toolbar_ui(ui, view);
        hands_ui(ui, view);
        ui.add_space(theme::GAP);
        run_charts_ui(ui, view);
    } else if waits_for_first_step || state.worker == WorkerState::Preparing {
        preparing_ui(ui, view);
    } else {
        nothing_ui(ui, view);
    }
}

fn nothing_ui(ui: &mut Ui, view: &View<'_>) {
    match view.state.focused() {
        Some(open) => {
            failure_ui(ui, view, open);
            hands_ui(ui, view);
            empty_state(
                ui,
                view,
                &format!("{} has no steps", open.run().name()),
                "A run that ended before its first step has no curves. Choose another one.",
                Some(("Go to Runs", Action::Command(UiCommand::GoRuns))),
            );
        }
        None => empty_state(
            ui,
            view,
            "Curves of a run appear here",
            "Losses, exact match and edit similarity of the arms, gradient norm, learning rate and throughput, step by step. \
             Start a run at the left, or look at an earlier one.",
            Some(("Go to Runs", Action::Command(UiCommand::GoRuns))),
        ),
    }
}

/// What the engine does before the first step, on a page of its own.
fn preparing_ui(ui: &mut Ui, view: &View<'_>) {
    let top = ui.available_height() * 0.3;
    let side = (ui.available_width() - PREPARING_WIDTH).max(0.0) / 2.0;
    ui.add_space(top);
    ui.horizontal(|ui| {
        ui.add_space(side);
        ui.vertical(|ui| {
            ui.set_width(PREPARING_WIDTH);
            progress_ui(ui, view);
            ui.add_space(theme::GAP);
            ui.label(
                RichText::new(
                    "Reading code, retrieving chunks, encoding them (once; later runs reuse the vectors), then the first step.",
                )
                .color(view.theme.weak),
            );
        });
    });
}

/// The task that comes before the first step, how far it is, and the way to stop it.
fn progress_ui(ui: &mut Ui, view: &View<'_>) {
    ui.horizontal(|ui| {
        ui.label(theme::title("Getting ready").color(view.theme.strong));
        ui.with_layout(egui::Layout::right_to_left(egui::Align::Center), |ui| {
            if ui
                .button("Cancel")
                .on_hover_text(UiCommand::StopTraining.tooltip())
                .clicked()
            {
                view.command(UiCommand::StopTraining);
            }
        });
    });
    let Some(progress) = &view.state.progress else {
        ui.label("waiting for the first step");
        return;
    };
    let (done, total) = (
        format::grouped(progress.done as i64),
        format::grouped(progress.total as i64),
    );
    if progress.total == 0 {
        ui.label(format!("{} · {done} {}", progress.task, progress.unit));
        return;
    }
    ui.label(format!("{} · {done} of {total} {}", progress.task, progress.unit));
    let share = progress.done as f32 / progress.total as f32;
    let bar = egui::ProgressBar::new(share).desired_height(8.0).corner_radius(4.0);
    ui.add(bar.fill(view.theme.accent));
}

/// How the charts are drawn, and which runs they show.
fn toolbar_ui(ui: &mut Ui, view: &View<'_>) {
    let charts = view.state.charts;
    ui.horizontal_wrapped(|ui| {
        ui.label(RichText::new("x axis").color(view.theme.weak));
        for x in XAxis::iter() {
            if ui.selectable_label(charts.x == x, x.to_string()).clicked() {
                view.act(Action::SetCharts(ChartSettings { x, ..charts }));
            }
        }
        ui.separator();
        let mut log = charts.log;
        if ui.checkbox(&mut log, "log scale").changed() {
            view.act(Action::SetCharts(ChartSettings { log, ..charts }));
        }
        ui.separator();
        // A slider does not know its width before it is drawn, and would be cut.
        if ui.available_size_before_wrap().x < SMOOTHING {
            ui.end_row();
        }
        let label = ui.label(RichText::new("smoothing").color(view.theme.weak));
        let mut smoothing = charts.smoothing;
        ui.spacing_mut().slider_width = 90.0;
        let slider = egui::Slider::new(&mut smoothing, 0.0..=0.98).fixed_decimals(2);
        let help = "Weight of the past in the strong curves (debiased moving average over every step); the faint curves are the raw values";
        if ui.add(slider).labelled_by(label.id).on_hover_text(help).changed() {
            view.act(Action::SetCharts(ChartSettings { smoothing, ..charts }));
        }
        if let Some(step) = view.state.selection.step {
            ui.separator();
            if ui.button(format!("step {step} pinned ×")).on_hover_text("Follow the newest step").clicked() {
                view.command(UiCommand::UnpinStep);
            }
        }
    });
    ui.horizontal_wrapped(|ui| {
        let labels = format::run_labels(view.state.shown_runs().map(|open| open.run().folder.as_path()));
        for (open, label) in view.state.shown_runs().zip(labels) {
            let sign = view.theme.run(open.sign);
            ui.label(RichText::new(sign.mark).color(sign.color));
            ui.label(RichText::new(label).color(view.theme.strong));
            let run = open.run();
            let done = run.scalars.last().map_or(0, |scalar| scalar.step);
            let (status, steps) = (open.status.label(), run.experiment.schedule.steps);
            let text = RichText::new(format!("{status} · {done}/{steps} steps")).size(theme::SMALL);
            ui.add(egui::Label::new(text.color(view.theme.weak)).extend());
            ui.add_space(theme::GAP);
        }
    });
    for open in view.state.shown_runs() {
        failure_ui(ui, view, open);
    }
    let shown = view.state.shown_runs();
    let alarmed: Vec<&OpenRun> = shown.filter(|open| !open.run().standing_alarms().is_empty()).collect();
    if alarmed.len() > LINES_OF_ALARMS || view.state.tour.is_some() {
        ui.horizontal_wrapped(|ui| alarmed.iter().for_each(|open| alarm_count_ui(ui, view, open)));
    } else {
        alarmed.iter().for_each(|open| alarms_ui(ui, view, open));
    }
}

/// Why a run failed, readable in full.
fn failure_ui(ui: &mut Ui, view: &View<'_>, open: &OpenRun) {
    if let RunStatus::Failed(reason) = &open.status {
        ui.label(RichText::new(format!("▲ {} failed: {reason}", open.run().name())).color(view.theme.alarm));
    }
}

/// How many alarms stand, where many runs have some; which they are, under the pointer.
fn alarm_count_ui(ui: &mut Ui, view: &View<'_>, open: &OpenRun) {
    let run = open.run();
    let standing = run.standing_alarms();
    let text = format!("▲ {}: {}", run.name(), format::count(standing.len(), "alarm"));
    let label = ui.add(egui::Label::new(RichText::new(text).color(view.theme.alarm)).extend());
    let lines = standing.iter().map(|(alarm, event)| {
        let step = format::grouped(event.step as i64);
        format!(
            "{}, step {step}: {}\nTo do: {}",
            alarm.label(),
            event.reason,
            alarm.advice()
        )
    });
    label.on_hover_text(lines.collect::<Vec<_>>().join("\n"));
    ui.add_space(theme::GAP);
}

/// The alarms that stand, in a line; what was seen and what to do about it under the pointer.
fn alarms_ui(ui: &mut Ui, view: &View<'_>, open: &OpenRun) {
    let run = open.run();
    let standing = run.standing_alarms();
    ui.horizontal_wrapped(|ui| {
        ui.label(RichText::new(format!("▲ {}", run.name())).color(view.theme.alarm));
        for (alarm, event) in standing {
            let text = format!("{}, step {}", alarm.label(), format::grouped(event.step as i64));
            let text = RichText::new(text).color(view.theme.alarm);
            let label = ui.add(egui::Label::new(text).extend());
            let more = format!("{}\nTo do: {}", event.reason, alarm.advice());
            label.on_hover_text(more);
            ui.add_space(theme::GAP);
        }
    });
}
