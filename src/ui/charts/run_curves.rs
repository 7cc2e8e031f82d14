//! Numbers of runs as curves over one x axis, made again only when a run has changed.

use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;
use std::sync::Arc;

use crate::app::XAxis;
use crate::corpus::Split;
use crate::evaluation::{Arm, EvaluationSummary, Interval};
use crate::runs::{Run, ScalarRecord};

/// A number of `scalars.jsonl` over training.
pub struct Quantity {
    /// Its name in the file.
    pub key: String,
    /// The name a person reads.
    pub title: String,
    /// May be empty.
    pub unit: &'static str,
    /// Noisy, and so drawn smoothed.
    pub smoothed: bool,
    /// Of many sizes, and so drawn on a logarithmic axis where one is asked for.
    pub log: bool,
}

/// What the terms of the objective are called, and their units, in the order in which they are drawn: cross-entropy first, it
/// is what the others are weighed against.
const TERMS: [(&str, &str, &str); 10] = [
    ("cross_entropy", "cross-entropy", "nats a token"),
    ("alignment_frobenius", "alignment, Frobenius", ""),
    ("alignment_mse", "alignment, mean square", ""),
    ("reward", "reward of the rollouts", "0 to 2"),
    ("reward_loss", "reward loss", ""),
    ("kl", "KL to full RAG", "nats a token"),
    ("reconstruction", "reconstruction", "nats a token"),
    ("entropy", "entropy of the prediction", "nats a token"),
    ("entropy_watched", "entropy on watched samples", "nats a token"),
    ("kl_untrained", "KL to the untrained projector", "nats a token"),
];

impl Quantity {
    /// A number by its name in the file.
    pub fn new(key: &str, title: &str, unit: &'static str, smoothed: bool, log: bool) -> Self {
        Self {
            key: key.to_owned(),
            title: title.to_owned(),
            unit,
            smoothed,
            log,
        }
    }

    /// The weighted sum, then its terms, then how the optimiser is doing.
    pub fn all(runs: &[&Run]) -> Vec<Self> {
        let terms: BTreeSet<&str> = runs.iter().flat_map(|run| terms_of(&run.scalars)).collect();
        let mut all = vec![Self::new("loss", "loss, weighted sum", "", true, true)];
        let known = TERMS.iter().filter(|term| terms.contains(term.0));
        all.extend(known.map(|&(key, title, unit)| Self::new(key, title, unit, true, key != "reward_loss")));
        let unknown = terms.iter().filter(|term| TERMS.iter().all(|known| known.0 != **term));
        all.extend(unknown.map(|term| Self::new(term, &term.replace('_', " "), "", true, true)));
        all.extend([
            Self::new("gradient_norm", "gradient norm before clipping", "", true, true),
            Self::new("learning_rate", "learning rate", "", false, true),
            Self::new("samples_per_second", "throughput", "samples a second", true, false),
        ]);
        all
    }
}

/// The names of all terms of a run: some are measured at probes only, and a run may begin with a stage of its own.
fn terms_of(scalars: &[ScalarRecord]) -> impl Iterator<Item = &str> {
    let richest = scalars.iter().max_by_key(|record| record.terms.len());
    let records = [scalars.first(), richest, scalars.last()].into_iter().flatten();
    records.flat_map(|record| record.terms.keys().map(String::as_str))
}

/// The number of a step; none when the run does not record it.
pub fn value(record: &ScalarRecord, key: &str) -> Option<f64> {
    match key {
        "loss" => Some(record.loss),
        "gradient_norm" => Some(record.gradient_norm),
        "learning_rate" => Some(record.learning_rate),
        "samples_per_second" => Some(record.samples_per_second),
        term => record.terms.get(term).copied(),
    }
}

/// Curves of one run, made again only when the run has changed.
#[derive(Default)]
pub struct Curves {
    made_of: Option<(u64, XAxis)>,
    points: BTreeMap<String, Arc<[[f64; 2]]>>,
    bands: BTreeMap<String, Arc<[[f64; 3]]>>,
}

/// By folder of the run.
pub type Cache = BTreeMap<PathBuf, Curves>;

impl Curves {
    /// Forgets everything that was made before the run's last change, or over another x axis.
    pub fn renew(&mut self, generation: u64, x: XAxis) {
        if self.made_of != Some((generation, x)) {
            *self = Self {
                made_of: Some((generation, x)),
                ..Self::default()
            };
        }
    }

    /// The curve under a key, made when it is not there.
    pub fn points(&mut self, key: &str, make: impl FnOnce() -> Vec<[f64; 2]>) -> Arc<[[f64; 2]]> {
        let entry = self.points.entry(key.to_owned()).or_insert_with(|| make().into());
        Arc::clone(entry)
    }

    /// The band under a key, `[x, low, high]`, made when it is not there.
    pub fn band(&mut self, key: &str, make: impl FnOnce() -> Vec<[f64; 3]>) -> Arc<[[f64; 3]]> {
        let entry = self.bands.entry(key.to_owned()).or_insert_with(|| make().into());
        Arc::clone(entry)
    }
}

/// The split that runs look at while they train, unless there are evaluations of another one only.
pub fn common_split(runs: &[&Run]) -> Split {
    let has = |split: Split| runs.iter().any(|run| run.evaluations.iter().any(|e| e.split == split));
    if !has(Split::Validation) && has(Split::Test) {
        Split::Test
    } else {
        Split::Validation
    }
}

/// The mean of a score at every evaluation of a split.
pub fn evaluated(run: &Run, split: Split, arm: Arm, key: &str, x: XAxis) -> impl Iterator<Item = (f64, Interval)> {
    let of_split = run.evaluations.iter().filter(move |summary| summary.split == split);
    of_split.filter_map(move |summary: &EvaluationSummary| {
        let summary_of_arm = summary.arms.iter().find(|other| other.arm == arm)?;
        let interval = summary_of_arm.scores.get(key)?;
        Some((x_at(run, summary.step, x), *interval))
    })
}

/// Where a record lies on the x axis.
pub fn x_of(record: &ScalarRecord, x: XAxis) -> f64 {
    match x {
        XAxis::Step => record.step as f64,
        XAxis::Samples => record.samples as f64,
        XAxis::Seconds => record.seconds,
    }
}

/// Where a step lies on the x axis; the step before the first is at 0.
pub fn x_at(run: &Run, step: usize, x: XAxis) -> f64 {
    if x == XAxis::Step {
        return step as f64;
    }
    let after = run.scalars.partition_point(|record| record.step <= step);
    let record = after.checked_sub(1).and_then(|at| run.scalars.get(at));
    record.map_or(0.0, |record| x_of(record, x))
}

/// The step nearest to a place on the x axis.
pub fn step_at(run: &Run, place: f64, x: XAxis) -> usize {
    let nearest = run
        .scalars
        .iter()
        .min_by(|a, b| (x_of(a, x) - place).abs().total_cmp(&(x_of(b, x) - place).abs()));
    nearest.map_or(0, |record| record.step)
}
