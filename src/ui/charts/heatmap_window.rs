//! The part of a matrix that a heat map shows: zoomed by wheel, pinch and keys, moved by dragging and by the selection.

use egui::{Key, Pos2, Rect, Response, pos2, vec2};

/// Fewest cells to a side.
const CLOSEST: f32 = 4.0;
/// One press of a key.
const STEP: f32 = 1.4;

/// A square of cells; places are counted from the top left corner of the matrix.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Window {
    left: f32,
    top: f32,
    /// Cells to a side; 0 shows them all.
    cells: f32,
}

impl Window {
    /// Cells to a side, of a matrix with so many.
    pub fn cells(&self, rows: usize) -> f32 {
        let all = (rows as f32).max(1.0);
        if self.cells > 0.0 { self.cells.min(all) } else { all }
    }

    /// Whether a part is shown.
    pub fn is_zoomed(&self, rows: usize) -> bool {
        self.cells(rows) < rows as f32
    }

    /// The part as a share of the matrix, for its texture.
    pub fn uv(&self, rows: usize) -> Rect {
        let all = (rows as f32).max(1.0);
        let corner = pos2(self.left / all, self.top / all);
        Rect::from_min_size(corner, vec2(1.0, 1.0) * self.cells(rows) / all)
    }

    /// Places, across and down, of what lies under a point of `rect`.
    pub fn place(&self, rect: Rect, at: Pos2, rows: usize) -> (usize, usize) {
        let cell = self.cells(rows) / rect.width();
        let whole = |offset: f32, from: f32| (from + offset.max(0.0) * cell).floor() as usize;
        (whole(at.x - rect.left(), self.left), whole(at.y - rect.top(), self.top))
    }

    /// Where a cell is drawn; it may lie outside `rect`.
    pub fn cell(&self, rect: Rect, across: usize, down: usize, rows: usize) -> Rect {
        let size = rect.width() / self.cells(rows);
        let corner = rect.min + vec2(across as f32 - self.left, down as f32 - self.top) * size;
        Rect::from_min_size(corner, vec2(size, size))
    }

    /// Places that are in view, across and down.
    pub fn places(&self, rows: usize) -> [std::ops::Range<usize>; 2] {
        [self.left, self.top].map(|from| {
            let end = (from + self.cells(rows)).ceil() as usize;
            (from.floor() as usize)..end.min(rows)
        })
    }

    /// Shows fewer cells (`by` above 1) or more, and leaves the point at these shares of the side where it is.
    pub fn zoom(&mut self, by: f32, [across, down]: [f32; 2], rows: usize) {
        let before = self.cells(rows);
        let after = (before / by).clamp(CLOSEST.min(rows as f32), (rows as f32).max(1.0));
        self.left += across * (before - after);
        self.top += down * (before - after);
        self.cells = after;
        self.hold(rows);
    }

    /// Moves by so many cells.
    pub fn pan(&mut self, across: f32, down: f32, rows: usize) {
        self.left += across;
        self.top += down;
        self.hold(rows);
    }

    /// Moves as little as brings a place into view.
    pub fn reveal(&mut self, across: usize, down: usize, rows: usize) {
        let cells = self.cells(rows);
        let near = |from: f32, place: usize| from.clamp((place as f32 + 1.0 - cells).min(place as f32), place as f32);
        self.left = near(self.left, across);
        self.top = near(self.top, down);
        self.hold(rows);
    }

    /// Stays inside the matrix.
    fn hold(&mut self, rows: usize) {
        let last = (rows as f32 - self.cells(rows)).max(0.0);
        self.left = self.left.clamp(0.0, last);
        self.top = self.top.clamp(0.0, last);
        if self.cells >= rows as f32 {
            *self = Self::default();
        }
    }

    /// Takes wheel, drag and keys. A bare wheel belongs to the page until the map has the keyboard.
    pub fn steer(&mut self, ui: &egui::Ui, response: &Response, rect: Rect, rows: usize) {
        if let Some(at) = response.hover_pos() {
            let pinch = ui.input(egui::InputState::zoom_delta);
            let wheel = match response.has_focus() {
                true => ui.input_mut(|input| std::mem::take(&mut input.smooth_scroll_delta.y)),
                false => 0.0,
            };
            let by = pinch * (wheel / 200.0).exp();
            if by != 1.0 {
                let share = (at - rect.min) / rect.size();
                self.zoom(by, [share.x, share.y], rows);
            }
        }
        if response.dragged() && self.is_zoomed(rows) {
            let cell = rect.width() / self.cells(rows);
            let moved = response.drag_delta() / cell;
            self.pan(-moved.x, -moved.y, rows);
        }
        if response.has_focus() {
            let pressed = |keys: &[Key]| ui.input(|input| keys.iter().any(|key| input.key_pressed(*key)));
            if pressed(&[Key::Plus, Key::Equals]) {
                self.zoom(STEP, [0.5, 0.5], rows);
            }
            if pressed(&[Key::Minus]) {
                self.zoom(1.0 / STEP, [0.5, 0.5], rows);
            }
            if pressed(&[Key::Num0]) {
                *self = Self::default();
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const RECT: Rect = Rect {
        min: Pos2::ZERO,
        max: Pos2 { x: 100.0, y: 100.0 },
    };

    #[test]
    fn the_point_under_the_pointer_stays() {
        let mut window = Window::default();
        let at = pos2(80.0, 20.0);
        let before = window.place(RECT, at, 50);
        window.zoom(4.0, [0.8, 0.2], 50);
        assert_eq!(window.place(RECT, at, 50), before);
        assert!(window.is_zoomed(50));
        window.zoom(1e-3, [0.5, 0.5], 50);
        assert_eq!(window, Window::default(), "as far out as the matrix is wide");
    }

    #[test]
    fn it_stays_inside_and_shows_what_is_selected() {
        let mut window = Window::default();
        window.zoom(5.0, [0.0, 0.0], 50);
        window.pan(-3.0, 400.0, 50);
        assert_eq!(window.places(50), [0..10, 40..50]);
        window.reveal(30, 2, 50);
        assert_eq!(window.places(50), [21..31, 2..12]);
        let cell = window.cell(RECT, 30, 2, 50);
        assert!((cell.right() - 100.0).abs() < 0.01 && cell.top().abs() < 0.01);
    }
}
