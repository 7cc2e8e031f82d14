//! The two files that say what a run is: `manifest.json` and `experiment.toml`.

use std::fs;
use std::path::Path;

use toml::{Table, Value};

use super::{Manifest, RunError, SCHEMA_VERSION, layout};
use crate::experiment::Experiment;

/// Reads the manifest, and refuses a folder of a newer program.
pub(super) fn checked_manifest(folder: &Path) -> Result<Manifest, RunError> {
    /// The one field that every later layout will keep.
    #[derive(serde::Deserialize)]
    struct Layout {
        schema: u32,
    }
    let path = folder.join(layout::MANIFEST);
    let text = read(folder, layout::MANIFEST)?;
    let damaged = |error: serde_json::Error| RunError::damaged(&path, error);
    let Layout { schema } = serde_json::from_str(&text).map_err(damaged)?;
    if schema > SCHEMA_VERSION {
        return Err(RunError::Newer {
            folder: folder.to_owned(),
            found: schema,
            known: SCHEMA_VERSION,
        });
    }
    serde_json::from_str(&text).map_err(damaged)
}

/// Reads the experiment. Fields that this program does not know are left out with a warning: unlike a preset that a person
/// writes, where an unknown field is a typing error, a run may come from a program with more settings.
pub(super) fn read_experiment(folder: &Path, warnings: &mut Vec<String>) -> Result<Experiment, RunError> {
    let path = folder.join(layout::EXPERIMENT);
    let damaged = |error: toml::de::Error| RunError::damaged(&path, error.message());
    let mut table: Table = toml::from_str(&read(folder, layout::EXPERIMENT)?).map_err(damaged)?;
    let known = Table::try_from(Experiment::default()).map_err(|error| RunError::damaged(&path, error))?;
    let mut unknown = Vec::new();
    keep_known(&mut table, &known, "", &mut unknown);
    warnings.extend(unknown.iter().map(|field| {
        format!(
            "{}: this program does not know the field {field}; it was left out",
            path.display()
        )
    }));
    Experiment::from_table(table).map_err(damaged)
}

fn keep_known(table: &mut Table, known: &Table, prefix: &str, unknown: &mut Vec<String>) {
    table.retain(|key, _| {
        let keep = known.contains_key(key);
        if !keep {
            unknown.push(format!("{prefix}{key}"));
        }
        keep
    });
    for (key, value) in table.iter_mut() {
        if let (Value::Table(inner), Some(Value::Table(known))) = (value, known.get(key)) {
            keep_known(inner, known, &format!("{prefix}{key}."), unknown);
        }
    }
}

fn read(folder: &Path, file: &'static str) -> Result<String, RunError> {
    let path = folder.join(file);
    fs::read_to_string(&path).map_err(|error| match error.kind() {
        std::io::ErrorKind::NotFound => RunError::NotARun {
            folder: folder.to_owned(),
            missing: file,
        },
        _ => RunError::read(&path)(error),
    })
}
