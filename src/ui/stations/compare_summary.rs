//! The arms over the whole evaluation: means with intervals, and differences to no context.

use egui::{RichText, vec2};

use super::compare_data::Evaluation;
use crate::app::{Action, OpenRun, evaluation_refusal};
use crate::corpus::Split;
use crate::engine::EvaluationRequest;
use crate::evaluation::{Arm, ArmSummary, Interval};
use crate::ui::View;
use crate::ui::charts::{Table, interval_cells, table_menu};
use crate::ui::format::{fixed, grouped, number, signed};
use crate::ui::theme::{self, Theme};

/// Samples of the test split that are completed on demand: minutes on a CPU, and enough for an interval.
const TEST_SAMPLES: usize = 100;

/// A score of the table: its key, its name, the factor to percent, and how it is defined.
const SCORES: [(&str, &str, f64, &str); 2] = [
    (
        "em_token",
        "EM, %",
        100.0,
        "exact match: the completion's code tokens equal the true line's",
    ),
    (
        "es_levenshtein",
        "ES, %",
        1.0,
        "edit similarity: 1 − Levenshtein distance / length of the longer line",
    ),
];

/// Draws one row an arm.
pub fn summary_ui(ui: &mut egui::Ui, evaluation: &Evaluation) {
    let theme = Theme::of(ui);
    let summary = &evaluation.summary;
    let made = format!(
        "means of {} samples of {} repositories; 95% intervals from {} bootstrap resamples clustered by repository, seed {}",
        summary.samples, summary.repositories, summary.resamples, summary.seed
    );
    egui::Grid::new("arms")
        .num_columns(7)
        .spacing(vec2(12.0, 4.0))
        .show(ui, |ui| {
            ui.horizontal(|ui| {
                ui.label(theme::caption("arm").color(theme.weak)).on_hover_text(&made);
                table_menu(ui, "arms over all samples", || numbers(evaluation));
            });
            for (_, name, _, definition) in SCORES {
                ui.label(theme::caption(name).color(theme.weak))
                    .on_hover_text(format!("{definition}\n{made}"));
                ui.label(theme::caption("to no context").color(theme.weak))
                    .on_hover_text("mean of paired differences");
            }
            ui.label(theme::caption("tokens").color(theme.weak))
                .on_hover_text("mean positions in the prompt; soft tokens count one each");
            ui.label(theme::caption("TTFT, ms").color(theme.weak))
                .on_hover_text("median time to the first token");
            ui.end_row();
            for arm in &summary.arms {
                arm_ui(ui, arm);
            }
        });
}

/// Every score of every arm, with the ends of its interval.
fn numbers(evaluation: &Evaluation) -> Table {
    let mut table = Table::new(["arm", "score", "mean", "low", "high", "to no context", "low", "high"]);
    for arm in &evaluation.summary.arms {
        table.rows.extend(arm.scores.iter().map(|(key, score)| {
            let names = [arm.arm.label().to_owned(), key.to_string()];
            let difference = arm.difference.get(key).copied();
            let values = [Some(*score), difference].map(interval_cells).concat();
            [names.to_vec(), values].concat()
        }));
    }
    table
}

fn arm_ui(ui: &mut egui::Ui, arm: &ArmSummary) {
    let theme = Theme::of(ui);
    let sign = theme.arm(arm.arm);
    ui.horizontal(|ui| {
        ui.label(RichText::new(sign.mark).color(sign.color));
        ui.label(RichText::new(arm.arm.label()).color(theme.strong));
    });
    for (key, _, factor, _) in SCORES {
        let mean = arm
            .scores
            .get(key)
            .map_or_else(String::new, |value| percent(*value, factor, false));
        ui.label(RichText::new(mean).monospace().size(theme::SMALL).color(theme.strong));
        let value = arm.difference.get(key);
        let text = value.map_or_else(String::new, |value| percent(*value, factor, true));
        // An interval that holds zero is no difference, whatever its mean.
        let (sign, color) = match value {
            Some(value) if value.low > 0.0 => (" ✓", theme.good),
            Some(value) if value.high < 0.0 => (" ▲", theme.alarm),
            _ => ("", theme.text),
        };
        ui.label(RichText::new(text + sign).monospace().size(theme::SMALL).color(color));
    }
    ui.label(
        RichText::new(grouped(arm.prompt_tokens.round() as i64))
            .monospace()
            .size(theme::SMALL),
    );
    ui.label(RichText::new(number(arm.ttft_ms)).monospace().size(theme::SMALL));
    ui.end_row();
}

/// `41.7 [33.1, 50.4]` in percent; a difference carries its sign.
fn percent(value: Interval, factor: f64, with_sign: bool) -> String {
    let [mean, low, high] = [value.mean, value.low, value.high].map(|value| {
        let value = value * factor;
        match with_sign {
            true => signed(value, 1),
            false => fixed(value, 1),
        }
    });
    format!("{mean} [{low}, {high}]")
}

/// The button that evaluates the run's newest checkpoint on the test split, which training never looks at.
pub fn evaluate_ui(ui: &mut egui::Ui, view: &View<'_>, open: &OpenRun) {
    let refusal = evaluation_refusal(view.state, open);
    let button = ui
        .add_enabled(refusal.is_none(), egui::Button::new("Evaluate on the test split"))
        .on_hover_text(format!(
            "Completes {TEST_SAMPLES} samples of the test split with every arm at the newest checkpoint, and writes the result into the run"
        ))
        .on_disabled_hover_text(refusal.unwrap_or_default());
    if button.clicked() {
        view.act(Action::Evaluate(EvaluationRequest {
            run: open.run().folder.clone(),
            step: None,
            split: Split::Test,
            arms: Arm::DEFAULT.into(),
            limit: TEST_SAMPLES,
        }));
    }
}
