//! The learning rate over a run: in each of its stages linear warm-up, then half a cosine down to zero.

use std::f64::consts::PI;

use crate::experiment::Schedule;

/// The learning rate of a step, from 0.
pub(super) fn learning_rate(schedule: &Schedule, step: usize) -> f64 {
    let first = schedule.reconstruction_steps;
    let (peak, step, steps) = match step.checked_sub(first) {
        None => (schedule.reconstruction_rate, step, first),
        Some(later) => (schedule.learning_rate, later, schedule.steps - first),
    };
    let warmup = (schedule.warmup * steps as f64).round() as usize;
    // The first step has the first rate above zero: a step at rate zero would be spent for nothing.
    peak * cosine_factor(step + 1, warmup, steps + 1)
}

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
    use super::*;

    #[test]
    fn every_stage_rises_to_its_own_peak_and_falls() {
        let schedule = Schedule {
            steps: 30,
            reconstruction_steps: 10,
            reconstruction_rate: 2.0,
            learning_rate: 1.0,
            warmup: 0.1,
            ..Schedule::default()
        };
        let rates: Vec<f64> = (0..30).map(|step| learning_rate(&schedule, step)).collect();
        assert_eq!((rates[0], rates[11]), (2.0, 1.0));
        assert!(rates[9] < 0.1 && rates[10] == 0.5 && rates[29] < 0.02, "{rates:?}");
        assert!(rates.iter().all(|&rate| rate > 0.0));
    }

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
