//! The editor of the Play station: code with its colours, line numbers and a cursor.

use std::ops::Range;
use std::path::Path;

use egui::text::{CCursor, CCursorRange};
use egui::text_selection::text_cursor_state::{byte_index_from_char_index, char_index_from_byte_index};
use egui::{EventFilter, Id, Key, Modifiers, RichText, TextEdit, Ui};

use super::play_find::{Find, find_ui};
use crate::corpus::code_file;
use crate::ui::code::{highlighted, line_numbers};
use crate::ui::theme::{self, Theme};
use crate::ui::widgets::named;

/// What the tabulator writes.
const INDENTATION: &str = "    ";

/// A file as it is edited.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Buffer {
    /// Its text.
    pub text: String,
    /// Byte that the cursor stands before.
    pub cursor: usize,
    /// It is not as on disk.
    pub edited: bool,
    /// The cursor is to be scrolled into sight.
    reveal: bool,
}

impl Buffer {
    /// A file as it is on disk, the cursor at its beginning.
    pub fn new(text: String) -> Self {
        Self {
            text,
            ..Self::default()
        }
    }

    /// Of the widget that edits it.
    pub fn id() -> Id {
        Id::unique("play editor")
    }

    /// Writes at the cursor, which then stands behind it.
    pub fn insert(&mut self, ctx: &egui::Context, text: &str) {
        if !self.text.is_char_boundary(self.cursor) {
            return;
        }
        self.text.insert_str(self.cursor, text);
        self.cursor += text.len();
        self.edited = true;
        self.place_cursor(ctx);
    }

    /// Selects bytes, the cursor at their end, and brings them into sight.
    pub fn select(&mut self, ctx: &egui::Context, bytes: Range<usize>) {
        self.cursor = bytes.end;
        self.reveal = true;
        self.place_selection(ctx, bytes.start);
    }

    /// Puts the widget's cursor where this one is.
    fn place_cursor(&self, ctx: &egui::Context) {
        self.place_selection(ctx, self.cursor);
    }

    /// The same with what stands between it and `start` selected.
    fn place_selection(&self, ctx: &egui::Context, start: usize) {
        let mut state = TextEdit::load_state(ctx, Self::id()).unwrap_or_default();
        let cursor = |byte: usize| CCursor::new(char_index_from_byte_index(&self.text, byte.into()));
        let range = CCursorRange::two(cursor(start), cursor(self.cursor));
        state.cursor.set_char_range(Some(range));
        TextEdit::store_state(ctx, Self::id(), state);
    }

    /// Line and column of the cursor, from 1.
    fn place(&self) -> (usize, usize) {
        let before = self.text.get(..self.cursor).unwrap_or(&self.text);
        let line = before.matches('\n').count() + 1;
        let column = before.rsplit('\n').next().unwrap_or_default().chars().count() + 1;
        (line, column)
    }
}

/// Draws the editor.
pub fn editor_ui(ui: &mut Ui, folder: &Path, path: &str, (buffer, find): (&mut Buffer, &mut Find)) {
    let theme = Theme::of(ui);
    let (line, column) = buffer.place();
    ui.horizontal_wrapped(|ui| {
        ui.label(theme::caption(path).color(theme.strong));
        let place = format!("line {line}, column {column}");
        ui.label(RichText::new(place).size(theme::SMALL).color(theme.weak));
        find_ui(ui, find, buffer);
        if buffer.edited {
            let text = RichText::new("● edited, in the workbench alone")
                .size(theme::SMALL)
                .color(theme.accent);
            ui.label(text)
                .on_hover_text("No file of the repository is ever written; edits end with the workbench");
            if ui
                .small_button("Back to the file")
                .on_hover_text("Forgets the edits of this file")
                .clicked()
                && let Ok(file) = code_file(folder, path)
            {
                *buffer = Buffer::new(file.text);
                buffer.place_cursor(ui.ctx());
            }
        }
    });
    let id = Buffer::id();
    if ui.memory(|memory| memory.has_focus(id)) {
        keys(ui);
    }
    let frame = egui::Frame::new()
        .fill(theme.panel)
        .stroke(egui::Stroke::new(1.0, theme.line))
        .inner_margin(8.0);
    frame.show(ui, |ui| {
        let scroll = egui::ScrollArea::both()
            .id_salt(("play editor", path))
            .auto_shrink(false);
        scroll.show(ui, |ui| {
            ui.horizontal_top(|ui| {
                ui.spacing_mut().item_spacing.x = 12.0;
                ui.label(line_numbers(1, &buffer.text).color(theme.weak));
                let before = buffer.text.len();
                let mut layouter = |ui: &Ui, text: &dyn egui::TextBuffer, _width: f32| {
                    let job = highlighted(ui, text.as_str(), path);
                    ui.fonts_mut(|fonts| fonts.layout_job(job))
                };
                let filter = EventFilter {
                    tab: true,
                    horizontal_arrows: true,
                    vertical_arrows: true,
                    escape: true,
                };
                let output = TextEdit::multiline(&mut buffer.text)
                    .id(id)
                    .code_editor()
                    .font(egui::FontId::monospace(theme::SMALL))
                    .event_filter(filter)
                    .frame(egui::Frame::NONE)
                    .margin(egui::Margin::ZERO)
                    .desired_width(f32::INFINITY)
                    .desired_rows(8)
                    .layouter(&mut layouter)
                    .show(ui);
                named(ui, &output.response.response, &format!("Code of {path}"));
                buffer.edited |= output.response.response.changed() || buffer.text.len() != before;
                if std::mem::take(&mut buffer.reveal) {
                    let index = char_index_from_byte_index(&buffer.text, buffer.cursor.into());
                    let cursor = output.galley.pos_from_cursor(CCursor::new(index));
                    ui.scroll_to_rect(cursor.translate(output.galley_pos.to_vec2()), Some(egui::Align::Center));
                }
                if let Some(range) = output.cursor_range {
                    buffer.cursor = byte_index_from_char_index(&buffer.text, range.primary.index).0;
                }
                buffer.cursor = buffer.cursor.min(buffer.text.len());
            });
        });
    });
}

/// Escape leaves the editor, the tabulator writes blanks.
fn keys(ui: &Ui) {
    let (leave, indent) = ui.input_mut(|input| {
        let leave = input.consume_key(Modifiers::NONE, Key::Escape);
        (leave, !leave && input.consume_key(Modifiers::NONE, Key::Tab))
    });
    if leave {
        ui.memory_mut(|memory| memory.surrender_focus(Buffer::id()));
    }
    if indent {
        ui.input_mut(|input| input.events.push(egui::Event::Text(INDENTATION.to_owned())));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_inserted_stands_before_the_cursor() {
        let mut buffer = Buffer::new("é = 1\nx = \n".into());
        assert_eq!(buffer.place(), (1, 1));
        buffer.cursor = "é = 1\nx = ".len();
        buffer.insert(&egui::Context::default(), "load()");
        assert_eq!(buffer.text, "é = 1\nx = load()\n");
        assert_eq!((buffer.place(), buffer.edited), ((2, 11), true));
    }
}
