//! One evaluation of a run, read once: samples with their completions, and which of them a filter keeps.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::Arc;

use crate::app::OpenRun;
use crate::corpus::Split;
use crate::evaluation::{Arm, CompletionRecord, EvaluationSummary};
use crate::runs::{Run, RunError, SampleRecord};

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

    fn is_right(&self, arm: Arm) -> Option<bool> {
        self.completion(arm).map(is_right)
    }

    fn similarity(&self, arm: Arm) -> f64 {
        self.completion(arm)
            .map_or(f64::NAN, |completion| completion.scores.es_levenshtein)
    }
}

/// Right is what LLavaCode counts as an exact match: equal code tokens.
pub fn is_right(completion: &CompletionRecord) -> bool {
    completion.scores.em_token >= 1.0
}

/// Which samples are listed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, strum::EnumIter)]
pub enum Filter {
    /// Every sample.
    #[default]
    All,
    /// Some arms are right and some are wrong.
    Disagree,
    /// The compressed arm is wrong.
    CompressedWrong,
    /// What compression lost: full RAG is right, compressed is wrong.
    Lost,
}

impl Filter {
    /// The name that a person reads.
    pub fn label(self) -> &'static str {
        match self {
            Self::All => "all samples",
            Self::Disagree => "arms disagree",
            Self::CompressedWrong => "compressed wrong",
            Self::Lost => "full RAG right, compressed wrong",
        }
    }

    fn keeps(self, row: &Row) -> bool {
        let wrong = row.is_right(Arm::Compressed) == Some(false);
        match self {
            Self::All => true,
            Self::Disagree => {
                let mut right = row.completions.iter().map(is_right);
                let first = right.next();
                right.any(|other| Some(other) != first)
            }
            Self::CompressedWrong => wrong,
            Self::Lost => wrong && row.is_right(Arm::FullRag) == Some(true),
        }
    }
}

/// In which order samples are listed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, strum::EnumIter)]
pub enum Order {
    /// As they were completed.
    #[default]
    AsCompleted,
    /// What the compressed arm is farthest from first.
    WorstCompressed,
    /// Where compression helps most against no context first.
    MostGained,
    /// Where compression loses most against full RAG first.
    MostLost,
}

impl Order {
    /// The name that a person reads.
    pub fn label(self) -> &'static str {
        match self {
            Self::AsCompleted => "as completed",
            Self::WorstCompressed => "compressed ES, lowest first",
            Self::MostGained => "gain over no context first",
            Self::MostLost => "loss against full RAG first",
        }
    }

    fn key(self, row: &Row) -> f64 {
        let compressed = row.similarity(Arm::Compressed);
        match self {
            Self::AsCompleted => 0.0,
            Self::WorstCompressed => compressed,
            Self::MostGained => row.similarity(Arm::NoContext) - compressed,
            Self::MostLost => compressed - row.similarity(Arm::FullRag),
        }
    }
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
    /// Reads the completions and samples of one evaluation.
    pub fn read(run: &Run, summary: &EvaluationSummary) -> Result<Self, RunError> {
        let mut completions: BTreeMap<String, Vec<CompletionRecord>> = BTreeMap::new();
        let mut order: Vec<String> = Vec::new();
        for completion in run.completions(summary.step, summary.split)? {
            let of_sample = completions.entry(completion.sample.clone()).or_insert_with(|| {
                order.push(completion.sample.clone());
                Vec::new()
            });
            of_sample.push(completion);
        }
        let samples = run
            .samples()
            .into_iter()
            .map(|record| (record.sample.id.clone(), record));
        let mut samples: BTreeMap<String, SampleRecord> = samples.collect();
        let total = order.len();
        let rows: Vec<Row> = order
            .into_iter()
            .filter_map(|id| {
                let mut completions = completions.remove(&id)?;
                completions.sort_by_key(|completion| place(completion.arm));
                Some(Row {
                    record: samples.remove(&id)?,
                    completions,
                })
            })
            .collect();
        Ok(Self {
            folder: run.folder.clone(),
            summary: summary.clone(),
            missing: total - rows.len(),
            rows,
        })
    }

    /// Whether it still is what would be read.
    pub fn is_of(&self, run: &Run, summary: &EvaluationSummary) -> bool {
        self.folder == run.folder && self.summary == *summary
    }

    /// Places of the rows that a search and a filter keep, in an order.
    pub fn listed(&self, search: &str, filter: Filter, order: Order) -> Vec<usize> {
        let search = search.trim().to_lowercase();
        let found = |row: &Row| {
            let sample = &row.record.sample;
            search.is_empty()
                || [&sample.id, &sample.target]
                    .into_iter()
                    .any(|text| text.to_lowercase().contains(&search))
        };
        let mut kept: Vec<(usize, f64)> = self
            .rows
            .iter()
            .enumerate()
            .filter(|(_, row)| filter.keeps(row) && found(row))
            .map(|(place, row)| (place, order.key(row)))
            .collect();
        kept.sort_by(|a, b| a.1.total_cmp(&b.1));
        kept.into_iter().map(|(place, _)| place).collect()
    }
}

/// Reads an evaluation when it is another one than before.
#[derive(Default)]
pub struct EvaluationReader {
    evaluation: Option<Arc<Evaluation>>,
    failed: Option<Failed>,
}

/// An evaluation that could not be read; it is tried again when the run has changed.
struct Failed {
    folder: PathBuf,
    generation: u64,
    summary: EvaluationSummary,
    reason: String,
}

impl EvaluationReader {
    /// The evaluation, or why it cannot be read.
    pub fn read(&mut self, open: &OpenRun, summary: &EvaluationSummary) -> Result<Arc<Evaluation>, String> {
        let run = open.run();
        if let Some(evaluation) = self.evaluation.as_ref().filter(|one| one.is_of(run, summary)) {
            return Ok(Arc::clone(evaluation));
        }
        let is_known = |failed: &&Failed| {
            failed.folder == run.folder && failed.generation == open.generation && failed.summary == *summary
        };
        if let Some(failed) = self.failed.as_ref().filter(is_known) {
            return Err(failed.reason.clone());
        }
        match Evaluation::read(run, summary) {
            Ok(evaluation) => {
                self.failed = None;
                Ok(Arc::clone(self.evaluation.insert(Arc::new(evaluation))))
            }
            Err(error) => {
                let reason = error.to_string();
                self.failed = Some(Failed {
                    folder: run.folder.clone(),
                    generation: open.generation,
                    summary: summary.clone(),
                    reason: reason.clone(),
                });
                Err(reason)
            }
        }
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
