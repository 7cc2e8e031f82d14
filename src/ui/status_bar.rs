//! The bottom bar: the newest notice, what a frame takes, memory, the log drawer.

use egui::{Align, Layout, RichText, TextStyle, TextWrapMode, Ui, WidgetText};

use super::{View, format, theme};
use crate::app::{Action, Notice, UiCommand};

const FRAME_HELP: &str = "Milliseconds from the start of a frame until it is handed to the screen, painting included: 95% of the \
     last 600 frames needed no more.";

/// Draws the status bar.
pub fn status_bar_ui(ui: &mut Ui, view: &View<'_>) {
    let state = view.state;
    ui.with_layout(Layout::right_to_left(Align::Center), |ui| {
        let label = if state.overlay.log { "Close log" } else { "Log" };
        if ui
            .small_button(label)
            .on_hover_text(UiCommand::ToggleLogDrawer.tooltip())
            .clicked()
        {
            view.command(UiCommand::ToggleLogDrawer);
        }
        let mode = match state.theme {
            egui::ThemePreference::Dark => "Dark",
            egui::ThemePreference::Light => "Light",
            egui::ThemePreference::System => "System",
        };
        let theme = ui
            .small_button(format!("{mode} theme"))
            .on_hover_text(UiCommand::CycleTheme.tooltip());
        if theme.clicked() {
            view.command(UiCommand::CycleTheme);
        }
        ui.add_space(theme::TIGHT);
        let weak = |text: String| RichText::new(text).size(theme::SMALL).color(view.theme.weak);
        if let Some(bytes) = state.memory {
            ui.label(weak(format::bytes(bytes as u64)))
                .on_hover_text("Memory that the program holds");
            ui.label(weak("·".into()));
        }
        let frame = state
            .frames
            .p95()
            .map_or("—".into(), |millis| format!("{millis:.1} ms"));
        ui.label(weak(format!("frame {frame}"))).on_hover_text(FRAME_HELP);
        ui.with_layout(Layout::left_to_right(Align::Center), |ui| {
            match state.notices.newest() {
                Some(notice) => notice_ui(ui, view, notice),
                None => {
                    ui.label(weak("ready".into()));
                }
            }
        });
    });
}

/// One notice in a line; a click leads to what it is about.
pub fn notice_ui(ui: &mut Ui, view: &View<'_>, notice: &Notice) {
    let (color, mark) = view.theme.severity(notice.severity);
    ui.label(RichText::new(mark).size(theme::SMALL).color(color));
    let text = RichText::new(&notice.text).size(theme::SMALL);
    match &notice.target {
        Some(target) => {
            let go = RichText::new(format!("go to {}", target.station)).size(theme::SMALL);
            let go = WidgetText::from(go).into_galley(ui, Some(TextWrapMode::Extend), f32::INFINITY, TextStyle::Body);
            // A long notice leaves room for the link.
            let room = ui.available_width() - go.size().x - ui.spacing().item_spacing.x;
            let text = egui::Label::new(text.color(view.theme.text)).truncate();
            let text = ui.scope(|ui| {
                ui.set_max_width(room.max(0.0));
                ui.add(text.sense(egui::Sense::click()))
            });
            if text.inner.clicked() {
                view.act(Action::Focus(target.run.clone()));
                view.act(Action::Go(target.station));
            }
            if ui.link(go).clicked() {
                view.act(Action::Focus(target.run.clone()));
                view.act(Action::Go(target.station));
            }
        }
        None => {
            ui.add(egui::Label::new(text.color(view.theme.text)).truncate());
        }
    }
}
