//! `llavacode record`: runs as one small archive, which the program is built with.

use std::fs;
use std::path::PathBuf;

use clap::Args;

use super::output::say;
use super::progress::bytes_text;
use super::table::table_text;
use crate::runs::{Packed, pack};

/// What to record.
#[derive(Args)]
pub struct Arguments {
    /// The runs' folders
    #[arg(required = true)]
    runs: Vec<PathBuf>,
    /// The archive; the program is built with assets/recorded.zip
    #[arg(long, value_name = "FILE.zip", default_value = "assets/recorded.zip")]
    out: PathBuf,
    /// Keep the completions of this many samples of each evaluation, the first ones; all when not given
    #[arg(long, value_name = "N")]
    samples: Option<usize>,
}

/// Packs and prints what was kept.
pub fn run(arguments: &Arguments) -> anyhow::Result<()> {
    let Arguments { runs, out, samples } = arguments;
    let packed = pack(runs, *samples, out)?;
    let head = [
        "run",
        "probes",
        "samples",
        "projector",
        "mean cosine in halves",
        "effective rank in halves",
    ]
    .map(String::from)
    .to_vec();
    let rows: Vec<Vec<String>> = std::iter::once(head).chain(packed.iter().map(row)).collect();
    let bytes = fs::metadata(out)?.len();
    Ok(say(format_args!(
        "{}\n\n{}: {}",
        table_text(&rows),
        out.display(),
        bytes_text(bytes)
    ))?)
}

fn row(packed: &Packed) -> Vec<String> {
    let of = |[kept, of]: [usize; 2]| format!("{kept} of {of}");
    let samples = packed
        .samples
        .iter()
        .map(|(split, counts)| format!("{} {split}", of(*counts)));
    vec![
        packed.folder.clone(),
        of(packed.probes),
        samples.collect::<Vec<_>>().join(", "),
        if packed.projector { "yes" } else { "no" }.into(),
        format!("±{:.0e}", packed.change.mean_cosine),
        format!("±{:.3} %", 100.0 * packed.change.effective_rank),
    ]
}
