//! The tables of a blind review's results as numbers for a file: a column a number, and the ends of every interval.

use crate::evaluation::Interval;
use crate::runs::{ByAnswer, PairResult, ReviewResults, Reviewer};
use crate::ui::charts::{Table, interval_cells};

/// One table for each of [`ReviewResults::tables`], in their order; shares are in percent.
pub fn numbers(results: &ReviewResults) -> [Table; 3] {
    let mut pairs = Table::new([
        "arm",
        "other arm",
        "votes for the arm",
        "votes for the other",
        "tie",
        "both bad",
        "judged",
        "identical",
        "open",
        "wins, %",
        "wins, low",
        "wins, high",
        "preference, %",
        "preference, low",
        "preference, high",
        "with identical, %",
        "with identical, low",
        "with identical, high",
    ]);
    pairs.rows = results.pairs.iter().map(pair).collect();
    let mut reviewers = Table::new(["name", "answered", "questions", "left", "right", "median seconds"]);
    reviewers.rows = results.reviewers.iter().map(reviewer).collect();
    let mut similarity = Table::new([
        "answer",
        "votes",
        "ES of the preferred",
        "ES of the other",
        "difference",
        "difference, low",
        "difference, high",
    ]);
    similarity.rows = results.relation.by_answer.iter().map(answer).collect();
    [pairs, reviewers, similarity]
}

fn pair(pair: &PairResult) -> Vec<String> {
    let counts = pair.votes.into_iter().chain([pair.judged, pair.identical, pair.open]);
    let share = |share: Interval, samples: usize| (samples > 0).then_some(share);
    let shares = [
        pair.wins,
        share(pair.preference, pair.judged),
        share(pair.with_identical, pair.judged + pair.identical),
    ];
    let mut row = vec![pair.one.label().to_owned(), pair.other.label().to_owned()];
    row.extend(counts.map(|count| count.to_string()));
    row.extend(
        shares
            .into_iter()
            .flat_map(|share| interval_cells(share.map(|share| share.scaled(100.0)))),
    );
    row
}

fn reviewer(one: &Reviewer) -> Vec<String> {
    let [left, right] = one.sides;
    let counts = [one.answered, one.questions, left, right].map(|count| count.to_string());
    [vec![one.name.clone()], counts.to_vec(), vec![one.seconds.to_string()]].concat()
}

fn answer(one: &ByAnswer) -> Vec<String> {
    let means = [one.first, one.second].map(|mean| mean.to_string());
    let mut row = vec![one.answer.to_owned(), one.votes.to_string()];
    row.extend(means);
    row.extend(interval_cells(Some(one.difference)));
    row
}
