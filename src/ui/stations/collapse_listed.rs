//! The page of the drawer that lists pairs of chunks: what was picked in a chart, what merged first, or what is most similar now.

use super::collapse_drawer::Looked;
use super::collapse_merging::LIMITS;
use super::collapse_pair_list::{Cosines, legend_ui, numbers, pairs_ui};
use super::collapse_pairs::{Pairs, Part, Picked};
use super::collapse_series::EncoderProbe;
use crate::app::Action;
use crate::ui::View;
use crate::ui::charts::table_menu;
use crate::ui::theme;

/// The place in [`LIMITS`] that is asked for first: 0.9.
pub const FIRST_LIMIT: usize = 1;

/// Draws the page; answers with what else is to be listed. `left` probes are still to be looked at.
pub fn listed_ui(
    ui: &mut egui::Ui,
    view: &View<'_>,
    (pairs, left): (&Pairs, usize),
    picked: Picked,
    encoder: &EncoderProbe,
    looked: &Looked<'_>,
) -> Option<Part> {
    let run = looked.run;
    let rows = encoder.order.len();
    let cosines = [
        Cosines {
            name: &run.name,
            sign: run.sign,
            matrix: &run.now.matrix,
            rows,
        },
        Cosines {
            name: "encoder",
            sign: view.theme.encoder(),
            matrix: &encoder.matrix,
            rows,
        },
    ];
    let mut asked = None;
    ui.horizontal_wrapped(|ui| {
        asked = choices_ui(ui, picked, looked.pair.0);
        ui.add_space(theme::GAP);
        legend_ui(ui, pairs, &cosines);
        table_menu(ui, "pairs of chunks", || numbers(pairs, &run.series.chunks, &cosines));
        if left > 0 {
            ui.label(format!("reading, {left} probes left"));
        }
    });
    if !pairs.pairs.is_empty() {
        if let Some((row, other)) = pairs_ui(ui, pairs, looked.pair, &run.series.chunks, &cosines) {
            view.act(Action::SelectPair(row, other));
        }
    } else if left == 0 {
        ui.label("No pair of this run is among these: choose another limit, or a cell of the heat maps.");
    }
    asked
}

/// What else can be listed than what was picked in a chart.
fn choices_ui(ui: &mut egui::Ui, picked: Picked, chunk: usize) -> Option<Part> {
    let mut asked = None;
    let merged = match picked.part {
        Part::Merged(place) => Some(place),
        _ => None,
    };
    let help = "The pairs whose projected cosine crossed a limit at the earliest probe";
    let label = ui.selectable_label(merged.is_some(), "first to merge");
    if label.on_hover_text(help).clicked() {
        asked = Some(Part::Merged(FIRST_LIMIT));
    }
    if let Some(current) = merged {
        for (place, limit) in LIMITS.iter().enumerate() {
            let label = ui.selectable_label(place == current, format!("{limit:.2}"));
            if label.on_hover_text(format!("cosine {limit:.2} or more")).clicked() {
                asked = Some(Part::Merged(place));
            }
        }
    }
    let help = "The pairs with the largest cosine at the step that is looked at";
    let label = ui.selectable_label(picked.part == Part::Step, "most similar now");
    if label.on_hover_text(help).clicked() {
        asked = Some(Part::Step);
    }
    let help = "The first chunk of the chosen pair with all others, nearest first";
    let label = ui.selectable_label(matches!(picked.part, Part::Chunk(_)), "nearest to this chunk");
    if label.on_hover_text(help).clicked() {
        asked = Some(Part::Chunk(chunk));
    }
    asked
}
