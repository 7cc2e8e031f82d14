//! A sweep: one experiment under every combination of some values, each trained or measured with several seeds.

mod assign;
mod cells;
mod error;

use std::fs;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};
use toml::Table;

use super::Experiment;
pub use cells::{SweepCell, Trial};
pub use error::SweepError;

/// What a sweep does with each of its experiments.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, strum::Display)]
#[serde(rename_all = "snake_case")]
#[strum(serialize_all = "snake_case")]
pub enum Measure {
    /// Trains a run and evaluates it.
    #[default]
    Training,
    /// Trains nothing: how often, and how high, retrieval finds a chunk with the name that comes next.
    Retrieval,
}

/// The split that a sweep's numbers come from.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, strum::Display)]
#[serde(rename_all = "snake_case")]
#[strum(serialize_all = "snake_case")]
pub enum SweepSplit {
    /// The repositories that are trained on.
    Train,
    /// Those that choices are made on.
    #[default]
    Validation,
    /// Those that claims are made on.
    Test,
}

/// A sweep as it is written.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SweepFile {
    /// Short name; the folder is `<date>-<name>`, and every run's name begins with it.
    pub name: String,
    /// The experiment that the cells change, relative to the sweep file; the default experiment when there is none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub base: Option<PathBuf>,
    /// Every cell is taken once with each; the experiment's own seed when there is none.
    #[serde(default)]
    pub seeds: Vec<u64>,
    /// What is done with each cell.
    #[serde(default)]
    pub measure: Measure,
    /// The split that the numbers come from.
    #[serde(default)]
    pub split: SweepSplit,
    /// Samples that are completed for them; those of the experiment's own evaluations when there is none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub samples: Option<usize>,
    /// Name of the cell that the others are held against; the first when there is none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub baseline: Option<String>,
    /// Fields that are the same in every cell.
    #[serde(default, skip_serializing_if = "Table::is_empty")]
    pub set: Table,
    /// Fields with a list of values each; the cells are their product.
    #[serde(default, skip_serializing_if = "Table::is_empty")]
    pub grid: Table,
    /// Cells that are no product: a `name`, and fields.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub cells: Vec<Table>,
}

/// A sweep that has been read and checked: every experiment of it can be run.
#[derive(Clone, Debug, PartialEq)]
pub struct SweepPlan {
    /// The sweep; its base and `set` are in [`Self::experiment`], and nothing in it is left open but `samples`.
    pub file: SweepFile,
    /// The experiment that the cells change.
    pub experiment: Experiment,
    /// The cells in the order of the table's rows.
    pub cells: Vec<SweepCell>,
    /// Every cell with every seed, cell by cell.
    pub trials: Vec<Trial>,
}

impl SweepPlan {
    /// Reads a sweep and makes sure that each of its experiments is valid and different. `changes` are `key=value`, as after `--set`.
    pub fn load(path: &Path, changes: &[String]) -> Result<Self, SweepError> {
        let read = |path: &Path| {
            fs::read_to_string(path).map_err(|source| SweepError::Read {
                path: path.to_owned(),
                source,
            })
        };
        let file = SweepFile::from_toml(&read(path)?, &path.display().to_string())?;
        let base = match &file.base {
            Some(base) => {
                let base = path.with_file_name("").join(base);
                Experiment::from_toml(&read(&base)?, &base.display().to_string())?
            }
            None => Experiment::default(),
        };
        Self::new(file, base, changes)
    }

    /// The same of a sweep and its base experiment in memory.
    pub fn new(mut file: SweepFile, base: Experiment, changes: &[String]) -> Result<Self, SweepError> {
        let mut experiment = base;
        cells::check_name(&file.name)?;
        experiment.name.clone_from(&file.name);
        assign::assign_all(&mut experiment, "set", &std::mem::take(&mut file.set))?;
        let varied = cells::varied_fields(&file);
        for change in changes {
            assign::change(&mut experiment, change, &varied)?;
        }
        file.base = None;
        if file.seeds.is_empty() {
            file.seeds.push(experiment.seed);
        }
        if let Some(first) = file.seeds.first() {
            experiment.seed = *first;
        }
        let cells = cells::cells(&file, &experiment)?;
        let baseline = cells::baseline(&file, &cells)?;
        file.baseline = Some(baseline);
        let trials = cells::trials(&file, &experiment, &cells)?;
        Ok(Self {
            file,
            experiment,
            cells,
            trials,
        })
    }

    /// The cell that the others are held against.
    pub fn baseline(&self) -> &str {
        self.file.baseline.as_deref().unwrap_or_default()
    }

    /// What the cell of a trial is called.
    pub fn cell_name(&self, trial: &Trial) -> &str {
        self.cells.get(trial.cell).map_or("", |cell| &cell.name)
    }
}

impl SweepFile {
    /// Parses TOML text; `origin` names it in errors.
    pub fn from_toml(text: &str, origin: &str) -> Result<Self, SweepError> {
        toml::from_str(text).map_err(|error| SweepError::Parse {
            origin: origin.to_owned(),
            message: error.to_string(),
        })
    }

    /// As TOML.
    pub fn to_toml(&self) -> String {
        toml::to_string_pretty(self).unwrap_or_default()
    }
}
