//! The recorded runs that ship with the program, beside those of the runs folder.

use std::path::Path;
use std::sync::Arc;

use jiff::Timestamp;

use super::pages::Station;
use super::state::AppState;
use crate::engine::Severity;
use crate::runs::{self, Recordings, RunEntry};

/// What is unpacked, and since when it stands in the place of the runs folder.
#[derive(Debug, Default)]
pub struct Recorded {
    unpacked: Option<Arc<Recordings>>,
    /// In a demo only what was trained since it began stands beside the recordings.
    alone_since: Option<Timestamp>,
}

impl Recorded {
    /// Whether a run is one of them.
    pub fn holds(&self, run: &Path) -> bool {
        self.folder().is_some_and(|folder| run.starts_with(folder))
    }

    /// Where they lie; none while they are not unpacked.
    pub fn folder(&self) -> Option<&Path> {
        self.unpacked.as_deref().map(Recordings::folder)
    }

    /// The recordings, when they are unpacked.
    pub(super) fn unpacked(&self) -> Option<Arc<Recordings>> {
        self.unpacked.clone()
    }

    /// They are unpacked now.
    pub(super) fn unpacked_are(&mut self, recordings: Arc<Recordings>) {
        self.unpacked = Some(recordings);
    }

    /// The window shows them instead of the runs folder.
    pub fn is_demo(&self) -> bool {
        self.alone_since.is_some()
    }
}

impl AppState {
    /// Shows recordings alone, in a guided tour.
    pub fn present(&mut self, recordings: Arc<Recordings>, ctx: &egui::Context) {
        self.recorded = Recorded {
            unpacked: Some(recordings),
            alone_since: Some(self.now),
        };
        self.setup.skipped = true;
        self.runs_stale = true;
        // The tour is of these, whatever was looked at before.
        self.focus = None;
        self.begin_tour(ctx);
    }

    /// Leaves the first page for the recorded runs.
    pub fn look_at_recordings(&mut self) {
        self.setup.skipped = true;
        self.station = Station::Runs;
        if !self.unpack_recordings() {
            self.overlay.open_run = self.runs.is_empty();
        }
    }

    /// Unpacks the recordings, unless they are here, and lists them; tells why when that fails.
    fn unpack_recordings(&mut self) -> bool {
        if self.recorded.unpacked.is_none() {
            match Recordings::shipped() {
                Ok(recordings) => self.recorded.unpacked = Some(Arc::new(recordings)),
                Err(error) => {
                    self.tell(Severity::Error, error.to_string(), None);
                    return false;
                }
            }
            self.runs_stale = true;
        }
        true
    }

    /// Every run to list: those of the runs folder and the recordings, newest first.
    pub(super) fn list_runs(&self) -> Vec<RunEntry> {
        let Recorded { alone_since, .. } = self.recorded;
        let mut listed = runs::list(&self.runs_dir);
        let started = |run: &RunEntry| run.started.parse::<Timestamp>().ok();
        listed.retain(|run| alone_since.is_none_or(|since| started(run).is_some_and(|started| started >= since)));
        listed.extend(self.recorded.folder().map(runs::list).into_iter().flatten());
        listed.sort_by_cached_key(|run| std::cmp::Reverse(started(run)));
        listed
    }
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "a failing test should panic")]
    use super::*;
    use crate::app::Setup;
    use crate::experiment::Experiment;
    use crate::runs::{Manifest, RunWriter, SCHEMA_VERSION};

    fn state(runs_dir: &Path, now: &str) -> AppState {
        AppState::new(runs_dir.into(), "cpu".into(), Setup::default(), now.parse().unwrap())
    }

    fn run(runs_dir: &Path, name: &str, started: &str) {
        let experiment = Experiment {
            name: name.into(),
            ..Experiment::default()
        };
        let manifest = Manifest {
            schema: SCHEMA_VERSION,
            started: started.into(),
            ..Manifest::default()
        };
        RunWriter::create(runs_dir, &experiment, &manifest).unwrap();
    }

    #[test]
    fn a_demo_lists_its_recordings_and_what_was_trained_since() {
        let folder = tempfile::tempdir().unwrap();
        run(folder.path(), "old", "2026-11-20T08:00:00Z");
        run(folder.path(), "new", "2026-11-24T09:30:00Z");
        let mut state = state(folder.path(), "2026-11-24T09:00:00Z");
        let names = |state: &AppState| -> Vec<String> { state.list_runs().into_iter().map(|run| run.name).collect() };
        assert_eq!(names(&state), ["new", "old"]);
        state.present(Arc::new(Recordings::shipped().unwrap()), &egui::Context::default());
        let listed = names(&state);
        assert!(listed.contains(&"new".into()) && !listed.contains(&"old".into()));
        assert!(listed.len() > 1, "no recording is listed");
    }
}
