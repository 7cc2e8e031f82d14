//! The Sweep page of the Runs station.

use egui::Ui;

use crate::ui::View;
use crate::ui::widgets::empty_state;

/// Draws the page.
pub fn sweep_ui(ui: &mut Ui, view: &View<'_>) {
    empty_state(
        ui,
        view,
        "Sweeps appear here",
        "A grid of experiments, cell by cell.",
        None,
    );
}
