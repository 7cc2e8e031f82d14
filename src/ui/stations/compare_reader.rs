//! Reads evaluations when they are asked for: small ones at once, large ones in a thread, so that the window goes on.

use std::path::PathBuf;
use std::sync::Arc;
use std::sync::mpsc::{Receiver, TryRecvError, channel};

use super::compare_data::Evaluation;
use crate::app::OpenRun;
use crate::evaluation::EvaluationSummary;

/// Bytes that are read within a frame.
const AT_ONCE: u64 = 2_000_000;

/// Why there is no evaluation to show.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
pub enum Unread {
    /// A thread reads it.
    #[error("Reading the completions of this evaluation…")]
    Reading,
    /// It cannot be read.
    #[error("{0}")]
    Failed(String),
}

/// Reads an evaluation when it is another one than before.
#[derive(Default)]
pub struct EvaluationReader {
    evaluation: Option<Arc<Evaluation>>,
    failed: Option<(Key, String)>,
    reading: Option<(Key, Receiver<Result<Evaluation, String>>)>,
}

/// An evaluation as it stood; a failed one is tried again when the run has changed.
#[derive(Clone, Debug, PartialEq)]
struct Key {
    folder: PathBuf,
    generation: u64,
    summary: EvaluationSummary,
}

impl EvaluationReader {
    /// The evaluation, or why there is none.
    pub fn read(
        &mut self,
        ctx: &egui::Context,
        open: &OpenRun,
        summary: &EvaluationSummary,
    ) -> Result<Arc<Evaluation>, Unread> {
        let run = open.run();
        if let Some(evaluation) = self.evaluation.as_ref().filter(|one| one.is_of(run, summary)) {
            return Ok(Arc::clone(evaluation));
        }
        let is_known =
            |key: &Key| key.folder == run.folder && key.generation == open.generation && key.summary == *summary;
        if let Some((_, reason)) = self.failed.as_ref().filter(|(key, _)| is_known(key)) {
            return Err(Unread::Failed(reason.clone()));
        }
        let key = || Key {
            folder: run.folder.clone(),
            generation: open.generation,
            summary: summary.clone(),
        };
        let is_same = |key: &Key| key.folder == run.folder && key.summary == *summary;
        let arrived = match self.reading.take() {
            Some((key, receiver)) if is_same(&key) => match receiver.try_recv() {
                Ok(read) => read,
                Err(TryRecvError::Empty) => {
                    self.reading = Some((key, receiver));
                    return Err(Unread::Reading);
                }
                Err(TryRecvError::Disconnected) => Err("the thread that read it ended".to_owned()),
            },
            _ => {
                let (folder, summary) = (run.folder.clone(), summary.clone());
                match run.completed(summary.step, summary.split) {
                    Ok(completed) => {
                        let large = completed.bytes() > AT_ONCE;
                        let read = move || Evaluation::read(&folder, &summary, &completed);
                        let read = move || read().map_err(|error| error.to_string());
                        if large {
                            self.reading = Some((key(), in_thread(ctx, read)));
                            return Err(Unread::Reading);
                        }
                        read()
                    }
                    Err(error) => Err(error.to_string()),
                }
            }
        };
        match arrived {
            Ok(evaluation) => {
                self.failed = None;
                Ok(Arc::clone(self.evaluation.insert(Arc::new(evaluation))))
            }
            Err(reason) => {
                self.failed = Some((key(), reason.clone()));
                Err(Unread::Failed(reason))
            }
        }
    }
}

/// Does something in a thread of its own, and wakes the window when it is done.
fn in_thread<T: Send + 'static>(ctx: &egui::Context, work: impl FnOnce() -> T + Send + 'static) -> Receiver<T> {
    let (sender, receiver) = channel();
    let ctx = ctx.clone();
    std::thread::spawn(move || {
        // Nobody waits any more when another evaluation was chosen.
        sender.send(work()).ok();
        ctx.request_repaint();
    });
    receiver
}
