//! The arms of runs as points of cost and quality.

use strum::IntoEnumIterator as _;

use super::metrics::{Cost, Quality};
use crate::corpus::Split;
use crate::evaluation::{ArmSummary, EvaluationSummary};
use crate::runs::Run;
use crate::ui::charts::{Table, TradeoffPoint, interval_cells};
use crate::ui::format::{count, run_labels};
use crate::ui::theme::Theme;

/// An arm of a run.
pub struct Entry<'a> {
    /// Name of the run.
    pub run: String,
    /// Number of the run's sign.
    pub sign: usize,
    /// The evaluation.
    pub summary: &'a EvaluationSummary,
    /// The arm.
    pub arm: &'a ArmSummary,
}

/// The splits that some run was evaluated on, validation first.
pub fn splits(runs: &[(usize, &Run)]) -> Vec<Split> {
    let evaluations = runs.iter().flat_map(|(_, run)| &run.evaluations);
    let has = |split: &Split| evaluations.clone().any(|one| one.split == *split);
    let all = [Split::Validation, Split::Test, Split::Train];
    all.into_iter().filter(has).collect()
}

/// Every arm of the evaluation of each run that is nearest to a step, the newest when none is given. A run comes with the number
/// of its sign.
pub fn entries<'a>(runs: &[(usize, &'a Run)], split: Split, step: Option<usize>) -> Vec<Entry<'a>> {
    let labels = run_labels(runs.iter().map(|(_, run)| run.folder.as_path()));
    let mut all = Vec::new();
    for ((sign, run), label) in runs.iter().zip(labels) {
        let of_split = run.evaluations.iter().filter(|one| one.split == split);
        let summary = match step {
            Some(step) => of_split.min_by_key(|one| one.step.abs_diff(step)),
            None => of_split.max_by_key(|one| one.step),
        };
        let Some(summary) = summary else { continue };
        let mut arms: Vec<&ArmSummary> = summary.arms.iter().collect();
        arms.sort_by_key(|arm| arm.arm.is_control());
        all.extend(arms.into_iter().map(|arm| Entry {
            run: label.clone(),
            sign: *sign,
            summary,
            arm,
        }));
    }
    all
}

/// The points of the entries that have both numbers, each with the place of its entry.
pub fn points(theme: &Theme, entries: &[Entry<'_>], cost: Cost, quality: Quality) -> Vec<(usize, TradeoffPoint)> {
    let several = entries.windows(2).any(|two| two[0].run != two[1].run);
    let mut found = Vec::new();
    for (place, entry) in entries.iter().enumerate() {
        let (Some(x), Some(y)) = (cost.of(entry.arm), quality.of(entry.arm)) else {
            continue;
        };
        let sign = theme.arm(entry.arm.arm);
        let label = entry.arm.arm.label();
        found.push((
            place,
            TradeoffPoint {
                name: match several {
                    true => format!("{label} of {}", entry.run),
                    false => label.to_owned(),
                },
                group: format!("{} {label}", sign.mark),
                sign,
                run: several.then(|| theme.run(entry.sign)),
                x,
                y,
                best: false,
                made: made(entry),
            },
        ));
    }
    let candidates: Vec<usize> = (0..found.len())
        .filter(|at| {
            let entry = found.get(*at).and_then(|(place, _)| entries.get(*place));
            entry.is_some_and(|entry| !entry.arm.arm.is_control())
        })
        .collect();
    let at = |number: usize| found.get(number).map(|(_, point)| (point.x.mean, point.y.mean));
    let values: Vec<(f64, f64)> = candidates.iter().filter_map(|number| at(*number)).collect();
    for best in pareto(&values, quality.higher_is_better()) {
        if let Some((_, point)) = candidates.get(best).and_then(|number| found.get_mut(*number)) {
            point.best = true;
        }
    }
    found
}

/// How the numbers were made.
fn made(entry: &Entry<'_>) -> String {
    let summary = entry.summary;
    format!(
        "{}, step {}, {} split, {} of {}; 95% from {} resamples by repository, seed {}",
        entry.run,
        summary.step,
        summary.split,
        count(summary.samples, "sample"),
        match summary.repositories {
            1 => "1 repository".to_owned(),
            n => format!("{n} repositories"),
        },
        summary.resamples,
        summary.seed
    )
}

/// The points that no other one beats: none is at least as good and as cheap and better in one of the two.
fn pareto(points: &[(f64, f64)], higher_is_better: bool) -> Vec<usize> {
    let good = |y: f64| if higher_is_better { y } else { -y };
    let beats =
        |a: (f64, f64), b: (f64, f64)| a.0 <= b.0 && good(a.1) >= good(b.1) && (a.0 < b.0 || good(a.1) > good(b.1));
    (0..points.len())
        .filter(|at| {
            points
                .get(*at)
                .is_some_and(|one| !points.iter().any(|other| beats(*other, *one)))
        })
        .collect()
}

/// Everything that is known of the entries, for export.
pub fn numbers(entries: &[Entry<'_>]) -> Table {
    let mut columns: Vec<String> = ["run", "split", "step", "samples", "repositories", "arm"]
        .map(str::to_owned)
        .to_vec();
    let costs = Cost::iter().map(|cost| cost.label());
    for name in costs.chain(Quality::iter().map(Quality::label)) {
        columns.extend([name.to_owned(), format!("{name}, 95% low"), format!("{name}, 95% high")]);
    }
    let row = |entry: &Entry<'_>| {
        let summary = entry.summary;
        let mut row = vec![
            entry.run.clone(),
            summary.split.to_string(),
            summary.step.to_string(),
            summary.samples.to_string(),
            summary.repositories.to_string(),
            entry.arm.arm.label().to_owned(),
        ];
        row.extend(Cost::iter().flat_map(|cost| interval_cells(cost.of(entry.arm))));
        row.extend(Quality::iter().flat_map(|quality| interval_cells(quality.of(entry.arm))));
        row
    };
    Table {
        columns,
        rows: entries.iter().map(row).collect(),
    }
}

/// What has no place in the chart, and why; what has no interval along x.
pub fn missing(entries: &[Entry<'_>], cost: Cost, quality: Quality) -> Vec<String> {
    let mut notes = Vec::new();
    let runs = |lacks: &dyn Fn(&Entry<'_>) -> bool| {
        let mut runs: Vec<&str> = entries
            .iter()
            .filter(|one| lacks(one))
            .map(|one| one.run.as_str())
            .collect();
        runs.dedup();
        runs.join(", ")
    };
    let without = runs(&|one| cost.of(one.arm).is_none());
    if !without.is_empty() {
        notes.push(format!(
            "▲ {without} has no {}: an earlier program wrote the evaluation, and did not tell the reader's layers and heads. Evaluate the run again.",
            cost.label()
        ));
    }
    let without = runs(&|one| cost.of(one.arm).is_some() && one.arm.cost.is_none());
    if !without.is_empty() {
        notes.push(format!(
            "{without}: no interval of {}, because an earlier program wrote the evaluation.",
            cost.label()
        ));
    }
    let without = runs(&|one| quality.of(one.arm).is_none());
    if !without.is_empty() {
        notes.push(format!(
            "▲ {without} has an arm without {}: it was not measured.",
            quality.label()
        ));
    }
    notes
}

#[cfg(test)]
mod tests {
    use rand::{Rng as _, SeedableRng as _};
    use rand_chacha::ChaCha8Rng;

    use super::pareto;

    #[test]
    fn the_line_is_what_a_walk_from_cheap_to_dear_finds() {
        let mut random = ChaCha8Rng::seed_from_u64(5);
        for _ in 0..50 {
            let points: Vec<(f64, f64)> = (0..12)
                .map(|_| {
                    (
                        f64::from(random.random_range(0..9)),
                        f64::from(random.random_range(0..9)),
                    )
                })
                .collect();
            for higher in [true, false] {
                // Walk by rising cost, the best of equal cost first; what improves on all before is on the line, and its equals.
                let good = |y: f64| if higher { y } else { -y };
                let mut order: Vec<usize> = (0..points.len()).collect();
                order.sort_by(|a, b| {
                    let [a, b] = [points[*a], points[*b]];
                    a.0.total_cmp(&b.0).then(good(b.1).total_cmp(&good(a.1)))
                });
                let mut expected = Vec::new();
                let mut last: Option<(f64, f64)> = None;
                for at in order {
                    let point = points[at];
                    if last.is_none_or(|last| good(point.1) > good(last.1) || point == last) {
                        expected.push(at);
                        last = Some(point);
                    }
                }
                expected.sort_unstable();
                assert_eq!(pareto(&points, higher), expected, "{points:?}");
            }
        }
    }
}
