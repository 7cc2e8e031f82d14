//! The columns of a sweep's table.

use serde::{Deserialize, Serialize};

use crate::evaluation::{RANKS, SCORE_INFO};
use crate::experiment::Measure;

/// Cross-entropy of the compressed arm less that of no context.
pub(super) const GAIN: &str = "cross_entropy_gain";
/// Cross-entropy of the compressed arm less that of the shuffled control.
pub(super) const CONTENT: &str = "cross_entropy_content";
/// Mean reciprocal rank of the first hit.
pub(super) const RECIPROCAL_RANK: &str = "reciprocal_rank";
/// Seconds of training.
pub(super) const SECONDS: &str = "seconds";
/// Milliseconds of a query.
pub(super) const QUERY_MS: &str = "query_ms";

/// The scores that a narrow table shows.
const HEADLINES: [&str; 4] = ["cross_entropy", "em_token", "es_levenshtein", "identifier_match"];

/// What a column of the table holds.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Column {
    /// Its name in an outcome, and in the CSV.
    pub key: String,
    /// The name a person reads.
    pub label: String,
    /// The unit, or the range of a number without one.
    pub unit: String,
    /// The definition in one line.
    pub definition: String,
    /// Decimals that are shown.
    pub decimals: usize,
    /// Whether more is better; none where neither is.
    pub higher_is_better: Option<bool>,
    /// Whether each sample has a value; else each trial has one number, and what stands as interval is the range over the seeds.
    pub per_sample: bool,
    /// Whether a narrow table and the chart show it; the CSV has every column.
    pub headline: bool,
}

/// Name of the hit rate at a rank in an outcome.
pub(super) fn hit_key(rank: usize) -> String {
    format!("hit_{rank}")
}

/// The columns of a sweep that measures this.
pub(super) fn columns(measure: Measure) -> Vec<Column> {
    match measure {
        Measure::Training => of_training(),
        Measure::Retrieval => of_retrieval(),
    }
}

fn of_training() -> Vec<Column> {
    let scores = SCORE_INFO.iter().map(|info| Column {
        key: info.key.into(),
        label: info.label.into(),
        unit: info.unit.into(),
        definition: format!("compressed arm: {}", info.definition),
        decimals: info.decimals,
        higher_is_better: Some(info.higher_is_better),
        per_sample: true,
        headline: HEADLINES.contains(&info.key),
    });
    let mut columns: Vec<Column> = scores.collect();
    let nats = |key: &str, label: &str, definition: &str| Column {
        unit: "nats per token".into(),
        higher_is_better: Some(false),
        per_sample: true,
        headline: true,
        ..number(key, label, definition, 3)
    };
    columns.push(nats(
        GAIN,
        "CE to no context",
        "cross-entropy of the compressed arm less that of no context",
    ));
    columns.push(nats(
        CONTENT,
        "CE to shuffled",
        "cross-entropy of the compressed arm less that of the shuffled control",
    ));
    columns.push(number(
        "mean_cosine",
        "mean cosine",
        "of distinct soft tokens at the last probe; 1 is collapse",
        3,
    ));
    columns.push(number(
        "rankme",
        "effective rank",
        "RankMe of the soft tokens at the last probe; 1 is collapse",
        1,
    ));
    columns.push(Column {
        unit: "s".into(),
        higher_is_better: Some(false),
        ..number(SECONDS, "training", "time spent in training steps", 0)
    });
    columns
}

fn of_retrieval() -> Vec<Column> {
    let hits = RANKS.map(|rank| Column {
        unit: "0 to 1".into(),
        higher_is_better: Some(true),
        per_sample: true,
        headline: true,
        ..number(
            &hit_key(rank),
            &format!("hit@{rank}"),
            &format!("the name that comes next stands in one of the first {rank} chunks"),
            3,
        )
    });
    let mut columns = Vec::from(hits);
    columns.push(Column {
        unit: "0 to 1".into(),
        higher_is_better: Some(true),
        per_sample: true,
        headline: true,
        ..number(
            RECIPROCAL_RANK,
            "MRR",
            "mean of 1 / rank of the first chunk with the name, 0 without one",
            3,
        )
    });
    columns.push(Column {
        unit: "ms".into(),
        higher_is_better: Some(false),
        ..number(
            QUERY_MS,
            "query",
            "mean time to rank the chunks for one sample; indexing and encoding come before",
            2,
        )
    });
    columns
}

/// A column with one number a trial.
fn number(key: &str, label: &str, definition: &str, decimals: usize) -> Column {
    Column {
        key: key.into(),
        label: label.into(),
        unit: String::new(),
        definition: definition.into(),
        decimals,
        higher_is_better: None,
        per_sample: false,
        headline: true,
    }
}
