//! The table of a sweep: a row a cell, pooled over its seeds, each held against the baseline on equal samples.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use serde::{Deserialize, Serialize};

use super::metrics::{Column, columns};
use super::permutation::sign_flip;
use super::{Outcome, Sweep};
use crate::evaluation::Interval;
use crate::evaluation::statistics::{RESAMPLES, clustered_bootstrap, holm};

/// `table.json`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct SweepTable {
    /// Name of the sweep.
    pub name: String,
    /// What was measured.
    pub measure: String,
    /// The split that the numbers come from.
    pub split: String,
    /// The cell that the others are held against.
    pub baseline: String,
    /// Seeds that the rows are pooled over.
    pub seeds: Vec<u64>,
    /// Bootstrap resamples behind every interval, and draws behind every p-value.
    pub resamples: usize,
    /// What the columns hold.
    pub columns: Vec<Column>,
    /// One row a cell.
    pub rows: Vec<SweepRow>,
}

/// A cell, pooled over its seeds.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct SweepRow {
    /// Name of the cell.
    pub cell: String,
    /// Its fields and their values.
    pub fields: BTreeMap<String, String>,
    /// Its trials.
    pub trials: usize,
    /// Those that are done; the row says nothing of the others.
    pub done: usize,
    /// Samples of all trials together.
    pub samples: usize,
    /// Repositories that they come from.
    pub repositories: usize,
    /// One entry a column; none where no trial has measured it.
    pub entries: Vec<Option<SweepEntry>>,
}

/// A number of the table.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct SweepEntry {
    /// Mean with its 95% interval, clustered by repository; of numbers that a trial has one of, the mean and range over the seeds.
    pub value: Interval,
    /// Against the baseline; none in the baseline's own row, and where a trial has one number.
    pub difference: Option<SweepDifference>,
}

/// A paired difference to the baseline.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct SweepDifference {
    /// Mean difference with its 95% interval, clustered by repository.
    pub interval: Interval,
    /// Pairs: the same sample under the same seed.
    pub pairs: usize,
    /// Two-sided p-value: random signs, one a repository.
    pub p: f64,
    /// The same after Holm's correction over the rows of the column.
    pub p_holm: f64,
}

impl SweepTable {
    /// The columns of the narrow table, with their places.
    pub fn headline(&self) -> impl Iterator<Item = (usize, &Column)> {
        self.columns.iter().enumerate().filter(|(_, column)| column.headline)
    }

    /// What the resamples behind its intervals draw: one repository cannot be resampled.
    pub fn drawn(&self) -> &'static str {
        match self.rows.iter().all(|row| row.repositories < 2) {
            true => "by sample, of one repository",
            false => "by repository",
        }
    }

    /// The entry of a cell in the column of this name.
    pub fn entry(&self, cell: &str, key: &str) -> Option<&SweepEntry> {
        let column = self.columns.iter().position(|column| column.key == key)?;
        let row = self.rows.iter().find(|row| row.cell == cell)?;
        row.entries.get(column)?.as_ref()
    }
}

/// Outcomes of a cell with their seeds.
type OfCell<'a> = Vec<(u64, &'a Outcome)>;

pub(super) fn compute(sweep: &Sweep) -> SweepTable {
    let plan = &sweep.plan;
    let columns = columns(plan.file.measure);
    let outcomes: Vec<OfCell<'_>> = (0..plan.cells.len())
        .map(|cell| {
            let trials = plan.trials.iter().zip(&sweep.trials);
            let of_cell = trials.filter(|(trial, _)| trial.cell == cell);
            of_cell
                .filter_map(|(trial, entry)| Some((trial.seed, entry.outcome.as_ref()?)))
                .collect()
        })
        .collect();
    let baseline = plan
        .cells
        .iter()
        .position(|cell| cell.name == plan.baseline())
        .unwrap_or_default();
    let against = outcomes.get(baseline).cloned().unwrap_or_default();
    let seed = plan.experiment.seed;
    let mut rows: Vec<SweepRow> = plan
        .cells
        .iter()
        .zip(&outcomes)
        .enumerate()
        .map(|(index, (cell, outcomes))| {
            let samples = outcomes.iter().flat_map(|(_, outcome)| &outcome.samples);
            let repositories: BTreeSet<&str> = samples.clone().map(|one| one.repository.as_str()).collect();
            let against = (index != baseline).then_some(&against);
            SweepRow {
                cell: cell.name.clone(),
                fields: cell
                    .fields
                    .iter()
                    .map(|(field, value)| (field.clone(), value.to_string()))
                    .collect(),
                trials: plan.file.seeds.len(),
                done: outcomes.len(),
                samples: samples.count(),
                repositories: repositories.len(),
                entries: columns
                    .iter()
                    .map(|column| entry(column, outcomes, against, seed))
                    .collect(),
            }
        })
        .collect();
    for column in 0..columns.len() {
        correct(&mut rows, column);
    }
    SweepTable {
        name: plan.file.name.clone(),
        measure: plan.file.measure.to_string(),
        split: plan.file.split.to_string(),
        baseline: plan.baseline().to_owned(),
        seeds: plan.file.seeds.clone(),
        resamples: RESAMPLES,
        columns,
        rows,
    }
}

fn entry(column: &Column, outcomes: &OfCell<'_>, against: Option<&OfCell<'_>>, seed: u64) -> Option<SweepEntry> {
    if !column.per_sample {
        let numbers = outcomes
            .iter()
            .filter_map(|(_, outcome)| outcome.numbers.get(&column.key).copied());
        return Some(SweepEntry {
            value: range(&numbers.collect::<Vec<_>>())?,
            difference: None,
        });
    }
    let values = values(column, outcomes);
    let (numbers, clusters) = clustered(values.iter().map(|(_, (repository, value))| (*repository, *value)));
    if numbers.is_empty() {
        return None;
    }
    let difference = against.and_then(|against| {
        let base: HashMap<_, _> = self::values(column, against).into_iter().collect();
        let pairs = values.iter().filter_map(|(key, (repository, value))| {
            let (_, base) = base.get(key)?;
            Some((*repository, value - base))
        });
        let (differences, clusters) = clustered(pairs);
        (!differences.is_empty()).then(|| {
            let p = sign_flip(&differences, &clusters, RESAMPLES, seed);
            SweepDifference {
                interval: clustered_bootstrap(&differences, &clusters, RESAMPLES, seed),
                pairs: differences.len(),
                p,
                p_holm: p,
            }
        })
    });
    Some(SweepEntry {
        value: clustered_bootstrap(&numbers, &clusters, RESAMPLES, seed),
        difference,
    })
}

/// What identifies a value: the seed and the sample; and its repository and the value itself.
type Valued<'a> = ((u64, &'a str), (&'a str, f64));

fn values<'a>(column: &Column, outcomes: &OfCell<'a>) -> Vec<Valued<'a>> {
    let of = |(seed, outcome): &(u64, &'a Outcome)| {
        let values = outcome.metrics.get(&column.key).map(Vec::as_slice).unwrap_or_default();
        let seed = *seed;
        let pairs = outcome.samples.iter().zip(values);
        pairs.map(move |(sample, value)| ((seed, sample.id.as_str()), (sample.repository.as_str(), *value)))
    };
    outcomes.iter().flat_map(of).collect()
}

/// Values, and the number of each one's repository.
fn clustered<'a>(values: impl Iterator<Item = (&'a str, f64)>) -> (Vec<f64>, Vec<usize>) {
    let mut numbers: HashMap<&str, usize> = HashMap::new();
    let numbered = |(repository, value)| {
        let next = numbers.len();
        (value, *numbers.entry(repository).or_insert(next))
    };
    values.map(numbered).unzip()
}

/// Mean and range of numbers, where there are any.
fn range(numbers: &[f64]) -> Option<Interval> {
    let low = numbers.iter().copied().reduce(f64::min)?;
    let high = numbers.iter().copied().reduce(f64::max)?;
    let mean = numbers.iter().sum::<f64>() / numbers.len() as f64;
    Some(Interval { mean, low, high })
}

/// Corrects the p-values of one column for the number of its rows.
fn correct(rows: &mut [SweepRow], column: usize) {
    let mut differences: Vec<&mut SweepDifference> = rows
        .iter_mut()
        .filter_map(|row| row.entries.get_mut(column)?.as_mut()?.difference.as_mut())
        .collect();
    let p: Vec<f64> = differences.iter().map(|difference| difference.p).collect();
    for (difference, p_holm) in differences.iter_mut().zip(holm(&p)) {
        difference.p_holm = p_holm;
    }
}
