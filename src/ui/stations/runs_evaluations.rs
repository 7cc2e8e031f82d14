//! Evaluations of the chosen runs: each arm's difference to no context with its interval, and the same over the steps.

use std::collections::BTreeSet;

use egui::{Id, RichText, Ui};
use strum::IntoEnumIterator as _;

use super::evaluation_metrics::METRICS;
use super::evaluation_rows::{Chosen, forest_rows, over_steps};
use crate::app::OpenRun;
use crate::corpus::Split;
use crate::evaluation::{Arm, SampleGroup};
use crate::ui::charts::{ChartRow, ForestChart, Scale, local};
use crate::ui::{View, theme};

/// Height of a chart's title row, points.
const FRAME: f32 = 30.0;
/// Height of the controls, points.
const CONTROLS: f32 = 36.0;

/// Draws into a room of this height the controls and, beside each other, the forest plot and the curves.
pub fn evaluations_ui(ui: &mut Ui, view: &View<'_>, room: f32) {
    let runs: Vec<&OpenRun> = view.state.shown_runs().collect();
    let chosen = local::<Chosen>(ui.ctx(), Id::unique("chosen evaluation"));
    let mut chosen = chosen.lock();
    chosen.renew(&runs);
    controls_ui(ui, view, &mut chosen, &runs);
    ui.add_space(theme::TIGHT);
    let metric = chosen.metric();
    let height = (room - CONTROLS - FRAME).max(150.0);
    ui.columns(2, |uis| {
        let [left, right] = uis else { return };
        let labels = crate::ui::format::run_labels(runs.iter().map(|open| open.run().folder.as_path()));
        let rows = forest_rows(view, &chosen, &runs, &labels);
        let title = format!("{}, newest {} evaluation", metric.title(), chosen.split_name());
        ForestChart {
            id: Id::unique("evaluation forest"),
            title: &title,
            note: if metric.is_difference() {
                "paired, 95% intervals"
            } else {
                "95% intervals"
            }
            .into(),
            x_label: metric.unit(),
            rows: &rows,
            zero: metric.is_difference().then_some(0.0),
            higher_is_better: Some(metric.higher_is_better()),
            decimals: metric.decimals(),
            height,
            empty: "The arms are compared here after the first evaluation on this split.",
        }
        .show(left);
        let mut charts = ChartRow::new(view, &runs, height);
        let series = over_steps(view, &chosen, &runs, &charts.labels);
        let title = format!("{} over training", metric.title());
        let unit = metric.unit();
        charts.chart(
            right,
            &title,
            unit,
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
            .selected_text(chosen.metric().label())
            .width(140.0)
            .show_ui(ui, |ui| {
                for (place, metric) in METRICS.iter().enumerate() {
                    ui.selectable_value(&mut chosen.metric, place, metric.label())
                        .on_hover_text(metric.definition());
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
        group_ui(ui, chosen, runs);
        if runs.len() > 1 {
            ui.separator();
            let label = ui.label("arm over training");
            egui::ComboBox::from_id_salt("arm over training")
                .selected_text(chosen.arm.label())
                .width(130.0)
                .show_ui(ui, |ui| {
                    for arm in present(runs) {
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

/// Which samples; there is a choice when some evaluation tells them apart.
fn group_ui(ui: &mut Ui, chosen: &mut Chosen, runs: &[&OpenRun]) {
    let evaluations = runs.iter().flat_map(|open| &open.run().evaluations);
    if !evaluations.clone().any(|summary| !summary.groups.is_empty()) {
        chosen.group = None;
        return;
    }
    ui.separator();
    let label = ui.label("samples");
    egui::ComboBox::from_id_salt("samples of evaluations")
        .selected_text(chosen.group.map_or("all", SampleGroup::label))
        .width(170.0)
        .show_ui(ui, |ui| {
            ui.selectable_value(&mut chosen.group, None, "all");
            for group in SampleGroup::iter() {
                ui.selectable_value(&mut chosen.group, Some(group), group.label());
            }
        })
        .response
        .labelled_by(label.id);
}

/// The arms that some evaluation has, but no context, which is the zero.
fn present(runs: &[&OpenRun]) -> BTreeSet<Arm> {
    let evaluations = runs.iter().flat_map(|open| &open.run().evaluations);
    let arms = evaluations.flat_map(|summary| &summary.arms).map(|summary| summary.arm);
    arms.filter(|arm| *arm != Arm::NoContext).collect()
}
