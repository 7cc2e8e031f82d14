//! The chart of a sweep as SVG: a panel a metric, a row a cell, the mean as a dot on its interval, the baseline's mean as a line.

use std::fmt::Write as _;

use super::{Column, SweepTable};
use crate::evaluation::Interval;

const PANEL: f64 = 260.0;
const GAP: f64 = 36.0;
const ROW: f64 = 24.0;
const TOP: f64 = 44.0;
const BOTTOM: f64 = 44.0;
/// Width of a letter, near enough to give names their room.
const LETTER: f64 = 7.2;

/// The metrics of the narrow table, three panels a line, black on white.
pub(super) fn chart(table: &SweepTable) -> String {
    let shown: Vec<(usize, &Column)> = table.headline().collect();
    let longest = table
        .rows
        .iter()
        .map(|row| row.cell.chars().count())
        .max()
        .unwrap_or_default();
    let names = 16.0 + LETTER * longest as f64;
    let across = shown.len().clamp(1, 3);
    let height = TOP + ROW * table.rows.len() as f64 + BOTTOM;
    let (width, lines) = (names + across as f64 * (PANEL + GAP), shown.len().div_ceil(across));
    let mut svg = format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"{width:.0}\" height=\"{:.0}\" font-family=\"sans-serif\" font-size=\"13\" \
         fill=\"black\" stroke=\"black\">\n<rect width=\"100%\" height=\"100%\" fill=\"white\" stroke=\"none\"/>\n",
        height * lines as f64
    );
    for (place, (index, column)) in shown.into_iter().enumerate() {
        let left = names + (place % across) as f64 * (PANEL + GAP);
        let top = (place / across) as f64 * height;
        panel(&mut svg, table, (index, column), place % across == 0, (left, top));
    }
    svg.push_str("</svg>\n");
    svg
}

fn panel(
    svg: &mut String,
    table: &SweepTable,
    (index, column): (usize, &Column),
    named: bool,
    (left, top): (f64, f64),
) {
    let values: Vec<Option<Interval>> = table
        .rows
        .iter()
        .map(|row| Some(row.entries.get(index)?.as_ref()?.value))
        .collect();
    let bounds = values.iter().flatten().flat_map(|value| [value.low, value.high]);
    let (low, high) = bounds.fold((f64::INFINITY, f64::NEG_INFINITY), |(low, high), value| {
        (low.min(value), high.max(value))
    });
    let span = if high > low { high - low } else { high.abs().max(1e-9) };
    let x = |value: f64| left + PANEL * (0.05 + 0.9 * (value - low) / span);
    let middle = |row: usize| top + TOP + ROW * (row as f64 + 0.5);
    let end = top + TOP + ROW * values.len() as f64;
    text(svg, (left + PANEL / 2.0, top + 24.0), "middle", &title(column));
    line(svg, (left, end), (left + PANEL, end), "");
    if low.is_finite() {
        for value in [low, (low + low + span) / 2.0, low + span] {
            line(svg, (x(value), end), (x(value), end + 4.0), "");
            text(
                svg,
                (x(value), end + 18.0),
                "middle",
                &format!("{value:.*}", column.decimals),
            );
        }
    }
    let baseline = table.rows.iter().position(|row| row.cell == table.baseline);
    if let Some(Some(value)) = baseline.and_then(|row| values.get(row)) {
        line(
            svg,
            (x(value.mean), top + TOP),
            (x(value.mean), end),
            " stroke-dasharray=\"3 3\" opacity=\"0.6\"",
        );
    }
    for (row, (of_row, value)) in table.rows.iter().zip(&values).enumerate() {
        let y = middle(row);
        if named {
            text(svg, (left - 10.0, y + 4.0), "end", &of_row.cell);
        }
        match value {
            Some(value) => {
                line(svg, (x(value.low), y), (x(value.high), y), " stroke-width=\"1.5\"");
                let tip = value.text(column.decimals);
                // Written to a string, which never fails.
                writeln!(
                    svg,
                    "<g><title>{tip}</title><circle cx=\"{:.1}\" cy=\"{y:.1}\" r=\"4\"/></g>",
                    x(value.mean)
                )
                .ok();
            }
            None => text(svg, (left + 6.0, y + 4.0), "start", "not measured"),
        }
    }
}

fn title(column: &Column) -> String {
    if column.unit.is_empty() {
        column.label.clone()
    } else {
        format!("{} ({})", column.label, column.unit)
    }
}

fn line(svg: &mut String, (x1, y1): (f64, f64), (x2, y2): (f64, f64), style: &str) {
    writeln!(
        svg,
        "<line x1=\"{x1:.1}\" y1=\"{y1:.1}\" x2=\"{x2:.1}\" y2=\"{y2:.1}\"{style}/>"
    )
    .ok();
}

fn text(svg: &mut String, (x, y): (f64, f64), anchor: &str, words: &str) {
    let words = words.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;");
    writeln!(
        svg,
        "<text x=\"{x:.1}\" y=\"{y:.1}\" text-anchor=\"{anchor}\" stroke=\"none\">{words}</text>"
    )
    .ok();
}
