//! The chart of a sweep: a metric against the value that is swept, or a row a cell where values are no numbers.

use egui::{Id, Ui};

use super::sweep_series::{numeric_fields, series};
use crate::app::fields;
use crate::evaluation::Interval;
use crate::runs::{Column, Sweep, SweepTable};
use crate::ui::charts::{ForestChart, ForestRow, LineChart, Scale};
use crate::ui::format::count;
use crate::ui::{View, theme};

/// Height of a chart's title row, points.
const FRAME: f32 = 34.0;

/// What is looked at.
#[derive(Clone, Debug, Default)]
pub struct Chosen {
    /// Key of the metric; the first one when it has none of this name.
    metric: String,
    /// The field along x; a row a cell when none.
    field: Option<String>,
    /// Held against the baseline rather than by itself.
    difference: bool,
    /// The sweep that these were chosen for.
    of: std::path::PathBuf,
}

/// Draws the choice and the chart.
pub fn chart_ui(ui: &mut Ui, view: &View<'_>, sweep: &Sweep, table: &SweepTable, chosen: &mut Chosen) {
    let fields = numeric_fields(sweep);
    if chosen.of != sweep.folder {
        chosen.of.clone_from(&sweep.folder);
        chosen.field = fields.first().cloned();
    }
    let found = table.columns.iter().position(|column| column.key == chosen.metric);
    let place = found.unwrap_or_default();
    let Some(column) = table.columns.get(place) else { return };
    controls_ui(ui, table, &fields, column, chosen);
    ui.add_space(theme::TIGHT);
    let height = (ui.available_height() - FRAME).max(120.0);
    let title = if chosen.difference {
        format!("{}: difference to {}", column.label, table.baseline)
    } else {
        column.label.clone()
    };
    let kind = if column.per_sample {
        format!("95% intervals {}", table.drawn())
    } else {
        "mean and range over the seeds".to_owned()
    };
    let done: usize = table.rows.iter().map(|row| row.done).sum();
    let note = format!("{kind}, {} split, {}", table.split, count(done, "trial"));
    let value = |cell: usize| -> Option<Interval> {
        let entry = table.rows.get(cell)?.entries.get(place)?.as_ref()?;
        match chosen.difference {
            true => Some(entry.difference.as_ref()?.interval),
            false => Some(entry.value),
        }
    };
    let id = Id::unique("sweep chart").with(chosen.field.is_some());
    match chosen.field.as_ref().filter(|field| fields.contains(field)) {
        Some(field) => {
            let series = series(view, sweep, field, value);
            let unit = if column.unit.is_empty() {
                note
            } else {
                format!("{} · {note}", column.unit)
            };
            LineChart {
                id,
                title: &title,
                x_label: label_of(field),
                unit: &unit,
                series: &series,
                last_x: 0.0,
                flags: &[],
                scale: Scale::Linear,
                cursor: None,
                pinned: None,
                height,
                empty: "The first trial that ends brings a point.",
                group: None,
            }
            .show(ui);
        }
        None => {
            let rows = rows(view, table, value);
            ForestChart {
                id,
                title: &title,
                note,
                x_label: if column.unit.is_empty() {
                    &column.label
                } else {
                    &column.unit
                },
                rows: &rows,
                zero: chosen.difference.then_some(0.0),
                higher_is_better: column.higher_is_better,
                decimals: column.decimals,
                height,
                empty: "The first trial that ends brings a row.",
            }
            .show(ui);
        }
    }
}

fn label_of(field: &str) -> &str {
    fields::find(field).map_or(field, |field| field.label)
}

fn controls_ui(ui: &mut Ui, table: &SweepTable, fields: &[String], column: &Column, chosen: &mut Chosen) {
    ui.horizontal_wrapped(|ui| {
        let label = ui.label("metric");
        egui::ComboBox::from_id_salt("metric of the sweep")
            .selected_text(&column.label)
            .width(150.0)
            .show_ui(ui, |ui| {
                for one in &table.columns {
                    let text = ui.selectable_label(one.key == column.key, &one.label);
                    if text.on_hover_text(&one.definition).clicked() {
                        chosen.metric.clone_from(&one.key);
                    }
                }
            })
            .response
            .labelled_by(label.id);
        ui.separator();
        ui.label("against");
        for field in fields {
            let is_chosen = chosen.field.as_ref() == Some(field);
            if ui
                .selectable_label(is_chosen, label_of(field))
                .on_hover_text(field)
                .clicked()
            {
                chosen.field = Some(field.clone());
            }
        }
        if ui.selectable_label(chosen.field.is_none(), "cells").clicked() {
            chosen.field = None;
        }
        ui.separator();
        ui.checkbox(&mut chosen.difference, format!("difference to {}", table.baseline));
    });
}

/// A row a cell; the baseline has the sign of what is compared with.
fn rows(view: &View<'_>, table: &SweepTable, value: impl Fn(usize) -> Option<Interval>) -> Vec<ForestRow> {
    let rows = table.rows.iter().enumerate();
    rows.filter_map(|(place, row)| {
        let is_baseline = row.cell == table.baseline;
        Some(ForestRow {
            label: row.cell.clone(),
            sign: if is_baseline {
                view.theme.encoder()
            } else {
                view.theme.run(0)
            },
            control: is_baseline,
            interval: Some(value(place)?),
            made: format!(
                "{} of {} trials, {} of {} repositories; {} resamples",
                row.done,
                row.trials,
                count(row.samples, "sample"),
                row.repositories,
                table.resamples
            ),
        })
    })
    .collect()
}
