//! Writing a run: every line and every file is whole on disk before the call returns.

use std::collections::{BTreeMap, HashSet};
use std::fs::{self, File};
use std::path::{Path, PathBuf};

use jiff::{Timestamp, ZonedDateTime};
use serde::Serialize;

use super::files::{self, NamedTensor};
use super::lines::{LineReader, LineWriter};
use super::{
    EventKind, EventRecord, Manifest, ProbeRecord, RunError, SampleRecord, ScalarRecord, checked_manifest, layout, live,
};
use crate::corpus::Chunk;
use crate::evaluation::{CompletionRecord, EvaluationSummary};
use crate::experiment::Experiment;

/// The one writer of a run folder. While it lives, the run counts as running and no second writer can open it.
pub struct RunWriter {
    folder: PathBuf,
    scalars: LineWriter,
    events: LineWriter,
    samples: LineWriter,
    known_samples: HashSet<String>,
    _live: File,
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
            _live: live,
        })
    }

    /// The run's folder.
    pub fn folder(&self) -> &Path {
        &self.folder
    }

    /// Appends a line to `scalars.jsonl`.
    pub fn scalar(&mut self, record: &ScalarRecord) -> Result<(), RunError> {
        self.scalars.append(&[record])
    }

    /// Appends a line to `events.jsonl`, with the time of now; `step` is the last finished one.
    pub fn event(&mut self, kind: EventKind, step: usize, reason: &str) -> Result<(), RunError> {
        self.events.append(&[EventRecord {
            time: Timestamp::now().to_string(),
            step,
            kind,
            reason: reason.to_owned(),
        }])
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

    /// Writes `checkpoints/step-N.safetensors`: named tensors (name, shape, row-major values) and text beside them.
    pub fn checkpoint(
        &mut self,
        step: usize,
        tensors: &[NamedTensor],
        metadata: BTreeMap<String, String>,
    ) -> Result<(), RunError> {
        files::write_tensors(&layout::checkpoint(&self.folder, step), tensors, metadata)
    }
}

/// Makes the first folder of this name that nobody else has; `create_dir` decides races.
fn claim_folder(runs_dir: &Path, name: &str) -> Result<PathBuf, RunError> {
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

fn to_json<T: Serialize + ?Sized>(path: &Path, value: &T) -> Result<Vec<u8>, RunError> {
    serde_json::to_vec(value).map_err(|error| RunError::Shape {
        path: path.to_owned(),
        message: error.to_string(),
    })
}

fn write_json<T: Serialize + ?Sized>(path: &Path, value: &T) -> Result<(), RunError> {
    files::write_whole(path, &to_json(path, value)?)
}
