//! Reading a run as it grows.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::time::SystemTime;

use super::lines::LineReader;
use super::{Run, RunError, checked_manifest, layout, live, read_experiment, rewind};

/// Reads a run that another process, or another thread, is writing: each poll reads only what is new.
#[derive(Clone, Debug)]
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
                abandoned: Vec::new(),
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

    /// The run as of the last poll, with a warning for each last line that is torn and that nobody is there to finish.
    pub(super) fn finish(mut self) -> Run {
        if !live::is_held(&self.run.folder) {
            let torn = [self.scalars.torn_warning(), self.events.torn_warning()];
            self.run.warnings.extend(torn.into_iter().flatten());
        }
        self.run
    }

    /// The run as of the last poll.
    pub fn run(&self) -> &Run {
        &self.run
    }

    /// Reads what is new, and says whether there was anything. A half-written last line is left for the next poll.
    pub fn poll(&mut self) -> Result<bool, RunError> {
        if self.scalars.replaced() || self.events.replaced() {
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
        for path in rewind::abandoned_scalars(&self.run.folder).skip(self.run.abandoned.len()) {
            self.run.abandoned.push(LineReader::new(path).read(warnings)?);
            changed = true;
        }
        let probes = layout::tensor_steps(&self.run.folder.join(layout::PROBES));
        let checkpoints = layout::tensor_steps(&self.run.folder.join(layout::CHECKPOINTS));
        changed |= probes != self.run.probe_steps || checkpoints != self.run.checkpoint_steps;
        self.run.probe_steps = probes;
        self.run.checkpoint_steps = checkpoints;
        Ok(self.poll_evaluations() || changed)
    }

    fn poll_evaluations(&mut self) -> bool {
        let mut changed = false;
        for entry in layout::entries(&self.run.folder.join(layout::EVALUATIONS)) {
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
