//! Evaluations of the chosen runs: each arm's difference to no context with its interval, and the same over the steps.

use egui::{Id, RichText, Ui};
use strum::IntoEnumIterator as _;

use super::evaluation_rows::{Chosen, forest_rows, over_steps};
use crate::app::OpenRun;
use crate::corpus::Split;
use crate::evaluation::{Arm, SCORE_INFO};
use crate::ui::charts::{ChartRow, ForestChart, Scale, local};
use crate::ui::{View, theme};

/// Height of a chart's title row, points.
const FRAME: f32 = 28.0;

/// Draws the controls and, beside each other, the forest plot and the curves.
pub fn evaluations_ui(ui: &mut Ui, view: &View<'_>) {
    let runs: Vec<&OpenRun> = view.state.shown_runs().collect();
    let chosen = local::<Chosen>(ui.ctx(), Id::unique("chosen evaluation"));
    let mut chosen = chosen.lock();
    chosen.renew(&runs);
    controls_ui(ui, view, &mut chosen, &runs);
    ui.add_space(theme::TIGHT);
    let Some(score) = chosen.score() else { return };
    let height = (ui.available_height() - FRAME).max(150.0);
    ui.columns(2, |uis| {
        let [left, right] = uis else { return };
        let labels = crate::ui::format::run_labels(runs.iter().map(|open| open.run().folder.as_path()));
        let rows = forest_rows(view, &chosen, &runs, &labels);
        let title = format!(
            "{}: difference to no context, newest {} evaluation",
            score.label,
            chosen.split_name()
        );
        ForestChart {
            id: Id::unique("evaluation forest"),
            title: &title,
            note: "mean of paired differences, 95% interval".into(),
            x_label: &chosen.difference_unit(),
            rows: &rows,
            zero: Some(0.0),
            higher_is_better: Some(score.higher_is_better),
            decimals: chosen.decimals(),
            height,
            empty: "The arms are compared here after the first evaluation on this split.",
        }
        .show(left);
        let mut charts = ChartRow::new(view, &runs, height);
        let series = over_steps(view, &chosen, &runs, &charts.labels);
        let title = format!("{}: difference to no context over training", score.label);
        let unit = chosen.difference_unit();
        charts.chart(
            right,
            &title,
            &unit,
            &series,
            Scale::Linear,
            "Evaluations on this split appear here.",
        );
        charts.finish();
    });
}

fn controls_ui(ui: &mut Ui, view: &View<'_>, chosen: &mut Chosen, runs: &[&OpenRun]) {
    ui.horizontal_wrapped(|ui| {
        let label = ui.label("metric");
        egui::ComboBox::from_id_salt("metric of evaluations")
            .selected_text(chosen.score().map_or("none", |info| info.label))
            .width(140.0)
            .show_ui(ui, |ui| {
                for info in SCORE_INFO {
                    ui.selectable_value(&mut chosen.key, info.key, info.label)
                        .on_hover_text(info.definition);
                }
            })
            .response
            .labelled_by(label.id);
        ui.separator();
        for split in [Split::Validation, Split::Test, Split::Train] {
            let has = runs
                .iter()
                .any(|open| open.run().evaluations.iter().any(|one| one.split == split));
            let name = format!("{split:?}").to_lowercase();
            let button = ui.add_enabled(has, egui::Button::selectable(chosen.split == split, name));
            if button
                .on_disabled_hover_text("No chosen run was evaluated on it")
                .clicked()
            {
                chosen.split = split;
            }
        }
        if runs.len() > 1 {
            ui.separator();
            let label = ui.label("arm over training");
            egui::ComboBox::from_id_salt("arm over training")
                .selected_text(chosen.arm.label())
                .width(130.0)
                .show_ui(ui, |ui| {
                    for arm in Arm::iter().filter(|arm| *arm != Arm::NoContext) {
                        ui.selectable_value(&mut chosen.arm, arm, arm.label());
                    }
                })
                .response
                .labelled_by(label.id);
        }
        let note = "empty marks and dash-dot lines: controls · ✓ better, ▲ worse: the interval holds no zero";
        ui.label(RichText::new(note).size(theme::SMALL).color(view.theme.weak));
    });
}
