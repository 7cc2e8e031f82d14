//! The panes of every station: the parts that can be moved.

use serde::{Deserialize, Serialize};

use super::pages::Station;

/// A part of a station that can be moved.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, strum::EnumIter)]
pub enum Pane {
    /// Train: the form.
    Experiment,
    /// Train: the charts of the run.
    Curves,
    /// Collapse: histograms and what stands below them.
    Charts,
    /// Collapse: the instruments.
    Instruments,
    /// Collapse: what is behind the choice.
    Drawer,
    /// Compare: the table of samples.
    Samples,
    /// Compare: the chosen sample, arm beside arm.
    Sample,
    /// Retrieve: the list of samples.
    Queries,
    /// Retrieve: what was found for the chosen one.
    Retrieved,
    /// Play: the files of the repository.
    Files,
    /// Play: the file that is edited.
    Editor,
    /// Play: what the arms write.
    Completions,
    /// Play: the chunks that were found.
    Chunks,
    /// Cost: quality against cost.
    Tradeoff,
    /// Cost: the numbers beneath.
    Numbers,
    /// Runs: the table.
    Runs,
    /// Runs: the chosen ones beside each other.
    Chosen,
}

impl Pane {
    /// The station that it belongs to.
    pub fn station(self) -> Station {
        match self {
            Self::Experiment | Self::Curves => Station::Train,
            Self::Charts | Self::Instruments | Self::Drawer => Station::Collapse,
            Self::Samples | Self::Sample => Station::Compare,
            Self::Queries | Self::Retrieved => Station::Retrieve,
            Self::Files | Self::Editor | Self::Completions | Self::Chunks => Station::Play,
            Self::Tradeoff | Self::Numbers => Station::Cost,
            Self::Runs | Self::Chosen => Station::Runs,
        }
    }

    /// Width below which what stands in it is cut, points.
    pub fn least_width(self) -> f32 {
        match self {
            Self::Experiment => 310.0,
            Self::Instruments => 370.0,
            Self::Samples | Self::Queries => 250.0,
            _ => 120.0,
        }
    }

    /// What a tab, and what a screen reader, calls it.
    pub fn name(self) -> &'static str {
        match self {
            Self::Experiment => "experiment",
            Self::Curves => "curves",
            Self::Charts => "charts",
            Self::Instruments => "instruments",
            Self::Drawer => "behind the choice",
            Self::Samples => "samples",
            Self::Sample => "chosen sample",
            Self::Queries => "samples",
            Self::Retrieved => "retrieved chunks",
            Self::Files => "files",
            Self::Editor => "editor",
            Self::Completions => "completions",
            Self::Chunks => "chunks",
            Self::Tradeoff => "quality against cost",
            Self::Numbers => "numbers",
            Self::Runs => "table of runs",
            Self::Chosen => "chosen runs",
        }
    }
}
