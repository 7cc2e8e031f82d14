//! The top bar: the run in focus, what the engine does, transport, device.

use egui::{Align, Layout, Ui};

use super::recents::recents_ui;
use super::recording::badge_ui;
use super::widgets::{Icon, command_tooltip, icon_button};
use super::{View, format, theme};
use crate::app::{Action, Recent, RecentKind, UiCommand};
use crate::engine::{Progress, WorkerState};
use crate::runs;

/// Draws the top bar.
pub fn top_bar_ui(ui: &mut Ui, view: &View<'_>) {
    ui.horizontal_centered(|ui| {
        ui.label(
            egui::RichText::new("LLavaCode")
                .family(theme::semibold())
                .color(view.theme.strong),
        );
        ui.add_space(theme::GAP);
        run_menu(ui, view);
        badge_ui(ui, view);
        ui.with_layout(Layout::right_to_left(Align::Center), |ui| {
            ui.label(egui::RichText::new(&view.state.device).color(view.theme.weak))
                .on_hover_text("Computes models and training");
            ui.add_space(theme::GAP);
            transport(ui, view);
            ui.add_space(theme::GAP);
            worker_ui(ui, view);
            fetch_ui(ui, view);
        });
    });
}

fn run_menu(ui: &mut Ui, view: &View<'_>) {
    let name = view.state.focus.as_deref().map(runs::name_of);
    let label = format!("run: {} ▾", name.as_deref().unwrap_or("none"));
    ui.menu_button(label, |ui| {
        ui.set_min_width(240.0);
        egui::ScrollArea::vertical().max_height(420.0).show(ui, |ui| {
            for entry in view.state.runs.iter().filter(|entry| entry.error.is_none()) {
                let focused = view.state.focus.as_deref() == Some(entry.folder.as_path());
                let text = format!(
                    "{} · {} · {}/{}",
                    entry.name,
                    entry.status.label(),
                    entry.steps_done,
                    entry.steps
                );
                if ui.selectable_label(focused, text).clicked() {
                    view.act(Action::Focus(entry.folder.clone()));
                    ui.close();
                }
            }
        });
        if view.state.runs.is_empty() {
            ui.label(egui::RichText::new("no runs yet").color(view.theme.weak));
        }
        let is_open = |recent: &Recent| view.state.focus.as_ref() == Some(&recent.folder);
        if let Some(recent) = recents_ui(ui, view, RecentKind::Run, ("opened from elsewhere", 420.0), is_open) {
            view.act(Action::Focus(recent.folder.clone()));
            ui.close();
        }
        ui.separator();
        if ui.button(UiCommand::OpenRun.name()).clicked() {
            view.command(UiCommand::OpenRun);
            ui.close();
        }
    })
    .response
    .on_hover_text("The run that every station shows");
}

fn transport(ui: &mut Ui, view: &View<'_>) {
    let paused = matches!(&view.state.worker, WorkerState::Training { paused: true, .. });
    let pause = if paused {
        (Icon::Play, "Resume")
    } else {
        (Icon::Pause, "Pause")
    };
    let buttons = [
        (UiCommand::StopTraining, (Icon::Stop, "Stop")),
        (UiCommand::StepOnce, (Icon::Step, "Step")),
        (UiCommand::PauseOrResume, pause),
    ];
    for (command, (icon, name)) in buttons {
        let enabled = command.refusal(view.state).is_none();
        let response = icon_button(ui, icon, name, enabled).on_hover_text(command_tooltip(view, ui.ctx(), command));
        if response.clicked() {
            view.command(command);
        }
    }
}

/// A download that goes on while another page is shown; a click leads to it.
fn fetch_ui(ui: &mut Ui, view: &View<'_>) {
    let setup = &view.state.setup;
    if !setup.fetching {
        return;
    }
    let progress = setup.fetch.as_ref().map(|fetch| &fetch.progress);
    let share = progress.and_then(|progress| (100 * progress.done).checked_div(progress.total));
    let text = match share {
        Some(percent) => format!("↓ models and code {percent} %"),
        None => "↓ models and code".to_owned(),
    };
    ui.add_space(theme::GAP);
    if ui.link(text).on_hover_text(UiCommand::Fetch.tooltip()).clicked() {
        view.command(UiCommand::Fetch);
    }
}

/// What the engine does, in a line: "● training 412/850 · 5.1 samples/s · 3 min left".
fn worker_ui(ui: &mut Ui, view: &View<'_>) {
    let theme = view.theme;
    let progress = view.state.progress.as_ref();
    let (color, text) = match &view.state.worker {
        WorkerState::Idle => (theme.weak, "idle".to_owned()),
        WorkerState::Preparing => {
            let task = progress.map_or("preparing", |progress| &progress.task);
            (theme.accent, format!("● {task}"))
        }
        WorkerState::Training {
            step,
            steps,
            paused: false,
            samples_per_second,
            seconds_left,
            ..
        } => {
            let mut text = match progress {
                Some(progress) => format!("● {} at step {step}/{steps}", how_far(progress)),
                None => format!(
                    "● training {step}/{steps} · {} samples/s",
                    format::number(*samples_per_second)
                ),
            };
            if let Some(seconds) = seconds_left {
                text += &format!(" · {} left", format::duration(*seconds));
            }
            (theme.accent, text)
        }
        WorkerState::Training { step, steps, .. } => (theme.accent, format!("paused at {step}/{steps}")),
        WorkerState::Evaluating { run } => {
            let name = runs::name_of(run);
            let text = match progress {
                Some(progress) => format!("● {} · {name}", how_far(progress)),
                None => format!("● evaluating {name}"),
            };
            (theme.accent, text)
        }
    };
    ui.label(egui::RichText::new(text).color(color));
}

/// "evaluating 37/128", or the task alone when its size is unknown.
fn how_far(progress: &Progress) -> String {
    match progress.total {
        0 => progress.task.clone(),
        total => format!("{} {}/{total}", progress.task, progress.done),
    }
}
