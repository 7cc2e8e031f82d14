//! Every instrument over training: a chart each, with its limits, and the run's alarms and interventions in their places.

use std::collections::BTreeMap;
use std::sync::Arc;

use egui::{Id, Sense, vec2};

use super::collapse_charts::{Shown, seen_ui};
use super::collapse_readings::Reading;
use super::collapse_series::{EncoderProbe, StepSummary};
use super::collapse_track::hover_step;
use crate::app::Action;
use crate::collapse::limits;
use crate::ui::View;
use crate::ui::charts::{Flag, LineChart, Scale, Series, local};
use crate::ui::format::number;
use crate::ui::theme::{Dash, Sign, Theme};

/// Least width of a chart, points.
const WIDTH: f32 = 280.0;
/// Height of the part of a chart below its title, points.
const HEIGHT: f32 = 150.0;

/// Curves by run and instrument, under the version of the run's numbers that they were made of.
type Curves = BTreeMap<(usize, &'static str), (String, u64, Arc<[[f64; 2]]>)>;

/// A level line.
struct Level {
    name: String,
    value: f64,
    sign: Sign,
}

/// Draws the charts, and pins the step that was clicked.
pub fn history_ui(ui: &mut egui::Ui, view: &View<'_>, encoder: &EncoderProbe, shown: &[Shown]) {
    let alarmed: Vec<String> = shown
        .iter()
        .filter_map(|run| {
            let first = run.series.steps.values().find(|step| step.verdict.collapsed)?;
            Some(format!(
                "{} is past a limit from step {} on: {}",
                run.name, first.step, first.verdict.reason
            ))
        })
        .collect();
    let text = match alarmed.is_empty() {
        true => "No limit of collapse has been passed at any probe.".to_owned(),
        false => format!("{}.", alarmed.join("; ")),
    };
    seen_ui(ui, &text);
    let curves = local::<Curves>(ui.ctx(), Id::unique("collapse history"));
    let mut curves = curves.lock();
    let readings: Vec<Reading> = Reading::all().collect();
    let across = ((ui.available_width() / WIDTH) as usize).clamp(1, 4);
    let mut pointed = Pointed::default();
    for row in readings.chunks(across) {
        ui.columns(across, |uis| {
            for (ui, reading) in uis.iter_mut().zip(row) {
                chart_ui(ui, view, reading, encoder, shown, (&mut *curves, &mut pointed));
            }
        });
    }
    pointed.tell(ui, view);
}

/// What the pointer did in any of the charts.
#[derive(Default)]
struct Pointed {
    hovered: Option<f64>,
    clicked: Option<f64>,
}

impl Pointed {
    fn tell(&self, ui: &egui::Ui, view: &View<'_>) {
        let step = |x: f64| x.round().max(0.0) as usize;
        hover_step(ui, view, "history", self.hovered.map(step));
        if let Some(x) = self.clicked {
            view.act(Action::PinStep(Some(step(x))));
        }
    }
}

fn chart_ui(
    ui: &mut egui::Ui,
    view: &View<'_>,
    reading: &Reading,
    encoder: &EncoderProbe,
    shown: &[Shown],
    (curves, pointed): (&mut Curves, &mut Pointed),
) {
    let last = shown.iter().filter_map(|run| run.series.steps.keys().next_back());
    let last = last.max().copied().unwrap_or_default() as f64;
    let mut series: Vec<Series> = Vec::new();
    for (index, run) in shown.iter().enumerate() {
        let entry = curves.entry((index, reading.key)).or_default();
        if entry.0 != run.name || entry.1 != run.series.version {
            let points = run.series.curve(usize::MAX, |step| reading.of(step));
            *entry = (run.name.clone(), run.series.version, points.into());
        }
        series.push(Series::new(&run.name, run.sign, Arc::clone(&entry.2)));
    }
    let first = shown.first();
    for (at, level) in levels(ui, reading, encoder, first).into_iter().enumerate() {
        let entry = curves.entry((usize::MAX - at, reading.key)).or_default();
        let wanted = [[0.0, level.value], [last, level.value]];
        if entry.2[..] != wanted {
            *entry = (String::new(), 0, wanted.into());
        }
        series.push(Series::new(level.name, level.sign, Arc::clone(&entry.2)));
    }
    let flags: Vec<Flag> = shown.iter().flat_map(|run| run.events.iter().cloned()).collect();
    let now = first.map(|run| reading.of(&run.now));
    let title = ui.cursor().min;
    let chart = LineChart {
        id: Id::unique(("collapse history", reading.key)),
        title: reading.name,
        x_label: "step",
        unit: &now.map_or_else(String::new, number),
        series: &series,
        last_x: last,
        flags: &flags,
        scale: Scale::Linear,
        cursor: view.state.selection.hovered_step.map(|step| step as f64),
        pinned: first.map(|run| run.now.step as f64),
        height: HEIGHT,
        empty: "The vectors are looked at every few steps.",
        group: Some(Id::unique("collapse history steps")),
    }
    .show(ui);
    pointed.hovered = pointed.hovered.or(chart.hovered);
    pointed.clicked = pointed.clicked.or(chart.clicked);
    // The title says how the number is made; the menu at its right end stays free.
    let rect = egui::Rect::from_min_size(title, vec2((ui.available_width() - 40.0).max(40.0), 20.0));
    let head = ui.interact(
        rect,
        Id::unique(("collapse history title", reading.key)),
        Sense::hover(),
    );
    head.on_hover_ui(|ui| reading.tooltip(ui, first.map(|run| run.now.token_norms)));
}

/// The encoder's value, and the limits that the verdict and the run's alarms hold the number against.
fn levels(ui: &egui::Ui, reading: &Reading, encoder: &EncoderProbe, run: Option<&Shown>) -> Vec<Level> {
    let theme = Theme::of(ui);
    let mut levels = Vec::new();
    if let Some(value) = reading.of_encoder(&encoder.instruments) {
        levels.push(Level {
            name: "encoder".to_owned(),
            value,
            sign: theme.encoder(),
        });
    }
    let sign = |color, dash| Sign {
        color, dash, mark: "▲"
    };
    let limit = limits(&encoder.instruments)
        .into_iter()
        .find(|limit| limit.key == reading.key);
    let verdict = limit.as_ref().map(|limit| limit.value);
    levels.extend(limit.map(|limit| Level {
        name: format!("limit: {}", limit.words),
        value: limit.value,
        sign: sign(theme.alarm, Dash::Dashed),
    }));
    for (name, value) in run
        .map(|run| alarm_levels(reading.key, encoder, run, &run.now))
        .unwrap_or_default()
    {
        // Mostly the alarm's limit is the verdict's.
        if verdict != Some(value) {
            levels.push(Level {
                name,
                value,
                sign: sign(theme.warning, Dash::DashDot),
            });
        }
    }
    levels
}

/// Where the run raises an alarm.
fn alarm_levels(key: &str, encoder: &EncoderProbe, run: &Shown, step: &StepSummary) -> Vec<(String, f64)> {
    let alarms = &run.alarms;
    let [low, median, high] = step.token_norms.map(f64::from);
    let norms = |scale: f64| {
        let factor = alarms.norm_factor;
        vec![
            ("alarm below".to_owned(), low / factor / scale),
            ("alarm above".to_owned(), high * factor / scale),
        ]
    };
    match key {
        "mean_cosine" => vec![("alarm".to_owned(), encoder.instruments.mean_cosine + alarms.cosine_rise)],
        "rankme" => vec![("alarm".to_owned(), encoder.instruments.rankme * alarms.rank_share)],
        "median_norm" => norms(1.0),
        "norm_ratio" => norms(median),
        _ => Vec::new(),
    }
}
