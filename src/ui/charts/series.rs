//! A curve of a line chart: its points, how it is drawn, and what is derived from it once for each change of the data.

use std::sync::Arc;

use super::pyramid::Pyramid;
use super::scale::Scale;
use super::smoothing::smooth;
use crate::ui::theme::Sign;

/// A named curve.
#[derive(Clone, Debug)]
pub struct Series {
    /// In the legend; unique in its chart.
    pub name: String,
    /// Colour and dash.
    pub sign: Sign,
    /// `[x, y]` by ascending x; a new `Arc` whenever the data changed.
    pub points: Arc<[[f64; 2]]>,
    /// Weight of the past in the smoothed curve, 0 for none. The points themselves then stay behind it, faint.
    pub smoothing: f64,
    /// `[x, low, high]` of an interval around the points.
    pub band: Option<Arc<[[f64; 3]]>>,
    /// A dot at every point: for curves with few of them.
    pub marks: bool,
    /// The interval is drawn as a line at each point instead of an area: several of them can be told apart.
    pub whiskers: bool,
    /// Points to the right of their place, so that whiskers of several curves do not cover each other; points of the screen.
    pub shift: f32,
}

impl Series {
    /// A plain curve.
    pub fn new(name: impl Into<String>, sign: Sign, points: Arc<[[f64; 2]]>) -> Self {
        Self {
            name: name.into(),
            sign,
            points,
            smoothing: 0.0,
            band: None,
            marks: false,
            whiskers: false,
            shift: 0.0,
        }
    }

    /// A curve of a mean with its interval at each of a few points, `[x, mean, low, high]`.
    pub fn of_intervals(name: impl Into<String>, sign: Sign, points: &[[f64; 4]]) -> Self {
        Self {
            band: Some(points.iter().map(|[x, _, low, high]| [*x, *low, *high]).collect()),
            marks: true,
            whiskers: true,
            ..Self::new(name, sign, points.iter().map(|[x, mean, ..]| [*x, *mean]).collect())
        }
    }

    /// The point whose x is nearest.
    pub fn nearest(&self, x: f64) -> Option<[f64; 2]> {
        let after = self.points.partition_point(|point| point[0] < x);
        let around = [after.checked_sub(1), Some(after)];
        around
            .into_iter()
            .flatten()
            .filter_map(|at| self.points.get(at).copied())
            .min_by(|a, b| (a[0] - x).abs().total_cmp(&(b[0] - x).abs()))
    }
}

/// What is drawn of a series, kept as long as the series does not change.
#[derive(Debug)]
pub struct Prepared {
    source: Arc<[[f64; 2]]>,
    smoothing: f64,
    scale: Scale,
    /// The points as heights on the axis.
    pub raw: Pyramid,
    /// The smoothed curve as heights, if there is one.
    pub smoothed: Option<Pyramid>,
    /// Values that have no place on the axis.
    pub dropped: usize,
    /// Every x is a whole number: it counts something.
    pub counts: bool,
}

impl Prepared {
    /// Smooths every point first, then finds the heights and the levels.
    pub fn new(series: &Series, scale: Scale) -> Self {
        let heights = |points: &[[f64; 2]]| -> Vec<[f64; 2]> {
            points
                .iter()
                .filter_map(|[x, y]| scale.height(*y).map(|height| [*x, height]))
                .collect()
        };
        let raw = heights(&series.points);
        let smoothed =
            (series.smoothing > 0.0).then(|| Pyramid::new(heights(&smooth(&series.points, series.smoothing))));
        Self {
            source: Arc::clone(&series.points),
            smoothing: series.smoothing,
            scale,
            counts: series.points.iter().all(|[x, _]| x.fract() == 0.0),
            dropped: series.points.len() - raw.len(),
            raw: Pyramid::new(raw),
            smoothed,
        }
    }

    /// Whether it still is what would be derived from the series.
    pub fn fits(&self, series: &Series, scale: Scale) -> bool {
        Arc::ptr_eq(&self.source, &series.points) && self.smoothing == series.smoothing && self.scale == scale
    }
}
