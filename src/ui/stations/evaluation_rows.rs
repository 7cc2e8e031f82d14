//! Evaluations as rows of a forest plot and as curves over the steps.

use std::collections::BTreeSet;
use std::sync::Arc;

use crate::app::OpenRun;
use crate::corpus::Split;
use crate::evaluation::{Arm, ArmSummary, EvaluationSummary, Interval, SCORE_INFO, ScoreInfo};
use crate::runs::Run;
use crate::ui::View;
use crate::ui::charts::{ForestRow, Series, x_at};
use crate::ui::format::count;

/// Points of the screen between the whiskers of two curves.
const APART: f32 = 5.0;

/// What is looked at.
#[derive(Clone, Debug)]
pub struct Chosen {
    /// Key of the score.
    pub key: &'static str,
    /// The split.
    pub split: Split,
    /// Of several runs one arm only is drawn over the steps.
    pub arm: Arm,
}

impl Default for Chosen {
    fn default() -> Self {
        Self {
            key: "em_token",
            split: Split::Validation,
            arm: Arm::Compressed,
        }
    }
}

impl Chosen {
    /// Goes to a split that there is, when the chosen runs have no evaluation on this one.
    pub fn renew(&mut self, runs: &[&OpenRun]) {
        let has = |split: Split| {
            let mut evaluations = runs.iter().flat_map(|open| &open.run().evaluations);
            evaluations.any(|summary| summary.split == split)
        };
        if !has(self.split)
            && let Some(split) = [Split::Validation, Split::Test, Split::Train]
                .into_iter()
                .find(|split| has(*split))
        {
            self.split = split;
        }
    }

    /// The score.
    pub fn score(&self) -> Option<&'static ScoreInfo> {
        SCORE_INFO.iter().find(|info| info.key == self.key)
    }

    /// The split in a sentence.
    pub fn split_name(&self) -> String {
        format!("{:?}", self.split).to_lowercase()
    }

    fn is_share(&self) -> bool {
        self.score().is_some_and(|info| info.unit == "0 to 1")
    }

    /// The unit of a difference.
    pub fn difference_unit(&self) -> String {
        match self.score().map_or("", |info| info.unit) {
            "0 to 1" => "percentage points".into(),
            "0 to 100" => "points of 100".into(),
            unit => unit.into(),
        }
    }

    /// Decimals of a difference in that unit.
    pub fn decimals(&self) -> usize {
        match self.score() {
            Some(_) if self.is_share() => 1,
            Some(info) => info.decimals,
            None => 2,
        }
    }

    fn difference(&self, arm: &ArmSummary) -> Option<Interval> {
        let factor = if self.is_share() { 100.0 } else { 1.0 };
        let Interval { mean, low, high } = *arm.difference.get(self.key)?;
        Some(Interval {
            mean: mean * factor,
            low: low * factor,
            high: high * factor,
        })
    }

    fn newest<'a>(&self, run: &'a Run) -> Option<&'a EvaluationSummary> {
        let of_split = run.evaluations.iter().filter(|summary| summary.split == self.split);
        of_split.max_by_key(|summary| summary.step)
    }
}

/// The arms that projected vectors of the sample itself, or its chunks, go into; all others are controls.
pub fn is_control(arm: Arm) -> bool {
    !matches!(arm, Arm::NoContext | Arm::Compressed | Arm::FullRag)
}

/// A heading a run and below it a row an arm, controls last.
pub fn forest_rows(view: &View<'_>, chosen: &Chosen, runs: &[&OpenRun], labels: &[String]) -> Vec<ForestRow> {
    let mut rows = Vec::new();
    for (open, label) in runs.iter().zip(labels) {
        let Some(summary) = chosen.newest(open.run()) else {
            continue;
        };
        let made = format!(
            "step {}, {} split, {} of {} repositories; paired bootstrap by repository, {} resamples, seed {}",
            summary.step,
            chosen.split_name(),
            count(summary.samples, "sample"),
            summary.repositories,
            summary.resamples,
            summary.seed
        );
        rows.push(ForestRow {
            label: format!("{label}, step {}, n = {}", summary.step, summary.samples),
            sign: view.theme.run(open.sign),
            control: false,
            interval: None,
            made: made.clone(),
        });
        let mut arms: Vec<&ArmSummary> = summary.arms.iter().collect();
        arms.sort_by_key(|arm| is_control(arm.arm));
        rows.extend(arms.into_iter().filter_map(|arm| {
            Some(ForestRow {
                label: arm.arm.label().to_owned(),
                sign: view.theme.arm(arm.arm),
                control: is_control(arm.arm),
                interval: Some(chosen.difference(arm)?),
                made: made.clone(),
            })
        }));
    }
    rows
}

/// One curve an arm of a single run, or one a run of the chosen arm; and no context, which is the zero.
pub fn over_steps(view: &View<'_>, chosen: &Chosen, runs: &[&OpenRun], labels: &[String]) -> Vec<Series> {
    let mut all = Vec::new();
    for (open, label) in runs.iter().zip(labels) {
        let arms: BTreeSet<Arm> = match runs.len() {
            1 => open
                .run()
                .evaluations
                .iter()
                .flat_map(|summary| &summary.arms)
                .map(|arm| arm.arm)
                .collect(),
            _ => BTreeSet::from([chosen.arm]),
        };
        for arm in arms {
            let points = points(view, chosen, open.run(), arm);
            if points.is_empty() {
                continue;
            }
            let (name, sign) = match runs.len() {
                1 => (arm.label().to_owned(), view.theme.arm(arm)),
                _ => (label.clone(), view.theme.run(open.sign)),
            };
            all.push(Series::of_intervals(name, sign, &points));
        }
    }
    let middle = all.len().saturating_sub(1) as f32 / 2.0;
    for (place, series) in all.iter_mut().enumerate() {
        series.shift = (place as f32 - middle) * APART;
    }
    if !all.is_empty() {
        let last = all.iter().flat_map(|series| series.points.iter()).map(|point| point[0]);
        let zero: Arc<[[f64; 2]]> = [[0.0, 0.0], [last.fold(0.0, f64::max), 0.0]].into();
        all.push(Series::new(
            Arm::NoContext.label(),
            view.theme.arm(Arm::NoContext),
            zero,
        ));
    }
    all
}

/// `[x, mean, low, high]` at every evaluation of the split.
fn points(view: &View<'_>, chosen: &Chosen, run: &Run, arm: Arm) -> Vec<[f64; 4]> {
    let of_split = run.evaluations.iter().filter(|summary| summary.split == chosen.split);
    let intervals = of_split.filter_map(|summary| Some((summary.step, chosen.difference(summary.arm(arm)?)?)));
    let x = |step| x_at(run, step, view.state.charts.x);
    intervals
        .map(|(step, Interval { mean, low, high })| [x(step), mean, low, high])
        .collect()
}
