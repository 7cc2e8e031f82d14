//! The Compare station.

use crate::ui::View;

/// Draws the Compare station.
pub fn compare_ui(ui: &mut egui::Ui, view: &View<'_>) {
    ui.label(view.state.station.to_string());
}
