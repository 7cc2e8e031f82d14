//! The arrow keys inside a chart that has the keyboard, so that what a click chooses can be chosen without a pointer.

use egui::{EventFilter, Key, Response, Stroke, StrokeKind};

use crate::ui::theme::Theme;

/// How many places the arrow keys went across and down, with a frame around the chart while it has the keyboard;
/// none when no arrow was pressed or the keyboard is elsewhere.
pub fn arrows(ui: &egui::Ui, response: &Response) -> Option<(isize, isize)> {
    if !response.has_focus() {
        return None;
    }
    let filter = EventFilter {
        horizontal_arrows: true,
        vertical_arrows: true,
        ..EventFilter::default()
    };
    ui.memory_mut(|memory| memory.set_focus_lock_filter(response.id, filter));
    let stroke = Stroke::new(1.0, Theme::of(ui).accent);
    ui.painter()
        .rect_stroke(response.rect, 0.0, stroke, StrokeKind::Outside);
    let pressed = |key: Key| ui.input(|input| input.key_pressed(key)) as isize;
    let across = pressed(Key::ArrowRight) - pressed(Key::ArrowLeft);
    let down = pressed(Key::ArrowDown) - pressed(Key::ArrowUp);
    ((across, down) != (0, 0)).then_some((across, down))
}

/// A place moved by so many, kept inside a list of that length.
pub fn moved(place: usize, by: isize, length: usize) -> usize {
    place.saturating_add_signed(by).min(length.saturating_sub(1))
}
