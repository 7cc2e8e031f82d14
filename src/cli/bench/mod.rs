//! `llavacode bench`: how fast this machine trains, reads and completes, and how that compares with its peers.
//!
//! Every work runs in a process of its own, as the peers do, so that its peak memory is its own. Several processes of
//! one work take turns, one repetition each, so that a slow minute of the machine falls on all of them alike.

mod peers;
mod report;
mod serve;
mod server;

use std::num::NonZeroUsize;
use std::path::PathBuf;
use std::process::Command;
use std::time::Duration;

use clap::Args;
use strum::IntoEnumIterator as _;

use super::arguments::parse_name;
use super::output::say;
use super::progress::ProgressLine;
use super::session::{DeviceArgument, JobError};
use crate::engine::{BenchSettings, Repetition, Work};
use crate::experiment::Experiment;
use crate::models::catalogue::Store;
use peers::{Peers, warn};
use report::{Timed, report};
use server::{Server, ServerError};

/// What to time.
#[derive(Args)]
pub struct Arguments {
    /// Works to time, all when not given
    #[arg(long, value_delimiter = ',', value_parser = parse_name::<Work>)]
    work: Vec<Work>,
    /// Repetitions of each
    #[arg(long, default_value = "5")]
    repeat: NonZeroUsize,
    /// Threads that compute, one a core when not given
    #[arg(long)]
    threads: Option<NonZeroUsize>,
    /// Reader: catalogue id, GGUF file or folder
    #[arg(long, default_value_t = Experiment::default().reader.model)]
    reader: String,
    /// Encoder of the compressed arm: catalogue id or folder
    #[arg(long, default_value_t = Experiment::default().encoder.model)]
    encoder: String,
    /// Print every repetition as one line of JSON
    #[arg(long)]
    json: bool,
    /// Time PyTorch and llama.cpp as well: a Python that has torch, transformers, accelerate, gguf and xllamacpp
    #[arg(long, value_name = "PYTHON")]
    peers: Option<PathBuf>,
    /// Load one work, print {"ready": true}, and do it once for each line of standard input
    #[arg(long, conflicts_with = "peers")]
    serve: bool,
    #[command(flatten)]
    device: DeviceArgument,
}

/// Times and prints a table, or lines of JSON.
pub fn run(arguments: Arguments) -> anyhow::Result<()> {
    let cores = || std::thread::available_parallelism().unwrap_or(NonZeroUsize::MIN);
    let threads = arguments.threads.unwrap_or_else(cores).get();
    let store = Store::open(None)?;
    if arguments.serve {
        let &[work] = arguments.work.as_slice() else {
            let message = "--serve times one work: name it with --work".to_owned();
            let bad_input = true;
            return Err(JobError::Failed { message, bad_input }.into());
        };
        let mut experiment = Experiment::default();
        experiment.reader.model = arguments.reader;
        experiment.encoder.model = arguments.encoder;
        return serve::serve(BenchSettings {
            work,
            experiment,
            device: arguments.device.device,
            threads,
            store,
        });
    }
    // A name that is nothing is told before anything is started.
    let files = store.reader(&arguments.reader)?;
    let peers = match &arguments.peers {
        Some(python) => Some(Peers::new(python, &files, threads)?),
        None => None,
    };
    let works = match arguments.work.is_empty() {
        true => Work::iter().collect(),
        false => arguments.work.clone(),
    };
    let mut timed = Vec::new();
    for work in works {
        timed.push(time(work, &arguments, threads, peers.as_ref())?);
    }
    if !arguments.json {
        say(report(&timed, peers.is_some()))?;
    }
    Ok(())
}

/// Repeats one work in turn with every process that does it.
fn time(work: Work, arguments: &Arguments, threads: usize, peers: Option<&Peers>) -> anyhow::Result<Timed> {
    let mut line = ProgressLine::new();
    let mut others = match peers {
        Some(peers) => peers.start(work, &mut line).map_err(failed)?,
        None => Vec::new(),
    };
    let mut own = Own::start(work, arguments, threads, &mut line)?;
    let mut repetitions: Vec<Repetition> = Vec::new();
    let mut take = |repetition: Repetition| -> anyhow::Result<()> {
        if arguments.json {
            say(serde_json::to_string(&repetition)?)?;
        }
        repetitions.push(repetition);
        Ok(())
    };
    for round in 1..=arguments.repeat.get() {
        let what = format!("{work}: repetition {round} of {}", arguments.repeat);
        line.show(&what);
        take(own.repeat(round, &mut line)?)?;
        // A peer that fails once, for want of memory say, is left alone from then on.
        let mut kept = Vec::new();
        for mut peer in others {
            line.show(&format!("{what}, {}", peer.name()));
            match peer.repeat() {
                Ok(repetition) => {
                    take(repetition)?;
                    kept.push(peer);
                }
                Err(error) => warn(work, &error, &mut line),
            }
        }
        others = kept;
    }
    Ok(Timed { work, repetitions })
}

/// This program as a process of its own. Loading is timed from outside, so it takes a new process every time.
struct Own {
    work: Work,
    command: Vec<String>,
    server: Server,
    loaded: Duration,
}

impl Own {
    fn start(work: Work, arguments: &Arguments, threads: usize, line: &mut ProgressLine) -> anyhow::Result<Self> {
        let pairs = [
            ("--work", work.to_string()),
            ("--threads", threads.to_string()),
            ("--reader", arguments.reader.clone()),
            ("--encoder", arguments.encoder.clone()),
            ("--device", arguments.device.device.to_string()),
        ];
        let mut command = vec!["bench".to_owned(), "--serve".to_owned()];
        command.extend(pairs.into_iter().flat_map(|(name, value)| [name.to_owned(), value]));
        let (server, loaded) = Self::spawn(work, &command, line)?;
        Ok(Self {
            work,
            command,
            server,
            loaded,
        })
    }

    fn spawn(work: Work, arguments: &[String], line: &mut ProgressLine) -> anyhow::Result<(Server, Duration)> {
        let mut command = Command::new(std::env::current_exe()?);
        command.args(arguments);
        Server::start("llavacode", command, &format!("{work}: loading"), line).map_err(failed)
    }

    fn repeat(&mut self, round: usize, line: &mut ProgressLine) -> anyhow::Result<Repetition> {
        if self.work != Work::Load {
            return self.server.repeat().map_err(failed);
        }
        if round > 1 {
            (self.server, self.loaded) = Self::spawn(self.work, &self.command, line)?;
        }
        let mut repetition = self.server.repeat().map_err(failed)?;
        repetition.seconds = self.loaded.as_secs_f64();
        Ok(repetition)
    }
}

/// This program, as a process of its own, has said what was wrong; its exit code is ours.
fn failed(error: ServerError) -> anyhow::Error {
    let bad_input = matches!(
        error,
        ServerError::Start { .. } | ServerError::Ended { code: Some(2), .. }
    );
    let message = match &error {
        ServerError::Ended { said, .. } => said
            .split_once("llavacode: ")
            .map(|(_, message)| message.trim().to_owned()),
        _ => None,
    };
    let message = message.unwrap_or_else(|| error.to_string());
    JobError::Failed { message, bad_input }.into()
}
