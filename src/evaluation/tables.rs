//! An evaluation as tables of text.

use std::collections::{BTreeMap, BTreeSet};

use super::{Arm, ArmSummary, Comparison, EvaluationSummary, ExactTest, GroupSummary, Interval};
use crate::corpus::Split;

/// A table, row by row; the first row is the head.
pub type TextTable = Vec<Vec<String>>;

/// The scores that are shown for parts of the samples.
const OF_GROUPS: [&str; 3] = ["em_token", "identifier_match", "cross_entropy"];

/// How an evaluation was made, and what must be known of it.
pub fn made(summary: &EvaluationSummary) -> Vec<String> {
    let EvaluationSummary {
        step,
        split,
        samples,
        repositories,
        seed,
        resamples,
        ..
    } = summary;
    let unit = if *repositories == 1 { "sample" } else { "repository" };
    let mut parts = vec![format!(
        "step {step}, {split} split, {samples} samples of {repositories} repositories; 95% intervals from {resamples} bootstrap \
         resamples by {unit}, seed {seed}"
    )];
    if *split == Split::Test {
        parts.extend(look(summary.test_looks));
    }
    parts
}

/// Every score of every arm with its interval, the paired differences, tests and rates, the arms on parts of the samples, and the
/// cost. An arm is a row, so that many of them fit.
pub fn tables(summary: &EvaluationSummary) -> Vec<TextTable> {
    let arms = &summary.arms;
    let mut tables = vec![scores("mean", arms, |arm| &arm.scores)];
    let compared: Vec<ArmSummary> = arms.iter().filter(|arm| arm.arm != Arm::NoContext).cloned().collect();
    if compared.iter().any(|arm| !arm.difference.is_empty()) {
        tables.push(scores("difference to no context", &compared, |arm| &arm.difference));
        tables.push(tests(&compared));
    }
    if !summary.comparisons.is_empty() {
        tables.push(against(&summary.comparisons));
    }
    if !summary.groups.is_empty() {
        tables.push(by_group(&summary.groups));
    }
    tables.push(cost(arms));
    tables
}

/// What to say of a look at the test split.
fn look(looks: usize) -> Option<String> {
    match looks {
        0 => None,
        1 => Some("the first look at the test split of this run".into()),
        looks => Some(format!(
            "look {looks} at the test split of this run: what was chosen after the first look is not confirmed by it"
        )),
    }
}

fn row(name: &str, cells: impl IntoIterator<Item = String>) -> Vec<String> {
    std::iter::once(name.to_owned()).chain(cells).collect()
}

fn cell(interval: Option<&Interval>) -> String {
    interval.map_or_else(|| "-".into(), |interval| interval.text(3))
}

fn scores(title: &str, arms: &[ArmSummary], of: fn(&ArmSummary) -> &BTreeMap<String, Interval>) -> TextTable {
    let names: BTreeSet<&String> = arms.iter().flat_map(|arm| of(arm).keys()).collect();
    let mut rows = vec![row(title, names.iter().map(|name| (*name).clone()))];
    rows.extend(arms.iter().map(|arm| {
        let cells = names.iter().map(|name| cell(of(arm).get(*name)));
        row(arm.arm.label(), cells)
    }));
    rows
}

fn test_cells(test: &ExactTest) -> [String; 4] {
    [
        test.gained.to_string(),
        test.lost.to_string(),
        format!("{:.4}", test.p),
        format!("{:.4}", test.p_holm),
    ]
}

/// Exact match (tokens) against no context, and what is lost to full RAG.
fn tests(arms: &[ArmSummary]) -> TextTable {
    let header = ["EM gained", "EM lost", "McNemar p", "p (Holm)", "boost", "overflow"];
    let mut rows = vec![row("against no context", header.map(str::to_owned))];
    for arm in arms {
        let Some(test) = &arm.exact else { continue };
        let rates = [cell(arm.boost.as_ref()), cell(arm.overflow.as_ref())];
        rows.push(row(arm.arm.label(), test_cells(test).into_iter().chain(rates)));
    }
    rows
}

/// Compressed against the other arms.
fn against(comparisons: &[Comparison]) -> TextTable {
    let names: BTreeSet<&String> = comparisons.iter().flat_map(|one| one.difference.keys()).collect();
    let of = comparisons.first().map_or("", |one| one.arm.label());
    let tests = ["EM gained", "EM lost", "McNemar p", "p (Holm)"].map(str::to_owned);
    let header = names.iter().map(|name| (*name).clone()).chain(tests);
    let mut rows = vec![row(&format!("{of}, difference to"), header)];
    rows.extend(comparisons.iter().map(|one| {
        let cells = names.iter().map(|name| cell(one.difference.get(*name)));
        row(one.to.label(), cells.chain(test_cells(&one.exact)))
    }));
    rows
}

/// Differences to no context on parts of the samples; the mean for that arm itself.
fn by_group(groups: &[GroupSummary]) -> TextTable {
    let header = OF_GROUPS.map(|name| format!("{name}, to no context"));
    let mut rows = vec![row(
        "on a part of the samples",
        std::iter::once("arm".into()).chain(header),
    )];
    for group in groups {
        let name = format!("{} (n = {})", group.group.label(), group.samples);
        for arm in &group.arms {
            let is_none = arm.arm == Arm::NoContext;
            let cells = OF_GROUPS.map(|score| match is_none {
                true => format!("mean {}", cell(arm.scores.get(score))),
                false => cell(arm.difference.get(score)),
            });
            let label = std::iter::once(arm.arm.label().to_owned());
            rows.push(row(if is_none { &name } else { "" }, label.chain(cells)));
        }
    }
    rows
}

/// Costs, with intervals where the evaluation has them.
fn cost(arms: &[ArmSummary]) -> TextTable {
    let heads = [
        "mean prompt tokens",
        "median TTFT, ms",
        "mean KV cache of the prompt, MB",
    ];
    let known = arms
        .iter()
        .any(|arm| arm.cost.is_some_and(|cost| cost.kv_bytes.is_some()));
    let columns = if known { 3 } else { 2 };
    let mut rows = vec![row("cost", heads.into_iter().take(columns).map(str::to_owned))];
    rows.extend(arms.iter().map(|arm| {
        let plain = [arm.prompt_tokens, arm.ttft_ms].map(|value| format!("{value:.1}"));
        let cells = match arm.cost {
            None => plain.to_vec(),
            Some(cost) => {
                let megabytes = cost.kv_bytes.map(|bytes| bytes.scaled(1e-6));
                vec![
                    cost.prompt_tokens.text(1),
                    cost.ttft_ms.text(1),
                    cell(megabytes.as_ref()),
                ]
            }
        };
        row(arm.arm.label(), cells.into_iter().take(columns))
    }));
    rows
}
