//! The settings in which the shown runs differ, and how their compressed arms did, run beside run.

use egui::{RichText, Ui};

use crate::app::fields::Field;
use crate::app::{differences, field_text};
use crate::corpus::Split;
use crate::evaluation::{Arm, Interval, SCORE_INFO};
use crate::runs::Run;
use crate::ui::charts::{Table, common_split, table_menu};
use crate::ui::format::{interval, run_labels};
use crate::ui::{View, theme};

/// What the run in focus and the overlaid ones differ in, and how their compressed arms did.
pub fn settings_ui(ui: &mut Ui, view: &View<'_>) {
    let shown: Vec<&Run> = view.state.shown_runs().map(|open| open.run()).collect();
    let signs: Vec<usize> = view.state.shown_runs().map(|open| open.sign).collect();
    let Some((first, others)) = shown.split_first() else {
        return;
    };
    let mut rows: Vec<&Field> = Vec::new();
    for other in others {
        for (field, _, _) in differences(&first.experiment, &other.experiment) {
            if field.key != "name" && !rows.contains(&field) {
                rows.push(field);
            }
        }
    }
    let labels = run_labels(shown.iter().map(|run| run.folder.as_path()));
    egui::ScrollArea::both().auto_shrink(false).show(ui, |ui| {
        table_menu(ui, "settings that differ", || {
            let mut table = Table::new(["setting"]);
            table.columns.extend(labels.iter().cloned());
            let row = |field: &&Field| {
                let cells = shown.iter().map(|run| field_text(&run.experiment, field.key));
                std::iter::once(field.key.to_owned()).chain(cells).collect()
            };
            table.rows = rows.iter().map(row).collect();
            table
        });
        egui::Grid::new("difference")
            .spacing([theme::PAGE, 6.0])
            .show(ui, |ui| {
                ui.label(theme::caption("").color(view.theme.weak));
                for (sign, label) in signs.iter().zip(&labels) {
                    let sign = view.theme.run(*sign);
                    ui.label(theme::caption(format!("{} {label}", sign.mark)).color(sign.color));
                }
                ui.end_row();
                for field in &rows {
                    let cells = shown.iter().map(|run| field_text(&run.experiment, field.key));
                    side_by_side(ui, view, field.label, field.key, cells);
                }
                let split = common_split(&shown);
                for (score, label, percent) in [
                    ("em_token", "exact match of code tokens, compressed", 100.0),
                    ("es_levenshtein", "edit similarity, compressed", 1.0),
                ] {
                    let cells = shown.iter().map(|run| last_score(run, split, score, percent));
                    let definition = SCORE_INFO
                        .iter()
                        .find(|info| info.key == score)
                        .map(|info| info.definition);
                    let help = format!(
                        "{}\nMean and 95% interval at the newest evaluation, percent",
                        definition.unwrap_or_default()
                    );
                    side_by_side(ui, view, label, &help, cells);
                }
            });
        if rows.is_empty() {
            ui.label(RichText::new("Every setting is the same.").color(view.theme.weak));
        }
    });
}

fn side_by_side(ui: &mut Ui, view: &View<'_>, label: &str, help: &str, cells: impl Iterator<Item = String>) {
    ui.label(label).on_hover_text(help);
    for cell in cells {
        ui.label(RichText::new(cell).color(view.theme.strong));
    }
    ui.end_row();
}

/// A score of the compressed arm at the newest evaluation, as "34.1 [28.0, 40.2] % · step 85, validation, 32 samples".
fn last_score(run: &Run, split: Split, score: &str, percent: f64) -> String {
    let of_split = run.evaluations.iter().filter(|summary| summary.split == split);
    let Some(evaluation) = of_split.max_by_key(|summary| summary.step) else {
        return "not evaluated".into();
    };
    let arm = evaluation.arms.iter().find(|arm| arm.arm == Arm::Compressed);
    let Some(value) = arm.and_then(|arm| arm.scores.get(score)) else {
        return "not evaluated".into();
    };
    let value = Interval {
        mean: value.mean * percent,
        low: value.low * percent,
        high: value.high * percent,
    };
    let split = format!("{split:?}").to_lowercase();
    format!(
        "{} % · step {}, {split}, {} samples",
        interval(value),
        evaluation.step,
        evaluation.samples
    )
}
