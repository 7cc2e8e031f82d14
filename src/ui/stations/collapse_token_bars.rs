//! Tokens of the true line, each with the change of its log-probability as a colour, a bar and a number.

use egui::{Color32, Rect, RichText, Sense, Stroke, pos2, vec2};

use super::collapse_said::visible;
use crate::ui::format::{fixed, signed};
use crate::ui::theme::{self, Theme};

/// Height of the bars above and below their line, points.
const BARS: f32 = 26.0;

/// Changes from here on have the full colour, nats.
const FULL: f32 = 2.0;

/// Draws the tokens; `before` and `after` are log-probabilities, nats.
pub fn token_bars_ui(ui: &mut egui::Ui, tokens: &[String], before: &[f32], after: &[f32]) {
    let theme = Theme::of(ui);
    let changes: Vec<f32> = before.iter().zip(after).map(|(before, after)| after - before).collect();
    let largest = changes.iter().fold(0.1f32, |largest, change| largest.max(change.abs()));
    ui.horizontal_wrapped(|ui| {
        ui.spacing_mut().item_spacing = vec2(2.0, theme::TIGHT);
        for (place, change) in changes.iter().enumerate() {
            let text = tokens.get(place).map_or("?", String::as_str);
            let values = [before, after].map(|side| side.get(place).copied().unwrap_or(f32::NAN));
            token_ui(ui, theme, &visible(text), *change, values, largest);
        }
    });
    let text = format!(
        "log-probability of each token of the true line, after minus before; the longest bar is {largest:.2} nats, ▲ red and down is less probable"
    );
    ui.label(RichText::new(text).size(theme::SMALL).color(theme.weak));
}

fn token_ui(ui: &mut egui::Ui, theme: &Theme, text: &str, change: f32, [before, after]: [f32; 2], largest: f32) {
    let font = egui::FontId::monospace(theme::SMALL);
    let ink = ui.painter().layout_no_wrap(text.to_owned(), font.clone(), theme.strong);
    let number = signed(f64::from(change), 2);
    let number = ui.painter().layout_no_wrap(number, font, theme.text);
    let width = ink.size().x.max(number.size().x) + 8.0;
    let (rect, response) = ui.allocate_exact_size(vec2(width, 36.0 + BARS), Sense::hover());
    let color = sign_color(theme, f64::from(change));
    let tint = (change.abs() / FULL).clamp(0.06, 1.0);
    let head = Rect::from_min_size(rect.min, vec2(width, 18.0));
    let painter = ui.painter();
    painter.rect_filled(head, 2.0, color.gamma_multiply(0.45 * tint));
    painter.galley(head.left_top() + vec2(4.0, 2.0), ink, theme.strong);
    let middle = head.bottom() + 1.0 + BARS / 2.0;
    painter.hline(rect.x_range(), middle, Stroke::new(1.0, theme.line));
    let length = BARS / 2.0 * (change / largest).clamp(-1.0, 1.0);
    let bar = Rect::from_two_pos(
        pos2(rect.center().x - 5.0, middle),
        pos2(rect.center().x + 5.0, middle - length),
    );
    painter.rect_filled(bar, 1.0, color);
    painter.galley(pos2(rect.left() + 4.0, rect.bottom() - 16.0), number, theme.text);
    let label = format!(
        "token {text}: log-probability {} before, {} after",
        fixed(f64::from(before), 3),
        fixed(f64::from(after), 3)
    );
    response.widget_info(|| egui::WidgetInfo::labeled(egui::Role::Label, true, &label));
    response.on_hover_text(label);
}

/// A bar of a signed change on a line of its own: right is more, with the number behind it.
pub fn signed_bar_ui(ui: &mut egui::Ui, value: f64, largest: f64, width: f32, name: &str) {
    let theme = Theme::of(ui);
    let (rect, response) = ui.allocate_exact_size(vec2(width, 16.0), Sense::hover());
    let track = Rect::from_min_max(rect.min, pos2(rect.right() - 56.0, rect.bottom()));
    let middle = track.center().x;
    let length = track.width() / 2.0 * (value / largest.max(1e-9)).clamp(-1.0, 1.0) as f32;
    let painter = ui.painter();
    painter.vline(middle, track.y_range(), Stroke::new(1.0, theme.line));
    let bar = Rect::from_two_pos(
        pos2(middle, track.top() + 3.0),
        pos2(middle + length, track.bottom() - 3.0),
    );
    // More cross-entropy without it: the chunk helped.
    painter.rect_filled(bar, 1.0, sign_color(theme, value));
    let number = signed(value, 3);
    let font = egui::FontId::monospace(theme::SMALL);
    painter.text(
        rect.right_center(),
        egui::Align2::RIGHT_CENTER,
        &number,
        font,
        theme.text,
    );
    let label = format!("{name}: cross-entropy {number} nats a token");
    response.widget_info(|| egui::WidgetInfo::labeled(egui::Role::Label, true, &label));
    response.on_hover_text(label);
}

fn sign_color(theme: &Theme, value: f64) -> Color32 {
    match value {
        value if value > 0.0 => theme.good,
        value if value < 0.0 => theme.alarm,
        _ => theme.weak,
    }
}
