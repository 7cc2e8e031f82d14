//! An evaluation as tables of text.

use std::collections::{BTreeMap, BTreeSet};

use super::table::table_text;
use crate::corpus::Split;
use crate::evaluation::{Arm, ArmSummary, Comparison, EvaluationSummary, ExactTest, GroupSummary, Interval};

/// The scores that are shown for parts of the samples.
const OF_GROUPS: [&str; 3] = ["em_token", "identifier_match", "cross_entropy"];

/// Every score of every arm with its interval, the paired differences, tests and rates, the arms on parts of the samples, and the
/// cost. An arm is a row, so that many of them fit.
pub fn evaluation_text(summary: &EvaluationSummary) -> String {
    let EvaluationSummary {
        step,
        split,
        samples,
        repositories,
        seed,
        resamples,
        arms,
        content: _,
        comparisons,
        groups,
        test_looks,
    } = summary;
    let unit = if *repositories == 1 { "sample" } else { "repository" };
    let mut parts = vec![format!(
        "step {step}, {split} split, {samples} samples of {repositories} repositories; 95% intervals from {resamples} bootstrap \
         resamples by {unit}, seed {seed}"
    )];
    if *split == Split::Test {
        parts.extend(look(*test_looks));
    }
    parts.push(table_text(&scores("mean", arms, |arm| &arm.scores)));
    let compared: Vec<ArmSummary> = arms.iter().filter(|arm| arm.arm != Arm::NoContext).cloned().collect();
    if compared.iter().any(|arm| !arm.difference.is_empty()) {
        parts.push(table_text(&scores("difference to no context", &compared, |arm| {
            &arm.difference
        })));
        parts.push(table_text(&tests(&compared)));
    }
    if !comparisons.is_empty() {
        parts.push(table_text(&against(comparisons)));
    }
    if !groups.is_empty() {
        parts.push(table_text(&by_group(groups)));
    }
    parts.push(table_text(&cost(arms)));
    parts.join("\n\n")
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

fn scores(title: &str, arms: &[ArmSummary], of: fn(&ArmSummary) -> &BTreeMap<String, Interval>) -> Vec<Vec<String>> {
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
fn tests(arms: &[ArmSummary]) -> Vec<Vec<String>> {
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
fn against(comparisons: &[Comparison]) -> Vec<Vec<String>> {
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
fn by_group(groups: &[GroupSummary]) -> Vec<Vec<String>> {
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

fn cost(arms: &[ArmSummary]) -> Vec<Vec<String>> {
    let mut rows = vec![row(
        "cost",
        ["mean prompt tokens", "median TTFT, ms"].map(str::to_owned),
    )];
    let cells = |arm: &ArmSummary| [format!("{:.1}", arm.prompt_tokens), format!("{:.1}", arm.ttft_ms)];
    rows.extend(arms.iter().map(|arm| row(arm.arm.label(), cells(arm))));
    rows
}
