//! The guided tour by keyboard, on recordings and on runs of one's own, with and without models.

use std::path::PathBuf;
use std::sync::Arc;

use egui::Key;
use egui::accesskit::Role;
use egui_kittest::Harness;
use egui_kittest::kittest::{NodeT as _, Queryable as _};
use llavacode::app::{Action, Station, UiCommand};
use llavacode::collapse::instruments;
use llavacode::evaluation::Arm;
use llavacode::runs::{EventKind, Recordings, Run};
use llavacode::ui::Workbench;

use super::collapse::wait;
use super::demo_run::STEPS;
#[cfg(unix)]
use super::harness::Held;
use super::harness::{Fake, THEMES, act, build, painted, picture_folder, shoot, until, workbench};
use super::recording::{packed, two_runs};

/// The smallest window that a tour is made for.
const ROOM: egui::Vec2 = egui::vec2(1280.0, 720.0);
/// A large one.
const LARGE: egui::Vec2 = egui::vec2(1920.0, 1080.0);
/// A tour shows everything this much larger in a small window.
const ZOOM: f32 = 1.25;

fn present(h: &mut Harness<'_, Workbench>, archive: &[u8]) {
    let recordings = Arc::new(Recordings::unpack(archive).unwrap());
    let ctx = h.ctx.clone();
    h.state_mut().present(recordings, &ctx);
    h.run_ok();
    begun(h);
}

/// A thread reads the runs of a tour before it begins.
fn begun(h: &mut Harness<'_, Workbench>) {
    until(h, "the tour", |h| h.state().state().tour_read.is_none());
    h.run_ok();
    h.run_ok();
}

/// Where the tour is: its number, and the sentence.
fn now(h: &Harness<'_, Workbench>) -> (usize, String) {
    let (stop, number, count) = h.state().state().tour.as_ref().unwrap().now().unwrap();
    h.get_by_label(&format!("{number} of {count}"));
    (number, stop.sentence.clone())
}

fn press(h: &mut Harness<'_, Workbench>, key: Key) {
    h.key_press(key);
    h.run_ok();
}

#[test]
fn six_stations_are_presented_by_keyboard() {
    let folder = tempfile::tempdir().unwrap();
    let runs = two_runs(folder.path());
    let (archive, _) = packed(&runs, None);
    let [lost, kept] = runs.map(|run| Run::open(&run).unwrap());
    let empty = tempfile::tempdir().unwrap();
    for (theme, preference) in THEMES {
        let (mut h, engine) = build(Harness::builder().with_theme(theme), empty.path(), false);
        h.set_size(ROOM);
        act(&mut h, Action::SetTheme(preference));
        present(&mut h, &archive);
        assert_eq!(h.ctx.zoom_factor(), ZOOM);
        h.get_by_label_contains("● recording, 24 Nov 2026 on CPU × 2");

        let mean = |run: &Run, steps: std::ops::Range<usize>| {
            let values = run.scalars[steps].iter().map(|record| record.terms["cross_entropy"]);
            values.sum::<f64>() / 9.0
        };
        let (number, train) = now(&h);
        assert_eq!((number, h.state().state().station), (1, Station::Train));
        let fell = format!(
            "from {:.2} (first tenth) to {:.2} nats",
            mean(&lost, 0..9),
            mean(&lost, 75..84)
        );
        assert!(
            train.contains("84 steps of 8 samples") && train.contains(&fell),
            "{train} without {fell}"
        );

        let raised = lost
            .events
            .iter()
            .find(|event| matches!(event.kind, EventKind::AlarmRaised(_)))
            .unwrap();
        press(&mut h, Key::PageDown);
        let (number, alarm) = now(&h);
        assert_eq!((number, h.state().state().station), (2, Station::Collapse));
        assert_eq!(h.state().state().selection.step, Some(raised.step));
        let at_alarm = instruments(&lost.probe(raised.step).unwrap().projected_vectors().unwrap()).mean_cosine;
        let cosine = format!(
            "At step {} of collapse the alarm says that its soft tokens become one: mean cosine {at_alarm:.2}",
            raised.step
        );
        assert!(alarm.starts_with(&cosine), "{alarm}");

        press(&mut h, Key::ArrowRight);
        let (number, apart) = now(&h);
        assert_eq!((number, h.state().state().shown_runs().count()), (3, 2));
        let last = [&kept, &lost].map(|run| instruments(&run.probe(84).unwrap().projected_vectors().unwrap()));
        let ranks = format!(
            "effective rank {:.0} beside {:.0} of 100",
            last[0].rankme, last[1].rankme
        );
        assert!(
            apart.starts_with("With 0.1 times the alignment loss") && apart.contains(&ranks),
            "{apart}"
        );

        press(&mut h, Key::Space);
        assert!(engine.sent().is_empty(), "space belongs to the tour");
        assert_eq!((now(&h).0, h.state().state().station), (4, Station::Compare));

        press(&mut h, Key::PageDown);
        let (number, cost) = now(&h);
        assert_eq!((number, h.state().state().station), (5, Station::Cost));
        let summary = h.state().state().focused().unwrap().run().evaluations[0].clone();
        let tokens = summary.arm(Arm::FullRag).unwrap().prompt_tokens;
        assert!(
            cost.contains(&format!("and {tokens:.0} with the chunks as text")),
            "{cost}"
        );

        press(&mut h, Key::PageDown);
        assert_eq!((now(&h).0, h.state().state().station), (6, Station::Runs));
        assert!(now(&h).1.contains("2 runs"), "{}", now(&h).1);
        press(&mut h, Key::PageDown);
        assert_eq!(now(&h).0, 6, "the last station stays");
        for (key, number) in [(Key::PageUp, 5), (Key::ArrowLeft, 4)] {
            press(&mut h, key);
            assert_eq!(now(&h).0, number);
            let sentence = h.get_by_label(&now(&h).1).rect();
            assert!(h.ctx.content_rect().contains_rect(sentence), "{sentence:?} is cut");
        }
        // A larger window has room for larger letters, and comes to rest.
        h.set_size(LARGE / ZOOM);
        h.run_ok();
        h.run_ok();
        assert_eq!(h.ctx.zoom_factor(), 1.5);
        press(&mut h, Key::Escape);
        assert!(h.state().state().tour.is_none());
        h.run_ok();
        assert_eq!(h.ctx.zoom_factor(), 1.0);
    }
}

#[test]
fn a_field_keeps_its_letters_and_a_remote_its_keys() {
    let folder = tempfile::tempdir().unwrap();
    let (archive, _) = packed(&two_runs(folder.path()), None);
    let (mut h, _) = workbench(folder.path(), true);
    present(&mut h, &archive);
    assert_eq!(h.state().state().station, Station::Train);
    h.query_all_by_role(Role::TextInput).next().unwrap().focus();
    h.run_ok();
    for key in [Key::Space, Key::ArrowRight, Key::ArrowLeft] {
        press(&mut h, key);
        assert_eq!(now(&h).0, 1, "{key:?} belongs to the field");
    }
    press(&mut h, Key::PageDown);
    assert_eq!(now(&h).0, 2);
    act(&mut h, Action::Command(UiCommand::Palette));
    press(&mut h, Key::PageDown);
    assert_eq!(now(&h).0, 2, "the palette lies over the tour");
}

#[test]
fn what_compare_is_presented_for_is_in_sight_in_a_small_and_in_a_large_window() {
    let folder = tempfile::tempdir().unwrap();
    let (archive, _) = packed(&two_runs(folder.path()), None);
    let (mut h, _) = workbench(folder.path(), true);
    h.set_size(ROOM);
    present(&mut h, &archive);
    for _ in 0..3 {
        press(&mut h, Key::PageDown);
    }
    assert_eq!(h.state().state().station, Station::Compare);
    for size in [ROOM, LARGE] {
        h.set_size(size / h.ctx.zoom_factor());
        h.run_ok();
        h.run_ok();
        let seen = h.ctx.content_rect();
        // The cards of both arms, and the code that they go on with down to the true line.
        for text in ["✓ right", "✗ wrong", "marked: the true line, which no arm sees"] {
            let rect = h.query_all_by_label(text).next().unwrap().rect();
            assert!(seen.contains_rect(rect), "{text} at {rect:?} of {seen:?}");
        }
        assert!(
            h.query_by_label_contains("j next, k previous").is_none(),
            "the table is folded"
        );
    }
    press(&mut h, Key::Escape);
    h.run_ok();
    h.get_by_label_contains("j next, k previous");
}

#[test]
fn it_says_what_is_missing_to_go_live_and_how_to_get_it() {
    let folder = tempfile::tempdir().unwrap();
    let (archive, _) = packed(&two_runs(folder.path()), None);
    let (mut h, engine) = workbench(folder.path(), false);
    present(&mut h, &archive);
    for _ in 0..3 {
        press(&mut h, Key::PageDown);
    }
    assert!(h.get_by_label("Complete again now").accesskit_node().is_disabled());
    h.get_by_label("Get the models").click();
    h.run_ok();
    h.get_by_label("Get them");
    press(&mut h, Key::PageUp);
    h.get_by_label("Get the models to go live").click();
    h.run_ok();
    h.get_by_label("Get them").click();
    h.run_ok();
    assert_eq!(engine.sent(), ["Fetch"]);

    let (mut h, engine) = workbench(folder.path(), true);
    present(&mut h, &archive);
    // These recordings are without their projectors.
    h.get_by_label("✓ live: train from any station").hover();
    until(&mut h, "the reason", |h| {
        h.query_by_label("Completing and playing need another run: collapse is a recording without its projector")
            .is_some()
    });
    h.get_by_role_and_label(Role::Button, "Start training").click();
    h.run_ok();
    assert_eq!(engine.sent(), ["Train"]);
}

#[test]
fn runs_of_ones_own_are_presented_from_the_palette() {
    let folder = tempfile::tempdir().unwrap();
    let [collapse, aligned] = two_runs(folder.path());
    let (mut h, _) = workbench(folder.path(), true);
    act(&mut h, Action::Focus(collapse.clone()));
    act(&mut h, Action::ToggleOverlay(aligned));
    act(&mut h, Action::Command(UiCommand::Tour));
    begun(&mut h);
    let state = h.state().state();
    assert_eq!((now(&h).0, state.focus.as_ref()), (1, Some(&collapse)));
    assert!(h.query_by_label_contains("● recording").is_none());
    act(&mut h, Action::Command(UiCommand::Tour));
    assert!(h.state().state().tour.is_none());
}

#[cfg(unix)]
#[test]
fn a_tour_waits_for_a_slow_disk_and_can_be_left_meanwhile() {
    let folder = tempfile::tempdir().unwrap();
    let [collapse, _] = two_runs(folder.path());
    let probe = collapse.join(format!("probes/step-{STEPS}.safetensors"));
    let (mut h, engine) = workbench(folder.path(), true);
    act(&mut h, Action::Focus(collapse.clone()));
    let held = Held::new(&probe);
    act(&mut h, Action::Command(UiCommand::Tour));
    h.get_by_label("The tour is about to begin");
    press(&mut h, Key::Space);
    assert!(engine.sent().is_empty(), "keys belong to the tour already");
    press(&mut h, Key::Escape);
    assert!(h.query_by_label("The tour is about to begin").is_none() && !h.state().state().is_touring());
    held.release();
    h.run_ok();
    assert!(h.state().state().tour.is_none(), "it was left");
    act(&mut h, Action::Command(UiCommand::Tour));
    begun(&mut h);
    assert_eq!((now(&h).0, h.state().state().focus.as_ref()), (1, Some(&collapse)));
}

#[test]
fn what_a_tour_cannot_read_is_told_with_its_file_and_the_rest_is_shown() {
    let folder = tempfile::tempdir().unwrap();
    let [collapse, _] = two_runs(folder.path());
    let probe = collapse.join(format!("probes/step-{STEPS}.safetensors"));
    std::fs::write(&probe, "no tensors").unwrap();
    let (mut h, _) = workbench(folder.path(), true);
    act(&mut h, Action::Focus(collapse));
    act(&mut h, Action::Command(UiCommand::Tour));
    begun(&mut h);
    let named = |h: &Harness<'_, Workbench>| {
        let mut told = h.state().state().notices.iter();
        told.any(|notice| notice.text.contains(&probe.display().to_string()))
    };
    assert!(named(&h));
    let mut stations = Vec::new();
    loop {
        let (number, _) = now(&h);
        stations.push(h.state().state().station);
        press(&mut h, Key::PageDown);
        if now(&h).0 == number {
            break;
        }
    }
    assert!(!stations.contains(&Station::Collapse) && stations.contains(&Station::Compare));
}

#[test]
fn the_tour_is_painted() {
    let Some(folder) = picture_folder() else { return };
    let runs = tempfile::tempdir().unwrap();
    let archive = match std::env::var_os("LLAVACODE_RECORDING") {
        Some(path) => std::fs::read(PathBuf::from(path)).unwrap(),
        None => packed(&two_runs(runs.path()), Some(12)).0,
    };
    let empty = tempfile::tempdir().unwrap();
    for look in THEMES {
        let (mut h, _): (_, Fake) = painted(empty.path(), look.0 == egui::Theme::Dark, look);
        h.set_size(ROOM);
        let ctx = h.ctx.clone();
        let recordings = Arc::new(Recordings::unpack(&archive).unwrap());
        h.state_mut().present(recordings, &ctx);
        h.step();
        h.render()
            .unwrap()
            .save(folder.join(format!("tour-read-{:?}.png", look.0)))
            .unwrap();
        begun(&mut h);
        loop {
            let (number, _) = now(&h);
            wait(&mut h);
            shoot(&mut h, &folder, &format!("tour-{number}"), look.0);
            if h.state().state().station == Station::Compare {
                h.set_size(LARGE / ZOOM);
                shoot(&mut h, &folder, &format!("tour-{number}-large"), look.0);
                h.set_size(ROOM / h.ctx.zoom_factor());
                h.run_ok();
            }
            press(&mut h, Key::PageDown);
            if now(&h).0 == number {
                break;
            }
        }
        press(&mut h, Key::Escape);
        shoot(&mut h, &folder, "tour-ended", look.0);
    }
}
