//! The Collapse station.

use crate::ui::View;

/// Draws the Collapse station.
pub fn collapse_ui(ui: &mut egui::Ui, view: &View<'_>) {
    ui.label(view.state.station.to_string());
}
