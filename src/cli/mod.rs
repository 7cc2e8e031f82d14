//! The command line: one file a subcommand. Results go to standard output, progress and logs to standard error.

mod fetch;
mod interrupt;
mod progress;

use std::process::ExitCode;

use clap::{Parser, Subcommand};

use crate::corpus::CorpusError;
use crate::experiment::ExperimentError;
use crate::models::ModelError;
use crate::models::catalogue::FetchError;

/// Trains and inspects LLavaCode projectors: retrieved code compressed to soft tokens.
#[derive(Parser)]
#[command(name = "llavacode", version, subcommand_required = true)]
pub struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Get models and code of the catalogue: resumable, checked by SHA-256
    Fetch(fetch::Arguments),
}

/// Runs what the arguments ask for: 0 done, 1 failed, 2 wrong usage or bad input.
pub fn run(cli: Cli) -> ExitCode {
    let done = match cli.command {
        Command::Fetch(arguments) => fetch::run(&arguments),
    };
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("llavacode: {error:#}");
            ExitCode::from(if is_bad_input(&error) { 2 } else { 1 })
        }
    }
}

/// The error lies in what the person gave: a field, a name, a model, a folder.
fn is_bad_input(error: &anyhow::Error) -> bool {
    error.chain().any(|cause| {
        cause.is::<ExperimentError>()
            || cause.is::<CorpusError>()
            || cause.is::<ModelError>()
            || matches!(cause.downcast_ref(), Some(FetchError::Unknown { .. }))
    })
}
