//! Where a person is in the workbench: the page, what is looked at, how charts are drawn, what lies over the page.

use std::path::PathBuf;

use serde::{Deserialize, Serialize};

use crate::corpus::ChunkPlace;

/// A page of the workbench.
#[derive(
    Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, strum::Display, strum::EnumIter,
)]
pub enum Station {
    /// The experiment, and its curves as it trains.
    #[default]
    Train,
    /// The projected vectors beside the encoder's.
    Collapse,
    /// A sample and its completions, arm beside arm.
    Compare,
    /// A sample's query and its chunks, and how often chunks hold the name needed.
    Retrieve,
    /// A repository of one's own: edit a file, complete at the cursor.
    Play,
    /// What each arm's quality costs.
    Cost,
    /// Every run there is.
    Runs,
}

/// What the x axis of the charts counts.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, strum::Display, strum::EnumIter)]
#[strum(serialize_all = "lowercase")]
pub enum XAxis {
    /// Optimiser steps.
    #[default]
    Step,
    /// Samples seen.
    Samples,
    /// Seconds of training, pauses left out.
    Seconds,
}

/// How the charts of a run are drawn.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct ChartSettings {
    /// What the x axis counts.
    pub x: XAxis,
    /// Losses, gradient norm and learning rate on a logarithmic axis.
    pub log: bool,
    /// Weight of the past in the smoothed curves, 0 to below 1.
    pub smoothing: f64,
}

impl Default for ChartSettings {
    fn default() -> Self {
        Self {
            x: XAxis::Step,
            log: false,
            smoothing: 0.8,
        }
    }
}

/// What is looked at; the same in every chart and station.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Selection {
    /// The step that was pinned by a click; the newest one when none.
    pub step: Option<usize>,
    /// The step under the pointer.
    pub hovered_step: Option<usize>,
    /// Id of the sample.
    pub sample: Option<String>,
    /// Row of the probe set.
    pub chunk: Option<usize>,
    /// Row of the chunk that it is paired with.
    pub other: Option<usize>,
    /// The chunk that was chosen among a sample's retrieved ones, watched or not.
    pub place: Option<ChunkPlace>,
}

impl Selection {
    /// The two chunks, when both are chosen.
    pub fn pair(&self) -> Option<(usize, usize)> {
        Some((self.chunk?, self.other?))
    }
}

/// What the Runs station shows.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, strum::EnumIter)]
pub enum RunsPage {
    /// Every run, and the chosen ones beside each other.
    #[default]
    Runs,
    /// A grid of runs.
    Sweep,
}

/// What lies over the station.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Overlay {
    /// Ctrl+K.
    pub palette: bool,
    /// F1.
    pub shortcuts: bool,
    /// The drawer with every notice.
    pub log: bool,
    /// Asking for the folder of a run.
    pub open_run: bool,
    /// Asking for a sweep file.
    pub run_sweep: bool,
    /// Asking for folders to use instead of the catalogue's.
    pub folders: bool,
    /// Saved layouts.
    pub layouts: bool,
    /// Asking where every chart of the station is to be written.
    pub export: bool,
    /// Asking whether this run may go to the trash.
    pub delete: Option<PathBuf>,
}

impl Overlay {
    /// Something lies over the station and waits for an answer; the log does not.
    pub fn covers(&self) -> bool {
        let bare = Self {
            log: self.log,
            ..Self::default()
        };
        *self != bare
    }
}
