//! `llavacode sweep`: a grid of experiments, one after the other or as a job array, and its table.

use std::path::{Path, PathBuf};

use clap::Args;
use strum::{Display, EnumIter, EnumString};

use super::arguments::parse_name;
use super::output::say;
use super::progress::ProgressLine;
use super::session::{DeviceArgument, JobError, Session};
use super::sweep_table::sweep_text;
use crate::engine::{Command, Event, SweepRequest, SweepSource, SweepTrials, WorkerState, submit_to_slurm};
use crate::experiment::SweepPlan;
use crate::runs::{RunError, Sweep, TrialStatus, sweeps, write_table};

/// Who runs the trials.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Display, EnumIter, EnumString)]
#[strum(serialize_all = "lowercase")]
enum Launcher {
    /// This process, one after the other.
    #[default]
    Local,
    /// A job array.
    Slurm,
}

/// What to sweep over.
#[derive(Args)]
pub struct Arguments {
    /// The sweep, a TOML file; or the folder of one that was begun
    sweep: PathBuf,
    /// Change a field of every cell: schedule.steps=40 (may be given several times)
    #[arg(long, value_name = "KEY=VALUE")]
    set: Vec<String>,
    /// Folder that runs are made in; the sweep's own folder lies in its sweeps/
    #[arg(long, default_value = "runs")]
    runs_dir: PathBuf,
    /// local: here, one after the other; slurm: as a job array
    #[arg(long, default_value_t, value_parser = parse_name::<Launcher>)]
    launcher: Launcher,
    /// Work on this trial alone, numbered from 0, as a task of a job array does
    #[arg(long, value_name = "N", conflicts_with = "launcher")]
    trial: Option<usize>,
    /// Only make the table anew
    #[arg(long, conflicts_with_all = ["trial", "launcher"])]
    table: bool,
    /// Print JSON
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    device: DeviceArgument,
}

/// Runs what is left of the sweep, and prints its table and its folder.
pub fn run(arguments: Arguments) -> anyhow::Result<()> {
    let (source, runs_dir) = source(&arguments)?;
    if arguments.table {
        let SweepSource::Folder(folder) = source else {
            let folder = arguments.sweep;
            return Err(RunError::NotASweep { folder }.into());
        };
        return print_table(&Sweep::open(&folder)?, arguments.json);
    }
    let trials = match (arguments.launcher, arguments.trial) {
        (Launcher::Slurm, _) => SweepTrials::None,
        (Launcher::Local, Some(index)) => SweepTrials::One(index),
        (Launcher::Local, None) => SweepTrials::All,
    };
    let sweep = follow(source, trials, &runs_dir, &arguments.device)?;
    if arguments.launcher == Launcher::Slurm {
        return hand_over(&sweep, &arguments);
    }
    // Of a sweep that was stopped there is no table to read yet.
    let stopped = sweep.count(|status| matches!(status, TrialStatus::Waiting | TrialStatus::Interrupted)) > 0;
    if arguments.trial.is_none() && !stopped {
        print_table(&sweep, arguments.json)?;
    }
    verdict(&sweep, arguments.trial)
}

/// Which sweep is meant, and where its runs lie. An unfinished one that is the same to the last field is taken up.
fn source(arguments: &Arguments) -> anyhow::Result<(SweepSource, PathBuf)> {
    if arguments.sweep.is_dir() {
        let sweep = Sweep::open(&arguments.sweep)?;
        if let Some(change) = arguments.set.first() {
            let message = format!(
                "--set {change} would change a sweep that was begun: {} is as it is; start a new one from a sweep file",
                sweep.folder.display()
            );
            return Err(bad_input(message));
        }
        let runs_dir = sweep.runs_dir();
        return Ok((SweepSource::Folder(sweep.folder), runs_dir));
    }
    let plan = SweepPlan::load(&arguments.sweep, &arguments.set)?;
    let same = |folder: &PathBuf| {
        Sweep::open(folder).is_ok_and(|sweep| sweep.plan == plan && (arguments.table || !sweep.is_done()))
    };
    let begun = sweeps(&arguments.runs_dir).into_iter().find(same);
    let source = match begun {
        Some(folder) => SweepSource::Folder(folder),
        None => SweepSource::New(Box::new(plan)),
    };
    Ok((source, arguments.runs_dir.clone()))
}

/// Has the engine work on the sweep, and tells how it goes.
fn follow(source: SweepSource, trials: SweepTrials, runs_dir: &Path, device: &DeviceArgument) -> anyhow::Result<Sweep> {
    let mut session = Session::start(runs_dir, device)?;
    let mut watched: Option<Watched> = None;
    let request = SweepRequest { sweep: source, trials };
    session.follow(Command::Sweep(request), |event, line| {
        match event {
            Event::SweepChanged(folder) => match &mut watched {
                Some(watched) => watched.tell_news(line)?,
                None => watched = Some(Watched::open(folder, line)?),
            },
            Event::State(WorkerState::Training { run, step, steps, .. }) => {
                let name = run.file_name().unwrap_or_default().to_string_lossy();
                line.show(&format!("{name}: step {step} of {steps}"));
            }
            Event::SweepEnded(folder) => return Ok(Some(Sweep::open(folder)?)),
            _ => {}
        }
        Ok(None)
    })
}

/// Submits what is left to Slurm, and prints the sweep's folder.
fn hand_over(sweep: &Sweep, arguments: &Arguments) -> anyhow::Result<()> {
    if sweep.is_done() {
        return print_table(sweep, arguments.json);
    }
    let submission = submit_to_slurm(sweep, arguments.device.device)?;
    eprintln!(
        "job array {} with {} tasks, and job {} that makes the table behind them; logs in {}",
        submission.array,
        submission.tasks,
        submission.table,
        submission.logs.display()
    );
    Ok(say(sweep.folder.display())?)
}

fn print_table(sweep: &Sweep, json: bool) -> anyhow::Result<()> {
    let table = sweep.compute_table();
    write_table(&sweep.folder, &table)?;
    if json {
        return Ok(say(serde_json::to_string_pretty(&table)?)?);
    }
    Ok(say(format_args!(
        "{}\n\n{}",
        sweep_text(&table),
        sweep.folder.display()
    ))?)
}

/// Fails unless what was asked for is done.
fn verdict(sweep: &Sweep, trial: Option<usize>) -> anyhow::Result<()> {
    let asked = sweep
        .trials
        .iter()
        .enumerate()
        .filter(|(index, _)| trial.is_none_or(|trial| trial == *index));
    let open: Vec<&TrialStatus> = asked
        .map(|(_, entry)| &entry.status)
        .filter(|status| **status != TrialStatus::Done)
        .collect();
    let failed = open
        .iter()
        .filter(|status| matches!(status, TrialStatus::Failed(_)))
        .count();
    let running = open.iter().filter(|status| ***status == TrialStatus::Running).count();
    match open.len() {
        0 => Ok(()),
        count if running + failed < count => Err(JobError::Interrupted.into()),
        count => {
            let folder = sweep.folder.display();
            let message = format!(
                "{count} trials have no result yet ({failed} failed, another process works on {running}); \
                 `llavacode sweep {folder}` tries them again"
            );
            Err(JobError::Failed {
                message,
                bad_input: false,
            }
            .into())
        }
    }
}

fn bad_input(message: String) -> anyhow::Error {
    JobError::Failed {
        message,
        bad_input: true,
    }
    .into()
}

/// The sweep's folder as it fills.
struct Watched {
    sweep: Sweep,
    told: Vec<TrialStatus>,
}

impl Watched {
    fn open(folder: &Path, line: &mut ProgressLine) -> anyhow::Result<Self> {
        let sweep = Sweep::open(folder)?;
        line.clear();
        let (done, trials) = (sweep.count(|status| *status == TrialStatus::Done), sweep.trials.len());
        eprintln!(
            "{}: {} cells, {done} of {trials} trials done",
            folder.display(),
            sweep.plan.cells.len()
        );
        let told = sweep.trials.iter().map(|entry| entry.status.clone()).collect();
        Ok(Self { sweep, told })
    }

    fn tell_news(&mut self, line: &mut ProgressLine) -> anyhow::Result<()> {
        self.sweep.poll()?;
        let Sweep { plan, trials, .. } = &self.sweep;
        for ((told, entry), (trial, index)) in self.told.iter_mut().zip(trials).zip(plan.trials.iter().zip(1..)) {
            if *told == entry.status {
                continue;
            }
            told.clone_from(&entry.status);
            line.clear();
            let (count, cell, label) = (trials.len(), plan.cell_name(trial), entry.status.label());
            eprintln!("trial {index} of {count}, {cell}, seed {}: {label}", trial.seed);
        }
        Ok(())
    }
}
