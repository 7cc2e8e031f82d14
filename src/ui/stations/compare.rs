//! The Compare station: the samples of an evaluation, and the completions of the one that is chosen, arm beside arm.

use egui::{Id, RichText};

use super::compare_data::{EvaluationReader, choose};
use super::compare_list::{Listing, list_ui};
use super::compare_sample::sample_ui;
use super::compare_summary::{evaluate_ui, summary_ui};
use crate::app::{Action, OpenRun, UiCommand};
use crate::corpus::Split;
use crate::evaluation::EvaluationSummary;
use crate::ui::charts::local;
use crate::ui::widgets::empty_state;
use crate::ui::{View, format, theme};

/// What this page keeps between frames.
#[derive(Default)]
struct Memory {
    reader: EvaluationReader,
    split: Option<Split>,
    listing: Listing,
}

/// Draws the Compare station.
pub fn compare_ui(ui: &mut egui::Ui, view: &View<'_>) {
    let memory = local::<Memory>(ui.ctx(), Id::unique("compare station"));
    let mut memory = memory.lock();
    let Some(open) = view.state.focused() else {
        let action = Some(("Go to Runs", Action::Command(UiCommand::GoRuns)));
        let text = "Here a sample's completions stand side by side: no context, compressed, full RAG. Choose a run to look at.";
        return empty_state(ui, view, "No run is open", text, action);
    };
    let (splits, chosen) = choose(open.run(), memory.split, view.state.selection.step);
    let Some(summary) = chosen else {
        let text = "The arms are compared here after the run's first evaluation.";
        return empty_state(
            ui,
            view,
            &format!("{} has no evaluation yet", open.run().name()),
            text,
            None,
        );
    };
    let evaluation = memory.reader.read(open, summary);
    // First the way to other evaluations: this one may be unreadable.
    head_ui(ui, view, &mut memory, open, &splits, summary);
    let evaluation = match evaluation {
        Ok(evaluation) => evaluation,
        Err(reason) => return empty_state(ui, view, "This evaluation cannot be read", &reason, None),
    };
    let sample = view.state.selection.sample.as_deref();
    let bare = egui::Frame::new();
    egui::Panel::left("samples")
        .default_size(330.0)
        .size_range(240.0..=520.0)
        .frame(bare.inner_margin(egui::Margin {
            right: 12,
            ..egui::Margin::ZERO
        }))
        .show(ui, |ui| {
            if let Some(sample) = list_ui(ui, &mut memory.listing, &evaluation, sample) {
                view.act(Action::SelectSample(Some(sample)));
            }
        });
    egui::CentralPanel::default()
        .frame(bare.inner_margin(egui::Margin {
            left: 16,
            ..egui::Margin::ZERO
        }))
        .show(ui, |ui| {
            egui::ScrollArea::vertical()
                .auto_shrink(false)
                .id_salt("sample")
                .show(ui, |ui| {
                    let table = egui::ScrollArea::horizontal().id_salt("arms");
                    table.show(ui, |ui| summary_ui(ui, &evaluation));
                    ui.add_space(theme::SECTION);
                    let rows = &evaluation.rows;
                    let row = rows
                        .iter()
                        .find(|row| Some(row.record.sample.id.as_str()) == sample)
                        .or(rows.first());
                    match row {
                        Some(row) => sample_ui(ui, view, &evaluation, row),
                        None => empty_state(
                            ui,
                            view,
                            "No samples",
                            "The run keeps no record of the samples it completed.",
                            None,
                        ),
                    }
                });
        });
}

/// Which evaluation this is, and how to get to another.
fn head_ui(
    ui: &mut egui::Ui,
    view: &View<'_>,
    memory: &mut Memory,
    open: &OpenRun,
    splits: &[Split],
    summary: &EvaluationSummary,
) {
    let steps: Vec<usize> = open
        .run()
        .evaluations
        .iter()
        .filter(|other| other.split == summary.split)
        .map(|other| other.step)
        .collect();
    ui.horizontal_wrapped(|ui| {
        ui.label(theme::title(format!("{}, step {}", open.run().name(), summary.step)));
        let what = format!(
            "{} · {} · {}",
            format::count(summary.samples, "sample"),
            match summary.repositories {
                1 => "1 repository".to_owned(),
                n => format!("{n} repositories"),
            },
            name(summary.split)
        );
        ui.label(RichText::new(what).color(view.theme.weak));
        ui.add_space(theme::SECTION);
        if splits.len() > 1 {
            for split in splits {
                if ui.selectable_label(*split == summary.split, name(*split)).clicked() {
                    memory.split = Some(*split);
                }
            }
            ui.add_space(theme::SECTION);
        }
        ui.label(RichText::new("step").size(theme::SMALL).color(view.theme.weak));
        for step in steps {
            let label = ui.selectable_label(step == summary.step, step.to_string());
            if label.on_hover_text(format!("evaluation after step {step}")).clicked() {
                view.act(Action::PinStep(Some(step)));
            }
        }
        ui.add_space(theme::SECTION);
        evaluate_ui(ui, view, open);
    });
    ui.add_space(theme::GAP);
}

fn name(split: Split) -> &'static str {
    match split {
        Split::Train => "train split",
        Split::Validation => "validation split",
        Split::Test => "test split",
    }
}
