//! `llavacode train`: one run, from an experiment to its folder.

use std::path::{Path, PathBuf};

use clap::Args;

use super::output::say;
use super::progress::{ProgressLine, seconds_text};
use super::session::{DeviceArgument, JobError, Session};
use super::table::evaluation_line;
use crate::engine::{Command, Event, ForkRequest, WorkerState};
use crate::experiment::Experiment;
use crate::runs::{EventKind, Run, RunFollower, RunStatus};

/// What to train.
#[derive(Args)]
pub struct Arguments {
    /// The experiment, a TOML file
    #[arg(required_unless_present_any = ["resume", "fork"], conflicts_with_all = ["resume", "fork"])]
    experiment: Option<PathBuf>,
    /// Take up a run that did not end, exactly from its newest whole checkpoint
    #[arg(long, value_name = "RUN", conflicts_with_all = ["fork", "set", "name", "steps", "runs_dir"])]
    resume: Option<PathBuf>,
    /// Train a new run that begins with a checkpoint of this one; name, objective, schedule and evaluation can be --set
    #[arg(long, value_name = "RUN")]
    fork: Option<PathBuf>,
    /// Step of the checkpoint that a fork begins with, the newest when not given
    #[arg(long, value_name = "N", requires = "fork")]
    step: Option<usize>,
    /// Change a field: schedule.steps=40 (may be given several times)
    #[arg(long, value_name = "KEY=VALUE")]
    set: Vec<String>,
    /// Name of the run
    #[arg(long)]
    name: Option<String>,
    /// Optimiser steps
    #[arg(long)]
    steps: Option<usize>,
    /// Folder that runs are made in: runs, or for a fork that of its parent
    #[arg(long)]
    runs_dir: Option<PathBuf>,
    #[command(flatten)]
    device: DeviceArgument,
}

/// Trains and prints the run's folder.
pub fn run(arguments: Arguments) -> anyhow::Result<()> {
    let beside = arguments.resume.as_deref().or(arguments.fork.as_deref());
    let beside = beside.map(|run| run.parent().unwrap_or(Path::new(".")).to_owned());
    let runs_dir = arguments.runs_dir.clone().or(beside).unwrap_or_else(|| "runs".into());
    let device = arguments.device.clone();
    let command = command(arguments)?;
    let mut session = Session::start(&runs_dir, &device)?;
    let mut watched: Option<Watched> = None;
    let folder = session.follow(command, |event, line| {
        match event {
            Event::RunStarted(folder) => watched = Some(Watched::open(folder.clone(), line)?),
            Event::RunChanged(_) => {
                if let Some(watched) = &mut watched {
                    watched.tell_news(line)?;
                }
            }
            Event::State(state @ WorkerState::Training { .. }) => line.show(&step_text(state, watched.as_ref())),
            Event::RunEnded(folder) => return Ok(Some(folder.clone())),
            _ => {}
        }
        Ok(None)
    })?;
    say(folder.display())?;
    let run = Run::open(&folder)?;
    eprintln!("{}", exit_line(&run));
    match run.status() {
        RunStatus::Failed(message) => Err(JobError::Failed {
            message,
            bad_input: false,
        }
        .into()),
        RunStatus::Stopped => Err(JobError::Interrupted.into()),
        RunStatus::Finished | RunStatus::Running | RunStatus::Interrupted => Ok(()),
    }
}

/// What the engine is asked for.
fn command(arguments: Arguments) -> anyhow::Result<Command> {
    let Arguments { name, steps, .. } = arguments;
    if let Some(run) = arguments.resume {
        return Ok(Command::ResumeRun(run));
    }
    let mut changes = arguments.set;
    changes.extend(name.map(|name| format!("name={name}")));
    changes.extend(steps.map(|steps| format!("schedule.steps={steps}")));
    if let Some(run) = arguments.fork {
        let step = arguments.step;
        return Ok(Command::Fork(ForkRequest { run, step, changes }));
    }
    let mut experiment = Experiment::load(&arguments.experiment.unwrap_or_default())?;
    for change in &changes {
        experiment.set(change)?;
    }
    experiment.validate()?;
    Ok(Command::Train(Box::new(experiment)))
}

/// Which alarms stand at the end, in one line.
fn exit_line(run: &Run) -> String {
    let standing = run.standing_alarms();
    if standing.is_empty() {
        return "no alarm stands".into();
    }
    let alarms = standing.iter().map(|(alarm, event)| {
        let (label, step, reason) = (alarm.label(), event.step, &event.reason);
        format!("{label} since step {step} ({reason})")
    });
    format!("alarms that stand: {}", alarms.collect::<Vec<_>>().join("; "))
}

/// The run's folder as it grows.
struct Watched {
    follower: RunFollower,
    evaluations: usize,
    events: usize,
}

impl Watched {
    fn open(folder: PathBuf, line: &mut ProgressLine) -> anyhow::Result<Self> {
        let follower = RunFollower::open(&folder)?;
        line.clear();
        eprintln!(
            "training into {} on {}",
            folder.display(),
            follower.run().manifest.device
        );
        Ok(Self {
            evaluations: follower.run().evaluations.len(),
            events: follower.run().events.len(),
            follower,
        })
    }

    fn tell_news(&mut self, line: &mut ProgressLine) -> anyhow::Result<()> {
        self.follower.poll()?;
        let Run {
            evaluations, events, ..
        } = self.follower.run();
        for event in events.iter().skip(self.events) {
            if let EventKind::AlarmRaised(_) | EventKind::AlarmCleared(_) = event.kind {
                line.clear();
                eprintln!("alarm: {} at step {}: {}", event.kind.words(), event.step, event.reason);
            }
        }
        self.events = events.len();
        for summary in evaluations.iter().skip(self.evaluations) {
            line.clear();
            eprintln!("{}", evaluation_line(summary));
        }
        self.evaluations = evaluations.len();
        Ok(())
    }
}

fn step_text(state: &WorkerState, watched: Option<&Watched>) -> String {
    let WorkerState::Training {
        step,
        steps,
        samples_per_second,
        seconds_left,
        ..
    } = state
    else {
        return String::new();
    };
    let last = watched.and_then(|watched| watched.follower.run().scalars.last());
    let loss = last
        .map(|scalars| format!(", loss {:.4}", scalars.loss))
        .unwrap_or_default();
    let left = seconds_left
        .map(|left| format!(", {} left", seconds_text(left)))
        .unwrap_or_default();
    format!("step {step} of {steps}{loss}, {samples_per_second:.1} samples/s{left}")
}
