//! The chunks behind a cell of a heat map or a bin of a histogram: pairs by cosine, code beside code.

use egui::{RichText, vec2};

use crate::collapse::Histogram;
use crate::corpus::Chunk;
use crate::ui::charts::edges;
use crate::ui::code::Listing;
use crate::ui::theme::{self, Sign, Theme};

/// Most pairs that are listed.
const LISTED: usize = 200;

/// Whose vectors a chart shows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Whose {
    /// The encoder's.
    Encoder,
    /// The projected vectors of the n-th run.
    Run(usize),
}

/// What was chosen in a chart.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Part {
    /// A cell of the heat map: two rows of the probe set.
    Cell(usize, usize),
    /// A bin of the histogram.
    Bin(usize),
}

/// What was chosen, and in whose chart.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Picked {
    /// Whose chart it was.
    pub whose: Whose,
    /// What of it.
    pub part: Part,
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
    pub fn of_cell(whose: &str, (row, other): (usize, usize), matrix: &[f32], rows: usize) -> Self {
        let mut near: Vec<usize> = (0..rows).filter(|at| *at != row && *at != other).collect();
        near.sort_by(|a, b| cosine(matrix, rows, (row, *b)).total_cmp(&cosine(matrix, rows, (row, *a))));
        let pairs: Vec<(usize, usize)> = std::iter::once(other)
            .chain(near)
            .map(|at| (row, at))
            .take(LISTED)
            .collect();
        Self {
            title: format!("{whose}: the chosen pair, and the nearest chunks of its first"),
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

/// Draws the list of pairs, each with its projected and its encoder's cosine, and the code of the one at `chosen`.
pub fn pairs_ui(
    ui: &mut egui::Ui,
    pairs: &Pairs,
    chosen: usize,
    chunks: &[Chunk],
    cosines: &[Cosines<'_>; 2],
) -> Option<Asked> {
    let mut asked = head_ui(ui, pairs, cosines).then_some(Asked::Close);
    let height = ui.available_height();
    let down = egui::Layout::top_down(egui::Align::Min);
    ui.horizontal_top(|ui| {
        ui.allocate_ui_with_layout(vec2(320.0, height), down, |ui| {
            let area = egui::ScrollArea::vertical().auto_shrink(false).id_salt("pairs");
            area.show_rows(ui, 36.0, pairs.pairs.len(), |ui, range| {
                for at in range {
                    if let Some(pair) = pairs.pairs.get(at)
                        && pair_ui(ui, chunks, *pair, cosines, at == chosen).clicked()
                    {
                        asked = Some(Asked::Pair(at));
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
fn head_ui(ui: &mut egui::Ui, pairs: &Pairs, cosines: &[Cosines<'_>; 2]) -> bool {
    let theme = Theme::of(ui);
    ui.horizontal(|ui| {
        ui.label(theme::caption(&pairs.title).color(theme.strong));
        let shown = pairs.pairs.len();
        let count = if shown < pairs.total {
            format!("the {shown} most similar of {} pairs", pairs.total)
        } else {
            format!("{} pairs", pairs.total)
        };
        ui.label(RichText::new(count).size(theme::SMALL).color(theme.weak));
        for Cosines { name, sign, .. } in cosines {
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
    cosines: &[Cosines<'_>; 2],
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
    for (of, y) in cosines.iter().zip([rect.top() + 3.0, rect.top() + 19.0]) {
        let at = egui::pos2(rect.left() + 6.0, y);
        let value = format!("{:+.2}", of.of((row, other)));
        painter.text(at, egui::Align2::LEFT_TOP, value, font.clone(), of.sign.color);
    }
    let names = [chunk_name(chunks, row), chunk_name(chunks, other)];
    for (name, y) in names.iter().zip([rect.top() + 3.0, rect.top() + 19.0]) {
        let at = egui::pos2(rect.left() + 52.0, y);
        painter.text(at, egui::Align2::LEFT_TOP, tail(name), font.clone(), theme.text);
    }
    let values = cosines
        .each_ref()
        .map(|of| format!("{} {:.3}", of.name, of.of((row, other))))
        .join(", ");
    let label = format!("pair {}: {values}", names.join(" and "));
    response.widget_info(|| egui::WidgetInfo::selected(egui::Role::Button, true, chosen, &label));
    response.on_hover_text(format!("{values}\n{}", names.join("\n")))
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
        assert_eq!(Pairs::of_cell("encoder", (2, 0), &MATRIX, 3).pairs, [(2, 0), (2, 1)]);
    }
}
