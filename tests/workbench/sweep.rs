//! The Sweep page: its cells and chart, following a sweep that runs, and starting one from a file.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use egui::accesskit::Role;
use egui_kittest::Harness;
use egui_kittest::kittest::{NodeT as _, Queryable as _};
use llavacode::app::{Action, RunsPage, UiCommand};
use llavacode::engine::{Command, DeviceChoice, Engine, EngineSettings, Event, SweepSource};
use llavacode::evaluation::SCORE_INFO;
use llavacode::experiment::{Experiment, SweepFile, SweepPlan};
use llavacode::models::catalogue::Store;
use llavacode::runs::{Outcome, SampleKey, Sweep, TrialWriter, create_sweep, sweeps, write_table};
use llavacode::ui::{Workbench, WorkbenchSettings};

use super::harness::{Fake, act, catalogue, clock, export_csv, figure, until, workbench};
use super::toy::Toy;

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
fn the_cells_are_exported_with_their_intervals_and_differences() {
    let runs = tempfile::tempdir().unwrap();
    let folder = sweep(runs.path(), 5);
    let sweep = Sweep::open(&folder).unwrap();
    let table = sweep.table.as_ref().unwrap();
    let (mut h, _) = workbench(runs.path(), true);
    act(&mut h, Action::ShowRuns(RunsPage::Sweep));
    h.run_ok();
    let lines = export_csv(
        &mut h,
        "copy or export cells of the sweep",
        &runs.path().join("cells.csv"),
    );
    assert_eq!(lines.len(), 1 + table.rows.len());
    let columns: Vec<_> = table.headline().map(|(_, column)| column).collect();
    assert_eq!(lines[0].len(), 5 + 7 * columns.len());
    for (row, line) in table.rows.iter().zip(&lines[1..]) {
        let counts = [row.done, row.trials, row.samples, row.repositories].map(|count| count.to_string());
        assert_eq!((&line[0], &line[1..5]), (&row.cell, &counts[..]));
        for (column, cells) in columns.iter().zip(line[5..].chunks(7)) {
            let entry = table.entry(&row.cell, &column.key);
            let difference = entry.and_then(|entry| entry.difference.as_ref());
            let numbers = [entry.map(|entry| entry.value), difference.map(|found| found.interval)];
            let ends = numbers.map(|value| value.map_or([None; 3], |one| [one.mean, one.low, one.high].map(Some)));
            let expected = ends.concat().into_iter().chain([difference.map(|found| found.p_holm)]);
            let found: Vec<Option<f64>> = cells.iter().map(|cell| cell.parse().ok()).collect();
            assert_eq!(found, expected.collect::<Vec<_>>(), "{} of {}", column.key, row.cell);
            // What is shown is what is exported.
            if let Some(value) = numbers[0].filter(|value| value.low < value.high) {
                let text = value.text(column.decimals).replace('-', "−");
                assert!(h.query_all_by_label_contains(&text).next().is_some(), "{text}");
            }
        }
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
        write_into(&mut h, "File of the sweep", &path.display().to_string());
        h.key_press(egui::Key::Enter);
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

/// Replaces what stands in a field.
fn write_into(h: &mut Harness<'_, Workbench>, field: &str, text: &str) {
    h.get_by_role_and_label(Role::TextInput, field).focus();
    h.run_ok();
    h.key_press_modifiers(egui::Modifiers::COMMAND, egui::Key::A);
    h.get_by_role_and_label(Role::TextInput, field).type_text(text);
    h.run_ok();
}

#[test]
fn a_sweep_that_ships_is_chosen_and_takes_a_folder_of_ones_own() {
    let runs = tempfile::tempdir().unwrap();
    let (mut h, engine) = workbench(runs.path(), true);
    act(&mut h, Action::Command(UiCommand::RunSweep));
    write_into(&mut h, "File of the sweep", "elsewhere.toml");
    let preset = |h: &Harness<'_, Workbench>| h.state().state().sweeps.preset;
    let node = h.query_all_by_role(Role::RadioButton).find(|node| {
        node.accesskit_node()
            .label()
            .is_some_and(|label| label.starts_with("retrieval: "))
    });
    node.unwrap().focus();
    h.run_ok();
    h.key_press(egui::Key::Space);
    h.run_ok();
    assert_eq!(preset(&h), Some(0));
    assert_eq!(h.state().state().sweeps.path, "", "one or the other");
    *engine.folder.borrow_mut() = Some("/home/ada/code".into());
    h.get_all_by_label("Browse…").last().unwrap().click();
    h.run_ok();
    h.run_ok();
    assert_eq!(h.state().state().sweeps.corpus, "/home/ada/code");
    h.get_by_role_and_label(Role::TextInput, "As the sweep says").focus();
    h.run_ok();
    h.key_press(egui::Key::Enter);
    h.run_ok();
    let sent = engine.sent.borrow();
    let Some(Command::Sweep(request)) = sent.last() else {
        panic!("a sweep is asked for");
    };
    let SweepSource::New(plan) = &request.sweep else {
        panic!()
    };
    let corpora = plan.trials.iter().map(|trial| trial.experiment.data.corpus.as_str());
    assert_eq!(corpora.collect::<Vec<_>>(), ["/home/ada/code"; 5]);
}

#[test]
fn a_folder_of_repositories_becomes_a_table_of_retrievers() {
    let toy = Toy::new();
    let runs_dir = toy.path("runs");
    let file = toy.path("retrieval.toml");
    let mut base = toy.experiment("base");
    // Too little by itself: the folder is typed in the dialog.
    base.data.corpus = toy.repository().display().to_string();
    std::fs::write(toy.path("base.toml"), base.to_toml()).unwrap();
    let text = "name = \"retrieval\"\nbase = \"base.toml\"\nmeasure = \"retrieval\"\nsplit = \"test\"\n[grid]\n\"retrieval.retriever\" = [\"jaccard\", \"bm25\", \"dense\", \"definitions\"]\n";
    std::fs::write(&file, text).unwrap();
    let engine = Engine::spawn(
        EngineSettings {
            runs_dir: runs_dir.clone(),
            device: DeviceChoice::Cpu,
            store: Store::open(Some(&toy.path("store"))).unwrap(),
        },
        || {},
    )
    .unwrap();
    let settings = WorkbenchSettings {
        runs_dir: runs_dir.clone(),
        open: None,
        device: "CPU".into(),
        catalogue: catalogue(true),
        cache: toy.path("store"),
        clock,
    };
    let mut h = Harness::builder()
        .with_size([1280.0, 720.0])
        .with_context_setup(llavacode::ui::theme::install)
        .build_eframe(move |cc| Workbench::new(cc, settings, Box::new(engine), Box::new(Fake::default())));
    act(&mut h, Action::Command(UiCommand::RunSweep));
    write_into(&mut h, "File of the sweep", &file.display().to_string());
    write_into(&mut h, "As the sweep says", &toy.path("corpus").display().to_string());
    h.key_press(egui::Key::Enter);
    until(&mut h, "the end of the sweep", |h| {
        h.query_all_by_label_contains("sweep retrieval is done")
            .next()
            .is_some()
    });
    h.get_by_label("4 of 4 trials done");
    let table = Sweep::open(&sweeps(&runs_dir)[0]).unwrap().table.unwrap();
    for row in &table.rows {
        let hit = table.entry(&row.cell, "hit_10").unwrap().value;
        assert!(hit.low <= hit.mean && hit.mean <= hit.high && row.samples > 0);
        assert!(
            h.query_all_by_label_contains(&row.cell).next().is_some(),
            "{}",
            row.cell
        );
    }
}
