//! The cells of a sweep and their trials, checked.

use std::collections::BTreeSet;

use toml::{Table, Value};

use super::assign::{assign, fields, value_text};
use super::{Measure, SweepError, SweepFile};
use crate::experiment::Experiment;

/// More cells than this are a mistake in the grid.
const MOST_CELLS: usize = 1000;

/// Groups of fields that the quality of retrieval depends on, but for [`NOT_OF_RETRIEVAL`].
const OF_RETRIEVAL: [&str; 4] = ["data", "retrieval", "encoder", "reader"];

/// How much of a ranking is used, and not how good it is.
const NOT_OF_RETRIEVAL: [&str; 2] = ["retrieval.k", "retrieval.chunk_tokens"];

/// One combination of values: a row of the sweep's table.
#[derive(Clone, Debug, PartialEq)]
pub struct SweepCell {
    /// Its name: that of the file, or `k=5, depth=2`.
    pub name: String,
    /// Its fields with their values, by dotted name.
    pub fields: Vec<(String, Value)>,
}

/// A cell with one seed.
#[derive(Clone, Debug, PartialEq)]
pub struct Trial {
    /// Place of the cell among the sweep's cells.
    pub cell: usize,
    /// The seed.
    pub seed: u64,
    /// What is run; its name is the run's.
    pub experiment: Experiment,
}

/// Fails unless the name can begin those of runs.
pub(super) fn check_name(name: &str) -> Result<(), SweepError> {
    let fits = |c: char| c.is_ascii_alphanumeric() || "-_.".contains(c);
    if (1..=30).contains(&name.len()) && name.chars().all(fits) {
        return Ok(());
    }
    Err(SweepError::field(
        "name",
        format!("{name:?}"),
        "runs and a folder are named after it",
        "write 1 to 30 letters, digits, '-', '_' or '.'",
    ))
}

/// The fields that differ from cell to cell.
pub(super) fn varied_fields(file: &SweepFile) -> Vec<String> {
    let tables = file.cells.iter().chain(std::iter::once(&file.grid));
    tables.flat_map(fields).map(|(field, _)| field).collect()
}

/// The cells of the grid, or those that are listed; each is tried on the experiment.
pub(super) fn cells(file: &SweepFile, experiment: &Experiment) -> Result<Vec<SweepCell>, SweepError> {
    let (cells, place) = match (file.grid.is_empty(), file.cells.is_empty()) {
        (true, true) => {
            let remedy = "list values under [grid], or name cells with [[cells]]";
            return Err(SweepError::field(
                "grid",
                "empty",
                "there is nothing to sweep over",
                remedy,
            ));
        }
        (false, false) => {
            let remedy = "keep one of them";
            let reason = "the cells are either a product or listed";
            return Err(SweepError::field("grid", "given beside [[cells]]", reason, remedy));
        }
        (false, true) => (product(&file.grid)?, "grid"),
        (true, false) => (listed(&file.cells)?, "cells"),
    };
    for cell in &cells {
        let mut tried = experiment.clone();
        for (field, value) in &cell.fields {
            assign(&mut tried, place, field, value)?;
            let group = field.split('.').next().unwrap_or_default();
            let matters = OF_RETRIEVAL.contains(&group) && !NOT_OF_RETRIEVAL.contains(&field.as_str());
            if file.measure == Measure::Retrieval && !matters {
                return Err(SweepError::field(
                    format!("{place}.{field:?}"),
                    value_text(value),
                    "retrieval does not depend on it, so its cells would not differ",
                    "take it out, or write measure = \"training\"",
                ));
            }
        }
    }
    Ok(cells)
}

/// Every combination of the grid's values, the last field changing fastest.
fn product(grid: &Table) -> Result<Vec<SweepCell>, SweepError> {
    let mut combinations: Vec<Vec<(String, Value)>> = vec![Vec::new()];
    for (field, values) in fields(grid) {
        let place = format!("grid.{field:?}");
        let values = match values {
            Value::Array(values) if !values.is_empty() => values,
            other => {
                let reason = "a field of the grid has a list of values";
                let remedy = "write it as [a, b]; a value that all cells share belongs under [set]";
                return Err(SweepError::field(place, value_text(&other), reason, remedy));
            }
        };
        if combinations.len().saturating_mul(values.len()) > MOST_CELLS {
            let count = combinations.len().saturating_mul(values.len());
            let reason = format!("the grid has {count} cells with it, but may have {MOST_CELLS}");
            return Err(SweepError::field(
                place,
                value_text(&Value::Array(values)),
                reason,
                "give fewer values",
            ));
        }
        combinations = combinations
            .iter()
            .flat_map(|earlier| {
                let with = |value: &Value| [earlier.as_slice(), &[(field.clone(), value.clone())]].concat();
                values.iter().map(with).collect::<Vec<_>>()
            })
            .collect();
    }
    let cells = combinations.into_iter().map(|fields| SweepCell {
        name: name_of(&fields),
        fields,
    });
    Ok(cells.collect())
}

/// `k=5, depth=2`: the last part of each name, all of it where two fields end alike.
fn name_of(fields: &[(String, Value)]) -> String {
    let short = |field: &str| field.rsplit('.').next().unwrap_or_default().to_owned();
    let part = |(field, value): &(String, Value)| {
        let alike = fields.iter().filter(|(other, _)| short(other) == short(field)).count();
        let name = if alike > 1 { field.clone() } else { short(field) };
        format!("{name}={}", value_text(value))
    };
    fields.iter().map(part).collect::<Vec<_>>().join(", ")
}

/// The cells that the file names.
fn listed(cells: &[Table]) -> Result<Vec<SweepCell>, SweepError> {
    let read = |(cell, number): (&Table, usize)| {
        let mut cell = cell.clone();
        match cell.remove("name") {
            Some(Value::String(name)) if !name.trim().is_empty() => Ok(SweepCell {
                name,
                fields: fields(&cell),
            }),
            other => Err(SweepError::field(
                format!("cells[{number}].name"),
                other.as_ref().map_or("missing".into(), value_text),
                "a cell is a row of the table and needs a name",
                "write name = \"...\" under [[cells]]",
            )),
        }
    };
    cells.iter().zip(1..).map(read).collect()
}

/// The name of the cell that others are held against.
pub(super) fn baseline(file: &SweepFile, cells: &[SweepCell]) -> Result<String, SweepError> {
    let mut names = BTreeSet::new();
    if let Some(twice) = cells.iter().find(|cell| !names.insert(&cell.name)) {
        return Err(SweepError::field(
            "cells.name",
            format!("{:?}", twice.name),
            "two cells have this name",
            "give each a name of its own",
        ));
    }
    match &file.baseline {
        None => Ok(cells.first().map(|cell| cell.name.clone()).unwrap_or_default()),
        Some(baseline) if names.contains(baseline) => Ok(baseline.clone()),
        Some(baseline) => {
            let names: Vec<&str> = cells.iter().map(|cell| cell.name.as_str()).collect();
            let remedy = format!("choose one of {}", names.join(" | "));
            Err(SweepError::field(
                "baseline",
                format!("{baseline:?}"),
                "no cell has this name",
                remedy,
            ))
        }
    }
}

/// Every cell with every seed; all of them valid, and no two the same.
pub(super) fn trials(file: &SweepFile, experiment: &Experiment, cells: &[SweepCell]) -> Result<Vec<Trial>, SweepError> {
    let mut seeds = BTreeSet::new();
    if let Some(twice) = file.seeds.iter().find(|seed| !seeds.insert(**seed)) {
        let reason = format!("{twice} is there twice, and would count the same run twice");
        return Err(SweepError::field(
            "seeds",
            format!("{:?}", file.seeds),
            reason,
            "name each seed once",
        ));
    }
    if file.samples == Some(0) {
        return Err(SweepError::field(
            "samples",
            0,
            "an evaluation needs samples",
            "write 1 or more",
        ));
    }
    if let (Some(samples), Measure::Retrieval) = (file.samples, file.measure) {
        let reason = "retrieval is measured on every sample of the split";
        let remedy = "take it out; data.samples_per_repository says how many are drawn";
        return Err(SweepError::field("samples", samples, reason, remedy));
    }
    let mut trials: Vec<Trial> = Vec::new();
    for (index, cell) in cells.iter().enumerate() {
        for &seed in &file.seeds {
            let mut experiment = experiment.clone();
            for (field, value) in &cell.fields {
                assign(&mut experiment, "cells", field, value)?;
            }
            experiment.seed = seed;
            experiment.name = run_name(file, index, &cell.name, seed);
            experiment.validate().map_err(|source| SweepError::Cell {
                cell: cell.name.clone(),
                source,
            })?;
            trials.push(Trial {
                cell: index,
                seed,
                experiment,
            });
        }
    }
    match same(&trials) {
        None => Ok(trials),
        Some((one, other)) => {
            let name = |cell: usize| cells.get(cell).map_or("", |cell| cell.name.as_str());
            Err(SweepError::field(
                "cells",
                format!("{:?} and {:?}", name(one), name(other)),
                "both are the same experiment",
                "take one out, or let them differ in a field",
            ))
        }
    }
}

/// Two cells with equal experiments.
fn same(trials: &[Trial]) -> Option<(usize, usize)> {
    let unnamed = |trial: &Trial| Experiment {
        name: String::new(),
        ..trial.experiment.clone()
    };
    let experiments: Vec<Experiment> = trials.iter().map(unnamed).collect();
    experiments.iter().enumerate().find_map(|(at, one)| {
        let earlier = experiments.iter().take(at).position(|other| other == one)?;
        Some((trials.get(earlier)?.cell, trials.get(at)?.cell))
    })
}

/// `<sweep>-<cell>-s<seed>` in the letters that a run's name may have, the cell by number where its name is too long.
fn run_name(file: &SweepFile, index: usize, cell: &str, seed: u64) -> String {
    let fitting = |c: char| {
        if c.is_ascii_alphanumeric() || "_.".contains(c) {
            c
        } else {
            '-'
        }
    };
    let cell: String = cell.chars().map(fitting).collect();
    let parts: Vec<&str> = cell.split('-').filter(|part| !part.is_empty()).collect();
    let seed = if file.seeds.len() > 1 {
        format!("-s{seed}")
    } else {
        String::new()
    };
    let name = |cell: &str| format!("{}-{cell}{seed}", file.name);
    let readable = name(&parts.join("-"));
    if readable.len() <= 60 {
        readable
    } else {
        name(&format!("cell{index}"))
    }
}
