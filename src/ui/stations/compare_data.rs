//! One evaluation of a run, read once: samples with their completions.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use crate::corpus::Split;
use crate::evaluation::{Arm, CompletionRecord, EvaluationSummary};
use crate::runs::{Completed, Run, RunError, SampleRecord};

/// A sample and what each arm made of it.
#[derive(Clone, Debug)]
pub struct Row {
    /// The sample and its chunks.
    pub record: SampleRecord,
    /// One completion an arm, in the order of the arms.
    pub completions: Vec<CompletionRecord>,
}

impl Row {
    /// What an arm made of it.
    pub fn completion(&self, arm: Arm) -> Option<&CompletionRecord> {
        self.completions.iter().find(|completion| completion.arm == arm)
    }

    /// Whether some retrieved chunk holds the name that the sample needs; none for a sample without a name.
    pub fn hit(&self) -> Option<bool> {
        self.record.sample.identifier.as_ref()?;
        Some(self.record.retrieved.iter().any(|found| found.hit))
    }

    /// Whether the name stands in the code that the reader sees; none for a sample without a name, and in an evaluation of an
    /// earlier program.
    pub fn in_window(&self) -> Option<bool> {
        self.completions.first()?.in_window
    }
}

/// Right is what LLavaCode counts as an exact match: equal code tokens.
pub fn is_right(completion: &CompletionRecord) -> bool {
    completion.scores.em_token >= 1.0
}

/// An evaluation with everything that this page shows of it.
#[derive(Clone, Debug)]
pub struct Evaluation {
    /// Folder of the run.
    pub folder: PathBuf,
    /// Means and intervals.
    pub summary: EvaluationSummary,
    /// The samples, as completed.
    pub rows: Vec<Row>,
    /// Completed samples whose text the run has no record of.
    pub missing: usize,
}

impl Evaluation {
    /// Reads the completions and samples of one evaluation of the run in a folder.
    pub fn read(folder: &Path, summary: &EvaluationSummary, completed: &Completed) -> Result<Self, RunError> {
        let mut rows: Vec<Row> = Vec::new();
        let mut places: BTreeMap<String, usize> = BTreeMap::new();
        // Not in the pool that computes: a run in training keeps it busy.
        let (samples, completions) = std::thread::scope(|scope| {
            let samples = scope.spawn(|| completed.samples());
            let completions = completed.completions();
            (samples.join().unwrap_or_else(|_| Ok(Vec::new())), completions)
        });
        let samples = samples?.into_iter();
        let mut samples: BTreeMap<String, SampleRecord> =
            samples.map(|record| (record.sample.id.clone(), record)).collect();
        let mut missing: BTreeSet<String> = BTreeSet::new();
        for completion in completions? {
            let place = match places.get(&completion.sample) {
                Some(place) => *place,
                None => {
                    let Some(record) = samples.remove(&completion.sample) else {
                        missing.insert(completion.sample);
                        continue;
                    };
                    places.insert(completion.sample.clone(), rows.len());
                    rows.push(Row {
                        record,
                        completions: Vec::new(),
                    });
                    rows.len() - 1
                }
            };
            if let Some(row) = rows.get_mut(place) {
                row.completions.push(completion);
            }
        }
        for row in &mut rows {
            row.completions.sort_by_key(|completion| place(completion.arm));
        }
        Ok(Self {
            folder: folder.to_owned(),
            summary: summary.clone(),
            missing: missing.len(),
            rows,
        })
    }

    /// Whether it still is what would be read.
    pub fn is_of(&self, run: &Run, summary: &EvaluationSummary) -> bool {
        self.folder == run.folder && self.summary == *summary
    }

    /// The arms that some sample was completed by, in their order.
    pub fn arms(&self) -> Vec<Arm> {
        let mut arms: Vec<Arm> = Vec::new();
        for completion in self.rows.iter().flat_map(|row| &row.completions) {
            if !arms.contains(&completion.arm) {
                arms.push(completion.arm);
            }
        }
        arms.sort_by_key(|arm| place(*arm));
        arms
    }
}

/// From the least context to the most, controls last.
fn place(arm: Arm) -> usize {
    match arm {
        Arm::NoContext => 0,
        Arm::Compressed => 1,
        Arm::FullRag => 2,
        _ => 3,
    }
}

/// The splits that have evaluations, and the evaluation of a split that is nearest to a step (the newest when none is pinned).
pub fn choose(run: &Run, split: Option<Split>, step: Option<usize>) -> (Vec<Split>, Option<&EvaluationSummary>) {
    let mut splits: Vec<Split> = run.evaluations.iter().map(|summary| summary.split).collect();
    splits.sort_unstable();
    splits.dedup();
    let split = split.filter(|split| splits.contains(split)).or(splits.first().copied());
    let of_split = run.evaluations.iter().filter(|summary| Some(summary.split) == split);
    let chosen = match step {
        Some(step) => of_split.min_by_key(|summary| summary.step.abs_diff(step)),
        None => of_split.max_by_key(|summary| summary.step),
    };
    (splits, chosen)
}
