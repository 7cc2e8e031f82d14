//! The table of a sweep as CSV and LaTeX.

use super::chart::chart;
use super::{Column, SweepEntry, SweepTable};
use crate::evaluation::Interval;
use crate::runs::csv_field;

/// The files that a table is exported to: name and text.
pub(super) fn table_files(table: &SweepTable) -> [(&'static str, String); 3] {
    [
        ("table.csv", csv(table)),
        ("table.tex", latex(table)),
        ("chart.svg", chart(table)),
    ]
}

/// One line a cell and metric: what a statistics program reads without being told.
fn csv(table: &SweepTable) -> String {
    let header = "cell,metric,unit,trials,samples,repositories,mean,low,high,difference,difference_low,difference_high,pairs,p,p_holm\n";
    let mut text = header.to_owned();
    for row in &table.rows {
        for (column, entry) in table.columns.iter().zip(&row.entries) {
            let Some(SweepEntry { value, difference }) = entry else {
                continue;
            };
            let of_row = [
                csv_field(&row.cell),
                column.key.clone(),
                csv_field(&column.unit),
                row.done.to_string(),
                row.samples.to_string(),
                row.repositories.to_string(),
            ];
            let mut fields = Vec::from(of_row);
            fields.extend(numbers(value));
            match difference {
                Some(found) => {
                    fields.extend(numbers(&found.interval));
                    fields.extend([found.pairs.to_string(), found.p.to_string(), found.p_holm.to_string()]);
                }
                None => fields.extend(std::iter::repeat_n(String::new(), 6)),
            }
            text.push_str(&fields.join(","));
            text.push('\n');
        }
    }
    text
}

fn numbers(interval: &Interval) -> [String; 3] {
    [interval.mean, interval.low, interval.high].map(|number| number.to_string())
}

/// Two tabulars with booktabs rules, one of values and one of differences to the baseline; a caption says how they were made.
fn latex(table: &SweepTable) -> String {
    let shown: Vec<(usize, &Column)> = table.headline().collect();
    let paired: Vec<(usize, &Column)> = shown.iter().copied().filter(|(_, column)| column.per_sample).collect();
    let values = tabular(table, &shown, |entry, column| {
        bounded(&entry.value, column.decimals, false)
    });
    let differences = tabular(table, &paired, |entry, column| {
        let difference = entry.difference.as_ref()?;
        let star = if difference.p_holm < 0.05 { "^{*}" } else { "" };
        bounded(&difference.interval, column.decimals, true).map(|text| format!("{text}{star}"))
    });
    let SweepTable {
        name,
        split,
        baseline,
        seeds,
        resamples,
        ..
    } = table;
    let (name, baseline) = (escaped(name), escaped(baseline));
    let seeds: Vec<String> = seeds.iter().map(u64::to_string).collect();
    let (seeds, drawn) = (seeds.join(", "), table.drawn());
    format!(
        "% Needs \\usepackage{{booktabs}}.\n\\begin{{table}}\n\\centering\\small\n{values}\n\n\\medskip\n{differences}\n\
         \\caption{{{name}: {split} split, seeds {seeds}. Means with 95\\% intervals from {resamples} bootstrap resamples {drawn}; \
         below, paired differences to {baseline} on equal samples, $^{{*}}$ where $p < 0.05$ after Holm's correction over the rows.}}\n\
         \\end{{table}}\n"
    )
}

fn tabular(
    table: &SweepTable,
    columns: &[(usize, &Column)],
    text: impl Fn(&SweepEntry, &Column) -> Option<String>,
) -> String {
    let labels: Vec<String> = columns.iter().map(|(_, column)| escaped(&column.label)).collect();
    let mut lines = vec![
        format!("\\begin{{tabular}}{{lr{}}}", "r".repeat(columns.len())),
        "\\toprule".to_owned(),
        format!("cell & $n$ & {} \\\\", labels.join(" & ")),
        "\\midrule".to_owned(),
    ];
    for row in &table.rows {
        let cells = columns.iter().map(|(index, column)| {
            let entry = row.entries.get(*index).and_then(Option::as_ref);
            let text = entry.and_then(|entry| text(entry, column));
            text.map_or("--".to_owned(), |text| format!("${text}$"))
        });
        let cells: Vec<String> = cells.collect();
        lines.push(format!(
            "{} & {} & {} \\\\",
            escaped(&row.cell),
            row.samples,
            cells.join(" & ")
        ));
    }
    lines.extend(["\\bottomrule".to_owned(), "\\end{tabular}".to_owned()]);
    lines.join("\n")
}

/// `0.092_{[0.042, 0.143]}`; a single number has no interval.
fn bounded(interval: &Interval, decimals: usize, signed: bool) -> Option<String> {
    let Interval { mean, low, high } = *interval;
    let number = |value: f64| {
        if signed {
            format!("{value:+.decimals$}")
        } else {
            format!("{value:.decimals$}")
        }
    };
    if low == high {
        return Some(number(mean));
    }
    Some(format!("{}_{{[{}, {}]}}", number(mean), number(low), number(high)))
}

/// Text in which LaTeX sees no commands.
fn escaped(text: &str) -> String {
    let escape = |c: char| match c {
        '\\' => "\\textbackslash{}".to_owned(),
        '~' => "\\textasciitilde{}".to_owned(),
        '^' => "\\textasciicircum{}".to_owned(),
        '&' | '%' | '$' | '#' | '_' | '{' | '}' => format!("\\{c}"),
        c => c.to_string(),
    };
    text.chars().map(escape).collect()
}
