//! The list of samples: search, filter, order, and a dot an arm for right and wrong.

use egui::{RichText, Role, Stroke, WidgetInfo, pos2, vec2};
use strum::IntoEnumIterator as _;

use super::compare_data::{Evaluation, Filter, Order, Row, is_right};
use crate::evaluation::{Arm, CompletionRecord};
use crate::ui::theme::{self, Theme};
use crate::ui::widgets::{list_keys, list_row, one_line};

/// How the list stands.
#[derive(Clone, Debug, Default)]
pub struct Listing {
    /// As typed.
    pub search: String,
    /// Which samples.
    pub filter: Filter,
    /// In which order.
    pub order: Order,
}

/// Arms that have a dot; the others are told under the pointer.
const DOTS: usize = 4;

/// Height of a row, points.
const ROW: f32 = 44.0;

/// Draws the list and answers with the sample that was chosen, by click or by the keys j and k.
pub fn list_ui(
    ui: &mut egui::Ui,
    listing: &mut Listing,
    evaluation: &Evaluation,
    chosen: Option<&str>,
) -> Option<String> {
    let theme = Theme::of(ui);
    controls_ui(ui, listing);
    let listed = evaluation.listed(&listing.search, listing.filter, listing.order);
    let count = format!(
        "{} of {} samples · j next, k previous",
        listed.len(),
        evaluation.rows.len()
    );
    ui.label(RichText::new(count).size(theme::SMALL).color(theme.weak));
    if evaluation.missing > 0 {
        let text = format!(
            "▲ {} completed samples are not in the run's samples.jsonl",
            evaluation.missing
        );
        ui.label(RichText::new(text).size(theme::SMALL).color(theme.warning));
    }
    if listed.is_empty() {
        ui.add_space(theme::SECTION);
        ui.label(RichText::new("No sample is like that. Change the search or the filter.").color(theme.weak));
        return None;
    }
    let id = |place: &usize| evaluation.rows.get(*place).map(|row| row.record.sample.id.as_str());
    let current = listed.iter().position(|place| id(place) == chosen);
    let moved = list_keys(ui, current, listed.len());
    let mut area = egui::ScrollArea::vertical().auto_shrink(false).id_salt("samples");
    if let Some(at) = moved {
        let top = at as f32 * (ROW + ui.spacing().item_spacing.y);
        area = area.vertical_scroll_offset((top - ui.available_height() / 2.0).max(0.0));
    }
    let mut clicked = None;
    area.show_rows(ui, ROW, listed.len(), |ui, range| {
        for at in range {
            let Some(row) = listed.get(at).and_then(|place| evaluation.rows.get(*place)) else {
                continue;
            };
            if row_ui(ui, row, current == Some(at)).clicked() {
                clicked = Some(at);
            }
        }
    });
    let at = clicked.or(moved)?;
    listed.get(at).and_then(id).map(str::to_owned)
}

fn controls_ui(ui: &mut egui::Ui, listing: &mut Listing) {
    let field = egui::TextEdit::singleline(&mut listing.search).hint_text("search path or target");
    ui.add(field.desired_width(f32::INFINITY));
    egui::Grid::new("choices")
        .num_columns(2)
        .spacing(vec2(theme::GAP, theme::TIGHT))
        .show(ui, |ui| {
            let label = ui.label("show");
            let filter = combo("filter", listing.filter.label()).show_ui(ui, |ui| {
                for filter in Filter::iter() {
                    ui.selectable_value(&mut listing.filter, filter, filter.label());
                }
            });
            filter.response.labelled_by(label.id);
            ui.end_row();
            let label = ui.label("order");
            let order = combo("order", listing.order.label()).show_ui(ui, |ui| {
                for order in Order::iter() {
                    ui.selectable_value(&mut listing.order, order, order.label());
                }
            });
            order.response.labelled_by(label.id);
        });
}

fn combo<'a>(salt: &str, chosen: &'a str) -> egui::ComboBox<'a> {
    egui::ComboBox::from_id_salt(salt).width(240.0).selected_text(chosen)
}

fn row_ui(ui: &mut egui::Ui, row: &Row, chosen: bool) -> egui::Response {
    let theme = Theme::of(ui);
    let (rect, response) = list_row(ui, ROW, chosen);
    let sample = &row.record.sample;
    let dots = row.completions.len().min(DOTS) as f32 * 20.0;
    let text = rect.shrink2(vec2(8.0, 4.0)).with_max_x(rect.right() - dots - 10.0);
    let target = sample.target.trim().to_owned();
    let place = format!("{} · {}:{}", sample.repository, sample.path, sample.line);
    let upper = one_line(
        ui,
        &target,
        egui::FontId::monospace(theme::SMALL),
        theme.strong,
        text.width(),
    );
    let lower = one_line(
        ui,
        &place,
        egui::FontId::proportional(theme::SMALL),
        theme.weak,
        text.width(),
    );
    let below = text.left_bottom() - vec2(0.0, lower.size().y);
    ui.painter().galley(text.left_top(), upper, theme.strong);
    ui.painter().galley(below, lower, theme.weak);
    for (at, completion) in row.completions.iter().take(DOTS).enumerate() {
        let center = pos2(rect.right() - dots + at as f32 * 20.0 + 6.0, rect.center().y);
        dot(ui, center, completion);
    }
    let outcomes: Vec<String> = row.completions.iter().map(outcome).collect();
    let label = format!("{target}, {place}, {}", outcomes.join(", "));
    response.widget_info(|| WidgetInfo::selected(Role::Button, true, chosen, &label));
    response.on_hover_text(format!("{target}\n{place}\n{}", outcomes.join("\n")))
}

/// Filled with a dark letter for right, an empty ring with a coloured letter for wrong.
fn dot(ui: &egui::Ui, center: egui::Pos2, completion: &CompletionRecord) {
    let theme = Theme::of(ui);
    let color = theme.arm(completion.arm).color;
    let right = is_right(completion);
    let letter = match completion.arm {
        Arm::NoContext => "N",
        Arm::Compressed => "C",
        Arm::FullRag => "F",
        Arm::ShuffledContext => "S",
        Arm::MeanVector => "M",
        Arm::ZeroVector => "0",
        Arm::NoiseVector => "~",
        Arm::RandomTokens => "R",
        Arm::SoftPrompt => "P",
        Arm::Identifiers => "I",
        Arm::DefinitionText => "D",
        Arm::DefinitionVector => "d",
        Arm::SelectiveExpansion => "E",
    };
    let painter = ui.painter();
    if right {
        painter.circle_filled(center, 8.0, color);
    } else {
        painter.circle_stroke(center, 7.5, Stroke::new(1.0, color.gamma_multiply(0.5)));
    }
    let ink = if right { theme.panel } else { color.gamma_multiply(0.8) };
    painter.text(
        center,
        egui::Align2::CENTER_CENTER,
        letter,
        egui::FontId::new(10.0, theme::semibold()),
        ink,
    );
}

fn outcome(completion: &CompletionRecord) -> String {
    let word = if is_right(completion) { "right" } else { "wrong" };
    format!("{} {word}", completion.arm.label())
}
