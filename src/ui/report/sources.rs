//! How each number of a report is made, and where its definition comes from.

use strum::IntoEnumIterator as _;

use super::Reported;
use super::page::{Head, Page};
use crate::collapse::INSTRUMENTS;
use crate::evaluation::{Arm, SCORE_INFO};
use crate::ui::cost::Cost;

/// Statistics: what, how, source.
const STATISTICS: [[&str; 3]; 9] = [
    [
        "95% interval",
        "2.5% and 97.5% quantiles of the mean over bootstrap resamples of whole repositories (of samples, where there is one repository)",
        "Efron and Tibshirani 1993, An Introduction to the Bootstrap",
    ],
    [
        "difference",
        "mean of paired differences on the same samples, with the same resamples",
        "as above",
    ],
    [
        "McNemar p",
        "two-sided exact binomial test on the samples that only one of two arms has right",
        "McNemar 1947, Psychometrika 12",
    ],
    [
        "p (Holm)",
        "p-values of one table corrected for their number",
        "Holm 1979, Scandinavian Journal of Statistics 6",
    ],
    [
        "boost, overflow",
        "share of samples that the arm has right and no context wrong; share that full RAG has right and the arm wrong",
        "exact match by code tokens",
    ],
    [
        "Pareto line",
        "the arms, controls left out, that no other one beats: none is at least as good and as cheap, and better in one of the two",
        "by the means",
    ],
    [
        "preference of reviewers",
        "mean over judged samples of 1 (better), 0 (worse), ½ (tie, both bad); votes on one sample averaged first; interval by repository",
        "win rate with ties as half",
    ],
    [
        "Cohen's κ",
        "(p_o − p_e) / (1 − p_e) over arm, other arm, tie, both bad",
        "Cohen 1960, Educational and Psychological Measurement 20",
    ],
    [
        "Krippendorff's α",
        "1 − D_o / D_e, nominal, missing votes left out",
        "Krippendorff 2011, Computing Krippendorff's Alpha-Reliability",
    ],
];

/// Writes the section.
pub fn section(page: &mut Page, _reported: &Reported) {
    page.note("The method: LLavaCode, arXiv 2510.19644. Retrieved chunks are encoded, projected to soft tokens by a trained projector, and read by a frozen language model.");
    page.heading("Arms: what stands at the place of the context");
    let rows: Vec<Vec<String>> = Arm::iter()
        .map(|arm| vec![arm.label().to_owned(), arm.meaning().to_owned()])
        .collect();
    page.words(&["arm", "context"].map(Head::plain), &rows);
    page.heading("Scores of a completion against the true line");
    let rows = SCORE_INFO.iter().map(|info| {
        let better = if info.higher_is_better { "higher" } else { "lower" };
        [info.label, info.unit, info.definition, better]
            .map(str::to_owned)
            .to_vec()
    });
    page.words(
        &["score", "unit", "definition", "better"].map(Head::plain),
        &rows.collect::<Vec<_>>(),
    );
    page.heading("Costs of an arm");
    let rows = Cost::iter().map(|cost| [cost.label(), cost.definition()].map(str::to_owned).to_vec());
    page.words(&["cost", "definition"].map(Head::plain), &rows.collect::<Vec<_>>());
    page.heading("Instruments of collapse");
    let rows = INSTRUMENTS.iter().map(|info| {
        [info.name, info.formula, info.healthy, info.citation]
            .map(str::to_owned)
            .to_vec()
    });
    page.words(
        &["instrument", "formula", "healthy", "source"].map(Head::plain),
        &rows.collect::<Vec<_>>(),
    );
    page.heading("Statistics");
    let rows = STATISTICS.map(|row| row.map(str::to_owned).to_vec());
    page.words(&["number", "how", "source"].map(Head::plain), &rows);
}
