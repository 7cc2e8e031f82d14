//! A curve with the dashes of the theme (the plot's own styles have no dash-dot).

use std::ops::RangeInclusive;

use egui::{Color32, Shape, Stroke, Ui, vec2};
use egui_plot::{PlotBounds, PlotGeometry, PlotItem, PlotItemBase, PlotPoint, PlotTransform};

use crate::ui::theme::{self, Dash};

/// A line through points; the pointer does not stop at it, because the charts say values themselves.
pub struct Curve {
    base: PlotItemBase,
    points: Vec<PlotPoint>,
    stroke: Stroke,
    dash: Dash,
    marks: bool,
    /// `[x, low, high]` of an interval at each point.
    whiskers: Vec<[f64; 3]>,
    shift: f32,
}

impl Curve {
    /// A curve through `[x, y]` points, in the plot's units.
    pub fn new(name: &str, points: impl IntoIterator<Item = [f64; 2]>, stroke: Stroke, dash: Dash) -> Self {
        Self {
            base: PlotItemBase::new(name.to_owned()),
            points: points.into_iter().map(PlotPoint::from).collect(),
            stroke,
            dash,
            marks: false,
            whiskers: Vec::new(),
            shift: 0.0,
        }
    }

    /// Draws a dot at every point too: for curves with few points.
    pub fn with_marks(mut self) -> Self {
        self.marks = true;
        self
    }

    /// Draws an interval at every point, `[x, low, high]`, and everything so many points of the screen beside its place.
    pub fn with_whiskers(mut self, whiskers: Vec<[f64; 3]>, shift: f32) -> Self {
        self.whiskers = whiskers;
        self.shift = shift;
        self
    }
}

impl PlotItem for Curve {
    fn shapes(&self, _ui: &Ui, transform: &PlotTransform, shapes: &mut Vec<Shape>) {
        let points: Vec<_> = self
            .points
            .iter()
            .map(|point| transform.position_from_point(point) + vec2(self.shift, 0.0))
            .collect();
        for [x, low, high] in &self.whiskers {
            let [low, high] = [low, high].map(|y| {
                let at = PlotPoint::new(*x, *y);
                transform.position_from_point(&at) + vec2(self.shift, 0.0)
            });
            let stroke = Stroke::new(theme::THIN_LINE, self.stroke.color);
            let cap = vec2(3.0, 0.0);
            shapes.extend(
                [[low, high], [low - cap, low + cap], [high - cap, high + cap]]
                    .map(|ends| Shape::line_segment(ends, stroke)),
            );
        }
        if self.marks || points.len() == 1 {
            let radius = self.stroke.width + 0.8;
            shapes.extend(
                points
                    .iter()
                    .map(|at| Shape::circle_filled(*at, radius, self.stroke.color)),
            );
        }
        if points.len() > 1 {
            shapes.extend(self.dash.shapes(&points, self.stroke));
        }
    }

    fn initialize(&mut self, _x_range: RangeInclusive<f64>) {}

    fn color(&self) -> Color32 {
        self.stroke.color
    }

    fn allow_hover(&self) -> bool {
        false
    }

    fn geometry(&self) -> PlotGeometry<'_> {
        PlotGeometry::None
    }

    fn bounds(&self) -> PlotBounds {
        let mut bounds = PlotBounds::NOTHING;
        for point in &self.points {
            bounds.extend_with(point);
        }
        for [x, low, high] in &self.whiskers {
            bounds.extend_with(&PlotPoint::new(*x, *low));
            bounds.extend_with(&PlotPoint::new(*x, *high));
        }
        bounds
    }

    fn base(&self) -> &PlotItemBase {
        &self.base
    }

    fn base_mut(&mut self) -> &mut PlotItemBase {
        &mut self.base
    }
}
