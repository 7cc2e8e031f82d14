//! Quality against cost: points with an interval either way as a cross, and the line of those that no other one beats.

use egui::{Align2, Color32, FontId, Id, Pos2, RichText, Role, Sense, Stroke, Ui, WidgetInfo, pos2, vec2};

use super::frame::ChartFrame;
use super::keys::{arrows, moved};
use super::legend::legend_ui;
use super::plane::Plane;
use super::table::Table;
use crate::evaluation::Interval;
use crate::ui::theme::{self, Sign, Theme};

/// How near the pointer must be, points.
const REACH: f32 = 14.0;
/// Size of a mark, points.
const MARK: f32 = 15.0;
/// Name of the line in the legend.
pub const PARETO_LINE: &str = "Pareto line";

/// One arm of one run.
#[derive(Clone, Debug)]
pub struct TradeoffPoint {
    /// What it is.
    pub name: String,
    /// What it belongs to in the legend.
    pub group: String,
    /// How it is drawn.
    pub sign: Sign,
    /// The run that it is of, where there are several.
    pub run: Option<Sign>,
    /// Cost, in the unit of the axis; an interval without width is not drawn.
    pub x: Interval,
    /// Quality, in the unit of the axis.
    pub y: Interval,
    /// No other point is at least as good and as cheap.
    pub best: bool,
    /// What else is known of it, for the tooltip.
    pub made: String,
}

impl TradeoffPoint {
    /// Quality and cost with their intervals, and whether it is on the line; `labels` and `ticks` are those of x and y.
    pub fn told(&self, [x, y]: [&str; 2], [x_tick, y_tick]: [fn(f64) -> String; 2]) -> Vec<String> {
        let mut lines = Vec::new();
        for (label, tick, value) in [(y, y_tick, self.y), (x, x_tick, self.x)] {
            let Interval { mean, low, high } = value;
            let text = match low < high {
                true => format!("{label}: {} [{}, {}]", tick(mean), tick(low), tick(high)),
                false => format!("{label}: {}, without an interval", tick(mean)),
            };
            lines.push(text.replace('-', "−"));
        }
        if self.best {
            lines.push("on the Pareto line: no other arm is at least as good for as little".into());
        }
        lines
    }
}

/// The chart.
pub struct TradeoffChart<'a> {
    /// Unique in the workbench.
    pub id: Id,
    /// What is shown.
    pub title: &'a str,
    /// What must be known to read it.
    pub note: String,
    /// What x and y are, with their units.
    pub labels: [&'a str; 2],
    /// The numbers beside the axes.
    pub ticks: [fn(f64) -> String; 2],
    /// The points.
    pub points: &'a [TradeoffPoint],
    /// The point that is selected.
    pub selected: Option<usize>,
    /// The line that y is held against.
    pub zero: bool,
    /// Points of the screen.
    pub height: f32,
    /// Why there is nothing.
    pub empty: &'a str,
}

impl TradeoffChart<'_> {
    /// Draws the chart, with `table` as the numbers behind it, and answers with the point that was clicked or walked to.
    pub fn show(self, ui: &mut Ui, table: impl Fn() -> Table) -> Option<usize> {
        let frame = ChartFrame {
            id: self.id,
            title: self.title,
            kind: "",
            note: self.note.clone(),
            summary: tradeoff_summary(self.title, self.ticks, self.points),
            height: self.height,
            empty: self.points.is_empty().then_some(self.empty),
        };
        frame.show(ui, table, |ui, height| self.body(ui, height)).flatten()
    }

    fn body(&self, ui: &mut Ui, height: f32) -> Option<usize> {
        let theme = Theme::of(ui);
        let top = ui.cursor().top();
        let line = theme.pareto();
        let mut entries: Vec<(&str, Sign)> = Vec::new();
        for point in self.points {
            if !entries.iter().any(|(name, _)| *name == point.group) {
                entries.push((&point.group, point.sign));
            }
        }
        entries.push((PARETO_LINE, line));
        let hidden = legend_ui(ui, self.id, entries.into_iter());
        let shown = |place: &usize| {
            self.points
                .get(*place)
                .is_some_and(|point| !hidden.contains(&point.group))
        };
        let shown: Vec<usize> = (0..self.points.len()).filter(shown).collect();
        let height = (height - (ui.cursor().top() - top)).max(80.0);
        let (area, _) = ui.allocate_exact_size(vec2(ui.available_width(), height), Sense::hover());
        let plot = Plane::inside(area);
        let response = ui.interact(plot, self.id.with("points"), Sense::click());
        response.widget_info(|| WidgetInfo::labeled(Role::Button, true, format!("{}: choose a point", self.title)));
        let plane = Plane {
            bounds: tradeoff_bounds(self.points, self.zero),
            labels: self.labels,
            ticks: self.ticks,
        };
        let place = plane.draw(ui, plot);
        let painter = ui.painter().with_clip_rect(plot.expand(8.0));
        if self.zero {
            let y = place([0.0, 0.0]).y;
            painter.hline(plot.x_range(), y, Stroke::new(1.0, theme.weak));
        }
        let at = |point: &TradeoffPoint| place([point.x.mean, point.y.mean]);
        if !hidden.contains(PARETO_LINE) {
            let mut best: Vec<Pos2> = self.points.iter().filter(|point| point.best).map(at).collect();
            best.sort_by(|a, b| a.x.total_cmp(&b.x));
            painter.extend(
                line.dash
                    .shapes(&best, Stroke::new(theme::THIN_LINE, line.color.gamma_multiply(0.6))),
            );
        }
        for &number in &shown {
            let Some(point) = self.points.get(number) else { continue };
            cross(&painter, point, &place);
            mark(&painter, point, at(point), theme.background);
        }
        let distance = |number: &usize| {
            let pointer = response.hover_pos()?;
            let distance = at(self.points.get(*number)?).distance(pointer);
            (distance <= REACH).then_some((*number, distance))
        };
        let nearest = shown.iter().filter_map(distance).min_by(|a, b| a.1.total_cmp(&b.1));
        let nearest = nearest.map(|(number, _)| number);
        for (number, width) in [(self.selected, 2.0), (nearest, 1.2)] {
            if let Some(point) = number.and_then(|number| self.points.get(number)) {
                painter.circle_stroke(at(point), 11.0, Stroke::new(width, theme.cursor));
            }
        }
        if let Some(point) = nearest.and_then(|number| self.points.get(number)) {
            response.clone().on_hover_ui_at_pointer(|ui| self.tooltip(ui, point));
        }
        let walked = arrows(ui, &response).and_then(|(across, down)| {
            let place = shown.iter().position(|number| Some(*number) == self.selected);
            let place = place.map_or(0, |place| moved(place, across + down, shown.len()));
            shown.get(place).copied()
        });
        walked.or(nearest.filter(|_| response.clicked()))
    }

    fn tooltip(&self, ui: &mut Ui, point: &TradeoffPoint) {
        let theme = Theme::of(ui);
        ui.label(RichText::new(format!("{} {}", point.sign.mark, point.name)).color(point.sign.color));
        for line in point.told(self.labels, self.ticks) {
            ui.label(line);
        }
        ui.label(RichText::new(&point.made).color(theme.weak));
    }
}

/// Every point in a sentence.
pub fn tradeoff_summary(title: &str, [x, y]: [fn(f64) -> String; 2], points: &[TradeoffPoint]) -> String {
    let said = points.iter().map(|point| {
        let best = if point.best { ", on the Pareto line" } else { "" };
        format!("{} {} at {}{best}", point.name, y(point.y.mean), x(point.x.mean))
    });
    format!("{title}: {}", said.collect::<Vec<_>>().join("; "))
}

/// `[low, high]` of x and of y that hold every interval, and zero in y where a line is drawn there.
pub fn tradeoff_bounds(points: &[TradeoffPoint], zero: bool) -> [[f64; 2]; 2] {
    let ends = |value: fn(&TradeoffPoint) -> Interval, zero: bool| {
        let ends = points.iter().map(value).flat_map(|at| [at.mean, at.low, at.high]);
        let ends = ends.chain(zero.then_some(0.0)).filter(|end| end.is_finite());
        let (low, high) = ends.fold((f64::INFINITY, f64::NEG_INFINITY), |(low, high), end| {
            (low.min(end), high.max(end))
        });
        match low < high {
            true => [low, high],
            false if low == high => [low - 0.5, high + 0.5],
            false => [0.0, 1.0],
        }
    };
    [ends(|point| point.x, false), ends(|point| point.y, zero)]
}

/// The intervals of a point, with ends.
fn cross(painter: &egui::Painter, point: &TradeoffPoint, place: &impl Fn([f64; 2]) -> Pos2) {
    let stroke = Stroke::new(theme::THIN_LINE, point.sign.color.gamma_multiply(0.75));
    let (x, y) = (point.x, point.y);
    if y.low < y.high {
        let [low, high] = [y.low, y.high].map(|end| place([x.mean, end]));
        painter.line_segment([low, high], stroke);
        for end in [low, high] {
            painter.hline(end.x - 4.0..=end.x + 4.0, end.y, stroke);
        }
    }
    if x.low < x.high {
        let [low, high] = [x.low, x.high].map(|end| place([end, y.mean]));
        painter.line_segment([low, high], stroke);
        for end in [low, high] {
            painter.vline(end.x, end.y - 4.0..=end.y + 4.0, stroke);
        }
    }
}

/// The mark of the arm, and at its upper right that of the run.
fn mark(painter: &egui::Painter, point: &TradeoffPoint, at: Pos2, ground: Color32) {
    painter.circle_filled(at, 6.5, ground.gamma_multiply(0.8));
    let font = FontId::proportional(MARK);
    painter.text(at, Align2::CENTER_CENTER, point.sign.mark, font, point.sign.color);
    if let Some(run) = point.run {
        let font = FontId::proportional(theme::SMALL);
        let at = pos2(at.x + 9.0, at.y - 8.0);
        painter.text(at, Align2::CENTER_CENTER, run.mark, font, run.color);
    }
}

#[cfg(test)]
mod tests {
    use super::super::scale::tick;
    use super::*;
    use crate::evaluation::Arm;

    fn point(name: &str, x: f64, y: f64, best: bool) -> TradeoffPoint {
        let exact = |mean| Interval {
            mean,
            low: mean - 1.0,
            high: mean + 2.0,
        };
        TradeoffPoint {
            name: name.into(),
            group: name.into(),
            sign: theme::LIGHT.arm(Arm::Compressed),
            run: None,
            x: exact(x),
            y: exact(y),
            best,
            made: String::new(),
        }
    }

    #[test]
    fn the_axes_hold_every_interval_and_the_zero_where_it_is_drawn() {
        let points = [point("a", 100.0, 5.0, true), point("b", 500.0, 9.0, false)];
        assert_eq!(tradeoff_bounds(&points, false), [[99.0, 502.0], [4.0, 11.0]]);
        assert_eq!(tradeoff_bounds(&points, true), [[99.0, 502.0], [0.0, 11.0]]);
        assert_eq!(tradeoff_bounds(&[], false), [[0.0, 1.0]; 2]);
    }

    #[test]
    fn the_summary_says_every_point_and_which_are_on_the_line() {
        let points = [point("a", 100.0, 5.0, true), point("b", 500.0, 9.0, false)];
        assert_eq!(
            tradeoff_summary("quality", [tick; 2], &points),
            "quality: a 5 at 100, on the Pareto line; b 9 at 500"
        );
    }
}
