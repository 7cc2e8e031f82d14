//! What the votes of a blind review say.

use egui::{Id, Key, RichText, Ui, vec2};

use super::review::{ask, pressed};
use super::review_numbers::numbers;
use super::review_setup::words;
use crate::app::ReviewAction;
use crate::evaluation::Interval;
use crate::evaluation::statistics::RESAMPLES;
use crate::runs::{PairResult, ReviewResults, ReviewTable};
use crate::ui::charts::{ForestChart, ForestRow, table_menu};
use crate::ui::format::count;
use crate::ui::{View, theme};

/// Height of a row of the chart, points.
const ROW: f32 = 20.0;
/// Height of the chart without its rows, points.
const CHART: f32 = 48.0;

/// Draws the page.
pub fn results_ui(ui: &mut Ui, view: &View<'_>, results: &ReviewResults) {
    if pressed(ui, view, Key::Escape) {
        ask(view, ReviewAction::Setup);
    }
    if pressed(ui, view, Key::E) {
        ask(view, ReviewAction::Export);
    }
    ui.horizontal(|ui| {
        ui.label(theme::title("Results of the blind review").color(view.theme.strong));
        if ui.button("Back (Esc)").clicked() {
            ask(view, ReviewAction::Setup);
        }
    });
    ui.label(RichText::new(words(&results.design)).color(view.theme.weak));
    let made = format!(
        "{} of {}; 95% intervals from {RESAMPLES} bootstrap resamples by repository, seed {}",
        count(results.samples, "sample"),
        match results.repositories {
            1 => "1 repository".to_owned(),
            n => format!("{n} repositories"),
        },
        results.design.seed
    );
    ui.label(RichText::new(made).size(theme::SMALL).color(view.theme.weak));
    if results.outdated > 0 {
        let text = format!(
            "▲ {} left out: the evaluation has other completions by now",
            count(results.outdated, "vote")
        );
        ui.label(RichText::new(text).color(view.theme.warning));
    }
    ui.add_space(theme::GAP);
    egui::ScrollArea::vertical()
        .auto_shrink(false)
        .id_salt("review results")
        .show(ui, |ui| {
            preference_ui(ui, view, results);
            ui.add_space(theme::SECTION);
            tables_ui(ui, view, results);
            ui.add_space(theme::SECTION);
            export_ui(ui, view);
        });
}

fn preference_ui(ui: &mut Ui, view: &View<'_>, results: &ReviewResults) {
    let row = |pair: &PairResult| ForestRow {
        label: format!("{} over {}", pair.one.label(), pair.other.label()),
        sign: view.theme.arm(pair.one),
        control: false,
        interval: (pair.judged > 0).then(|| points(pair.preference)),
        made: format!(
            "{} judged, identical completions left out",
            count(pair.judged, "sample")
        ),
    };
    let rows: Vec<ForestRow> = results.pairs.iter().filter(|pair| pair.judged > 0).map(row).collect();
    ForestChart {
        id: Id::unique("review preference"),
        title: "Preference",
        note: "1 for a vote, ½ for a tie or both bad; samples that were judged".into(),
        x_label: "percentage points above an even split",
        rows: &rows,
        zero: Some(0.0),
        higher_is_better: None,
        decimals: 1,
        height: CHART + ROW * rows.len().max(2) as f32,
        empty: "Votes appear here.",
    }
    .show(ui);
}

/// A share as points above one half.
fn points(share: Interval) -> Interval {
    let point = |value: f64| 100.0 * (value - 0.5);
    Interval {
        mean: point(share.mean),
        low: point(share.low),
        high: point(share.high),
    }
}

fn tables_ui(ui: &mut Ui, view: &View<'_>, results: &ReviewResults) {
    for (place, table) in results.tables().into_iter().enumerate() {
        ui.horizontal(|ui| {
            ui.label(theme::caption(table.title).color(view.theme.strong));
            table_menu(ui, table.title, || {
                numbers(results).into_iter().nth(place).unwrap_or_default()
            });
        });
        let area = egui::ScrollArea::horizontal().id_salt(table.title);
        area.show(ui, |ui| table_ui(ui, view, &table));
        ui.add_space(theme::SECTION);
    }
    for sentence in results.sentences() {
        // A minus that is as wide as a plus; names keep their hyphens.
        let text = sentence.text.replace("= -", "= −");
        let label = ui.label(RichText::new(text).color(view.theme.text));
        if !sentence.meaning.is_empty() {
            label.on_hover_text(sentence.meaning);
        }
    }
}

fn table_ui(ui: &mut Ui, view: &View<'_>, table: &ReviewTable) {
    let grid = egui::Grid::new(table.title).num_columns(table.heads.len());
    grid.spacing(vec2(theme::SECTION, theme::TIGHT)).show(ui, |ui| {
        for (name, meaning) in table.heads {
            let head = theme::caption(*name).color(view.theme.weak);
            ui.label(head).on_hover_text(*meaning);
        }
        ui.end_row();
        for row in &table.rows {
            for (place, cell) in row.iter().enumerate() {
                let text = if place == 0 {
                    cell.clone()
                } else {
                    cell.replace('-', "−")
                };
                ui.label(RichText::new(text).color(view.theme.text));
            }
            ui.end_row();
        }
    });
}

fn export_ui(ui: &mut Ui, view: &View<'_>) {
    ui.horizontal_wrapped(|ui| {
        let label = ui.label("files, without ending");
        let mut path = view.state.review.export_path.clone();
        let field = ui
            .add(egui::TextEdit::singleline(&mut path).desired_width(360.0))
            .labelled_by(label.id);
        if field.changed() {
            ask(view, ReviewAction::SetExportPath(path));
        }
        let button = ui.button("Export CSV and JSON lines (E)");
        if button
            .on_hover_text("One line a vote, with both texts, the true line and their scores")
            .clicked()
        {
            ask(view, ReviewAction::Export);
        }
    });
}
