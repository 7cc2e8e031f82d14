//! The instruments as rows: name, value now, the encoder's value, the curve over training, and whether a limit is passed.

use std::sync::Arc;

use egui::{RichText, vec2};

use super::collapse_series::{ProbeSeries, StepProbe};
use crate::collapse::{Comparison, INSTRUMENTS};
use crate::ui::charts::{SparkLine, spark_ui};
use crate::ui::format::number;
use crate::ui::theme::{self, Sign, Theme};

/// Width of the column of names, points.
const NAMES: f32 = 150.0;
/// Most characters of a run's name above its column.
const HEAD: usize = 9;

/// One run in the table.
pub struct Column<'a> {
    /// The run's name.
    pub name: String,
    /// How it is drawn.
    pub sign: Sign,
    /// All its probes.
    pub series: &'a ProbeSeries,
    /// The probe that is looked at.
    pub now: &'a Arc<StepProbe>,
}

/// What a row says on hover.
struct Row {
    key: &'static str,
    name: &'static str,
    formula: &'static str,
    healthy: &'static str,
    citation: &'static str,
}

/// A number between encoder and projected vectors.
struct Compared {
    row: Row,
    get: fn(&Comparison) -> f64,
}

/// What is measured between encoder and projected vectors; there is no value of the encoder alone.
const COMPARISONS: [Compared; 4] = [
    Compared {
        row: Row {
            key: "alignment_mse",
            name: "alignment error",
            formula: "mean of (cos Z − cos X)² over i ≠ j",
            healthy: "near 0; what the alignment loss lowers",
            citation: "LLavaCode's code, arXiv 2510.19644",
        },
        get: |values| values.alignment_mse,
    },
    Compared {
        row: Row {
            key: "alignment_frobenius",
            name: "alignment, Frobenius",
            formula: "‖cos Z − cos X‖_F / √2",
            healthy: "near 0",
            citation: "LLavaCode equation 3, arXiv 2510.19644",
        },
        get: |values| values.alignment_frobenius,
    },
    Compared {
        row: Row {
            key: "linear_cka",
            name: "linear CKA",
            formula: "‖ZᵀX‖_F² / (‖XᵀX‖_F ‖ZᵀZ‖_F), means taken off",
            healthy: "near 1: the same geometry up to rotation and scale",
            citation: "Kornblith et al. 2019, arXiv 1905.00414",
        },
        get: |values| values.linear_cka,
    },
    Compared {
        row: Row {
            key: "knn_overlap",
            name: "10 neighbours kept",
            formula: "share of the 10 nearest chunks that encoder and projected vectors have in common",
            healthy: "near 1: the same chunks stay neighbours",
            citation: "Huh et al. 2024, arXiv 2405.07987",
        },
        get: |values| values.knn_overlap,
    },
];

/// Draws every instrument of the runs beside the encoder's.
pub fn instruments_ui(ui: &mut egui::Ui, columns: &[Column<'_>]) {
    let theme = Theme::of(ui);
    egui::ScrollArea::vertical().auto_shrink(false).show(ui, |ui| {
        head_ui(ui, columns);
        egui::Grid::new("instruments")
            .num_columns(3 + columns.len())
            .spacing(vec2(10.0, 5.0))
            .show(ui, |ui| {
                captions_ui(ui, columns, true);
                for info in INSTRUMENTS {
                    let row = Row {
                        key: info.key,
                        name: info.name,
                        formula: info.formula,
                        healthy: info.healthy,
                        citation: info.citation,
                    };
                    let encoder = columns.first().and_then(|column| column.series.encoder.as_ref());
                    let encoder = encoder.map(|encoder| (info.get)(&encoder.instruments));
                    row.ui(ui, columns, encoder, |probe| (info.get)(&probe.instruments));
                }
                ui.label("");
                ui.end_row();
                ui.label(theme::caption("kept of the encoder").color(theme.weak));
                ui.end_row();
                for Compared { row, get } in &COMPARISONS {
                    row.ui(ui, columns, None, |probe| get(&probe.comparison));
                }
            });
    });
}

fn head_ui(ui: &mut egui::Ui, columns: &[Column<'_>]) {
    let theme = Theme::of(ui);
    for column in columns {
        let (mark, color) = match column.now.verdict.collapsed {
            true => ("▲ collapsed", theme.alarm),
            false => ("✓ not collapsed", theme.good),
        };
        ui.horizontal_wrapped(|ui| {
            ui.label(RichText::new(column.sign.mark).color(column.sign.color));
            ui.label(theme::caption(&column.name).color(theme.strong));
            ui.label(RichText::new(mark).color(color));
        });
        ui.label(
            RichText::new(&column.now.verdict.reason)
                .size(theme::SMALL)
                .color(theme.weak),
        );
    }
    ui.add_space(theme::GAP);
}

fn captions_ui(ui: &mut egui::Ui, columns: &[Column<'_>], encoder: bool) {
    let theme = Theme::of(ui);
    ui.label(theme::caption("instrument").color(theme.weak));
    let head = |ui: &mut egui::Ui, sign: Sign, name: &str| {
        let text: String = match name.chars().count() {
            0..=HEAD => name.to_owned(),
            _ => name.chars().take(HEAD - 1).chain(['…']).collect(),
        };
        ui.label(theme::caption(format!("{} {text}", sign.mark)).color(sign.color))
            .on_hover_text(name);
    };
    for column in columns {
        let name = if columns.len() == 1 { "projected" } else { &column.name };
        head(ui, column.sign, name);
    }
    if encoder {
        head(ui, theme.encoder(), "encoder");
    }
    ui.label(theme::caption("over steps").color(theme.weak));
    ui.end_row();
}

impl Row {
    fn ui(&self, ui: &mut egui::Ui, columns: &[Column<'_>], encoder: Option<f64>, get: impl Fn(&StepProbe) -> f64) {
        let theme = Theme::of(ui);
        let name = ui.vertical(|ui| {
            ui.spacing_mut().item_spacing.y = 0.0;
            ui.set_max_width(NAMES);
            let label = ui.add(egui::Label::new(short(self.name)).sense(egui::Sense::hover()));
            // The range itself; what the extreme means is in the tooltip.
            let range = self.healthy.split(';').next().unwrap_or_default();
            ui.add(egui::Label::new(RichText::new(range).size(theme::SMALL).color(theme.weak)).wrap());
            label
        });
        let label = name.inner;
        for column in columns {
            let value = number(get(column.now));
            let over = self.is_over(column.now);
            let (text, color) = match over {
                Some(true) => (format!("▲{value}"), theme.alarm),
                // As wide as with the mark, so that digits stand below digits.
                Some(false) => (format!(" {value}"), theme.strong),
                None => (format!(" {value}"), theme.text),
            };
            ui.label(RichText::new(text).monospace().size(theme::SMALL).color(color));
        }
        let reference = encoder.map_or_else(String::new, number);
        ui.label(
            RichText::new(reference)
                .monospace()
                .size(theme::SMALL)
                .color(theme.encoder().color),
        );
        let curves: Vec<(Vec<[f64; 2]>, Sign)> = columns
            .iter()
            .map(|column| (column.series.curve(&get), column.sign))
            .collect();
        let lines: Vec<SparkLine<'_>> = curves.iter().map(|(curve, sign)| (curve.as_slice(), *sign)).collect();
        let now = columns.first().map(|column| column.now.step as f64);
        let spark = spark_ui(ui, vec2(84.0, 20.0), &lines, now);
        ui.end_row();
        for response in [label, spark] {
            response.on_hover_ui(|ui| self.tooltip(ui, columns));
        }
    }

    /// Whether the value is past its limit; none when it has no limit.
    fn is_over(&self, probe: &StepProbe) -> Option<bool> {
        match self.key {
            "mean_cosine" | "rankme" | "top_share_uncentred" => Some(probe.verdict.over.contains(&self.key)),
            "median_norm" => {
                let [low, _, high] = probe.token_norms.map(f64::from);
                Some(!(low..=high).contains(&probe.instruments.median_norm))
            }
            _ => None,
        }
    }

    fn tooltip(&self, ui: &mut egui::Ui, columns: &[Column<'_>]) {
        let theme = Theme::of(ui);
        ui.label(theme::caption(self.name).color(theme.strong));
        ui.label(RichText::new(self.formula).monospace().size(theme::SMALL));
        ui.label(format!("healthy: {}", self.healthy));
        if let (true, Some(column)) = (self.key == "median_norm", columns.first()) {
            let [low, median, high] = column.now.token_norms.map(|norm| number(f64::from(norm)));
            ui.label(format!("token embeddings: 5% {low}, median {median}, 95% {high}"));
        }
        ui.label(RichText::new(self.citation).size(theme::SMALL).color(theme.weak));
    }
}

/// Long names wrap badly in a narrow table; the tooltip has them whole.
fn short(name: &str) -> &str {
    match name {
        "effective rank (RankMe)" => "effective rank",
        "first component's share of variance" => "first component",
        "first direction's share of energy" => "first direction",
        other => other,
    }
}
