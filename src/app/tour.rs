//! The guided tour: a few stations one after the other, each with what is to be seen and a sentence about it.

use std::path::PathBuf;

use super::pages::{RunsPage, Selection, Station};
use super::review::ReviewAction;
use super::state::AppState;
use super::tour_stops::stops;
use crate::corpus::Split;
use crate::engine::Severity;

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
#[derive(Clone, Debug, PartialEq)]
pub struct Tour {
    stops: Vec<Stop>,
    at: usize,
}

impl Tour {
    /// The stop that is shown, its number from 1, and how many there are.
    pub fn now(&self) -> Option<(&Stop, usize, usize)> {
        Some((self.stops.get(self.at)?, self.at + 1, self.stops.len()))
    }
}

impl AppState {
    /// Begins a tour of the recordings, or of the runs that are shown when the run in focus is none of them.
    pub fn begin_tour(&mut self) {
        let of_ones_own = self.focus.as_deref().is_some_and(|run| !self.recorded.holds(run));
        if !of_ones_own && !self.unpack_recordings() {
            return;
        }
        let runs: Vec<PathBuf> = if of_ones_own {
            self.shown_runs().map(|open| open.run().folder.clone()).collect()
        } else {
            let recorded = self.list_runs().into_iter().map(|run| run.folder);
            recorded.filter(|folder| self.recorded.holds(folder)).collect()
        };
        let stops = stops(&runs);
        if stops.is_empty() {
            let text = "there is nothing to show yet: no run has steps, probes or an evaluation";
            self.tell(Severity::Warning, text.into(), None);
            return;
        }
        self.tour = Some(Tour { stops, at: 0 });
        self.show_stop();
    }

    /// Goes on with the tour, back, or ends it.
    pub fn move_tour(&mut self, to: TourMove) {
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

    fn show_stop(&mut self) {
        let Some(stop) = self.tour.as_ref().and_then(|tour| Some(tour.now()?.0.clone())) else {
            return;
        };
        self.act_on_review(ReviewAction::Close);
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
