//! The Sweep page: its cells and chart, following a sweep that runs, and starting one from a file.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use egui::accesskit::Role;
use egui_kittest::kittest::Queryable as _;
use llavacode::app::{Action, RunsPage, UiCommand};
use llavacode::engine::{Command, Event, SweepSource};
use llavacode::evaluation::SCORE_INFO;
use llavacode::experiment::{Experiment, SweepFile, SweepPlan};
use llavacode::runs::{Outcome, SampleKey, Sweep, TrialWriter, create_sweep, write_table};

use super::harness::{act, figure, workbench};

const FILE: &str = "name = \"chunks\"\nseeds = [1, 2]\n\n[set]\n\"schedule.steps\" = 40\n\n[grid]\n\"retrieval.k\" = [5, 10, 15, 20]\n\"projector.depth\" = [2, 3]\n";

/// A sweep with this many trials done, and the next one failed.
pub fn sweep(runs_dir: &Path, done: usize) -> PathBuf {
    let file = SweepFile::from_toml(FILE, "chunks.toml").unwrap();
    let plan = SweepPlan::new(file, Experiment::default(), &[]).unwrap();
    let folder = create_sweep(runs_dir, &plan).unwrap();
    for (index, trial) in plan.trials.iter().enumerate().take(done) {
        let writer = TrialWriter::claim(&folder, index).unwrap();
        let gain = trial.experiment.retrieval.k as f64 / 40.0 + trial.experiment.projector.depth as f64 / 10.0;
        writer.done(&outcome(index, gain)).unwrap();
    }
    if done < plan.trials.len() {
        TrialWriter::claim(&folder, done)
            .unwrap()
            .failed("the disk is full")
            .unwrap();
    }
    let table = Sweep::open(&folder).unwrap().compute_table();
    write_table(&folder, &table).unwrap();
    folder
}

fn outcome(index: usize, gain: f64) -> Outcome {
    let samples: Vec<SampleKey> = (0..24)
        .map(|i| SampleKey {
            id: format!("sample {i:02}"),
            repository: format!("repository {}", i % 5),
        })
        .collect();
    let metrics: BTreeMap<String, Vec<f64>> = SCORE_INFO
        .iter()
        .map(|info| {
            let noise = |i: usize| ((i * 7 + index * 3) % 11) as f64 / 11.0;
            let values = (0..samples.len()).map(|i| match info.unit {
                "0 to 1" => f64::from(u8::from(noise(i) < gain / 2.0 + 0.2)),
                "0 to 100" => 40.0 + 20.0 * gain + 10.0 * noise(i),
                _ => 2.5 - gain + 0.3 * noise(i),
            });
            (info.key.to_owned(), values.collect())
        })
        .collect();
    Outcome {
        samples,
        metrics,
        numbers: BTreeMap::from([
            ("mean_cosine".into(), 0.5 - gain / 10.0),
            ("rankme".into(), 40.0 + gain),
        ]),
    }
}

#[test]
fn a_sweep_shows_its_cells_and_follows_its_trials() {
    let runs = tempfile::tempdir().unwrap();
    let folder = sweep(runs.path(), 5);
    let (mut h, engine) = workbench(runs.path(), true);
    act(&mut h, Action::ShowRuns(RunsPage::Sweep));
    h.run_ok();
    h.get_by_label("5 of 16 trials done, 10 waiting, 1 failed");
    h.get_by_label("▲ 1/2, failed");
    h.get_by_label("Resume sweep");
    assert!(h.query_all_by_label("✓ 2/2").count() >= 1);
    let writer = TrialWriter::claim(&folder, 6).unwrap();
    engine.answer(Event::SweepChanged(folder.clone()));
    h.run_ok();
    h.get_by_label("5 of 16 trials done, 1 running, 9 waiting, 1 failed");
    assert!(h.query_by_label("Resume sweep").is_none(), "somebody works on it");
    writer.done(&outcome(6, 0.4)).unwrap();
    engine.answer(Event::SweepEnded(folder));
    h.run_ok();
    h.get_by_label("6 of 16 trials done, 9 waiting, 1 failed");
}

#[test]
fn a_metric_is_drawn_over_the_swept_value_or_cell_by_cell() {
    let runs = tempfile::tempdir().unwrap();
    let folder = sweep(runs.path(), 16);
    let table = Sweep::open(&folder).unwrap().table.unwrap();
    let (mut h, _) = workbench(runs.path(), true);
    act(&mut h, Action::ShowRuns(RunsPage::Sweep));
    h.run_ok();
    let text = figure(&h, "EM (tokens), ");
    assert!(text.contains("at chunks 20"), "one curve a depth, along k: {text}");
    h.get_by_label("cells").click();
    h.run_ok();
    let text = figure(&h, "EM (tokens), ");
    for row in &table.rows {
        assert!(text.contains(&row.cell), "{} in {text}", row.cell);
    }
}

#[test]
fn a_sweep_is_started_from_a_file_and_a_wrong_one_says_why() {
    let runs = tempfile::tempdir().unwrap();
    let files = tempfile::tempdir().unwrap();
    let (right, wrong) = (files.path().join("chunks.toml"), files.path().join("wrong.toml"));
    std::fs::write(&right, FILE).unwrap();
    std::fs::write(&wrong, FILE.replace("retrieval.k", "retrieval.kk")).unwrap();
    let (mut h, engine) = workbench(runs.path(), true);
    act(&mut h, Action::ShowRuns(RunsPage::Sweep));
    h.get_by_label("Sweeps appear here");
    act(&mut h, Action::Command(UiCommand::RunSweep));
    for (path, starts) in [(&wrong, false), (&right, true)] {
        h.get_by_role_and_label(Role::TextInput, "File of the sweep").focus();
        h.run_ok();
        h.key_press_modifiers(egui::Modifiers::COMMAND, egui::Key::A);
        h.get_by_role_and_label(Role::TextInput, "File of the sweep")
            .type_text(&path.display().to_string());
        h.run_ok();
        h.get_by_role_and_label(Role::Button, "Run").click();
        h.run_ok();
        assert_eq!(h.query_by_label_contains("retrieval.kk").is_some(), !starts);
        assert_eq!(engine.sent().contains(&"Sweep".to_owned()), starts);
    }
    let sent = engine.sent.borrow();
    let Some(Command::Sweep(request)) = sent.last() else {
        panic!("a sweep is asked for");
    };
    assert!(matches!(&request.sweep, SweepSource::New(plan) if plan.trials.len() == 16));
}
