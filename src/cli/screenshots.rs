//! `llavacode screenshots`: every station as a picture, rendered off-screen.

use std::path::PathBuf;

use clap::Args;

use super::output::say;
use super::session::DeviceArgument;
use crate::models::catalogue::Store;
use crate::runs::{self, Run};
use crate::ui::{Pictures, default_items, render};

/// Runs drawn when none are named: one in focus, one over it.
const RUNS: usize = 2;

/// What to show.
#[derive(Args)]
pub struct Arguments {
    /// The run in focus, and runs drawn over it; the newest two when none is given
    runs: Vec<PathBuf>,
    /// Folder that runs lie in
    #[arg(long, default_value = "runs")]
    runs_dir: PathBuf,
    /// Folder that the pictures are written to
    #[arg(long, default_value = "screenshots")]
    into: PathBuf,
    #[command(flatten)]
    device: DeviceArgument,
}

/// Renders and prints the pictures' paths.
pub fn run(arguments: Arguments) -> anyhow::Result<()> {
    let Arguments {
        mut runs,
        runs_dir,
        into,
        device,
    } = arguments;
    if runs.is_empty() {
        runs = runs::list(&runs_dir)
            .into_iter()
            .take(RUNS)
            .map(|entry| entry.folder)
            .collect();
    }
    for run in &runs {
        Run::open(run)?;
    }
    let store = Store::open(None)?;
    let pictures = Pictures {
        runs_dir,
        runs,
        device: device.device.describe()?,
        catalogue: default_items(&store),
        cache: store.root().to_owned(),
    };
    for path in render(&pictures, &into)? {
        say(path.display())?;
    }
    Ok(())
}
