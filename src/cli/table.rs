//! Results as tables of text.

use std::collections::BTreeMap;

use crate::evaluation::{Arm, ArmSummary, EvaluationSummary, Interval};

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

/// Every score of every arm with its interval, then the paired differences to no context and of compressed to shuffled, then the cost.
pub fn evaluation_text(summary: &EvaluationSummary) -> String {
    let EvaluationSummary {
        step,
        split,
        samples,
        repositories,
        seed,
        resamples,
        arms,
        content,
    } = summary;
    let unit = if *repositories == 1 { "sample" } else { "repository" };
    let mut parts = vec![
        format!(
            "step {step}, {split} split, {samples} samples of {repositories} repositories; 95% intervals from {resamples} bootstrap \
             resamples by {unit}, seed {seed}"
        ),
        table_text(&scores("mean", arms, |arm| &arm.scores)),
    ];
    let compared: Vec<_> = arms.iter().filter(|arm| arm.arm != Arm::NoContext).cloned().collect();
    if compared.iter().any(|arm| !arm.difference.is_empty()) {
        parts.push(table_text(&scores("difference to no context", &compared, |arm| {
            &arm.difference
        })));
    }
    if !content.is_empty() {
        let mut rows = vec![vec![
            "worth of the content".to_owned(),
            "compressed to shuffled".to_owned(),
        ]];
        rows.extend(content.iter().map(|(name, score)| vec![name.clone(), score.text(3)]));
        parts.push(table_text(&rows));
    }
    let row = |name: &str, value: fn(&ArmSummary) -> f64| {
        let values = arms.iter().map(|arm| format!("{:.1}", value(arm)));
        std::iter::once(name.to_owned()).chain(values).collect()
    };
    parts.push(table_text(&[
        header("cost", arms),
        row("mean prompt tokens", |arm| arm.prompt_tokens),
        row("median TTFT, ms", |arm| arm.ttft_ms),
    ]));
    parts.join("\n\n")
}

fn header(title: &str, arms: &[ArmSummary]) -> Vec<String> {
    let arms = arms.iter().map(|arm| arm.arm.label().to_owned());
    std::iter::once(title.to_owned()).chain(arms).collect()
}

fn scores(title: &str, arms: &[ArmSummary], of: fn(&ArmSummary) -> &BTreeMap<String, Interval>) -> Vec<Vec<String>> {
    let mut rows = vec![header(title, arms)];
    let names: std::collections::BTreeSet<_> = arms.iter().flat_map(|arm| of(arm).keys()).collect();
    for name in names {
        let values = arms
            .iter()
            .map(|arm| of(arm).get(name).map_or_else(String::new, |score| score.text(3)));
        rows.push(std::iter::once(name.clone()).chain(values).collect());
    }
    rows
}
