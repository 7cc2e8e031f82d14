//! Every command can be reached: by its key, and by its name in the palette.

use egui::{Key, Modifiers};
use egui_kittest::Harness;
use egui_kittest::kittest::Queryable as _;
use llavacode::app::{Action, Station, UiCommand};
use llavacode::ui::Workbench;
use strum::IntoEnumIterator as _;

use super::demo_run::Demo;
use super::harness::{act, training, workbench};

#[test]
fn every_command_is_in_the_palette_and_can_be_run_from_it() {
    let runs = tempfile::tempdir().unwrap();
    for command in UiCommand::iter().filter(|command| *command != UiCommand::Palette) {
        let (mut h, _) = workbench(runs.path(), true);
        h.run_ok();
        let refusal = command.refusal(h.state().state());
        h.key_press_modifiers(Modifiers::COMMAND, Key::K);
        h.run_ok();
        h.get_by_label("Name of a command").type_text(command.name());
        h.run_ok();
        h.key_press(Key::Enter);
        h.run_ok();
        assert!(!h.state().state().overlay.palette, "{command:?} closes the palette");
        let refused = h
            .state()
            .state()
            .notices
            .newest()
            .is_some_and(|notice| notice.text.starts_with(command.name()));
        assert_eq!(refused, refusal.is_some(), "{command:?}");
    }
}

#[test]
fn number_keys_change_the_station() {
    let runs = tempfile::tempdir().unwrap();
    let (mut h, _) = workbench(runs.path(), true);
    let stations: Vec<Station> = Station::iter().collect();
    for (place, &station) in stations.iter().enumerate().rev() {
        h.key_press(Key::from_name(&(place + 1).to_string()).unwrap());
        h.run_ok();
        assert_eq!(h.state().state().station, station);
    }
}

#[test]
fn space_pauses_and_resumes_and_n_steps() {
    let runs = tempfile::tempdir().unwrap();
    let mut run = Demo::start(runs.path(), "collapse", false);
    run.train_to(10);
    let (mut h, engine) = workbench(runs.path(), true);
    engine.answer(training(&run.folder(), 10, false));
    h.run();
    h.key_press(Key::N);
    h.run();
    h.key_press(Key::Space);
    h.run();
    engine.answer(training(&run.folder(), 10, true));
    h.run();
    h.get_by_label_contains("paused at 10/84");
    h.key_press(Key::N);
    h.run();
    h.get_by_label("Resume").click();
    h.run();
    h.get_by_label("Stop").click();
    h.run();
    assert_eq!(engine.sent(), ["Pause", "StepOnce", "Resume", "Stop"]);
}

#[test]
fn keys_are_left_to_a_field_that_is_edited() {
    let runs = tempfile::tempdir().unwrap();
    let (mut h, _) = workbench(runs.path(), true);
    h.get_by_role_and_label(egui::accesskit::Role::TextInput, "name")
        .focus();
    h.run();
    h.key_press(Key::Num4);
    h.run();
    assert_eq!(h.state().state().station, Station::Train);
}

#[test]
fn keys_do_nothing_under_a_question() {
    let runs = tempfile::tempdir().unwrap();
    let (mut h, engine) = workbench(runs.path(), true);
    h.key_press(Key::F1);
    h.run();
    h.key_press(Key::Num4);
    h.key_press(Key::L);
    h.key_press_modifiers(Modifiers::COMMAND, Key::Enter);
    h.run();
    let state = h.state().state();
    assert_eq!(state.station, Station::Train);
    assert!(!state.charts.log && state.overlay.shortcuts);
    assert!(engine.sent().is_empty());
    h.get_by_label("J / K");
}

#[test]
fn ctrl_z_goes_back_edit_by_edit_and_ctrl_shift_z_forth() {
    let runs = tempfile::tempdir().unwrap();
    let (mut h, _) = workbench(runs.path(), true);
    let key = "schedule.steps";
    act(
        &mut h,
        Action::SetField {
            key,
            text: "850".into(),
        },
    );
    act(&mut h, Action::LoadPreset(1));
    let shown = |h: &Harness<'_, Workbench>| {
        let editor = &h.state().state().editor;
        (editor.preset, editor.text(key).to_owned())
    };
    assert_eq!(shown(&h), (1, "84".into()));
    let again = Modifiers::COMMAND | Modifiers::SHIFT;
    let back = Modifiers::COMMAND;
    for (modifiers, expected) in [
        (back, (0, "850")),
        (back, (0, "1400")),
        (again, (0, "850")),
        (again, (1, "84")),
    ] {
        h.key_press_modifiers(modifiers, Key::Z);
        h.run();
        assert_eq!(shown(&h), (expected.0, expected.1.into()));
    }
}

#[test]
fn the_shortcut_sheet_opens_and_closes() {
    let runs = tempfile::tempdir().unwrap();
    let (mut h, _) = workbench(runs.path(), true);
    h.key_press(Key::F1);
    h.run();
    h.get_by_label("Keyboard shortcuts");
    h.key_press(Key::Escape);
    h.run();
    assert!(h.query_by_label("Keyboard shortcuts").is_none());
}
