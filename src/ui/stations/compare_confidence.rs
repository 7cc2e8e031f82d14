//! How probable each arm finds the true line, token by token.

use egui::{FontId, Id, Rect, ScrollArea, Sense, Ui, WidgetInfo, pos2, vec2};

use super::collapse_said::visible;
use super::compare_arms::ArmColumn;
use crate::ui::charts::{ChartFrame, Table};
use crate::ui::theme::{self, Theme};

/// Height of a row, points.
const ROW: f32 = 18.0;
/// Room of a token, points.
const TOKEN: f32 = 110.0;
/// Least width of an arm, points.
const ARM: f32 = 96.0;
/// Room of a percentage, points.
const PERCENT: f32 = 48.0;

/// Draws a row a token and a bar an arm.
pub fn confidence_ui(ui: &mut Ui, columns: &[ArmColumn<'_>]) {
    let told: Vec<&ArmColumn<'_>> = columns
        .iter()
        .filter(|column| !column.recorded.log_probabilities.is_empty())
        .collect();
    let count = told.iter().map(|column| column.recorded.log_probabilities.len()).max();
    let count = count.unwrap_or_default();
    let texts = told.iter().find(|column| !column.recorded.target_tokens.is_empty());
    let tokens: Vec<String> = (0..count)
        .map(|place| {
            let text = texts.and_then(|column| column.recorded.target_tokens.get(place));
            text.map_or_else(|| format!("token {}", place + 1), |text| visible(text))
        })
        .collect();
    let note = match texts {
        Some(_) => "probability of each token of the true line, given the ones before it",
        None => {
            "probability of each token of the true line; an earlier program wrote this evaluation without their texts"
        }
    };
    let frame = ChartFrame {
        id: Id::unique("confidence by token"),
        title: "confidence by token",
        kind: "",
        note: note.to_owned(),
        summary: summary(&told, &tokens),
        height: ROW * (count + 1) as f32 + theme::SECTION,
        empty: told
            .is_empty()
            .then_some("This evaluation holds no probabilities of single tokens: an earlier program wrote it. Evaluate the run again."),
    };
    let table = || {
        let mut table = Table::new(["token", "arm", "log-probability, nats"]);
        for column in &told {
            let values = column.recorded.log_probabilities.iter().zip(&tokens);
            table
                .rows
                .extend(values.map(|(value, token)| vec![token.clone(), column.name.clone(), value.to_string()]));
        }
        table
    };
    frame.show(ui, table, |ui, _| body_ui(ui, &told, &tokens));
}

fn summary(columns: &[&ArmColumn<'_>], tokens: &[String]) -> String {
    let mean = |column: &ArmColumn<'_>| {
        let values = &column.recorded.log_probabilities;
        let sum: f32 = values.iter().sum();
        format!(
            "{} {:.0} %",
            column.name,
            100.0 * (sum / values.len().max(1) as f32).exp()
        )
    };
    let means: Vec<String> = columns.iter().map(|column| mean(column)).collect();
    format!(
        "confidence by token, {} tokens, geometric mean: {}",
        tokens.len(),
        means.join(", ")
    )
}

fn body_ui(ui: &mut Ui, columns: &[&ArmColumn<'_>], tokens: &[String]) {
    let theme = Theme::of(ui);
    let area = ScrollArea::horizontal().id_salt("confidence by token");
    let room = (ui.available_width() - TOKEN) / columns.len().max(1) as f32;
    let width = room.clamp(ARM, 220.0);
    area.show(ui, |ui| {
        ui.spacing_mut().item_spacing.y = 0.0;
        let size = vec2(TOKEN + width * columns.len() as f32, ROW);
        let font = FontId::proportional(theme::SMALL);
        let (rect, _) = ui.allocate_exact_size(size, Sense::hover());
        for (place, column) in columns.iter().enumerate() {
            let at = pos2(rect.left() + TOKEN + width * place as f32, rect.top());
            let text = format!("{} {}", column.sign.mark, column.name);
            let text = crate::ui::widgets::one_line(ui, &text, font.clone(), column.sign.color, width - 6.0);
            ui.painter().galley(at, text, column.sign.color);
        }
        for (row, token) in tokens.iter().enumerate() {
            let (rect, response) = ui.allocate_exact_size(size, Sense::hover());
            let code = FontId::monospace(theme::SMALL);
            let text = crate::ui::widgets::one_line(ui, token, code, theme.strong, TOKEN - 8.0);
            ui.painter()
                .galley(rect.left_top() + vec2(0.0, 2.0), text, theme.strong);
            let mut spoken = Vec::new();
            for (place, column) in columns.iter().enumerate() {
                let Some(value) = column.recorded.log_probabilities.get(row) else {
                    continue;
                };
                let left = rect.left() + TOKEN + width * place as f32;
                let share = value.exp().clamp(0.0, 1.0);
                let length = ((width - PERCENT) * share).max(1.0);
                let bar = Rect::from_min_size(pos2(left, rect.top() + 4.0), vec2(length, ROW - 8.0));
                ui.painter()
                    .rect_filled(bar, 2.0, column.sign.color.gamma_multiply(0.8));
                let percent = percent(share);
                let at = pos2(left + length + 4.0, rect.top() + 2.0);
                ui.painter()
                    .text(at, egui::Align2::LEFT_TOP, &percent, font.clone(), theme.text);
                spoken.push(format!("{} {percent}, {value:.2} nats", column.name));
            }
            let label = format!("{token}: {}", spoken.join("; "));
            response.widget_info(|| WidgetInfo::labeled(egui::Role::Label, true, &label));
            response.on_hover_text(format!("{token}\n{}", spoken.join("\n")));
        }
    });
}

/// A probability as a person reads it: small ones are not all 0 %.
fn percent(share: f32) -> String {
    let percent = 100.0 * share;
    match percent {
        p if p >= 99.95 => "100 %".into(),
        p if p >= 10.0 => format!("{p:.0} %"),
        p if p >= 0.1 => format!("{p:.1} %"),
        _ => "< 0.1 %".into(),
    }
}

#[cfg(test)]
mod tests {
    use super::percent;

    #[test]
    fn small_probabilities_are_not_nothing() {
        assert_eq!(
            [1.0, 0.42, 0.021, 0.0003].map(percent),
            ["100 %", "42 %", "2.1 %", "< 0.1 %"]
        );
    }
}
