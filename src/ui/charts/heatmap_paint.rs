//! The parts of a heat map: its texture, made once for each matrix; frames around cells; names and numbers where there is room;
//! the bar that says what a colour means.

use std::sync::Arc;

use egui::{Align2, Color32, ColorImage, FontId, Rect, Stroke, TextureHandle, TextureOptions, pos2, vec2};

use super::heatmap::Heatmap;
use super::heatmap_window::Window;
use super::local::local;
use super::scale::tick;
use crate::ui::format::fixed;
use crate::ui::theme::{self, Theme};

/// Points to a cell from which on rows have their names.
pub const NAMED: f32 = 14.0;
/// Points to a cell from which on its number stands in it.
const NUMBERED: f32 = 34.0;
/// Colours of a map; more could not be told apart.
const COLORS: usize = 256;

/// What a texture was made of.
struct Source {
    values: Arc<[f32]>,
    order: Arc<[usize]>,
    range: (f32, f32),
    diverging: bool,
    dark: bool,
}

type Memory = Option<(Source, TextureHandle)>;

/// Where a map lies, and which part of it is shown.
#[derive(Clone, Copy)]
pub struct Place {
    /// Of the cells.
    pub rect: Rect,
    /// The part.
    pub window: Window,
}

impl Heatmap<'_> {
    /// The texture of the whole matrix.
    pub(super) fn texture(&self, ui: &egui::Ui, theme: &Theme) -> egui::TextureId {
        let memory = local::<Memory>(ui.ctx(), self.id.with("texture"));
        let mut memory = memory.lock();
        let fits = |made: &Source| {
            Arc::ptr_eq(&made.values, self.values)
                && Arc::ptr_eq(&made.order, self.order)
                && made.range == self.range
                && made.diverging == self.diverging
                && made.dark == theme.dark
        };
        let kept = memory.take().filter(|(made, _)| fits(made));
        let (_, texture) = memory.insert(kept.unwrap_or_else(|| {
            let made = Source {
                values: Arc::clone(self.values),
                order: Arc::clone(self.order),
                range: self.range,
                diverging: self.diverging,
                dark: theme.dark,
            };
            let options = TextureOptions::NEAREST;
            (made, ui.ctx().load_texture(self.title, self.image(theme), options))
        }));
        texture.id()
    }

    fn color(&self, theme: &Theme, share: f32) -> Color32 {
        match self.diverging {
            true => theme.diverging(share),
            false => theme.sequential(share),
        }
    }

    fn image(&self, theme: &Theme) -> ColorImage {
        let n = self.order.len();
        let (low, high) = self.range;
        let colors: Vec<Color32> = (0..COLORS)
            .map(|at| self.color(theme, at as f32 / (COLORS - 1) as f32))
            .collect();
        let scale = (COLORS - 1) as f32 / (high - low);
        let pixels = self.order.iter().flat_map(|row| {
            let values = self.values.get(row * n..(row + 1) * n).unwrap_or_default();
            self.order.iter().map(|column| {
                let value = values.get(*column).copied().unwrap_or_default();
                // What is not a number becomes the lowest colour.
                let place = ((value - low) * scale).round().clamp(0.0, (COLORS - 1) as f32) as usize;
                colors.get(place).copied().unwrap_or_default()
            })
        });
        ColorImage::new([n, n], pixels.collect())
    }

    /// A frame around a cell and thin lines to the edges, so that a cell of two pixels can be found.
    pub(super) fn mark(&self, ui: &egui::Ui, at: Place, (row, column): (usize, usize), theme: &Theme) {
        let place = |wanted: usize| self.order.iter().position(|row| *row == wanted);
        let (Some(down), Some(across)) = (place(row), place(column)) else {
            return;
        };
        let cell = at.window.cell(at.rect, across, down, self.order.len());
        let line = Stroke::new(0.7, theme.cursor.gamma_multiply(0.55));
        let painter = ui.painter().with_clip_rect(at.rect.expand(4.0));
        painter.hline(at.rect.x_range(), cell.center().y, line);
        painter.vline(cell.center().x, at.rect.y_range(), line);
        let frame = cell.expand(2.5);
        painter.rect_stroke(frame, 1.0, Stroke::new(3.0, theme.background), egui::StrokeKind::Middle);
        painter.rect_stroke(frame, 1.0, Stroke::new(1.5, theme.cursor), egui::StrokeKind::Middle);
    }

    /// Names of rows left of their cells, places of columns below them, and numbers inside, where cells are large enough.
    pub(super) fn labels(&self, ui: &egui::Ui, at: Place, gutter: f32, theme: &Theme) {
        let rows = self.order.len();
        let size = at.rect.width() / at.window.cells(rows);
        if size < NAMED {
            return;
        }
        let [columns, lines] = at.window.places(rows);
        let font = FontId::monospace(theme::SMALL - 1.0);
        let names = ui.painter().with_clip_rect(Rect::from_min_max(
            pos2(at.rect.left() - gutter, at.rect.top()),
            pos2(at.rect.left() - 4.0, at.rect.bottom()),
        ));
        let inside = ui.painter().with_clip_rect(at.rect);
        for down in lines.clone() {
            let Some(row) = self.order.get(down) else { continue };
            let cell = at.window.cell(at.rect, columns.start, down, rows);
            let name = (self.name)(*row);
            let short = name.rsplit('/').next().unwrap_or(&name);
            let text = format!("{} {short}", down + 1);
            let place = pos2(at.rect.left() - gutter, cell.center().y);
            names.text(place, Align2::LEFT_CENTER, text, font.clone(), theme.weak);
        }
        for across in columns.clone() {
            let cell = at.window.cell(at.rect, across, lines.start, rows);
            if size >= 22.0 && at.rect.x_range().contains(cell.center().x) {
                let place = pos2(cell.center().x, at.rect.bottom() + 2.0);
                let text = (across + 1).to_string();
                ui.painter()
                    .text(place, Align2::CENTER_TOP, text, font.clone(), theme.weak);
            }
        }
        if size < NUMBERED {
            return;
        }
        let (low, high) = self.range;
        for (down, across) in lines.flat_map(|down| columns.clone().map(move |across| (down, across))) {
            let (Some(row), Some(column)) = (self.order.get(down), self.order.get(across)) else {
                continue;
            };
            let value = self.value(*row, *column);
            let fill = self.color(theme, (value - low) / (high - low));
            let cell = at.window.cell(at.rect, across, down, rows);
            let text = fixed(f64::from(value), 2);
            inside.text(
                cell.center(),
                Align2::CENTER_CENTER,
                text,
                font.clone(),
                theme.ink_on(fill),
            );
        }
    }

    /// The colours from the lowest value to the highest, with three of the values.
    pub(super) fn color_bar(&self, ui: &egui::Ui, area: Rect, theme: &Theme) {
        let bar = Rect::from_min_size(pos2(area.right() - 42.0, area.top()), vec2(8.0, area.height()));
        let mut mesh = egui::Mesh::default();
        let steps = 32;
        for step in 0..=steps {
            let share = step as f32 / steps as f32;
            let y = egui::lerp(bar.bottom()..=bar.top(), share);
            for x in [bar.left(), bar.right()] {
                mesh.colored_vertex(pos2(x, y), self.color(theme, share));
            }
            if step > 0 {
                let at = step * 2;
                mesh.add_triangle(at - 2, at - 1, at);
                mesh.add_triangle(at - 1, at, at + 1);
            }
        }
        ui.painter().add(mesh);
        let (low, high) = self.range;
        let font = FontId::proportional(theme::SMALL);
        for (share, align) in [
            (0.0, Align2::LEFT_BOTTOM),
            (0.5, Align2::LEFT_CENTER),
            (1.0, Align2::LEFT_TOP),
        ] {
            let y = egui::lerp(bar.bottom()..=bar.top(), share);
            let value = f64::from(low + (high - low) * share);
            let text = tick((value * 100.0).round() / 100.0);
            ui.painter()
                .text(pos2(bar.right() + 5.0, y), align, text, font.clone(), theme.weak);
        }
    }
}
