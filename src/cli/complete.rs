//! `llavacode complete`: one completion as JSON.

use std::num::NonZeroUsize;
use std::path::{Path, PathBuf};

use clap::Args;
use serde_json::json;

use super::arguments::parse_name;
use super::output::say;
use super::session::{DeviceArgument, JobError, Session};
use crate::corpus::code_file;
use crate::engine::{
    Command, CompletionRequest, CompletionSource, Event, IndexPhase, IndexRequest, PlayEnd, PlayNews, PlayRequest,
    Served,
};
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
    /// Serve through the index of the repository, made or brought up to date first: arm after arm, with the time of every stage
    #[arg(long)]
    index: bool,
    /// Serve so many times, with the index
    #[arg(long, default_value = "1", requires = "index")]
    repeat: NonZeroUsize,
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
        index,
        repeat,
        prompts,
        device,
    } = arguments;
    if arms.is_empty() {
        arms = vec![Arm::NoContext, Arm::Compressed, Arm::FullRag];
    }
    Run::open(&run)?;
    let mut session = Session::start(run.parent().unwrap_or(Path::new(".")), &device)?;
    if index {
        let of = IndexRequest { run, repository };
        return indexed(&mut session, of, (&file, line), arms, repeat.get());
    }
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

/// Brings the index up to date, serves the end of a line so many times, and prints the index and every completion.
fn indexed(
    session: &mut Session,
    of: IndexRequest,
    (file, line): (&Path, usize),
    arms: Vec<Arm>,
    repeat: usize,
) -> anyhow::Result<()> {
    let counts = session.follow(Command::Index(of.clone()), |event, progress| {
        let Event::Indexed(news) = event else { return Ok(None) };
        let counts = &news.counts;
        match &news.phase {
            IndexPhase::Reading(what) => progress.show(what),
            IndexPhase::Filling => progress.show(&format!("encoding: {} of {} chunks", counts.done, counts.missing)),
            IndexPhase::Ready => return Ok(Some(counts.clone())),
            IndexPhase::Stopped => return Err(JobError::Interrupted.into()),
            IndexPhase::Failed(message) => return Err(failed(message, true)),
        }
        Ok(None)
    })?;
    let parts: Vec<_> = file.iter().map(|part| part.to_string_lossy()).collect();
    let source = code_file(&of.repository, &parts.join("/"))?;
    let end: usize = source.text.split_inclusive('\n').take(line).map(str::len).sum();
    let before = source.text.get(..end).unwrap_or_default();
    let start = before.trim_end_matches('\n').rfind('\n').map_or(0, |at| at + 1);
    let indented = before.get(start..).unwrap_or_default();
    let cursor = start + indented.len() - indented.trim_start_matches([' ', '\t']).len();
    let mut completions: Vec<Vec<Served>> = Vec::new();
    for id in 0..repeat as u64 {
        let request = PlayRequest {
            id,
            index: of.clone(),
            file: source.path.clone(),
            text: source.text.clone(),
            cursor,
            arms: arms.clone(),
        };
        let mut served = Vec::new();
        session.follow(Command::Play(request), |event, _| match event {
            Event::Played { news, .. } => match news {
                PlayNews::Served(one) => {
                    served.push(one.as_ref().clone());
                    Ok(None)
                }
                PlayNews::Ended(PlayEnd::Failed { message, bad_input }) => Err(failed(message, *bad_input)),
                PlayNews::Ended(_) => Ok(Some(())),
                PlayNews::Found { .. } | PlayNews::Said(_) => Ok(None),
            },
            _ => Ok(None),
        })?;
        completions.push(served);
    }
    let result = json!({ "index": counts, "completions": completions });
    Ok(say(serde_json::to_string_pretty(&result)?)?)
}

fn failed(message: &str, bad_input: bool) -> anyhow::Error {
    let message = message.to_owned();
    JobError::Failed { message, bad_input }.into()
}
