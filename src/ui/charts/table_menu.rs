//! What can be done with the numbers of a table: copy them, or write them to a file.

use egui::{Rect, Role, Ui, WidgetInfo};

use super::export::{CopyFormat, Export, Format};
use super::local::local;
use super::table::Table;

/// The entries of a menu about numbers; `name` is proposed for a file.
pub fn numbers_ui(ui: &mut Ui, export: &mut Export, name: &str, table: &impl Fn() -> Table) {
    let tsv = ui
        .button("Copy numbers")
        .on_hover_text("With tabs between the cells, for a spreadsheet");
    if tsv.clicked() {
        export.copy(ui.ctx(), &table(), CopyFormat::Tsv);
    }
    if ui.button("Copy as CSV").clicked() {
        export.copy(ui.ctx(), &table(), CopyFormat::Csv);
    }
    if ui.button("Export CSV…").clicked() {
        export.ask(Format::Csv, name);
    }
}

/// The menu of a table that is no chart; `name` says what the table is, here and in the name of a file.
pub fn table_menu(ui: &mut Ui, name: &str, table: impl Fn() -> Table) {
    let id = egui::Id::unique(("table menu", name));
    let export = local::<Export>(ui.ctx(), id);
    let button = egui::Button::new("⋮").frame(false);
    let config = egui::containers::menu::MenuButton::from_button(button);
    let (response, _) = config.ui(ui, |ui| numbers_ui(ui, &mut export.lock(), name, &table));
    response.widget_info(|| WidgetInfo::labeled(Role::Button, true, format!("copy or export {name}")));
    response.on_hover_text("Copy or export");
    let mut export = export.lock();
    export.outcome_ui(ui);
    export.run(ui, id, Rect::NOTHING, table);
}
