//! A report being written: it reads whole runs, and so a thread of its own does it.

use std::path::PathBuf;
use std::sync::Arc;

use egui::mutex::Mutex;

use super::state::AppState;
use crate::engine::Severity;
use crate::ui::report::{default_path, write_report};

/// The thread that writes, and what became of it.
#[derive(Default)]
pub struct ReportWork {
    busy: bool,
    outcome: Arc<Mutex<Option<Result<PathBuf, String>>>>,
}

impl ReportWork {
    /// A report is being written.
    pub fn is_busy(&self) -> bool {
        self.busy
    }
}

impl AppState {
    /// Writes a report of the run in focus and those drawn over it.
    pub fn write_report(&mut self, ctx: &egui::Context) {
        let folders: Vec<PathBuf> = self.shown_runs().map(|open| open.run().folder.clone()).collect();
        let path = default_path(&folders);
        let (outcome, ctx) = (Arc::clone(&self.report.outcome), ctx.clone());
        let work = move || {
            let written = write_report(&folders, &path).map(|()| path);
            *outcome.lock() = Some(written.map_err(|error| error.to_string()));
            ctx.request_repaint();
        };
        match std::thread::Builder::new().name("report".into()).spawn(work) {
            Ok(_) => {
                self.report.busy = true;
                self.tell(Severity::Info, "writing the report".into(), None);
            }
            Err(error) => self.tell(Severity::Error, format!("cannot write the report: {error}"), None),
        }
    }

    /// Tells what became of the report; returns whether there was anything to tell.
    pub fn poll_report(&mut self) -> bool {
        let Some(outcome) = self.report.outcome.lock().take() else {
            return false;
        };
        self.report.busy = false;
        match outcome {
            Ok(path) => self.tell(
                Severity::Info,
                format!("the report is written: {}", path.display()),
                None,
            ),
            Err(reason) => self.tell(Severity::Error, reason, None),
        }
        true
    }
}
