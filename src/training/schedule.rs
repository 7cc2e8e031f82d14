//! The learning rate over a run: linear warm-up, then half a cosine down to zero.

use std::f64::consts::PI;

/// Factor of the peak learning rate at `step`, from 0: `step / warmup` while warming up, then
/// `(1 + cos(pi * progress)) / 2`. Step 0 of a warm-up has factor 0 (the definition of Hugging Face transformers).
pub fn cosine_factor(step: usize, warmup: usize, total: usize) -> f64 {
    if step < warmup {
        return step as f64 / warmup as f64;
    }
    let span = total.saturating_sub(warmup).max(1);
    let progress = ((step - warmup) as f64 / span as f64).min(1.0);
    0.5 * (1.0 + (PI * progress).cos())
}

#[cfg(test)]
mod tests {
    use super::cosine_factor;

    #[test]
    fn ends_at_zero_and_stays_there() {
        assert_eq!(cosine_factor(10, 2, 10), 0.0);
        assert_eq!(cosine_factor(50, 2, 10), 0.0);
    }

    #[test]
    fn holds_when_all_steps_are_warmup_or_none_are() {
        assert_eq!(cosine_factor(0, 0, 10), 1.0);
        assert_eq!(cosine_factor(4, 5, 5), 0.8);
        assert!(cosine_factor(0, 0, 0).is_finite());
    }
}
