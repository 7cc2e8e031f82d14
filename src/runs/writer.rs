//! Writing a run: every line and every file is whole on disk before the call returns.

use std::collections::{BTreeMap, HashSet};
use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::thread::JoinHandle;

use jiff::{Timestamp, ZonedDateTime};
use serde::Serialize;

use super::files::{self, NamedTensor};
use super::lines::{LineReader, LineWriter};
use super::{
    EventKind, EventRecord, Manifest, ProbeRecord, RunError, SampleRecord, ScalarRecord, checked_manifest, layout,
    live, retention,
};
use crate::corpus::Chunk;
use crate::evaluation::{CompletionRecord, EvaluationSummary};
use crate::experiment::{Experiment, Intervention, Schedule};

/// The one writer of a run folder. While it lives, the run counts as running and no second writer can open it.
pub struct RunWriter {
    pub(super) folder: PathBuf,
    pub(super) scalars: LineWriter,
    events: LineWriter,
    samples: LineWriter,
    known_samples: HashSet<String>,
    /// The checkpoint that is being written.
    checkpoint: Option<Checkpointing>,
    _live: File,
}

/// A checkpoint on its way to the disk.
struct Checkpointing {
    step: usize,
    reason: String,
    thread: JoinHandle<Result<(), RunError>>,
}

impl RunWriter {
    /// Makes the folder `<YYYY-MM-DD>-<name>` in `runs_dir` (`-2`, `-3`, … behind it when the name is taken) and opens it.
    ///
    /// Two processes that start the same name at once get two folders. Nothing is left behind when this fails.
    pub fn create(runs_dir: &Path, experiment: &Experiment, manifest: &Manifest) -> Result<Self, RunError> {
        fs::create_dir_all(runs_dir).map_err(RunError::write(runs_dir))?;
        let folder = claim_folder(runs_dir, &experiment.name)?;
        Self::fill(&folder, experiment, manifest).inspect_err(|_| {
            fs::remove_dir_all(&folder).ok();
        })
    }

    fn fill(folder: &Path, experiment: &Experiment, manifest: &Manifest) -> Result<Self, RunError> {
        for inner in [layout::PROBES, layout::EVALUATIONS, layout::CHECKPOINTS] {
            let path = folder.join(inner);
            fs::create_dir(&path).map_err(RunError::write(&path))?;
        }
        files::write_whole(&folder.join(layout::EXPERIMENT), experiment.to_toml().as_bytes())?;
        write_json(&folder.join(layout::MANIFEST), manifest)?;
        Self::open(folder)
    }

    /// Opens an existing run to add to it, as `evaluate` does; cuts off a last line that a crash left torn.
    ///
    /// Fails with [`RunError::Busy`] when another writer has it open.
    pub fn open(folder: &Path) -> Result<Self, RunError> {
        checked_manifest(folder)?;
        let live = live::hold(folder)?;
        let samples = layout::samples(folder);
        let known: Vec<SampleRecord> = LineReader::new(samples.clone()).read(&mut Vec::new())?;
        Ok(Self {
            folder: folder.to_owned(),
            scalars: LineWriter::open(folder.join(layout::SCALARS))?,
            events: LineWriter::open(folder.join(layout::EVENTS))?,
            samples: LineWriter::open(samples)?,
            known_samples: known.into_iter().map(|record| record.sample.id).collect(),
            checkpoint: None,
            _live: live,
        })
    }

    /// The run's folder.
    pub fn folder(&self) -> &Path {
        &self.folder
    }

    /// Appends a line to `scalars.jsonl`.
    pub fn scalar(&mut self, record: &ScalarRecord) -> Result<(), RunError> {
        self.check_folder()?;
        self.scalars.append(&[record])
    }

    /// Appends a line to `events.jsonl`, with the time of now; `step` is the last finished one.
    pub fn event(&mut self, kind: EventKind, step: usize, reason: &str) -> Result<(), RunError> {
        self.append_event(kind, step, reason, None)
    }

    /// Appends an intervention to `events.jsonl`, and returns it as a reader will find it: JSON may round the last bit of a number.
    pub fn intervention(&mut self, step: usize, change: &Intervention) -> Result<Intervention, RunError> {
        let Intervention { field, value, before } = change;
        let reason = format!("{field} {before} → {value}");
        self.append_event(EventKind::Intervention, step, &reason, Some(change.clone()))?;
        let path = self.folder.join(layout::EVENTS);
        let json = to_json(&path, change)?;
        serde_json::from_slice(&json).map_err(|error| RunError::damaged(&path, error))
    }

    fn append_event(
        &mut self,
        kind: EventKind,
        step: usize,
        reason: &str,
        intervention: Option<Intervention>,
    ) -> Result<(), RunError> {
        self.check_folder()?;
        self.events.append(&[EventRecord {
            time: Timestamp::now().to_string(),
            step,
            kind,
            reason: reason.to_owned(),
            intervention,
        }])
    }

    /// Lines can be appended to a file that was deleted, and nobody would notice.
    fn check_folder(&self) -> Result<(), RunError> {
        if self.folder.join(layout::MANIFEST).exists() {
            return Ok(());
        }
        Err(RunError::Gone {
            folder: self.folder.clone(),
        })
    }

    /// Writes `probes/chunks.json`: the chunks whose vectors are watched, in the row order of every later probe.
    pub fn probe_chunks(&mut self, chunks: &[Chunk]) -> Result<(), RunError> {
        write_json(&layout::probe_chunks(&self.folder), chunks)
    }

    /// Writes `probes/step-N.safetensors`.
    pub fn probe(&mut self, probe: &ProbeRecord) -> Result<(), RunError> {
        files::write_probe(&layout::probe(&self.folder, probe.step), probe)
    }

    /// Adds the samples that `evaluations/samples.jsonl` does not have yet, told apart by their id.
    pub fn samples(&mut self, samples: &[SampleRecord]) -> Result<(), RunError> {
        let mut ids = HashSet::new();
        let new: Vec<&SampleRecord> = samples
            .iter()
            .filter(|record| !self.known_samples.contains(&record.sample.id) && ids.insert(&record.sample.id))
            .collect();
        if new.is_empty() {
            return Ok(());
        }
        self.samples.append(&new)?;
        self.known_samples.extend(ids.into_iter().cloned());
        Ok(())
    }

    /// Writes one evaluation: its completions, then its summary. An earlier one of the same step and split is replaced.
    pub fn evaluation(
        &mut self,
        summary: &EvaluationSummary,
        completions: &[CompletionRecord],
    ) -> Result<(), RunError> {
        let path = |extension| layout::evaluation(&self.folder, summary.step, summary.split, extension);
        let mut lines = Vec::new();
        for record in completions {
            lines.extend(to_json(&path("jsonl"), record)?);
            lines.push(b'\n');
        }
        files::write_whole(&path("jsonl"), &lines)?;
        write_json(&path("json"), summary)
    }

    /// Begins to write `checkpoints/step-N.safetensors`: named tensors (name, shape, row-major values) and text beside them.
    ///
    /// A thread of its own writes it; [`Self::settle`] says what came of it. One that is still being written is waited for.
    pub fn checkpoint(
        &mut self,
        step: usize,
        tensors: Vec<NamedTensor>,
        metadata: BTreeMap<String, String>,
        reason: &str,
    ) -> Result<(), RunError> {
        self.settle(true)?;
        let path = layout::checkpoint(&self.folder, step);
        let write = {
            let path = path.clone();
            move || files::write_tensors(&path, &tensors, metadata)
        };
        let thread = std::thread::Builder::new().name("checkpoint".into());
        self.checkpoint = Some(Checkpointing {
            step,
            reason: reason.to_owned(),
            thread: thread.spawn(write).map_err(RunError::write(&path))?,
        });
        Ok(())
    }

    /// Notes a checkpoint that has come to its end in `events.jsonl`, or says why there is none; with `wait`, waits for its end.
    /// Returns whether there is a new one.
    pub fn settle(&mut self, wait: bool) -> Result<bool, RunError> {
        let ended = |one: &mut Checkpointing| wait || one.thread.is_finished();
        let Some(Checkpointing { step, reason, thread }) = self.checkpoint.take_if(ended) else {
            return Ok(false);
        };
        let path = layout::checkpoint(&self.folder, step);
        let panicked = |_| Err(RunError::write(&path)(std::io::Error::other("its writer broke off")));
        thread.join().unwrap_or_else(panicked)?;
        self.event(EventKind::Checkpoint, step, &reason)?;
        Ok(true)
    }

    /// Deletes the checkpoints that no rule of the schedule keeps.
    pub fn prune(&self, schedule: &Schedule) -> Result<(), RunError> {
        retention::prune(&self.folder, schedule)
    }
}

impl Drop for RunWriter {
    /// Nothing writes the folder any more when its lock is let go.
    fn drop(&mut self) {
        if let Some(checkpoint) = self.checkpoint.take() {
            checkpoint.thread.join().ok();
        }
    }
}

/// Makes the first folder of this name that nobody else has; `create_dir` decides races.
pub(super) fn claim_folder(runs_dir: &Path, name: &str) -> Result<PathBuf, RunError> {
    let base = format!("{}-{name}", ZonedDateTime::now().date());
    for number in 1.. {
        let folder = match number {
            1 => runs_dir.join(&base),
            _ => runs_dir.join(format!("{base}-{number}")),
        };
        match fs::create_dir(&folder) {
            Ok(()) => return Ok(folder),
            Err(error) if error.kind() == std::io::ErrorKind::AlreadyExists => {}
            Err(error) => return Err(RunError::write(&folder)(error)),
        }
    }
    Err(RunError::Busy {
        folder: runs_dir.to_owned(),
    })
}

pub(super) fn to_json<T: Serialize + ?Sized>(path: &Path, value: &T) -> Result<Vec<u8>, RunError> {
    serde_json::to_vec(value).map_err(|error| RunError::Shape {
        path: path.to_owned(),
        message: error.to_string(),
    })
}

pub(super) fn write_json<T: Serialize + ?Sized>(path: &Path, value: &T) -> Result<(), RunError> {
    files::write_whole(path, &to_json(path, value)?)
}
