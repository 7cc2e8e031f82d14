//! Histograms beside each other, and below them heat maps or the histograms of every step.

use std::path::PathBuf;
use std::sync::Arc;

use egui::Id;

use super::collapse_pairs::{Part, Picked, Whose, bin_of, chunk_name, cosine};
use super::collapse_series::{EncoderProbe, ProbeSeries, StepProbe};
use crate::app::Action;
use crate::collapse::Histogram;
use crate::ui::View;
use crate::ui::charts::{Axes, Heatmap, HistogramChart, RidgeChart};
use crate::ui::theme::{self, Sign};

/// Height of what stands between and around histograms and heat maps: titles, axis labels, the choice.
const AROUND: f32 = 130.0;

/// What lies below the histograms.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Lower {
    /// The cosine of every pair.
    #[default]
    Heatmaps,
    /// The histogram of every step.
    OverSteps,
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
    /// The probe that is looked at.
    pub now: Arc<StepProbe>,
    /// Probes that are still being read.
    pub left: usize,
}

/// A set of vectors as the charts show it.
struct Side<'a> {
    whose: Whose,
    title: String,
    histogram: &'a Histogram,
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
        matrix: &run.now.matrix,
        sign: run.sign,
    });
    std::iter::once(first).chain(projected).collect()
}

/// Draws the charts, and answers with what was clicked in them.
pub fn charts_ui(
    ui: &mut egui::Ui,
    view: &View<'_>,
    lower: &mut Lower,
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
        tallest: Axes::around(sides.iter().map(|side| side.histogram)).tallest,
        ..Axes::around(ever.chain([&encoder.histogram]))
    };
    // A heat map is as wide as high, so histograms get what is left of the height.
    let width = ui.available_width() / sides.len() as f32 - ui.spacing().item_spacing.x;
    let square = (width - 56.0).min(ui.available_height() - AROUND - 150.0).max(140.0);
    let height = (ui.available_height() - AROUND - square).clamp(110.0, 250.0);
    let (pair, rows) = (view.state.selection.pair(), encoder.order.len());
    ui.columns(sides.len(), |uis| {
        for (ui, side) in uis.iter_mut().zip(&sides) {
            let chart = HistogramChart {
                id: Id::unique(("collapse histogram", side.key())),
                title: &side.title,
                histogram: side.histogram,
                sign: side.sign,
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
    ui.horizontal(|ui| {
        ui.selectable_value(lower, Lower::Heatmaps, "cosine of every pair");
        ui.selectable_value(lower, Lower::OverSteps, "histogram over steps");
    });
    ui.add_space(theme::TIGHT);
    match lower {
        Lower::Heatmaps => clicked = heatmaps_ui(ui, view, encoder, shown, &sides, (square, axes.low)).or(clicked),
        Lower::OverSteps => ridges_ui(ui, view, shown, axes),
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
    let chunks = shown
        .first()
        .map(|run| Arc::clone(&run.series.chunks))
        .unwrap_or_default();
    let name = |row: usize| chunk_name(&chunks, row);
    // The range holds every step, so that a colour means the same at each.
    let range = ((low * 10.0).floor() as f32 / 10.0, 1.0);
    ui.columns(sides.len(), |uis| {
        for (ui, side) in uis.iter_mut().zip(sides) {
            let map = Heatmap {
                id: Id::unique(("collapse heat map", side.key())),
                title: &side.title,
                values: side.matrix,
                order: &encoder.order,
                range,
                // Marked in every map, wherever the two chunks were chosen.
                selected: view.state.selection.pair(),
                name: &name,
                side: square,
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

fn ridges_ui(ui: &mut egui::Ui, view: &View<'_>, shown: &[Shown], axes: Axes) {
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
