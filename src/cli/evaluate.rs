//! `llavacode evaluate`: the arms on a split, with intervals. One that was stopped goes on where it was.

use std::path::{Path, PathBuf};

use anyhow::Context as _;
use clap::Args;

use super::arguments::parse_name;
use super::output::say;
use super::session::{DeviceArgument, Session};
use super::table::table_text;
use crate::corpus::Split;
use crate::engine::{Command, EvaluationRequest, Event};
use crate::evaluation::tables::{made, tables};
use crate::evaluation::{Arm, EvaluationSummary};
use crate::runs::Run;

/// What to evaluate.
#[derive(Args)]
pub struct Arguments {
    /// The run's folder
    run: PathBuf,
    /// train, validation or test
    #[arg(long, default_value = "test", value_parser = parse_name::<Split>)]
    split: Split,
    /// Arms to compare; those of the run's experiment when not given
    #[arg(long, value_delimiter = ',', value_parser = parse_name::<Arm>)]
    arms: Vec<Arm>,
    /// At most this many samples
    #[arg(long, default_value_t = 100)]
    limit: usize,
    /// The checkpoint's step, the newest when not given
    #[arg(long)]
    step: Option<usize>,
    /// Evaluate the checkpoint with the lowest cross-entropy on the validation split
    #[arg(long, conflicts_with = "step")]
    best: bool,
    /// Print JSON
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    device: DeviceArgument,
}

/// Evaluates, writes the result into the run's folder and prints it.
pub fn run(arguments: Arguments) -> anyhow::Result<()> {
    let Arguments {
        run,
        split,
        limit,
        json,
        ..
    } = arguments;
    let opened = Run::open(&run)?;
    let step = match arguments.best {
        true => Some(
            opened
                .best_step()
                .context("no checkpoint of this run was evaluated on the validation split")?,
        ),
        false => arguments.step.or(opened.checkpoint_steps.last().copied()),
    };
    let arms = if arguments.arms.is_empty() {
        opened.experiment.evaluation.arms
    } else {
        arguments.arms
    };
    let request = EvaluationRequest {
        run: run.clone(),
        step,
        split,
        arms,
        limit,
    };
    let runs_dir = run.parent().unwrap_or(Path::new("."));
    let mut session = Session::start(runs_dir, &arguments.device)?;
    // The change is told only when the evaluation stands in the folder.
    session.follow(Command::Evaluate(request), |event, _| {
        Ok(matches!(event, Event::RunChanged(_)).then_some(()))
    })?;
    let evaluations = Run::open(&run)?.evaluations;
    let mut found = evaluations
        .iter()
        .filter(|summary| Some(summary.step) == step && summary.split == split);
    let summary = found
        .next()
        .context("the evaluation does not stand in the run's folder")?;
    if json {
        say(serde_json::to_string_pretty(summary)?)?;
    } else {
        say(evaluation_text(summary))?;
    }
    Ok(())
}

fn evaluation_text(summary: &EvaluationSummary) -> String {
    let tables = tables(summary);
    let tables = tables.iter().map(|table| table_text(table));
    made(summary).into_iter().chain(tables).collect::<Vec<_>>().join("\n\n")
}
