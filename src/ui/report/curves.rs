//! Curves over training: losses, scores of the arms, and whether the soft tokens collapse.

use super::page::Page;
use super::style::Look;
use super::svg::{Chart, Line, thinned};
use super::{Reported, geometry};
use crate::app::XAxis;
use crate::corpus::Split;
use crate::evaluation::{Arm, SCORE_INFO};
use crate::runs::{EventKind, Run, live_events};
use crate::ui::charts::{Quantity, Scale, common_split, evaluated, smooth, value};

/// Weight of the past in smoothed curves, as in the workbench.
const SMOOTHING: f64 = 0.8;
/// Scores that are drawn over training.
const SCORES: [&str; 3] = ["em_token", "es_levenshtein", "cross_entropy"];

/// Writes the section.
pub fn section(page: &mut Page, reported: &Reported) {
    let runs: Vec<&Run> = reported.runs.iter().collect();
    let flags = flags(reported);
    let mut figures = scores(reported, &flags);
    figures.extend(geometry::over_training(reported, &flags));
    for quantity in Quantity::all(&runs) {
        let lines: Vec<Line> = reported
            .iter()
            .map(|(number, run, label)| curve(&quantity, number, run, label))
            .collect();
        let note = match (quantity.unit, quantity.smoothed) {
            ("", true) => "faint: every step".to_owned(),
            (unit, true) => format!("{unit}; faint: every step"),
            (unit, false) => unit.to_owned(),
        };
        let log = quantity.log && spans_decades(&lines);
        let chart = Chart {
            title: &quantity.title,
            note: &note,
            x_label: "step",
            scale: if log { Scale::Log } else { Scale::Linear },
            lines: &lines,
            flags: &flags,
        };
        figures.extend(chart.figure());
    }
    if figures.is_empty() {
        return;
    }
    page.note(&format!(
        "Strong lines are exponential moving averages over every step (weight of the past {SMOOTHING}, debiased); bands are 95% intervals; ▲ marks alarms and changes by hand."
    ));
    page.raw(&format!("<div class=\"charts\">{}</div>", figures.concat()));
}

/// Values of several sizes, all positive, are seen on a logarithmic axis alone.
fn spans_decades(lines: &[Line]) -> bool {
    let values = || {
        lines
            .iter()
            .flat_map(|line| &line.points)
            .map(|[_, y]| *y)
            .filter(|y| y.is_finite())
    };
    let (low, high) = (values().fold(f64::INFINITY, f64::min), values().fold(0.0, f64::max));
    low > 0.0 && high > 10.0 * low
}

/// Alarms and changes by hand, when a single run is shown: of several nobody could tell whose they are.
fn flags(reported: &Reported) -> Vec<(f64, String)> {
    let [run] = reported.runs.as_slice() else {
        return Vec::new();
    };
    let told = |kind: EventKind| matches!(kind, EventKind::AlarmRaised(_) | EventKind::Intervention);
    let events = live_events(&run.events).into_iter().filter(|event| told(event.kind));
    events
        .map(|event| {
            (
                event.step as f64,
                format!("step {}: {}, {}", event.step, event.kind.words(), event.reason),
            )
        })
        .collect()
}

fn curve(quantity: &Quantity, number: usize, run: &Run, label: &str) -> Line {
    let points = run
        .scalars
        .iter()
        .filter_map(|record| Some([record.step as f64, value(record, &quantity.key)?]));
    let points: Vec<[f64; 2]> = points.collect();
    let mut line = Line::new(label, Look::run(number), points);
    if quantity.smoothed {
        let smoothed = smooth(&line.points, SMOOTHING);
        line.raw = thinned(std::mem::replace(&mut line.points, smoothed));
    }
    line.points = thinned(line.points);
    line
}

/// Scores at every evaluation: of all arms for a single run, of the compressed arm for several.
fn scores(reported: &Reported, flags: &[(f64, String)]) -> Vec<String> {
    let runs: Vec<&Run> = reported.runs.iter().collect();
    let split = common_split(&runs);
    let mut figures = Vec::new();
    for info in SCORE_INFO.iter().filter(|info| SCORES.contains(&info.key)) {
        let lines: Vec<Line> = match reported.runs.as_slice() {
            [run] => arms(run)
                .into_iter()
                .map(|arm| scored(run, split, arm, info.key, arm.label(), Look::arm(arm)))
                .collect(),
            _ => reported
                .iter()
                .map(|(number, run, label)| scored(run, split, Arm::Compressed, info.key, label, Look::run(number)))
                .collect(),
        };
        let whose = if reported.runs.len() > 1 {
            "compressed arm, "
        } else {
            ""
        };
        let chart = Chart {
            title: info.label,
            note: &format!("{whose}{split} split, {}", info.unit),
            x_label: "step",
            scale: Scale::Linear,
            lines: &lines,
            flags,
        };
        figures.extend(chart.figure());
    }
    figures
}

fn scored(run: &Run, split: Split, arm: Arm, key: &str, label: &str, look: Look) -> Line {
    let found: Vec<_> = evaluated(run, split, arm, key, XAxis::Step).collect();
    let means = found.iter().map(|(x, interval)| [*x, interval.mean]);
    let bands = found.iter().map(|(x, interval)| [*x, interval.low, interval.high]);
    Line {
        band: bands.collect(),
        ..Line::new(label, look, means.collect())
    }
}

/// The arms of a run that its evaluations have.
fn arms(run: &Run) -> Vec<Arm> {
    let mut arms: Vec<Arm> = run
        .evaluations
        .iter()
        .flat_map(|summary| &summary.arms)
        .map(|arm| arm.arm)
        .collect();
    arms.sort_unstable();
    arms.dedup();
    arms
}
