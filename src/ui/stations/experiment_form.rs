//! The experiment as grouped fields: drawn from the table of fields, so that nothing is written twice.

use egui::{RichText, Ui, Vec2};

use crate::app::fields::{Field, GROUPS, Kind};
use crate::app::{Action, PRESETS, PathField, UiCommand};
use crate::engine::WorkerState;
use crate::ui::widgets::{Icon, command_tooltip, icon_button, named, primary_button};
use crate::ui::{View, theme};

const LABEL: f32 = 142.0;
const FIELD: f32 = 92.0;

/// The preset, the fields of every group in a scroll area, and below them Start with what stands in its way.
pub fn experiment_form_ui(ui: &mut Ui, view: &View<'_>) {
    preset_ui(ui, view);
    ui.add_space(theme::TIGHT);
    egui::Panel::bottom("start")
        .frame(egui::Frame::new().inner_margin(egui::Margin::symmetric(0, 12)))
        .show_separator_line(true)
        .show(ui, |ui| start_ui(ui, view));
    egui::ScrollArea::vertical().auto_shrink(false).show(ui, |ui| {
        for group in GROUPS {
            ui.add_space(theme::GAP);
            ui.label(theme::caption(group.name).color(view.theme.weak));
            for field in group.fields {
                field_ui(ui, view, field);
            }
        }
        ui.add_space(theme::SECTION);
    });
}

fn preset_ui(ui: &mut Ui, view: &View<'_>) {
    let editor = &view.state.editor;
    let current = PRESETS.get(editor.preset);
    ui.horizontal(|ui| {
        let label = ui.label(theme::caption("Preset").color(view.theme.weak));
        egui::ComboBox::from_id_salt("preset")
            .selected_text(current.map_or("none", |preset| preset.name))
            .width(120.0)
            .show_ui(ui, |ui| {
                for (i, preset) in PRESETS.iter().enumerate() {
                    let row = ui
                        .selectable_label(i == editor.preset, preset.name)
                        .on_hover_text(preset.shows);
                    if row.clicked() {
                        view.act(Action::LoadPreset(i));
                    }
                }
            })
            .response
            .labelled_by(label.id);
        let reset = UiCommand::ResetExperiment;
        if editor.is_changed() && ui.button("Reset all").on_hover_text(reset.tooltip()).clicked() {
            view.command(reset);
        }
        let undo = UiCommand::Undo;
        if undo.refusal(view.state).is_none()
            && icon_button(ui, Icon::Undo, undo.name(), true)
                .on_hover_text(command_tooltip(view, ui.ctx(), undo))
                .clicked()
        {
            view.command(undo);
        }
    });
    if let Some(preset) = current {
        ui.label(RichText::new(preset.shows).size(theme::SMALL).color(view.theme.weak));
    }
}

fn field_ui(ui: &mut Ui, view: &View<'_>, field: &'static Field) {
    let editor = &view.state.editor;
    let (differs, problem) = (editor.differs(field.key), editor.field_problem(field.key));
    ui.horizontal(|ui| {
        ui.spacing_mut().item_spacing.x = 6.0;
        let label = label_ui(ui, view, field, differs);
        value_ui(ui, view, field, &label);
        if differs {
            let back = format!("Reset {} to {}", field.label, editor.base_text(field.key));
            if icon_button(ui, Icon::Undo, &back, true).on_hover_text(back).clicked() {
                view.act(Action::ResetField(field.key));
            }
        }
        if !field.unit.is_empty() {
            ui.label(RichText::new(field.unit).size(theme::SMALL).color(view.theme.weak));
        }
    });
    if let Some(problem) = problem {
        ui.label(
            RichText::new(format!("▲ {problem}"))
                .size(theme::SMALL)
                .color(view.theme.alarm),
        );
    }
}

/// The field's name, with a dot in the accent colour when its value differs from the preset.
fn label_ui(ui: &mut Ui, view: &View<'_>, field: &Field, differs: bool) -> egui::Response {
    let size = Vec2::new(LABEL, ui.spacing().interact_size.y);
    let (rect, label) = ui.allocate_exact_size(size, egui::Sense::hover());
    label.widget_info(|| egui::WidgetInfo::labeled(egui::Role::Label, true, field.label));
    let (color, family) = if differs {
        (view.theme.strong, theme::semibold())
    } else {
        (view.theme.text, egui::FontFamily::Proportional)
    };
    let text = ui.painter().text(
        rect.left_center(),
        egui::Align2::LEFT_CENTER,
        field.label,
        egui::FontId::new(theme::BODY, family),
        color,
    );
    if differs {
        let dot = text.right_center() + Vec2::new(8.0, 0.0);
        ui.painter().circle_filled(dot, 3.0, view.theme.accent);
    }
    label.on_hover_text(format!("{}\n{}", field.help, field.key))
}

fn value_ui(ui: &mut Ui, view: &View<'_>, field: &'static Field, label: &egui::Response) {
    let mut text = view.state.editor.text(field.key).to_owned();
    let set = |text: String| view.act(Action::SetField { key: field.key, text });
    match field.kind {
        Kind::Switch => {
            let mut on = text == "true";
            let word = if on { "yes" } else { "no" };
            if ui.checkbox(&mut on, word).labelled_by(label.id).changed() {
                set(on.to_string());
            }
        }
        Kind::Choice(words) => {
            egui::ComboBox::from_id_salt(field.key)
                .selected_text(text.as_str())
                .width(FIELD + 20.0)
                .show_ui(ui, |ui| {
                    for word in words {
                        if ui.selectable_label(text == *word, *word).clicked() {
                            set((*word).to_owned());
                        }
                    }
                })
                .response
                .labelled_by(label.id);
        }
        Kind::Several(words) => several_ui(ui, view, field, words, &text),
        Kind::Path => {
            let edit = egui::TextEdit::singleline(&mut text).desired_width(ui.available_width() - 40.0);
            let response = ui.add(edit).labelled_by(label.id).on_hover_text(text.as_str());
            if response.changed() {
                set(text);
            }
            let browse = ui.button("…").on_hover_text("Choose a folder");
            named(ui, &browse, &format!("Choose a folder for {}", field.label));
            if browse.clicked() {
                view.act(Action::PickFolder(PathField::Experiment(field.key)));
            }
        }
        Kind::Text | Kind::Whole | Kind::Number => {
            let number = field.kind != Kind::Text;
            let mut edit = egui::TextEdit::singleline(&mut text).desired_width(FIELD);
            if number {
                edit = edit.align(egui::Align2::RIGHT_CENTER);
            }
            if ui.add(edit).labelled_by(label.id).changed() {
                set(text);
            }
        }
    }
}

/// A menu with a mark for each word; the button says how many are chosen.
fn several_ui(ui: &mut Ui, view: &View<'_>, field: &'static Field, words: &[&str], text: &str) {
    let chosen: Vec<&str> = text.split(", ").filter(|word| !word.is_empty()).collect();
    let config =
        egui::containers::menu::MenuConfig::new().close_behavior(egui::PopupCloseBehavior::CloseOnClickOutside);
    let button =
        egui::containers::menu::MenuButton::new(format!("{} of {} ▾", chosen.len(), words.len())).config(config);
    let (button, _) = button.ui(ui, |ui| {
        for word in words {
            let mut on = chosen.contains(word);
            if ui.checkbox(&mut on, word.replace('_', " ")).changed() {
                let kept = words
                    .iter()
                    .filter(|other| if *other == word { on } else { chosen.contains(*other) });
                let text = kept.copied().collect::<Vec<_>>().join(", ");
                view.act(Action::SetField { key: field.key, text });
            }
        }
    });
    named(ui, &button, field.label);
    button.on_hover_text(text.replace('_', " "));
}

/// Start, and the line that says whether it may be pressed.
fn start_ui(ui: &mut Ui, view: &View<'_>) {
    let state = view.state;
    let refusal = UiCommand::StartTraining.refusal(state);
    let experiment = state.editor.experiment();
    match &refusal {
        Some(reason) => {
            let (mark, color) = if state.worker == WorkerState::Idle {
                ("▲", view.theme.alarm)
            } else {
                ("·", view.theme.weak)
            };
            ui.label(RichText::new(format!("{mark} {reason}")).color(color));
        }
        None => {
            let (steps, batch) = (experiment.schedule.steps, experiment.schedule.batch);
            let text = format!("✓ ready: {steps} steps of {batch} samples");
            ui.label(RichText::new(text).color(view.theme.good));
        }
    }
    ui.add_space(theme::TIGHT);
    if state.worker == WorkerState::Idle && state.lacking(experiment).is_some() {
        let fetch = UiCommand::Fetch;
        if ui.button(fetch.name()).on_hover_text(fetch.tooltip()).clicked() {
            view.command(fetch);
        }
    }
    let start = primary_button(ui, "Start training", refusal.is_none(), ui.available_width())
        .on_hover_text(command_tooltip(view, ui.ctx(), UiCommand::StartTraining))
        .on_disabled_hover_text(refusal.unwrap_or_default());
    if state.editor.focus_start {
        start.request_focus();
        view.act(Action::StartFocused);
    }
    if start.clicked() {
        view.command(UiCommand::StartTraining);
    }
}
