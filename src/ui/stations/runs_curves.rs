//! Four curves of the chosen runs in one view: the loss, the reader's entropy, and whether the soft tokens collapse.

use std::sync::Arc;

use egui::Ui;

use super::collapse_headline::left;
use super::collapse_reader::ProbeReader;
use super::collapse_series::ProbeSeries;
use crate::app::OpenRun;
use crate::collapse::{INSTRUMENTS, InstrumentInfo};
use crate::ui::charts::{ChartRow, Quantity, Scale, Series, curves_of, x_at};
use crate::ui::{View, theme};

/// Height of a chart's title row with the space below it, points.
const FRAME: f32 = 34.0;
/// Least height of a chart, points; below it the charts scroll.
const LEAST: f32 = 150.0;

/// Draws the charts into a room of this height; in a smaller one than they need they scroll.
pub fn curves_ui(ui: &mut Ui, view: &View<'_>, room: f32) {
    let runs: Vec<&OpenRun> = view.state.shown_runs().collect();
    let reader = ProbeReader::shared(ui.ctx(), view);
    let mut reader = reader.lock();
    let probes: Vec<ProbeSeries> = runs.iter().map(|open| reader.series(ui.ctx(), open.run())).collect();
    let cache = curves_of(ui.ctx(), view, &runs);
    let mut cache = cache.lock();
    let height = (room / 2.0 - FRAME).max(LEAST);
    let mut charts = ChartRow::new(view, &runs, height);
    let loss = Quantity::new("loss", "loss, weighted sum", "", true, true);
    let entropy = Quantity::new("entropy", "entropy of the prediction", "nats a token", true, true);
    ui.columns(2, |uis| {
        let [left, right] = uis else { return };
        charts.quantity(left, &mut cache, &loss);
        charts.quantity(right, &mut cache, &entropy);
    });
    ui.add_space(theme::GAP);
    ui.columns(2, |uis| {
        for (ui, (key, title)) in uis.iter_mut().zip([
            ("mean_cosine", "mean cosine of the soft tokens"),
            ("rankme", "effective rank of the soft tokens"),
        ]) {
            let Some(info) = INSTRUMENTS.iter().find(|info| info.key == key) else {
                continue;
            };
            let series = series(view, &charts, &runs, &probes, info);
            let left: usize = runs.iter().zip(&probes).map(|(open, probes)| left(open, probes)).sum();
            let unit = match left {
                0 => String::new(),
                left => format!("reading probes, {left} left"),
            };
            charts.chart(
                ui,
                title,
                &unit,
                &series,
                Scale::Linear,
                "The vectors are looked at every few steps.",
            );
        }
    });
    charts.finish();
}

/// One curve a run, and the encoder's value as a level line.
fn series(
    view: &View<'_>,
    charts: &ChartRow<'_>,
    runs: &[&OpenRun],
    probes: &[ProbeSeries],
    info: &InstrumentInfo,
) -> Vec<Series> {
    let x = view.state.charts.x;
    let mut all: Vec<Series> = Vec::new();
    for ((open, probes), label) in runs.iter().zip(probes).zip(&charts.labels) {
        let points: Arc<[[f64; 2]]> = probes
            .steps
            .values()
            .map(|probe| [x_at(open.run(), probe.step, x), (info.get)(&probe.instruments)])
            .collect();
        all.push(Series::new(label, view.theme.run(open.sign), points));
    }
    let encoder = probes.first().and_then(|probes| probes.encoder.clone());
    if let Some(encoder) = encoder {
        let level = (info.get)(&encoder.instruments);
        let points = [[0.0, level], [charts.last_x, level]];
        all.push(Series::new("encoder", view.theme.encoder(), points.into()));
    }
    all
}
