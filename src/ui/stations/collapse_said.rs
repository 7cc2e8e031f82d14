//! What a chunk's soft tokens say at every step that was asked for: nearest tokens, the reader's continuation, the names in it.

use egui::{Id, RichText};

use crate::app::Action;
use crate::engine::{ReadingAnswer, SoftTokenReading};
use crate::ui::charts::{ChartFrame, Table, local};
use crate::ui::theme;
use crate::ui::{View, format};

/// Nearest tokens that are written out of each soft token.
const NEAREST: usize = 5;

/// Every step in words, and what was found at the one that is looked at.
pub fn readings_ui(
    ui: &mut egui::Ui,
    view: &View<'_>,
    answer: &ReadingAnswer,
    nearest: Option<&SoftTokenReading>,
    height: f32,
) {
    let note = nearest.map_or_else(String::new, |reading| {
        format!(
            "at step {} the reader recalls {} of {} names",
            reading.step,
            reading.recalled.len(),
            answer.names.len()
        )
    });
    let frame = ChartFrame {
        id: Id::unique("readings"),
        title: "in the reader's words",
        kind: "",
        summary: format!("what a soft token says: {note}"),
        note,
        height,
        empty: None,
    };
    frame.show(
        ui,
        || readings_table(answer),
        |ui, height| {
            let area = egui::ScrollArea::vertical().auto_shrink(false).max_height(height);
            area.id_salt("readings").show(ui, |ui| {
                let seen = local::<Option<(usize, usize)>>(ui.ctx(), Id::unique("reading in sight"));
                for reading in &answer.readings {
                    let is_now = nearest.is_some_and(|nearest| nearest.step == reading.step);
                    let row = reading_row_ui(ui, view, answer, reading, is_now);
                    // Once: afterwards a person may scroll away.
                    let this = Some((answer.chunk, reading.step));
                    if is_now && std::mem::replace(&mut *seen.lock(), this) != this {
                        row.scroll_to_me(None);
                    }
                }
            });
        },
    );
}

/// A row a soft token and step.
fn readings_table(answer: &ReadingAnswer) -> Table {
    let mut table = Table::new([
        "step",
        "soft token",
        "length",
        "nearest tokens",
        "cosines",
        "written from it",
        "names recalled",
    ]);
    for reading in &answer.readings {
        let recalled = reading.recalled.iter().filter_map(|name| answer.names.get(*name));
        let recalled = recalled.map(String::as_str).collect::<Vec<_>>().join(" ");
        for (place, (tokens, norm)) in reading.nearest.iter().zip(&reading.norms).enumerate() {
            let texts: Vec<String> = tokens.iter().map(|token| visible(&token.text)).collect();
            let cosines: Vec<String> = tokens.iter().map(|token| format!("{:.3}", token.cosine)).collect();
            table.rows.push(vec![
                reading.step.to_string(),
                (place + 1).to_string(),
                norm.to_string(),
                texts.join("  "),
                cosines.join(" "),
                visible(&reading.continuation),
                recalled.clone(),
            ]);
        }
    }
    table
}

/// One step: nearest tokens, what was written, the names in it.
fn reading_row_ui(
    ui: &mut egui::Ui,
    view: &View<'_>,
    answer: &ReadingAnswer,
    reading: &SoftTokenReading,
    is_now: bool,
) -> egui::Response {
    let theme = view.theme;
    let small = |text: String| RichText::new(text).monospace().size(theme::SMALL);
    let fill = if is_now { theme.selected } else { theme.background };
    let frame = egui::Frame::new()
        .fill(fill)
        .inner_margin(egui::Margin::symmetric(6, 3));
    let drawn = frame.show(ui, |ui| {
        ui.set_width(ui.available_width());
        ui.horizontal_wrapped(|ui| {
            let step = ui.selectable_label(is_now, format!("step {}", reading.step));
            if step.on_hover_text("Show every chart at this step").clicked() {
                view.act(Action::PinStep(Some(reading.step)));
            }
            let recalled: Vec<&str> = reading
                .recalled
                .iter()
                .filter_map(|name| answer.names.get(*name))
                .map(String::as_str)
                .collect();
            let (text, color) = match recalled.as_slice() {
                [] => (format!("recalls 0 of {}", answer.names.len()), theme.weak),
                names => (format!("✓ recalls {}", names.join(", ")), theme.good),
            };
            ui.label(RichText::new(text).size(theme::SMALL).color(color));
        });
        for (place, (tokens, norm)) in reading.nearest.iter().zip(&reading.norms).enumerate() {
            let named = |count: usize| -> String {
                let tokens = tokens.iter().take(count);
                let named = tokens.map(|token| format!("{} {:.2}", visible(&token.text), token.cosine));
                named.collect::<Vec<_>>().join("  ")
            };
            let head = match reading.nearest.len() {
                1 => String::new(),
                _ => format!("{}: ", place + 1),
            };
            ui.label(small(format!("{head}{}", named(NEAREST))).color(theme.text))
                .on_hover_text(format!(
                    "nearest tokens of the vocabulary and the cosine of their embeddings with soft token {}, whose length is {}:\n{}",
                    place + 1,
                    format::number(f64::from(*norm)),
                    named(tokens.len())
                ));
        }
        let written = visible(&reading.continuation);
        ui.label(small(format!("▷ {written}")).color(theme.strong))
            .on_hover_text("what the reader writes greedily behind the soft tokens alone");
    });
    drawn.response
}

/// Text of tokens in one line, with blanks that can be seen.
pub fn visible(text: &str) -> String {
    let shown = text.replace('\n', "↵").replace('\t', "→");
    match shown.trim().is_empty() {
        true => shown.replace(' ', "␣"),
        false => shown,
    }
}

#[cfg(test)]
mod tests {
    use super::visible;

    #[test]
    fn blanks_can_be_seen() {
        assert_eq!([" a\n", "  ", "\n", ""].map(visible), [" a↵", "␣␣", "↵", ""]);
    }
}
