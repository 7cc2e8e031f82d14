//! One sample: what each arm made of it, the code before its cursor, and its chunks.

use std::path::Path;

use egui::{RichText, vec2};

use super::compare_arms::{ArmColumn, arms_ui};
use super::compare_chunks::{chunks_ui, code_ui};
use super::compare_confidence::confidence_ui;
use super::compare_filter::Filters;
use super::compare_pair::{ArmKey, Compared};
use super::prompt_tokens::prompts_ui;
use crate::app::{Action, CompletionTask, OpenRun, PLAYED, UiCommand};
use crate::engine::{CompletionRequest, CompletionSource};
use crate::evaluation::Arm;
use crate::runs::SampleRecord;
use crate::ui::View;
use crate::ui::theme::{self, Theme};

/// Least width of code and chunks beside each other, points; below it the chunks stand under the code.
const BESIDE: f32 = 620.0;

/// Draws the sample of a row with the arms that have a column.
pub fn sample_ui(
    ui: &mut egui::Ui,
    view: &View<'_>,
    open: &OpenRun,
    compared: &Compared,
    filters: &Filters,
    row: usize,
) {
    let Some(found) = compared.first.rows.get(row) else {
        return;
    };
    let record = &found.record;
    let folder = &compared.first.folder;
    let live = view.state.completion(|request| is_about(request, folder, record));
    let arms = found.completions.iter().map(|completion| completion.arm).collect();
    head_ui(ui, view, folder, record, (live, arms));
    ui.add_space(theme::TIGHT);
    let columns = columns(view, compared, filters, row, live);
    if columns.is_empty() {
        let text = "No arm is chosen. Choose some under \"arms\" above the table.";
        ui.label(RichText::new(text).color(view.theme.weak));
    }
    arms_ui(ui, record.sample.target.trim(), &columns);
    ui.add_space(theme::GAP);
    // A tour speaks of the completions and the code that they go on with.
    let presented = view.state.is_presented();
    if presented {
        around_ui(ui, view, open, record);
        ui.add_space(theme::GAP);
    }
    confidence_ui(ui, &columns);
    prompt_ui(ui, live);
    if !presented {
        ui.add_space(theme::GAP);
        around_ui(ui, view, open, record);
    }
}

/// The code before the cursor and the chunks; in a tour the code has the whole width, so that the line of the cursor is in sight.
fn around_ui(ui: &mut egui::Ui, view: &View<'_>, open: &OpenRun, record: &SampleRecord) {
    if view.state.is_presented() || ui.available_width() < BESIDE {
        code_ui(ui, view, record);
        ui.add_space(theme::GAP);
        chunks_ui(ui, view, open, record);
        return;
    }
    let spacing = theme::SECTION;
    let width = ui.available_width() - spacing;
    ui.horizontal_top(|ui| {
        ui.spacing_mut().item_spacing.x = spacing;
        let down = egui::Layout::top_down(egui::Align::Min);
        for (share, is_code) in [(0.55, true), (0.45, false)] {
            ui.allocate_ui_with_layout(vec2(width * share, 0.0), down, |ui| {
                ui.spacing_mut().item_spacing.x = theme::GAP;
                match is_code {
                    true => code_ui(ui, view, record),
                    false => chunks_ui(ui, view, open, record),
                }
            });
        }
    });
}

/// The chosen arms that completed the sample, in a tour only those that stand in one row; what a live completion gave
/// belongs to those of the first evaluation.
fn columns<'a>(
    view: &View<'_>,
    compared: &'a Compared,
    filters: &Filters,
    row: usize,
    live: Option<&'a CompletionTask>,
) -> Vec<ArmColumn<'a>> {
    let answer = live.and_then(|task| task.answer.as_ref()?.as_ref().ok());
    let presented = view.state.is_presented();
    let is_shown = |key: &&ArmKey| filters.arms.contains(key) && (!presented || PLAYED.contains(&key.arm));
    let chosen = compared.arms.iter().filter(is_shown);
    let column = |key: &ArmKey| {
        let now = answer.filter(|_| !key.second).and_then(|answer| {
            let completion = answer.completions.iter().find(|one| one.arm == key.arm)?;
            Some((answer.step, completion))
        });
        Some(ArmColumn {
            name: compared.name(*key),
            sign: view.theme.arm(key.arm),
            recorded: compared.completion(row, *key)?,
            now,
        })
    };
    chosen.filter_map(column).collect()
}

/// The prompts of the sample, which are made when it is completed.
fn prompt_ui(ui: &mut egui::Ui, live: Option<&CompletionTask>) {
    let answer = live.and_then(|task| task.answer.as_ref());
    let answer = answer.and_then(|answer| answer.as_ref().ok());
    let header = egui::CollapsingHeader::new(theme::caption("prompts, token by token"));
    header.id_salt("prompts").default_open(answer.is_some()).show(ui, |ui| match answer {
        Some(answer) => {
            let prompts = answer.completions.iter().zip(&answer.prompts);
            let prompts: Vec<_> = prompts.map(|(one, prompt)| (one.arm, prompt.as_slice())).collect();
            prompts_ui(ui, &prompts);
        }
        None => {
            let text = "A run keeps completions and no prompts. \"Complete again now\" makes them: every token, its source, and whether it may attend to the soft tokens.";
            ui.label(RichText::new(text).color(Theme::of(ui).weak));
        }
    });
}

fn is_about(request: &CompletionRequest, folder: &Path, record: &SampleRecord) -> bool {
    let same_sample = match &request.source {
        CompletionSource::Sample(sample, _) => sample.id == record.sample.id,
        CompletionSource::Cursor { .. } => false,
    };
    same_sample && request.run == folder
}

fn head_ui(
    ui: &mut egui::Ui,
    view: &View<'_>,
    folder: &Path,
    record: &SampleRecord,
    (live, mut arms): (Option<&CompletionTask>, Vec<Arm>),
) {
    let theme = view.theme;
    let sample = &record.sample;
    // The engine completes one sample alone: it has no other sample's chunks to shuffle in.
    arms.retain(|arm| !arm.needs_evaluation());
    let row_layout = egui::Layout::right_to_left(egui::Align::Center);
    ui.allocate_ui_with_layout(vec2(ui.available_width(), 24.0), row_layout, |ui| {
        // The button has its place first, the line takes what is left.
        let waiting = live.is_some_and(|task| task.answer.is_none());
        let focused = view.state.focused();
        let refusal = focused.and_then(|open| view.state.completion_refusal(open));
        if let Some(item) = focused.and_then(|open| view.state.lacking(&open.run().experiment)) {
            let help = format!("{} is not on this machine. {}", item.name, UiCommand::Fetch.tooltip());
            if ui.button("Get the models").on_hover_text(help).clicked() {
                view.command(UiCommand::Fetch);
            }
        }
        let free = !waiting && refusal.is_none();
        let button = ui.add_enabled(free, egui::Button::new("Complete again now"));
        let button = button.on_disabled_hover_text(refusal.unwrap_or_else(|| "it is being completed".into()));
        let button = button.on_hover_text(
            "the arms but shuffled, with the projector as it is at this moment; the left context is the 60 lines that the run keeps",
        );
        if button.clicked() {
            view.act(Action::Complete(CompletionRequest {
                id: 0,
                run: folder.to_owned(),
                source: CompletionSource::Sample(Box::new(sample.clone()), record.retrieved.clone()),
                arms,
            }));
        }
        if waiting {
            ui.label(
                RichText::new("completing, served between two steps")
                    .size(theme::SMALL)
                    .color(theme.weak),
            );
        }
        ui.with_layout(egui::Layout::left_to_right(egui::Align::Center), |ui| {
            let name = sample.identifier.as_deref().unwrap_or("no name of another file");
            let text = format!("needs {name}");
            let text = RichText::new(text).monospace().size(theme::SMALL).color(theme.strong);
            ui.add(egui::Label::new(text).truncate());
            let place = format!("{} · {}:{}", sample.repository, sample.path, sample.line);
            let place = RichText::new(place).size(theme::SMALL).color(theme.weak);
            ui.add(egui::Label::new(place).truncate());
        });
    });
    if let Some(Err(reason)) = live.and_then(|task| task.answer.as_ref()) {
        ui.label(
            RichText::new(format!("▲ {reason}"))
                .size(theme::SMALL)
                .color(theme.alarm),
        );
    }
}
