//! The code before the cursor of a sample, and the chunks that were retrieved for it.

use egui::{Id, RichText, Ui};

use crate::app::OpenRun;
use crate::retrieval::Retrieved;
use crate::runs::SampleRecord;
use crate::ui::charts::local;
use crate::ui::code::Listing;
use crate::ui::theme;
use crate::ui::{View, format};

use super::chunk_marks::chunk_mark_ui;

/// Lines shown before the cursor at first.
const LINES: usize = 15;
/// The same in a tour, whose letters are large.
const LINES_PRESENTED: usize = 4;

/// Draws the end of the code before the cursor, with the true line marked behind it.
pub fn code_ui(ui: &mut Ui, view: &View<'_>, record: &SampleRecord) {
    let presented = view.state.is_presented();
    let lines = if presented { LINES_PRESENTED } else { LINES };
    let theme = view.theme;
    let sample = &record.sample;
    let whole = local::<bool>(ui.ctx(), Id::unique("whole code before the cursor"));
    let mut whole = whole.lock();
    let kept = sample.left.split('\n').count();
    let place = format!("{} · {}:{}", sample.repository, sample.path, sample.line);
    ui.horizontal_wrapped(|ui| {
        ui.label(theme::caption("code before the cursor").color(theme.strong));
        // In a tour it is said at the head of the sample, and there is no room for it twice.
        if !presented {
            ui.label(RichText::new(place).size(theme::SMALL).color(theme.weak));
        }
        if kept > lines {
            let text = format!("all {kept} lines");
            ui.checkbox(&mut whole, RichText::new(text).size(theme::SMALL))
                .on_hover_text(format!("The run keeps these; the last {lines} are shown without it"));
        }
    });
    let left = match *whole {
        true => sample.left.as_str(),
        false => last_lines(&sample.left, lines),
    };
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
        .show(ui, |ui| listing.show(ui, Id::unique("code before the cursor")));
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

/// Draws the chunks, best first, each with its rank, its score and the mark of the chunk that is chosen anywhere.
pub fn chunks_ui(ui: &mut Ui, view: &View<'_>, open: &OpenRun, record: &SampleRecord) {
    let theme = view.theme;
    let hits = record.retrieved.iter().filter(|found| found.hit).count();
    let identifier = record.sample.identifier.as_deref();
    ui.horizontal_wrapped(|ui| {
        ui.label(theme::caption("retrieved").color(theme.strong));
        let name = identifier.unwrap_or("the name needed");
        let text = format!("{}, {hits} with {name}", format::count(record.retrieved.len(), "chunk"));
        ui.label(RichText::new(text).size(theme::SMALL).color(theme.weak));
    });
    if record.retrieved.is_empty() {
        ui.label(RichText::new("Nothing was retrieved for this sample.").color(theme.weak));
    }
    for found in &record.retrieved {
        chunk_ui(ui, view, open, found, identifier);
    }
}

fn chunk_ui(ui: &mut Ui, view: &View<'_>, open: &OpenRun, found: &Retrieved, identifier: Option<&str>) {
    let theme = view.theme;
    let chunk = &found.chunk;
    let id = ui.make_persistent_id(("chunk", found.rank));
    let state = egui::collapsing_header::CollapsingState::load_with_default_open(ui.ctx(), id, found.rank == 1);
    let header = state.show_header(ui, |ui| {
        ui.horizontal_wrapped(|ui| {
            let mark = if found.hit { "✓ " } else { "" };
            let name = found
                .name
                .as_ref()
                .map_or_else(String::new, |name| format!("{name} · "));
            let title = format!(
                "{}  {:.3}  {mark}{name}{}:{}",
                found.rank, found.score, chunk.path, chunk.first_line
            );
            let color = if found.hit { theme.strong } else { theme.text };
            let title = RichText::new(title).monospace().size(theme::SMALL).color(color);
            ui.label(title).on_hover_text(format!(
                "rank {}, score {:.3}, {}\n{}/{}, from line {}",
                found.rank,
                found.score,
                match found.hit {
                    true => "holds the name needed",
                    false => "does not hold the name needed",
                },
                chunk.repository,
                chunk.path,
                chunk.first_line
            ));
            chunk_mark_ui(ui, view, open, chunk);
        });
    });
    header.body(|ui| {
        let listing = Listing::of(chunk, identifier);
        listing.show(ui, Id::unique(("chunk code", found.rank)));
    });
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
