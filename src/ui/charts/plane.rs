//! Two axes with a grid, painted: what charts of points in a plane share.

use egui::{Align2, FontId, Pos2, Rect, Stroke, Ui, pos2, vec2};

use super::axes::round_step;
use crate::ui::theme::{self, Theme};

/// Room for the numbers beside the plot, points.
const LEFT: f32 = 44.0;
/// Room for the label of y above it, points.
const ABOVE: f32 = 20.0;
/// Room for the numbers and the label below it, points.
const BELOW: f32 = 32.0;
/// Points between two grid lines across and up, at least.
const LINES: [f64; 2] = [64.0, 32.0];

/// The axes of a chart.
pub struct Plane<'a> {
    /// `[low, high]` of x and of y.
    pub bounds: [[f64; 2]; 2],
    /// What they are, with their units.
    pub labels: [&'a str; 2],
    /// The number beside a grid line.
    pub ticks: [fn(f64) -> String; 2],
}

impl Plane<'_> {
    /// The part of an area that points are drawn in.
    pub fn inside(area: Rect) -> Rect {
        Rect::from_min_max(area.min + vec2(LEFT, ABOVE), area.max - vec2(8.0, BELOW))
    }

    /// Draws grid, numbers and labels, and answers with where a point of the plane lies on the screen.
    pub fn draw(&self, ui: &Ui, plot: Rect) -> impl Fn([f64; 2]) -> Pos2 + use<> {
        let [x, y] = self.bounds.map(|[low, high]| {
            let room = ((high - low) * 0.05).max(1e-6);
            low - room..=high + room
        });
        let (across, up) = (x.clone(), y.clone());
        let (left, right, bottom, top) = (plot.left(), plot.right(), plot.bottom(), plot.top());
        let place = move |[px, py]: [f64; 2]| {
            pos2(
                egui::remap(px, across.clone(), f64::from(left)..=f64::from(right)) as f32,
                egui::remap(py, up.clone(), f64::from(bottom)..=f64::from(top)) as f32,
            )
        };
        let theme = Theme::of(ui);
        let painter = ui.painter();
        let font = FontId::proportional(theme::SMALL);
        let line = Stroke::new(1.0, theme.line);
        let [across, up] = LINES;
        for (range, points, apart, is_x) in [(x, plot.width(), across, true), (y, plot.height(), up, false)] {
            let step = round_step((range.end() - range.start()) / f64::from(points.max(1.0)) * apart);
            let (first, last) = ((range.start() / step).ceil(), (range.end() / step).floor());
            if !(first.is_finite() && last.is_finite()) {
                continue;
            }
            for at in (first as i64..=last as i64).take(40) {
                let value = at as f64 * step;
                let text = self.ticks[usize::from(!is_x)](value);
                if is_x {
                    let at = place([value, 0.0]).x;
                    painter.vline(at, plot.y_range(), line);
                    let below = pos2(at, plot.bottom() + 2.0);
                    painter.text(below, Align2::CENTER_TOP, text, font.clone(), theme.weak);
                } else {
                    let at = place([0.0, value]).y;
                    painter.hline(plot.x_range(), at, line);
                    let beside = pos2(plot.left() - 5.0, at);
                    painter.text(beside, Align2::RIGHT_CENTER, text, font.clone(), theme.weak);
                }
            }
        }
        let [across, up] = self.labels;
        let below = pos2(plot.center().x, plot.bottom() + 17.0);
        painter.text(below, Align2::CENTER_TOP, across, font.clone(), theme.weak);
        painter.text(
            plot.left_top() - vec2(LEFT - 4.0, 4.0),
            Align2::LEFT_BOTTOM,
            up,
            font,
            theme.weak,
        );
        place
    }
}
