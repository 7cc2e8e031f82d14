//! Reading a run, whole or as it grows.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::time::SystemTime;

use super::lines::LineReader;
use super::{
    EventKind, EventRecord, Manifest, ProbeChunks, ProbeRecord, RunError, SampleRecord, ScalarRecord, checked_manifest,
    files, layout, live, read_experiment,
};
use crate::corpus::Split;
use crate::evaluation::{CompletionRecord, EvaluationSummary};
use crate::experiment::Experiment;

/// A run as it stands on disk. Heavy things (vectors, completions, checkpoints) are read when asked for.
#[derive(Debug)]
pub struct Run {
    /// The run's folder.
    pub folder: PathBuf,
    /// The resolved experiment.
    pub experiment: Experiment,
    /// What made the run.
    pub manifest: Manifest,
    /// One record a step, in the order written.
    pub scalars: Vec<ScalarRecord>,
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

/// A checkpoint: everything that training needs to go on exactly.
#[derive(Clone, Debug, PartialEq)]
pub struct Checkpoint {
    /// Steps finished.
    pub step: usize,
    /// Name, shape and row-major values, by name.
    pub tensors: Vec<(String, Vec<usize>, Vec<f32>)>,
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
        let RunFollower {
            mut run,
            scalars,
            events,
            ..
        } = RunFollower::open(folder)?;
        if !live::is_held(folder) {
            run.warnings
                .extend([scalars, events].iter().filter_map(LineReader::torn_warning));
        }
        Ok(run)
    }

    /// The run's name: that of its folder, without the date.
    pub fn name(&self) -> String {
        name_of(&self.folder)
    }

    /// How it stands at this moment.
    pub fn status(&self) -> RunStatus {
        RunStatus::of(self.events.last(), &self.folder)
    }

    /// The watched vectors at a step.
    pub fn probe(&self, step: usize) -> Result<ProbeRecord, RunError> {
        let path = layout::probe(&self.folder, step);
        self.require(&path, "probe", step, &self.probe_steps)?;
        files::read_probe(&path, step)
    }

    /// The chunks behind the rows of every probe.
    pub fn probe_chunks(&self) -> Result<ProbeChunks, RunError> {
        let path = layout::probe_chunks(&self.folder);
        let bytes = fs::read(&path).map_err(RunError::read(&path))?;
        serde_json::from_slice(&bytes).map_err(|error| RunError::damaged(&path, error))
    }

    /// Every completion of one evaluation.
    pub fn completions(&self, step: usize, split: Split) -> Result<Vec<CompletionRecord>, RunError> {
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
        let mut damaged = Vec::new();
        let records = LineReader::new(path.clone()).read(&mut damaged)?;
        match damaged.into_iter().next() {
            Some(message) => Err(RunError::damaged(&path, message)),
            None => Ok(records),
        }
    }

    /// The samples that were completed; none when no evaluation has been written yet, or the file cannot be read.
    pub fn samples(&self) -> Vec<SampleRecord> {
        LineReader::new(layout::samples(&self.folder))
            .read(&mut Vec::new())
            .unwrap_or_default()
    }

    /// A checkpoint.
    pub fn checkpoint(&self, step: usize) -> Result<Checkpoint, RunError> {
        let path = layout::checkpoint(&self.folder, step);
        self.require(&path, "checkpoint", step, &self.checkpoint_steps)?;
        files::read_checkpoint(&path, step)
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

/// Reads a run that another process, or another thread, is writing: each poll reads only what is new.
#[derive(Debug)]
pub struct RunFollower {
    run: Run,
    scalars: LineReader,
    events: LineReader,
    /// Modification time and length of each summary read, by path: an evaluation can be taken again.
    summaries: BTreeMap<PathBuf, (Option<SystemTime>, u64)>,
}

impl RunFollower {
    /// Opens the run and reads what is there.
    pub fn open(folder: &Path) -> Result<Self, RunError> {
        let manifest = checked_manifest(folder)?;
        let mut warnings = Vec::new();
        let experiment = read_experiment(folder, &mut warnings)?;
        let mut follower = Self {
            run: Run {
                folder: folder.to_owned(),
                experiment,
                manifest,
                scalars: Vec::new(),
                events: Vec::new(),
                evaluations: Vec::new(),
                probe_steps: Vec::new(),
                checkpoint_steps: Vec::new(),
                warnings,
            },
            scalars: LineReader::new(folder.join(layout::SCALARS)),
            events: LineReader::new(folder.join(layout::EVENTS)),
            summaries: BTreeMap::new(),
        };
        follower.poll()?;
        Ok(follower)
    }

    /// The run as of the last poll.
    pub fn run(&self) -> &Run {
        &self.run
    }

    /// Reads what is new, and says whether there was anything. A half-written last line is left for the next poll.
    pub fn poll(&mut self) -> Result<bool, RunError> {
        if self.scalars.shrunk() || self.events.shrunk() {
            *self = Self::open(&self.run.folder)?;
            return Ok(true);
        }
        let warnings = &mut self.run.warnings;
        let told = warnings.len();
        let scalars = self.scalars.read(warnings)?;
        let events = self.events.read(warnings)?;
        let mut changed = !scalars.is_empty() || !events.is_empty() || warnings.len() > told;
        self.run.scalars.extend(scalars);
        self.run.events.extend(events);
        let probes = tensor_steps(&self.run.folder.join(layout::PROBES));
        let checkpoints = tensor_steps(&self.run.folder.join(layout::CHECKPOINTS));
        changed |= probes != self.run.probe_steps || checkpoints != self.run.checkpoint_steps;
        self.run.probe_steps = probes;
        self.run.checkpoint_steps = checkpoints;
        Ok(self.poll_evaluations() || changed)
    }

    fn poll_evaluations(&mut self) -> bool {
        let mut changed = false;
        for entry in entries(&self.run.folder.join(layout::EVALUATIONS)) {
            let Some(metadata) = entry.metadata().ok().filter(|_| layout::is_summary(&entry.file_name())) else {
                continue;
            };
            let path = entry.path();
            let stamp = (metadata.modified().ok(), metadata.len());
            if self.summaries.get(&path) == Some(&stamp) {
                continue;
            }
            changed = true;
            let summary = fs::read(&path)
                .map_err(RunError::read(&path))
                .and_then(|bytes| serde_json::from_slice(&bytes).map_err(|error| RunError::damaged(&path, error)));
            match summary {
                Ok(summary) => self.run.replace_evaluation(summary),
                Err(error) => self.run.warnings.push(error.to_string()),
            }
            self.summaries.insert(path, stamp);
        }
        changed
    }
}

impl Run {
    fn replace_evaluation(&mut self, summary: EvaluationSummary) {
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
}

/// The folder's name without `YYYY-MM-DD-`.
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

fn entries(folder: &Path) -> impl Iterator<Item = fs::DirEntry> {
    fs::read_dir(folder).into_iter().flatten().flatten()
}

fn tensor_steps(folder: &Path) -> Vec<usize> {
    let mut steps: Vec<usize> = entries(folder)
        .filter_map(|entry| layout::tensor_step(&entry.file_name()))
        .collect();
    steps.sort_unstable();
    steps
}
