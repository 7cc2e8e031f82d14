//! A fetch beside the worker: it waits for the network, not for the device.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::JoinHandle;

use super::reply::Reply;
use super::{Event, Progress, Severity};
use crate::models::catalogue::{self, Store};

/// A fetch in progress; dropping it cancels it and waits until nothing half-written is left.
pub(super) struct FetchJob {
    cancel: Arc<AtomicBool>,
    thread: Option<JoinHandle<()>>,
}

impl FetchJob {
    /// Starts to get `ids`, all defaults when empty.
    pub fn start(store: Store, ids: Vec<String>, reply: Reply) -> Option<Self> {
        let cancel = Arc::new(AtomicBool::new(false));
        let cancelled = Arc::clone(&cancel);
        let told = reply.clone();
        let thread = std::thread::Builder::new()
            .name("fetch".into())
            .spawn(move || fetch(&store, &ids, &cancelled, &reply));
        match thread {
            Ok(thread) => Some(Self {
                cancel,
                thread: Some(thread),
            }),
            Err(error) => {
                told.notice(Severity::Error, format!("the fetch could not start: {error}"));
                None
            }
        }
    }
}

impl Drop for FetchJob {
    fn drop(&mut self) {
        self.cancel.store(true, Ordering::Relaxed);
        if let Some(thread) = self.thread.take() {
            thread.join().ok();
        }
    }
}

fn fetch(store: &Store, ids: &[String], cancel: &AtomicBool, reply: &Reply) {
    let ids: Vec<&str> = if ids.is_empty() {
        catalogue::defaults()
    } else {
        ids.iter().map(String::as_str).collect()
    };
    let mut on_progress = |progress: catalogue::FetchProgress| {
        let task = format!("getting {}", progress.file);
        reply.send(Event::FetchProgress(Some(Progress {
            task,
            done: progress.done,
            total: progress.total,
            unit: "bytes",
        })));
    };
    let result = catalogue::fetch(store, &ids, &mut on_progress, cancel);
    reply.send(Event::FetchProgress(None));
    if let Err(error) = result
        && !cancel.load(Ordering::Relaxed)
    {
        reply.send(Event::Failed {
            message: error.to_string(),
            bad_input: false,
        });
    }
    let missing = store.missing(&ids).into_iter().map(|entry| entry.id.clone()).collect();
    reply.send(Event::Fetched { missing });
}
