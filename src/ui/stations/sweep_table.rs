//! The cells of a sweep: how their trials stand, and their metrics with intervals.

use egui::{Align, Layout, RichText, Ui};
use egui_extras::{Column as Width, TableBuilder, TableRow};

use crate::app::Action;
use crate::runs::{Column, Sweep, SweepEntry, SweepRow, TrialEntry, TrialStatus};
use crate::ui::charts::{Table, interval_cells};
use crate::ui::widgets::cut_text;
use crate::ui::{View, theme};

/// Height of a row, points.
const ROW: f32 = theme::ROW;

/// Draws the table; only the rows in view cost time.
pub fn cells_ui(ui: &mut Ui, view: &View<'_>, sweep: &Sweep) {
    let columns = shown(sweep);
    egui::ScrollArea::horizontal()
        .id_salt("cells across")
        .auto_shrink(false)
        .show(ui, |ui| {
            let mut builder = TableBuilder::new(ui)
                .id_salt(("cells", &sweep.folder, columns.len()))
                .sense(egui::Sense::click())
                .cell_layout(Layout::left_to_right(Align::Center))
                .auto_shrink(false)
                // Never over what stands below.
                .min_scrolled_height(0.0)
                .column(Width::initial(240.0).at_least(120.0).clip(true).resizable(true))
                .column(Width::initial(150.0).at_least(90.0).clip(true).resizable(true));
            for _ in &columns {
                builder = builder.column(Width::initial(158.0).at_least(70.0).clip(true).resizable(true));
            }
            builder
                .header(theme::ROW, |mut header| {
                    for (name, help) in [
                        ("Cell", "Click to look at its newest run".to_owned()),
                        ("Trials", "One a seed".to_owned()),
                    ] {
                        header.col(|ui| {
                            ui.label(theme::caption(name).color(view.theme.weak))
                                .on_hover_text(help);
                        });
                    }
                    for (_, column) in &columns {
                        header.col(|ui| {
                            let text = theme::caption(head(column)).color(view.theme.weak);
                            cut_text(ui, text).on_hover_text(&column.definition);
                        });
                    }
                })
                .body(|body| {
                    body.rows(ROW, sweep.plan.cells.len(), |mut row| {
                        cell_row(&mut row, view, sweep, &columns)
                    });
                });
        });
}

fn cell_row(row: &mut TableRow<'_, '_>, view: &View<'_>, sweep: &Sweep, columns: &[(usize, &Column)]) {
    let index = row.index();
    let Some(cell) = sweep.plan.cells.get(index) else {
        return;
    };
    let trials = trials_of(sweep, index);
    let run = trials.iter().rev().find_map(|trial| trial.run.clone());
    row.set_selected(run.is_some() && run == view.state.focus);
    let is_baseline = cell.name == sweep.plan.baseline();
    row.col(|ui| {
        ui.visuals_mut().override_text_color = None;
        let name = RichText::new(&cell.name).color(view.theme.strong);
        cut_text(ui, name);
        if is_baseline {
            ui.label(RichText::new("baseline").size(theme::SMALL).color(view.theme.weak))
                .on_hover_text("The other cells are held against this one");
        }
    });
    row.col(|ui| {
        ui.visuals_mut().override_text_color = None;
        trials_ui(ui, view, &trials);
    });
    let of_cell: Option<&SweepRow> = sweep.table.as_ref().and_then(|table| table.rows.get(index));
    for (place, column) in columns {
        row.col(|ui| {
            ui.visuals_mut().override_text_color = None;
            let entry = of_cell.and_then(|row| row.entries.get(*place)?.as_ref());
            entry_ui(ui, view, column, of_cell, entry);
        });
    }
    if row.response().clicked()
        && let Some(run) = run
    {
        view.act(Action::Focus(run));
    }
}

/// The columns of the narrow table, with their places; none before the first trial has ended.
fn shown(sweep: &Sweep) -> Vec<(usize, &Column)> {
    sweep.table.iter().flat_map(|table| table.headline()).collect()
}

/// The trials of the cell at a place.
fn trials_of(sweep: &Sweep, place: usize) -> Vec<&TrialEntry> {
    let pairs = sweep.plan.trials.iter().zip(&sweep.trials);
    let of_cell = pairs.filter(|(trial, _)| trial.cell == place);
    of_cell.map(|(_, entry)| entry).collect()
}

/// The name of a column with its unit.
fn head(column: &Column) -> String {
    match column.unit.as_str() {
        "" => column.label.clone(),
        unit => format!("{}, {unit}", column.label),
    }
}

fn done(trials: &[&TrialEntry]) -> usize {
    trials.iter().filter(|trial| trial.status == TrialStatus::Done).count()
}

/// Every cell with its trials, and the shown columns with the ends of their intervals and the differences to the baseline.
pub fn numbers(sweep: &Sweep) -> Table {
    let columns = shown(sweep);
    let mut table = Table::new(["cell", "trials done", "trials", "samples", "repositories"]);
    for (_, column) in &columns {
        let head = head(column);
        let parts = [
            ", low",
            ", high",
            ", to the baseline",
            ", to the baseline, low",
            ", to the baseline, high",
            ", p (Holm)",
        ];
        table.columns.push(head.clone());
        table.columns.extend(parts.map(|part| format!("{head}{part}")));
    }
    let rows = sweep.plan.cells.iter().enumerate().map(|(place, cell)| {
        let trials = trials_of(sweep, place);
        let of_cell = sweep.table.as_ref().and_then(|table| table.rows.get(place));
        let count = |count: fn(&SweepRow) -> usize| of_cell.map_or(0, count).to_string();
        let mut row = vec![
            cell.name.clone(),
            done(&trials).to_string(),
            trials.len().to_string(),
            count(|row| row.samples),
            count(|row| row.repositories),
        ];
        for (column, _) in &columns {
            let entry = of_cell.and_then(|row| row.entries.get(*column)?.as_ref());
            let difference = entry.and_then(|entry| entry.difference.as_ref());
            row.extend(interval_cells(entry.map(|entry| entry.value)));
            row.extend(interval_cells(difference.map(|found| found.interval)));
            row.push(difference.map_or_else(String::new, |found| found.p_holm.to_string()));
        }
        row
    });
    table.rows = rows.collect();
    table
}

/// `✓ 3/3`, `● 1/3 · 40/84 steps`, `▲ 2/3 failed`.
fn trials_ui(ui: &mut Ui, view: &View<'_>, trials: &[&TrialEntry]) {
    let theme = view.theme;
    let ended = done(trials);
    let done = format!("{ended}/{}", trials.len());
    let failed = trials.iter().find_map(|trial| match &trial.status {
        TrialStatus::Failed(reason) => Some(reason),
        _ => None,
    });
    let running = trials.iter().find(|trial| trial.status == TrialStatus::Running);
    let (color, text) = if let Some(trial) = running {
        let entry = view
            .state
            .runs
            .iter()
            .find(|run| Some(&run.folder) == trial.run.as_ref());
        let steps = entry.map_or_else(String::new, |run| format!(" · step {}/{}", run.steps_done, run.steps));
        (theme.accent, format!("● {done}{steps}"))
    } else if failed.is_some() {
        (theme.alarm, format!("▲ {done}, failed"))
    } else if trials.iter().any(|trial| trial.status == TrialStatus::Interrupted) {
        (theme.warning, format!("▲ {done}, interrupted"))
    } else if ended == trials.len() {
        (theme.good, format!("✓ {done}"))
    } else {
        (theme.weak, format!("{done} waiting"))
    };
    let label = cut_text(ui, RichText::new(text).color(color));
    if let Some(reason) = failed {
        label.on_hover_text(reason);
    }
}

fn entry_ui(ui: &mut Ui, view: &View<'_>, column: &Column, row: Option<&SweepRow>, entry: Option<&SweepEntry>) {
    let small = |text: String| RichText::new(text).monospace().size(theme::SMALL);
    let Some(entry) = entry else {
        ui.label(small("—".into())).on_hover_text("Not measured yet");
        return;
    };
    let single = entry.value.low == entry.value.high;
    let text = match single {
        true => format!("{:.*}", column.decimals, entry.value.mean),
        false => entry.value.text(column.decimals),
    };
    let difference = entry.difference.as_ref();
    // After Holm's correction over the rows, not before.
    let (mark, color) = match (difference, column.higher_is_better) {
        (Some(found), Some(higher)) if found.p_holm < 0.05 => match (found.interval.mean > 0.0) == higher {
            true => (" ✓", view.theme.good),
            false => (" ▲", view.theme.alarm),
        },
        _ => ("", view.theme.text),
    };
    let label = cut_text(ui, small(format!("{text}{mark}").replace('-', "−")).color(color));
    let mut help = format!("{}\n", column.definition);
    if let Some(row) = row {
        let kind = if column.per_sample {
            "mean, 95% interval by repository"
        } else {
            "mean and range over the seeds"
        };
        help += &format!(
            "{kind}; {} trials, {} samples of {} repositories",
            row.done, row.samples, row.repositories
        );
    }
    if let Some(found) = difference {
        help += &format!(
            "\nto the baseline {} in {} pairs, p = {:.4}, after Holm's correction {:.4}",
            found.interval.text(column.decimals),
            found.pairs,
            found.p,
            found.p_holm
        );
    }
    label.on_hover_text(help);
}
