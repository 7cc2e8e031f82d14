//! Hands on a run in the Train station: weights, roll-back, fork, undo, and taking up a run that did not end.

use std::path::Path;

use egui::accesskit::Role;
use egui_kittest::Harness;
use egui_kittest::kittest::{NodeT as _, Queryable as _};
use llavacode::app::{Action, Station, UiCommand};
use llavacode::engine::{Command, Event, WorkerState};
use llavacode::ui::Workbench;

use super::demo_run::Demo;
use super::harness::{Fake, THEMES, act, painted, picture_folder, shoot, training, workbench};

/// A run at step 41 with checkpoints at 21 and 35, and a changed weight.
fn live(runs: &Path) -> Demo {
    let mut run = Demo::start(runs, "live", true);
    for step in [21, 35] {
        run.train_to(step);
        run.checkpoint();
    }
    run.intervene("objective.alignment", 0.3, 0.1);
    run.train_to(41);
    run
}

fn show(h: &mut Harness<'_, Workbench>, engine: &Fake, run: &Demo, paused: bool) {
    engine.answer(Event::RunStarted(run.folder()));
    engine.answer(training(&run.folder(), 41, paused));
    h.run_ok();
    act(h, Action::Go(Station::Train));
}

fn last(engine: &Fake) -> Command {
    engine.sent.borrow().last().cloned().unwrap()
}

#[test]
fn a_weight_is_typed_and_undone() {
    let runs = tempfile::tempdir().unwrap();
    let run = live(runs.path());
    let (mut h, engine) = workbench(runs.path(), true);
    show(&mut h, &engine, &run, false);
    h.get_by_label("alignment 0.100 → 0.300 after step 35");
    let weight = h.get_by_role_and_label(Role::SpinButton, "alignment");
    assert_eq!(weight.value().as_deref(), Some("0.3"));
    h.get_by_role_and_label(Role::SpinButton, "alignment").click();
    h.run_ok();
    h.key_press_modifiers(egui::Modifiers::COMMAND, egui::Key::A);
    h.event(egui::Event::Text("2.5".into()));
    h.run_ok();
    assert!(engine.sent().is_empty(), "nothing is sent before it is whole");
    h.key_press(egui::Key::Enter);
    h.run_ok();
    assert!(
        matches!(last(&engine), Command::Intervene { field, value } if field == "objective.alignment" && value == 2.5)
    );
    h.get_by_label("Undo").click();
    h.run_ok();
    assert!(
        matches!(last(&engine), Command::Intervene { field, value } if field == "objective.alignment" && value == 0.1)
    );
    assert_eq!(engine.sent().len(), 2);
}

#[test]
fn a_roll_back_is_chosen_shown_and_undone() {
    let runs = tempfile::tempdir().unwrap();
    let mut run = live(runs.path());
    let (mut h, engine) = workbench(runs.path(), true);
    show(&mut h, &engine, &run, false);
    h.get_by_label("Roll back ▾").click();
    h.run_ok();
    h.get_by_label("step 21").click();
    h.run_ok();
    assert!(matches!(last(&engine), Command::RollBack { step: 21 }));
    act(&mut h, Action::Command(UiCommand::RollBack));
    assert!(matches!(last(&engine), Command::RollBack { step: 35 }));

    run.roll_back(21);
    run.train_to(30);
    engine.answer(training(&run.folder(), 30, false));
    engine.answer(Event::RunChanged(run.folder()));
    h.run_ok();
    let shown = h.state().state().focused().unwrap().run();
    assert_eq!((shown.scalars.len(), shown.abandoned[0].len()), (30, 20));
    h.get_by_label("rolled back to step 21");
    h.get_by_label("Undo").click();
    h.run_ok();
    assert!(matches!(last(&engine), Command::UndoRollBack));
}

#[test]
fn a_fork_stops_the_run_in_training_and_waits() {
    let runs = tempfile::tempdir().unwrap();
    let run = live(runs.path());
    let (mut h, engine) = workbench(runs.path(), true);
    show(&mut h, &engine, &run, false);
    h.get_by_label("Fork ▾").click();
    h.run_ok();
    h.get_by_label("step 21").click();
    h.run_ok();
    assert_eq!(engine.sent(), ["Stop", "Fork", "Pause"]);
    let sent = engine.sent.borrow();
    assert!(matches!(&sent[1], Command::Fork(request) if request.step == Some(21) && request.run == run.folder()));
}

#[test]
fn a_run_that_did_not_end_is_taken_up_again() {
    let runs = tempfile::tempdir().unwrap();
    let mut run = live(runs.path());
    run.fail("the disk is full");
    let folder = run.folder();
    drop(run);
    let (mut h, engine) = workbench(runs.path(), true);
    act(&mut h, Action::Focus(folder.clone()));
    act(&mut h, Action::Go(Station::Train));
    h.get_by_label("Resume run");
    act(&mut h, Action::Go(Station::Runs));
    h.get_by_label("Actions of live").click();
    h.run_ok();
    h.get_by_label("Resume live").click();
    h.run_ok();
    assert!(matches!(last(&engine), Command::ResumeRun(run) if run == folder));
    assert_eq!(h.state().state().worker, WorkerState::Preparing);
    // Only once.
    act(&mut h, Action::Command(UiCommand::ResumeRun));
    assert_eq!(engine.sent(), ["ResumeRun"]);
    act(&mut h, Action::Go(Station::Runs));
    h.get_by_label("Actions of live").click();
    h.run_ok();
    assert!(h.get_by_label("Resume live").accesskit_node().is_disabled());
}

#[test]
fn hands_are_painted() {
    let Some(folder) = picture_folder() else { return };
    for (theme, preference) in THEMES {
        let runs = tempfile::tempdir().unwrap();
        let mut run = live(runs.path());
        let (mut h, engine) = painted(runs.path(), true, (theme, preference));
        show(&mut h, &engine, &run, true);
        let shoot = |h: &mut Harness<'_, Workbench>, name: &str| shoot(h, &folder, name, theme);
        shoot(&mut h, "hands-changed");
        h.get_by_label("Roll back ▾").click();
        shoot(&mut h, "hands-menu");
        h.key_press(egui::Key::Escape);
        run.roll_back(21);
        run.train_to(50);
        engine.answer(training(&run.folder(), 50, false));
        engine.answer(Event::RunChanged(run.folder()));
        shoot(&mut h, "hands-rolled-back");
        run.fail("the disk that holds runs is full");
        let ended = run.folder();
        drop(run);
        engine.answer(Event::State(WorkerState::Idle));
        engine.answer(Event::RunEnded(ended));
        h.run_ok();
        shoot(&mut h, "hands-failed");
        act(&mut h, Action::Go(Station::Runs));
        shoot(&mut h, "hands-runs");
    }
}
