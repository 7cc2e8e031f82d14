//! What blind reviewers said.

use super::Reported;
use super::page::{Head, Page};
use crate::runs::{ReviewMaterial, ReviewResults, Reviews, Run};

/// Writes the section; runs without votes are left out.
pub fn section(page: &mut Page, reported: &Reported) {
    for (_, run, label) in reported.iter() {
        let Ok(reviews) = Reviews::read(&run.folder) else {
            continue;
        };
        for design in reviews.designs() {
            if let Ok(material) = ReviewMaterial::read(run, design.step, design.split) {
                review(page, run, label, &ReviewResults::of(design, &reviews, &material));
            }
        }
    }
}

fn review(page: &mut Page, run: &Run, label: &str, results: &ReviewResults) {
    let design = &results.design;
    page.heading(&format!("{label}, step {}, {} split", design.step, design.split));
    page.note(&format!(
        "{} samples of {} repositories, seed {}; two completions at a time without names, sides by a coin; votes in {}.",
        results.samples,
        results.repositories,
        design.seed,
        run.folder.join("reviews.jsonl").display()
    ));
    for table in results.tables() {
        let heads = table.heads.iter().map(|(name, meaning)| Head::new(*name, *meaning));
        page.numbers(&heads.collect::<Vec<_>>(), &table.rows);
    }
    for sentence in results.sentences() {
        page.text(&sentence.text);
    }
}
