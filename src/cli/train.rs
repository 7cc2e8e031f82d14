//! `llavacode train`: one run, from an experiment to its folder.

use std::path::PathBuf;

use clap::Args;

use super::output::say;
use super::progress::{ProgressLine, seconds_text};
use super::session::{DeviceArgument, JobError, Session};
use super::table::evaluation_line;
use crate::engine::{Command, Event, WorkerState};
use crate::experiment::Experiment;
use crate::runs::{RunFollower, RunStatus};

/// What to train.
#[derive(Args)]
pub struct Arguments {
    /// The experiment, a TOML file
    experiment: PathBuf,
    /// Change a field: schedule.steps=40 (may be given several times)
    #[arg(long, value_name = "KEY=VALUE")]
    set: Vec<String>,
    /// Name of the run
    #[arg(long)]
    name: Option<String>,
    /// Optimiser steps
    #[arg(long)]
    steps: Option<usize>,
    /// Folder that runs are made in
    #[arg(long, default_value = "runs")]
    runs_dir: PathBuf,
    #[command(flatten)]
    device: DeviceArgument,
}

/// Trains and prints the run's folder.
pub fn run(arguments: Arguments) -> anyhow::Result<()> {
    let mut experiment = Experiment::load(&arguments.experiment)?;
    for assignment in &arguments.set {
        experiment.set(assignment)?;
    }
    if let Some(name) = arguments.name {
        experiment.name = name;
    }
    if let Some(steps) = arguments.steps {
        experiment.schedule.steps = steps;
    }
    experiment.validate()?;
    let mut session = Session::start(&arguments.runs_dir, &arguments.device)?;
    let mut watched: Option<Watched> = None;
    let folder = session.follow(Command::Train(Box::new(experiment)), |event, line| {
        match event {
            Event::RunStarted(folder) => watched = Some(Watched::open(folder.clone(), line)?),
            Event::RunChanged(_) => {
                if let Some(watched) = &mut watched {
                    watched.tell_evaluations(line)?;
                }
            }
            Event::State(state @ WorkerState::Training { .. }) => line.show(&step_text(state, watched.as_ref())),
            Event::RunEnded(folder) => return Ok(Some(folder.clone())),
            _ => {}
        }
        Ok(None)
    })?;
    say(folder.display())?;
    match crate::runs::Run::open(&folder)?.status() {
        RunStatus::Failed(message) => Err(JobError::Failed {
            message,
            bad_input: false,
        }
        .into()),
        RunStatus::Stopped => Err(JobError::Interrupted.into()),
        RunStatus::Finished | RunStatus::Running | RunStatus::Interrupted => Ok(()),
    }
}

/// The run's folder as it grows.
struct Watched {
    follower: RunFollower,
    evaluations: usize,
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
            follower,
            evaluations: 0,
        })
    }

    fn tell_evaluations(&mut self, line: &mut ProgressLine) -> anyhow::Result<()> {
        self.follower.poll()?;
        let evaluations = &self.follower.run().evaluations;
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
