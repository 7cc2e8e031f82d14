//! How sure a mean or a difference is: bootstrap by repository, McNemar's test, and the summary of an evaluation.

use std::collections::BTreeMap;

use rand::{Rng as _, SeedableRng as _};
use rand_chacha::ChaCha8Rng;

use super::metrics::{SCORE_INFO, ScoreInfo};
use super::{Arm, ArmSummary, CompletionRecord, EvaluationSummary, Interval, Scores};
use crate::collapse::quantile;
use crate::corpus::Split;

/// Resamples behind every interval of a summary.
pub const RESAMPLES: usize = 10_000;

impl Interval {
    /// "0.23 [0.21, 0.25]", with this many decimals.
    pub fn text(&self, decimals: usize) -> String {
        let Self { mean, low, high } = self;
        format!("{mean:.decimals$} [{low:.decimals$}, {high:.decimals$}]")
    }
}

/// Mean with its 95% percentile interval (Efron) from `resamples` draws of whole clusters with replacement.
///
/// `clusters` names the cluster of each value: samples of one repository resemble each other, and drawing them one by one would make
/// the interval too narrow. A resample's mean is over all its values, so large clusters weigh more. A single cluster cannot be
/// resampled; then values are drawn one by one. The same seed gives the same interval. No values give zeros.
pub fn clustered_bootstrap(values: &[f64], clusters: &[usize], resamples: usize, seed: u64) -> Interval {
    if values.is_empty() {
        return Interval::default();
    }
    let mut sums: BTreeMap<usize, (f64, f64)> = BTreeMap::new();
    for (value, cluster) in values.iter().zip(clusters) {
        let (sum, count) = sums.entry(*cluster).or_default();
        *sum += value;
        *count += 1.0;
    }
    let units: Vec<(f64, f64)> = if sums.len() > 1 {
        sums.into_values().collect()
    } else {
        values.iter().map(|value| (*value, 1.0)).collect()
    };
    let mut random = ChaCha8Rng::seed_from_u64(seed);
    let mut means: Vec<f64> = (0..resamples)
        .map(|_| {
            let (mut sum, mut count) = (0.0, 0.0);
            for _ in 0..units.len() {
                if let Some((unit_sum, unit_count)) = units.get(random.random_range(0..units.len())) {
                    sum += unit_sum;
                    count += unit_count;
                }
            }
            sum / count
        })
        .collect();
    means.sort_unstable_by(f64::total_cmp);
    Interval {
        mean: values.iter().sum::<f64>() / values.len() as f64,
        low: quantile(&means, 0.025),
        high: quantile(&means, 0.975),
    }
}

/// Mean of `values - baseline`, value by value, with its interval as of [`clustered_bootstrap`].
pub fn paired_bootstrap(values: &[f64], baseline: &[f64], clusters: &[usize], resamples: usize, seed: u64) -> Interval {
    let differences: Vec<f64> = values.iter().zip(baseline).map(|(value, base)| value - base).collect();
    clustered_bootstrap(&differences, clusters, resamples, seed)
}

/// Two-sided exact p-value of McNemar's test: could as many pairs have changed from wrong to right as from right to wrong by chance?
///
/// `min(1, 2 Σ_{i≤k} C(m, i) / 2^m)`, m the pairs that differ, k the rarer direction.
pub fn mcnemar_exact(a: &[bool], b: &[bool]) -> f64 {
    let gained = a.iter().zip(b).filter(|(a, b)| !**a && **b).count();
    let lost = a.iter().zip(b).filter(|(a, b)| **a && !**b).count();
    let pairs = gained + lost;
    // In logarithms, because 2^-m underflows beyond a thousand pairs.
    let mut log_term = -(pairs as f64) * std::f64::consts::LN_2;
    let mut tail = log_term.exp();
    for i in 0..gained.min(lost) {
        log_term += ((pairs - i) as f64 / (i + 1) as f64).ln();
        tail += log_term.exp();
    }
    (2.0 * tail).min(1.0)
}

/// Summary of one evaluation: every score of every arm, its paired difference to no context, and that of compressed to shuffled
/// context, with intervals clustered by repository; 10,000 resamples each.
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
    let mut arms: BTreeMap<Arm, BTreeMap<&str, &CompletionRecord>> = BTreeMap::new();
    for record in records {
        arms.entry(record.arm).or_default().insert(&record.sample, record);
    }
    let mut samples: Vec<&str> = arms
        .values()
        .next()
        .into_iter()
        .flat_map(|arm| arm.keys().copied())
        .collect();
    samples.retain(|sample| arms.values().all(|arm| arm.contains_key(sample)));
    let mut numbers: BTreeMap<String, usize> = BTreeMap::new();
    let clusters: Vec<usize> = samples
        .iter()
        .map(|sample| {
            let next = numbers.len();
            *numbers.entry(repository_of(sample)).or_insert(next)
        })
        .collect();
    let shared: BTreeMap<Arm, Vec<&CompletionRecord>> = arms
        .iter()
        .map(|(arm, by_sample)| {
            (
                *arm,
                samples
                    .iter()
                    .filter_map(|sample| by_sample.get(sample).copied())
                    .collect(),
            )
        })
        .collect();
    let of = |arm: Arm| shared.get(&arm).map(Vec::as_slice);
    let baseline = of(Arm::NoContext);
    let content = match (of(Arm::Compressed), of(Arm::ShuffledContext)) {
        (Some(compressed), Some(shuffled)) => differences(compressed, shuffled, &clusters, seed),
        _ => BTreeMap::new(),
    };
    EvaluationSummary {
        step,
        split,
        samples: samples.len(),
        repositories: numbers.len(),
        seed,
        resamples: RESAMPLES,
        arms: shared
            .iter()
            .map(|(arm, records)| {
                let baseline = baseline.filter(|_| *arm != Arm::NoContext);
                summarise_arm(*arm, records, baseline, &clusters, seed)
            })
            .collect(),
        content,
    }
}

fn column(records: &[&CompletionRecord], score: fn(&Scores) -> f64) -> Vec<f64> {
    records.iter().map(|record| score(&record.scores)).collect()
}

/// Paired difference of each score.
fn differences(
    records: &[&CompletionRecord],
    baseline: &[&CompletionRecord],
    clusters: &[usize],
    seed: u64,
) -> BTreeMap<String, Interval> {
    let difference = |info: &ScoreInfo| {
        let (values, baseline) = (column(records, info.get), column(baseline, info.get));
        paired_bootstrap(&values, &baseline, clusters, RESAMPLES, seed)
    };
    SCORE_INFO
        .iter()
        .map(|info| (info.key.to_owned(), difference(info)))
        .collect()
}

fn summarise_arm(
    arm: Arm,
    records: &[&CompletionRecord],
    baseline: Option<&[&CompletionRecord]>,
    clusters: &[usize],
    seed: u64,
) -> ArmSummary {
    let scores = SCORE_INFO.iter().map(|info| {
        let interval = clustered_bootstrap(&column(records, info.get), clusters, RESAMPLES, seed);
        (info.key.to_owned(), interval)
    });
    let scores = scores.collect();
    let difference = baseline.map(|baseline| differences(records, baseline, clusters, seed));
    let mut times: Vec<f64> = records.iter().map(|record| record.ttft_ms).collect();
    times.sort_unstable_by(f64::total_cmp);
    let prompt_tokens: usize = records.iter().map(|record| record.prompt_tokens).sum();
    ArmSummary {
        arm,
        scores,
        difference: difference.unwrap_or_default(),
        prompt_tokens: prompt_tokens as f64 / records.len().max(1) as f64,
        ttft_ms: quantile(&times, 0.5),
    }
}
