//! Small operations on vectors that poolings share.

/// The mean of rows of this width.
pub(super) fn mean<'a>(rows: impl Iterator<Item = &'a [f32]>, width: usize) -> Vec<f32> {
    let (mut sum, mut count) = (vec![0f32; width], 0usize);
    for row in rows {
        count += 1;
        for (sum, value) in sum.iter_mut().zip(row) {
            *sum += value;
        }
    }
    for value in &mut sum {
        *value /= count.max(1) as f32;
    }
    sum
}

/// Scales a vector to length one; zeros stay.
pub(super) fn to_unit_length(vector: &mut [f32]) {
    let length = vector.iter().map(|value| value * value).sum::<f32>().sqrt();
    if length > 0.0 {
        for value in vector {
            *value /= length;
        }
    }
}
