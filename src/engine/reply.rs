//! The worker's voice.

use std::sync::Arc;

use crossbeam_channel::Sender;

use super::{Event, Progress, Severity};

/// Sends events and wakes whoever reads them.
#[derive(Clone)]
pub(super) struct Reply {
    events: Sender<Event>,
    wake: Arc<dyn Fn() + Send + Sync>,
}

impl Reply {
    pub fn new(events: Sender<Event>, wake: Arc<dyn Fn() + Send + Sync>) -> Self {
        Self { events, wake }
    }

    pub fn send(&self, event: Event) {
        // Nobody listens any more when the window is gone; the run folder has everything that matters.
        if self.events.send(event).is_ok() {
            (self.wake)();
        }
    }

    pub fn notice(&self, severity: Severity, text: impl Into<String>) {
        self.send(Event::Notice(severity, text.into()));
    }

    pub fn progress(&self, task: impl Into<String>, done: usize, total: usize, unit: &'static str) {
        self.send(Event::Progress(Some(Progress {
            task: task.into(),
            done: done as u64,
            total: total as u64,
            unit,
        })));
    }
}
