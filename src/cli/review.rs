//! `llavacode review`: what blind reviewers said of a run, and their votes as files.

use std::path::PathBuf;

use clap::Args;

use super::output::say;
use super::session::JobError;
use super::table::table_text;
use crate::runs::{ReviewMaterial, ReviewResults, Reviews, Run};

/// Which review.
#[derive(Args)]
pub struct Arguments {
    /// The run's folder
    run: PathBuf,
    /// Which of its reviews, from 1 in the order begun; the last one when not given
    #[arg(long, value_name = "N")]
    review: Option<usize>,
    /// Write the votes as CSV
    #[arg(long, value_name = "FILE")]
    csv: Option<PathBuf>,
    /// Write the votes as JSON lines
    #[arg(long, value_name = "FILE")]
    json_lines: Option<PathBuf>,
}

/// Prints the results and writes the files.
pub fn run(arguments: &Arguments) -> anyhow::Result<()> {
    let run = Run::open(&arguments.run)?;
    let reviews = Reviews::read(&run.folder)?;
    for warning in &reviews.warnings {
        eprintln!("warning: {warning}");
    }
    let designs = reviews.designs();
    let number = arguments.review.unwrap_or(designs.len());
    let Some(design) = number.checked_sub(1).and_then(|at| designs.get(at)) else {
        let message = format!(
            "{} has no review {number}, it has {}; the workbench makes them: station Compare, key B",
            run.folder.display(),
            designs.len()
        );
        return Err(JobError::Failed {
            message,
            bad_input: true,
        }
        .into());
    };
    let material = ReviewMaterial::read(&run, design.step, design.split)?;
    let results = ReviewResults::of(design, &reviews, &material);
    if let Some(path) = &arguments.csv {
        results.write_csv(&material, path)?;
    }
    if let Some(path) = &arguments.json_lines {
        results.write_json_lines(&material, path)?;
    }
    let mut parts = vec![format!(
        "review {number} of {}: step {}, {} split, {} samples of {} repositories, seed {}; 95% intervals by repository",
        designs.len(),
        design.step,
        design.split,
        results.samples,
        results.repositories,
        design.seed
    )];
    for table in results.tables() {
        let heads = table.heads.iter().map(|(name, _)| (*name).to_owned()).collect();
        let rows: Vec<Vec<String>> = std::iter::once(heads).chain(table.rows).collect();
        parts.push(table_text(&rows));
    }
    let sentences = results.sentences().into_iter().map(|sentence| sentence.text);
    parts.push(sentences.collect::<Vec<_>>().join("\n"));
    Ok(say(parts.join("\n\n"))?)
}
