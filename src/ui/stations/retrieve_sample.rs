//! One sample of the Retrieve station: the lines that were looked for, and the chunks in the order of their scores.

use egui::{FontId, RichText, Sense, Ui, vec2};

use super::chunk_marks::chunk_mark_ui;
use super::retrieve::retriever_of;
use crate::app::OpenRun;
use crate::retrieval::{Retrieved, query_text};
use crate::runs::SampleRecord;
use crate::ui::View;
use crate::ui::code::Listing;
use crate::ui::format::count;
use crate::ui::theme::{self, Theme};

/// Longest bar of a score, points.
const BAR: f32 = 90.0;

/// Draws the query and the ranked chunks.
pub fn sample_ui(ui: &mut Ui, view: &View<'_>, open: &OpenRun, record: &SampleRecord) {
    let run = open.run();
    let theme = view.theme;
    let sample = &record.sample;
    let lines = run.experiment.retrieval.query_lines;
    ui.horizontal_wrapped(|ui| {
        ui.label(theme::caption("query").color(theme.strong));
        let text = format!(
            "the last {} before the cursor, {} · {}:{}",
            count(lines, "line"),
            sample.repository,
            sample.path,
            sample.line
        );
        ui.label(RichText::new(text).size(theme::SMALL).color(theme.weak));
    });
    let query = query_text(sample, lines);
    let listing = Listing {
        text: &query,
        first_line: (sample.line + 1).saturating_sub(query.split('\n').count()).max(1),
        path: &sample.path,
        word: None,
        target_from: None,
    };
    theme.card().show(ui, |ui| listing.show(ui, egui::Id::unique("query")));
    ui.horizontal_wrapped(|ui| {
        ui.label(
            RichText::new("comes next, not part of the query")
                .size(theme::SMALL)
                .color(theme.weak),
        );
        ui.label(
            RichText::new(sample.target.trim())
                .monospace()
                .size(theme::SMALL)
                .color(theme.strong),
        );
    });
    ui.add_space(theme::SECTION);
    let hits = record.retrieved.iter().filter(|found| found.hit).count();
    let name = sample.identifier.as_deref().unwrap_or("the name needed");
    ui.horizontal_wrapped(|ui| {
        ui.label(theme::caption("ranked chunks").color(theme.strong));
        let text = format!(
            "{} by {}, {hits} with {name}",
            count(record.retrieved.len(), "chunk"),
            retriever_of(run)
        );
        ui.label(RichText::new(text).size(theme::SMALL).color(theme.weak));
    });
    if record.retrieved.is_empty() {
        ui.label(RichText::new("Nothing was retrieved for this sample.").color(theme.weak));
    }
    let best = record.retrieved.iter().map(|found| found.score).fold(0.0, f64::max);
    for found in &record.retrieved {
        chunk_ui(ui, view, open, (found, best), sample.identifier.as_deref());
    }
}

/// Rank, score as number and bar, hit mark and place; folded open, the code.
fn chunk_ui(ui: &mut Ui, view: &View<'_>, open: &OpenRun, (found, best): (&Retrieved, f64), name: Option<&str>) {
    let theme = view.theme;
    let chunk = &found.chunk;
    let id = ui.make_persistent_id(("ranked chunk", found.rank));
    let state =
        egui::collapsing_header::CollapsingState::load_with_default_open(ui.ctx(), id, found.hit && found.rank == 1);
    let header = state.show_header(ui, |ui| {
        let mono = |text: String| RichText::new(text).monospace().size(theme::SMALL);
        ui.label(mono(format!("{:>2}", found.rank)).color(theme.strong));
        score_ui(ui, found, best);
        let (mark, color) = if found.hit {
            ("✓ hit", theme.good)
        } else {
            ("no hit", theme.weak)
        };
        ui.add_sized(
            vec2(46.0, 18.0),
            egui::Label::new(RichText::new(mark).size(theme::SMALL).color(color)),
        );
        chunk_mark_ui(ui, view, open, chunk);
        let place = format!("{}:{}", chunk.path, chunk.first_line);
        let place = mono(place).color(if found.hit { theme.strong } else { theme.text });
        ui.add(egui::Label::new(place).truncate()).on_hover_text(format!(
            "{}/{}, from line {}",
            chunk.repository, chunk.path, chunk.first_line
        ));
    });
    header.body(|ui| {
        let listing = Listing::of(chunk, name);
        listing.show(ui, egui::Id::unique(("ranked chunk code", found.rank)));
    });
}

/// The score, and a bar on the scale of the best one.
pub fn score_ui(ui: &mut Ui, found: &Retrieved, best: f64) {
    let theme = Theme::of(ui);
    let (rect, response) = ui.allocate_exact_size(vec2(BAR + 58.0, 18.0), Sense::hover());
    let length = if best > 0.0 {
        BAR * (found.score / best).clamp(0.0, 1.0) as f32
    } else {
        0.0
    };
    let bar = egui::Rect::from_min_size(rect.min + vec2(0.0, 4.0), vec2(length.max(1.0), 10.0));
    ui.painter()
        .rect_filled(bar, 2.0, theme.encoder().color.gamma_multiply(0.7));
    let at = egui::pos2(rect.left() + BAR + 8.0, rect.center().y);
    let text = format!("{:.3}", found.score);
    ui.painter().text(
        at,
        egui::Align2::LEFT_CENTER,
        text,
        FontId::monospace(theme::SMALL),
        theme.text,
    );
    response.on_hover_text(format!(
        "score {:.5}; the bar is its share of the best one",
        found.score
    ));
}
