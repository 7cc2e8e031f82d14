//! `llavacode sweep` from the outside: its table, what it refuses, and what a kill leaves.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::time::Duration;

use llavacode::corpus::Split;
use llavacode::evaluation::Arm;
use llavacode::experiment::{Experiment, SweepPlan};
use llavacode::runs::{Run, Sweep, TrialStatus, list, sweeps};
use serde_json::Value;

use super::Shell;

/// Two cells with two seeds on the toy models.
const GRID: &str =
    "name = \"grid\"\nbase = \"base.toml\"\nseeds = [1, 2]\n[grid]\n\"objective.alignment\" = [0.0, 10.0]\n";

impl Shell {
    /// Writes a sweep file beside its base.
    fn sweep_file(&self, text: &str) -> String {
        self.experiment("base", |experiment| experiment.schedule.checkpoint_every = 1);
        let path = self.toy.path("sweep.toml");
        std::fs::write(&path, text).unwrap();
        path.display().to_string()
    }

    fn runs_dir(&self) -> PathBuf {
        self.toy.path("runs")
    }

    /// Runs a sweep to its end, and gives its folder.
    fn sweep(&self, arguments: &[&str]) -> (PathBuf, String) {
        let runs = self.runs_dir().display().to_string();
        let text = self.succeed(&[&["sweep", "--device", "cpu", "--runs-dir", &runs], arguments].concat());
        (text.lines().last().unwrap().into(), text)
    }
}

/// Copies the files of a folder and of those in it.
fn copy_folder(from: &Path, to: &Path) {
    std::fs::create_dir_all(to).unwrap();
    for entry in std::fs::read_dir(from).unwrap() {
        let path = entry.unwrap().path();
        let target = to.join(path.file_name().unwrap());
        match path.is_dir() {
            true => copy_folder(&path, &target),
            false => drop(std::fs::copy(&path, &target).unwrap()),
        }
    }
}

/// Everything in a table but times and what depends on them.
fn numbers(folder: &Path) -> Value {
    let text = std::fs::read_to_string(folder.join("table.json")).unwrap();
    let mut table: Value = serde_json::from_str(&text).unwrap();
    let columns = table["columns"].as_array().unwrap().clone();
    let seconds = columns.iter().position(|column| column["key"] == "seconds").unwrap();
    for row in table["rows"].as_array_mut().unwrap() {
        row["entries"].as_array_mut().unwrap().remove(seconds);
    }
    table
}

/// The value of each sample of a run in one score of one arm, at its last step.
fn scores(run: &Run, arm: Arm, score: fn(&llavacode::evaluation::Scores) -> f64) -> BTreeMap<String, f64> {
    let step = run.experiment.schedule.steps;
    let records = run.completions(step, Split::Validation).unwrap();
    let of_arm = records.iter().filter(|record| record.arm == arm);
    of_arm
        .map(|record| (record.sample.clone(), score(&record.scores)))
        .collect()
}

#[test]
fn a_sweep_ends_in_a_table_that_its_runs_confirm() {
    let shell = Shell::new();
    let file = shell.sweep_file(GRID);
    let (folder, text) = shell.sweep(&[&file]);
    let sweep = Sweep::open(&folder).unwrap();
    assert!(sweep.is_done());
    let table = sweep.table.clone().unwrap();
    assert_eq!(table, sweep.compute_table());
    assert_eq!(sweeps(&shell.runs_dir()), std::slice::from_ref(&folder));
    // The runs are runs like any other, and the folder of sweeps is none.
    let listed = list(&shell.runs_dir());
    assert_eq!(listed.len(), 4);
    assert!(listed.iter().all(|run| run.error.is_none()));

    // Computed anew from the runs' own files.
    let of_cell = |cell: usize| -> BTreeMap<(u64, String), (f64, f64)> {
        let trials = sweep
            .plan
            .trials
            .iter()
            .zip(&sweep.trials)
            .filter(|(trial, _)| trial.cell == cell);
        trials
            .flat_map(|(trial, entry)| {
                let run = Run::open(entry.run.as_ref().unwrap()).unwrap();
                let compressed = scores(&run, Arm::Compressed, |scores| scores.cross_entropy);
                let none = scores(&run, Arm::NoContext, |scores| scores.cross_entropy);
                let seed = trial.seed;
                compressed.into_iter().map(move |(id, value)| {
                    let gain = value - none[&id];
                    ((seed, id), (value, gain))
                })
            })
            .collect()
    };
    let mean = |values: Vec<f64>| values.iter().sum::<f64>() / values.len() as f64;
    let (base, other) = (of_cell(0), of_cell(1));
    let row = &table.rows[1];
    assert_eq!((row.cell.as_str(), row.samples, row.done), ("alignment=10.0", 6, 2));
    let entry = |key| table.entry("alignment=10.0", key).unwrap();
    let close = |a: f64, b: f64| assert!((a - b).abs() < 1e-9, "{a} {b}");
    close(
        entry("cross_entropy").value.mean,
        mean(other.values().map(|(value, _)| *value).collect()),
    );
    close(
        entry("cross_entropy_gain").value.mean,
        mean(other.values().map(|(_, gain)| *gain).collect()),
    );
    let difference = entry("cross_entropy").difference.as_ref().unwrap();
    assert_eq!(difference.pairs, 6);
    close(
        difference.interval.mean,
        mean(other.iter().map(|(key, (value, _))| value - base[key].0).collect()),
    );
    assert!(
        difference.interval.low <= difference.interval.mean && difference.interval.mean <= difference.interval.high
    );
    // One other row: nothing to correct for.
    close(difference.p, difference.p_holm);
    let cosines: Vec<f64> = sweep.trials[2..]
        .iter()
        .map(|entry| entry.outcome.as_ref().unwrap().numbers["mean_cosine"])
        .collect();
    close(entry("mean_cosine").value.mean, mean(cosines.clone()));
    close(entry("mean_cosine").value.low, cosines[0].min(cosines[1]));

    // What is exported says the same.
    let read = |name: &str| std::fs::read_to_string(folder.join(name)).unwrap();
    let csv = read("table.csv");
    let header: Vec<&str> = csv.lines().next().unwrap().split(',').collect();
    let at = |name: &str| header.iter().position(|field| *field == name).unwrap();
    let line: Vec<&str> = csv
        .lines()
        .map(|line| line.split(',').collect::<Vec<_>>())
        .find(|line| line[0] == "alignment=10.0" && line[1] == "cross_entropy")
        .unwrap();
    assert!(csv.lines().all(|line| line.split(',').count() == header.len()));
    close(line[at("mean")].parse().unwrap(), entry("cross_entropy").value.mean);
    close(line[at("p_holm")].parse().unwrap(), difference.p_holm);
    let latex = read("table.tex");
    assert_eq!(latex.matches("\\begin{").count(), latex.matches("\\end{").count());
    assert_eq!(latex.matches('{').count(), latex.matches('}').count());
    let cells: Vec<usize> = latex
        .lines()
        .filter(|line| line.ends_with("\\\\"))
        .map(|line| line.matches('&').count())
        .collect();
    assert_eq!(cells.len(), 6, "a head and two rows, of values and of differences");
    assert_eq!(cells[0], cells[1]);
    let svg = read("chart.svg");
    assert_eq!(svg.matches("<circle").count(), svg.matches("<title>").count());
    assert!(svg.contains("alignment=10.0") && text.contains("alignment=10.0"));

    // Nothing is left to do: the table comes again, and nothing else.
    let (again, second) = shell.sweep(&[&folder.display().to_string()]);
    assert_eq!(
        (again.canonicalize().unwrap(), second),
        (folder.canonicalize().unwrap(), text)
    );
    assert_eq!(list(&shell.runs_dir()).len(), 4);
}

#[test]
fn a_sweep_of_one_evaluation_more_takes_it_on_the_split_that_is_asked_for() {
    let shell = Shell::new();
    let text = GRID.replace("seeds = [1, 2]", "seeds = [1]\nsplit = \"test\"\nsamples = 4");
    let (folder, _) = shell.sweep(&[&shell.sweep_file(&text)]);
    let sweep = Sweep::open(&folder).unwrap();
    assert_eq!(sweep.table.as_ref().unwrap().rows[0].samples, 4);
    for entry in &sweep.trials {
        let run = Run::open(entry.run.as_ref().unwrap()).unwrap();
        assert!(
            run.evaluations
                .iter()
                .any(|one| one.split == Split::Test && one.samples == 4)
        );
    }
}

#[test]
fn what_cannot_be_swept_over_is_refused_before_anything_is_made() {
    let shell = Shell::new();
    let runs = shell.runs_dir().display().to_string();
    let no_reader = GRID.replace("objective.alignment\" = [0.0, 10.0]", "reader.model\" = [\"nowhere\"]");
    let too_long = GRID.replace(
        "objective.alignment\" = [0.0, 10.0]",
        "prompt.left_tokens\" = [24, 16000]",
    );
    for (text, expected) in [
        (
            GRID.replace("alignment", "alignmentt"),
            "no field \"alignmentt\" in objective",
        ),
        (
            GRID.replace("10.0", "-1.0"),
            "objective.alignment is -1, but must be 0 to 1000",
        ),
        (GRID.replace("base.toml", "elsewhere.toml"), "elsewhere.toml"),
        (no_reader, "nowhere"),
        (too_long, "\"left_tokens=16000\" cannot be run: prompt.left_tokens"),
    ] {
        let file = shell.sweep_file(&text);
        shell.refuse(&["sweep", &file, "--runs-dir", &runs], expected);
        assert!(!shell.runs_dir().exists());
    }
    // The others can be run: nothing is begun while one cannot.
    let two = |field: &str, values: &str| {
        GRID.replace("objective.alignment\" = [0.0, 10.0]", &format!("{field}\" = {values}"))
    };
    let identifiers = "[set]\n\"evaluation.arms\" = [\"identifiers\"]\n[grid]";
    for (text, expected) in [
        (
            two("prompt.layout", "[\"soft_first\", \"before_middle\"]"),
            "\"layout=before_middle\" cannot be run: prompt.layout is before_middle",
        ),
        (
            two("retrieval.k", "[2, 50]"),
            "\"k=50\" cannot be run: retrieval.k is 50, but no ",
        ),
        (
            two("evaluation.identifier_tokens", "[32, 4096]").replace("[grid]", identifiers),
            "\"identifier_tokens=4096\" cannot be run: prompt.left_tokens + prompt.target_tokens + evaluation.identifier_tokens is ",
        ),
    ] {
        let file = shell.sweep_file(&text);
        shell.refuse(&["sweep", &file, "--runs-dir", &runs], expected);
        assert!(!shell.runs_dir().exists(), "{expected}");
    }
    let few = shell.toy.path("few");
    for (repositories, expected) in [
        (1, "and with 1 repository in it none is left for the "),
        (2, "and with 2 repositories in it none is left for the "),
    ] {
        copy_folder(&shell.toy.repository(), &few.join(format!("repository-{repositories}")));
        let corpus = format!("data.corpus={}", few.display());
        let file = shell.sweep_file(&GRID.replace("seeds = [1, 2]", "split = \"test\""));
        shell.refuse(&["sweep", &file, "--runs-dir", &runs, "--set", &corpus], expected);
        assert!(!shell.runs_dir().exists(), "{expected}");
    }
    let file = shell.sweep_file(GRID);
    shell.refuse(
        &["sweep", &file, "--runs-dir", &runs, "--set", "objective.alignment=1"],
        "values of their own",
    );
    shell.refuse(&["sweep", &file, "--runs-dir", &runs, "--trial", "4"], "no trial 4");
    shell.refuse(
        &["sweep", &shell.toy.path("corpus").display().to_string()],
        "is not a sweep",
    );
    shell.refuse(&["sweep", &file, "--launcher", "cloud"], "local, slurm");
}

#[cfg(unix)]
#[test]
fn a_killed_sweep_goes_on_where_it_was_and_ends_in_the_same_table() {
    let shell = Shell::new();
    let file = shell.sweep_file(GRID);
    let whole = shell.sweep(&[&file]).0;
    let kept = shell.toy.path("whole");
    std::fs::rename(shell.runs_dir(), &kept).unwrap();
    let whole = kept.join(whole.strip_prefix(shell.runs_dir()).unwrap());

    let runs = shell.runs_dir().display().to_string();
    for signal in ["KILL", "INT"] {
        let arguments = ["sweep", &file, "--device", "cpu", "--runs-dir", &runs];
        let mut child = shell
            .command(&arguments)
            .stdout(std::process::Stdio::null())
            .stderr(std::process::Stdio::null())
            .spawn()
            .unwrap();
        let steps = |shell: &Shell| list(&shell.runs_dir()).iter().map(|run| run.steps_done).sum::<usize>();
        let before = steps(&shell);
        while steps(&shell) < before + 4 && child.try_wait().unwrap().is_none() {
            std::thread::sleep(Duration::from_millis(5));
        }
        super::signal(signal, child.id());
        let code = child.wait().unwrap().code();
        assert!(signal == "KILL" || matches!(code, Some(0 | 1)), "{code:?}");
    }
    let begun = Sweep::open(&sweeps(&shell.runs_dir())[0]).unwrap();
    assert_eq!(begun.count(|status| *status == TrialStatus::Running), 0);
    let (folder, _) = if begun.is_done() {
        (begun.folder, String::new())
    } else {
        shell.sweep(&[&file])
    };
    assert_eq!(sweeps(&shell.runs_dir()).len(), 1);
    assert_eq!(list(&shell.runs_dir()).len(), 4, "no trial was begun twice");
    assert_eq!(numbers(&folder), numbers(&whole));
}

#[test]
fn trials_of_an_array_make_the_same_sweep() {
    let shell = Shell::new();
    let file = shell.sweep_file(GRID);
    let whole = numbers(&shell.sweep(&[&file]).0);
    let folder = shell.toy.path("runs/sweeps/array");
    let begun = sweeps(&shell.runs_dir()).remove(0);
    std::fs::create_dir_all(folder.join("trials")).unwrap();
    for name in ["sweep.toml", "experiment.toml"] {
        std::fs::copy(begun.join(name), folder.join(name)).unwrap();
    }
    let name = folder.display().to_string();
    for trial in ["3", "0", "2", "1"] {
        assert_eq!(
            shell.succeed(&["sweep", &name, "--trial", trial, "--device", "cpu"]),
            ""
        );
    }
    shell.succeed(&["sweep", &name, "--table"]);
    assert_eq!(numbers(&folder), whole);
}

#[test]
fn retrievers_are_compared_in_a_table_without_training() {
    let shell = Shell::new();
    let text = "name = \"retrieval\"\nbase = \"base.toml\"\nmeasure = \"retrieval\"\nsplit = \"test\"\n[grid]\n\"retrieval.retriever\" = [\"jaccard\", \"dense\", \"definitions\"]\n";
    let (folder, printed) = shell.sweep(&[&shell.sweep_file(text)]);
    let sweep = Sweep::open(&folder).unwrap();
    let table = sweep.table.as_ref().unwrap();
    assert!(list(&shell.runs_dir()).is_empty() && printed.contains("hit@10"));
    for (row, entry) in table.rows.iter().zip(&sweep.trials) {
        let outcome = entry.outcome.as_ref().unwrap();
        let mean = |key: &str| outcome.metrics[key].iter().sum::<f64>() / outcome.samples.len() as f64;
        for key in ["hit_1", "hit_10", "reciprocal_rank"] {
            assert!((table.entry(&row.cell, key).unwrap().value.mean - mean(key)).abs() < 1e-12);
        }
        assert!(mean("hit_1") <= mean("reciprocal_rank") && mean("reciprocal_rank") <= mean("hit_20"));
        let difference = table.entry(&row.cell, "hit_10").unwrap().difference.as_ref();
        assert_eq!(
            difference.map(|one| one.pairs),
            (row.cell != table.baseline).then_some(row.samples)
        );
    }
}

#[test]
fn every_sweep_that_ships_is_valid_and_the_ablation_is_that_of_its_experiments() {
    let configs = Path::new(env!("CARGO_MANIFEST_DIR")).join("configs");
    let sweeps = std::fs::read_dir(configs.join("sweeps"))
        .unwrap()
        .map(|entry| entry.unwrap().path());
    for path in sweeps.chain([configs.join("retrieval.toml")]) {
        let plan = SweepPlan::load(&path, &[]).unwrap();
        assert!(plan.trials.len() > 1, "{}", path.display());
    }
    let plan = SweepPlan::load(&configs.join("sweeps/loss_ablation.toml"), &[]).unwrap();
    let terms = [
        "ce",
        "ce_alignment",
        "ce_reward",
        "ce_alignment_reward",
        "reward",
        "ce_kl",
    ];
    for (trial, name) in plan.trials.iter().zip(terms) {
        let mut experiment = Experiment::load(&configs.join(format!("ablation/{name}.toml"))).unwrap();
        experiment.name.clone_from(&trial.experiment.name);
        assert_eq!(experiment, trial.experiment);
    }
}
