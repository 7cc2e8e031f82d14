//! Cells of the table of runs in which something can be done: overlay and sign, state, actions.

use egui::{RichText, Ui};

use crate::app::{Action, UiCommand, can_resume};
use crate::engine::WorkerState;
use crate::runs::{RunEntry, RunStatus};
use crate::ui::widgets::named;
use crate::ui::{View, theme};

/// Whether the run is drawn over the one in focus, and its sign, which can be changed.
pub fn shown_ui(ui: &mut Ui, view: &View<'_>, run: &RunEntry) {
    let usable = run.error.is_none();
    let open = view.state.open_runs.get(&run.folder);
    let mut overlaid = open.is_some_and(|open| open.overlaid);
    let check = ui.add_enabled(usable, egui::Checkbox::without_text(&mut overlaid));
    check.widget_info(|| {
        egui::WidgetInfo::selected(egui::Role::CheckBox, usable, overlaid, format!("Overlay {}", run.name))
    });
    if check.on_hover_text("Draw over the run in focus").changed() {
        view.act(Action::ToggleOverlay(run.folder.clone()));
    }
    let Some(open) = open else { return };
    let sign = view.theme.run(open.sign);
    let button = egui::Button::new(RichText::new(sign.mark).color(sign.color)).frame(false);
    let (response, _) = egui::containers::menu::MenuButton::from_button(button).ui(ui, |ui| {
        for number in 0..theme::RUN_SIGNS {
            let sign = view.theme.run(number);
            let taken = view.state.shown_runs().find(|other| other.sign == number);
            let name = taken.map_or_else(|| "free".to_owned(), |other| other.run().name());
            let text = RichText::new(format!("{}  {name}", sign.mark)).color(sign.color);
            if ui.selectable_label(number == open.sign, text).clicked() {
                view.act(Action::SetSign(run.folder.clone(), number));
                ui.close();
            }
        }
    });
    let response = response.on_hover_text("Colour and mark in every chart; click to change");
    named(ui, &response, &format!("Colour of {}", run.name));
}

/// How the run stands.
pub fn status_ui(ui: &mut Ui, view: &View<'_>, run: &RunEntry) {
    let theme = view.theme;
    let (color, text, why) = match (&run.error, &run.status) {
        (Some(error), _) => (theme.alarm, "▲ broken", Some(error.clone())),
        (None, RunStatus::Failed(reason)) => (theme.alarm, "▲ failed", Some(reason.clone())),
        (None, RunStatus::Running) => (theme.accent, "● running", None),
        (None, RunStatus::Finished) => (theme.good, "✓ finished", None),
        (None, RunStatus::Stopped) => (theme.text, "■ stopped", None),
        (None, RunStatus::Interrupted) => (
            theme.warning,
            "▲ interrupted",
            Some("Its process ended without a word".into()),
        ),
    };
    let label = ui.label(RichText::new(text).color(color));
    if let Some(why) = why {
        label.on_hover_text(why);
    }
}

/// A menu of what can be done to the run.
pub fn actions_ui(ui: &mut Ui, view: &View<'_>, run: &RunEntry) {
    let usable = run.error.is_none();
    let button = egui::Button::new("⋮").frame(false);
    let (response, _) = egui::containers::menu::MenuButton::from_button(button).ui(ui, |ui| {
        // Every row has this menu, so its entries say which run they are of.
        let entry = |ui: &mut Ui, enabled: bool, text: &str| ui.add_enabled(enabled, egui::Button::new(text));
        if entry(ui, usable, &format!("Look at {}", run.name)).clicked() {
            view.act(Action::Focus(run.folder.clone()));
            view.command(UiCommand::GoTrain);
            ui.close();
        }
        if entry(ui, true, "Show its folder").clicked() {
            view.act(Action::Reveal(run.folder.clone()));
            ui.close();
        }
        if can_resume(&run.status) && usable {
            let free = view.state.worker == WorkerState::Idle;
            let resume = entry(ui, free, &format!("Resume {}", run.name));
            let resume = resume.on_disabled_hover_text("The engine is busy; stop that first");
            if resume.on_hover_text(UiCommand::ResumeRun.tooltip()).clicked() {
                view.act(Action::Focus(run.folder.clone()));
                view.act(Action::ResumeRun(run.folder.clone()));
                ui.close();
            }
        }
        let idle = run.status != RunStatus::Running;
        let delete = entry(ui, idle, &format!("Delete {}…", run.name));
        let delete = delete.on_disabled_hover_text("It is being written; stop it first");
        if delete.clicked() {
            view.act(Action::AskDelete(Some(run.folder.clone())));
            ui.close();
        }
    });
    named(ui, &response, &format!("Actions of {}", run.name));
}
