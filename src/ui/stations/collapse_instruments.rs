//! The instruments as rows: name, value now, the encoder's value, the curve over training, and whether a limit is passed.

use std::sync::Arc;

use egui::{RichText, vec2};

use super::collapse_readings::Reading;
use super::collapse_series::{ProbeSeries, StepProbe, StepSummary};
use crate::ui::charts::{SparkLine, Table, spark_ui, table_menu};
use crate::ui::format::number;
use crate::ui::theme::{self, Sign, Theme};

/// Width of the column of names, points.
const NAMES: f32 = 150.0;
/// Points of a curve the size of a word.
const SPARK: usize = 100;
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
    /// The probe that it is held against.
    pub reference: Option<&'a Arc<StepProbe>>,
}

/// Draws every instrument of the runs beside the encoder's.
pub fn instruments_ui(ui: &mut egui::Ui, columns: &[Column<'_>]) {
    let theme = Theme::of(ui);
    egui::ScrollArea::vertical().auto_shrink(false).show(ui, |ui| {
        head_ui(ui, columns);
        let grid = egui::Grid::new("instruments")
            .num_columns(3 + columns.len())
            .spacing(vec2(10.0, 5.0));
        // Two runs may have more columns than the pane has room.
        let across = egui::ScrollArea::horizontal().id_salt("instruments across");
        across.show(ui, |ui| {
            grid.show(ui, |ui| {
                captions_ui(ui, columns, true);
                let encoder = columns.first().and_then(|column| column.series.encoder.as_ref());
                for row in Reading::all().filter(|row| !row.is_compared()) {
                    let encoder = encoder.and_then(|encoder| row.of_encoder(&encoder.instruments));
                    row_ui(ui, &row, columns, encoder);
                }
                ui.label("");
                ui.end_row();
                ui.label(theme::caption("kept of the encoder").color(theme.weak));
                ui.end_row();
                for row in Reading::all().filter(Reading::is_compared) {
                    row_ui(ui, &row, columns, None);
                }
            });
        });
    });
}

/// The values of this step as they stand in the column, the encoder's among them.
fn numbers(columns: &[Column<'_>]) -> Table {
    let mut table = Table::new(["instrument"]);
    for column in columns {
        table.columns.push(format!("{}, step {}", column.name, column.now.step));
        let reference = column.reference.map(|reference| reference.step);
        table
            .columns
            .extend(reference.map(|step| format!("{}, step {step}", column.name)));
    }
    table.columns.extend(["encoder", "healthy"].map(str::to_owned));
    let encoder = columns.first().and_then(|column| column.series.encoder.as_ref());
    table.rows = Reading::all()
        .map(|row| {
            let values = columns.iter().flat_map(|column| {
                let reference = column.reference.map(|reference| row.of(reference));
                std::iter::once(row.of(column.now)).chain(reference)
            });
            let of_encoder = encoder.and_then(|encoder| row.of_encoder(&encoder.instruments));
            let ends = [
                of_encoder.map_or_else(String::new, |value| value.to_string()),
                row.healthy.to_owned(),
            ];
            let cells = std::iter::once(row.name.to_owned()).chain(values.map(|value| value.to_string()));
            cells.chain(ends).collect()
        })
        .collect();
    table
}

fn head_ui(ui: &mut egui::Ui, columns: &[Column<'_>]) {
    let theme = Theme::of(ui);
    for (place, column) in columns.iter().enumerate() {
        let (mark, color) = match column.now.verdict.collapsed {
            true => ("▲ collapsed", theme.alarm),
            false => ("✓ not collapsed", theme.good),
        };
        ui.horizontal_wrapped(|ui| {
            ui.label(RichText::new(column.sign.mark).color(column.sign.color));
            ui.label(theme::caption(&column.name).color(theme.strong));
            ui.label(RichText::new(mark).color(color));
            if place == 0 {
                table_menu(ui, "instruments", || numbers(columns));
            }
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

fn row_ui(ui: &mut egui::Ui, row: &Reading, columns: &[Column<'_>], encoder: Option<f64>) {
    let theme = Theme::of(ui);
    let name = ui.vertical(|ui| {
        ui.spacing_mut().item_spacing.y = 0.0;
        ui.set_max_width(NAMES);
        let label = ui.add(egui::Label::new(row.short()).sense(egui::Sense::hover()));
        // The range itself; what the extreme means is in the tooltip.
        let range = row.healthy.split(';').next().unwrap_or_default();
        ui.add(egui::Label::new(RichText::new(range).size(theme::SMALL).color(theme.weak)).wrap());
        label
    });
    let label = name.inner;
    for column in columns {
        value_ui(ui, row, column);
    }
    let reference = encoder.map_or_else(String::new, number);
    // On the first line of the row, as the projected value is.
    ui.vertical(|ui| {
        ui.label(
            RichText::new(reference)
                .monospace()
                .size(theme::SMALL)
                .color(theme.encoder().color),
        );
    });
    let curves: Vec<(Vec<[f64; 2]>, Sign)> = columns
        .iter()
        .map(|column| (column.series.curve(SPARK, |probe| row.of(probe)), column.sign))
        .collect();
    let lines: Vec<SparkLine<'_>> = curves.iter().map(|(curve, sign)| (curve.as_slice(), *sign)).collect();
    let now = columns.first().map(|column| column.now.step as f64);
    let spark = ui.vertical(|ui| spark_ui(ui, vec2(84.0, 20.0), &lines, now)).inner;
    ui.end_row();
    let norms = columns.first().map(|column| column.now.token_norms);
    for response in [label, spark] {
        response.on_hover_ui(|ui| row.tooltip(ui, norms));
    }
}

/// The value, and below it what has changed since the reference.
fn value_ui(ui: &mut egui::Ui, row: &Reading, column: &Column<'_>) {
    let theme = Theme::of(ui);
    let value = row.of(column.now);
    let (text, color) = match is_over(row, column.now) {
        Some(true) => (format!("▲{}", number(value)), theme.alarm),
        // As wide as with the mark, so that digits stand below digits.
        Some(false) => (format!(" {}", number(value)), theme.strong),
        None => (format!(" {}", number(value)), theme.text),
    };
    // A number is never broken: the grid's column grows instead.
    let cell = |text: String, color| {
        egui::Label::new(RichText::new(text).monospace().size(theme::SMALL).color(color)).extend()
    };
    ui.vertical(|ui| {
        ui.spacing_mut().item_spacing.y = 0.0;
        ui.add(cell(text, color));
        if let Some(reference) = column.reference {
            let change = value - row.of(reference);
            let sign = if change > 0.0 { "+" } else { "" };
            ui.add(cell(format!(" {sign}{}", number(change)), theme.weak))
                .on_hover_text(format!("since step {}: {}", reference.step, number(row.of(reference))));
        }
    });
}

/// Whether the value is past its limit; none when it has no limit.
fn is_over(row: &Reading, probe: &StepSummary) -> Option<bool> {
    match row.key {
        "mean_cosine" | "rankme" | "top_share_uncentred" => Some(probe.verdict.over.contains(&row.key)),
        "median_norm" => {
            let [low, _, high] = probe.token_norms.map(f64::from);
            Some(!(low..=high).contains(&probe.instruments.median_norm))
        }
        _ => None,
    }
}
