//! The completions of one sample beside each other, one card an arm.

use egui::{RichText, Sense, vec2};

use super::compare_data::is_right;
use crate::app::CompletionTask;
use crate::evaluation::{Arm, CompletionRecord};
use crate::ui::code::differences_job;
use crate::ui::format::{grouped, number};
use crate::ui::theme::{self, Theme};

/// Least width of a card, points; where they do not fit beside each other they stand in rows.
const CARD: f32 = 210.0;

/// Draws one card an arm; what a live completion gave stands below what the evaluation recorded.
pub fn arms_ui(ui: &mut egui::Ui, target: &str, recorded: &[CompletionRecord], live: Option<&CompletionTask>) {
    let answer = live
        .and_then(|task| task.answer.as_ref())
        .and_then(|answer| answer.as_ref().ok());
    let now = |arm: Arm| {
        let answer = answer?;
        let completion = answer.completions.iter().find(|completion| completion.arm == arm)?;
        Some((answer.step, completion))
    };
    let slowest = recorded
        .iter()
        .chain(answer.into_iter().flat_map(|answer| &answer.completions))
        .map(|completion| completion.ttft_ms)
        .fold(1e-9, f64::max);
    let spacing = ui.spacing().item_spacing.x;
    let count = ((ui.available_width() / CARD) as usize).clamp(1, recorded.len().max(1));
    let width = (ui.available_width() - spacing * (count as f32 - 1.0)) / count as f32;
    for row in recorded.chunks(count) {
        ui.horizontal_top(|ui| {
            for completion in row {
                let down = egui::Layout::top_down(egui::Align::Min);
                ui.allocate_ui_with_layout(vec2(width, 0.0), down, |ui| {
                    ui.set_width(width);
                    card_ui(ui, target, completion, now(completion.arm), slowest);
                });
            }
        });
    }
}

fn card_ui(
    ui: &mut egui::Ui,
    target: &str,
    recorded: &CompletionRecord,
    now: Option<(usize, &CompletionRecord)>,
    slowest: f64,
) {
    let theme = Theme::of(ui);
    let sign = theme.arm(recorded.arm);
    theme.card().show(ui, |ui| {
        ui.set_width(ui.available_width());
        ui.horizontal(|ui| {
            ui.label(RichText::new(sign.mark).color(sign.color));
            ui.label(theme::caption(recorded.arm.label()).color(theme.strong));
            ui.with_layout(egui::Layout::right_to_left(egui::Align::Center), |ui| {
                outcome_ui(ui, recorded)
            });
        });
        ui.add_space(theme::TIGHT);
        completion_ui(ui, "recorded", target, recorded, slowest);
        if let Some((step, now)) = now {
            ui.separator();
            ui.horizontal(|ui| {
                ui.label(theme::caption(format!("step {step}")).color(theme.weak));
                ui.with_layout(egui::Layout::right_to_left(egui::Align::Center), |ui| {
                    outcome_ui(ui, now)
                });
            });
            completion_ui(ui, "now", target, now, slowest);
        }
    });
}

fn outcome_ui(ui: &mut egui::Ui, completion: &CompletionRecord) {
    let theme = Theme::of(ui);
    let (text, color) = match is_right(completion) {
        true => ("✓ right", theme.good),
        false => ("✗ wrong", theme.alarm),
    };
    ui.label(RichText::new(text).size(theme::SMALL).color(color));
}

fn completion_ui(ui: &mut egui::Ui, salt: &str, target: &str, completion: &CompletionRecord, slowest: f64) {
    let theme = Theme::of(ui);
    let text = completion.text.trim();
    let job = differences_job(theme, target, text, ui.available_width());
    let label = ui.add(egui::Label::new(job).selectable(true));
    let shown = if text.is_empty() { "nothing" } else { text };
    label.on_hover_text(format!(
        "written: {shown}\ntrue line: {target}\nstruck out: extra · underlined: missing"
    ));
    ui.add_space(theme::GAP);
    let width = ui.available_width();
    let scores = &completion.scores;
    let small = |text: String| RichText::new(text).monospace().size(theme::SMALL);
    egui::Grid::new((salt, completion.arm)).num_columns(2).spacing(vec2(12.0, 3.0)).show(ui, |ui| {
        ui.label(RichText::new("EM").size(theme::SMALL).color(theme.weak))
            .on_hover_text("exact match by code tokens (LLavaCode), by stripped text, by stripped lines (RepoCoder, CrossCodeEval)");
        let matches = [("tokens", scores.em_token), ("text", scores.em_strict), ("lines", scores.em_lines)];
        let matches = matches.map(|(name, value)| format!("{name} {}", if value >= 1.0 { "✓" } else { "✗" }));
        ui.label(RichText::new(matches.join("  ")).size(theme::SMALL));
        ui.end_row();
        ui.label(RichText::new("ES").size(theme::SMALL).color(theme.weak))
            .on_hover_text("edit similarity, %: from the Levenshtein distance, and as fuzz.ratio");
        ui.label(small(format!("{:.1}  ratio {:.1}", scores.es_levenshtein, scores.es_ratio)));
        ui.end_row();
        ui.label(RichText::new("prompt").size(theme::SMALL).color(theme.weak)).on_hover_text("positions in the prompt");
        let soft = match completion.soft_tokens {
            0 => String::new(),
            soft => format!(", {soft} soft"),
        };
        ui.label(small(format!("{} tokens{soft}", grouped(completion.prompt_tokens as i64))));
        ui.end_row();
        ui.label(RichText::new("TTFT").size(theme::SMALL).color(theme.weak))
            .on_hover_text("time to the first token: prefill and first token, without retrieval and encoding; bars are drawn to one scale");
        bar_ui(ui, completion, slowest, width - 56.0);
        ui.end_row();
    });
}

/// A bar as long as the time took, on the scale of the slowest arm, with the time behind it.
fn bar_ui(ui: &mut egui::Ui, completion: &CompletionRecord, slowest: f64, width: f32) {
    let theme = Theme::of(ui);
    let text = format!("{} ms", number(completion.ttft_ms));
    let font = egui::FontId::monospace(theme::SMALL);
    let text = ui.painter().layout_no_wrap(text, font, theme.text);
    let room = (width - text.size().x - 6.0).max(20.0);
    let (rect, response) = ui.allocate_exact_size(vec2(room + text.size().x + 6.0, 16.0), Sense::hover());
    let length = (room * (completion.ttft_ms / slowest) as f32).max(1.0);
    let bar = egui::Rect::from_min_size(rect.min + vec2(0.0, 3.0), vec2(length, 10.0));
    ui.painter()
        .rect_filled(bar, 2.0, theme.arm(completion.arm).color.gamma_multiply(0.8));
    ui.painter()
        .galley(egui::pos2(bar.right() + 6.0, rect.top() + 1.0), text, theme.text);
    response.on_hover_text(format!("whole line: {} ms", number(completion.total_ms)));
}
