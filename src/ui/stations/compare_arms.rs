//! The completions of one sample beside each other and beside the true line, one card an arm; their lines scroll together.

use std::sync::Arc;

use egui::scroll_area::ScrollBarVisibility;
use egui::{Galley, Key, RichText, ScrollArea, Sense, Ui, vec2};

use super::compare_data::is_right;
use crate::evaluation::CompletionRecord;
use crate::ui::charts::local;
use crate::ui::code::differences_job;
use crate::ui::format::{fixed, grouped, number};
use crate::ui::theme::{self, Sign, Theme};
use crate::ui::widgets::cut_text;

/// Least width of a card, points; where they do not fit beside each other they stand in rows.
const CARD: f32 = 196.0;

/// Points that a press of an arrow key scrolls.
const PRESS: f32 = 40.0;

/// One arm of one evaluation.
pub struct ArmColumn<'a> {
    /// What it is called.
    pub name: String,
    /// How it is drawn.
    pub sign: Sign,
    /// What the evaluation recorded.
    pub recorded: &'a CompletionRecord,
    /// What a live completion gave, and the step of its projector.
    pub now: Option<(usize, &'a CompletionRecord)>,
}

impl<'a> ArmColumn<'a> {
    /// An arm as it was recorded.
    pub fn of(ui: &Ui, recorded: &'a CompletionRecord) -> Self {
        Self {
            name: recorded.arm.label().to_owned(),
            sign: Theme::of(ui).arm(recorded.arm),
            recorded,
            now: None,
        }
    }
}

/// What all cards share.
struct Shared {
    /// The slowest first token, ms.
    slowest: f64,
    /// Width of the longest line, points.
    longest: f32,
    /// How far every line is scrolled.
    offset: f32,
    /// How far the line that a person moved is scrolled.
    moved: Option<f32>,
}

/// Draws a card with the true line, and one an arm.
pub fn arms_ui(ui: &mut Ui, target: &str, columns: &[ArmColumn<'_>]) {
    let offset = local::<f32>(ui.ctx(), ui.scope_id().with("completions across"));
    let all = || {
        columns
            .iter()
            .flat_map(|column| [Some(column.recorded), column.now.map(|(_, now)| now)])
    };
    let lines = all().flatten().map(|one| line(ui, target, one.text.trim()).size().x);
    let longest = lines.fold(line(ui, target, target).size().x, f32::max);
    let mut shared = Shared {
        slowest: all().flatten().map(|one| one.ttft_ms).fold(1e-9, f64::max),
        longest,
        offset: *offset.lock(),
        moved: None,
    };
    let spacing = ui.spacing().item_spacing.x;
    let cards = columns.len() + 1;
    let count = (((ui.available_width() + spacing) / (CARD + spacing)) as usize).clamp(1, cards);
    let width = ((ui.available_width() - spacing * (count as f32 - 1.0)) / count as f32).floor();
    for row in (0..cards).collect::<Vec<_>>().chunks(count) {
        ui.horizontal_top(|ui| {
            for place in row {
                let down = egui::Layout::top_down(egui::Align::Min);
                ui.allocate_ui_with_layout(vec2(width, 0.0), down, |ui| {
                    ui.set_max_width(width);
                    match place.checked_sub(1).and_then(|place| columns.get(place)) {
                        Some(column) => card_ui(ui, target, column, &mut shared),
                        None => truth_ui(ui, target, &mut shared),
                    }
                });
            }
        });
    }
    let pressed = keys(ui);
    let offset_now = shared.moved.unwrap_or(shared.offset) + pressed;
    *offset.lock() = offset_now.clamp(0.0, (longest - width + 26.0).max(0.0));
}

/// How far the arrow keys scroll the lines, while nothing has the keyboard.
fn keys(ui: &Ui) -> f32 {
    if ui
        .ctx()
        .memory(|memory| memory.focused().is_some() || memory.top_modal_layer().is_some())
    {
        return 0.0;
    }
    ui.input(|input| {
        let pressed = |key| f32::from(u8::from(input.key_pressed(key)));
        PRESS * (pressed(Key::ArrowRight) - pressed(Key::ArrowLeft))
    })
}

fn line(ui: &Ui, target: &str, text: &str) -> Arc<Galley> {
    let job = differences_job(Theme::of(ui), target, text, f32::INFINITY);
    ui.painter().layout_job(job)
}

fn truth_ui(ui: &mut Ui, target: &str, shared: &mut Shared) {
    let theme = Theme::of(ui);
    theme.card().show(ui, |ui| {
        ui.set_width(ui.available_width());
        ui.label(theme::caption("true line").color(theme.strong));
        ui.add_space(theme::TIGHT);
        line_ui(ui, "true line", target, target, shared);
    });
}

fn card_ui(ui: &mut Ui, target: &str, column: &ArmColumn<'_>, shared: &mut Shared) {
    let theme = Theme::of(ui);
    let recorded = column.recorded;
    theme.card().show(ui, |ui| {
        ui.set_width(ui.available_width());
        // Right or wrong has its place first, the name takes what is left.
        let row = egui::Layout::right_to_left(egui::Align::Center);
        ui.allocate_ui_with_layout(vec2(ui.available_width(), 18.0), row, |ui| {
            outcome_ui(ui, recorded);
            ui.with_layout(egui::Layout::left_to_right(egui::Align::Center), |ui| {
                ui.label(RichText::new(column.sign.mark).color(column.sign.color));
                cut_text(ui, theme::caption(&column.name).color(theme.strong));
            });
        });
        ui.add_space(theme::TIGHT);
        completion_ui(ui, &column.name, target, (recorded, column.sign), shared);
        if let Some((step, now)) = column.now {
            ui.separator();
            ui.horizontal(|ui| {
                ui.label(theme::caption(format!("step {step}")).color(theme.weak));
                outcome_ui(ui, now);
            });
            let name = format!("{} now", column.name);
            completion_ui(ui, &name, target, (now, column.sign), shared);
        }
    });
}

fn outcome_ui(ui: &mut Ui, completion: &CompletionRecord) {
    let theme = Theme::of(ui);
    let (text, color) = match is_right(completion) {
        true => ("✓ right", theme.good),
        false => ("✗ wrong", theme.alarm),
    };
    ui.label(RichText::new(text).size(theme::SMALL).color(color));
}

/// Width of the bar that a line is scrolled with, points.
const BAR: f32 = 5.0;

/// One line that scrolls with those of the other cards.
fn line_ui(ui: &mut Ui, name: &str, target: &str, text: &str, shared: &mut Shared) {
    let cut = shared.longest > ui.available_width();
    // A bar that is seen without the pointer: the line goes on.
    ui.spacing_mut().scroll = egui::style::ScrollStyle {
        foreground_color: true,
        // Wider under the pointer, it has room of its own below the line.
        bar_width: BAR,
        floating_allocated_width: BAR,
        ..egui::style::ScrollStyle::thin()
    };
    let area = ScrollArea::horizontal()
        .id_salt(("line", name))
        .horizontal_scroll_offset(shared.offset)
        .scroll_bar_visibility(match cut {
            true => ScrollBarVisibility::AlwaysVisible,
            false => ScrollBarVisibility::AlwaysHidden,
        });
    let output = area.show(ui, |ui| {
        // All lines are as wide as the longest one, so that all can be scrolled as far.
        ui.set_min_width(shared.longest);
        let galley = line(ui, target, text);
        let label = ui.add(egui::Label::new(galley).selectable(true).extend());
        let shown = if text.is_empty() { "nothing" } else { text };
        let help = match name {
            "true line" => target.to_owned(),
            _ => format!("written: {shown}\ntrue line: {target}\nstruck out: extra · underlined: missing"),
        };
        label.on_hover_text(help);
    });
    let moved = output.state.clamped_offset().x;
    if (moved - shared.offset).abs() > 0.5 {
        shared.moved = Some(moved);
    }
}

fn completion_ui(
    ui: &mut Ui,
    name: &str,
    target: &str,
    (completion, sign): (&CompletionRecord, Sign),
    shared: &mut Shared,
) {
    line_ui(ui, name, target, completion.text.trim(), shared);
    ui.add_space(theme::TIGHT);
    ui.horizontal_wrapped(|ui| {
        ui.spacing_mut().item_spacing = vec2(theme::TIGHT, theme::TIGHT);
        badges_ui(ui, completion);
    });
    bar_ui(ui, completion, sign, shared.slowest);
}

fn badges_ui(ui: &mut Ui, completion: &CompletionRecord) {
    let scores = &completion.scores;
    let sign = |value: f64| if value >= 1.0 { "✓" } else { "✗" };
    let definitions =
        "exact match by code tokens (LLavaCode), by stripped text, by stripped lines (RepoCoder, CrossCodeEval)";
    badge(ui, format!("EM {}", sign(scores.em_token)), definitions);
    for (name, value) in [("text", scores.em_strict), ("lines", scores.em_lines)] {
        if sign(value) != sign(scores.em_token) {
            badge(ui, format!("EM {name} {}", sign(value)), definitions);
        }
    }
    let ratio = format!(
        "edit similarity, %: 100 (1 − Levenshtein distance / longer length); as fuzz.ratio {}",
        fixed(scores.es_ratio, 1)
    );
    badge(ui, format!("ES {}", fixed(scores.es_levenshtein, 1)), &ratio);
    let soft = match completion.soft_tokens {
        0 => String::new(),
        soft => format!(", {soft} soft"),
    };
    let tokens = format!("{} tokens{soft}", grouped(completion.prompt_tokens as i64));
    badge(ui, tokens, "positions in the prompt; soft tokens count one each");
    badge(
        ui,
        format!("total {} ms", number(completion.total_ms)),
        "to the whole line; the arms of a sample decode together, so the steps behind the first token are shared",
    );
    badge(
        ui,
        format!("CE {}", number(scores.cross_entropy)),
        "mean cross-entropy of the true line's tokens, nats a token",
    );
}

/// A number with its name on a ground of its own; it moves to the next row whole.
fn badge(ui: &mut Ui, text: String, help: &str) {
    let theme = Theme::of(ui);
    let text = RichText::new(format!("\u{2009}{text}\u{2009}"))
        .size(theme::SMALL)
        .color(theme.text)
        .background_color(theme.raised);
    ui.add(egui::Label::new(text).extend()).on_hover_text(help);
}

/// A bar as long as the first token took, on the scale of the slowest arm, with the time behind it.
fn bar_ui(ui: &mut Ui, completion: &CompletionRecord, sign: Sign, slowest: f64) {
    let theme = Theme::of(ui);
    let text = format!("TTFT {} ms", number(completion.ttft_ms));
    let text = ui
        .painter()
        .layout_no_wrap(text, egui::FontId::proportional(theme::SMALL), theme.text);
    let width = ui.available_width();
    let room = (width - text.size().x - 6.0).max(8.0);
    let (rect, response) = ui.allocate_exact_size(vec2(width, 16.0), Sense::hover());
    let length = (room * (completion.ttft_ms / slowest) as f32).max(1.0);
    let bar = egui::Rect::from_min_size(rect.min + vec2(0.0, 3.0), vec2(length, 10.0));
    ui.painter().rect_filled(bar, 2.0, sign.color.gamma_multiply(0.8));
    ui.painter()
        .galley(egui::pos2(bar.right() + 6.0, rect.top() + 1.0), text, theme.text);
    response.on_hover_text(
        "time to the first token: prefill and first token, without retrieval and encoding; bars are drawn to one scale",
    );
}
