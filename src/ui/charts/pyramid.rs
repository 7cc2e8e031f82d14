//! Long curves drawn with few points: each level halves the one before and keeps every extreme.

/// A curve at several resolutions. Every point of every level is a point of the data.
#[derive(Clone, Debug, Default)]
pub struct Pyramid {
    levels: Vec<Vec<[f64; 2]>>,
}

/// Points of a curve for one view of it.
#[derive(Clone, Copy, Debug)]
pub struct Slice<'a> {
    /// The points, by ascending x.
    pub points: &'a [[f64; 2]],
    /// Some points of the data were left out.
    pub decimated: bool,
}

impl Pyramid {
    /// Builds every level from points with ascending x; costs twice the length once.
    pub fn new(points: Vec<[f64; 2]>) -> Self {
        let mut levels = vec![points];
        while let Some(last) = levels.last().filter(|last| last.len() > 8) {
            let next = last.chunks(4).flat_map(extremes).collect();
            levels.push(next);
        }
        Self { levels }
    }

    /// Every point.
    pub fn all(&self) -> &[[f64; 2]] {
        self.levels.first().map_or(&[], Vec::as_slice)
    }

    /// The finest level that has at most `budget` points in the range of x, cut to that range and one point to either side.
    pub fn slice(&self, range: Option<(f64, f64)>, budget: usize) -> Slice<'_> {
        let mut slice: &[[f64; 2]] = &[];
        let mut decimated = false;
        for (depth, level) in self.levels.iter().enumerate() {
            slice = match range {
                Some((low, high)) => {
                    let from = level.partition_point(|[x, _]| *x < low).saturating_sub(1);
                    let to = (level.partition_point(|[x, _]| *x <= high) + 1).min(level.len());
                    level.get(from..to).unwrap_or_default()
                }
                None => level,
            };
            decimated = depth > 0;
            if slice.len() <= budget {
                break;
            }
        }
        Slice {
            points: slice,
            decimated,
        }
    }
}

/// The lowest and the highest point of a few, by ascending x.
fn extremes(points: &[[f64; 2]]) -> impl Iterator<Item = [f64; 2]> + use<> {
    let by_y = |a: &&[f64; 2], b: &&[f64; 2]| a[1].total_cmp(&b[1]);
    let low = points.iter().min_by(by_y).copied();
    let high = points.iter().max_by(by_y).copied().filter(|high| Some(*high) != low);
    let (first, second) = match (low, high) {
        (Some(low), Some(high)) if high[0] < low[0] => (Some(high), Some(low)),
        pair => pair,
    };
    first.into_iter().chain(second)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn noisy(n: usize) -> Vec<[f64; 2]> {
        (0..n)
            .map(|at| {
                let x = at as f64;
                [x, (x * 0.37).sin() + if at % 997 == 5 { 9.0 } else { 0.0 }]
            })
            .collect()
    }

    fn span(points: &[[f64; 2]]) -> (f64, f64) {
        points
            .iter()
            .fold((f64::INFINITY, f64::NEG_INFINITY), |(low, high), p| {
                (low.min(p[1]), high.max(p[1]))
            })
    }

    #[test]
    fn lowest_and_highest_points_are_kept_at_every_size() {
        let points = noisy(12_345);
        let pyramid = Pyramid::new(points.clone());
        for budget in [10, 100, 1_000, 5_000] {
            let slice = pyramid.slice(None, budget);
            assert!(slice.points.len() <= budget, "{} of {budget}", slice.points.len());
            assert!(slice.decimated);
            assert_eq!(span(slice.points), span(&points));
            assert!(slice.points.is_sorted_by(|a, b| a[0] < b[0]));
            assert!(slice.points.iter().all(|p| points.contains(p)));
        }
    }

    #[test]
    fn short_curves_are_whole_and_a_narrow_view_is_exact() {
        let points = noisy(4_000);
        let pyramid = Pyramid::new(points.clone());
        let whole = pyramid.slice(None, 4_000);
        assert!(!whole.decimated);
        assert_eq!(whole.points, points);
        let narrow = pyramid.slice(Some((100.0, 200.0)), 200);
        assert!(!narrow.decimated);
        assert_eq!(narrow.points, &points[99..202]);
        assert!(pyramid.slice(Some((1e9, 2e9)), 10).points.len() <= 1);
        assert!(Pyramid::new(Vec::new()).slice(None, 10).points.is_empty());
    }
}
