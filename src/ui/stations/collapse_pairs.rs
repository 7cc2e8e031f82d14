//! The chunks behind a cell of a heat map or a bin of a histogram: pairs by cosine, code beside code.

use std::sync::Arc;

use egui::{RichText, vec2};

use super::collapse_series::{EncoderProbe, StepProbe};
use crate::collapse::Histogram;
use crate::corpus::Chunk;
use crate::ui::charts::edges;
use crate::ui::code::Listing;
use crate::ui::theme::{self, Theme};

/// Most pairs that are listed.
const LISTED: usize = 200;

/// What was chosen in a chart.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Picked {
    /// A cell: two rows of the probe set.
    Cell(usize, usize),
    /// A bin of the encoder's histogram.
    EncoderBin(usize),
    /// A bin of the projected histogram of the n-th run.
    ProjectedBin(usize, usize),
}

/// Pairs of rows that belong to what was chosen.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Pairs {
    /// What they are, in words.
    pub title: String,
    /// The pairs, at most 200.
    pub pairs: Vec<(usize, usize)>,
    /// Pairs in all.
    pub total: usize,
}

impl Pairs {
    /// The pairs with a cosine inside a bin, most similar first.
    pub fn of_bin(whose: &str, histogram: &Histogram, bin: usize, matrix: &[f32], rows: usize) -> Self {
        let (low, high) = edges(histogram, bin);
        let is_last = bin + 1 == histogram.counts.len();
        let inside = |cosine: f64| cosine >= low && (cosine < high || is_last);
        let every = (0..rows).flat_map(|row| (row + 1..rows).map(move |other| (row, other)));
        let mut pairs: Vec<(usize, usize)> = every.filter(|pair| inside(cosine(matrix, rows, *pair))).collect();
        pairs.sort_by(|a, b| cosine(matrix, rows, *b).total_cmp(&cosine(matrix, rows, *a)));
        let total = pairs.len();
        pairs.truncate(LISTED);
        Self {
            title: format!("{whose}: cosine {low:.2} to {high:.2}"),
            pairs,
            total,
        }
    }

    /// The chosen pair first, then the nearest others of its first chunk.
    pub fn of_cell(row: usize, other: usize, matrix: &[f32], rows: usize) -> Self {
        let mut near: Vec<usize> = (0..rows).filter(|at| *at != row && *at != other).collect();
        near.sort_by(|a, b| cosine(matrix, rows, (row, *b)).total_cmp(&cosine(matrix, rows, (row, *a))));
        let pairs: Vec<(usize, usize)> = std::iter::once(other)
            .chain(near)
            .map(|at| (row, at))
            .take(LISTED)
            .collect();
        Self {
            title: "the chosen pair, and the nearest chunks of its first".into(),
            total: pairs.len(),
            pairs,
        }
    }
}

fn cosine(matrix: &[f32], rows: usize, (row, other): (usize, usize)) -> f64 {
    matrix.get(row * rows + other).copied().map_or(0.0, f64::from)
}

/// Where a chunk comes from, in a line.
pub fn chunk_name(chunks: &[Chunk], row: usize) -> String {
    match chunks.get(row) {
        Some(chunk) => format!("{}/{}:{}", chunk.repository, chunk.path, chunk.first_line),
        None => format!("chunk {row}"),
    }
}

/// What was asked of the list.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Asked {
    /// Show the code of another pair, by its place in the list.
    Pair(usize),
    /// Close the list.
    Close,
}

/// Draws the list of pairs and the code of the one at `chosen`.
pub fn pairs_ui(
    ui: &mut egui::Ui,
    pairs: &Pairs,
    chosen: usize,
    chunks: &[Chunk],
    encoder: &EncoderProbe,
    probe: &Arc<StepProbe>,
) -> Option<Asked> {
    let rows = encoder.order.len();
    let mut asked = head_ui(ui, pairs).then_some(Asked::Close);
    let height = ui.available_height();
    let down = egui::Layout::top_down(egui::Align::Min);
    ui.horizontal_top(|ui| {
        ui.allocate_ui_with_layout(vec2(320.0, height), down, |ui| {
            let area = egui::ScrollArea::vertical().auto_shrink(false).id_salt("pairs");
            area.show_rows(ui, 36.0, pairs.pairs.len(), |ui, range| {
                for at in range {
                    if let Some(pair) = pairs.pairs.get(at) {
                        let values = [cosine(&probe.matrix, rows, *pair), cosine(&encoder.matrix, rows, *pair)];
                        if pair_ui(ui, chunks, *pair, values, at == chosen).clicked() {
                            asked = Some(Asked::Pair(at));
                        }
                    }
                }
            });
        });
        if let Some((row, other)) = pairs.pairs.get(chosen) {
            let width = (ui.available_width() - theme::GAP) / 2.0;
            for (side, at) in [*row, *other].into_iter().enumerate() {
                ui.allocate_ui_with_layout(vec2(width, height), down, |ui| code_ui(ui, chunks, at, side));
            }
        }
    });
    asked
}

/// The title row; says whether it was asked to close.
fn head_ui(ui: &mut egui::Ui, pairs: &Pairs) -> bool {
    let theme = Theme::of(ui);
    ui.horizontal(|ui| {
        ui.label(theme::caption(&pairs.title).color(theme.strong));
        let shown = pairs.pairs.len();
        let count = if shown < pairs.total {
            format!("the {shown} most similar of {} pairs", pairs.total)
        } else {
            format!("{} pairs", pairs.total)
        };
        let signs = [("projected", theme.projected()), ("encoder", theme.encoder())];
        ui.label(RichText::new(count).size(theme::SMALL).color(theme.weak));
        for (name, sign) in signs {
            ui.label(
                RichText::new(format!("{} {name}", sign.mark))
                    .size(theme::SMALL)
                    .color(sign.color),
            );
        }
        let right = egui::Layout::right_to_left(egui::Align::Center);
        ui.with_layout(right, |ui| ui.button("Close").clicked()).inner
    })
    .inner
}

fn pair_ui(
    ui: &mut egui::Ui,
    chunks: &[Chunk],
    (row, other): (usize, usize),
    [projected, encoder]: [f64; 2],
    chosen: bool,
) -> egui::Response {
    let theme = Theme::of(ui);
    let (rect, response) = ui.allocate_exact_size(vec2(ui.available_width(), 36.0), egui::Sense::click());
    let fill = match (chosen, response.hovered()) {
        (true, _) => theme.selected,
        (false, true) => theme.hovered,
        (false, false) => egui::Color32::TRANSPARENT,
    };
    ui.painter().rect_filled(rect, theme::ROUNDING, fill);
    let painter = ui.painter().with_clip_rect(rect);
    let font = egui::FontId::monospace(theme::SMALL);
    let numbers = [(projected, theme.projected().color), (encoder, theme.encoder().color)];
    for ((value, color), y) in numbers.into_iter().zip([rect.top() + 3.0, rect.top() + 19.0]) {
        let at = egui::pos2(rect.left() + 6.0, y);
        painter.text(at, egui::Align2::LEFT_TOP, format!("{value:+.2}"), font.clone(), color);
    }
    let names = [chunk_name(chunks, row), chunk_name(chunks, other)];
    for (name, y) in names.iter().zip([rect.top() + 3.0, rect.top() + 19.0]) {
        let at = egui::pos2(rect.left() + 52.0, y);
        painter.text(at, egui::Align2::LEFT_TOP, tail(name), font.clone(), theme.text);
    }
    let label = format!(
        "pair {} and {}, projected {projected:.2}, encoder {encoder:.2}",
        names[0], names[1]
    );
    response.widget_info(|| egui::WidgetInfo::selected(egui::Role::Button, true, chosen, &label));
    response.on_hover_text(format!(
        "projected {projected:.3}, encoder {encoder:.3}\n{}\n{}",
        names[0], names[1]
    ))
}

/// The end of a long path: file and line are what tells chunks apart.
fn tail(name: &str) -> String {
    let length = name.chars().count();
    match length {
        0..=36 => name.to_owned(),
        _ => std::iter::once('…').chain(name.chars().skip(length - 35)).collect(),
    }
}

fn code_ui(ui: &mut egui::Ui, chunks: &[Chunk], row: usize, side: usize) {
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
            let listing = Listing {
                text: &chunk.text,
                first_line: chunk.first_line,
                path: &chunk.path,
                word: None,
                target_from: None,
            };
            listing.show(ui, egui::Id::unique(("pair code", side)));
        });
    });
}

#[cfg(test)]
mod tests {
    use super::*;

    const MATRIX: [f32; 9] = [1.0, 0.9, 0.1, 0.9, 1.0, 0.3, 0.1, 0.3, 1.0];

    #[test]
    fn a_bin_lists_its_pairs_most_similar_first() {
        let histogram = Histogram {
            low: -1.0,
            high: 1.0,
            counts: vec![0, 0, 2, 1],
            mean: 0.0,
            quantiles: [0.0; 5],
        };
        let pairs = Pairs::of_bin("encoder", &histogram, 2, &MATRIX, 3);
        assert_eq!((pairs.pairs, pairs.total), (vec![(1, 2), (0, 2)], 2));
        let last = Pairs::of_bin("encoder", &histogram, 3, &MATRIX, 3);
        assert_eq!(last.pairs, [(0, 1)]);
    }

    #[test]
    fn a_cell_is_followed_by_the_nearest() {
        assert_eq!(Pairs::of_cell(2, 0, &MATRIX, 3).pairs, [(2, 0), (2, 1)]);
    }
}
