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

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "a failing test should panic")]
mod tests {
    use super::*;

    fn plan(text: &str) -> Result<SweepPlan, SweepError> {
        let file = SweepFile::from_toml(&format!("name = \"a\"\n{text}"), "test")?;
        SweepPlan::new(file, Experiment::default(), &[])
    }

    #[test]
    fn a_grid_is_the_product_of_its_values_with_every_seed() {
        let plan = plan(
            "seeds = [1, 2]\nset.schedule.steps = 4\n[grid]\n\"retrieval.k\" = [5, 10]\nobjective.alignment = [0, 0.5]",
        );
        let plan = plan.unwrap();
        let names: Vec<&str> = plan.cells.iter().map(|cell| cell.name.as_str()).collect();
        assert_eq!(
            names,
            [
                "alignment=0, k=5",
                "alignment=0, k=10",
                "alignment=0.5, k=5",
                "alignment=0.5, k=10"
            ]
        );
        assert_eq!(plan.baseline(), "alignment=0, k=5");
        assert_eq!(plan.trials.len(), 8);
        let last = plan.trials.last().unwrap();
        assert_eq!((last.cell, last.seed, last.experiment.seed), (3, 2, 2));
        assert_eq!(last.experiment.name, "a-alignment-0.5-k-10-s2");
        let Experiment {
            retrieval,
            objective,
            schedule,
            ..
        } = &last.experiment;
        assert_eq!((retrieval.k, objective.alignment, schedule.steps), (10, 0.5, 4));
        assert_eq!(plan.trials[1].experiment.retrieval.k, 5);
    }

    #[test]
    fn a_resolved_sweep_is_read_as_it_was() {
        let one = plan("[[cells]]\nname = \"x\"\nretrieval.k = 7\n[[cells]]\nname = \"y\"").unwrap();
        assert_eq!(one.cells.len(), 2);
        let file = SweepFile::from_toml(&one.file.to_toml(), "test").unwrap();
        let base = Experiment::from_toml(&one.experiment.to_toml(), "test").unwrap();
        assert_eq!(SweepPlan::new(file, base, &[]).unwrap(), one);
    }

    #[test]
    fn what_is_wrong_is_named_with_its_value_and_a_remedy() {
        for (text, expected) in [
            ("", ["grid", "nothing to sweep over", "[[cells]]"]),
            (
                "[grid]\n\"retrieval.kk\" = [5]",
                [
                    "\"retrieval.kk\" is 5",
                    "no field \"kk\" in retrieval",
                    "k, least_score, query_lines",
                ],
            ),
            (
                "[grid]\nretrival.k = [5]",
                ["is 5", "no group \"retrival\"", "retrieval"],
            ),
            (
                "[grid]\nretrieval.k = []",
                ["grid.\"retrieval.k\"", "list of values", "[set]"],
            ),
            ("[grid]\nretrieval.k = [5, 0]", ["k=0", "retrieval.k is 0", "1 to 50"]),
            (
                "[grid]\nretrieval.k = [5, 5]",
                ["\"k=5\"", "two cells", "name of its own"],
            ),
            (
                "[grid]\nretrieval.k = [\"five\"]",
                ["is five", "invalid type", "write it like 5"],
            ),
            (
                "[grid]\nprompt.layout = [\"soft_last\"]",
                ["is soft_last", "unknown variant", "soft_first"],
            ),
            (
                "[grid]\nseed = [1, 2]",
                ["grid.\"seed\"", "decides this itself", "seeds = [1, 2, 3]"],
            ),
            (
                "seeds = [1, 1]\n[grid]\nretrieval.k = [5]",
                ["seeds is [1, 1]", "1 is there twice", "once"],
            ),
            (
                "baseline = \"k=6\"\n[grid]\nretrieval.k = [5]",
                ["baseline is \"k=6\"", "no cell", "k=5"],
            ),
            (
                "samples = 0\n[grid]\nretrieval.k = [5]",
                ["samples is 0", "needs samples", "1 or more"],
            ),
            (
                "[[cells]]\nname = \"x\"\n[[cells]]\nname = \"y\"",
                ["\"x\" and \"y\"", "same experiment", "take one out"],
            ),
            (
                "[[cells]]\nretrieval.k = 5",
                ["cells[1].name", "missing", "write name ="],
            ),
            (
                "measure = \"retrieval\"\n[grid]\nschedule.steps = [5]",
                ["is 5", "does not depend on it", "training"],
            ),
            ("gird.retrieval.k = [5]", ["test is not a valid sweep", "gird", "grid"]),
        ] {
            let message = plan(text).unwrap_err().to_string();
            for part in expected {
                assert!(message.contains(part), "{message:?} does not say {part:?}");
            }
        }
    }

    #[test]
    fn a_change_reaches_every_cell_unless_the_cells_have_it_already() {
        let file = SweepFile::from_toml("name = \"a\"\ngrid.retrieval.k = [5, 10]", "test").unwrap();
        let with = |change: &str| SweepPlan::new(file.clone(), Experiment::default(), &[change.to_owned()]);
        let plan = with("schedule.steps=3").unwrap();
        assert!(plan.trials.iter().all(|trial| trial.experiment.schedule.steps == 3));
        assert!(
            with("retrieval.k=3")
                .unwrap_err()
                .to_string()
                .contains("values of their own")
        );
        assert!(with("schedule.stepz=3").is_err());
    }
}
