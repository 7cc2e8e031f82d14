//! `llavacode complete`: one completion as JSON.

use std::path::{Path, PathBuf};

use clap::Args;
use serde_json::json;

use super::arguments::parse_name;
use super::output::say;
use super::session::{DeviceArgument, JobError, Session};
use crate::engine::{Command, CompletionRequest, CompletionSource, Event};
use crate::evaluation::Arm;
use crate::runs::Run;

/// What to complete.
#[derive(Args)]
pub struct Arguments {
    /// The run whose projector is used
    #[arg(long)]
    run: PathBuf,
    /// Folder of the repository
    #[arg(long)]
    repository: PathBuf,
    /// File with the cursor, relative to the repository
    #[arg(long)]
    file: PathBuf,
    /// Line to complete, from 1
    #[arg(long)]
    line: usize,
    /// An arm; no_context, compressed and full_rag when none is given (may be given several times)
    #[arg(long = "arm", value_parser = parse_name::<Arm>)]
    arms: Vec<Arm>,
    /// Add the prompt of each arm, token by token, with what each token comes from
    #[arg(long)]
    prompts: bool,
    #[command(flatten)]
    device: DeviceArgument,
}

/// Completes and prints the line's true end, the chunks and the completions.
pub fn run(arguments: Arguments) -> anyhow::Result<()> {
    let Arguments {
        run,
        repository,
        file,
        line,
        mut arms,
        prompts,
        device,
    } = arguments;
    if arms.is_empty() {
        arms = vec![Arm::NoContext, Arm::Compressed, Arm::FullRag];
    }
    Run::open(&run)?;
    let mut session = Session::start(run.parent().unwrap_or(Path::new(".")), &device)?;
    let source = CompletionSource::Cursor { repository, file, line };
    let request = CompletionRequest {
        id: 0,
        run,
        source,
        arms,
    };
    let answer = session.follow(Command::Complete(request), |event, _| match event {
        Event::Completed { result: Ok(answer), .. } => Ok(Some(answer.clone())),
        Event::Completed {
            result: Err(message),
            bad_input,
            ..
        } => Err(JobError::Failed {
            message: message.clone(),
            bad_input: *bad_input,
        }
        .into()),
        _ => Ok(None),
    })?;
    let sample = &answer.sample;
    let mut result = json!({
        "sample": sample.id,
        "target": sample.target,
        "retrieved": answer.retrieved,
        "completions": answer.completions,
    });
    if prompts {
        result["prompts"] = json!(answer.prompts);
    }
    Ok(say(serde_json::to_string_pretty(&result)?)?)
}
