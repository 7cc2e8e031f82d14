//! Every station with nothing, with a run, and with two; the experiment form; the table of runs.

use egui::accesskit::Role;
use egui_kittest::kittest::{NodeT as _, Queryable as _};
use llavacode::app::{Action, Station};
use llavacode::engine::{Event, Progress, Severity};
use strum::IntoEnumIterator as _;

use super::demo_run::{Demo, write};
use super::harness::{act, training, workbench};

#[test]
fn every_station_draws_with_nothing_and_with_two_runs() {
    let empty = tempfile::tempdir().unwrap();
    let full = tempfile::tempdir().unwrap();
    let collapse = write(full.path(), "collapse", false);
    write(full.path(), "aligned", true);
    for (runs, count) in [(&empty, 0), (&full, 2)] {
        let (mut h, _) = workbench(runs.path(), true);
        if count == 2 {
            let ctx = h.ctx.clone();
            let aligned = h.state().state().runs[1].folder.clone();
            h.state_mut().act(&ctx, Action::Focus(collapse.clone()));
            h.state_mut().act(&ctx, Action::ToggleOverlay(aligned));
        }
        for station in Station::iter() {
            h.get_by_role_and_label(Role::Button, &station.to_string()).click();
            // The charts of Collapse ask for another frame with each probe that was read, however many that is.
            h.run_ok();
            assert_eq!(h.state().state().station, station);
            assert_eq!(h.state().state().shown_runs().count(), count);
        }
    }
}

#[test]
fn a_wrong_value_stops_the_start_and_says_why() {
    let runs = tempfile::tempdir().unwrap();
    let (mut h, engine) = workbench(runs.path(), true);
    let field = h.get_by_role_and_label(Role::TextInput, "steps");
    field.focus();
    h.run();
    h.key_press_modifiers(egui::Modifiers::COMMAND, egui::Key::A);
    h.get_by_role_and_label(Role::TextInput, "steps").type_text("0");
    h.run();
    h.get_by_label_contains("steps: 0 must be 1 to 10000000");
    assert!(h.get_by_label("Start training").accesskit_node().is_disabled());
    h.get_by_label_contains("Reset steps to 1400").click();
    h.run();
    assert!(!h.get_by_label("Start training").accesskit_node().is_disabled());
    assert!(engine.sent().is_empty());
}

#[test]
fn a_run_goes_to_the_trash_after_a_question_and_a_running_one_cannot() {
    let runs = tempfile::tempdir().unwrap();
    let folder = write(runs.path(), "aligned", true);
    let _running = Demo::start(runs.path(), "live", false);
    let (mut h, _) = workbench(runs.path(), true);
    h.get_by_role_and_label(Role::Button, "Runs").click();
    h.run_ok();
    h.get_by_label("Actions of live").click();
    h.run_ok();
    assert!(h.get_by_label("Delete live…").accesskit_node().is_disabled());
    h.key_press(egui::Key::Escape);
    h.run_ok();
    h.get_by_label("Actions of aligned").click();
    h.run_ok();
    h.get_by_label("Delete aligned…").click();
    h.run_ok();
    h.get_by_label("Move aligned to the trash?");
    assert!(folder.exists());
    h.get_by_label("Move to the trash").click();
    h.run_ok();
    assert!(!folder.exists());
    assert_eq!(h.state().state().runs.len(), 1);
}

#[test]
fn two_runs_show_what_they_differ_in() {
    let runs = tempfile::tempdir().unwrap();
    write(runs.path(), "aligned", true);
    write(runs.path(), "collapse", false);
    let (mut h, _) = workbench(runs.path(), true);
    h.get_by_role_and_label(Role::Button, "Runs").click();
    h.run_ok();
    let other = if h.state().state().focused().unwrap().run().name() == "aligned" {
        "Overlay collapse"
    } else {
        "Overlay aligned"
    };
    h.get_by_label(other).click();
    h.run_ok();
    h.get_by_label("Difference of settings").click();
    h.run_ok();
    let settings = h.query_all_by_label("alignment");
    assert!(settings.count() > 0);
    assert!(h.query_by_label("learning rate").is_none(), "only what differs");
}

#[test]
fn a_broken_folder_is_listed_with_its_reason_and_a_wrong_path_is_told() {
    let runs = tempfile::tempdir().unwrap();
    std::fs::create_dir(runs.path().join("2026-11-24-broken")).unwrap();
    let (mut h, _) = workbench(runs.path(), true);
    h.get_by_role_and_label(Role::Button, "Runs").click();
    h.run_ok();
    h.get_by_label("▲ broken");
    h.key_press_modifiers(egui::Modifiers::COMMAND, egui::Key::O);
    h.run_ok();
    h.get_by_label("Folder of the run").type_text("/nowhere/at all");
    h.run_ok();
    h.get_by_role_and_label(Role::Button, "Open").click();
    h.run_ok();
    assert!(
        h.state()
            .state()
            .notices
            .newest()
            .unwrap()
            .text
            .contains("/nowhere/at all")
    );
}

#[test]
fn why_a_run_failed_stands_above_its_curves() {
    let runs = tempfile::tempdir().unwrap();
    let mut run = Demo::start(runs.path(), "live", false);
    let (mut h, engine) = workbench(runs.path(), true);
    engine.answer(Event::RunStarted(run.folder()));
    run.train_to(41);
    run.fail("the loss is not a number at step 41");
    let folder = run.folder();
    drop(run);
    engine.answer(Event::RunEnded(folder));
    h.run();
    h.get_by_label("▲ live failed: the loss is not a number at step 41");
}

#[test]
fn an_evaluation_during_training_says_how_far_it_is() {
    let runs = tempfile::tempdir().unwrap();
    let mut run = Demo::start(runs.path(), "live", false);
    run.train_to(41);
    let (mut h, engine) = workbench(runs.path(), true);
    engine.answer(training(&run.folder(), 42, false));
    engine.answer(Event::Progress(Some(Progress {
        task: "evaluating".into(),
        done: 37,
        total: 128,
        unit: "completions",
    })));
    h.run();
    h.get_by_label_contains("● evaluating 37/128 at step 42/84");
    engine.answer(Event::Progress(None));
    h.run();
    h.get_by_label_contains("● training 42/84");
}

#[test]
fn a_checkpoint_is_evaluated_on_the_test_split_once_there_is_one() {
    let runs = tempfile::tempdir().unwrap();
    let folder = write(runs.path(), "aligned", true);
    let (mut h, engine) = workbench(runs.path(), true);
    act(&mut h, Action::Go(Station::Compare));
    h.run();
    let button = "Evaluate on the test split";
    assert!(h.get_by_label(button).accesskit_node().is_disabled());
    let checkpoints = folder.join("checkpoints");
    std::fs::create_dir_all(&checkpoints).unwrap();
    std::fs::write(checkpoints.join("step-84.safetensors"), "").unwrap();
    engine.answer(Event::RunChanged(folder));
    h.run();
    h.get_by_label(button).click();
    h.run();
    assert_eq!(engine.sent(), ["Evaluate"]);
    assert!(h.get_by_label(button).accesskit_node().is_disabled(), "one at a time");
    h.get_by_label("● evaluating aligned");
}

#[test]
fn notices_stand_in_the_bar_and_stay_in_the_log() {
    let runs = tempfile::tempdir().unwrap();
    let (mut h, engine) = workbench(runs.path(), true);
    engine.answer(Event::Notice(Severity::Error, "the disk is full".into()));
    engine.answer(Event::Notice(Severity::Warning, "3 chunks were left out".into()));
    h.run();
    h.get_by_label("Log").click();
    h.run();
    h.get_by_label("Close log");
    assert!(h.query_all_by_label("the disk is full").count() >= 1);
    assert_eq!(h.state().state().notices.iter().count(), 2);
}

#[test]
fn a_long_run_among_many_runs_is_drawn() {
    let runs = tempfile::tempdir().unwrap();
    let long = Demo::start(runs.path(), "long", false).folder();
    let mut lines = String::new();
    for step in 1..=20_000usize {
        let record = llavacode::runs::ScalarRecord {
            step,
            samples: 8 * step,
            loss: 3.0 + (step as f64).sin(),
            ..Default::default()
        };
        lines += &serde_json::to_string(&record).unwrap();
        lines.push('\n');
    }
    std::fs::write(long.join("scalars.jsonl"), lines).unwrap();
    for i in 0..300 {
        let copy = runs.path().join(format!("2026-11-20-run-{i}"));
        std::fs::create_dir(&copy).unwrap();
        for file in ["experiment.toml", "manifest.json", "events.jsonl"] {
            std::fs::copy(long.join(file), copy.join(file)).unwrap();
        }
    }
    let (mut h, _) = workbench(runs.path(), true);
    let ctx = h.ctx.clone();
    h.state_mut().act(&ctx, Action::Focus(long));
    for station in [Station::Train, Station::Runs] {
        h.state_mut().act(&ctx, Action::Go(station));
        h.run_ok();
    }
    assert_eq!(h.state().state().focused().unwrap().run().scalars.len(), 20_000);
    assert_eq!(h.state().state().runs.len(), 301);
    h.run_steps(40);
    let p95 = h.state().state().frames.p95().unwrap();
    assert!(p95 < 50.0, "a frame takes {p95} ms");
}
