//! The samples of the Retrieve station: search, filter, and the rank at which each finds the name it needs.

use egui::{FontId, RichText, Role, Ui, WidgetInfo, vec2};
use strum::IntoEnumIterator as _;

use super::retrieve_data::{Filter, Retrieval, first_hit};
use crate::runs::SampleRecord;
use crate::ui::charts::{Table, table_menu};
use crate::ui::theme::{self, Theme};
use crate::ui::widgets::{list_keys, list_row, one_line, row_list};

/// Height of a row, points.
const ROW: f32 = 44.0;
/// Room of the rank, points.
const RANK: f32 = 52.0;

/// How the list stands.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Listing {
    search: String,
    filter: Filter,
}

/// Draws the list and answers with the sample that was chosen, by click or by the keys j and k.
pub fn list_ui(ui: &mut Ui, listing: &mut Listing, retrieval: &Retrieval, chosen: Option<&str>) -> Option<String> {
    let theme = Theme::of(ui);
    let field = egui::TextEdit::singleline(&mut listing.search).hint_text("search path or target");
    ui.add(field.desired_width(f32::INFINITY));
    ui.horizontal(|ui| {
        let label = ui.label("show");
        let combo = egui::ComboBox::from_id_salt("retrieved").width(220.0);
        combo
            .selected_text(listing.filter.label())
            .show_ui(ui, |ui| {
                for filter in Filter::iter() {
                    ui.selectable_value(&mut listing.filter, filter, filter.label());
                }
            })
            .response
            .labelled_by(label.id);
    });
    let listed = retrieval.listed(&listing.search, listing.filter);
    let count = format!(
        "{} of {} samples · j next, k previous",
        listed.len(),
        retrieval.samples.len()
    );
    ui.horizontal(|ui| {
        ui.label(RichText::new(count).size(theme::SMALL).color(theme.weak));
        table_menu(ui, "retrieved chunks of the samples", || numbers(&listed));
    });
    if listed.is_empty() {
        ui.add_space(theme::SECTION);
        ui.label(RichText::new("No sample is like that. Change the search or the filter.").color(theme.weak));
        return None;
    }
    let current = listed
        .iter()
        .position(|record| Some(record.sample.id.as_str()) == chosen);
    let moved = list_keys(ui, current, listed.len());
    let chosen = row_list(ui, "retrieved samples", (ROW, listed.len()), moved, |ui, at| {
        row_ui(ui, listed[at], current == Some(at))
    });
    let record = listed.get(chosen?)?;
    Some(record.sample.id.clone())
}

/// Every chunk of the listed samples.
fn numbers(listed: &[&SampleRecord]) -> Table {
    let mut table = Table::new([
        "sample",
        "name",
        "repository",
        "path",
        "line",
        "rank",
        "score",
        "hit",
        "chunk",
    ]);
    for record in listed {
        let sample = &record.sample;
        table.rows.extend(record.retrieved.iter().map(|found| {
            vec![
                sample.id.clone(),
                sample.identifier.clone().unwrap_or_default(),
                sample.repository.clone(),
                sample.path.clone(),
                sample.line.to_string(),
                found.rank.to_string(),
                found.score.to_string(),
                if found.hit { "yes" } else { "no" }.to_owned(),
                format!("{}:{}", found.chunk.path, found.chunk.first_line),
            ]
        }));
    }
    table
}

fn row_ui(ui: &mut Ui, record: &SampleRecord, chosen: bool) -> egui::Response {
    let theme = Theme::of(ui);
    let (rect, response) = list_row(ui, ROW, chosen);
    let sample = &record.sample;
    let name = sample.identifier.as_deref().unwrap_or(sample.target.trim());
    let place = format!("{} · {}:{}", sample.repository, sample.path, sample.line);
    let text = rect.shrink2(vec2(8.0, 4.0)).with_max_x(rect.right() - RANK - 6.0);
    for (line, font, color, bottom) in [
        (name, FontId::monospace(theme::SMALL), theme.strong, false),
        (&place, FontId::proportional(theme::SMALL), theme.weak, true),
    ] {
        let galley = one_line(ui, line, font, color, text.width());
        let at = if bottom {
            text.left_bottom() - vec2(0.0, galley.size().y)
        } else {
            text.left_top()
        };
        ui.painter().galley(at, galley, color);
    }
    let (rank, words, color) = match first_hit(record) {
        Some(rank) => (format!("✓ {rank}"), format!("first hit at rank {rank}"), theme.good),
        None => ("—".to_owned(), "no hit".to_owned(), theme.weak),
    };
    let at = rect.right_center() - vec2(10.0, 0.0);
    let font = FontId::proportional(theme::BODY);
    ui.painter().text(at, egui::Align2::RIGHT_CENTER, rank, font, color);
    let label = format!("{name}, {place}, {words}");
    response.widget_info(|| WidgetInfo::selected(Role::Button, true, chosen, &label));
    response.on_hover_text(format!("{name}\n{place}\n{words}"))
}
