//! What each arm writes at the cursor, and where its time goes: three columns, bars to one scale.

use egui::{FontId, RichText, Role, Sense, Ui, WidgetInfo, vec2};

use crate::app::{PLAYED, PlayTask};
use crate::engine::{PlayEnd, Served};
use crate::evaluation::Arm;
use crate::ui::View;
use crate::ui::format::{grouped, number};
use crate::ui::theme::{self, Theme};
use crate::ui::widgets::primary_button;

/// Room of a stage's name and of its time, points.
const NAME: f32 = 66.0;
/// See [`NAME`].
const TIME: f32 = 58.0;
/// Height of a stage, points.
const STAGE: f32 = 15.0;

/// What a person did here.
#[derive(Default)]
pub struct Shown {
    /// The completion to be written at the cursor.
    pub accepted: Option<Served>,
    /// A completion was asked for.
    pub ask: bool,
}

/// Draws the arms; `current` says that text and cursor are still those that were completed.
pub fn arms_ui(ui: &mut Ui, view: &View<'_>, task: Option<&PlayTask>, current: bool, taken: &mut Option<Arm>) -> Shown {
    let mut shown = Shown::default();
    ui.horizontal_wrapped(|ui| {
        let refusal = view.state.play_refusal();
        let button = primary_button(ui, "Complete", refusal.is_none(), 0.0);
        shown.ask = button.on_hover_text("Completes at the cursor (Ctrl+Space)").clicked();
        let (text, color) = state_text(view.theme, task, current);
        ui.label(RichText::new(text).size(theme::SMALL).color(color));
    });
    let Some(task) = task else {
        return shown;
    };
    ui.add_space(theme::TIGHT);
    let chosen = taken.unwrap_or(Arm::Compressed);
    egui::ScrollArea::vertical()
        .auto_shrink(false)
        .id_salt("play arms")
        .show(ui, |ui| {
            ui.columns(PLAYED.len(), |columns| {
                for (ui, arm) in columns.iter_mut().zip(PLAYED) {
                    // Columns are justified, which would spread the letters of a line that wraps.
                    let down = egui::Layout::top_down(egui::Align::Min);
                    let drawn = ui.with_layout(down, |ui| card_ui(ui, task, arm, (current, arm == chosen), taken));
                    shown.accepted = shown.accepted.take().or(drawn.inner);
                }
            });
        });
    shown
}

/// One arm; answers with its completion when that was accepted.
fn card_ui(
    ui: &mut Ui,
    task: &PlayTask,
    arm: Arm,
    (current, chosen): (bool, bool),
    taken: &mut Option<Arm>,
) -> Option<Served> {
    let theme = Theme::of(ui);
    let slowest = task.served.iter().map(Served::total).fold(1e-9, f64::max);
    let card = theme.card().inner_margin(8.0).show(ui, |ui| {
        ui.set_width(ui.available_width());
        head_ui(ui, arm, chosen, taken);
        match task.served.iter().find(|one| one.arm == arm) {
            Some(served) => served_ui(ui, served, slowest, current, chosen).then(|| served.clone()),
            None => {
                let text = RichText::new(waiting(task, arm)).size(theme::SMALL);
                ui.label(text.color(theme.weak));
                None
            }
        }
    });
    card.inner
}

/// How the completion stands, in a line.
fn state_text(theme: &Theme, task: Option<&PlayTask>, current: bool) -> (String, egui::Color32) {
    let Some(task) = task else {
        return (
            "Ctrl+Space completes at the cursor; Tab takes a completion, Escape ends one".into(),
            theme.weak,
        );
    };
    let of = task.found.as_ref().map_or_else(String::new, |found| {
        let left = match found.left {
            left if left >= 0.1 => format!(" · code before the cursor read for all arms in {} ms", number(left)),
            _ => String::new(),
        };
        format!("projector of step {}{left}", found.step)
    });
    match &task.end {
        None => (format!("serving… Escape ends it · {of}"), theme.accent),
        Some(PlayEnd::Done) if current => (format!("Tab takes the marked completion · {of}"), theme.weak),
        Some(PlayEnd::Done) => (format!("of an earlier text or cursor · {of}"), theme.warning),
        Some(PlayEnd::Cancelled) => (format!("ended before it was done · {of}"), theme.warning),
        Some(PlayEnd::Failed { message, .. }) => (format!("▲ {message}"), theme.alarm),
    }
}

/// Why an arm has nothing to show.
fn waiting(task: &PlayTask, arm: Arm) -> &'static str {
    let next = PLAYED
        .into_iter()
        .find(|one| !task.served.iter().any(|served| served.arm == *one));
    match &task.end {
        None if next == Some(arm) => "reading and writing…",
        None => "waits for its turn",
        Some(PlayEnd::Done) => "nothing stands before the cursor that it could read",
        Some(_) => "was not served",
    }
}

/// Name of the arm, and whether Tab takes its completion.
fn head_ui(ui: &mut Ui, arm: Arm, chosen: bool, taken: &mut Option<Arm>) {
    let theme = Theme::of(ui);
    let sign = theme.arm(arm);
    ui.horizontal(|ui| {
        ui.label(RichText::new(sign.mark).color(sign.color));
        ui.label(theme::caption(arm.label()).color(theme.strong))
            .on_hover_text(arm.meaning());
        ui.with_layout(egui::Layout::right_to_left(egui::Align::Center), |ui| {
            let text = RichText::new("Tab").size(theme::SMALL);
            let response = ui.selectable_label(chosen, text);
            let name = format!("Tab takes {}", arm.label());
            response.widget_info(|| WidgetInfo::selected(Role::RadioButton, true, chosen, &name));
            if response.on_hover_text(name).clicked() {
                *taken = Some(arm);
            }
        });
    });
}

/// The completion and its numbers; answers whether it was accepted.
fn served_ui(ui: &mut Ui, served: &Served, slowest: f64, current: bool, chosen: bool) -> bool {
    let theme = Theme::of(ui);
    let text = match served.text.as_str() {
        "" => RichText::new("(an empty line)").color(theme.weak),
        text => RichText::new(text).color(theme.strong),
    };
    let frame = egui::Frame::new()
        .fill(theme.raised)
        .corner_radius(theme::ROUNDING)
        .inner_margin(6.0);
    let frame = if chosen && current {
        frame.stroke(egui::Stroke::new(1.0, theme.accent))
    } else {
        frame
    };
    let drawn = frame.show(ui, |ui| {
        ui.set_width(ui.available_width());
        ui.add(
            egui::Label::new(text.font(FontId::monospace(theme::SMALL)))
                .wrap()
                .selectable(true),
        )
    });
    let probabilities: Vec<String> = served
        .probabilities
        .iter()
        .map(|p| format!("{:.0}", p * 100.0))
        .collect();
    drawn.inner.on_hover_text(format!(
        "{}\nprobability of each token, %: {}",
        served.text,
        probabilities.join(" ")
    ));
    let row = ui.horizontal_wrapped(|ui| {
        let can = current && !served.text.is_empty();
        let button = egui::Button::new(RichText::new("Accept").size(theme::SMALL));
        let accept = ui.add_enabled(can, button);
        let name = format!("Accept {}", served.arm.label());
        accept.widget_info(|| WidgetInfo::labeled(Role::Button, can, &name));
        let soft = match served.soft_tokens {
            0 => String::new(),
            soft => format!(", {soft} soft"),
        };
        let prompt = grouped(served.prompt_tokens as i64);
        let text = format!("prompt {prompt}{soft} · wrote {}", served.tokens);
        ui.label(RichText::new(text).size(theme::SMALL).color(theme.weak))
            .on_hover_text("positions in the prompt, soft tokens among them, and tokens written");
        let help = "Writes it at the cursor (Tab for the marked one)";
        accept.on_hover_text(help).clicked()
    });
    stages_ui(ui, served, slowest);
    row.inner
}

/// The stages in their order, with what each is.
fn stages(served: &Served) -> [(&'static str, f64, &'static str); 7] {
    let stages = &served.stages;
    [
        ("retrieve", stages.retrieve, "ranking the chunks of the repository"),
        (
            "tokenise",
            stages.tokenise,
            "tokens of the code before the cursor, and of the chunks where their text is read",
        ),
        (
            "encode",
            stages.encode,
            "vectors of chunks whose soft tokens are not in the index",
        ),
        (
            "project",
            stages.project,
            "soft tokens: looked up in the index, or projected",
        ),
        (
            "prefill",
            stages.prefill,
            "the reader's pass over the prompt, up to the choice of the first token",
        ),
        (
            "first token",
            stages.first_token,
            "the token's text, and whether it ends the line",
        ),
        ("decode", served.decode, "the tokens behind the first"),
    ]
}

/// A bar a stage, each beginning where the one before ended, on the scale of the slowest arm.
fn stages_ui(ui: &mut Ui, served: &Served, slowest: f64) {
    let theme = Theme::of(ui);
    let stages = stages(served);
    let total = served.total();
    let color = theme.arm(served.arm).color;
    let width = ui.available_width();
    let (rect, response) = ui.allocate_exact_size(vec2(width, STAGE * (stages.len() as f32 + 1.0)), Sense::hover());
    let room = (width - NAME - TIME).max(10.0);
    let scale = |ms: f64| room * (ms / slowest) as f32;
    let font = FontId::proportional(theme::SMALL - 1.0);
    let painter = ui.painter_at(rect);
    let mut before = 0.0;
    let rows = stages
        .iter()
        .map(|(name, ms, _)| (*name, *ms, false))
        .chain([("in all", total, true)]);
    for (row, (name, ms, whole)) in rows.enumerate() {
        let top = rect.top() + STAGE * row as f32;
        let middle = top + STAGE / 2.0;
        let ink = if whole { theme.strong } else { theme.weak };
        painter.text(
            egui::pos2(rect.left(), middle),
            egui::Align2::LEFT_CENTER,
            name,
            font.clone(),
            ink,
        );
        let from = rect.left() + NAME + if whole { 0.0 } else { scale(before) };
        let bar = egui::Rect::from_min_size(egui::pos2(from, top + 4.0), vec2(scale(ms).max(1.0), STAGE - 8.0));
        let fill = if whole { color } else { color.gamma_multiply(0.7) };
        painter.rect_filled(bar, 1.5, fill);
        let text = format!("{} ms", number(ms));
        painter.text(
            egui::pos2(rect.right(), middle),
            egui::Align2::RIGHT_CENTER,
            text,
            font.clone(),
            ink,
        );
        before += if whole { 0.0 } else { ms };
    }
    let words: Vec<String> = stages
        .iter()
        .map(|(name, ms, _)| format!("{name} {} ms", number(*ms)))
        .collect();
    let reading = served.stages.prefill + served.decode;
    let share = 100.0 * (total - reading) / total.max(1e-9);
    let summary = format!(
        "{}: {}, {} ms in all, {} % of it outside prefill and decoding",
        served.arm.label(),
        words.join(", "),
        number(total),
        number(share)
    );
    response.widget_info(|| WidgetInfo::labeled(Role::Figure, true, &summary));
    response.on_hover_ui(|ui| {
        for (name, ms, what) in stages {
            ui.label(format!("{name} {} ms: {what}", number(ms)));
        }
        ui.label(format!(
            "{} % outside prefill and decoding; bars are drawn to one scale",
            number(share)
        ));
        if served.soft_tokens > 0 {
            ui.label(format!("soft tokens of {} chunks lay in the index", served.looked_up));
        }
    });
}
