//! The arms of the newest evaluation on each split, with intervals.

use super::Reported;
use super::page::{Head, Page};
use crate::corpus::Split;
use crate::evaluation::tables::{made, tables};
use crate::evaluation::{EvaluationSummary, SCORE_INFO};
use crate::runs::Run;

/// The newest evaluation of each split, validation first.
pub fn newest(run: &Run) -> Vec<&EvaluationSummary> {
    let of = |split: Split| {
        let of_split = run.evaluations.iter().filter(move |summary| summary.split == split);
        of_split.max_by_key(|summary| summary.step)
    };
    [Split::Validation, Split::Test, Split::Train]
        .into_iter()
        .filter_map(of)
        .collect()
}

/// Writes the section.
pub fn section(page: &mut Page, reported: &Reported) {
    for (_, run, label) in reported.iter() {
        for summary in newest(run) {
            page.heading(&format!("{label}, {} split, step {}", summary.split, summary.step));
            for line in made(summary) {
                page.note(&line);
            }
            for table in tables(summary) {
                let mut rows = table.into_iter();
                let heads = rows.next().unwrap_or_default().into_iter().map(|name| head(&name));
                page.numbers(&heads.collect::<Vec<_>>(), &rows.collect::<Vec<_>>());
            }
        }
    }
}

/// A column by its score's label, with the definition beneath.
fn head(name: &str) -> Head {
    let of = |info: &&crate::evaluation::ScoreInfo| name.starts_with(info.key);
    match SCORE_INFO.iter().find(of) {
        Some(info) => Head::new(
            name.replacen(info.key, info.label, 1),
            format!("{}; {}", info.definition, info.unit),
        ),
        None => Head::plain(name),
    }
}
