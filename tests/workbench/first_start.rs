//! From nothing to a moving curve in two clicks, and the other ways on.

use egui::accesskit::Role;
use egui_kittest::kittest::{NodeT as _, Queryable as _};
use llavacode::app::{Action, Station, UiCommand};
use llavacode::engine::{Command, Event, Progress, WorkerState};

use super::demo_run::Demo;
use super::harness::{act, training, workbench};

#[test]
fn two_clicks_lead_to_a_moving_curve() {
    let runs = tempfile::tempdir().unwrap();
    let (mut h, engine) = workbench(runs.path(), false);
    h.get_by_label("MIT, BSD, Apache-2.0");
    h.get_by_role_and_label(Role::Button, "Get them").click();
    h.run();
    assert!(matches!(&engine.sent.borrow()[..], [Command::Fetch(ids)] if ids.is_empty()));

    let progress = Progress {
        task: "Reader SmolLM2-135M-Instruct".into(),
        done: 40_000_000,
        total: 243_600_000,
        unit: "bytes",
    };
    engine.answer(Event::FetchProgress(Some(progress)));
    h.run();
    h.get_by_label_contains("40 MB of 244 MB");
    engine.answer(Event::Fetched { missing: Vec::new() });
    h.run();
    let start = h.get_by_role_and_label(Role::Button, "Start training");
    assert!(start.is_focused(), "Start waits for the Enter key");
    assert_eq!(h.state().state().editor.experiment().name, "names");
    start.click();
    h.run();
    assert!(matches!(engine.sent.borrow().last(), Some(Command::Train(e)) if e.objective.alignment == 0.0));

    engine.answer(Event::State(WorkerState::Preparing));
    engine.answer(Event::Progress(Some(Progress {
        task: "encoding chunks".into(),
        done: 1200,
        total: 4100,
        unit: "chunks",
    })));
    h.run();
    h.get_by_label_contains("of 4");

    let mut run = Demo::start(runs.path(), "collapse", false);
    engine.answer(Event::RunStarted(run.folder()));
    engine.answer(training(&run.folder(), 0, false));
    h.run();
    h.get_by_label("waiting for the first step");
    run.train_to(12);
    engine.answer(training(&run.folder(), 12, false));
    engine.answer(Event::RunChanged(run.folder()));
    h.run();
    let steps = |h: &egui_kittest::Harness<'_, llavacode::ui::Workbench>| {
        h.state().state().focused().map(|open| open.run().scalars.len())
    };
    assert_eq!(steps(&h), Some(12));
    h.get_by_label_contains("training 12/84 · 5.10 samples/s · 3 min left");
    run.train_to(20);
    engine.answer(Event::RunChanged(run.folder()));
    h.run();
    assert_eq!(steps(&h), Some(20));
}

#[test]
fn a_download_is_cancelled_and_resumed() {
    let runs = tempfile::tempdir().unwrap();
    let (mut h, engine) = workbench(runs.path(), false);
    h.get_by_label("Get them").click();
    h.run();
    h.get_by_label("Cancel").click();
    h.run();
    engine.answer(Event::FetchProgress(None));
    engine.answer(Event::Fetched {
        missing: vec!["python-packages".into()],
    });
    h.run();
    assert_eq!(h.query_all_by_label("✓").count(), 2);
    h.get_by_label("Get them").click();
    h.run();
    assert_eq!(engine.sent(), ["Fetch", "CancelFetch", "Fetch"]);
}

#[test]
fn folders_of_ones_own_are_typed_or_chosen() {
    let runs = tempfile::tempdir().unwrap();
    let (mut h, desktop) = workbench(runs.path(), false);
    act(&mut h, Action::LoadPreset(1));
    *desktop.folder.borrow_mut() = Some("/models/reader".into());
    h.get_by_label("I have a folder…").click();
    h.run();
    h.get_all_by_label("Browse…").next().unwrap().click();
    h.run();
    h.get_by_label("Use these").click();
    h.run();
    assert_eq!(h.state().state().editor.experiment().reader.model, "/models/reader");
    h.get_by_label_contains("Encoder all-MiniLM-L6-v2 is not here");
    for key in ["encoder.model", "data.corpus"] {
        let text = format!("/models/{key}");
        act(&mut h, Action::SetField { key, text });
    }
    h.get_by_label_contains("ready: 84 steps");
}

#[test]
fn a_start_without_models_is_refused_with_the_reason_and_the_first_page_comes_back() {
    let runs = tempfile::tempdir().unwrap();
    let (mut h, engine) = workbench(runs.path(), false);
    h.get_by_label("Look at a recorded run").click();
    h.run_ok();
    act(&mut h, Action::CloseOverlays);
    h.key_press(egui::Key::Num1);
    h.run_ok();
    h.get_by_label("▲ Reader SmolLM2-135M-Instruct is not here; get it (Ctrl+K) or choose a folder");
    assert!(h.get_by_label("Start training").accesskit_node().is_disabled());
    h.key_press_modifiers(egui::Modifiers::COMMAND, egui::Key::Enter);
    h.run_ok();
    assert!(engine.sent().is_empty());
    h.get_by_label(UiCommand::Fetch.name()).click();
    h.run_ok();
    h.get_by_label("Get them").click();
    h.run_ok();
    assert_eq!(engine.sent(), ["Fetch"]);
    engine.answer(Event::Fetched { missing: Vec::new() });
    h.run_ok();
    h.get_by_label_contains("ready: 1400 steps");
    assert!(UiCommand::Fetch.refusal(h.state().state()).is_some());
}

#[test]
fn a_failed_download_says_why_on_the_page_and_a_running_one_is_seen_from_every_page() {
    let runs = tempfile::tempdir().unwrap();
    let (mut h, engine) = workbench(runs.path(), false);
    h.get_by_label_contains("kept in /home/ada/.cache/llavacode");
    h.get_by_label("Get them").click();
    h.run();
    engine.answer(Event::FetchProgress(Some(Progress {
        task: "Reader SmolLM2-135M-Instruct".into(),
        done: 61,
        total: 244,
        unit: "bytes",
    })));
    h.key_press(egui::Key::Num5);
    h.run();
    h.get_by_label("↓ models and code 25 %").click();
    h.run();
    engine.answer(Event::FetchProgress(None));
    engine.answer(Event::Failed {
        message: "the network cannot be reached".into(),
        bad_input: false,
    });
    let missing = h
        .state()
        .state()
        .setup
        .items
        .iter()
        .map(|item| item.id.clone())
        .collect();
    engine.answer(Event::Fetched { missing });
    h.run();
    h.get_by_label("▲ the network cannot be reached");
    h.get_by_label("Get them");
}

#[test]
fn a_recorded_run_is_looked_at_without_models() {
    let runs = tempfile::tempdir().unwrap();
    let (mut h, _) = workbench(runs.path(), false);
    h.get_by_label("Look at a recorded run").click();
    h.run_ok();
    h.run_ok();
    let state = h.state().state();
    assert_eq!(state.station, Station::Runs);
    assert!(!state.runs.is_empty() && state.runs.iter().all(|run| run.error.is_none()));
    assert!(state.recorded.holds(state.focus.as_deref().unwrap()));
    h.get_by_label_contains("● recording, ");
}
