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
    /// Show recorded runs, which ship with the program, in a guided tour; needs neither models nor network
    #[arg(long, conflicts_with = "open")]
    demo: bool,
    /// Close the window once its first picture is on the screen, to time the start
    #[arg(long)]
    first_picture: bool,
    #[command(flatten)]
    device: DeviceArgument,
}

/// Opens the workbench and returns when it is closed.
pub fn run(arguments: Arguments) -> anyhow::Result<()> {
    let Arguments {
        runs_dir,
        open,
        demo,
        first_picture,
        device,
    } = arguments;
    if let Some(folder) = &open {
        Run::open(folder)?;
    }
    let store = match Store::open(None) {
        // Without a home there is no cache; a demo needs none until something is fetched.
        Err(_) if demo => Store::open(Some(&std::env::temp_dir().join("llavacode")))?,
        store => store?,
    };
    Ok(launch(Launch {
        runs_dir,
        open,
        demo,
        first_picture,
        device: device.device,
        store,
    })?)
}
