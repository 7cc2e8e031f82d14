//! Heat maps of cosine matrices: painted from a texture that is made once, so a frame costs nothing.

use std::sync::Arc;

use egui::{Color32, ColorImage, Id, Rect, Role, Sense, Stroke, TextureHandle, TextureOptions, WidgetInfo, pos2, vec2};

use super::frame::ChartFrame;
use super::keys::{arrows, moved};
use super::local::local;
use super::scale::tick;
use super::table::Table;
use crate::ui::theme::{self, Theme};

/// A square matrix in colours.
pub struct Heatmap<'a> {
    /// Unique in the workbench.
    pub id: Id,
    /// What is shown.
    pub title: &'a str,
    /// `[rows, rows]`, row-major; a new `Arc` whenever it changed.
    pub values: &'a Arc<[f32]>,
    /// The row of the matrix at each place, from the top and from the left.
    pub order: &'a Arc<[usize]>,
    /// Values of the first and the last colour.
    pub range: (f32, f32),
    /// The cell that is selected, as rows of the matrix.
    pub selected: Option<(usize, usize)>,
    /// What a row stands for.
    pub name: &'a dyn Fn(usize) -> String,
    /// Most points to a side.
    pub side: f32,
}

/// What a texture was made of.
struct Source {
    values: Arc<[f32]>,
    order: Arc<[usize]>,
    range: (f32, f32),
    dark: bool,
}

type Memory = Option<(Source, TextureHandle)>;

impl Heatmap<'_> {
    /// Draws the matrix and answers with the cell that was clicked or that the arrow keys went to, as rows of the matrix.
    pub fn show(self, ui: &mut egui::Ui) -> Option<(usize, usize)> {
        let side = self.side.min(ui.available_width() - 56.0).max(80.0);
        let frame = ChartFrame {
            id: self.id,
            title: self.title,
            note: format!("{} chunks, like beside like", self.order.len()),
            summary: format!("{}: {} by {} cosines", self.title, self.order.len(), self.order.len()),
            height: side,
            empty: None,
        };
        frame.show(ui, || self.table(), |ui, _| self.body(ui, side)).flatten()
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

    fn value(&self, row: usize, column: usize) -> f32 {
        self.values
            .get(row * self.order.len() + column)
            .copied()
            .unwrap_or_default()
    }

    fn body(&self, ui: &mut egui::Ui, side: f32) -> Option<(usize, usize)> {
        let theme = Theme::of(ui);
        let (area, _) = ui.allocate_exact_size(vec2(side + 52.0, side), Sense::hover());
        let rect = Rect::from_min_size(area.min, vec2(side, side));
        let response = ui.interact(rect, self.id.with("cells"), Sense::click());
        response.widget_info(|| WidgetInfo::labeled(Role::Button, true, format!("{}: choose two chunks", self.title)));
        let texture = self.texture(ui, theme);
        let uv = Rect::from_min_max(pos2(0.0, 0.0), pos2(1.0, 1.0));
        ui.painter().image(texture, rect, uv, theme::NO_TINT);
        self.color_bar(ui, area, theme);
        let hovered = response.hover_pos().and_then(|at| self.cell_at(rect, at));
        for cell in self.selected.into_iter().chain(hovered) {
            self.mark(ui, rect, cell, theme);
        }
        if let Some((row, column)) = hovered {
            response.clone().on_hover_ui_at_pointer(|ui| {
                ui.label(theme::caption(format!("cosine {:.3}", self.value(row, column))));
                ui.label((self.name)(row));
                ui.label((self.name)(column));
                ui.label(
                    egui::RichText::new("click: show their code")
                        .size(theme::SMALL)
                        .color(theme.weak),
                );
            });
        }
        let walked = arrows(ui, &response).and_then(|by| self.walked(by));
        walked.or(hovered.filter(|_| response.clicked()))
    }

    /// The cell beside the selected one; the first one when none is selected.
    fn walked(&self, (across, down): (isize, isize)) -> Option<(usize, usize)> {
        let place = |wanted: usize| self.order.iter().position(|row| *row == wanted);
        let from = self
            .selected
            .and_then(|(row, column)| Some((place(row)?, place(column)?)));
        let (row, column) = from.map_or((0, 0), |(row, column)| {
            let length = self.order.len();
            (moved(row, down, length), moved(column, across, length))
        });
        Some((*self.order.get(row)?, *self.order.get(column)?))
    }

    fn texture(&self, ui: &egui::Ui, theme: &Theme) -> egui::TextureId {
        let memory = local::<Memory>(ui.ctx(), self.id.with("texture"));
        let mut memory = memory.lock();
        let fits = |made: &Source| {
            Arc::ptr_eq(&made.values, self.values)
                && Arc::ptr_eq(&made.order, self.order)
                && made.range == self.range
                && made.dark == theme.dark
        };
        let kept = memory.take().filter(|(made, _)| fits(made));
        let (_, texture) = memory.insert(kept.unwrap_or_else(|| {
            let made = Source {
                values: Arc::clone(self.values),
                order: Arc::clone(self.order),
                range: self.range,
                dark: theme.dark,
            };
            let options = TextureOptions::NEAREST;
            (made, ui.ctx().load_texture(self.title, self.image(theme), options))
        }));
        texture.id()
    }

    fn image(&self, theme: &Theme) -> ColorImage {
        let n = self.order.len();
        let (low, high) = self.range;
        let pixels = self.order.iter().flat_map(|row| {
            self.order.iter().map(|column| {
                let share = (self.value(*row, *column) - low) / (high - low);
                ramp(theme, share)
            })
        });
        ColorImage::new([n, n], pixels.collect())
    }

    fn cell_at(&self, rect: Rect, at: egui::Pos2) -> Option<(usize, usize)> {
        let n = self.order.len() as f32;
        let place = |offset: f32, length: f32| ((offset / length * n).floor().max(0.0)) as usize;
        let row = self.order.get(place(at.y - rect.top(), rect.height()))?;
        let column = self.order.get(place(at.x - rect.left(), rect.width()))?;
        Some((*row, *column))
    }

    /// A frame around a cell and thin lines to the edges, so that a cell of two pixels can be found.
    fn mark(&self, ui: &egui::Ui, rect: Rect, (row, column): (usize, usize), theme: &Theme) {
        let place = |wanted: usize| self.order.iter().position(|row| *row == wanted);
        let (Some(down), Some(across)) = (place(row), place(column)) else {
            return;
        };
        let size = rect.width() / self.order.len() as f32;
        let corner = rect.min + vec2(across as f32, down as f32) * size;
        let cell = Rect::from_min_size(corner, vec2(size, size));
        let line = Stroke::new(0.7, theme.cursor.gamma_multiply(0.55));
        let painter = ui.painter().with_clip_rect(rect.expand(4.0));
        painter.hline(rect.x_range(), cell.center().y, line);
        painter.vline(cell.center().x, rect.y_range(), line);
        let frame = cell.expand(2.5);
        painter.rect_stroke(frame, 1.0, Stroke::new(3.0, theme.background), egui::StrokeKind::Middle);
        painter.rect_stroke(frame, 1.0, Stroke::new(1.5, theme.cursor), egui::StrokeKind::Middle);
    }

    fn color_bar(&self, ui: &egui::Ui, area: Rect, theme: &Theme) {
        let bar = Rect::from_min_max(
            pos2(area.right() - 42.0, area.top()),
            pos2(area.right() - 34.0, area.bottom()),
        );
        let mut mesh = egui::Mesh::default();
        let steps = 32;
        for step in 0..=steps {
            let share = step as f32 / steps as f32;
            let y = egui::lerp(bar.bottom()..=bar.top(), share);
            for x in [bar.left(), bar.right()] {
                mesh.colored_vertex(pos2(x, y), ramp(theme, share));
            }
            if step > 0 {
                let at = step * 2;
                mesh.add_triangle(at - 2, at - 1, at);
                mesh.add_triangle(at - 1, at, at + 1);
            }
        }
        ui.painter().add(mesh);
        let (low, high) = self.range;
        let font = egui::FontId::proportional(theme::SMALL);
        for (share, align) in [
            (0.0, egui::Align2::LEFT_BOTTOM),
            (0.5, egui::Align2::LEFT_CENTER),
            (1.0, egui::Align2::LEFT_TOP),
        ] {
            let y = egui::lerp(bar.bottom()..=bar.top(), share);
            let value = f64::from(low + (high - low) * share);
            let text = tick((value * 100.0).round() / 100.0);
            ui.painter()
                .text(pos2(bar.right() + 5.0, y), align, text, font.clone(), theme.weak);
        }
    }
}

/// A colour for a share of the range, 0 to 1: from the background over violet and orange to the brightest ink, ever stronger.
fn ramp(theme: &Theme, share: f32) -> Color32 {
    let violet = theme.arm(crate::evaluation::Arm::ShuffledContext).color;
    let stops = [
        theme.background.lerp_to_gamma(violet, 0.08),
        theme.background.lerp_to_gamma(violet, 0.45),
        violet.lerp_to_gamma(theme.accent, 0.45),
        theme.accent,
        theme
            .accent
            .lerp_to_gamma(theme.strong, if theme.dark { 0.7 } else { 0.5 }),
    ];
    let place = share.clamp(0.0, 1.0) * (stops.len() - 1) as f32;
    let below = (place as usize).min(stops.len() - 2);
    match stops.get(below..below + 2) {
        Some([a, b]) => a.lerp_to_gamma(*b, place - below as f32),
        _ => theme.background,
    }
}
