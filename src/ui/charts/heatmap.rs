//! Heat maps of matrices over chunks: painted from a texture that is made once, so a frame costs nothing.

use std::sync::Arc;

use egui::{Id, Rect, Role, Sense, WidgetInfo, pos2, vec2};

use super::axes::small;
use super::frame::ChartFrame;
use super::heatmap_paint::{NAMED, Place};
use super::heatmap_window::Window;
use super::keys::{arrows, moved};
use super::local::local;
use super::table::Table;
use crate::ui::format::fixed;
use crate::ui::theme::{self, Theme};

/// Room right of the cells, for the bar of colours.
const BAR: f32 = 52.0;
/// Room left of large cells, for the names of rows.
const NAMES: f32 = 128.0;
/// Room below large cells, for the places of columns.
const PLACES: f32 = 16.0;

/// A square matrix in colours.
pub struct Heatmap<'a> {
    /// Unique in the workbench.
    pub id: Id,
    /// What is shown.
    pub title: &'a str,
    /// What a value is: "cosine", or a difference of cosines.
    pub quantity: &'a str,
    /// `[rows, rows]`, row-major; a new `Arc` whenever it changed.
    pub values: &'a Arc<[f32]>,
    /// The row of the matrix at each place, from the top and from the left.
    pub order: &'a Arc<[usize]>,
    /// Values of the first and the last colour.
    pub range: (f32, f32),
    /// The middle of the range is neutral, and its sides have a colour each.
    pub diverging: bool,
    /// The cell that is selected, as rows of the matrix.
    pub selected: Option<(usize, usize)>,
    /// What a row stands for.
    pub name: &'a dyn Fn(usize) -> String,
    /// Most points to a side.
    pub side: f32,
    /// Maps of a group show the same cells.
    pub group: Id,
}

impl Heatmap<'_> {
    /// Draws the matrix and answers with the cell that was clicked or that the arrow keys went to, as rows of the matrix.
    pub fn show(self, ui: &mut egui::Ui) -> Option<(usize, usize)> {
        let side = self.side.min(ui.available_width() - BAR - 4.0).max(80.0);
        let rows = self.order.len();
        let window = *local::<Window>(ui.ctx(), self.group).lock();
        let note = match window.is_zoomed(rows) {
            true => format!("{:.0} of {rows} chunks to a side, 0 shows all", window.cells(rows)),
            false => format!("{rows} chunks, like beside like"),
        };
        let frame = ChartFrame {
            id: self.id,
            title: self.title,
            kind: &format!("{} heat map", self.quantity),
            summary: format!("{}: {rows} by {rows}, {}; {note}", self.title, self.quantity),
            note,
            height: side,
            empty: (rows == 0).then_some("No chunks are watched."),
        };
        frame
            .show(ui, || self.table(), |ui, height| self.body(ui, height))
            .flatten()
    }

    fn table(&self) -> Table {
        let mut table = Table::new(["chunk"]);
        table.columns.extend(self.order.iter().map(|row| (self.name)(*row)));
        let row = |row: &usize| {
            let cells = self
                .order
                .iter()
                .map(|other| format!("{:.4}", self.value(*row, *other)));
            std::iter::once((self.name)(*row)).chain(cells).collect()
        };
        table.rows = self.order.iter().map(row).collect();
        table
    }

    pub(super) fn value(&self, row: usize, column: usize) -> f32 {
        self.values
            .get(row * self.order.len() + column)
            .copied()
            .unwrap_or_default()
    }

    fn body(&self, ui: &mut egui::Ui, height: f32) -> Option<(usize, usize)> {
        let theme = Theme::of(ui);
        let rows = self.order.len();
        let memory = local::<Window>(ui.ctx(), self.group);
        let window = *memory.lock();
        let side = height.min(ui.available_width() - BAR).max(60.0);
        let (area, _) = ui.allocate_exact_size(vec2(side + BAR, side), Sense::hover());
        // Names take room from the cells, not from what stands around the map.
        let gutter = if side / window.cells(rows) >= NAMED {
            NAMES.min(side * 0.4)
        } else {
            0.0
        };
        let least = if gutter > 0.0 { side - gutter.max(PLACES) } else { side };
        let rect = Rect::from_min_size(pos2(area.left() + gutter, area.top()), vec2(least, least));
        let response = ui.interact(rect, self.id.with("cells"), Sense::click_and_drag());
        response.widget_info(|| WidgetInfo::labeled(Role::Button, true, format!("{}: choose two chunks", self.title)));
        let mut steered = window;
        steered.steer(ui, &response, rect, rows);
        let texture = self.texture(ui, theme);
        ui.painter().image(texture, rect, window.uv(rows), theme::NO_TINT);
        let place = Place { rect, window };
        self.labels(ui, place, gutter, theme);
        self.color_bar(ui, area, theme);
        let hovered = response.hover_pos().and_then(|at| self.cell_at(place, at));
        for cell in self.selected.into_iter().chain(hovered) {
            self.mark(ui, place, cell, theme);
        }
        if let Some(cell) = hovered.filter(|_| !response.dragged()) {
            response.clone().on_hover_ui_at_pointer(|ui| self.tooltip(ui, cell));
        }
        let walked = arrows(ui, &response).and_then(|by| self.walked(by));
        if let Some((down, across)) = walked.and_then(|cell| self.place_of(cell)) {
            steered.reveal(across, down, rows);
        }
        if steered != window {
            *memory.lock() = steered;
            ui.ctx().request_repaint();
        }
        walked.or(hovered.filter(|_| response.clicked()))
    }

    fn tooltip(&self, ui: &mut egui::Ui, (row, column): (usize, usize)) {
        let theme = Theme::of(ui);
        let value = fixed(f64::from(self.value(row, column)), 3);
        ui.label(theme::caption(format!("{} {value}", self.quantity)));
        ui.label((self.name)(row));
        ui.label((self.name)(column));
        let text = "click: show their code · Ctrl+wheel or + and −: zoom · drag: move · 0: all";
        ui.label(small(text, theme.weak));
    }

    /// Row and column of the matrix as places down and across.
    fn place_of(&self, (row, column): (usize, usize)) -> Option<(usize, usize)> {
        let place = |wanted: usize| self.order.iter().position(|row| *row == wanted);
        Some((place(row)?, place(column)?))
    }

    /// The cell beside the selected one; the first one when none is selected.
    fn walked(&self, (across, down): (isize, isize)) -> Option<(usize, usize)> {
        let from = self.selected.and_then(|cell| self.place_of(cell));
        let (row, column) = from.map_or((0, 0), |(row, column)| {
            let length = self.order.len();
            (moved(row, down, length), moved(column, across, length))
        });
        Some((*self.order.get(row)?, *self.order.get(column)?))
    }

    fn cell_at(&self, place: Place, at: egui::Pos2) -> Option<(usize, usize)> {
        let (across, down) = place.window.place(place.rect, at, self.order.len());
        Some((*self.order.get(down)?, *self.order.get(across)?))
    }
}
