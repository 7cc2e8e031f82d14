//! Writing every chart of a station into a folder.

use std::path::PathBuf;

use super::desktop::in_home;
use super::state::AppState;
use crate::engine::Severity;
use crate::ui::format::count;

/// The charts of a station that are written, or that somebody is asked about.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct ChartExport {
    /// The path in the field that asks where.
    pub path: String,
    /// The folder that they are being written into.
    pub folder: Option<PathBuf>,
}

impl AppState {
    /// Asks for a folder; the proposal is one of the station's own in the home folder.
    pub(super) fn ask_for_charts_folder(&mut self) {
        if self.chart_export.path.is_empty() {
            self.chart_export.path = in_home("llavacode-charts").display().to_string();
        }
        self.overlay.export = true;
    }

    /// Tells what became of the charts: so many were written, and why others were not.
    pub(super) fn charts_exported(&mut self, written: usize, failed: &[String]) {
        let Some(folder) = self.chart_export.folder.take() else {
            return;
        };
        let (severity, text) = match failed.first() {
            None if written == 0 => (Severity::Warning, "this station shows no chart now".to_owned()),
            None => (
                Severity::Info,
                format!("saved {} in {}", count(written, "chart"), folder.display()),
            ),
            Some(reason) => (
                Severity::Error,
                format!("{written} saved, {} not: {reason}", count(failed.len(), "chart")),
            ),
        };
        self.tell(severity, text, None);
    }
}
