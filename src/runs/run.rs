//! Reading a run.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use super::completed::{Completed, read_samples};
use super::{
    EventKind, EventRecord, Manifest, NamedTensor, ProbeChunks, ProbeRecord, Probes, RunError, RunFollower,
    SampleRecord, ScalarRecord, files, layout, live, live_events,
};
use crate::collapse::AlarmKind;
use crate::corpus::Split;
use crate::evaluation::{Arm, CompletionRecord, EvaluationSummary};
use crate::experiment::Experiment;

/// A run as it stands on disk. Heavy things (vectors, completions, checkpoints) are read when asked for.
#[derive(Clone, Debug)]
pub struct Run {
    /// The run's folder.
    pub folder: PathBuf,
    /// The resolved experiment.
    pub experiment: Experiment,
    /// What made the run.
    pub manifest: Manifest,
    /// One record a step, in the order written.
    pub scalars: Vec<ScalarRecord>,
    /// What each roll-back took out of the run, the earliest roll-back first.
    pub abandoned: Vec<Vec<ScalarRecord>>,
    /// What happened, in the order written.
    pub events: Vec<EventRecord>,
    /// Summaries of all evaluations, by step, then split.
    pub evaluations: Vec<EvaluationSummary>,
    /// Steps that have a probe, ascending.
    pub probe_steps: Vec<usize>,
    /// Steps that have a checkpoint, ascending.
    pub checkpoint_steps: Vec<usize>,
    /// What could not be read and was left out.
    pub warnings: Vec<String>,
}

/// A checkpoint: projector and optimiser at one step.
#[derive(Clone, Debug, PartialEq)]
pub struct Checkpoint {
    /// Steps finished.
    pub step: usize,
    /// By name.
    pub tensors: Vec<NamedTensor>,
    /// Text that the trainer wrote beside them.
    pub metadata: BTreeMap<String, String>,
}

/// How a run stands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum RunStatus {
    /// A process is training it (or has paused it).
    Running,
    /// It ran all its steps.
    Finished,
    /// A person stopped it early.
    Stopped,
    /// It failed; why, in words.
    Failed(String),
    /// Nothing runs it, yet it did not end: its process was killed, or its machine went down.
    Interrupted,
}

impl RunStatus {
    /// The word that a person reads.
    pub fn label(&self) -> &'static str {
        match self {
            Self::Running => "running",
            Self::Finished => "finished",
            Self::Stopped => "stopped",
            Self::Failed(_) => "failed",
            Self::Interrupted => "interrupted",
        }
    }

    pub(super) fn of(last_event: Option<&EventRecord>, folder: &Path) -> Self {
        match last_event {
            Some(event) if event.kind == EventKind::End => Self::Finished,
            Some(event) if event.kind == EventKind::Stop => Self::Stopped,
            Some(event) if event.kind == EventKind::Failed => Self::Failed(event.reason.clone()),
            _ if live::is_held(folder) => Self::Running,
            _ => Self::Interrupted,
        }
    }
}

impl Run {
    /// Reads a run folder; a torn last line is left out with a warning.
    pub fn open(folder: &Path) -> Result<Self, RunError> {
        RunFollower::open(folder).map(RunFollower::finish)
    }

    /// The run's name: that of its folder, without the date.
    pub fn name(&self) -> String {
        name_of(&self.folder)
    }

    /// How it stands at this moment.
    pub fn status(&self) -> RunStatus {
        let last = self.events.iter().rev().find(|event| event.tells_status());
        RunStatus::of(last, &self.folder)
    }

    /// How often the run was evaluated on the test split. An earlier program wrote no event of it, and kept one summary a step.
    pub fn test_looks(&self) -> usize {
        let told = self
            .events
            .iter()
            .filter(|event| event.kind == EventKind::TestEvaluation);
        let kept = self.evaluations.iter().filter(|summary| summary.split == Split::Test);
        told.count().max(kept.count())
    }

    /// The step whose checkpoint has the lowest cross-entropy of the compressed arm on the validation split, the earliest of equals.
    pub fn best_step(&self) -> Option<usize> {
        let scores = self.evaluations.iter().filter_map(|summary| {
            let usable = summary.split == Split::Validation && self.checkpoint_steps.contains(&summary.step);
            let arm = summary.arm(Arm::Compressed).filter(|_| usable)?;
            Some((arm.scores.get("cross_entropy")?.mean, summary.step))
        });
        scores.min_by(|a, b| a.0.total_cmp(&b.0)).map(|(_, step)| step)
    }

    /// Whether the reader told the soft tokens apart at a step: what the newest evaluation up to it says, see
    /// [`EvaluationSummary::content_sentence`]. An evaluation on the validation split goes before others of its step.
    pub fn content_sentence(&self, step: usize) -> Option<String> {
        let told = self.evaluations.iter();
        let told = told.filter(|summary| summary.step <= step && !summary.content.is_empty());
        let newest = told.max_by_key(|summary| (summary.step, summary.split == Split::Validation));
        newest?.content_sentence()
    }

    /// The step at which the alarm of collapse was raised first.
    pub fn first_collapse(&self) -> Option<usize> {
        let raised = EventKind::AlarmRaised(AlarmKind::RepresentationCollapse);
        let event = self.events.iter().find(|event| event.kind == raised);
        event.map(|event| event.step)
    }

    /// Alarms on the live branch that were raised and not cleared, each with the event that raised it, in the order raised.
    pub fn standing_alarms(&self) -> Vec<(AlarmKind, &EventRecord)> {
        let mut standing: Vec<(AlarmKind, &EventRecord)> = Vec::new();
        for event in live_events(&self.events) {
            let (EventKind::AlarmRaised(kind) | EventKind::AlarmCleared(kind)) = event.kind else {
                continue;
            };
            standing.retain(|(other, _)| *other != kind);
            if event.kind == EventKind::AlarmRaised(kind) {
                standing.push((kind, event));
            }
        }
        standing
    }

    /// The watched vectors at a step.
    pub fn probe(&self, step: usize) -> Result<ProbeRecord, RunError> {
        let path = layout::probe(&self.folder, step);
        self.require(&path, "probe", step, &self.probe_steps)?;
        files::read_probe(&path, step)
    }

    /// The chunks behind the rows of every probe.
    pub fn probe_chunks(&self) -> Result<ProbeChunks, RunError> {
        Probes::of(&self.folder).chunks()
    }

    /// Every completion of one evaluation.
    pub fn completions(&self, step: usize, split: Split) -> Result<Vec<CompletionRecord>, RunError> {
        self.completed(step, split)?.completions()
    }

    /// Where the completions of one evaluation lie; fails when there are none.
    pub fn completed(&self, step: usize, split: Split) -> Result<Completed, RunError> {
        let path = layout::evaluation(&self.folder, step, split, "jsonl");
        let there: Vec<usize> = self
            .evaluations
            .iter()
            .filter(|summary| summary.split == split)
            .map(|summary| summary.step)
            .collect();
        let what = match split {
            Split::Train => "train evaluation",
            Split::Validation => "validation evaluation",
            Split::Test => "test evaluation",
        };
        self.require(&path, what, step, &there)?;
        Ok(Completed::new(path, layout::samples(&self.folder)))
    }

    /// The samples that were completed; none when no evaluation has been written yet, or the file cannot be read.
    pub fn samples(&self) -> Vec<SampleRecord> {
        read_samples(&layout::samples(&self.folder)).unwrap_or_default()
    }

    /// A checkpoint.
    pub fn checkpoint(&self, step: usize) -> Result<Checkpoint, RunError> {
        let path = layout::checkpoint(&self.folder, step);
        self.require(&path, "checkpoint", step, &self.checkpoint_steps)?;
        files::read_checkpoint(&path, step)
    }

    /// The newest checkpoint that can be read, and what is wrong with those that are newer.
    pub fn newest_checkpoint(&self) -> (Option<Checkpoint>, Vec<RunError>) {
        let mut damaged = Vec::new();
        for step in self.checkpoint_steps.iter().rev() {
            match self.checkpoint(*step) {
                Ok(checkpoint) => return (Some(checkpoint), damaged),
                Err(error) => damaged.push(error),
            }
        }
        (None, damaged)
    }

    /// Adds a summary in its place, or takes the place of an earlier one of the same step and split.
    pub(super) fn replace_evaluation(&mut self, summary: EvaluationSummary) {
        let key = |summary: &EvaluationSummary| (summary.step, summary.split);
        match self.evaluations.binary_search_by_key(&key(&summary), key) {
            Ok(at) => {
                if let Some(old) = self.evaluations.get_mut(at) {
                    *old = summary;
                }
            }
            Err(at) => self.evaluations.insert(at, summary),
        }
    }

    fn require(&self, path: &Path, what: &str, step: usize, there: &[usize]) -> Result<(), RunError> {
        if path.exists() {
            return Ok(());
        }
        Err(RunError::NoSuchStep {
            folder: self.folder.clone(),
            what: what.to_owned(),
            step,
            there: there.to_vec(),
        })
    }
}

/// The name of the run in a folder: the folder's name without `YYYY-MM-DD-`.
pub fn name_of(folder: &Path) -> String {
    let name = folder.file_name().unwrap_or_default().to_string_lossy().into_owned();
    match name.split_at_checked(11) {
        Some((date, rest))
            if !rest.is_empty() && date.ends_with('-') && date.starts_with(|c: char| c.is_ascii_digit()) =>
        {
            rest.to_owned()
        }
        _ => name,
    }
}
