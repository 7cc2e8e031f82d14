//! The table of a sweep as text.

use super::table::table_text;
use crate::runs::{Column, SweepEntry, SweepTable};

/// How the numbers were made, the values of every cell, and their paired differences to the baseline.
pub fn sweep_text(table: &SweepTable) -> String {
    let SweepTable {
        name,
        measure,
        split,
        baseline,
        seeds,
        resamples,
        ..
    } = table;
    let number = |value: f64, column: &Column| format!("{value:.*}", column.decimals);
    let values = rows(
        table,
        |_| true,
        |entry, column| {
            let value = entry.value;
            if value.low == value.high {
                number(value.mean, column)
            } else {
                value.text(column.decimals)
            }
        },
    );
    let mut parts = vec![
        format!(
            "{name}: {measure}, {split} split, seeds {}; mean and 95% interval from {resamples} bootstrap resamples {} \
             (of one number a run: mean and range over the seeds)",
            seeds.iter().map(u64::to_string).collect::<Vec<_>>().join(", "),
            table.drawn()
        ),
        table_text(&values),
    ];
    let differences = rows(
        table,
        |column| column.per_sample,
        |entry, column| {
            let Some(difference) = &entry.difference else {
                return "-".to_owned();
            };
            let star = if difference.p_holm < 0.05 { " *" } else { "" };
            format!("{}{star}", difference.interval.text(column.decimals))
        },
    );
    if table.rows.len() > 1 {
        parts.push(format!(
            "paired difference to {baseline} on equal samples; * p < 0.05 of random signs {}, Holm's correction over the rows",
            table.drawn()
        ));
        parts.push(table_text(&differences));
    }
    parts.join("\n\n")
}

fn rows(
    table: &SweepTable,
    shown: impl Fn(&Column) -> bool,
    text: impl Fn(&SweepEntry, &Column) -> String,
) -> Vec<Vec<String>> {
    let columns: Vec<(usize, &Column)> = table.headline().filter(|(_, column)| shown(column)).collect();
    let mut header = vec!["cell".to_owned(), "n".to_owned()];
    header.extend(columns.iter().map(|(_, column)| column.label.clone()));
    let mut lines = vec![header];
    for row in &table.rows {
        let samples = if row.done < row.trials {
            format!("{} ({} of {} trials)", row.samples, row.done, row.trials)
        } else {
            row.samples.to_string()
        };
        let mut line = vec![row.cell.clone(), samples];
        line.extend(columns.iter().map(|(index, column)| {
            let entry = row.entries.get(*index).and_then(Option::as_ref);
            entry.map_or("-".to_owned(), |entry| text(entry, column))
        }));
        lines.push(line);
    }
    lines
}
