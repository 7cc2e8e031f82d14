//! The guided tour: a few stations one after the other, each with what is to be seen and a sentence about it.

use std::path::{Path, PathBuf};

use super::pages::{RunsPage, Selection, Station};
use super::reading::Reading;
use super::state::AppState;
use super::tour_read::TourRead;
use crate::corpus::Split;
use crate::engine::Severity;
use crate::runs::RunFollower;

/// A place of the tour.
#[derive(Clone, Debug, PartialEq)]
pub struct Stop {
    /// The page.
    pub station: Station,
    /// What is seen there, with the values of the runs that are shown.
    pub sentence: String,
    /// The run in focus.
    pub run: PathBuf,
    /// Runs drawn over it.
    pub over: Vec<PathBuf>,
    /// The step that is pinned.
    pub step: Option<usize>,
    /// The sample that is chosen.
    pub sample: Option<String>,
    /// The split whose evaluation is shown.
    pub split: Option<Split>,
}

/// What a person does in a tour.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TourMove {
    /// To the next station; the last one stays.
    Forward,
    /// To the one before; the first one stays.
    Back,
    /// To the end of the tour.
    End,
}

/// A tour under way.
#[derive(Debug)]
pub struct Tour {
    stops: Vec<Stop>,
    at: usize,
    runs: Vec<RunFollower>,
}

impl Tour {
    /// The stop that is shown, its number from 1, and how many there are.
    pub fn now(&self) -> Option<(&Stop, usize, usize)> {
        Some((self.stops.get(self.at)?, self.at + 1, self.stops.len()))
    }

    /// A run that was read for it.
    pub(super) fn run(&self, folder: &Path) -> Option<&RunFollower> {
        self.runs.iter().find(|follower| follower.run().folder == folder)
    }
}

impl AppState {
    /// Begins a tour of the recordings, or of the runs that are shown when the run in focus is none of them; they are read first.
    pub fn begin_tour(&mut self, ctx: &egui::Context) {
        let of_ones_own = self.focus.as_deref().is_some_and(|run| !self.recorded.holds(run));
        self.tour_read = Some(if of_ones_own {
            let runs: Vec<PathBuf> = self.shown_runs().map(|open| open.run().folder.clone()).collect();
            Reading::start("tour", ctx, move || Ok::<_, String>(TourRead::of_runs(runs)))
        } else {
            let unpacked = self.recorded.unpacked();
            Reading::start("tour", ctx, move || TourRead::of_recordings(unpacked))
        });
    }

    /// A tour is under way, or is being read.
    pub fn is_touring(&self) -> bool {
        self.tour.is_some() || self.tour_read.is_some()
    }

    /// Begins the tour once it has been read; returns whether it has.
    pub fn poll_tour(&mut self) -> bool {
        if !self.tour_read.as_mut().is_some_and(Reading::poll) {
            return false;
        }
        match self.tour_read.take() {
            Some(Reading::Here(read)) => self.take_tour(read),
            Some(Reading::Failed(reason)) => self.tell(Severity::Error, reason, None),
            _ => {}
        }
        true
    }

    fn take_tour(&mut self, read: TourRead) {
        if let Some(recordings) = read.recordings {
            self.recorded.unpacked_are(recordings);
            self.runs_stale = true;
        }
        for reason in read.unread {
            self.tell(Severity::Error, reason, None);
        }
        if read.stops.is_empty() {
            let text = "there is nothing to show yet: no run has steps, probes or an evaluation";
            self.tell(Severity::Warning, text.into(), None);
            return;
        }
        self.tour = Some(Tour {
            stops: read.stops,
            at: 0,
            runs: read.runs,
        });
        self.show_stop();
    }

    /// Goes on with the tour, back, or ends it.
    pub fn move_tour(&mut self, to: TourMove) {
        if to == TourMove::End {
            self.tour_read = None;
        }
        let Some(tour) = &mut self.tour else { return };
        match to {
            TourMove::Forward => tour.at = (tour.at + 1).min(tour.stops.len().saturating_sub(1)),
            TourMove::Back => tour.at = tour.at.saturating_sub(1),
            TourMove::End => self.tour = None,
        }
        self.show_stop();
    }

    /// The split that the tour speaks of; none without a tour.
    pub fn tour_split(&self) -> Option<Split> {
        self.tour.as_ref()?.now()?.0.split
    }

    /// The tour speaks of the station that is shown, which makes room for what it speaks of.
    pub fn is_presented(&self) -> bool {
        let stop = self.tour.as_ref().and_then(Tour::now);
        stop.is_some_and(|(stop, ..)| stop.station == self.station)
    }

    fn show_stop(&mut self) {
        let Some(stop) = self.tour.as_ref().and_then(|tour| Some(tour.now()?.0.clone())) else {
            return;
        };
        self.close_review();
        // The page that gets models may be open in the place of the station.
        self.setup.skipped = true;
        self.station = stop.station;
        self.runs_page = RunsPage::Runs;
        self.focus_on(&stop.run);
        // The run in focus is read first, so that it keeps the first sign.
        self.poll_runs(false);
        let overlaid = |state: &Self, folder| state.open_runs.get(folder).is_some_and(|open| open.overlaid);
        let open: Vec<PathBuf> = self.open_runs.keys().cloned().collect();
        for folder in open.iter().chain(&stop.over) {
            if overlaid(self, folder) != stop.over.contains(folder) {
                self.toggle_overlay(folder);
            }
        }
        self.selection = Selection {
            step: stop.step,
            sample: stop.sample,
            ..Selection::default()
        };
    }
}
