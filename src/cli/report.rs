//! `llavacode report`: runs as one HTML file.

use std::path::PathBuf;

use clap::Args;

use super::output::say;
use crate::ui::report::{default_path, write_report};

/// What to report.
#[derive(Args)]
pub struct Arguments {
    /// The runs' folders; the first one is held against the others
    #[arg(required = true)]
    runs: Vec<PathBuf>,
    /// The file; report.html in the run's folder, or beside the runs when there are several
    #[arg(long, value_name = "FILE.html")]
    out: Option<PathBuf>,
}

/// Writes the report and prints its path.
pub fn run(arguments: Arguments) -> anyhow::Result<()> {
    let Arguments { runs, out } = arguments;
    let path = out.unwrap_or_else(|| default_path(&runs));
    write_report(&runs, &path)?;
    Ok(say(path.display())?)
}
