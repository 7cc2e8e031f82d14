//! The Compare station: the samples of an evaluation, and the completions of the one that is chosen, arm beside arm.

use std::sync::Arc;

use egui::{Id, RichText, Ui};

use super::compare_beside::{Beside, beside_ui};
use super::compare_controls::controls_ui;
use super::compare_data::{Evaluation, choose};
use super::compare_filter::Filters;
use super::compare_pair::Compared;
use super::compare_reader::{EvaluationReader, Unread};
use super::compare_sample::sample_ui;
use super::compare_summary::{evaluate_ui, summary_ui};
use super::compare_table::{Listed, table_ui};
use super::review::review_ui;
use crate::app::{Action, OpenRun, Pane, UiCommand};
use crate::corpus::Split;
use crate::evaluation::EvaluationSummary;
use crate::ui::charts::local;
use crate::ui::docks::panes_ui;
use crate::ui::widgets::empty_state;
use crate::ui::{View, format, theme};

/// What this page keeps between frames.
#[derive(Default)]
struct Memory {
    reader: EvaluationReader,
    split: Option<Split>,
    beside: Beside,
    compared: Option<Arc<Compared>>,
    /// Counts what was compared.
    made: usize,
    filters: Filters,
    listed: Listed,
}

impl Memory {
    /// What is compared, made again when one of the two is another one.
    fn compared(&mut self, first: Arc<Evaluation>, second: Option<(Arc<Evaluation>, String)>) -> Arc<Compared> {
        let other = second.as_ref().map(|(evaluation, _)| evaluation);
        if let Some(compared) = self.compared.as_ref().filter(|kept| kept.is_of(&first, other)) {
            return Arc::clone(compared);
        }
        let compared = Arc::new(Compared::new(first, second));
        self.filters.renew(&compared);
        self.made += 1;
        Arc::clone(self.compared.insert(compared))
    }
}

/// Draws the Compare station.
pub fn compare_ui(ui: &mut Ui, view: &View<'_>) {
    if view.state.shows_review() {
        return review_ui(ui, view);
    }
    let kept = local::<Memory>(ui.ctx(), Id::unique("compare station"));
    let mut memory = kept.lock();
    let Some(open) = view.state.focused() else {
        let action = Some(("Go to Runs", Action::Command(UiCommand::GoRuns)));
        let text = "Here a sample's completions stand side by side: no context, compressed, full RAG. Choose a run to look at.";
        return empty_state(ui, view, "No run is open", text, action);
    };
    let (splits, chosen) = choose(
        open.run(),
        memory.split.or(view.state.tour_split()),
        view.state.selection.step,
    );
    let Some(summary) = chosen else {
        let text = "The arms are compared here after the run's first evaluation.";
        let title = format!("{} has no evaluation yet", open.run().name());
        return empty_state(ui, view, &title, text, None);
    };
    let read = memory.reader.read(ui.ctx(), open, summary);
    // First the way to other evaluations: this one may be unreadable.
    head_ui(ui, view, &mut memory, open, &splits, summary);
    let evaluation = match read {
        Ok(evaluation) => evaluation,
        Err(unread) => return unread_ui(ui, view, &unread),
    };
    let second = memory.beside.read(ui.ctx(), view, open, summary);
    let compared = memory.compared(evaluation, second);
    if !view.state.is_presented() {
        beside_ui(ui, view, &mut memory.beside, open, summary, &compared);
    }
    let before = memory.filters.clone();
    samples_ui(ui, view, &mut memory, open, &compared);
    let change = (before, memory.filters.clone());
    view.remember("filter of Compare", &kept, change, |memory, filters| {
        memory.filters = filters;
        if let Some(compared) = &memory.compared {
            memory.filters.renew(compared);
        }
    });
}

/// Why the completions are not shown.
fn unread_ui(ui: &mut Ui, view: &View<'_>, unread: &Unread) {
    match unread {
        Unread::Reading => empty_state(ui, view, "One moment", &unread.to_string(), None),
        Unread::Failed(reason) => empty_state(ui, view, "This evaluation cannot be read", reason, None),
    }
}

/// The table, and beside it the sample that is chosen.
fn samples_ui(ui: &mut Ui, view: &View<'_>, memory: &mut Memory, open: &OpenRun, compared: &Compared) {
    let sample = view.state.selection.sample.as_deref();
    // A tour speaks of one sample: the table is folded, so that the sample has the page.
    let panes: &[Pane] = match view.state.is_presented() {
        true => &[Pane::Sample],
        false => &[Pane::Samples, Pane::Sample],
    };
    panes_ui(ui, view, panes, |ui, pane| match pane {
        Pane::Samples => {
            let Memory {
                filters, listed, made, ..
            } = &mut *memory;
            // What was typed or chosen in this frame is listed in this frame.
            listed.renew(compared, filters, *made);
            controls_ui(ui, filters, compared, &listed.rows);
            listed.renew(compared, filters, *made);
            if listed.rows.is_empty() {
                ui.add_space(theme::SECTION);
                let text = "No sample is like that. Change the search or the filters.";
                ui.label(RichText::new(text).color(view.theme.weak));
            } else if let Some(sample) = table_ui(ui, compared, filters, listed, sample) {
                view.act(Action::SelectSample(Some(sample)));
            }
        }
        _ => chosen_ui(ui, view, &memory.filters, open, compared),
    });
}

/// The arms over all samples, and the chosen sample; in a tour the sample comes first.
fn chosen_ui(ui: &mut Ui, view: &View<'_>, filters: &Filters, open: &OpenRun, compared: &Compared) {
    let presented = view.state.is_presented();
    let area = egui::ScrollArea::vertical()
        .auto_shrink(false)
        .id_salt(("sample", presented));
    area.show(ui, |ui| {
        if !presented {
            over_all_ui(ui, compared);
            ui.add_space(theme::GAP);
        }
        row_ui(ui, view, filters, open, compared);
        if presented {
            ui.add_space(theme::GAP);
            over_all_ui(ui, compared);
        }
    });
}

fn over_all_ui(ui: &mut Ui, compared: &Compared) {
    let header = egui::CollapsingHeader::new(theme::caption("arms over all samples"));
    header
        .id_salt("arms over all samples")
        .default_open(true)
        .show(ui, |ui| {
            let table = egui::ScrollArea::horizontal().id_salt("arms");
            table.show(ui, |ui| summary_ui(ui, &compared.first));
        });
}

fn row_ui(ui: &mut Ui, view: &View<'_>, filters: &Filters, open: &OpenRun, compared: &Compared) {
    let sample = view.state.selection.sample.as_deref();
    let rows = &compared.first.rows;
    let row = rows
        .iter()
        .position(|row| Some(row.record.sample.id.as_str()) == sample);
    match rows.is_empty() {
        false => sample_ui(ui, view, open, compared, filters, row.unwrap_or(0)),
        true => empty_state(
            ui,
            view,
            "No samples",
            "The run keeps no record of the samples it completed.",
            None,
        ),
    }
}

/// Which evaluation this is, and how to get to another.
fn head_ui(
    ui: &mut Ui,
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
        if view.state.is_presented() {
            return;
        }
        ui.add_space(theme::SECTION);
        evaluate_ui(ui, view, open);
        if ui
            .button("Review blind (B)")
            .on_hover_text(UiCommand::Review.tooltip())
            .clicked()
        {
            view.command(UiCommand::Review);
        }
    });
    ui.add_space(theme::TIGHT);
}

fn name(split: Split) -> &'static str {
    match split {
        Split::Train => "train split",
        Split::Validation => "validation split",
        Split::Test => "test split",
    }
}
