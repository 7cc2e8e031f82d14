//! The command line: one file a subcommand. Results go to standard output, progress and logs to standard error.

mod arguments;
mod bench;
mod complete;
mod evaluate;
mod fetch;
mod inspect;
mod interrupt;
mod output;
mod progress;
mod record;
mod report;
mod review;
mod screenshots;
mod session;
mod sweep;
mod sweep_table;
mod table;
mod train;
mod workbench;

use std::process::ExitCode;

use clap::{Parser, Subcommand};

use crate::collapse::VectorsError;
use crate::engine::EngineError;
use crate::experiment::{ExperimentError, FieldError, SweepError};
use crate::models::ModelError;
use crate::models::catalogue::FetchError;
use crate::runs::RunError;
use crate::ui::LaunchError;
use session::JobError;

/// Trains and inspects LLavaCode projectors: retrieved code compressed to soft tokens.
///
/// Without a command it opens the workbench.
#[derive(Parser)]
#[command(name = "llavacode", version, args_conflicts_with_subcommands = true)]
pub struct Cli {
    #[command(subcommand)]
    command: Option<Command>,
    #[command(flatten)]
    workbench: workbench::Arguments,
}

#[derive(Subcommand)]
enum Command {
    /// Get models and code of the catalogue: resumable, checked by SHA-256
    Fetch(fetch::Arguments),
    /// Train a projector: one run, from an experiment to its folder
    Train(train::Arguments),
    /// Train or measure a grid of experiments, and make one table of them
    Sweep(sweep::Arguments),
    /// Compare the arms of a run on a split, with intervals
    Evaluate(evaluate::Arguments),
    /// Complete one line of a file, as JSON
    Complete(complete::Arguments),
    /// Show the collapse instruments of a run
    Inspect(inspect::Arguments),
    /// Time training, prefill, decoding and the first token on this machine
    Bench(bench::Arguments),
    /// Show what blind reviewers said of a run, and write their votes as CSV or JSON lines
    Review(review::Arguments),
    /// Write runs into one HTML file that needs no network
    Report(report::Arguments),
    /// Pack runs into the recording that the program ships with
    Record(record::Arguments),
    /// Render every station off-screen into pictures
    Screenshots(screenshots::Arguments),
}

/// Runs what the arguments ask for: 0 done, 1 failed, 2 wrong usage or bad input.
pub fn run(cli: Cli) -> ExitCode {
    let done = match cli.command {
        Some(Command::Fetch(arguments)) => fetch::run(&arguments),
        Some(Command::Train(arguments)) => train::run(arguments),
        Some(Command::Sweep(arguments)) => sweep::run(arguments),
        Some(Command::Evaluate(arguments)) => evaluate::run(arguments),
        Some(Command::Complete(arguments)) => complete::run(arguments),
        Some(Command::Inspect(arguments)) => inspect::run(&arguments),
        Some(Command::Bench(arguments)) => bench::run(arguments),
        Some(Command::Review(arguments)) => review::run(&arguments),
        Some(Command::Report(arguments)) => report::run(arguments),
        Some(Command::Record(arguments)) => record::run(&arguments),
        Some(Command::Screenshots(arguments)) => screenshots::run(arguments),
        None => workbench::run(cli.workbench),
    };
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) if output::is_closed_pipe(&error) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("llavacode: {error}");
            ExitCode::from(if is_bad_input(&error) { 2 } else { 1 })
        }
    }
}

/// The error lies in what the person gave: a field, a name, a model, a folder.
fn is_bad_input(error: &anyhow::Error) -> bool {
    error.chain().any(|cause| {
        cause.is::<ExperimentError>()
            || cause.is::<FieldError>()
            || cause.is::<SweepError>()
            || matches!(cause.downcast_ref::<ModelError>(), Some(error) if error.is_bad_input())
            || cause.is::<VectorsError>()
            || matches!(cause.downcast_ref::<EngineError>(), Some(error) if error.is_bad_input())
            || matches!(cause.downcast_ref(), Some(LaunchError::Device(_)))
            || matches!(cause.downcast_ref(), Some(FetchError::Unknown { .. }))
            || matches!(cause.downcast_ref(), Some(JobError::Failed { bad_input: true, .. }))
            || matches!(cause.downcast_ref(), Some(error) if !matches!(error, RunError::Full { .. } | RunError::Write { .. } | RunError::Gone { .. } | RunError::NoTemporaryFolder { .. }))
    })
}
