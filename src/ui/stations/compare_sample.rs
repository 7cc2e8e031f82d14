//! One sample: the code before its cursor, its chunks, and what each arm made of it.

use egui::{RichText, vec2};

use super::compare_arms::arms_ui;
use super::compare_data::{Evaluation, Row};
use super::prompt_tokens::prompts_ui;
use crate::app::{Action, CompletionTask};
use crate::engine::{CompletionRequest, CompletionSource};
use crate::evaluation::Arm;
use crate::retrieval::Retrieved;
use crate::ui::code::Listing;
use crate::ui::theme::{self, Theme};
use crate::ui::{View, format};

/// Lines shown before the cursor.
const LINES: usize = 15;

/// Least width of code and chunks beside each other, points; below it the chunks stand under the code.
const BESIDE: f32 = 620.0;

/// Draws the sample.
pub fn sample_ui(ui: &mut egui::Ui, view: &View<'_>, evaluation: &Evaluation, row: &Row) {
    let live = view.state.completion(|request| is_about(request, evaluation, row));
    head_ui(ui, view, evaluation, row, live);
    ui.add_space(theme::TIGHT);
    let target = row.record.sample.target.trim();
    arms_ui(ui, target, &row.completions, live);
    prompt_ui(ui, live);
    ui.add_space(theme::GAP);
    if ui.available_width() < BESIDE {
        code_ui(ui, row);
        ui.add_space(theme::GAP);
        chunks_ui(ui, row);
        return;
    }
    let spacing = theme::SECTION;
    let width = ui.available_width() - spacing;
    ui.horizontal_top(|ui| {
        ui.spacing_mut().item_spacing.x = spacing;
        let down = egui::Layout::top_down(egui::Align::Min);
        ui.allocate_ui_with_layout(vec2(width * 0.55, 0.0), down, |ui| code_ui(ui, row));
        ui.allocate_ui_with_layout(vec2(width * 0.45, 0.0), down, |ui| chunks_ui(ui, row));
    });
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

fn is_about(request: &CompletionRequest, evaluation: &Evaluation, row: &Row) -> bool {
    let same_sample = match &request.source {
        CompletionSource::Sample(sample, _) => sample.id == row.record.sample.id,
        CompletionSource::Cursor { .. } => false,
    };
    same_sample && request.run == evaluation.folder
}

fn head_ui(ui: &mut egui::Ui, view: &View<'_>, evaluation: &Evaluation, row: &Row, live: Option<&CompletionTask>) {
    let theme = view.theme;
    let sample = &row.record.sample;
    // The engine completes one sample alone: it has no other sample's chunks to shuffle in.
    let arms: Vec<Arm> = row
        .completions
        .iter()
        .map(|completion| completion.arm)
        .filter(|arm| !arm.needs_evaluation())
        .collect();
    let row_layout = egui::Layout::right_to_left(egui::Align::Center);
    ui.allocate_ui_with_layout(vec2(ui.available_width(), 24.0), row_layout, |ui| {
        // The button has its place first, the line takes what is left.
        let waiting = live.is_some_and(|task| task.answer.is_none());
        let button = ui.add_enabled(!waiting, egui::Button::new("Complete again now"));
        let button = button.on_hover_text(
            "the arms but shuffled, with the projector as it is at this moment; the left context is the 60 lines that the run keeps",
        );
        if button.clicked() {
            view.act(Action::Complete(CompletionRequest {
                id: 0,
                run: evaluation.folder.clone(),
                source: CompletionSource::Sample(Box::new(sample.clone()), row.record.retrieved.clone()),
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
            ui.label(theme::caption("true line").color(theme.weak));
            let text = RichText::new(sample.target.trim()).monospace().color(theme.strong);
            ui.add(egui::Label::new(text).selectable(true).truncate());
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

fn code_ui(ui: &mut egui::Ui, row: &Row) {
    let theme = Theme::of(ui);
    let sample = &row.record.sample;
    ui.horizontal(|ui| {
        ui.label(theme::caption("code before the cursor").color(theme.strong));
        let place = format!("{} · {}:{}", sample.repository, sample.path, sample.line);
        ui.add(egui::Label::new(RichText::new(place).size(theme::SMALL).color(theme.weak)).truncate());
    });
    let left = last_lines(&sample.left, LINES);
    let text = format!("{left}{}", sample.target);
    let listing = Listing {
        text: &text,
        first_line: (sample.line + 1).saturating_sub(left.split('\n').count()).max(1),
        path: &sample.path,
        word: None,
        target_from: Some(left.len()),
    };
    theme
        .card()
        .show(ui, |ui| listing.show(ui, egui::Id::unique("code before the cursor")));
    ui.label(
        RichText::new("marked: the true line, which no arm sees")
            .size(theme::SMALL)
            .color(theme.weak),
    );
}

/// The end of a text, at most so many lines.
fn last_lines(text: &str, lines: usize) -> &str {
    let start = text
        .rmatch_indices('\n')
        .nth(lines.saturating_sub(1))
        .map_or(0, |(at, _)| at + 1);
    text.get(start..).unwrap_or(text)
}

fn chunks_ui(ui: &mut egui::Ui, row: &Row) {
    let theme = Theme::of(ui);
    let retrieved = &row.record.retrieved;
    let hits = retrieved.iter().filter(|found| found.hit).count();
    ui.horizontal(|ui| {
        ui.label(theme::caption("retrieved").color(theme.strong));
        let name = row.record.sample.identifier.as_deref().unwrap_or("the name needed");
        let text = format!("{}, {hits} with {name}", format::count(retrieved.len(), "chunk"));
        ui.label(RichText::new(text).size(theme::SMALL).color(theme.weak));
    });
    if retrieved.is_empty() {
        ui.label(RichText::new("Nothing was retrieved for this sample.").color(theme.weak));
    }
    for found in retrieved {
        chunk_ui(ui, found, row.record.sample.identifier.as_deref());
    }
}

fn chunk_ui(ui: &mut egui::Ui, found: &Retrieved, identifier: Option<&str>) {
    let theme = Theme::of(ui);
    let chunk = &found.chunk;
    let mark = if found.hit { "✓ " } else { "" };
    let title = format!(
        "{}  {:.3}  {mark}{}:{}",
        found.rank, found.score, chunk.path, chunk.first_line
    );
    let color = if found.hit { theme.strong } else { theme.text };
    let title = RichText::new(title).monospace().size(theme::SMALL).color(color);
    let header = egui::CollapsingHeader::new(title)
        .id_salt(("chunk", found.rank))
        .default_open(found.rank == 1);
    let response = header.show(ui, |ui| {
        let listing = Listing {
            text: &chunk.text,
            first_line: chunk.first_line,
            path: &chunk.path,
            word: identifier,
            target_from: None,
        };
        listing.show(ui, egui::Id::unique(("chunk code", found.rank)));
    });
    response.header_response.on_hover_text(format!(
        "rank {}, score {:.3}, {}\n{}/{}, from line {}",
        found.rank,
        found.score,
        if found.hit {
            "holds the name needed"
        } else {
            "does not hold the name needed"
        },
        chunk.repository,
        chunk.path,
        chunk.first_line
    ));
}

#[cfg(test)]
mod tests {
    use super::last_lines;

    #[test]
    fn the_last_lines_are_kept_whole() {
        assert_eq!(last_lines("a\nb\nc", 2), "b\nc");
        assert_eq!(last_lines("a\nb\nc", 9), "a\nb\nc");
        assert_eq!(last_lines("", 2), "");
        assert_eq!(last_lines("é\nü", 1), "ü");
    }
}
