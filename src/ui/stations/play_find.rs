//! The field that finds a place in the edited file: `120` a line, `120:8` a line and column, anything else the text after the cursor.

use std::ops::Range;

use egui::text::CCursorRange;
use egui::{Key, Modifiers, RichText, TextEdit, Ui};

use super::play_editor::Buffer;
use crate::ui::theme::{self, Theme};
use crate::ui::widgets::named;

/// Width of the field, points.
const WIDTH: f32 = 130.0;

/// What the field keeps.
#[derive(Default)]
pub struct Find {
    text: String,
    /// What was last looked for and is not there.
    missing: Option<String>,
}

/// Draws the field: Ctrl+F goes there, Enter to the place, or to the next one, Escape back into the code.
pub fn find_ui(ui: &mut Ui, find: &mut Find, buffer: &mut Buffer) {
    let asked = ui.input_mut(|input| input.consume_key(Modifiers::COMMAND, Key::F));
    let mut output = TextEdit::singleline(&mut find.text)
        .hint_text("text or line")
        .desired_width(WIDTH)
        .font(egui::FontId::monospace(theme::SMALL))
        .show(ui);
    let field = output.response.response;
    named(ui, &field, "find in the file");
    if asked {
        // What is typed next takes the place of what was looked for last.
        let all = CCursorRange::select_all(&output.galley);
        output.state.cursor.set_char_range(Some(all));
        output.state.store(ui.ctx(), field.id);
        field.request_focus();
    }
    let field = field.on_hover_text("Ctrl+F. Enter goes to the next place with this text, or to this line");
    if !field.lost_focus() {
        return missing_ui(ui, find);
    }
    // Taken from the code, which may get the keyboard in this very frame.
    let pressed = |key| ui.input_mut(|input| input.consume_key(Modifiers::NONE, key));
    let (entered, left) = (pressed(Key::Enter), pressed(Key::Escape));
    if entered && !find.text.is_empty() {
        match place(&buffer.text, &find.text, buffer.cursor) {
            Some(place) => {
                let of_line = place.is_empty();
                buffer.select(ui.ctx(), place);
                find.missing = None;
                // A text may be looked for again.
                if of_line {
                    ui.memory_mut(|memory| memory.request_focus(Buffer::id()));
                } else {
                    field.request_focus();
                }
            }
            None => {
                find.missing = Some(find.text.clone());
                field.request_focus();
            }
        }
    } else if left {
        ui.memory_mut(|memory| memory.request_focus(Buffer::id()));
    }
    missing_ui(ui, find);
}

/// Says that what stands in the field is not in the file.
fn missing_ui(ui: &mut Ui, find: &Find) {
    let theme = Theme::of(ui);
    if find.missing.as_ref() == Some(&find.text) {
        ui.label(
            RichText::new("▲ not in this file")
                .size(theme::SMALL)
                .color(theme.warning),
        );
    }
}

/// Bytes of what is meant: empty, before a line and column; or the next `wanted` behind `cursor`, from the top again behind the last
/// one. Letters are the same large and small.
fn place(text: &str, wanted: &str, cursor: usize) -> Option<Range<usize>> {
    let (line, column) = wanted.split_once(':').unwrap_or((wanted, "1"));
    if let (Ok(line), Ok(column)) = (line.trim().parse::<usize>(), column.trim().parse::<usize>()) {
        let start = match line.checked_sub(2) {
            None => 0,
            Some(ends) => text.match_indices('\n').nth(ends)?.0 + 1,
        };
        let of_line = text.get(start..)?.lines().next().unwrap_or_default();
        let inside = of_line.char_indices().nth(column.saturating_sub(1));
        let at = start + inside.map_or(of_line.len(), |(at, _)| at);
        return Some(at..at);
    }
    let (text, wanted) = (text.to_ascii_lowercase(), wanted.to_ascii_lowercase());
    let behind = text
        .get(cursor..)
        .and_then(|rest| rest.find(&wanted))
        .map(|at| cursor + at);
    let at = behind.or_else(|| text.find(&wanted))?;
    Some(at..at + wanted.len())
}

#[cfg(test)]
mod tests {
    use super::*;

    const TEXT: &str = "é = 1\nload(x)\nLoad(y)\n";

    #[test]
    fn a_number_is_a_line_and_two_are_a_line_and_a_column() {
        let at = |wanted: &str| place(TEXT, wanted, 0).map(|place| place.start);
        assert_eq!(at("1"), Some(0));
        assert_eq!(at("1:2"), Some("é".len()));
        assert_eq!(at("2:6"), Some("é = 1\nload(".len()));
        assert_eq!(at("2:99"), Some("é = 1\nload(x)".len()));
        assert_eq!(at("4"), Some(TEXT.len()));
        assert_eq!(at("5"), None);
    }

    #[test]
    fn a_text_is_found_behind_the_cursor_and_then_from_the_top() {
        let (first, second) = (TEXT.find("load"), TEXT.find("Load"));
        let at = |cursor: Option<usize>| place(TEXT, "load", cursor.unwrap_or_default()).map(|place| place.start);
        assert_eq!(at(None), first);
        assert_eq!(at(first.map(|start| start + 4)), second);
        assert_eq!(at(second.map(|start| start + 4)), first);
        assert_eq!(place(TEXT, "absent", 0), None);
    }
}
