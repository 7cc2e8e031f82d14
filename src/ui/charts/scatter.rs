//! Points in a plane whose axes stay: soft tokens among the reader's tokens, with the way that each has come.

use egui::{Id, Rect, Role, Sense, Stroke, WidgetInfo, vec2};

use super::axes::small;
use super::frame::ChartFrame;
use super::keys::{arrows, moved};
use super::plane::Plane;
use super::scale::tick;
use super::table::Table;
use crate::ui::theme::{self, Sign, Theme};

/// How near the pointer must be, points.
const REACH: f32 = 9.0;

/// Points of one kind.
pub struct ScatterGroup<'a> {
    /// In the legend and the table.
    pub name: String,
    /// How they are drawn.
    pub sign: Sign,
    /// The points.
    pub points: &'a [[f32; 2]],
    /// Where each came from: as many points, or none.
    pub from: &'a [[f32; 2]],
    /// A backdrop: small, and cannot be chosen.
    pub backdrop: bool,
}

/// A plane with groups of points; those that can be chosen stand for the same things in every group.
pub struct Scatter<'a> {
    /// Unique in the workbench.
    pub id: Id,
    /// What is shown.
    pub title: &'a str,
    /// What must be known to read it.
    pub note: String,
    /// What the axes are.
    pub labels: [String; 2],
    /// `[low, high]` of each axis; fixed, so that motion means something.
    pub bounds: [[f32; 2]; 2],
    /// From back to front.
    pub groups: &'a [ScatterGroup<'a>],
    /// Points to one thing.
    pub each: usize,
    /// The thing that is selected.
    pub selected: Option<usize>,
    /// What a thing is called.
    pub name: &'a dyn Fn(usize) -> String,
    /// Points of the screen.
    pub height: f32,
    /// Why there is nothing.
    pub empty: Option<&'a str>,
}

impl Scatter<'_> {
    /// Draws the plane and answers with the thing that was clicked or that the arrow keys went to.
    pub fn show(self, ui: &mut egui::Ui) -> Option<usize> {
        let counts = self
            .groups
            .iter()
            .map(|group| format!("{} {}", group.points.len(), group.name));
        let frame = ChartFrame {
            id: self.id,
            title: self.title,
            kind: "",
            note: self.note.clone(),
            summary: format!(
                "{}: {}; {}",
                self.title,
                counts.collect::<Vec<_>>().join(", "),
                self.note
            ),
            height: self.height,
            empty: self.empty,
        };
        frame
            .show(ui, || self.table(), |ui, height| self.body(ui, height))
            .flatten()
    }

    fn table(&self) -> Table {
        let mut table = Table::new(["group", "thing", "x", "y"]);
        for group in self.groups {
            for (at, [x, y]) in group.points.iter().enumerate() {
                let name = match group.backdrop {
                    true => at.to_string(),
                    false => (self.name)(at / self.each.max(1)),
                };
                table
                    .rows
                    .push(vec![group.name.clone(), name, x.to_string(), y.to_string()]);
            }
        }
        table
    }

    fn body(&self, ui: &mut egui::Ui, height: f32) -> Option<usize> {
        let theme = Theme::of(ui);
        let top = ui.cursor().top();
        self.legend(ui);
        let height = (height - (ui.cursor().top() - top)).max(80.0);
        let (area, _) = ui.allocate_exact_size(vec2(ui.available_width(), height), Sense::hover());
        let plot = Plane::inside(area);
        let response = ui.interact(plot, self.id.with("points"), Sense::click());
        response.widget_info(|| WidgetInfo::labeled(Role::Button, true, format!("{}: choose a chunk", self.title)));
        let plane = Plane {
            bounds: self.bounds.map(|ends| ends.map(f64::from)),
            labels: self.labels.each_ref().map(String::as_str),
            ticks: [tick; 2],
        };
        let drawn = plane.draw(ui, plot);
        let place = |[x, y]: [f32; 2]| drawn([f64::from(x), f64::from(y)]);
        let painter = ui.painter().with_clip_rect(plot);
        for group in self.groups {
            for (from, to) in group.from.iter().zip(group.points) {
                let line = Stroke::new(0.7, group.sign.color.gamma_multiply(0.35));
                painter.line_segment([place(*from), place(*to)], line);
            }
            for point in group.points {
                match group.backdrop {
                    true => {
                        let dot = Rect::from_center_size(place(*point), vec2(2.2, 2.2));
                        painter.rect_filled(dot, 0.0, group.sign.color.gamma_multiply(0.7));
                    }
                    false => {
                        painter.circle_filled(place(*point), 2.6, group.sign.color.gamma_multiply(0.8));
                    }
                }
            }
        }
        let front = self.groups.iter().rev().find(|group| !group.backdrop)?;
        let each = self.each.max(1);
        let nearest = response.hover_pos().and_then(|at| {
            let distances = front.points.iter().map(|point| place(*point).distance(at)).enumerate();
            let near = distances.filter(|(_, distance)| *distance <= REACH);
            near.min_by(|a, b| a.1.total_cmp(&b.1)).map(|(point, _)| point / each)
        });
        for (thing, strong) in [(self.selected, true), (nearest, false)] {
            let points = thing.and_then(|thing| front.points.get(thing * each..(thing + 1) * each));
            for point in points.into_iter().flatten() {
                let width = if strong { 2.0 } else { 1.2 };
                painter.circle_stroke(place(*point), 6.0, Stroke::new(width, theme.cursor));
            }
        }
        if let Some(thing) = nearest {
            response.clone().on_hover_ui_at_pointer(|ui| {
                ui.label(theme::caption((self.name)(thing)));
                ui.label(small("click: show its code beside its nearest", theme.weak));
            });
        }
        let walked = arrows(ui, &response).map(|(across, down)| {
            let things = front.points.len() / each;
            self.selected.map_or(0, |at| moved(at, across + down, things))
        });
        walked.or(nearest.filter(|_| response.clicked()))
    }

    fn legend(&self, ui: &mut egui::Ui) {
        ui.horizontal_wrapped(|ui| {
            ui.spacing_mut().item_spacing.x = theme::SECTION;
            for group in self.groups {
                ui.label(small(&format!("{} {}", group.sign.mark, group.name), group.sign.color));
            }
        });
    }
}
