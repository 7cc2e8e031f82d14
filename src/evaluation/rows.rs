//! Rows of a soft-token matrix: their length and their mean.

/// Length of a row.
pub fn norm(row: &[f32]) -> f32 {
    row.iter().map(|value| value * value).sum::<f32>().sqrt()
}

/// The mean of `count` rows of this width.
pub(super) fn mean<'a>(rows: impl Iterator<Item = &'a [f32]>, count: usize, width: usize) -> Vec<f32> {
    let mut mean = vec![0.0; width];
    for row in rows {
        for (mean, value) in mean.iter_mut().zip(row) {
            *mean += value / count.max(1) as f32;
        }
    }
    mean
}
