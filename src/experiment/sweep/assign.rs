//! Values of a sweep, put into an experiment by the dotted names of its fields.

use toml::{Table, Value};

use super::SweepError;
use crate::experiment::Experiment;

/// Fields that a sweep decides itself, and where they are said.
const OWN: [(&str, &str); 2] = [
    (
        "name",
        "a run is named after the sweep and its cell; take this field out",
    ),
    ("seed", "list the seeds as seeds = [1, 2, 3] at the top of the sweep"),
];

/// The fields of a table with dotted names: `retrieval.k = 5` and `"retrieval.k" = 5` are the same.
pub(super) fn fields(table: &Table) -> Vec<(String, Value)> {
    let mut found = Vec::new();
    for (key, value) in table {
        match value {
            Value::Table(inner) => {
                let inner = fields(inner).into_iter();
                found.extend(inner.map(|(name, value)| (format!("{key}.{name}"), value)));
            }
            value => found.push((key.clone(), value.clone())),
        }
    }
    found
}

/// Sets every field of a table that stands under `place` in the sweep.
pub(super) fn assign_all(experiment: &mut Experiment, place: &str, table: &Table) -> Result<(), SweepError> {
    for (field, value) in fields(table) {
        assign(experiment, place, &field, &value)?;
    }
    Ok(())
}

/// Sets one field; a whole number is taken where a real one belongs.
pub(super) fn assign(experiment: &mut Experiment, place: &str, field: &str, value: &Value) -> Result<(), SweepError> {
    let refuse = |reason: String, remedy: String| {
        let field = format!("{place}.{field:?}");
        Err(SweepError::field(field, value_text(value), reason, remedy))
    };
    if let Some((_, remedy)) = OWN.iter().find(|(own, _)| *own == field) {
        return refuse("a sweep decides this itself".into(), (*remedy).into());
    }
    let mut table = Table::try_from(&*experiment).unwrap_or_default();
    let (mut group, mut target) = (String::new(), &mut table);
    let (groups, last) = field.rsplit_once('.').unwrap_or(("", field));
    for part in groups.split('.').filter(|part| !part.is_empty()) {
        let names = names(target);
        target = match target.get_mut(part) {
            Some(Value::Table(inner)) => inner,
            _ => {
                return refuse(
                    format!("an experiment has no group {part:?}"),
                    format!("choose one of {names}"),
                );
            }
        };
        group = format!(" in {part}");
    }
    let fitting = match (target.get(last), value) {
        (None | Some(Value::Table(_)), _) => {
            let reason = format!("an experiment has no field {last:?}{group}");
            return refuse(reason, format!("choose one of {}", names(target)));
        }
        (Some(Value::Float(_)), Value::Integer(whole)) => Value::Float(*whole as f64),
        (Some(_), value) => value.clone(),
    };
    let before = target.insert(last.to_owned(), fitting);
    match table.try_into::<Experiment>() {
        Ok(changed) => {
            *experiment = changed;
            Ok(())
        }
        Err(error) => {
            let before = before.as_ref().map(value_text).unwrap_or_default();
            let reason = error.message().lines().next().unwrap_or_default().to_owned();
            refuse(reason, format!("write it like {before}"))
        }
    }
}

/// Makes a `--set key=value`; a field that differs from cell to cell has no one value to set.
pub(super) fn change(experiment: &mut Experiment, change: &str, varied: &[String]) -> Result<(), SweepError> {
    let (field, value) = change.split_once('=').unwrap_or((change, ""));
    let field = field.trim();
    let own = OWN.iter().find(|(own, _)| *own == field);
    let refusal = own
        .map(|(_, remedy)| ("a sweep decides this itself", *remedy))
        .or_else(|| {
            let here = varied.iter().any(|one| one == field);
            here.then_some((
                "the sweep's cells have values of their own for it",
                "change them in the sweep",
            ))
        });
    if let Some((reason, remedy)) = refusal {
        return Err(SweepError::field(format!("--set {field}"), value, reason, remedy));
    }
    Ok(experiment.set(change)?)
}

/// A value as a person reads it.
pub(super) fn value_text(value: &Value) -> String {
    match value {
        Value::String(text) => text.clone(),
        Value::Array(values) => {
            let values: Vec<String> = values.iter().map(value_text).collect();
            format!("[{}]", values.join(", "))
        }
        value => value.to_string(),
    }
}

fn names(table: &Table) -> String {
    let names: Vec<&str> = table.keys().map(String::as_str).collect();
    names.join(", ")
}
