//! What people do in every program: arrange panes, undo, make text larger, open what was open before, copy.

use std::path::Path;

use egui::accesskit::Role;
use egui::{Key, Modifiers, Rect};
use egui_kittest::Harness;
use egui_kittest::kittest::{NodeT as _, Queryable as _};
use llavacode::app::{Action, RecentKind, RunsPage, Station};
use llavacode::engine::{Command, Event, Severity};
use llavacode::ui::Workbench;

use super::collapse::wait;
use super::demo_run::{Demo, write};
use super::harness::{Kept, act, kept, started, training};
use super::play::repository;

/// Chooses a command of the palette by name.
pub fn command(h: &mut Harness<'_, Workbench>, name: &str) {
    h.key_press_modifiers(Modifiers::COMMAND, Key::K);
    h.run_ok();
    h.get_by_label("Name of a command").type_text(name);
    h.run_ok();
    h.key_press(Key::Enter);
    h.run_ok();
    h.run_ok();
}

fn press(h: &mut Harness<'_, Workbench>, modifiers: Modifiers, key: Key) {
    h.key_press_modifiers(modifiers, key);
    h.run_ok();
    h.run_ok();
}

/// Where the grip of a pane is.
fn grip(h: &Harness<'_, Workbench>, pane: &str) -> Rect {
    h.get_by_label(&format!("Arrange {pane}")).rect()
}

fn newest(h: &Harness<'_, Workbench>) -> String {
    h.state().state().notices.newest().unwrap().text.clone()
}

/// The Train station with a run.
fn opened(runs: &Path, kept: Kept) -> Harness<'static, Workbench> {
    let run = write(runs, "aligned", true);
    let (mut h, _) = started(runs, kept);
    act(&mut h, Action::Focus(run));
    h
}

#[test]
fn a_pane_moved_by_a_command_is_there_after_a_restart_and_goes_back() {
    let runs = tempfile::tempdir().unwrap();
    let mut h = opened(runs.path(), Kept::default());
    let usual = [grip(&h, "experiment"), grip(&h, "curves")];
    assert!(usual[0].right() < usual[1].left());
    command(&mut h, "Move the pane to the right");
    assert!(grip(&h, "curves").right() < grip(&h, "experiment").left());
    press(&mut h, Modifiers::ALT | Modifiers::SHIFT, Key::ArrowDown);
    let below = [grip(&h, "experiment"), grip(&h, "curves")];
    assert!(below[1].bottom() < below[0].top());
    let kept = kept(&mut h);
    let run = h.state().state().focus.clone().unwrap();
    let (mut h, _) = started(runs.path(), kept);
    act(&mut h, Action::Focus(run));
    assert_eq!([grip(&h, "experiment"), grip(&h, "curves")], below);
    command(&mut h, "Reset the layout");
    assert_eq!([grip(&h, "experiment"), grip(&h, "curves")], usual);
    press(&mut h, Modifiers::COMMAND, Key::Z);
    assert_eq!([grip(&h, "experiment"), grip(&h, "curves")], below);
    assert_eq!(newest(&h), "undone: all panes where they usually are");
}

#[test]
fn panes_are_chosen_tabbed_and_widened_by_keyboard() {
    let runs = tempfile::tempdir().unwrap();
    let mut h = opened(runs.path(), Kept::default());
    let before = grip(&h, "curves");
    press(&mut h, Modifiers::NONE, Key::F6);
    command(&mut h, "Make the pane wider");
    assert!(grip(&h, "curves").left() > before.left() + 10.0);
    command(&mut h, "Put the pane into tabs");
    assert!(
        h.query_by_label_contains("Arrange ").is_none(),
        "tabs are dragged by their tab"
    );
    let x_axis = |h: &Harness<'_, Workbench>| h.query_by_label("x axis").is_some();
    assert!(!x_axis(&h));
    press(&mut h, Modifiers::NONE, Key::F6);
    assert!(x_axis(&h), "the next pane is in front");
    h.get_by_label("experiment").click();
    h.run_ok();
    h.run_ok();
    assert!(!x_axis(&h));
}

#[test]
fn a_page_without_panes_leaves_those_of_its_station_alone() {
    let runs = tempfile::tempdir().unwrap();
    let mut h = opened(runs.path(), Kept::default());
    act(&mut h, Action::Go(Station::Runs));
    act(&mut h, Action::ShowRuns(RunsPage::Sweep));
    let before = h.state().state().layout(Station::Runs).into_owned();
    press(&mut h, Modifiers::NONE, Key::F6);
    assert_eq!(newest(&h), "Choose the next pane: this page has no panes to move");
    press(&mut h, Modifiers::ALT | Modifiers::SHIFT, Key::ArrowDown);
    assert_eq!(*h.state().state().layout(Station::Runs), before);
    act(&mut h, Action::ShowRuns(RunsPage::Runs));
    press(&mut h, Modifiers::NONE, Key::F6);
    press(&mut h, Modifiers::ALT | Modifiers::SHIFT, Key::ArrowDown);
    assert_ne!(*h.state().state().layout(Station::Runs), before);
}

#[test]
fn a_pane_is_dragged_to_the_side_of_another() {
    let runs = tempfile::tempdir().unwrap();
    let mut h = opened(runs.path(), Kept::default());
    let from = grip(&h, "experiment").center();
    let to = egui::pos2(1270.0, 400.0);
    h.hover_at(from);
    h.run_ok();
    h.drag_at(from);
    h.run_ok();
    h.hover_at(from + egui::vec2(40.0, 40.0));
    h.run_ok();
    h.hover_at(to);
    h.run_ok();
    h.drop_at(to);
    h.run_ok();
    h.run_ok();
    assert!(grip(&h, "curves").right() < grip(&h, "experiment").left());
}

#[test]
fn a_damaged_or_unfitting_layout_is_the_usual_one_and_nothing_else_is_lost() {
    let runs = tempfile::tempdir().unwrap();
    let mut h = opened(runs.path(), Kept::default());
    act(&mut h, Action::SetTheme(egui::ThemePreference::Light));
    let usual = grip(&h, "experiment");
    command(&mut h, "Move the pane to the right");
    let good = kept(&mut h);
    let text = good.0["layouts"].clone();
    let damaged = [
        text.replace("version:1", "version:999"),
        text.replacen("Curves", "Experiment", 1),
        text.replace("Curves", "Telescope"),
        text.get(..text.len() / 2).unwrap().to_owned(),
    ];
    let run = h.state().state().focus.clone().unwrap();
    for text in damaged {
        let mut kept = good.clone();
        kept.0.insert("layouts".into(), text.clone());
        let (mut h, _) = started(runs.path(), kept);
        act(&mut h, Action::Focus(run.clone()));
        assert_eq!(grip(&h, "experiment"), usual, "{text}");
        assert_eq!(h.state().state().theme, egui::ThemePreference::Light);
    }
}

#[test]
fn a_layout_is_saved_used_and_removed_by_keyboard() {
    let runs = tempfile::tempdir().unwrap();
    let mut h = opened(runs.path(), Kept::default());
    command(&mut h, "Move the pane to the right");
    let moved = grip(&h, "experiment");
    command(&mut h, "Layouts: save");
    h.get_by_label("Name of the layout").type_text("talk");
    h.run_ok();
    h.key_press(Key::Enter);
    h.run_ok();
    h.get_by_label("Remove talk");
    press(&mut h, Modifiers::NONE, Key::Escape);
    command(&mut h, "Reset the layout");
    assert_ne!(grip(&h, "experiment"), moved);
    let run = h.state().state().focus.clone().unwrap();
    let (mut h, _) = started(runs.path(), kept(&mut h));
    act(&mut h, Action::Focus(run));
    command(&mut h, "Use layout talk");
    assert_eq!(grip(&h, "experiment"), moved);
    command(&mut h, "Layouts: save");
    h.get_by_label("Remove talk").click();
    h.run_ok();
    assert!(h.query_by_label("Remove talk").is_none() && h.query_by_label("None is saved yet.").is_some());
}

#[test]
fn every_station_keeps_its_panes_apart_at_1280_by_720() {
    let runs = tempfile::tempdir().unwrap();
    let mut h = opened(runs.path(), Kept::default());
    for (station, panes) in [
        (Station::Train, ["experiment", "curves"]),
        (Station::Collapse, ["charts", "instruments"]),
        (Station::Compare, ["samples", "chosen sample"]),
        (Station::Retrieve, ["samples", "retrieved chunks"]),
        (Station::Cost, ["quality against cost", "numbers"]),
        (Station::Runs, ["table of runs", "chosen runs"]),
    ] {
        act(&mut h, Action::Go(station));
        if station == Station::Collapse {
            wait(&mut h);
        }
        let [one, other] = panes.map(|pane| grip(&h, pane));
        assert!(
            !one.intersects(other) && one.is_positive() && other.is_positive(),
            "{station}"
        );
    }
}

#[test]
fn a_repository_that_vanished_is_shown_as_gone_and_can_be_forgotten() {
    let (runs, parent) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let (stays, goes) = (parent.path().join("stays"), parent.path().join("goes"));
    let mut h = opened(runs.path(), Kept::default());
    for folder in [&stays, &goes] {
        std::fs::create_dir(folder).unwrap();
        let code = repository(folder);
        act(&mut h, Action::OpenRepository(code.clone()));
        assert!(code.is_dir());
    }
    let kept = kept(&mut h);
    std::fs::remove_dir_all(&goes).unwrap();
    let (mut h, _) = started(runs.path(), kept);
    h.run_ok();
    let gone: Vec<bool> = {
        let all = h.state().state().recents.all(RecentKind::Repository);
        all.iter().map(|recent| recent.gone).collect()
    };
    assert_eq!(gone, [true, false], "newest first");
    act(&mut h, Action::Go(Station::Play));
    h.get_by_label("gone");
    let forget = |h: &Harness<'_, Workbench>| {
        let all = h.query_all_by_label_contains("Forget ");
        all.map(|node| node.accesskit_node().label().unwrap())
            .collect::<Vec<_>>()
    };
    let before = forget(&h);
    assert_eq!(before.len(), 2);
    h.get_by_label(before.first().unwrap()).click();
    h.run_ok();
    h.run_ok();
    assert_eq!(forget(&h), &before[1..]);
    assert!(h.query_by_label("gone").is_none());
    command(&mut h, "Play with");
    let folder = h.state().state().playground.folder.clone().unwrap();
    assert!(folder.starts_with(&stays));
}

#[test]
fn a_run_from_elsewhere_is_remembered_and_those_of_the_runs_folder_are_not() {
    let (runs, elsewhere) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let other = write(elsewhere.path(), "copied", false);
    let mut h = opened(runs.path(), Kept::default());
    let recents = |h: &Harness<'_, Workbench>| h.state().state().recents.folders(RecentKind::Run);
    assert!(recents(&h).is_empty());
    press(&mut h, Modifiers::COMMAND, Key::O);
    h.get_by_label("Folder of the run")
        .type_text(&other.display().to_string());
    h.run_ok();
    press(&mut h, Modifiers::NONE, Key::Enter);
    assert_eq!(recents(&h), std::slice::from_ref(&other));
    let (mut h, _) = started(runs.path(), kept(&mut h));
    assert_ne!(h.state().state().focus.as_ref(), Some(&other));
    command(&mut h, "Look at run copied");
    assert_eq!(h.state().state().focus.as_ref(), Some(&other));
}

#[test]
fn the_size_of_text_is_changed_by_keys_and_kept() {
    let runs = tempfile::tempdir().unwrap();
    let mut h = opened(runs.path(), Kept::default());
    press(&mut h, Modifiers::COMMAND, Key::Plus);
    press(&mut h, Modifiers::COMMAND, Key::Equals);
    assert_eq!(h.ctx.zoom_factor(), 1.25);
    press(&mut h, Modifiers::COMMAND, Key::Minus);
    assert_eq!((h.ctx.zoom_factor(), newest(&h).as_str()), (1.1, "text size 110 %"));
    let (mut h, _) = started(runs.path(), kept(&mut h));
    h.run_ok();
    assert_eq!(h.ctx.zoom_factor(), 1.1);
    press(&mut h, Modifiers::COMMAND, Key::Num0);
    assert_eq!(h.ctx.zoom_factor(), 1.0);
    command(&mut h, "Smaller text");
    assert_eq!(h.ctx.zoom_factor(), 0.9);
}

#[test]
fn a_form_edit_is_undone_and_done_again_and_named() {
    let runs = tempfile::tempdir().unwrap();
    let mut h = opened(runs.path(), Kept::default());
    let steps = |h: &Harness<'_, Workbench>| h.state().state().editor.text("schedule.steps").to_owned();
    let field = |h: &Harness<'_, Workbench>| h.get_by_role_and_label(Role::TextInput, "steps").focus();
    let before = steps(&h);
    field(&h);
    h.run_ok();
    h.key_press_modifiers(Modifiers::COMMAND, Key::A);
    h.get_by_role_and_label(Role::TextInput, "steps").type_text("850");
    h.run_ok();
    press(&mut h, Modifiers::NONE, Key::Escape);
    assert_eq!(steps(&h), "850");
    press(&mut h, Modifiers::COMMAND, Key::Z);
    assert_eq!(
        (steps(&h), newest(&h)),
        (before.clone(), format!("undone: steps: {before} → 850"))
    );
    press(&mut h, Modifiers::COMMAND | Modifiers::SHIFT, Key::Z);
    assert_eq!(
        (steps(&h), newest(&h)),
        ("850".into(), format!("done again: steps: {before} → 850"))
    );
    press(&mut h, Modifiers::COMMAND, Key::Z);
    press(&mut h, Modifiers::COMMAND, Key::Y);
    assert_eq!(steps(&h), "850");
}

#[test]
fn a_filter_and_a_deletion_are_undone() {
    let runs = tempfile::tempdir().unwrap();
    let other = write(runs.path(), "other", false);
    let mut h = opened(runs.path(), Kept::default());
    act(&mut h, Action::Go(Station::Runs));
    let shown = |h: &Harness<'_, Workbench>| h.query_by_label_contains("1 of 2 runs").is_some();
    h.get_by_role(Role::TextInput).focus();
    h.get_by_role(Role::TextInput).type_text("oth");
    h.run_ok();
    press(&mut h, Modifiers::NONE, Key::Escape);
    assert!(shown(&h));
    press(&mut h, Modifiers::COMMAND, Key::Z);
    assert!(!shown(&h));
    press(&mut h, Modifiers::COMMAND, Key::Y);
    assert!(shown(&h));
    act(&mut h, Action::Delete(other.clone()));
    assert!(!other.exists());
    press(&mut h, Modifiers::COMMAND, Key::Z);
    assert!(other.exists());
    press(&mut h, Modifiers::COMMAND, Key::Y);
    assert!(!other.exists());
    assert_eq!(newest(&h), "done again: other to the trash");
}

#[test]
fn a_deletion_whose_place_is_taken_can_be_undone_once_it_is_free() {
    let runs = tempfile::tempdir().unwrap();
    let other = write(runs.path(), "other", false);
    let mut h = opened(runs.path(), Kept::default());
    act(&mut h, Action::Delete(other.clone()));
    std::fs::create_dir(&other).unwrap();
    press(&mut h, Modifiers::COMMAND, Key::Z);
    assert!(newest(&h).contains(&other.display().to_string()), "{}", newest(&h));
    std::fs::remove_dir(&other).unwrap();
    press(&mut h, Modifiers::COMMAND, Key::Z);
    assert_eq!(newest(&h), "undone: other to the trash");
    assert!(other.join("manifest.json").exists());
}

#[test]
fn what_was_done_to_a_run_is_undone_and_done_again_as_its_log_tells() {
    let runs = tempfile::tempdir().unwrap();
    let mut run = Demo::start(runs.path(), "live", false);
    let field = "objective.alignment";
    run.train_to(12);
    run.intervene(field, 0.3, 0.1);
    run.intervene(field, 7.5, 0.3);
    let (mut h, engine) = started(runs.path(), Kept::default());
    act(&mut h, Action::Focus(run.folder()));
    engine.answer(training(&run.folder(), 12, false));
    h.run_ok();
    // An edit of the form is older: it waits.
    let preset = h.state().state().editor.preset;
    act(&mut h, Action::LoadPreset(preset + 1));
    let sent = || -> Vec<f64> {
        let value = |command: &Command| match command {
            Command::Intervene { value, .. } => *value,
            other => panic!("{other:?}"),
        };
        engine.sent.borrow().iter().map(value).collect()
    };
    let (undo, redo) = (Modifiers::COMMAND, Modifiers::COMMAND | Modifiers::SHIFT);
    press(&mut h, undo, Key::Z);
    assert_eq!((sent(), newest(&h)), (vec![0.3], format!("undone: {field}: 0.3 → 7.5")));
    press(&mut h, undo, Key::Z);
    assert_eq!(sent(), [0.3], "the engine has not answered yet");
    engine.answer(Event::Notice(Severity::Error, "it could not be done".into()));
    h.run_ok();
    press(&mut h, undo, Key::Z);
    assert_eq!(sent(), [0.3, 0.3], "it is still there to be undone");
    let mut log = |h: &mut Harness<'_, Workbench>, value: f64, before: f64| {
        run.intervene(field, value, before);
        engine.answer(Event::RunChanged(run.folder()));
        h.run_ok();
    };
    log(&mut h, 0.3, 7.5);
    press(&mut h, undo, Key::Z);
    assert_eq!(sent().last(), Some(&0.1));
    log(&mut h, 0.1, 0.3);
    press(&mut h, undo, Key::Z);
    assert_eq!(
        (sent().len(), h.state().state().editor.preset),
        (3, preset),
        "now the form"
    );
    for (value, before) in [(0.3, 0.1), (7.5, 0.3)] {
        press(&mut h, redo, Key::Z);
        assert_eq!(sent().last(), Some(&value));
        log(&mut h, value, before);
    }
    assert_eq!(sent().len(), 5);
}

#[test]
fn the_numbers_of_panes_without_a_chart_can_be_copied() {
    let runs = tempfile::tempdir().unwrap();
    let mut h = opened(runs.path(), Kept::default());
    let copied = |h: &mut Harness<'_, Workbench>, name: &str| {
        h.get_by_label(&format!("copy or export {name}")).click();
        h.run_ok();
        h.get_by_label("Copy numbers").click();
        h.run_ok();
        h.query_by_label_contains("copied ")
            .is_some_and(|node| node.rect().is_positive())
    };
    act(&mut h, Action::Go(Station::Collapse));
    wait(&mut h);
    assert!(copied(&mut h, "instruments"));
    press(&mut h, Modifiers::NONE, Key::C);
    h.get_by_label("copy or export pairs of chunks");
    h.get_by_label("copy or export instruments of every probe");
    for (station, name) in [
        (Station::Compare, "samples"),
        (Station::Retrieve, "retrieved chunks of the samples"),
        (Station::Runs, "runs"),
    ] {
        act(&mut h, Action::Go(station));
        assert!(copied(&mut h, name), "{name}");
    }
}

#[test]
fn no_two_charts_of_a_page_propose_one_file() {
    let runs = tempfile::tempdir().unwrap();
    let other = write(runs.path(), "collapse", false);
    let mut h = opened(runs.path(), Kept::default());
    act(&mut h, Action::ToggleOverlay(other));
    act(&mut h, Action::Go(Station::Collapse));
    wait(&mut h);
    for view in [
        "cosine of every pair",
        "differences",
        "histogram over steps",
        "singular values",
        "among tokens",
        "norms",
    ] {
        h.get_by_label(view).click();
        h.run_ok();
        wait(&mut h);
        let count = h.query_all_by_label_contains("menu of ").count();
        assert!(count > 3, "{view}");
        let mut files = Vec::new();
        for place in 0..count {
            h.query_all_by_label_contains("menu of ").nth(place).unwrap().click();
            h.run_ok();
            h.get_by_label("Export PNG…").click();
            h.run_ok();
            let field = h.get_by_role_and_label(Role::TextInput, "file");
            files.push(field.accesskit_node().value().unwrap());
            press(&mut h, Modifiers::NONE, Key::Escape);
        }
        let all = files.len();
        files.sort();
        files.dedup();
        assert_eq!(files.len(), all, "{view}: {files:?}");
    }
}
