//! Reads what runs have written since the last look: those the engine names at once, those of other processes every second.

use std::path::Path;

use super::notices::Target;
use super::pages::Station;
use super::state::{AppState, OpenRun};
use crate::engine::Severity;
use crate::runs::{self, EventKind, EventRecord, RunFollower, RunStatus};

impl AppState {
    /// Reads new lines of runs. With `all`, also of runs that nobody announced: other processes write them.
    /// Returns whether anything changed.
    pub fn poll_runs(&mut self, all: bool) -> bool {
        let mut changed = false;
        if std::mem::take(&mut self.runs_stale) {
            self.runs = self.list_runs();
            changed = true;
        }
        if let Some(folder) = self.focus.clone()
            && !self.open_runs.contains_key(&folder)
        {
            changed = true;
            if !self.open(&folder) {
                self.focus = None;
            }
        }
        let mut news = Vec::new();
        for (folder, open) in &mut self.open_runs {
            if !(open.stale || all) {
                continue;
            }
            let growing = open.run().status() == RunStatus::Running;
            if !(open.stale || growing || open.growing) {
                continue;
            }
            open.growing = growing;
            open.stale = false;
            match open.follower.poll() {
                Ok(grown) => {
                    changed |= grown;
                    open.generation += u64::from(grown);
                    open.error = None;
                    let warnings = &open.follower.run().warnings;
                    let new = warnings.get(open.told..).unwrap_or_default();
                    news.extend(new.iter().map(|warning| (Severity::Warning, warning.clone(), None)));
                    open.told = warnings.len();
                    let events = &open.follower.run().events;
                    let new = events.get(open.heard..).unwrap_or_default();
                    news.extend(new.iter().filter_map(|event| alarm_notice(folder, event)));
                    open.heard = events.len();
                }
                Err(error) => {
                    let text = format!("{}: {error}", runs::name_of(folder));
                    if open.error.replace(text.clone()).as_ref() != Some(&text) {
                        news.push((Severity::Error, text, None));
                    }
                }
            }
            let status = open.run().status();
            changed |= status != open.status;
            open.status = status;
        }
        changed |= !news.is_empty();
        for (severity, text, target) in news {
            self.tell(severity, text, target);
        }
        changed
    }

    /// Some open run was being written when it was last read, so it is worth looking again.
    pub fn has_growing_run(&self) -> bool {
        self.open_runs.values().any(|open| open.growing)
    }

    /// Draws a run over the one in focus, or no longer.
    pub fn toggle_overlay(&mut self, folder: &Path) {
        if let Some(open) = self.open_runs.get_mut(folder) {
            open.overlaid = !open.overlaid;
            if !open.overlaid && self.focus.as_deref() != Some(folder) {
                self.open_runs.remove(folder);
            }
        } else if self.open(folder)
            && let Some(open) = self.open_runs.get_mut(folder)
        {
            open.overlaid = true;
        }
    }

    /// Draws a run in another sign; the run that has it takes this one's.
    pub fn set_sign(&mut self, folder: &Path, sign: usize) {
        let Some(before) = self.open_runs.get(folder).map(|open| open.sign) else {
            return;
        };
        for (path, open) in &mut self.open_runs {
            if path == folder {
                open.sign = sign;
            } else if open.sign == sign {
                open.sign = before;
            }
            self.run_signs.insert(path.clone(), open.sign);
        }
    }

    /// The sign that a run had last, or else the first one that no open run has.
    fn free_sign(&mut self, folder: &Path) -> usize {
        let taken = |sign: &usize| self.open_runs.values().any(|open| open.sign == *sign);
        let last = self.run_signs.get(folder).copied().filter(|sign| !taken(sign));
        let sign = last
            .or_else(|| (0..=self.open_runs.len()).find(|sign| !taken(sign)))
            .unwrap_or_default();
        self.run_signs.insert(folder.to_owned(), sign);
        sign
    }

    /// Reads a run; tells why when it cannot be read.
    fn open(&mut self, folder: &Path) -> bool {
        let read = self.tour.as_ref().and_then(|tour| tour.run(folder)).cloned();
        match read.map_or_else(|| RunFollower::open(folder), Ok) {
            Ok(follower) => {
                let status = follower.run().status();
                let sign = self.free_sign(folder);
                let (told, heard) = (follower.run().warnings.len(), follower.run().events.len());
                for warning in &follower.run().warnings.clone() {
                    self.tell(Severity::Warning, warning.clone(), None);
                }
                self.open_runs.insert(
                    folder.to_owned(),
                    OpenRun {
                        follower,
                        growing: status == RunStatus::Running,
                        status,
                        told,
                        heard,
                        overlaid: false,
                        sign,
                        generation: 0,
                        stale: false,
                        error: None,
                    },
                );
                true
            }
            Err(error) => {
                self.tell(Severity::Error, error.to_string(), None);
                false
            }
        }
    }
}

/// What is told of an alarm that began or ended.
fn alarm_notice(folder: &Path, event: &EventRecord) -> Option<(Severity, String, Option<Target>)> {
    let (severity, advice) = match event.kind {
        EventKind::AlarmRaised(alarm) => (Severity::Warning, format!("; {}", alarm.advice())),
        EventKind::AlarmCleared(_) => (Severity::Info, String::new()),
        _ => return None,
    };
    let (name, what) = (runs::name_of(folder), event.kind.words());
    let text = format!("{name}: {what} at step {}: {}{advice}", event.step, event.reason);
    Some((severity, text, Some(Target::new(Station::Train, folder))))
}

#[cfg(test)]
#[expect(
    clippy::unwrap_used,
    reason = "a test that cannot write its folder has nothing to test"
)]
mod tests {
    use jiff::Timestamp;

    use super::*;
    use crate::app::Setup;
    use crate::collapse::AlarmKind;
    use crate::experiment::Experiment;
    use crate::runs::{EventKind, Manifest, RunWriter, SCHEMA_VERSION, ScalarRecord};

    fn start(runs_dir: &Path) -> RunWriter {
        let experiment = Experiment {
            name: "a".into(),
            ..Experiment::default()
        };
        let manifest = Manifest {
            schema: SCHEMA_VERSION,
            started: "2026-11-24T08:00:00Z".into(),
            ..Manifest::default()
        };
        RunWriter::create(runs_dir, &experiment, &manifest).unwrap()
    }

    fn state(runs_dir: &Path) -> AppState {
        AppState::new(runs_dir.into(), "cpu".into(), Setup::default(), Timestamp::UNIX_EPOCH)
    }

    #[test]
    fn the_last_lines_of_a_run_of_another_process_are_read() {
        let folder = tempfile::tempdir().unwrap();
        let mut writer = start(folder.path());
        let mut state = state(folder.path());
        state.focus_on(writer.folder());
        state.poll_runs(true);
        assert!(state.has_growing_run());
        writer.scalar(&ScalarRecord::default()).unwrap();
        writer.event(EventKind::End, 1, "").unwrap();
        drop(writer);
        assert!(state.poll_runs(true));
        let run = state.focused().unwrap();
        assert_eq!((&run.status, run.generation), (&RunStatus::Finished, 1));
        assert!(!state.has_growing_run() && !state.poll_runs(true));
    }

    #[test]
    fn a_line_that_cannot_be_read_is_told_when_it_comes() {
        let folder = tempfile::tempdir().unwrap();
        let mut writer = start(folder.path());
        let mut state = state(folder.path());
        state.focus_on(writer.folder());
        state.poll_runs(true);
        assert_eq!(state.notices.iter().count(), 0);
        let mut scalars = std::fs::OpenOptions::new()
            .create(true)
            .append(true)
            .open(writer.folder().join("scalars.jsonl"))
            .unwrap();
        std::io::Write::write_all(&mut scalars, b"{\"step\": oh}\n").unwrap();
        writer.event(EventKind::Pause, 0, "").unwrap();
        state.poll_runs(true);
        state.poll_runs(true);
        let told: Vec<Severity> = state.notices.iter().map(|notice| notice.severity).collect();
        assert_eq!(told, [Severity::Warning]);
    }

    #[test]
    fn alarms_that_come_are_told_with_what_to_do_and_earlier_ones_are_not() {
        let folder = tempfile::tempdir().unwrap();
        let mut writer = start(folder.path());
        let alarm = AlarmKind::RepresentationCollapse;
        writer
            .event(EventKind::AlarmRaised(AlarmKind::NoGain), 1, "before")
            .unwrap();
        let mut state = state(folder.path());
        state.focus_on(writer.folder());
        state.poll_runs(true);
        assert_eq!(state.notices.iter().count(), 0);
        writer
            .event(EventKind::AlarmRaised(alarm), 2, "mean cosine 0.93")
            .unwrap();
        writer
            .event(EventKind::AlarmCleared(alarm), 3, "mean cosine 0.41")
            .unwrap();
        state.poll_runs(true);
        state.poll_runs(true);
        let told: Vec<(Severity, &str)> = state
            .notices
            .iter()
            .map(|one| (one.severity, one.text.as_str()))
            .collect();
        assert_eq!(
            told,
            [
                (
                    Severity::Warning,
                    "a: representation collapse at step 2: mean cosine 0.93; raise objective.alignment"
                ),
                (
                    Severity::Info,
                    "a: representation collapse is over at step 3: mean cosine 0.41"
                )
            ]
        );
    }

    #[test]
    fn a_run_stays_open_while_it_is_in_focus_or_overlaid() {
        let folder = tempfile::tempdir().unwrap();
        let (first, second) = (start(folder.path()), start(folder.path()));
        let mut state = state(folder.path());
        state.focus_on(first.folder());
        state.poll_runs(false);
        state.toggle_overlay(second.folder());
        assert_eq!(state.shown_runs().count(), 2);
        state.focus_on(second.folder());
        assert_eq!(state.open_runs.keys().collect::<Vec<_>>(), [second.folder()]);
        state.toggle_overlay(second.folder());
        assert_eq!(state.shown_runs().count(), 1);
    }

    #[test]
    fn a_folder_that_is_no_run_is_told_and_not_looked_at() {
        let folder = tempfile::tempdir().unwrap();
        let mut state = state(folder.path());
        state.focus_on(folder.path());
        state.poll_runs(false);
        assert_eq!(state.focus, None);
        assert_eq!(
            state.notices.newest().map(|notice| notice.severity),
            Some(Severity::Error)
        );
    }
}
