//! The summary of an evaluation: arms, their differences, and the same on parts of the samples.

use std::collections::{BTreeMap, BTreeSet};

use strum::IntoEnumIterator as _;

use super::metrics::{SCORE_INFO, ScoreInfo};
use super::statistics::{RESAMPLES, Resamples, holm, mcnemar_exact};
use super::{
    Arm, ArmCost, ArmSummary, Comparison, CompletionRecord, EvaluationSummary, ExactTest, GroupSummary, Interval,
    SampleGroup,
};
use crate::corpus::Split;

/// Summary of one evaluation: every score of every arm, its paired difference to no context, compressed against the other arms, and
/// the same on the samples with and without the name in a retrieved chunk and in the window. Intervals are clustered by
/// repository; 10,000 resamples each.
///
/// Only samples that every arm has completed count, so that all arms answer the same questions. `repository_of` maps a sample's id
/// to its repository.
pub fn summarise(
    records: &[CompletionRecord],
    repository_of: impl Fn(&str) -> String,
    split: Split,
    step: usize,
    seed: u64,
) -> EvaluationSummary {
    let table = Table::of(records, repository_of);
    let resamples = Resamples::new(&table.clusters, RESAMPLES, seed);
    let groups = SampleGroup::iter().map(|group| (group, table.part(group)));
    let groups = groups.filter(|(_, part)| !part.clusters.is_empty());
    let comparisons = table.comparisons(Arm::Compressed, &resamples);
    let content = comparisons.iter().find(|one| one.to == Arm::ShuffledContext);
    EvaluationSummary {
        step,
        split,
        samples: table.clusters.len(),
        repositories: table.repositories(),
        seed,
        resamples: RESAMPLES,
        arms: table.summaries(&resamples),
        content: content.map(|one| one.difference.clone()).unwrap_or_default(),
        groups: groups
            .map(|(group, part)| GroupSummary {
                group,
                samples: part.clusters.len(),
                repositories: part.repositories(),
                arms: part.summaries(&Resamples::new(&part.clusters, RESAMPLES, seed)),
            })
            .collect(),
        comparisons,
        test_looks: 0,
    }
}

/// Completions in rows, one a sample that every arm has completed.
struct Table<'a> {
    /// The rows of each arm.
    arms: BTreeMap<Arm, Vec<&'a CompletionRecord>>,
    /// The repository of each row, as a number.
    clusters: Vec<usize>,
}

impl<'a> Table<'a> {
    fn of(records: &'a [CompletionRecord], repository_of: impl Fn(&str) -> String) -> Self {
        let mut arms: BTreeMap<Arm, BTreeMap<&str, &CompletionRecord>> = BTreeMap::new();
        for record in records {
            arms.entry(record.arm).or_default().insert(&record.sample, record);
        }
        let first = arms.values().next().into_iter();
        let mut samples: Vec<&str> = first.flat_map(|arm| arm.keys().copied()).collect();
        samples.retain(|sample| arms.values().all(|arm| arm.contains_key(sample)));
        let mut numbers: BTreeMap<String, usize> = BTreeMap::new();
        let number = |sample: &&str| {
            let next = numbers.len();
            *numbers.entry(repository_of(sample)).or_insert(next)
        };
        let clusters = samples.iter().map(number).collect();
        let rows = |by_sample: BTreeMap<&str, &'a CompletionRecord>| -> Vec<&'a CompletionRecord> {
            let rows = samples.iter().filter_map(|sample| by_sample.get(sample).copied());
            rows.collect()
        };
        Self {
            arms: arms
                .into_iter()
                .map(|(arm, by_sample)| (arm, rows(by_sample)))
                .collect(),
            clusters,
        }
    }

    /// The rows of a group. Every arm says the same of a sample.
    fn part(&self, group: SampleGroup) -> Self {
        let kept = |rows: &Vec<&'a CompletionRecord>| -> Vec<&'a CompletionRecord> {
            rows.iter().copied().filter(|record| group.holds(record)).collect()
        };
        let first = self.arms.values().next();
        let rows = first.into_iter().flatten().zip(&self.clusters);
        Self {
            arms: self.arms.iter().map(|(arm, rows)| (*arm, kept(rows))).collect(),
            clusters: rows
                .filter(|(record, _)| group.holds(record))
                .map(|(_, &cluster)| cluster)
                .collect(),
        }
    }

    fn repositories(&self) -> usize {
        self.clusters.iter().collect::<BTreeSet<_>>().len()
    }

    fn rows(&self, arm: Arm) -> Option<&[&'a CompletionRecord]> {
        self.arms.get(&arm).map(Vec::as_slice)
    }

    fn summaries(&self, resamples: &Resamples) -> Vec<ArmSummary> {
        let (none, full) = (self.rows(Arm::NoContext), self.rows(Arm::FullRag));
        let of = |(&arm, rows): (&Arm, &Vec<&CompletionRecord>)| {
            let none = none.filter(|_| arm != Arm::NoContext);
            let full = full.filter(|_| arm != Arm::FullRag);
            let times: Vec<f64> = rows.iter().map(|record| record.ttft_ms).collect();
            let positions: Vec<f64> = rows.iter().map(|record| record.prompt_tokens as f64).collect();
            let cost = ArmCost {
                prompt_tokens: resamples.interval(&positions),
                ttft_ms: resamples.median(&times),
                kv_bytes: None,
            };
            ArmSummary {
                arm,
                scores: each_score(|info| resamples.interval(&column(rows, info))),
                difference: none.map(|none| differences(rows, none, resamples)).unwrap_or_default(),
                exact: none.map(|none| exact_test(rows, none)),
                overflow: full.map(|full| share(full, rows, resamples)),
                boost: none.map(|none| share(rows, none, resamples)),
                prompt_tokens: cost.prompt_tokens.mean,
                ttft_ms: cost.ttft_ms.mean,
                cost: Some(cost),
            }
        };
        let mut arms: Vec<ArmSummary> = self.arms.iter().map(of).collect();
        correct(arms.iter_mut().filter_map(|arm| arm.exact.as_mut()).collect());
        arms
    }

    /// An arm against every other one but no context.
    fn comparisons(&self, arm: Arm, resamples: &Resamples) -> Vec<Comparison> {
        let Some(rows) = self.rows(arm) else {
            return Vec::new();
        };
        let others = self.arms.iter().filter(|(to, _)| ![arm, Arm::NoContext].contains(to));
        let mut comparisons: Vec<Comparison> = others
            .map(|(&to, baseline)| Comparison {
                arm,
                to,
                difference: differences(rows, baseline, resamples),
                exact: exact_test(rows, baseline),
            })
            .collect();
        correct(comparisons.iter_mut().map(|one| &mut one.exact).collect());
        comparisons
    }
}

fn each_score(value: impl Fn(&ScoreInfo) -> Interval) -> BTreeMap<String, Interval> {
    SCORE_INFO
        .iter()
        .map(|info| (info.key.to_owned(), value(info)))
        .collect()
}

fn column(rows: &[&CompletionRecord], info: &ScoreInfo) -> Vec<f64> {
    rows.iter().map(|record| (info.get)(&record.scores)).collect()
}

/// Paired difference of each score.
fn differences(
    rows: &[&CompletionRecord],
    baseline: &[&CompletionRecord],
    resamples: &Resamples,
) -> BTreeMap<String, Interval> {
    each_score(|info| resamples.difference(&column(rows, info), &column(baseline, info)))
}

fn is_right(record: &CompletionRecord) -> bool {
    record.scores.em_token > 0.5
}

/// Share of the samples that one arm has right and another one wrong.
fn share(right: &[&CompletionRecord], wrong: &[&CompletionRecord], resamples: &Resamples) -> Interval {
    let pairs = right.iter().zip(wrong);
    let values = pairs.map(|(right, wrong)| f64::from(u8::from(is_right(right) && !is_right(wrong))));
    resamples.interval(&values.collect::<Vec<_>>())
}

fn exact_test(rows: &[&CompletionRecord], baseline: &[&CompletionRecord]) -> ExactTest {
    let right = |rows: &[&CompletionRecord]| -> Vec<bool> { rows.iter().map(|record| is_right(record)).collect() };
    let (own, other) = (right(rows), right(baseline));
    let changed = |to: bool| {
        own.iter()
            .zip(&other)
            .filter(|(own, other)| own != other && **own == to)
            .count()
    };
    let p = mcnemar_exact(&other, &own);
    ExactTest {
        gained: changed(true),
        lost: changed(false),
        p,
        p_holm: p,
    }
}

/// Corrects the tests of one table.
fn correct(tests: Vec<&mut ExactTest>) {
    let p_values: Vec<f64> = tests.iter().map(|test| test.p).collect();
    for (test, corrected) in tests.into_iter().zip(holm(&p_values)) {
        test.p_holm = corrected;
    }
}
