//! The left rail: the stations.

use egui::{Align, Layout, Role, Sense, Ui, Vec2, WidgetInfo};
use strum::IntoEnumIterator as _;

use super::widgets::command_tooltip;
use super::{View, theme};
use crate::app::{Station, UiCommand};

/// Draws the rail.
pub fn rail_ui(ui: &mut Ui, view: &View<'_>) {
    ui.spacing_mut().item_spacing.y = 2.0;
    for station in Station::iter() {
        let command = UiCommand::go(station);
        if entry(ui, view, &station.to_string(), command, view.state.station == station) {
            view.command(command);
        }
    }
    ui.with_layout(Layout::bottom_up(Align::Min), |ui| {
        for (name, command) in [("Keyboard", UiCommand::Shortcuts), ("Commands", UiCommand::Palette)] {
            if entry(ui, view, name, command, false) {
                view.command(command);
            }
        }
    });
}

fn entry(ui: &mut Ui, view: &View<'_>, name: &str, command: UiCommand, selected: bool) -> bool {
    let theme = view.theme;
    let (rect, response) = ui.allocate_exact_size(Vec2::new(ui.available_width(), 32.0), Sense::click());
    response.widget_info(|| WidgetInfo::selected(Role::Button, true, selected, name));
    let color = if selected || response.hovered() {
        theme.strong
    } else {
        theme.text
    };
    if selected || response.hovered() || response.has_focus() {
        let fill = if selected { theme.raised } else { theme.hovered };
        ui.painter().rect_filled(rect, theme::ROUNDING, fill);
    }
    if selected {
        let bar = egui::Rect::from_min_size(rect.min + Vec2::new(0.0, 8.0), Vec2::new(3.0, 16.0));
        ui.painter().rect_filled(bar, 1.5, theme.accent);
    }
    let family = if selected {
        theme::semibold()
    } else {
        egui::FontFamily::Proportional
    };
    ui.painter().text(
        rect.left_center() + Vec2::new(14.0, 0.0),
        egui::Align2::LEFT_CENTER,
        name,
        egui::FontId::new(theme::BODY, family),
        color,
    );
    if let Some(shortcut) = command.shortcut() {
        ui.painter().text(
            rect.right_center() - Vec2::new(10.0, 0.0),
            egui::Align2::RIGHT_CENTER,
            ui.ctx().format_shortcut(&shortcut),
            egui::FontId::new(theme::SMALL, egui::FontFamily::Proportional),
            theme.weak,
        );
    }
    response
        .on_hover_text(command_tooltip(view, ui.ctx(), command))
        .clicked()
}
