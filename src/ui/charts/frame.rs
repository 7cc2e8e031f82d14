//! What every chart has around it: title, note, menu, the table behind it, and a summary for screen readers.

use egui::mutex::Mutex;
use egui::{Role, WidgetInfo};

use super::axes::small;
use super::export::{Export, Format};
use super::gallery;
use super::local::local;
use super::table::Table;
use super::table_menu::numbers_ui;
use crate::ui::theme::{self, Theme};

/// Height of the title row with the gap below it, points.
const TITLE: f32 = 26.0;

/// The surroundings of one chart.
#[derive(Clone, Debug)]
pub struct ChartFrame<'a> {
    /// Unique in the workbench.
    pub id: egui::Id,
    /// What is shown, with the unit where the axis does not say it.
    pub title: &'a str,
    /// What stands behind the title in the name of a file, where charts of different kinds have one title.
    pub kind: &'a str,
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
    full_screen: bool,
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
        let memory = local::<Memory>(ui.ctx(), self.id);
        let full_screen = {
            let memory = memory.lock();
            memory.full_screen || memory.export.fills_screen()
        };
        let (rect, answer) = match full_screen {
            true => self.full_screen_ui(ui, &memory, &table, body),
            false => self.framed_ui(ui, &memory, self.height, &table, body),
        };
        let mut memory = memory.lock();
        if let Some((path, outcomes)) = gallery::turn(ui.ctx(), self.id, || self.name()) {
            memory.export.write_among(path, outcomes);
        }
        memory.export.run(ui, self.id, rect, table);
        gallery::met(ui.ctx(), self.id, memory.export.is_busy());
        answer
    }

    /// What its files are named after.
    fn name(&self) -> String {
        format!("{} {}", self.title, self.kind)
    }

    /// The chart over everything else, until Esc; its place on the page stays free.
    fn full_screen_ui<R>(
        &self,
        ui: &mut egui::Ui,
        memory: &Mutex<Memory>,
        table: &impl Fn() -> Table,
        body: impl FnOnce(&mut egui::Ui, f32) -> R,
    ) -> (egui::Rect, Option<R>) {
        ui.allocate_space(egui::vec2(ui.available_width(), self.height + TITLE));
        let screen = ui.ctx().content_rect().shrink(theme::PAGE);
        let frame = Theme::of(ui).dialog().inner_margin(theme::SECTION);
        let inside = screen.size() - egui::Vec2::splat(2.0 * theme::SECTION);
        let modal = egui::Modal::new(self.id.with("full screen"))
            .frame(frame)
            .show(ui.ctx(), |ui| {
                ui.set_min_size(inside);
                ui.set_max_size(inside);
                self.framed_ui(ui, memory, inside.y - TITLE - theme::GAP, table, body)
            });
        if modal.should_close() {
            memory.lock().full_screen = false;
        }
        modal.inner
    }

    fn framed_ui<R>(
        &self,
        ui: &mut egui::Ui,
        memory: &Mutex<Memory>,
        height: f32,
        table: &impl Fn() -> Table,
        body: impl FnOnce(&mut egui::Ui, f32) -> R,
    ) -> (egui::Rect, Option<R>) {
        let theme = Theme::of(ui);
        let drawn = ui.vertical(|ui| {
            // The menu has its place first, the note takes what is left.
            let row = egui::Layout::right_to_left(egui::Align::Center);
            let size = egui::vec2(ui.available_width(), 20.0);
            ui.allocate_ui_with_layout(size, row, |ui| {
                self.menu(ui, &mut memory.lock(), table);
                memory.lock().export.outcome_ui(ui);
                ui.with_layout(egui::Layout::left_to_right(egui::Align::Center), |ui| {
                    ui.add(egui::Label::new(theme::caption(self.title).color(theme.strong)).truncate());
                    ui.add(egui::Label::new(small(&self.note, theme.weak)).truncate());
                });
            });
            if let Some(reason) = self.empty {
                ui.allocate_ui(egui::vec2(ui.available_width(), height), |ui| {
                    ui.set_min_height(height);
                    ui.centered_and_justified(|ui| {
                        ui.label(egui::RichText::new(reason).color(theme.weak));
                    });
                });
                return None;
            }
            if memory.lock().as_table {
                table().ui(ui, self.id, height);
                return None;
            }
            Some(body(ui, height))
        });
        let rect = drawn.response.rect;
        let title = rect.with_max_y(rect.top() + TITLE);
        if asks_for_full_screen(ui, rect, title) {
            let mut memory = memory.lock();
            memory.full_screen = !memory.full_screen;
        }
        drawn
            .response
            .widget_info(|| WidgetInfo::labeled(Role::Figure, true, &self.summary));
        (rect, drawn.inner)
    }

    fn menu(&self, ui: &mut egui::Ui, memory: &mut Memory, table: &impl Fn() -> Table) {
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
            let word = if memory.full_screen {
                "Leave full screen"
            } else {
                "Full screen"
            };
            if ui.add(egui::Button::new(word).shortcut_text("F")).clicked() {
                memory.full_screen = !memory.full_screen;
            }
            if ui.button("Copy picture").clicked() {
                memory.export.copy_picture();
            }
            if ui.button("Export PNG…").clicked() {
                memory.export.ask(Format::Png, &self.name());
            }
            numbers_ui(ui, &mut memory.export, &self.name(), table);
        });
        response.widget_info(|| WidgetInfo::labeled(Role::Button, true, format!("menu of {}", self.title)));
    }
}

/// A double click on the title, or the key F over the chart under the pointer or around what has the keyboard, while nobody types.
fn asks_for_full_screen(ui: &egui::Ui, rect: egui::Rect, title: egui::Rect) -> bool {
    let ctx = ui.ctx();
    if ctx.text_edit_focused() {
        return false;
    }
    let twice = ui.input(|input| input.pointer.button_double_clicked(egui::PointerButton::Primary));
    if twice && ui.rect_contains_pointer(title) {
        return true;
    }
    let focused = ctx.memory(|memory| memory.focused());
    let meant = match focused.and_then(|focused| ctx.read_response(focused)) {
        Some(response) => response.layer_id == ui.layer_id() && rect.contains_rect(response.rect),
        None => ui.rect_contains_pointer(rect),
    };
    // One chart a press: the first that is meant takes it.
    meant && ui.input_mut(|input| input.consume_key(egui::Modifiers::NONE, egui::Key::F))
}
