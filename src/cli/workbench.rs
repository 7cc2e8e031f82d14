//! `llavacode` without a subcommand: the window.

use std::path::PathBuf;

use clap::Args;

use super::session::DeviceArgument;
use crate::models::catalogue::Store;
use crate::runs::Run;
use crate::ui::{Launch, launch};

/// What the window opens with.
#[derive(Args)]
pub struct Arguments {
    /// Folder that runs lie in
    #[arg(long, default_value = "runs")]
    runs_dir: PathBuf,
    /// A run to look at
    #[arg(long, value_name = "RUN")]
    open: Option<PathBuf>,
    #[command(flatten)]
    device: DeviceArgument,
}

/// Opens the workbench and returns when it is closed.
pub fn run(arguments: Arguments) -> anyhow::Result<()> {
    let Arguments { runs_dir, open, device } = arguments;
    if let Some(folder) = &open {
        Run::open(folder)?;
    }
    let store = Store::open(None)?;
    Ok(launch(Launch {
        runs_dir,
        open,
        device: device.device,
        store,
    })?)
}
