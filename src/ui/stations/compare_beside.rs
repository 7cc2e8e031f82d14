//! A second evaluation beside the one that is looked at: another checkpoint of the run, or another run on the same samples.

use std::path::PathBuf;
use std::sync::Arc;

use egui::{RichText, Ui};

use super::compare_controls::combo_ui;
use super::compare_data::Evaluation;
use super::compare_pair::Compared;
use super::compare_reader::EvaluationReader;
use crate::app::OpenRun;
use crate::corpus::Split;
use crate::evaluation::EvaluationSummary;
use crate::ui::format::run_labels;
use crate::ui::{View, theme};

/// Which evaluation stands beside.
#[derive(Default)]
pub struct Beside {
    chosen: Option<Choice>,
    reader: EvaluationReader,
    /// Why the chosen one is not there.
    unread: Option<String>,
}

/// An evaluation of an open run.
#[derive(Clone, Debug, PartialEq)]
struct Choice {
    folder: PathBuf,
    step: usize,
    split: Split,
}

/// The evaluations that can stand beside one, with their names: those of the runs that are shown, on the same split.
fn choices(view: &View<'_>, open: &OpenRun, summary: &EvaluationSummary) -> Vec<(Choice, String)> {
    let runs: Vec<&OpenRun> = view.state.shown_runs().collect();
    let labels = run_labels(runs.iter().map(|open| open.run().folder.as_path()));
    let mut all = Vec::new();
    for (other, label) in runs.iter().zip(labels) {
        let run = other.run();
        let same_run = run.folder == open.run().folder;
        let of_split = run.evaluations.iter().filter(|one| one.split == summary.split);
        for one in of_split.filter(|one| !(same_run && one.step == summary.step)) {
            let choice = Choice {
                folder: run.folder.clone(),
                step: one.step,
                split: one.split,
            };
            let name = match same_run {
                true => format!("step {}", one.step),
                false => format!("{label}, step {}", one.step),
            };
            all.push((choice, name));
        }
    }
    all
}

impl Beside {
    /// The chosen evaluation and its name, once it is read; nothing without a choice.
    pub fn read(
        &mut self,
        ctx: &egui::Context,
        view: &View<'_>,
        open: &OpenRun,
        summary: &EvaluationSummary,
    ) -> Option<(Arc<Evaluation>, String)> {
        self.unread = None;
        let chosen = self.chosen.clone()?;
        let found = choices(view, open, summary)
            .into_iter()
            .find(|(choice, _)| *choice == chosen);
        let Some((choice, name)) = found else {
            // The run was closed, or this is its own evaluation now.
            self.chosen = None;
            return None;
        };
        let other = view.state.open_runs.get(&choice.folder)?;
        let summary = other
            .run()
            .evaluations
            .iter()
            .find(|one| (one.step, one.split) == (choice.step, choice.split))?;
        match self.reader.read(ctx, other, summary) {
            Ok(evaluation) => Some((evaluation, name)),
            Err(unread) => {
                self.unread = Some(unread.to_string());
                None
            }
        }
    }
}

/// Draws the choice, and how many samples match.
pub fn beside_ui(
    ui: &mut Ui,
    view: &View<'_>,
    beside: &mut Beside,
    open: &OpenRun,
    summary: &EvaluationSummary,
    compared: &Compared,
) {
    let choices = choices(view, open, summary);
    let small = |text: &str| RichText::new(text).size(theme::SMALL).color(view.theme.weak);
    ui.horizontal_wrapped(|ui| {
        if choices.is_empty() {
            ui.label(small(
                "No other evaluation on this split to put beside it: overlay a run in Runs (O).",
            ));
            return;
        }
        let named = |chosen: &Option<Choice>| {
            let chosen = chosen.as_ref();
            let found = choices.iter().find(|(choice, _)| Some(choice) == chosen);
            found.map_or("nothing", |(_, name)| name).to_owned()
        };
        combo_ui(ui, "beside it", &named(&beside.chosen), 160.0, |ui| {
            ui.selectable_value(&mut beside.chosen, None, "nothing");
            for (choice, name) in &choices {
                ui.selectable_value(&mut beside.chosen, Some(choice.clone()), name);
            }
        });
        if let Some((name, matched)) = compared.matched() {
            let text = format!(
                "{matched} of {} samples are in {name} as well",
                compared.first.rows.len()
            );
            let color = match matched == compared.first.rows.len() {
                true => view.theme.weak,
                false => view.theme.warning,
            };
            let text = RichText::new(text).size(theme::SMALL).color(color);
            ui.label(text).on_hover_text("The same id and the same true line");
        } else if let Some(unread) = &beside.unread {
            ui.label(small(unread));
        } else {
            ui.label(small(
                "another checkpoint, or a run that is overlaid in Runs (O), with its arms as further columns",
            ));
        }
    });
    ui.add_space(theme::TIGHT);
}
