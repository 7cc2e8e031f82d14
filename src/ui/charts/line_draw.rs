//! What a line chart draws of one series: its interval, its raw points and its smoothed curve.

use egui::{Color32, Stroke};
use egui_plot::{Line, PlotPoint, PlotUi, Polygon};

use super::curve::Curve;
use super::scale::Scale;
use super::series::{Prepared, Series};
use crate::ui::theme;

/// Most points of a curve that are drawn in one view.
pub const BUDGET: usize = 2_000;

/// Draws one series; `view` is the range of x in view, when a person zoomed in.
pub fn draw_series(plot: &mut PlotUi<'_>, series: &Series, kept: &Prepared, scale: Scale, view: Option<(f64, f64)>) {
    let color = series.sign.color;
    if let Some(band) = series.band.as_ref().filter(|_| !series.whiskers) {
        draw_band(plot, band, color, scale);
    }
    let raw = kept.raw.slice(view, BUDGET).points;
    let Some(smoothed) = &kept.smoothed else {
        let stroke = Stroke::new(theme::STRONG_LINE, color);
        let curve = Curve::new(&series.name, raw.iter().copied(), stroke, series.sign.dash);
        let curve = if series.marks { curve.with_marks() } else { curve };
        plot.add(match &series.band {
            Some(band) if series.whiskers => curve.with_whiskers(heights(band, scale), series.shift),
            _ => curve,
        });
        return;
    };
    let faint: Vec<PlotPoint> = raw.iter().copied().map(PlotPoint::from).collect();
    let line = Line::new("", egui_plot::PlotPoints::Owned(faint))
        .color(color.gamma_multiply(0.28))
        .width(1.0);
    plot.line(line.allow_hover(false));
    let points = smoothed.slice(view, BUDGET).points.iter().copied();
    plot.add(Curve::new(
        &series.name,
        points,
        Stroke::new(theme::STRONG_LINE, color),
        series.sign.dash,
    ));
}

/// Intervals as heights on the axis; those that have no place on it are left out.
fn heights(band: &[[f64; 3]], scale: Scale) -> Vec<[f64; 3]> {
    let place = |[x, low, high]: &[f64; 3]| Some([*x, scale.height(*low)?, scale.height(*high)?]);
    band.iter().filter_map(place).collect()
}

/// One quadrilateral between every two neighbours: polygons must be convex.
fn draw_band(plot: &mut PlotUi<'_>, band: &[[f64; 3]], color: Color32, scale: Scale) {
    for pair in band.windows(2) {
        let [[x0, low0, high0], [x1, low1, high1]] = pair else {
            continue;
        };
        let corners = [(x0, low0), (x0, high0), (x1, high1), (x1, low1)];
        let points: Option<Vec<[f64; 2]>> = corners
            .iter()
            .map(|(x, y)| scale.height(**y).map(|height| [**x, height]))
            .collect();
        if let Some(points) = points {
            let polygon = Polygon::new("", points)
                .fill_color(color.gamma_multiply(0.09))
                .stroke(Stroke::NONE);
            plot.polygon(polygon.allow_hover(false));
        }
    }
}
