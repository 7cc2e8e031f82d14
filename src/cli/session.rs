//! One job of the engine, followed to its end on the command line.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use clap::Args;
use crossbeam_channel::RecvTimeoutError;

use super::arguments::parse_name;
use super::interrupt::interrupt_flag;
use super::progress::ProgressLine;
use crate::engine::{Command, DeviceChoice, Engine, EngineSettings, Event, Progress, Severity, WorkerState};
use crate::models::catalogue::Store;

/// How often Ctrl-C is looked for.
const LOOK_EVERY: Duration = Duration::from_millis(200);

/// What computes.
#[derive(Clone, Args)]
pub struct DeviceArgument {
    /// What computes: auto, cpu, cuda or metal
    #[arg(long, default_value_t, value_parser = parse_name::<DeviceChoice>)]
    pub device: DeviceChoice,
}

/// Why a job did not give what was asked for.
#[derive(Debug, thiserror::Error)]
pub enum JobError {
    /// The engine said why.
    #[error("{message}")]
    Failed {
        /// In words.
        message: String,
        /// The input was wrong, rather than the machine.
        bad_input: bool,
    },
    /// Ctrl-C.
    #[error("stopped before it was done")]
    Interrupted,
}

/// An engine and the terminal that follows it.
pub struct Session {
    engine: Engine,
    interrupted: Arc<AtomicBool>,
    /// The progress line; whoever prints something else clears it first.
    pub line: ProgressLine,
}

impl Session {
    /// Starts the engine; new runs are made in `runs_dir`.
    pub fn start(runs_dir: &Path, device: &DeviceArgument) -> anyhow::Result<Self> {
        let settings = EngineSettings {
            runs_dir: PathBuf::from(runs_dir),
            device: device.device,
            store: Store::open(None)?,
        };
        Ok(Self {
            interrupted: interrupt_flag()?,
            engine: Engine::spawn(settings, || {})?,
            line: ProgressLine::new(),
        })
    }

    /// Gives an order and follows it until `on_event` returns something. Ctrl-C stops the job in order and waits for its end.
    pub fn follow<T>(
        &mut self,
        command: Command,
        mut on_event: impl FnMut(&Event, &mut ProgressLine) -> anyhow::Result<Option<T>>,
    ) -> anyhow::Result<T> {
        self.engine.send(command);
        let mut stopping = false;
        // Began, and does nothing now: when nothing more comes, the job is over without a result.
        let (mut began, mut idle) = (false, false);
        let mut trouble = None;
        loop {
            if self.interrupted.load(Ordering::Relaxed) && !stopping {
                stopping = true;
                self.line.clear();
                eprintln!("stopping after the current step; Ctrl-C again ends at once");
                self.engine.send(Command::Stop);
            }
            let event = match self.engine.events().recv_timeout(LOOK_EVERY) {
                Ok(event) => event,
                Err(RecvTimeoutError::Timeout) if !(idle && (began || stopping)) => continue,
                Err(_) if stopping => return Err(JobError::Interrupted.into()),
                Err(_) => {
                    let message = trouble.unwrap_or_else(|| "the job ended without a result".to_owned());
                    let failed = JobError::Failed {
                        message,
                        bad_input: false,
                    };
                    return Err(failed.into());
                }
            };
            match &event {
                Event::Progress(Some(progress)) => self.line.show(&progress_text(progress)),
                Event::State(state) => {
                    idle = *state == WorkerState::Idle;
                    began |= !idle;
                }
                Event::Failed { message, bad_input } => {
                    self.line.clear();
                    let (message, bad_input) = (message.clone(), *bad_input);
                    return Err(JobError::Failed { message, bad_input }.into());
                }
                Event::Notice(severity, text) => {
                    self.line.clear();
                    eprintln!("{severity}: {text}");
                    if *severity == Severity::Error {
                        began = true;
                        trouble = Some(text.clone());
                    }
                }
                _ => {}
            }
            if let Some(result) = on_event(&event, &mut self.line)? {
                self.line.clear();
                return Ok(result);
            }
        }
    }
}

fn progress_text(progress: &Progress) -> String {
    let Progress {
        task,
        done,
        total,
        unit,
    } = progress;
    match total {
        0 => task.clone(),
        total => format!("{task}: {done} of {total} {unit}"),
    }
}
