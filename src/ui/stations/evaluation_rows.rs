//! Evaluations as rows of a forest plot and as curves over the steps.

use std::collections::BTreeSet;
use std::sync::Arc;

use super::evaluation_metrics::{METRICS, Metric};
use crate::app::OpenRun;
use crate::corpus::Split;
use crate::evaluation::{Arm, ArmSummary, EvaluationSummary, Interval, SampleGroup};
use crate::runs::Run;
use crate::ui::View;
use crate::ui::charts::{ForestRow, Series, x_at};
use crate::ui::format::count;

/// Points of the screen between the whiskers of two curves.
const APART: f32 = 5.0;

/// What is looked at.
#[derive(Clone, Debug)]
pub struct Chosen {
    /// Place of the metric.
    pub metric: usize,
    /// The split.
    pub split: Split,
    /// A part of the samples; all when none.
    pub group: Option<SampleGroup>,
    /// Of several runs one arm only is drawn over the steps.
    pub arm: Arm,
}

impl Default for Chosen {
    fn default() -> Self {
        Self {
            metric: 0,
            split: Split::Validation,
            group: None,
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

    /// The metric.
    pub fn metric(&self) -> Metric {
        METRICS.get(self.metric).copied().unwrap_or(Metric::Score(0))
    }

    /// The split in a sentence.
    pub fn split_name(&self) -> String {
        format!("{:?}", self.split).to_lowercase()
    }

    fn newest<'a>(&self, run: &'a Run) -> Option<&'a EvaluationSummary> {
        let of_split = run.evaluations.iter().filter(|summary| summary.split == self.split);
        of_split.max_by_key(|summary| summary.step)
    }

    /// The arms of an evaluation on the chosen samples, how many these are, and of how many repositories.
    fn arms<'a>(&self, summary: &'a EvaluationSummary) -> (&'a [ArmSummary], usize, usize) {
        let Some(group) = self.group else {
            return (&summary.arms, summary.samples, summary.repositories);
        };
        let part = summary.groups.iter().find(|part| part.group == group);
        part.map_or((&[], 0, 0), |part| (&part.arms, part.samples, part.repositories))
    }
}

/// A heading a run and below it a row an arm, controls last.
pub fn forest_rows(view: &View<'_>, chosen: &Chosen, runs: &[&OpenRun], labels: &[String]) -> Vec<ForestRow> {
    let mut rows = Vec::new();
    for (open, label) in runs.iter().zip(labels) {
        let Some(summary) = chosen.newest(open.run()) else {
            continue;
        };
        let (arms, samples, repositories) = chosen.arms(summary);
        let part = chosen
            .group
            .map_or_else(String::new, |group| format!(", {}", group.label()));
        let made = format!(
            "step {}, {} split, {} of {repositories} repositories{part}; paired bootstrap by repository, {} resamples, seed {}",
            summary.step,
            chosen.split_name(),
            count(samples, "sample"),
            summary.resamples,
            summary.seed
        );
        rows.push(ForestRow {
            label: format!("{label}, step {}, n = {samples}{}", summary.step, look(summary)),
            sign: view.theme.run(open.sign),
            control: false,
            interval: None,
            made: made.clone(),
        });
        let mut arms: Vec<&ArmSummary> = arms.iter().collect();
        arms.sort_by_key(|arm| arm.arm.is_control());
        rows.extend(arms.into_iter().filter_map(|arm| {
            Some(ForestRow {
                label: arm.arm.label().to_owned(),
                sign: view.theme.arm(arm.arm),
                control: arm.arm.is_control(),
                interval: Some(chosen.metric().of(arm)?),
                made: format!("{}\n{}{made}", arm.arm.meaning(), rates(arm)),
            })
        }));
    }
    rows
}

/// Only the first look at the test split is a clean one.
fn look(summary: &EvaluationSummary) -> String {
    match summary.test_looks {
        0 | 1 => String::new(),
        looks => format!(", ▲ look {looks} at test"),
    }
}

/// McNemar's test and the rates of an arm, a line each.
fn rates(arm: &ArmSummary) -> String {
    let mut text = String::new();
    if let Some(exact) = arm.exact {
        text += &format!(
            "exact match against no context: {} gained, {} lost, McNemar p = {:.4}, after Holm {:.4}\n",
            exact.gained, exact.lost, exact.p, exact.p_holm
        );
    }
    for metric in [Metric::Overflow, Metric::Boost] {
        if let Some(found) = metric.of(arm) {
            text += &format!("{}: {} %\n", metric.label(), found.text(1));
        }
    }
    text
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
    if !all.is_empty() && chosen.metric().is_difference() {
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
    let intervals = of_split.filter_map(|summary| {
        let arm = chosen.arms(summary).0.iter().find(|one| one.arm == arm)?;
        Some((summary.step, chosen.metric().of(arm)?))
    });
    let x = |step| x_at(run, step, view.state.charts.x);
    intervals
        .map(|(step, Interval { mean, low, high })| [x(step), mean, low, high])
        .collect()
}
