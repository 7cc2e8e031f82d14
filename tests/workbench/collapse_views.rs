//! The views of the Collapse station by keyboard alone, in both modes and sizes, with runs that are empty, short, torn or not
//! numbers.

use std::path::{Path, PathBuf};

use egui::Key;
use egui::accesskit::Role;
use egui_kittest::Harness;
use egui_kittest::kittest::Queryable as _;
use llavacode::app::{Action, Station};
use llavacode::runs::{Probes, Run, RunWriter};
use llavacode::ui::Workbench;

use super::collapse::wait;
use super::demo_run::{Demo, STEPS, write};
use super::harness::{act, until, workbench};

/// Every view, and a part of the sentence that it says.
const VIEWS: [(&str, &str); 7] = [
    ("cosine of every pair", "Mean cosine of two chunks"),
    ("differences", "on average, 90% of pairs"),
    ("histogram over steps", "Mean cosine "),
    ("singular values", "Singular values above a tenth"),
    ("among tokens", "the plane holds"),
    ("norms", "the median soft token is"),
    ("instruments over steps", "limit"),
];

fn opened(runs: &Path, run: &Path) -> Harness<'static, Workbench> {
    let (mut h, _) = workbench(runs, true);
    act(&mut h, Action::Focus(run.to_owned()));
    act(&mut h, Action::Go(Station::Collapse));
    wait(&mut h);
    h
}

fn press(h: &mut Harness<'_, Workbench>, key: Key) {
    h.key_press(key);
    h.run_ok();
}

/// Gives the keyboard to what has this name and presses a key there.
fn press_at(h: &mut Harness<'_, Workbench>, name: &str, key: Key) {
    h.get_by_label(name).focus();
    h.run_ok();
    press(h, key);
}

fn says(h: &Harness<'_, Workbench>, text: &str) -> bool {
    h.query_all_by_label_contains(text).next().is_some()
}

#[test]
fn home_and_end_go_to_the_ends() {
    let runs = tempfile::tempdir().unwrap();
    let run = write(runs.path(), "aligned", true);
    let mut h = opened(runs.path(), &run);
    press(&mut h, Key::Home);
    wait(&mut h);
    assert_eq!(h.state().state().selection.step, Some(0));
    assert!(says(&h, "Step 0:"));
    press(&mut h, Key::End);
    assert_eq!(h.state().state().selection.step, None, "the end is followed");
}

#[test]
fn a_pinned_reference_stands_beside_the_step() {
    let runs = tempfile::tempdir().unwrap();
    let run = write(runs.path(), "collapse", false);
    let mut h = opened(runs.path(), &run);
    press(&mut h, Key::Home);
    wait(&mut h);
    press(&mut h, Key::R);
    assert!(says(&h, "reference 0"));
    press(&mut h, Key::End);
    wait(&mut h);
    assert!(says(&h, "outline: step 0"));
    press_at(&mut h, "differences", Key::Space);
    assert!(
        says(&h, &format!("projected step {STEPS} − step 0: +")),
        "it became more alike"
    );
    // Escape lets go of the button, so that R is the page's again.
    press(&mut h, Key::Escape);
    press_at(&mut h, "reference 0", Key::Space);
    assert!(says(&h, "pin reference"));
    assert!(!says(&h, "outline: step 0"));
}

#[test]
fn every_view_says_what_is_seen() {
    let runs = tempfile::tempdir().unwrap();
    let run = write(runs.path(), "collapse", false);
    let mut h = opened(runs.path(), &run);
    in_every_look(&mut h, |h| {
        for (view, sentence) in VIEWS {
            press_at(h, view, Key::Space);
            assert!(says(h, sentence), "{view}");
        }
    });
    assert!(
        says(&h, "is past a limit from step"),
        "and the last says where it collapsed"
    );
}

#[test]
fn a_map_is_zoomed_by_keys_together_with_its_neighbour() {
    let runs = tempfile::tempdir().unwrap();
    let run = write(runs.path(), "aligned", true);
    let mut h = opened(runs.path(), &run);
    press_at(&mut h, "encoder: choose two chunks", Key::Plus);
    assert_eq!(
        h.query_all_by_label_contains("71 of 100 chunks to a side").count(),
        4,
        "summary and note of two maps"
    );
    press(&mut h, Key::Minus);
    assert!(!says(&h, "of 100 chunks to a side"));
    for _ in 0..8 {
        press(&mut h, Key::Plus);
    }
    press(&mut h, Key::Num0);
    assert!(!says(&h, "of 100 chunks to a side"));
}

#[test]
fn a_view_fills_the_screen_and_comes_back() {
    let runs = tempfile::tempdir().unwrap();
    let run = write(runs.path(), "aligned", true);
    let mut h = opened(runs.path(), &run);
    let map = |h: &Harness<'_, Workbench>| h.get_by_label("encoder: choose two chunks").rect();
    let before = map(&h);
    press_at(&mut h, "encoder: choose two chunks", Key::F);
    assert!(map(&h).height() > 1.5 * before.height(), "as high as the window");
    press(&mut h, Key::Escape);
    assert!((map(&h).height() - before.height()).abs() < 1.0);
    h.get_all_by_label("menu of encoder").last().unwrap().click();
    h.run_ok();
    h.get_by_label_contains("Full screen").click();
    h.run_ok();
    assert!(map(&h).height() > 1.5 * before.height());
}

#[test]
fn what_was_computed_is_kept_for_the_next_reader() {
    let runs = tempfile::tempdir().unwrap();
    let run = write(runs.path(), "aligned", true);
    drop(opened(runs.path(), &run));
    let probes = Probes::of(&run);
    let steps = Run::open(&run).unwrap().probe_steps;
    let start = std::time::Instant::now();
    while probes.numbers().len() < steps.len() {
        assert!(start.elapsed().as_secs() < 30, "the numbers are never kept");
        std::thread::sleep(std::time::Duration::from_millis(50));
    }
    // A probe that was taken again, as after a roll-back, is not the one that they are of.
    let path = run.join(format!("probes/step-{STEPS}.safetensors"));
    let other = std::fs::read(run.join("probes/step-0.safetensors")).unwrap();
    std::fs::write(&path, other).unwrap();
    assert_eq!(probes.numbers().len(), steps.len() - 1);
    let h = opened(runs.path(), &run);
    assert!(says(&h, &format!("Step {STEPS}:")));
}

#[test]
fn runs_of_other_steps_stand_side_by_side_and_say_so() {
    let runs = tempfile::tempdir().unwrap();
    let long = write(runs.path(), "long", true);
    let mut short = Demo::start(runs.path(), "short", true);
    short.train_to(21);
    let mut h = opened(runs.path(), &long);
    act(&mut h, Action::ToggleOverlay(short.folder()));
    act(&mut h, Action::PinStep(Some(60)));
    wait(&mut h);
    assert!(says(&h, "short was not probed at step 60: its nearest probe, step 21"));

    // Beside the newest probe of a run in training stands the same step of a finished one.
    let mut h = opened(runs.path(), &short.folder());
    act(&mut h, Action::ToggleOverlay(long));
    wait(&mut h);
    let at = |h: &Harness<'_, Workbench>, step: usize| {
        let sentence = format!("Step {step}: projected mean cosine");
        h.query_all_by_label_contains(&sentence).count()
    };
    until(&mut h, "both at the same step", |h| at(h, 21) == 2);
    assert!(!says(&h, "was not probed"));
    short.train_to(24);
    until(&mut h, "both a step further", |h| at(h, 24) == 2);
}

/// A run with these steps as its only probes.
fn with_probes(runs: &Path, name: &str, steps: &[usize]) -> PathBuf {
    let run = write(runs, name, true);
    for step in Run::open(&run).unwrap().probe_steps {
        if !steps.contains(&step) {
            std::fs::remove_file(run.join(format!("probes/step-{step}.safetensors"))).unwrap();
        }
    }
    run
}

/// Dark and light, in a small window and in a large one.
fn in_every_look(h: &mut Harness<'_, Workbench>, mut look: impl FnMut(&mut Harness<'_, Workbench>)) {
    for size in [[1280.0, 720.0], [2560.0, 1440.0]] {
        h.set_size(size.into());
        for theme in [egui::ThemePreference::Dark, egui::ThemePreference::Light] {
            act(h, Action::SetTheme(theme));
            look(h);
        }
    }
}

/// Every view and every page of the drawer, by keyboard; `headline` stays where it is.
fn everywhere(h: &mut Harness<'_, Workbench>, headline: &str) {
    in_every_look(h, |h| {
        for (view, _) in VIEWS {
            press_at(h, view, Key::Space);
            assert!(says(h, headline), "{view}");
        }
        // The views' buttons let go of the keyboard, so that keys are the page's again.
        press(h, Key::Escape);
        for page in [Key::C, Key::S, Key::T, Key::W, Key::A] {
            press(h, page);
            assert!(says(h, headline) && h.query_by_label("Close").is_some(), "{page:?}");
        }
        press(h, Key::Escape);
        assert!(h.query_by_label("Close").is_none());
    });
}

#[test]
fn an_open_drawer_leaves_the_lower_view_in_sight() {
    let runs = tempfile::tempdir().unwrap();
    let run = write(runs.path(), "collapse", false);
    let mut h = opened(runs.path(), &run);
    in_every_look(&mut h, |h| {
        press(h, Key::T);
        h.run_ok();
        let map = h.get_by_label_contains("encoder: choose two chunks").rect();
        let drawer = h.get_by_label("pairs of chunks").rect();
        let choice = h.get_by_label("cosine of every pair").rect();
        assert!(map.bottom() <= drawer.top(), "{map} is above {drawer}");
        assert!(choice.top() >= h.get_by_role_and_label(Role::Slider, "probe step").rect().bottom());
        press(h, Key::Escape);
    });
}

#[test]
fn one_probe_and_no_sample_of_tokens_are_enough() {
    let runs = tempfile::tempdir().unwrap();
    let run = with_probes(runs.path(), "one", &[0]);
    std::fs::remove_file(run.join("probes/tokens.safetensors")).unwrap();
    let mut h = opened(runs.path(), &run);
    everywhere(&mut h, "Step 0:");
    press_at(&mut h, "among tokens", Key::Space);
    assert!(says(&h, "no sample of the reader's tokens"));
}

#[test]
fn a_torn_probe_is_named_and_the_others_are_shown() {
    let runs = tempfile::tempdir().unwrap();
    let run = with_probes(runs.path(), "torn", &[0, 42, STEPS]);
    let path = run.join(format!("probes/step-{STEPS}.safetensors"));
    let bytes = std::fs::read(&path).unwrap();
    std::fs::write(&path, &bytes[..bytes.len() / 2]).unwrap();
    let mut h = opened(runs.path(), &run);
    assert!(says(&h, &format!("1 probe not shown, the first is step {STEPS}")));
    until(&mut h, "step 42", |h| says(h, "Step 42:"));
    everywhere(&mut h, "Step 42:");
}

#[test]
fn vectors_that_are_no_numbers_are_named() {
    let runs = tempfile::tempdir().unwrap();
    let run = with_probes(runs.path(), "diverged", &[0, 42]);
    let mut record = Probes::of(&run).record(42).unwrap();
    record.projected.fill(f32::NAN);
    let mut writer = RunWriter::open(&run).unwrap();
    writer.probe(&record).unwrap();
    drop(writer);
    let mut h = opened(runs.path(), &run);
    until(&mut h, "the reason", |h| says(h, "not finite"));
    until(&mut h, "step 0", |h| says(h, "Step 0:"));
    everywhere(&mut h, "Step 0:");
}

#[test]
fn an_empty_run_says_what_will_be_here() {
    let runs = tempfile::tempdir().unwrap();
    let run = with_probes(runs.path(), "empty", &[]);
    let mut h = opened(runs.path(), &run);
    in_every_look(&mut h, |h| {
        for key in [Key::Home, Key::C, Key::T, Key::R, Key::Escape] {
            press(h, key);
        }
        assert!(says(h, "empty has no probes yet"));
    });
}
