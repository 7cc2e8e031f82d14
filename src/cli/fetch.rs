//! `llavacode fetch`: models and code of the catalogue.

use clap::Args;

use super::interrupt::interrupt_flag;
use super::output::say;
use super::progress::{ProgressLine, bytes_text, seconds_text};
use crate::models::catalogue::{Entry, FetchProgress, Store, entries, fetch};

/// What to get.
#[derive(Args)]
pub struct Arguments {
    /// Ids of the catalogue; the default reader, encoder and corpus when none is given
    ids: Vec<String>,
    /// Only show the catalogue, and what of it is here
    #[arg(long)]
    list: bool,
}

/// Gets what is missing and prints where everything lies.
pub fn run(arguments: &Arguments) -> anyhow::Result<()> {
    let store = Store::open(None)?;
    if arguments.list {
        let rows: Vec<_> = entries().iter().map(|entry| row(&store, entry)).collect();
        return Ok(say(rows.join("\n"))?);
    }
    let ids: Vec<_> = arguments.ids.iter().map(String::as_str).collect();
    for entry in store.missing(&ids) {
        eprintln!("{}", row(&store, entry));
    }
    let cancel = interrupt_flag()?;
    let mut line = ProgressLine::new();
    fetch(&store, &ids, &mut |progress| line.show(&text(&progress)), &cancel)?;
    line.clear();
    let asked = |entry: &&Entry| {
        if ids.is_empty() {
            entry.default
        } else {
            ids.contains(&entry.id.as_str())
        }
    };
    for entry in entries().iter().filter(asked) {
        if let Some(folder) = store.folder(entry) {
            say(format_args!("{}\t{}", entry.id, folder.display()))?;
        }
    }
    Ok(())
}

fn row(store: &Store, entry: &Entry) -> String {
    let here = if store.is_here(entry) { "here" } else { "missing" };
    let about = if entry.approximate { "~" } else { "" };
    let size = format!("{about}{}", bytes_text(entry.bytes));
    let Entry {
        id,
        kind,
        title,
        licence,
        ..
    } = entry;
    format!("{id:22} {:8} {here:8} {size:>9}  {title} ({licence})", kind.to_string())
}

fn text(progress: &FetchProgress) -> String {
    let FetchProgress {
        id,
        file,
        done,
        total,
        bytes_per_second,
    } = progress;
    let (done_text, total_text) = (bytes_text(*done), bytes_text(*total));
    let speed = bytes_text(*bytes_per_second as u64);
    let left = total.saturating_sub(*done) as f64 / bytes_per_second.max(1.0);
    let left = if *bytes_per_second > 0.0 {
        format!(", {} left", seconds_text(left))
    } else {
        String::new()
    };
    format!("{done_text} of {total_text}, {speed}/s{left}  {id}  {file}")
}
