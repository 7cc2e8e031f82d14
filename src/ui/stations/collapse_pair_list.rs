//! Pairs of chunks by cosine, and the code of one of them side by side with what differs marked.

use std::ops::Range;

use egui::{RichText, vec2};

use super::collapse_pairs::{Pairs, chunk_name, cosine};
use crate::corpus::Chunk;
use crate::ui::charts::Table;
use crate::ui::code::{Listing, differing};
use crate::ui::format::{self, fixed, signed};
use crate::ui::theme::{self, Sign, Theme};
use crate::ui::widgets::{list_keys, list_row};

/// Cosines that are shown beside every pair: what they are called, how they are drawn, and `[rows, rows]` of them.
pub struct Cosines<'a> {
    /// The run's name, or "encoder".
    pub name: &'a str,
    /// Colour and mark.
    pub sign: Sign,
    /// Row-major.
    pub matrix: &'a [f32],
    /// Rows of the matrix.
    pub rows: usize,
}

impl Cosines<'_> {
    fn of(&self, pair: (usize, usize)) -> f64 {
        cosine(self.matrix, self.rows, pair)
    }
}

/// Draws the list of pairs, each with its projected and its encoder's cosine, and the code of the chosen pair; answers with another
/// pair that was chosen.
pub fn pairs_ui(
    ui: &mut egui::Ui,
    pairs: &Pairs,
    chosen: (usize, usize),
    chunks: &[Chunk],
    cosines: &[Cosines<'_>; 2],
) -> Option<(usize, usize)> {
    let place = pairs.pairs.iter().position(|pair| *pair == chosen);
    let moved = list_keys(ui, place, pairs.pairs.len());
    let mut asked = moved.and_then(|to| pairs.pairs.get(to)).copied();
    let height = ui.available_height();
    let down = egui::Layout::top_down(egui::Align::Min);
    ui.horizontal_top(|ui| {
        ui.allocate_ui_with_layout(vec2(320.0, height), down, |ui| {
            let area = egui::ScrollArea::vertical().auto_shrink(false).id_salt("pairs");
            area.show_rows(ui, 36.0, pairs.pairs.len(), |ui, range| {
                for at in range {
                    let note = pairs.notes.get(at).map_or("", String::as_str);
                    if let Some(pair) = pairs.pairs.get(at)
                        && pair_ui(ui, chunks, *pair, (cosines, note), *pair == chosen).clicked()
                    {
                        asked = Some(*pair);
                    }
                }
            });
        });
        let width = (ui.available_width() - theme::GAP) / 2.0;
        let text = |row: usize| chunks.get(row).map_or("", |chunk| chunk.text.as_str());
        let marked = differing(text(chosen.0), text(chosen.1));
        for (side, (at, marked)) in [chosen.0, chosen.1].into_iter().zip(&marked).enumerate() {
            ui.allocate_ui_with_layout(vec2(width, height), down, |ui| code_ui(ui, chunks, at, (side, marked)));
        }
    });
    asked
}

/// The pairs that are listed, with their cosines and what there is to say of them.
pub fn numbers(pairs: &Pairs, chunks: &[Chunk], cosines: &[Cosines<'_>; 2]) -> Table {
    let mut table = Table::new(["chunk", "other chunk"]);
    table
        .columns
        .extend(cosines.iter().map(|of| format!("cosine, {}", of.name)));
    table.columns.push("note".to_owned());
    let row = |(place, pair): (usize, &(usize, usize))| {
        let names = [chunk_name(chunks, pair.0), chunk_name(chunks, pair.1)];
        let values = cosines.each_ref().map(|of| format!("{:.4}", of.of(*pair)));
        let note = pairs.notes.get(place).cloned().unwrap_or_default();
        names.into_iter().chain(values).chain([note]).collect()
    };
    table.rows = pairs.pairs.iter().enumerate().map(row).collect();
    table
}

/// What the pairs are, how many, and whose cosines stand beside them.
pub fn legend_ui(ui: &mut egui::Ui, pairs: &Pairs, cosines: &[Cosines<'_>; 2]) {
    let theme = Theme::of(ui);
    ui.label(theme::caption(&pairs.title).color(theme.strong));
    let shown = pairs.pairs.len();
    let which = if pairs.notes.is_empty() {
        "most similar"
    } else {
        "first"
    };
    let count = if shown < pairs.total {
        format!("the {shown} {which} of {} pairs", pairs.total)
    } else {
        format::count(pairs.total, "pair")
    };
    let small = |text: String, color| RichText::new(text).size(theme::SMALL).color(color);
    ui.label(small(count, theme.weak));
    for Cosines { name, sign, .. } in cosines {
        ui.label(small(format!("{} {name}", sign.mark), sign.color));
    }
    ui.label(small(
        "marked in the code: what the other does not have".to_owned(),
        theme.weak,
    ));
}

fn pair_ui(
    ui: &mut egui::Ui,
    chunks: &[Chunk],
    (row, other): (usize, usize),
    (cosines, note): (&[Cosines<'_>; 2], &str),
    chosen: bool,
) -> egui::Response {
    let theme = Theme::of(ui);
    let (rect, response) = list_row(ui, 36.0, chosen);
    let painter = ui.painter().with_clip_rect(rect);
    let font = egui::FontId::monospace(theme::SMALL);
    for (of, y) in cosines.iter().zip([rect.top() + 3.0, rect.top() + 19.0]) {
        let at = egui::pos2(rect.left() + 6.0, y);
        let value = signed(of.of((row, other)), 2);
        painter.text(at, egui::Align2::LEFT_TOP, value, font.clone(), of.sign.color);
    }
    let names = [chunk_name(chunks, row), chunk_name(chunks, other)];
    let room = if note.is_empty() { 36 } else { 27 };
    for (name, y) in names.iter().zip([rect.top() + 3.0, rect.top() + 19.0]) {
        let at = egui::pos2(rect.left() + 52.0, y);
        painter.text(at, egui::Align2::LEFT_TOP, tail(name, room), font.clone(), theme.text);
    }
    let at = rect.right_top() + vec2(-6.0, 3.0);
    painter.text(at, egui::Align2::RIGHT_TOP, note, font, theme.accent);
    let values = cosines
        .each_ref()
        .map(|of| format!("{} {}", of.name, fixed(of.of((row, other)), 3)))
        .into_iter()
        .chain((!note.is_empty()).then(|| note.to_owned()))
        .collect::<Vec<_>>()
        .join(", ");
    let label = format!("pair {}: {values}", names.join(" and "));
    response.widget_info(|| egui::WidgetInfo::selected(egui::Role::Button, true, chosen, &label));
    response.on_hover_text(format!("{values}\n{}", names.join("\n")))
}

/// The end of a long path: file and line are what tells chunks apart.
fn tail(name: &str, room: usize) -> String {
    match name.chars().count() {
        length if length <= room => name.to_owned(),
        length => std::iter::once('…')
            .chain(name.chars().skip(length + 1 - room))
            .collect(),
    }
}

fn code_ui(ui: &mut egui::Ui, chunks: &[Chunk], row: usize, (side, marked): (usize, &[Range<usize>])) {
    let theme = Theme::of(ui);
    ui.vertical(|ui| {
        ui.add(
            egui::Label::new(
                RichText::new(chunk_name(chunks, row))
                    .size(theme::SMALL)
                    .color(theme.weak),
            )
            .truncate(),
        );
        let Some(chunk) = chunks.get(row) else {
            ui.label("This run has no record of its probe chunks.");
            return;
        };
        let area = egui::ScrollArea::vertical().auto_shrink(false).id_salt(("code", side));
        area.show(ui, |ui| {
            let listing = Listing::of(chunk, None);
            listing.show_marked(ui, egui::Id::unique(("pair code", side)), marked);
        });
    });
}
