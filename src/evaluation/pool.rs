//! Several seeds: evaluations of the same samples by runs that differ in their seed alone.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};

use super::metrics::{SCORE_INFO, ScoreInfo};
use super::statistics::{RESAMPLES, Resamples};
use super::{Arm, CompletionRecord, Interval};

/// The completions of one run.
#[derive(Clone, Copy, Debug)]
pub struct SeedRecords<'a> {
    /// The run's seed.
    pub seed: u64,
    /// Its completions.
    pub records: &'a [CompletionRecord],
}

/// A number over several seeds.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Pooled {
    /// Mean over samples and seeds; the interval is that of the samples, clustered by repository, each with its mean over the seeds.
    pub interval: Interval,
    /// The mean of each seed, in the order of the seeds.
    pub by_seed: Vec<f64>,
    /// Standard deviation of these means (n - 1); 0 for one seed.
    pub spread: f64,
}

/// One arm over several seeds.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct PooledArm {
    /// The arm.
    pub arm: Arm,
    /// Each score.
    pub scores: BTreeMap<String, Pooled>,
    /// Paired difference to no context of each score; empty for that arm itself and where it is missing.
    pub difference: BTreeMap<String, Pooled>,
}

/// Evaluations of several seeds in one.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct PooledSummary {
    /// The seeds.
    pub seeds: Vec<u64>,
    /// Samples that every arm of every seed has completed; no other counts.
    pub samples: usize,
    /// Repositories that they come from.
    pub repositories: usize,
    /// Seed of the bootstrap.
    pub seed: u64,
    /// Bootstrap resamples.
    pub resamples: usize,
    /// The arms that every seed has.
    pub arms: Vec<PooledArm>,
}

/// Pools the evaluations of several seeds. Only samples count that every seed has completed with every arm that all seeds have.
pub fn pool(runs: &[SeedRecords<'_>], repository_of: impl Fn(&str) -> String, seed: u64) -> PooledSummary {
    let of_run = |run: &SeedRecords<'_>| run.records.iter().map(|record| record.arm).collect::<BTreeSet<Arm>>();
    let shared = runs
        .iter()
        .map(of_run)
        .reduce(|a, b| a.intersection(&b).copied().collect());
    let arms: Vec<Arm> = shared.unwrap_or_default().into_iter().collect();
    let tables: Vec<BTreeMap<(Arm, &str), &CompletionRecord>> = runs
        .iter()
        .map(|run| {
            run.records
                .iter()
                .map(|record| ((record.arm, record.sample.as_str()), record))
                .collect()
        })
        .collect();
    let first = runs.first().map(|run| run.records).unwrap_or_default();
    let names: BTreeSet<&str> = first.iter().map(|record| record.sample.as_str()).collect();
    let complete = |sample: &&str| {
        let mut cells = tables
            .iter()
            .flat_map(|table| arms.iter().map(move |arm| (table, *arm)));
        cells.all(|(table, arm)| table.contains_key(&(arm, *sample)))
    };
    let samples: Vec<&str> = names.into_iter().filter(complete).collect();
    let mut numbers: BTreeMap<String, usize> = BTreeMap::new();
    let clusters: Vec<usize> = samples
        .iter()
        .map(|sample| {
            let next = numbers.len();
            *numbers.entry(repository_of(sample)).or_insert(next)
        })
        .collect();
    let resamples = Resamples::new(&clusters, RESAMPLES, seed);
    // One column a seed.
    let columns = |arm: Arm, info: &ScoreInfo| -> Vec<Vec<f64>> {
        let column = |table: &BTreeMap<(Arm, &str), &CompletionRecord>| -> Vec<f64> {
            let rows = samples.iter().filter_map(|sample| table.get(&(arm, *sample)));
            rows.map(|record| (info.get)(&record.scores)).collect()
        };
        tables.iter().map(column).collect()
    };
    let scores = |arm: Arm| {
        let of = |info: &ScoreInfo| (info.key.to_owned(), pooled(&columns(arm, info), &resamples));
        SCORE_INFO.iter().map(of).collect()
    };
    let difference = |arm: Arm| {
        let of = |info: &ScoreInfo| {
            let pairs = columns(arm, info).into_iter().zip(columns(Arm::NoContext, info));
            let differences = pairs.map(|(own, none)| own.iter().zip(none).map(|(own, none)| own - none).collect());
            (
                info.key.to_owned(),
                pooled(&differences.collect::<Vec<_>>(), &resamples),
            )
        };
        match arms.contains(&Arm::NoContext) && arm != Arm::NoContext {
            true => SCORE_INFO.iter().map(of).collect(),
            false => BTreeMap::new(),
        }
    };
    PooledSummary {
        seeds: runs.iter().map(|run| run.seed).collect(),
        samples: samples.len(),
        repositories: numbers.len(),
        seed,
        resamples: RESAMPLES,
        arms: arms
            .iter()
            .map(|&arm| PooledArm {
                arm,
                scores: scores(arm),
                difference: difference(arm),
            })
            .collect(),
    }
}

/// One column of values a seed, in the same order of samples.
fn pooled(columns: &[Vec<f64>], resamples: &Resamples) -> Pooled {
    let count = columns.len().max(1) as f64;
    let rows = columns.first().map_or(0, Vec::len);
    let means: Vec<f64> = (0..rows)
        .map(|row| columns.iter().filter_map(|column| column.get(row)).sum::<f64>() / count)
        .collect();
    let by_seed: Vec<f64> = columns
        .iter()
        .map(|column| column.iter().sum::<f64>() / column.len().max(1) as f64)
        .collect();
    let mean = by_seed.iter().sum::<f64>() / count;
    let squares: f64 = by_seed.iter().map(|one| (one - mean).powi(2)).sum();
    Pooled {
        interval: resamples.interval(&means),
        spread: (squares / (count - 1.0).max(1.0)).sqrt(),
        by_seed,
    }
}
