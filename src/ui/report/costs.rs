//! What each arm's quality costs: the points of the Cost station, and every number beneath.

use strum::IntoEnumIterator as _;

use super::Reported;
use super::page::{Head, Page};
use super::style::Look;
use super::tradeoff::{Chart, Mark, legend};
use crate::corpus::Split;
use crate::evaluation::Interval;
use crate::runs::Run;
use crate::ui::cost::{Cost, Entry, Quality, entries, interval_text, missing, points, splits};
use crate::ui::format::number;
use crate::ui::theme;

/// What is drawn; the table has every quality.
const DRAWN: [Quality; 3] = [Quality::ExactMatch, Quality::Similarity, Quality::CrossEntropy];
/// Shares of memory a token that differ by less are one.
const ONE_SCALE: f64 = 1e-3;

/// Writes the section.
pub fn section(page: &mut Page, reported: &Reported) {
    let runs: Vec<(usize, &Run)> = reported.runs.iter().enumerate().collect();
    let splits = splits(&runs);
    if splits.is_empty() {
        page.text("No run was evaluated yet. Each arm becomes a point here after the first evaluation.");
        return;
    }
    page.note(
        "A point is an arm of a run at its newest evaluation on the split; crosses are its 95% intervals both ways. The Pareto line \
         joins the arms that no other one beats, controls left out. Times are of the machine that a run was evaluated on. Numbers show under the pointer, and stand in the table.",
    );
    for split in splits {
        of_split(page, reported, split, &entries(&runs, split, None));
    }
}

fn of_split(page: &mut Page, reported: &Reported, split: Split, entries: &[Entry<'_>]) {
    page.heading(&format!("Quality against cost, {split} split"));
    let is_there = |label: &str| entries.iter().any(|entry| entry.run == label);
    for (_, _, label) in reported.iter().filter(|(_, _, label)| !is_there(label)) {
        page.text(&format!(
            "{label} has no evaluation on the {split} split, and no point here."
        ));
    }
    let mut notes: Vec<String> = Vec::new();
    for (cost, quality) in Cost::iter().flat_map(|cost| DRAWN.map(|quality| (cost, quality))) {
        notes.extend(missing(entries, cost, quality));
    }
    notes.sort();
    notes.dedup();
    notes.iter().for_each(|note| page.text(note));
    let scale = bytes_a_token(entries);
    let costs = Cost::iter().filter(|cost| *cost != Cost::KeyValueBytes || scale.is_none());
    let figures: String = costs
        .flat_map(|cost| DRAWN.map(|quality| (cost, quality)))
        .filter_map(|(cost, quality)| figure(entries, cost, quality))
        .collect();
    let several = reported.runs.len() > 1;
    let arms = entries.iter().map(|entry| entry.arm.arm);
    let runs = reported.iter().filter(|(_, _, label)| several && is_there(label));
    page.raw(&legend(arms, runs.map(|(number, _, label)| (number, label.to_owned()))));
    page.raw(&format!("<div class=\"charts\">{figures}</div>"));
    if let Some(megabytes) = scale {
        page.note(&format!(
            "Keys and values take {} kB a prompt token in every arm: against memory the charts of prompt tokens would look the same, \
             on another scale.",
            number(1000.0 * megabytes)
        ));
    }
    table(page, entries);
}

fn figure(entries: &[Entry<'_>], cost: Cost, quality: Quality) -> Option<String> {
    // The signs are drawn by the names of their colours, in the mode that the reader's system has.
    let found = points(&theme::LIGHT, entries, cost, quality).into_iter();
    let marks = found.filter_map(|(place, point)| {
        let entry = entries.get(place)?;
        let run = point.run.map(|_| entry.sign);
        let arm = entry.arm.arm;
        (point.x.mean.is_finite() && point.y.mean.is_finite()).then_some(Mark { point, arm, run })
    });
    let chart = Chart {
        title: &format!("{} against {}", quality.label(), cost.label()),
        note: quality.direction(),
        labels: [cost.label(), quality.label()],
        marks: &marks.collect::<Vec<_>>(),
    };
    chart.figure()
}

/// Megabytes of keys and values a prompt token, where every arm of every run has the same.
fn bytes_a_token(entries: &[Entry<'_>]) -> Option<f64> {
    let of = |entry: &Entry<'_>| Some(Cost::KeyValueBytes.of(entry.arm)?.mean / Cost::PromptTokens.of(entry.arm)?.mean);
    let every = entries.iter().map(of).collect::<Option<Vec<f64>>>()?;
    let first = *every.first()?;
    let same = every.iter().all(|one| (one / first - 1.0).abs() < ONE_SCALE);
    same.then_some(first)
}

fn table(page: &mut Page, entries: &[Entry<'_>]) {
    let mut heads: Vec<Head> = ["arm", "run", "step", "samples", "repositories"]
        .map(Head::plain)
        .into();
    heads.extend(Cost::iter().map(|cost| Head::new(cost.label(), cost.definition())));
    heads.extend(Quality::iter().map(|quality| Head::new(quality.label(), quality.definition())));
    let cell = |value: Option<Interval>, text: &dyn Fn(f64) -> String| {
        value.map_or_else(|| "—".to_owned(), |value| interval_text(value, text))
    };
    let row = |entry: &Entry<'_>| {
        let (arm, summary) = (entry.arm, entry.summary);
        let mut row = vec![
            format!("{} {}", Look::arm(arm.arm).mark, arm.arm.label()),
            entry.run.clone(),
            summary.step.to_string(),
            summary.samples.to_string(),
            summary.repositories.to_string(),
        ];
        row.extend(Cost::iter().map(|cost| cell(cost.of(arm), &|value| cost.text(value))));
        row.extend(Quality::iter().map(|quality| cell(quality.of(arm), &|value| quality.text(value))));
        row
    };
    page.numbers(&heads, &entries.iter().map(row).collect::<Vec<_>>());
}
