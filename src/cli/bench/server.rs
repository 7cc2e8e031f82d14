//! A process that loads once and does one repetition for each line that it is sent: this program, or one of its peers.

use std::fs::File;
use std::io::{self, BufRead as _, BufReader, Read as _, Seek as _, Write as _};
use std::process::{Child, ChildStdin, Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use crossbeam_channel::{Receiver, RecvTimeoutError};

use crate::cli::progress::{ProgressLine, seconds_text};
use crate::engine::Repetition;

/// How often the time of loading is shown anew.
const SHOW_EVERY: Duration = Duration::from_secs(1);

/// Why a process gives no repetitions.
#[derive(Debug, thiserror::Error)]
pub enum ServerError {
    /// It could not be started.
    #[error("{program} cannot be started: {source}")]
    Start {
        /// The program.
        program: String,
        /// What the system said.
        source: io::Error,
    },
    /// It ended before it answered.
    #[error("{name} ended: {}", last_line(said))]
    Ended {
        /// Who.
        name: &'static str,
        /// What it wrote on standard error.
        said: String,
        /// Its exit code, if it was not killed.
        code: Option<i32>,
    },
    /// Its answer is no repetition.
    #[error("{name} answered {answer:?}, which is no repetition")]
    Answer {
        /// Who.
        name: &'static str,
        /// What it wrote.
        answer: String,
    },
}

/// A process that is ready.
pub struct Server {
    name: &'static str,
    process: Child,
    requests: ChildStdin,
    answers: Receiver<String>,
    errors: File,
}

impl Server {
    /// Starts a process and waits until it is ready, `what` being shown meanwhile. Also returns how long that took.
    pub fn start(
        name: &'static str,
        mut command: Command,
        what: &str,
        line: &mut ProgressLine,
    ) -> Result<(Self, Duration), ServerError> {
        let program = command.get_program().to_string_lossy().into_owned();
        let start_error = |source| ServerError::Start {
            program: program.clone(),
            source,
        };
        let errors = tempfile::tempfile().map_err(start_error)?;
        let stderr = errors.try_clone().map_err(start_error)?;
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(stderr);
        let start = Instant::now();
        let mut process = command.spawn().map_err(start_error)?;
        let (Some(requests), Some(stdout)) = (process.stdin.take(), process.stdout.take()) else {
            return Err(start_error(io::ErrorKind::BrokenPipe.into()));
        };
        let (sender, answers) = crossbeam_channel::unbounded();
        let read = move || {
            let lines = BufReader::new(stdout).lines().map_while(Result::ok);
            // What is no JSON was meant for a person.
            for line in lines.filter(|line| line.starts_with('{')) {
                if sender.send(line).is_err() {
                    break;
                }
            }
        };
        thread::Builder::new()
            .name(format!("answers of {name}"))
            .spawn(read)
            .map_err(start_error)?;
        let mut server = Self {
            name,
            process,
            requests,
            answers,
            errors,
        };
        let ready = loop {
            match server.answers.recv_timeout(SHOW_EVERY) {
                Ok(answer) => break answer,
                Err(RecvTimeoutError::Timeout) => {
                    line.show(&format!("{what}, {}", seconds_text(start.elapsed().as_secs_f64())));
                }
                Err(RecvTimeoutError::Disconnected) => return Err(server.ended()),
            }
        };
        let loaded = start.elapsed();
        match serde_json::from_str::<serde_json::Value>(&ready) {
            Ok(answer) if answer.get("ready") == Some(&true.into()) => Ok((server, loaded)),
            _ => Err(ServerError::Answer { name, answer: ready }),
        }
    }

    /// Who works.
    pub fn name(&self) -> &'static str {
        self.name
    }

    /// Asks for one repetition and waits for it.
    pub fn repeat(&mut self) -> Result<Repetition, ServerError> {
        // Whoever ended takes no question, and gives no answer either.
        self.requests.write_all(b"again\n").ok();
        self.requests.flush().ok();
        let Ok(answer) = self.answers.recv() else {
            return Err(self.ended());
        };
        serde_json::from_str(&answer).map_err(|_not_json| ServerError::Answer {
            name: self.name,
            answer,
        })
    }

    /// Waits for the end of a process that closed its output.
    fn ended(&mut self) -> ServerError {
        let code = self.process.wait().ok().and_then(|status| status.code());
        let mut text = Vec::new();
        // A process whose words are lost ended all the same.
        self.errors.rewind().ok();
        self.errors.read_to_end(&mut text).ok();
        ServerError::Ended {
            name: self.name,
            said: String::from_utf8_lossy(&text).into_owned(),
            code,
        }
    }
}

/// Where a Python traceback names the error.
fn last_line(said: &str) -> &str {
    let mut lines = said.lines().rev().map(str::trim);
    lines.find(|line| !line.is_empty()).unwrap_or("without a word")
}

impl Drop for Server {
    fn drop(&mut self) {
        // It keeps nothing that an orderly end would save.
        self.process.kill().ok();
        self.process.wait().ok();
    }
}
