//! Notices: on top of the station for a moment, and in the log drawer for good.

use egui::{RichText, Ui};
use jiff::tz::TimeZone;

use super::charts::{Table, table_menu};
use super::status_bar::notice_ui;
use super::{View, theme};
use crate::app::Notice;

/// The drawer with every notice, newest first.
pub fn log_ui(ui: &mut Ui, view: &View<'_>) {
    ui.horizontal(|ui| {
        ui.label(theme::caption("Log").color(view.theme.weak));
        table_menu(ui, "log", || {
            let mut table = Table::new(["time", "severity", "text"]);
            let row = |notice: &Notice| {
                let severity = format!("{:?}", notice.severity).to_lowercase();
                vec![notice.at.to_string(), severity, notice.text.clone()]
            };
            table.rows = view.state.notices.iter().map(row).collect();
            table
        });
    });
    egui::ScrollArea::vertical().auto_shrink(false).show(ui, |ui| {
        if view.state.notices.newest().is_none() {
            ui.label(RichText::new("Nothing was told yet.").color(view.theme.weak));
        }
        for notice in view.state.notices.iter().rev() {
            ui.horizontal(|ui| {
                let time = notice
                    .at
                    .to_zoned_datetime(TimeZone::system())
                    .strftime("%H:%M:%S")
                    .to_string();
                ui.label(
                    RichText::new(time)
                        .monospace()
                        .size(theme::SMALL)
                        .color(view.theme.weak),
                );
                notice_ui(ui, view, notice);
            });
        }
    });
}

/// The newest notices at the lower right, unless the log shows them; they vanish, the log keeps them.
pub fn toasts_ui(ctx: &egui::Context, view: &View<'_>) {
    let now = view.state.now;
    let toasts: Vec<&Notice> = view.state.notices.toasts(now).collect();
    if toasts.is_empty() || view.state.overlay.log {
        return;
    }
    // An area of its own for each number of toasts: egui measures a new area before it shows it at the edge.
    egui::Area::new(egui::Id::unique(("toasts", toasts.len())))
        .anchor(egui::Align2::RIGHT_BOTTOM, egui::vec2(-theme::SECTION, -44.0))
        .interactable(false)
        .order(egui::Order::Foreground)
        .show(ctx, |ui| {
            for notice in toasts {
                let left = notice.shown_for() - now.duration_since(notice.at);
                if let Ok(left) = left.try_into() {
                    ctx.request_repaint_after(left);
                }
                let (color, mark) = view.theme.severity(notice.severity);
                view.theme.card().show(ui, |ui| {
                    ui.set_width(380.0);
                    ui.horizontal_top(|ui| {
                        ui.label(RichText::new(mark).color(color));
                        ui.add(egui::Label::new(RichText::new(&notice.text).color(view.theme.strong)).wrap());
                    });
                });
            }
        });
}
