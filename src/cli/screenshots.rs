//! `llavacode screenshots`: every station as a picture, rendered off-screen.

use std::path::PathBuf;

use clap::Args;

use super::output::say;
use super::session::DeviceArgument;
use crate::engine::EngineSettings;
use crate::models::catalogue::Store;
use crate::runs::{self, Run};
use crate::ui::{Pictures, Played, default_items, render};

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
    /// A repository that the Play station completes in, with the first run
    #[arg(long, value_name = "DIR", requires_all = ["file", "at"])]
    repository: Option<PathBuf>,
    /// File with the cursor, relative to the repository
    #[arg(long, value_name = "FILE", requires = "repository")]
    file: Option<String>,
    /// Where the cursor stands in it, from 1
    #[arg(long, value_name = "LINE:COLUMN", requires = "repository")]
    at: Option<String>,
    #[command(flatten)]
    device: DeviceArgument,
}

/// Renders and prints the pictures' paths.
pub fn run(arguments: Arguments) -> anyhow::Result<()> {
    let Arguments {
        mut runs,
        runs_dir,
        into,
        repository,
        file,
        at,
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
    let played = repository.zip(file).zip(at).map(|((repository, file), at)| Played {
        repository,
        file,
        at,
        engine: EngineSettings {
            runs_dir: runs_dir.clone(),
            device: device.device,
            store: store.clone(),
        },
    });
    let pictures = Pictures {
        played,
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
