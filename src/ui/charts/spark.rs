//! A curve the size of a word, for rows of numbers.

use egui::{Sense, Stroke, pos2};

use crate::ui::theme::{self, Sign, Theme};

/// One line of a spark line: points by ascending x, and how it is drawn.
pub type SparkLine<'a> = (&'a [[f64; 2]], Sign);

/// Draws curves on common axes with a dot on the first one at `now`.
pub fn spark_ui(ui: &mut egui::Ui, size: egui::Vec2, lines: &[SparkLine<'_>], now: Option<f64>) -> egui::Response {
    let (rect, response) = ui.allocate_exact_size(size, Sense::hover());
    let finite = || {
        lines
            .iter()
            .flat_map(|(points, _)| points.iter())
            .filter(|[x, y]| x.is_finite() && y.is_finite())
    };
    let (low_x, high_x) = span(finite().map(|point| point[0]));
    let (low_y, high_y) = span(finite().map(|point| point[1]));
    let inside = rect.shrink(2.5);
    let place = |[x, y]: [f64; 2]| {
        let across = ((x - low_x) / (high_x - low_x)) as f32;
        let up = ((y - low_y) / (high_y - low_y)) as f32;
        pos2(
            egui::lerp(inside.x_range().min..=inside.x_range().max, across),
            egui::lerp(inside.bottom()..=inside.top(), up),
        )
    };
    for (points, sign) in lines.iter().rev() {
        let points: Vec<_> = points
            .iter()
            .filter(|point| point[1].is_finite())
            .map(|p| place(*p))
            .collect();
        ui.painter()
            .extend(sign.dash.shapes(&points, Stroke::new(theme::THIN_LINE, sign.color)));
    }
    let current = lines.first().zip(now).and_then(|((points, sign), now)| {
        let point = points.iter().rev().find(|point| point[0] <= now)?;
        point[1].is_finite().then(|| (place(*point), sign.color))
    });
    if let Some((at, color)) = current {
        ui.painter()
            .circle(at, 3.0, color, Stroke::new(1.0, Theme::of(ui).panel));
    }
    response
}

/// Lowest and highest value, widened when they are the same or there are none.
fn span(values: impl Iterator<Item = f64>) -> (f64, f64) {
    let (low, high) = values.fold((f64::INFINITY, f64::NEG_INFINITY), |(low, high), value| {
        (low.min(value), high.max(value))
    });
    if low < high {
        (low, high)
    } else if low == high {
        (low - 0.5, high + 0.5)
    } else {
        (0.0, 1.0)
    }
}
