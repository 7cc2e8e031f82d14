//! Results as tables of text.

use crate::evaluation::{ArmSummary, EvaluationSummary, Interval};

/// Rows with aligned columns; a row may be shorter than the widest.
pub fn table_text(rows: &[Vec<String>]) -> String {
    let columns = rows.iter().map(Vec::len).max().unwrap_or(0);
    let width = |column: usize| {
        rows.iter()
            .filter_map(|row| row.get(column))
            .map(|cell| cell.chars().count())
            .max()
    };
    let widths: Vec<_> = (0..columns).map(|column| width(column).unwrap_or(0)).collect();
    let line = |row: &Vec<String>| {
        let cells = row.iter().zip(&widths).map(|(cell, width)| format!("{cell:width$}"));
        cells.collect::<Vec<_>>().join("  ").trim_end().to_owned()
    };
    rows.iter().map(line).collect::<Vec<_>>().join("\n")
}

/// An evaluation in one line, for the log of a training.
pub fn evaluation_line(summary: &EvaluationSummary) -> String {
    let score = |arm: &ArmSummary, name| arm.scores.get(name).map_or(f64::NAN, |score: &Interval| score.mean);
    let arms = summary.arms.iter().map(|arm| {
        let (exact, similarity) = (score(arm, "em_token"), score(arm, "es_levenshtein"));
        format!("{} EM {exact:.3} ES {similarity:.1}", arm.arm.label())
    });
    let arms: Vec<_> = arms.collect();
    let EvaluationSummary {
        step, split, samples, ..
    } = summary;
    format!("step {step}, {split}, n = {samples}: {}", arms.join("; "))
}
