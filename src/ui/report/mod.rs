//! A report of runs: one HTML file that holds everything it shows, its charts as SVG, and needs neither network nor scripts.

mod arms;
mod costs;
mod curves;
mod frame;
mod geometry;
mod page;
mod reproduction;
mod reviews;
mod samples;
mod settings;
mod sources;
mod style;
mod svg;
mod tradeoff;

use std::path::{Path, PathBuf};

use page::Page;

use super::format::run_labels;
use crate::runs::{Run, RunError, name_of, write_whole};

/// Seed of every choice that a report makes.
const SEED: u64 = 1;

/// Writes one section.
type Section = fn(&mut Page, &Reported);

/// The runs of a report with the labels that tell them apart.
struct Reported {
    runs: Vec<Run>,
    labels: Vec<String>,
}

impl Reported {
    /// Each run with its number and its label.
    fn iter(&self) -> impl Iterator<Item = (usize, &Run, &str)> {
        let labelled = self.runs.iter().zip(&self.labels).enumerate();
        labelled.map(|(number, (run, label))| (number, run, label.as_str()))
    }
}

/// Where a report lies when nobody says otherwise: in the run's folder, or beside the runs when there are several.
pub fn default_path(folders: &[PathBuf]) -> PathBuf {
    match folders {
        [] => "report.html".into(),
        [one] => one.join("report.html"),
        [first, ..] => {
            let names: Vec<String> = folders.iter().map(|folder| name_of(folder)).collect();
            let beside = first.parent().unwrap_or(Path::new("."));
            beside.join(format!("report-{}.html", names.join("-")))
        }
    }
}

/// Writes the report of runs; a reader sees the file whole or not at all.
pub fn write_report(folders: &[PathBuf], path: &Path) -> Result<(), RunError> {
    let runs = folders.iter().map(|folder| Run::open(folder));
    let runs = runs.collect::<Result<Vec<Run>, RunError>>()?;
    write_whole(path, html(&Reported::of(runs), path).as_bytes())
}

impl Reported {
    fn of(runs: Vec<Run>) -> Self {
        let labels = run_labels(runs.iter().map(|run| run.folder.as_path()));
        Self { runs, labels }
    }
}

fn html(reported: &Reported, path: &Path) -> String {
    let title = reported.labels.join(" · ");
    let mut page = Page::default();
    let sections: [(&str, Section); 8] = [
        ("Runs and settings", settings::section),
        ("Curves", curves::section),
        ("Cosines and instruments", geometry::section),
        ("Arms", arms::section),
        ("Cost and quality", costs::section),
        ("Completions", samples::section),
        ("Blind review", reviews::section),
        ("How each number was made", sources::section),
    ];
    for (name, write) in sections {
        page.section(name, |page| write(page, reported));
    }
    page.section("Reproduction", |page| reproduction::section(page, reported, path));
    page.finish(&title, &style::css())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_report_lies_with_its_run_or_beside_its_runs() {
        assert_eq!(
            default_path(&["runs/2026-11-24-a".into()]),
            Path::new("runs/2026-11-24-a/report.html")
        );
        let two = ["runs/2026-11-24-a".into(), "runs/2026-11-25-b".into()];
        assert_eq!(default_path(&two), Path::new("runs/report-a-b.html"));
    }
}
