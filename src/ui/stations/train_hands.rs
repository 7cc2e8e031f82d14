//! Hands on the run in focus: its weights and its rate while it trains, roll-back, fork, and taking it up again.

use egui::{DragValue, Id, RichText, TextStyle, TextWrapMode, Ui, WidgetText};

use crate::app::{Action, OpenRun, UiCommand, can_resume, fields, weights};
use crate::experiment::RATE_FACTOR;
use crate::runs::EventRecord;
use crate::ui::widgets::{command_tooltip, named};
use crate::ui::{View, format, theme};

/// Most checkpoints that a menu lists; those of a long run are many.
const LISTED: usize = 20;

/// Draws what can be done to the run in focus now; nothing when there is nothing to do.
pub fn hands_ui(ui: &mut Ui, view: &View<'_>) {
    let state = view.state;
    let Some(open) = state.focused() else { return };
    let here = |run: &OpenRun| run.run().folder == open.run().folder;
    let live = state.in_training().filter(|(run, _)| here(run));
    if let Some((open, step)) = live {
        ui.horizontal_wrapped(|ui| weights_ui(ui, view, open, step));
    }
    let forks = state.fork_steps();
    if live.is_none() && forks.is_empty() && !can_resume(&open.status) {
        return;
    }
    ui.horizontal_wrapped(|ui| {
        if can_resume(&open.status) {
            command_button(ui, view, UiCommand::ResumeRun, "Resume run");
        }
        if live.is_some() {
            steps_menu(
                ui,
                view,
                UiCommand::RollBack,
                "Roll back ▾",
                &state.roll_back_steps(),
                Action::RollBack,
            );
        }
        steps_menu(ui, view, UiCommand::Fork, "Fork ▾", &forks, |step| Action::Fork {
            run: open.run().folder.clone(),
            step,
            changes: Vec::new(),
        });
        if live.is_some()
            && let Some(done) = state.hands().done.last()
        {
            ui.add_space(theme::GAP);
            ui.label(RichText::new(done_text(done)).color(view.theme.weak));
            command_button(ui, view, UiCommand::UndoHand, "Undo");
        }
    });
}

fn weights_ui(ui: &mut Ui, view: &View<'_>, open: &OpenRun, step: usize) {
    ui.label(theme::caption("Weights").color(view.theme.weak))
        .on_hover_text("Take effect from the next step on; each change is logged and marked on the curves");
    let now = weights(open, step);
    let rewarded = now
        .iter()
        .any(|(field, weight)| field == "objective.reward" && *weight > 0.0);
    for (field, value) in now {
        // What rollouts are drawn with is of no account without them.
        if !rewarded && matches!(field.as_str(), "objective.temperature" | "objective.top_p") {
            continue;
        }
        let name = field_name(&field);
        let label = WidgetText::from(&name).into_galley(ui, Some(TextWrapMode::Extend), f32::INFINITY, TextStyle::Body);
        // A name and its number stay in one row.
        let both = label.size().x + ui.spacing().item_spacing.x + ui.spacing().interact_size.x;
        if ui.available_size_before_wrap().x < both {
            ui.end_row();
        }
        let label = ui.label(label);
        weight_ui(ui, view, &field, &name, value).labelled_by(label.id);
    }
}

/// A number that is dragged or typed, and sent when that is done: every value in between would be a change of its own.
fn weight_ui(ui: &mut Ui, view: &View<'_>, field: &str, name: &str, value: f64) -> egui::Response {
    let id = Id::unique(("weight", field));
    let mut edited = ui.data(|data| data.get_temp::<f64>(id)).unwrap_or(value);
    let speed = (value.abs() * 0.01).max(0.001);
    let largest = if field == RATE_FACTOR { 100.0 } else { 1000.0 };
    let drag = DragValue::new(&mut edited)
        .speed(speed)
        .range(0.0..=largest)
        // Every digit: what is shown is what is sent when it is entered again.
        .custom_formatter(|value, _| value.to_string())
        .update_while_editing(false);
    let response = ui.add(drag);
    named(ui, &response, name);
    if response.dragged() {
        ui.data_mut(|data| data.insert_temp(id, edited));
    } else {
        ui.data_mut(|data| data.remove_temp::<f64>(id));
        if edited != value && (response.changed() || response.drag_stopped()) {
            let field = field.to_owned();
            view.act(Action::Intervene { field, value: edited });
        }
    }
    response.on_hover_text(format!("{field}\nDrag, or click and type"))
}

/// The name that the form has for a field.
fn field_name(field: &str) -> String {
    match fields::find(field) {
        Some(known) => known.label.to_owned(),
        None if field == RATE_FACTOR => "learning rate ×".to_owned(),
        None => field.rsplit('.').next().unwrap_or(field).replace('_', " "),
    }
}

fn command_button(ui: &mut Ui, view: &View<'_>, command: UiCommand, text: &str) {
    let enabled = command.refusal(view.state).is_none();
    let help = command_tooltip(view, ui.ctx(), command);
    let button = ui.add_enabled(enabled, egui::Button::new(text));
    if button.on_hover_text(&help).on_disabled_hover_text(help).clicked() {
        view.command(command);
    }
}

/// A menu of checkpoints, newest first.
fn steps_menu(
    ui: &mut Ui,
    view: &View<'_>,
    command: UiCommand,
    text: &str,
    steps: &[usize],
    action: impl Fn(usize) -> Action,
) {
    let enabled = command.refusal(view.state).is_none();
    let help = command_tooltip(view, ui.ctx(), command);
    ui.add_enabled_ui(enabled, |ui| {
        let menu = ui.menu_button(text, |ui| {
            for step in steps.iter().take(LISTED) {
                if ui.button(format!("step {}", format::grouped(*step as i64))).clicked() {
                    view.act(action(*step));
                    ui.close();
                }
            }
        });
        menu.response.on_hover_text(&help).on_disabled_hover_text(&help);
    });
}

/// What was done last: "alignment 0.1 → 0.3 after step 12".
fn done_text(done: &EventRecord) -> String {
    let step = format::grouped(done.step as i64);
    match &done.intervention {
        Some(change) => {
            let (before, value) = (format::number(change.before), format::number(change.value));
            format!("{} {before} → {value} after step {step}", field_name(&change.field))
        }
        None => format!("rolled back to step {step}"),
    }
}
