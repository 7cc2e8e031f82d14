//! What the table of runs says of each run, read in the background: a folder of hundreds of runs is listed at once.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::SystemTime;

use egui::mutex::Mutex;

use super::editor::field_texts;
use super::fields::{self, Field};
use crate::collapse::{AlarmKind, instruments};
use crate::corpus::Split;
use crate::evaluation::EvaluationSummary;
use crate::runs::{EventKind, Run, RunEntry, live_events};

/// Runs read between two frames.
const REPAINT_EVERY: usize = 16;

/// A run in the numbers that runs are compared by.
#[derive(Clone, Debug, PartialEq)]
pub struct RunDigest {
    /// Every field of its experiment as text.
    pub settings: BTreeMap<&'static str, String>,
    /// Its newest evaluation on the validation split.
    pub validation: Option<EvaluationSummary>,
    /// Its newest evaluation on the test split.
    pub test: Option<EvaluationSummary>,
    /// Mean cosine of the projected vectors at the newest probe, −1 to 1.
    pub mean_cosine: Option<f64>,
    /// Effective rank of the projected vectors at the newest probe, from 1.
    pub effective_rank: Option<f64>,
    /// Alarms raised, those that were cleared counted.
    pub alarms: usize,
    /// Alarms that stand, with what was seen.
    pub standing: Vec<(AlarmKind, String)>,
}

impl RunDigest {
    /// Of a run as it stands.
    pub fn of(run: &Run) -> Self {
        let newest = |split: Split| {
            let of_split = run.evaluations.iter().filter(|summary| summary.split == split);
            of_split.max_by_key(|summary| summary.step).cloned()
        };
        let probe = run.probe_steps.last().and_then(|step| run.probe(*step).ok());
        let projected = probe
            .as_ref()
            .and_then(|probe| probe.projected_vectors().ok())
            .map(|vectors| instruments(&vectors));
        let raised = |kind: EventKind| matches!(kind, EventKind::AlarmRaised(_));
        let standing = run.standing_alarms().into_iter();
        Self {
            settings: field_texts(&run.experiment),
            validation: newest(Split::Validation),
            test: newest(Split::Test),
            mean_cosine: projected.as_ref().map(|values| values.mean_cosine),
            effective_rank: projected.as_ref().map(|values| values.rankme),
            alarms: live_events(&run.events)
                .iter()
                .filter(|event| raised(event.kind))
                .count(),
            standing: standing.map(|(kind, event)| (kind, event.reason.clone())).collect(),
        }
    }
}

/// Digests by folder of the run.
#[derive(Default)]
pub struct Digests {
    shared: Arc<Mutex<Shared>>,
}

#[derive(Default)]
struct Shared {
    known: BTreeMap<PathBuf, (Stamp, Option<Arc<RunDigest>>)>,
    /// Runs that are still to be read.
    left: usize,
    busy: bool,
    generation: u64,
}

/// When anything in a run's folder changed last, and how much is in it.
type Stamp = (Option<SystemTime>, u64);

impl Digests {
    /// What is known of a run; none while it has not been read, or cannot be.
    pub fn get(&self, folder: &Path) -> Option<Arc<RunDigest>> {
        self.shared.lock().known.get(folder)?.1.clone()
    }

    /// Runs that are still to be read.
    pub fn left(&self) -> usize {
        self.shared.lock().left
    }

    /// Counts the changes; whoever derives something from digests keeps it under this number.
    pub fn generation(&self) -> u64 {
        self.shared.lock().generation
    }

    /// Reads the runs that changed since the last look, in a thread of its own; nothing while one is at work.
    pub fn look(&self, runs: &[RunEntry], ctx: &egui::Context) {
        let mut shared = self.shared.lock();
        if shared.busy {
            return;
        }
        let usable = runs.iter().filter(|run| run.error.is_none());
        let folders: Vec<PathBuf> = usable.map(|run| run.folder.clone()).collect();
        if folders.is_empty() && shared.known.is_empty() {
            return;
        }
        shared.busy = true;
        // Work that never starts locks it too, when it is dropped.
        drop(shared);
        let work = Work {
            folders,
            shared: Arc::clone(&self.shared),
            ctx: ctx.clone(),
            changed: false,
        };
        let thread = std::thread::Builder::new().name("run-digests".into());
        // Without a thread the table has fewer columns filled; the next look tries again.
        thread.spawn(move || work.run()).ok();
    }

    /// The fields in which runs differ from each other, in the order of the form; the name is told apart anyway.
    pub fn differing(&self, runs: &[RunEntry]) -> Vec<&'static Field> {
        let shared = self.shared.lock();
        let known = |run: &RunEntry| shared.known.get(&run.folder)?.1.clone();
        let digests: Vec<Arc<RunDigest>> = runs.iter().filter_map(known).collect();
        let Some((first, others)) = digests.split_first() else {
            return Vec::new();
        };
        let differs = |field: &&Field| {
            let value = first.settings.get(field.key);
            others.iter().any(|other| other.settings.get(field.key) != value)
        };
        fields::all()
            .filter(|field| field.key != "name")
            .filter(differs)
            .collect()
    }
}

/// The runs that a thread looks at; dropped, however it ends, it makes room for the next.
struct Work {
    folders: Vec<PathBuf>,
    shared: Arc<Mutex<Shared>>,
    ctx: egui::Context,
    changed: bool,
}

impl Drop for Work {
    fn drop(&mut self) {
        let mut shared = self.shared.lock();
        shared.busy = false;
        shared.left = 0;
        if self.changed {
            self.ctx.request_repaint();
        }
    }
}

impl Work {
    fn run(mut self) {
        let folders = std::mem::take(&mut self.folders).into_iter();
        let stamps: BTreeMap<PathBuf, Stamp> = folders.map(|folder| (folder.clone(), stamp(&folder))).collect();
        let mut shared = self.shared.lock();
        shared.known.retain(|folder, _| stamps.contains_key(folder));
        let is_new = |folder: &PathBuf, stamp: &Stamp| shared.known.get(folder).is_none_or(|(known, _)| known != stamp);
        let changed: Vec<(PathBuf, Stamp)> = stamps
            .into_iter()
            .filter(|(folder, stamp)| is_new(folder, stamp))
            .collect();
        shared.left = changed.len();
        drop(shared);
        self.changed = !changed.is_empty();
        for (folder, stamp) in changed {
            // Nobody else holds it: the window is closed.
            if Arc::strong_count(&self.shared) == 1 {
                return;
            }
            let digest = Run::open(&folder).ok().map(|run| Arc::new(RunDigest::of(&run)));
            let mut shared = self.shared.lock();
            shared.known.insert(folder, (stamp, digest));
            shared.left = shared.left.saturating_sub(1);
            shared.generation += 1;
            if shared.left.is_multiple_of(REPAINT_EVERY) {
                self.ctx.request_repaint();
            }
        }
    }
}

fn stamp(folder: &Path) -> Stamp {
    let entries = fs::read_dir(folder).into_iter().flatten().flatten();
    let metadata = entries.filter_map(|entry| entry.metadata().ok());
    metadata.fold((None, 0), |(newest, size), one| {
        (newest.max(one.modified().ok()), size + one.len())
    })
}
