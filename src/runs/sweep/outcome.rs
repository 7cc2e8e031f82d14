//! What a finished trial has measured, in one form whatever was measured.

use std::collections::{BTreeMap, HashMap};

use serde::{Deserialize, Serialize};

use super::metrics::{CONTENT, GAIN, QUERY_MS, RECIPROCAL_RANK, SECONDS, hit_key};
use crate::collapse::{INSTRUMENTS, instruments};
use crate::corpus::Split;
use crate::evaluation::{Arm, CompletionRecord, RANKS, RetrievalQuality, RetrievalRecord, SCORE_INFO};
use crate::runs::{Run, RunError};

/// Instruments of the last probe that are kept.
const KEPT_INSTRUMENTS: [&str; 2] = ["mean_cosine", "rankme"];

/// A sample, as far as a table needs it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct SampleKey {
    /// Its id.
    pub id: String,
    /// The repository that it comes from.
    pub repository: String,
}

/// `trials/N/outcome.json`.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Outcome {
    /// The samples that were looked at.
    pub samples: Vec<SampleKey>,
    /// By name of the metric: a value for each sample, in their order.
    pub metrics: BTreeMap<String, Vec<f64>>,
    /// By name: one number for the whole trial.
    pub numbers: BTreeMap<String, f64>,
}

impl Outcome {
    /// What a run's evaluation of a step says: every score of the compressed arm, and what it gains over no context and over the
    /// shuffled control, on the samples that all three have completed.
    pub fn of_run(run: &Run, step: usize, split: Split) -> Result<Self, RunError> {
        let records = run.completions(step, split)?;
        let of = |arm: Arm| -> HashMap<&str, &CompletionRecord> {
            let records = records.iter().filter(|record| record.arm == arm);
            records.map(|record| (record.sample.as_str(), record)).collect()
        };
        let (compressed, none, shuffled) = (of(Arm::Compressed), of(Arm::NoContext), of(Arm::ShuffledContext));
        let mut samples: Vec<SampleKey> = run
            .samples()
            .into_iter()
            .filter(|record| compressed.contains_key(record.sample.id.as_str()))
            .map(|record| SampleKey {
                id: record.sample.id,
                repository: record.sample.repository,
            })
            .collect();
        samples.sort_unstable_by(|one, other| one.id.cmp(&other.id));
        let mut metrics = BTreeMap::new();
        let found: Vec<&CompletionRecord> = samples
            .iter()
            .filter_map(|one| compressed.get(one.id.as_str()).copied())
            .collect();
        for info in SCORE_INFO {
            let values = found.iter().map(|record| (info.get)(&record.scores));
            metrics.insert(info.key.to_owned(), values.collect());
        }
        for (key, others) in [(GAIN, none), (CONTENT, shuffled)] {
            let less = |record: &&CompletionRecord| {
                let other = others.get(record.sample.as_str())?;
                Some(record.scores.cross_entropy - other.scores.cross_entropy)
            };
            // An arm that was not asked for has no column.
            if let Some(values) = found.iter().map(less).collect() {
                metrics.insert(key.to_owned(), values);
            }
        }
        Ok(Self {
            samples,
            metrics,
            numbers: numbers(run),
        })
    }
}

impl From<&RetrievalQuality> for Outcome {
    fn from(quality: &RetrievalQuality) -> Self {
        let records = &quality.records;
        let mut metrics = BTreeMap::new();
        for k in RANKS {
            let hit = |record: &RetrievalRecord| f64::from(u8::from(record.rank.is_some_and(|rank| rank <= k)));
            metrics.insert(hit_key(k), records.iter().map(hit).collect());
        }
        let reciprocal = |record: &RetrievalRecord| record.rank.map_or(0.0, |rank| 1.0 / rank as f64);
        metrics.insert(RECIPROCAL_RANK.to_owned(), records.iter().map(reciprocal).collect());
        Self {
            samples: records
                .iter()
                .map(|record| SampleKey {
                    id: record.sample.clone(),
                    repository: record.repository.clone(),
                })
                .collect(),
            metrics,
            numbers: BTreeMap::from([(QUERY_MS.to_owned(), 1e3 * quality.seconds_a_query)]),
        }
    }
}

fn numbers(run: &Run) -> BTreeMap<String, f64> {
    let mut numbers = BTreeMap::new();
    if let Some(last) = run.scalars.last() {
        numbers.insert(SECONDS.to_owned(), last.seconds);
    }
    let probe = run.probe_steps.last().and_then(|step| run.probe(*step).ok());
    // A probe set too small to be compared has no instruments.
    if let Some(values) = probe
        .as_ref()
        .and_then(|probe| probe.projected_vectors().ok())
        .map(|vectors| instruments(&vectors))
    {
        let kept = INSTRUMENTS.iter().filter(|info| KEPT_INSTRUMENTS.contains(&info.key));
        numbers.extend(kept.map(|info| (info.key.to_owned(), (info.get)(&values))));
    }
    numbers.retain(|_, number| number.is_finite());
    numbers
}
