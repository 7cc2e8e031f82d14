//! Charts of runs: they share the x axis, the step cursor and the signs.

use super::View;

/// The curves of the shown runs as small multiples: loss terms, arms at each evaluation, gradient norm, learning rate, throughput.
pub fn run_charts_ui(ui: &mut egui::Ui, view: &View<'_>) {
    ui.label(format!("{} runs", view.state.shown_runs().count()));
}
