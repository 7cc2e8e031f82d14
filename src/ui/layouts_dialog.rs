//! Layouts under names: where the panes of every station are.

use egui::{RichText, Ui};

use super::widgets::{cut_text, entered, named, primary_button};
use super::{View, theme};
use crate::app::{Action, LayoutAction, UiCommand};

/// Room for the name of a layout, points.
const NAME: f32 = 320.0;

/// Draws the question that lies over the station.
pub fn layouts_ui(ui: &mut Ui, view: &View<'_>) {
    let layouts = &view.state.layouts;
    let act = |action: LayoutAction| view.act(Action::Layout(action));
    ui.label(theme::title("Layouts").color(view.theme.strong));
    ui.add_space(theme::GAP);
    let text =
        "Where the panes of all stations are. A pane is dragged by the mark at its top, or moved by commands (Ctrl+K).";
    ui.label(RichText::new(text).color(view.theme.weak));
    ui.add_space(theme::GAP);
    if layouts.named.is_empty() {
        ui.label(RichText::new("None is saved yet.").color(view.theme.weak));
    }
    egui::ScrollArea::vertical().max_height(240.0).show(ui, |ui| {
        for name in layouts.named.keys() {
            ui.horizontal(|ui| {
                let button = ui.button("Use");
                named(ui, &button, &format!("Use {name}"));
                if button.clicked() {
                    act(LayoutAction::Use(name.clone()));
                    view.act(Action::CloseOverlays);
                }
                let button = ui.button("Remove").on_hover_text("Ctrl+Z brings it back");
                named(ui, &button, &format!("Remove {name}"));
                if button.clicked() {
                    act(LayoutAction::Remove(name.clone()));
                }
                cut_text(ui, name);
            });
        }
    });
    ui.add_space(theme::GAP);
    let mut name = layouts.name.clone();
    let is_named = !name.trim().is_empty();
    ui.horizontal(|ui| {
        let field = ui.add(
            egui::TextEdit::singleline(&mut name)
                .hint_text("Name")
                .desired_width(NAME),
        );
        named(ui, &field, "Name of the layout");
        let entered = entered(ui, &[&field]);
        let word = match layouts.named.contains_key(name.trim()) {
            true => "Save over it",
            false => "Save as it is now",
        };
        if primary_button(ui, word, is_named, 0.0).clicked() || entered && is_named {
            act(LayoutAction::Save);
        } else if field.changed() {
            act(LayoutAction::SetName(name));
        }
    });
    ui.add_space(theme::SECTION);
    ui.horizontal(|ui| {
        let reset = UiCommand::ResetLayout;
        let button = egui::Button::new(reset.name());
        let button = ui.add_enabled(reset.refusal(view.state).is_none(), button);
        if button.on_hover_text(reset.tooltip()).clicked() {
            view.command(reset);
        }
        if ui.button("Close").clicked() {
            view.act(Action::CloseOverlays);
        }
    });
}
