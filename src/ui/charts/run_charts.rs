//! The curves of a run in training, small multiples over one x axis; overlaid runs lie in the same charts.

use std::sync::Arc;

use egui::Id;
use egui::mutex::Mutex;
use strum::IntoEnumIterator as _;

use super::line::{Flag, LineChart};
use super::local::local;
use super::run_curves::{Cache, Quantity, common_split, evaluated, step_at, value, x_at, x_of};
use super::run_flags::flags;
use super::scale::Scale;
use super::series::Series;
use crate::app::{Action, OpenRun, XAxis};
use crate::corpus::Split;
use crate::evaluation::Arm;
use crate::runs::Run;
use crate::ui::theme;
use crate::ui::{View, format};

/// Height of a chart's plot and legend, points.
const HEIGHT: f32 = 178.0;
/// Height of a chart's title row with the space below it, points.
const FRAME: f32 = 26.0;
/// Least width of a chart; two stand side by side where there is room.
const WIDTH: f32 = 420.0;

/// The curves of the shown runs as small multiples: loss terms, arms at each evaluation, gradient norm, learning rate, throughput.
pub fn run_charts_ui(ui: &mut egui::Ui, view: &View<'_>) {
    let runs: Vec<&OpenRun> = view.state.shown_runs().collect();
    let cache = curves_of(ui.ctx(), view, &runs);
    let mut cache = cache.lock();
    let mut charts = ChartRow::new(view, &runs, HEIGHT);
    egui::ScrollArea::vertical().auto_shrink(false).show(ui, |ui| {
        let columns = if ui.available_width() >= 2.0 * WIDTH { 2 } else { 1 };
        let quantities = Quantity::all(&runs.iter().map(|open| open.run()).collect::<Vec<_>>());
        let scores = [
            ("em_token", "exact match, code tokens", 100.0),
            ("es_levenshtein", "edit similarity", 1.0),
        ];
        let total = quantities.len() + scores.len();
        for row in 0..total.div_ceil(columns) {
            // Rows out of view cost no more than their room.
            let height = FRAME + HEIGHT;
            let room = egui::Rect::from_min_size(ui.cursor().min, egui::vec2(ui.available_width(), height));
            if !ui.is_rect_visible(room) {
                ui.allocate_space(room.size());
                ui.add_space(theme::SECTION);
                continue;
            }
            ui.columns(columns, |uis| {
                for (column, ui) in uis.iter_mut().enumerate() {
                    let place = row * columns + column;
                    // The scores come second: they are what the losses are for.
                    match place.checked_sub(2).and_then(|score| scores.get(score)) {
                        Some((key, title, factor)) => charts.score(ui, &mut cache, key, title, *factor),
                        None => {
                            let at = if place < 2 { place } else { place - scores.len() };
                            if let Some(quantity) = quantities.get(at) {
                                charts.quantity(ui, &mut cache, quantity);
                            }
                        }
                    }
                }
            });
            ui.add_space(theme::SECTION);
        }
    });
    charts.finish();
}

/// The curves of the shown runs, kept until the runs change.
pub fn curves_of(ctx: &egui::Context, view: &View<'_>, runs: &[&OpenRun]) -> Arc<Mutex<Cache>> {
    let kept = local::<Cache>(ctx, Id::unique("run curves"));
    let mut cache = kept.lock();
    cache.retain(|folder, _| runs.iter().any(|open| open.run().folder == *folder));
    for open in runs {
        let curves = cache.entry(open.run().folder.clone()).or_default();
        curves.renew(open.generation, view.state.charts.x);
    }
    drop(cache);
    kept
}

/// What the charts of one frame have in common: the runs, their names, events and the cursor.
pub struct ChartRow<'a> {
    view: &'a View<'a>,
    runs: &'a [&'a OpenRun],
    /// What the runs are called, each another.
    pub labels: Vec<String>,
    flags: Vec<Flag>,
    /// The largest x of all runs.
    pub last_x: f64,
    hovered: Option<usize>,
    height: f32,
}

impl<'a> ChartRow<'a> {
    /// Charts of these runs, so many points high.
    pub fn new(view: &'a View<'a>, runs: &'a [&'a OpenRun], height: f32) -> Self {
        let x = view.state.charts.x;
        let flags = runs
            .first()
            .map_or_else(Vec::new, |open| flags(open.run(), x, view.theme));
        let ends = runs.iter().filter_map(|open| open.run().scalars.last());
        Self {
            view,
            runs,
            labels: format::run_labels(runs.iter().map(|open| open.run().folder.as_path())),
            flags,
            last_x: ends.map(|record| x_of(record, x)).fold(0.0, f64::max),
            hovered: None,
            height,
        }
    }

    /// A number of every step, one curve a run.
    pub fn quantity(&mut self, ui: &mut egui::Ui, cache: &mut Cache, quantity: &Quantity) {
        let charts = self.view.state.charts;
        let mut series: Vec<Series> = self
            .runs
            .iter()
            .zip(&self.labels)
            .filter_map(|(open, label)| {
                let run = open.run();
                let points = cache.get_mut(&run.folder)?.points(&quantity.key, || {
                    let values = run.scalars.iter();
                    values
                        .filter_map(|record| Some([x_of(record, charts.x), value(record, &quantity.key)?]))
                        .collect()
                });
                let mut series = Series::new(label, self.view.theme.run(open.sign), points);
                series.smoothing = if quantity.smoothed { charts.smoothing } else { 0.0 };
                Some(series)
            })
            .collect();
        series.extend(self.rolled_back(cache, quantity));
        let scale = if charts.log && quantity.log {
            Scale::Log
        } else {
            Scale::Linear
        };
        self.chart(
            ui,
            &quantity.title,
            quantity.unit,
            &series,
            scale,
            "Steps appear here as they are trained.",
        );
    }

    /// The steps that the last roll-back of the run in focus took out of it.
    fn rolled_back(&self, cache: &mut Cache, quantity: &Quantity) -> Option<Series> {
        let charts = self.view.state.charts;
        let run = self.runs.first()?.run();
        let steps = run.abandoned.last().filter(|steps| !steps.is_empty())?;
        let points = cache
            .get_mut(&run.folder)?
            .points(&format!("{}, rolled back", quantity.key), || {
                let values = steps.iter();
                values
                    .filter_map(|record| Some([x_of(record, charts.x), value(record, &quantity.key)?]))
                    .collect()
            });
        let mut series = Series::new("rolled back", self.view.theme.rolled_back(), points);
        series.smoothing = if quantity.smoothed { charts.smoothing } else { 0.0 };
        Some(series)
    }

    fn score(&mut self, ui: &mut egui::Ui, cache: &mut Cache, key: &str, title: &str, factor: f64) {
        let shown: Vec<&Run> = self.runs.iter().map(|open| open.run()).collect();
        let split = common_split(&shown);
        let x = self.view.state.charts.x;
        let mut series = Vec::new();
        for (index, (open, label)) in self.runs.iter().zip(&self.labels).enumerate() {
            let run = open.run();
            let Some(curves) = cache.get_mut(&run.folder) else {
                continue;
            };
            // Of overlaid runs only what their projectors did: the other arms do not depend on them.
            let arms = Arm::iter().filter(|arm| index == 0 || *arm == Arm::Compressed);
            for arm in arms {
                let intervals = || evaluated(run, split, arm, key, x);
                let name = format!("{key}/{arm}");
                let points = curves.points(&name, || intervals().map(|(x, i)| [x, i.mean * factor]).collect());
                if points.is_empty() {
                    continue;
                }
                let band = curves.band(&name, || {
                    intervals().map(|(x, i)| [x, i.low * factor, i.high * factor]).collect()
                });
                // A run that stands beside others keeps its sign, and so does what its projector did.
                let (name, sign) = match (arm, self.runs.len()) {
                    (Arm::Compressed, 2..) => (format!("{}, {label}", arm.label()), self.view.theme.run(open.sign)),
                    _ => (arm.label().to_owned(), self.view.theme.arm(arm)),
                };
                let mut curve = Series::new(name, sign, points);
                // One band: several over each other cannot be told apart. Compare has every interval.
                curve.band = (index == 0 && arm == Arm::Compressed).then_some(band);
                curve.marks = true;
                series.push(curve);
            }
        }
        let unit = match split {
            Split::Train => "%, train split",
            Split::Validation => "%, validation split",
            Split::Test => "%, test split",
        };
        self.chart(
            ui,
            title,
            unit,
            &series,
            Scale::Linear,
            "The arms are compared here at each evaluation.",
        );
    }

    /// A chart of any curves over the runs' x axis.
    pub fn chart(&mut self, ui: &mut egui::Ui, title: &str, unit: &str, series: &[Series], scale: Scale, empty: &str) {
        let state = self.view.state;
        let x = state.charts.x;
        let place = |step: Option<usize>| Some(x_at(self.runs.first()?.run(), step?, x));
        let pointed = LineChart {
            id: Id::unique(("run chart", title)),
            title,
            x_label: match x {
                XAxis::Step => "step",
                XAxis::Samples => "samples",
                XAxis::Seconds => "seconds",
            },
            unit,
            series,
            last_x: self.last_x,
            flags: &self.flags,
            scale,
            cursor: place(state.selection.hovered_step),
            pinned: place(state.selection.step),
            height: self.height,
            empty,
            group: Some(Id::unique("run charts").with(x.to_string())),
        }
        .show(ui);
        let step = |at: Option<f64>| Some(step_at(self.runs.first()?.run(), at?, x));
        if let Some(step) = step(pointed.clicked) {
            self.view.act(Action::PinStep(Some(step)));
        }
        self.hovered = self.hovered.or(step(pointed.hovered));
    }

    /// Tells the other charts where the pointer stands.
    pub fn finish(self) {
        if self.hovered != self.view.state.selection.hovered_step {
            self.view.act(Action::HoverStep(self.hovered));
        }
    }
}
