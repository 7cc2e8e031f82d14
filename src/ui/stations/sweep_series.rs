//! A sweep's cells as curves over one of the swept fields, one curve for each combination of the others.

use std::collections::BTreeMap;

use toml::Value;

use crate::app::fields;
use crate::evaluation::Interval;
use crate::experiment::SweepCell;
use crate::runs::Sweep;
use crate::ui::View;
use crate::ui::charts::Series;

/// Points of the screen between the whiskers of two curves.
const APART: f32 = 5.0;

fn number(value: &Value) -> Option<f64> {
    value
        .as_float()
        .or_else(|| value.as_integer().map(|whole| whole as f64))
}

fn value<'a>(cell: &'a SweepCell, field: &str) -> Option<&'a Value> {
    let mut fields = cell.fields.iter();
    fields.find(|(name, _)| name == field).map(|(_, value)| value)
}

/// The fields that have a number in every cell, and at least two of them; the one with the most values first.
pub fn numeric_fields(sweep: &Sweep) -> Vec<String> {
    let Some(first) = sweep.plan.cells.first() else {
        return Vec::new();
    };
    let distinct = |field: &str| -> Option<usize> {
        let cells = sweep.plan.cells.iter();
        let mut numbers: Vec<f64> = cells.map(|cell| number(value(cell, field)?)).collect::<Option<_>>()?;
        numbers.sort_unstable_by(f64::total_cmp);
        numbers.dedup();
        Some(numbers.len())
    };
    let names = first.fields.iter().map(|(name, _)| name);
    let mut fields: Vec<(usize, &String)> = names.filter_map(|name| Some((distinct(name)?, name))).collect();
    fields.retain(|(values, _)| *values > 1);
    fields.sort_by_key(|(values, _)| std::cmp::Reverse(*values));
    fields.into_iter().map(|(_, name)| name.clone()).collect()
}

/// What the cells of a curve have in common: "depth 2, loss 0.1".
fn others(cell: &SweepCell, field: &str) -> String {
    let others = cell.fields.iter().filter(|(name, _)| name != field);
    let text = |(name, value): &(String, Value)| {
        let label = fields::find(name).map_or(name.as_str(), |field| field.label);
        let value = value.as_str().map_or_else(|| value.to_string(), str::to_owned);
        format!("{label} {value}")
    };
    others.map(text).collect::<Vec<_>>().join(", ")
}

/// The curves; `of` gives the mean and interval of a cell.
pub fn series(view: &View<'_>, sweep: &Sweep, field: &str, of: impl Fn(usize) -> Option<Interval>) -> Vec<Series> {
    let mut names: Vec<String> = Vec::new();
    let mut points: BTreeMap<usize, Vec<[f64; 4]>> = BTreeMap::new();
    for (place, cell) in sweep.plan.cells.iter().enumerate() {
        let Some((x, found)) = value(cell, field).and_then(number).zip(of(place)) else {
            continue;
        };
        let name = others(cell, field);
        let curve = names.iter().position(|known| *known == name).unwrap_or_else(|| {
            names.push(name);
            names.len() - 1
        });
        points
            .entry(curve)
            .or_default()
            .push([x, found.mean, found.low, found.high]);
    }
    let middle = names.len().saturating_sub(1) as f32 / 2.0;
    points
        .into_iter()
        .zip(names)
        .map(|((curve, mut points), name)| {
            points.sort_by(|a, b| a[0].total_cmp(&b[0]));
            let name = if name.is_empty() {
                sweep.plan.file.name.clone()
            } else {
                name
            };
            let mut series = Series::of_intervals(name, view.theme.run(curve), &points);
            series.shift = (curve as f32 - middle) * APART;
            series
        })
        .collect()
}
