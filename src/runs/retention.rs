//! Which checkpoints are kept: the last ones, the best one, and every m-th.

use std::fs;
use std::io::ErrorKind;
use std::path::Path;

use super::{RunError, layout};
use crate::corpus::Split;
use crate::evaluation::{Arm, EvaluationSummary};
use crate::experiment::Schedule;

/// Deletes the checkpoints of a run that no rule of its schedule keeps.
///
/// The best is the one with the lowest cross-entropy of the compressed arm on the validation split, the earliest of equals.
pub(super) fn prune(folder: &Path, schedule: &Schedule) -> Result<(), RunError> {
    let steps = layout::tensor_steps(&folder.join(layout::CHECKPOINTS));
    let scores = steps.iter().filter_map(|step| Some((score(folder, *step)?, *step)));
    let best = scores.min_by(|a, b| a.0.total_cmp(&b.0)).map(|(_, step)| step);
    for step in dropped(&steps, best, schedule) {
        let path = layout::checkpoint(folder, step);
        match fs::remove_file(&path) {
            Err(error) if error.kind() != ErrorKind::NotFound => return Err(RunError::write(&path)(error)),
            _ => {}
        }
    }
    Ok(())
}

/// The steps, of these in ascending order, that no rule keeps.
fn dropped(steps: &[usize], best: Option<usize>, schedule: &Schedule) -> Vec<usize> {
    let older = steps.iter().rev().skip(schedule.keep_last).copied();
    older
        .filter(|step| Some(*step) != best && (schedule.keep_every == 0 || step % schedule.keep_every != 0))
        .collect()
}

fn score(folder: &Path, step: usize) -> Option<f64> {
    let bytes = fs::read(layout::evaluation(folder, step, Split::Validation, "json")).ok()?;
    let summary: EvaluationSummary = serde_json::from_slice(&bytes).ok()?;
    let arm = summary.arms.iter().find(|summary| summary.arm == Arm::Compressed)?;
    arm.scores.get("cross_entropy").map(|interval| interval.mean)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_last_the_best_and_every_mth_are_kept() {
        let steps = [4, 8, 12, 16, 20, 24];
        let rule = |keep_last, keep_every| Schedule {
            keep_last,
            keep_every,
            ..Schedule::default()
        };
        assert_eq!(dropped(&steps, None, &rule(3, 0)), [12, 8, 4]);
        assert_eq!(dropped(&steps, Some(8), &rule(2, 0)), [16, 12, 4]);
        assert_eq!(dropped(&steps, Some(24), &rule(1, 12)), [20, 16, 8, 4]);
        assert!(dropped(&steps, Some(4), &rule(9, 0)).is_empty());
    }
}
