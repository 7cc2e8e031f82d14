//! Reads evaluations when they are asked for: small ones at once, large ones in a thread, so that the window goes on.

use std::path::PathBuf;
use std::sync::Arc;

use super::compare_data::Evaluation;
use crate::app::{OpenRun, Reading};
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
    reading: Option<(Key, Reading<Evaluation>)>,
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
            Some((key, mut reading)) if is_same(&key) => {
                reading.poll();
                match reading {
                    Reading::Here(evaluation) => Ok(evaluation),
                    Reading::Failed(reason) => Err(reason),
                    Reading::Unasked | Reading::Awaited(_) => {
                        self.reading = Some((key, reading));
                        return Err(Unread::Reading);
                    }
                }
            }
            _ => {
                let (folder, summary) = (run.folder.clone(), summary.clone());
                match run.completed(summary.step, summary.split) {
                    Ok(completed) => {
                        let large = completed.bytes() > AT_ONCE;
                        let read = move || Evaluation::read(&folder, &summary, &completed);
                        if large {
                            self.reading = Some((key(), Reading::start("evaluation", ctx, read)));
                            return Err(Unread::Reading);
                        }
                        read().map_err(|error| error.to_string())
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
