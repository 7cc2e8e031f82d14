//! Histograms beside each other, and below them heat maps or the histograms of every step.

use std::path::PathBuf;
use std::sync::Arc;

use egui::Id;

use super::collapse_differences::differences_ui;
use super::collapse_geometry::{spectra_ui, tokens_ui};
use super::collapse_history::history_ui;
use super::collapse_norms::norms_ui;
use super::collapse_pairs::{Part, Picked, Whose, bin_of, chunk_name, cosine};
use super::collapse_series::{EncoderProbe, ProbeSeries, StepProbe};
use crate::app::Action;
use crate::collapse::Histogram;
use crate::corpus::Chunk;
use crate::experiment::AlarmSettings;
use crate::ui::View;
use crate::ui::charts::{Axes, Flag, Heatmap, HistogramChart, RidgeChart};
use crate::ui::format::fixed;
use crate::ui::theme::{self, Sign, Theme};

/// Height of what stands between and around histograms and heat maps: titles, axis labels, the choice.
const AROUND: f32 = 130.0;

/// Side of a heat map where there is little room, points: beside an open drawer all of it is in sight at 1280 × 720.
const LEAST_MAP: f32 = 120.0;

/// What lies below the histograms.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Lower {
    /// The cosine of every pair.
    #[default]
    Heatmaps,
    /// What every cosine has changed by.
    Differences,
    /// The histogram of every step.
    OverSteps,
    /// Singular values.
    Spectra,
    /// Soft tokens among the reader's tokens.
    Tokens,
    /// Norms of soft tokens and of the reader's tokens.
    Norms,
    /// Every instrument over training.
    History,
}

/// One run as this page shows it.
pub struct Shown {
    /// The run's folder.
    pub folder: PathBuf,
    /// The run's name.
    pub name: String,
    /// How it is drawn.
    pub sign: Sign,
    /// All its probes.
    pub series: ProbeSeries,
    /// The probe that is looked at; while it is read, the one before.
    pub now: Arc<StepProbe>,
    /// The step that was asked for.
    pub asked: usize,
    /// The probe that it is held against.
    pub reference: Option<Arc<StepProbe>>,
    /// Whether the reader tells the soft tokens apart, in a sentence; none before the first evaluation.
    pub content: Option<String>,
    /// Probes that are still being read.
    pub left: usize,
    /// What interrupted the run, its alarms and interventions, by step.
    pub events: Arc<[Flag]>,
    /// Limits past which it raises alarms.
    pub alarms: AlarmSettings,
}

/// A set of vectors as the charts show it.
struct Side<'a> {
    whose: Whose,
    title: String,
    histogram: &'a Histogram,
    reference: Option<(String, &'a Histogram)>,
    matrix: &'a Arc<[f32]>,
    sign: Sign,
}

impl Side<'_> {
    /// Unique among the sides.
    fn key(&self) -> usize {
        match self.whose {
            Whose::Encoder => 0,
            Whose::Run(index) => index + 1,
        }
    }
}

fn sides<'a>(view: &View<'_>, encoder: &'a EncoderProbe, shown: &'a [Shown]) -> Vec<Side<'a>> {
    let first = Side {
        whose: Whose::Encoder,
        title: "encoder".to_owned(),
        histogram: &encoder.histogram,
        reference: None,
        matrix: &encoder.matrix,
        sign: view.theme.encoder(),
    };
    let projected = shown.iter().enumerate().map(|(index, run)| Side {
        whose: Whose::Run(index),
        title: match shown.len() {
            1 => format!("projected, step {}", run.now.step),
            _ => run.name.clone(),
        },
        histogram: &run.now.histogram,
        reference: run
            .reference
            .as_ref()
            .map(|probe| (format!("step {}", probe.step), &probe.histogram)),
        matrix: &run.now.matrix,
        sign: run.sign,
    });
    std::iter::once(first).chain(projected).collect()
}

/// Draws the charts, and answers with what was clicked in them; the lower view can be brought into sight.
pub fn charts_ui(
    ui: &mut egui::Ui,
    view: &View<'_>,
    (lower, bring): (&mut Lower, bool),
    picked: Option<Picked>,
    encoder: &EncoderProbe,
    shown: &[Shown],
) -> Option<Picked> {
    let mut clicked = None;
    let sides = sides(view, encoder, shown);
    let ever = shown
        .iter()
        .flat_map(|run| run.series.steps.values())
        .map(|probe| &probe.histogram);
    // Axes that hold every step, so that bars move and not the axes; the height follows the step.
    let axes = Axes {
        tallest: Axes::around(sides.iter().flat_map(|side| {
            let outlined = side.reference.as_ref().map(|(_, histogram)| *histogram);
            std::iter::once(side.histogram).chain(outlined)
        }))
        .tallest,
        ..Axes::around(ever.chain([&encoder.histogram]))
    };
    // A heat map is as wide as high, so histograms get what is left of the height.
    let width = ui.available_width() / sides.len() as f32 - ui.spacing().item_spacing.x;
    let square = (width - 56.0)
        .min(ui.available_height() - AROUND - 150.0)
        .max(LEAST_MAP);
    let height = (ui.available_height() - AROUND - square).clamp(110.0, 250.0);
    let (pair, rows) = (view.state.selection.pair(), encoder.order.len());
    ui.columns(sides.len(), |uis| {
        for (ui, side) in uis.iter_mut().zip(&sides) {
            let chart = HistogramChart {
                id: Id::unique(("collapse histogram", side.key())),
                title: &side.title,
                histogram: side.histogram,
                sign: side.sign,
                reference: side
                    .reference
                    .as_ref()
                    .map(|(name, histogram)| (name.as_str(), *histogram)),
                axes,
                selected: match picked {
                    Some(Picked {
                        whose,
                        part: Part::Bin(bin),
                    }) if whose == side.whose => Some(bin),
                    // Where the chosen pair stands, wherever it was chosen.
                    _ => pair.map(|pair| bin_of(side.histogram, cosine(side.matrix, rows, pair))),
                },
                height,
            };
            if let Some(bin) = chart.show(ui) {
                clicked = Some(Picked {
                    whose: side.whose,
                    part: Part::Bin(bin),
                });
            }
        }
    });
    ui.add_space(theme::GAP);
    let top = ui.cursor().top();
    ui.horizontal_wrapped(|ui| {
        ui.selectable_value(lower, Lower::Heatmaps, "cosine of every pair");
        ui.selectable_value(lower, Lower::Differences, "differences");
        ui.selectable_value(lower, Lower::OverSteps, "histogram over steps");
        ui.selectable_value(lower, Lower::Spectra, "singular values");
        ui.selectable_value(lower, Lower::Tokens, "among tokens");
        ui.selectable_value(lower, Lower::Norms, "norms");
        ui.selectable_value(lower, Lower::History, "instruments over steps");
    });
    ui.add_space(theme::TIGHT);
    match lower {
        Lower::Heatmaps => clicked = heatmaps_ui(ui, view, encoder, shown, &sides, (square, axes.low)).or(clicked),
        Lower::Differences => clicked = differences_ui(ui, view, encoder, shown, square).or(clicked),
        Lower::OverSteps => ridges_ui(ui, view, shown, axes),
        Lower::Spectra => spectra_ui(ui, encoder, shown),
        Lower::Tokens => clicked = tokens_ui(ui, view, shown).or(clicked),
        Lower::Norms => norms_ui(ui, shown),
        Lower::History => history_ui(ui, view, encoder, shown),
    }
    if bring {
        let rect = ui.min_rect().with_min_y(top);
        // Of a view that is higher than the page, its beginning.
        let align = (rect.height() > ui.clip_rect().height()).then_some(egui::Align::TOP);
        ui.scroll_to_rect(rect, align);
    }
    clicked
}

fn heatmaps_ui(
    ui: &mut egui::Ui,
    view: &View<'_>,
    encoder: &EncoderProbe,
    shown: &[Shown],
    sides: &[Side<'_>],
    (square, low): (f32, f64),
) -> Option<Picked> {
    let mut clicked = None;
    let chunks = chunks_of(shown);
    let name = |row: usize| chunk_name(&chunks, row);
    let means: Vec<String> = sides
        .iter()
        .map(|side| format!("{} ({})", fixed(side.histogram.mean, 2), side.title))
        .collect();
    seen_ui(ui, &format!("Mean cosine of two chunks: {}.", means.join(", ")));
    // The range holds every step, so that a colour means the same at each.
    let range = ((low * 10.0).floor() as f32 / 10.0, 1.0);
    ui.columns(sides.len(), |uis| {
        for (ui, side) in uis.iter_mut().zip(sides) {
            let map = Heatmap {
                id: Id::unique(("collapse heat map", side.key())),
                title: &side.title,
                quantity: "cosine",
                values: side.matrix,
                order: &encoder.order,
                range,
                diverging: false,
                // Marked in every map, wherever the two chunks were chosen.
                selected: view.state.selection.pair(),
                name: &name,
                side: square,
                group: Id::unique("collapse cells"),
            };
            if let Some((row, other)) = map.show(ui) {
                clicked = Some(Picked {
                    whose: side.whose,
                    part: Part::Cell(row, other),
                });
            }
        }
    });
    clicked
}

/// The chunks behind the rows; the same for all runs that are shown.
pub fn chunks_of(shown: &[Shown]) -> Arc<[Chunk]> {
    let first = shown.first().map(|run| Arc::clone(&run.series.chunks));
    first.unwrap_or_default()
}

/// The sentence above a view that says what is seen.
pub fn seen_ui(ui: &mut egui::Ui, text: &str) {
    let color = Theme::of(ui).text;
    ui.label(egui::RichText::new(text).color(color));
}

fn ridges_ui(ui: &mut egui::Ui, view: &View<'_>, shown: &[Shown], axes: Axes) {
    if let Some([first, last]) = shown.first().and_then(|run| {
        let mut means = run
            .series
            .steps
            .values()
            .map(|probe| (probe.step, probe.histogram.mean));
        let first = means.next()?;
        Some([first, means.next_back().unwrap_or(first)])
    }) {
        let text = format!(
            "Mean cosine {} at step {}, {} at step {}.",
            fixed(first.1, 2),
            first.0,
            fixed(last.1, 2),
            last.0
        );
        seen_ui(ui, &text);
    }
    let height = (ui.available_height() - 34.0).max(200.0);
    ui.columns(shown.len().max(1), |uis| {
        for (index, (ui, run)) in uis.iter_mut().zip(shown).enumerate() {
            let histograms: Vec<(usize, &Histogram)> = run
                .series
                .steps
                .iter()
                .map(|(step, probe)| (*step, &probe.histogram))
                .collect();
            let chart = RidgeChart {
                id: Id::unique(("collapse ridges", index)),
                title: &run.name,
                histograms: &histograms,
                sign: run.sign,
                range: (axes.low, axes.high),
                step: run.now.step,
                height,
            };
            if let Some(step) = chart.show(ui) {
                view.act(Action::PinStep(Some(step)));
            }
        }
    });
}
