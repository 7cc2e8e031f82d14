//! What every chart has around it: title, note, menu, the table behind it, and a summary for screen readers.

use egui::{Role, WidgetInfo};

use super::axes::small;
use super::export::{Export, Format};
use super::local::local;
use super::table::Table;
use crate::ui::theme::{self, Theme};

/// The surroundings of one chart.
#[derive(Clone, Debug)]
pub struct ChartFrame<'a> {
    /// Unique in the workbench.
    pub id: egui::Id,
    /// What is shown, with the unit where the axis does not say it.
    pub title: &'a str,
    /// What a person must know to read it right: points left out, values that have no place.
    pub note: String,
    /// What the chart shows, in a sentence, for screen readers.
    pub summary: String,
    /// Height of the part below the title, points.
    pub height: f32,
    /// What would be here and what brings it; set when there is nothing to draw.
    pub empty: Option<&'a str>,
}

#[derive(Default)]
struct Memory {
    as_table: bool,
    export: Export,
}

impl ChartFrame<'_> {
    /// Draws the title row and, below it, `body` or the table or the reason why there is nothing.
    ///
    /// `body` gets the height that it has; its answer is none while it is not drawn.
    pub fn show<R>(
        self,
        ui: &mut egui::Ui,
        table: impl Fn() -> Table,
        body: impl FnOnce(&mut egui::Ui, f32) -> R,
    ) -> Option<R> {
        let theme = Theme::of(ui);
        let memory = local::<Memory>(ui.ctx(), self.id);
        let drawn = ui.vertical(|ui| {
            // The menu has its place first, the note takes what is left.
            let row = egui::Layout::right_to_left(egui::Align::Center);
            ui.allocate_ui_with_layout(egui::vec2(ui.available_width(), 20.0), row, |ui| {
                self.menu(ui, &mut memory.lock());
                memory.lock().export.outcome_ui(ui);
                ui.with_layout(egui::Layout::left_to_right(egui::Align::Center), |ui| {
                    ui.add(egui::Label::new(theme::caption(self.title).color(theme.strong)).truncate());
                    ui.add(egui::Label::new(small(&self.note, theme.weak)).truncate());
                });
            });
            if let Some(reason) = self.empty {
                ui.allocate_ui(egui::vec2(ui.available_width(), self.height), |ui| {
                    ui.set_min_height(self.height);
                    ui.centered_and_justified(|ui| {
                        ui.label(egui::RichText::new(reason).color(theme.weak));
                    });
                });
                return None;
            }
            if memory.lock().as_table {
                table().ui(ui, self.id, self.height);
                return None;
            }
            Some(body(ui, self.height))
        });
        drawn
            .response
            .widget_info(|| WidgetInfo::labeled(Role::Figure, true, &self.summary));
        memory.lock().export.run(ui, self.id, drawn.response.rect, table);
        drawn.inner
    }

    fn menu(&self, ui: &mut egui::Ui, memory: &mut Memory) {
        let button = egui::Button::new("⋮").frame(false);
        let config = egui::containers::menu::MenuButton::from_button(button);
        let (response, _) = config.ui(ui, |ui| {
            let word = if memory.as_table {
                "Show as chart"
            } else {
                "Show as table"
            };
            if ui.button(word).clicked() {
                memory.as_table = !memory.as_table;
            }
            if ui.button("Export PNG…").clicked() {
                memory.export.ask(Format::Png, self.title);
            }
            if ui.button("Export CSV…").clicked() {
                memory.export.ask(Format::Csv, self.title);
            }
        });
        response.widget_info(|| WidgetInfo::labeled(Role::Button, true, format!("menu of {}", self.title)));
    }
}
