//! Smoothed curves. Smoothing runs over every point; only then are points left out for drawing.

/// Exponential moving average, debiased so that the first points are not pulled to zero.
///
/// `weight` is that of the past, 0 (no smoothing) to below 1. Values that are not finite pass through and do not touch the average.
pub fn smooth(points: &[[f64; 2]], weight: f64) -> Vec<[f64; 2]> {
    let weight = weight.clamp(0.0, 0.9999);
    let (mut average, mut bias) = (0.0, 1.0);
    points
        .iter()
        .map(|&[x, y]| {
            if !y.is_finite() {
                return [x, y];
            }
            average = weight * average + (1.0 - weight) * y;
            bias *= weight;
            [x, average / (1.0 - bias)]
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn points(ys: &[f64]) -> Vec<[f64; 2]> {
        ys.iter().enumerate().map(|(x, y)| [x as f64, *y]).collect()
    }

    #[test]
    fn a_constant_stays_a_constant() {
        for [_, y] in smooth(&points(&[3.5; 40]), 0.97) {
            assert!((y - 3.5).abs() < 1e-12);
        }
    }

    #[test]
    fn it_is_the_weighted_mean_of_the_past() {
        let ys = [1.0, 4.0, -2.0, 7.0];
        let weight: f64 = 0.6;
        let smoothed = smooth(&points(&ys), weight);
        for (at, [_, found]) in smoothed.iter().enumerate() {
            let weights: Vec<f64> = (0..=at).map(|past| weight.powi((at - past) as i32)).collect();
            let sum: f64 = weights.iter().zip(&ys).map(|(w, y)| w * y).sum();
            let expected = sum / weights.iter().sum::<f64>();
            assert!((found - expected).abs() < 1e-12);
        }
    }

    #[test]
    fn what_is_not_finite_is_skipped() {
        let smoothed = smooth(&points(&[1.0, f64::NAN, 1.0]), 0.5);
        assert!(smoothed[1][1].is_nan());
        assert!((smoothed[2][1] - 1.0).abs() < 1e-12);
    }
}
