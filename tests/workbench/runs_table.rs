//! The table of runs: what it says of each, sorting, groups, the keyboard, signs, and hundreds of runs.

use std::path::Path;
use std::time::{Duration, Instant};

use egui::accesskit::Role;
use egui_kittest::Harness;
use egui_kittest::kittest::{NodeT as _, Queryable as _};
use llavacode::app::{Action, Station};
use llavacode::ui::Workbench;

use super::demo_run::{Demo, write};
use super::harness::{act, figure, workbench};

/// The station, once every run has been read by its thread.
pub fn opened(h: &mut Harness<'_, Workbench>) {
    act(h, Action::Go(Station::Runs));
    let start = Instant::now();
    let unread = |h: &Harness<'_, Workbench>| {
        let state = h.state().state();
        let usable = state.runs.iter().filter(|run| run.error.is_none());
        usable.filter(|run| state.digests.get(&run.folder).is_none()).count()
    };
    while unread(h) > 0 {
        assert!(start.elapsed() < Duration::from_secs(60), "runs are never read");
        std::thread::sleep(Duration::from_millis(20));
        h.run_ok();
    }
    h.run_ok();
}

#[test]
fn runs_are_read_when_their_page_is_entered_and_nothing_else_happens() {
    let runs = tempfile::tempdir().unwrap();
    let run = write(runs.path(), "aligned", true);
    let (mut h, _) = workbench(runs.path(), true);
    h.run_ok();
    act(&mut h, Action::Go(Station::Runs));
    let start = Instant::now();
    while h.state().state().digests.get(&run).is_none() {
        assert!(start.elapsed() < Duration::from_secs(60), "the run is never read");
        std::thread::sleep(Duration::from_millis(20));
    }
}

fn names(h: &Harness<'_, Workbench>) -> Vec<String> {
    let boxes = h
        .query_all_by_role(Role::CheckBox)
        .filter_map(|node| node.accesskit_node().label());
    boxes
        .filter_map(|label| label.strip_prefix("Overlay ").map(str::to_owned))
        .collect()
}

fn focus(h: &Harness<'_, Workbench>) -> String {
    h.state().state().focused().unwrap().run().name()
}

fn two(runs: &Path) {
    write(runs, "aligned", true);
    write(runs, "collapse", false);
}

#[test]
fn the_count_of_runs_stands_in_one_line_at_every_width() {
    let runs = tempfile::tempdir().unwrap();
    two(runs.path());
    let (mut h, _) = workbench(runs.path(), true);
    opened(&mut h);
    for width in [960.0, 1100.0, 1280.0, 1440.0] {
        h.set_size(egui::vec2(width, 720.0));
        h.run_ok();
        let count = h.query_all_by_label_contains("2 runs").next().unwrap().rect();
        assert!(count.height() < 20.0 && count.right() <= width, "{count:?} at {width}");
    }
}

#[test]
fn a_row_says_scores_with_intervals_collapse_and_what_differs() {
    let runs = tempfile::tempdir().unwrap();
    two(runs.path());
    let (mut h, _) = workbench(runs.path(), true);
    opened(&mut h);
    for head in ["EM, %", "ES, %", "CE, nats", "Cosine", "Rank", "Alarms", "alignment"] {
        assert!(h.query_all_by_role_and_label(Role::Button, head).count() >= 1, "{head}");
    }
    let collapse = h
        .state()
        .state()
        .runs
        .iter()
        .find(|run| run.name == "collapse")
        .unwrap();
    let digest = h.state().state().digests.get(&collapse.folder).unwrap();
    assert!(digest.mean_cosine.unwrap() > 0.9 && digest.alarms > 0);
    let em = digest.validation.as_ref().unwrap().arms[1].scores["em_token"];
    let text = format!("{:.1} [{:.1}, {:.1}]", em.mean * 100.0, em.low * 100.0, em.high * 100.0);
    assert!(h.query_all_by_label(&text).count() >= 1, "{text}");
}

#[test]
fn a_head_sorts_and_a_second_click_turns_the_order() {
    let runs = tempfile::tempdir().unwrap();
    two(runs.path());
    let (mut h, _) = workbench(runs.path(), true);
    opened(&mut h);
    h.get_by_role_and_label(Role::Button, "Cosine").click();
    h.run_ok();
    assert_eq!(names(&h), ["collapse", "aligned"]);
    h.get_by_role_and_label(Role::Button, "Cosine ↓").click();
    h.run_ok();
    assert_eq!(names(&h), ["aligned", "collapse"]);
}

#[test]
fn runs_are_grouped_by_a_setting_and_folded() {
    let runs = tempfile::tempdir().unwrap();
    two(runs.path());
    let (mut h, _) = workbench(runs.path(), true);
    opened(&mut h);
    h.get_by_role_and_label(Role::ComboBox, "group by").click();
    h.run_ok();
    let combo = h.get_by_role_and_label(Role::ComboBox, "group by").rect();
    let below = |rect: egui::Rect| (rect.left() - combo.left()).abs() < 40.0 && rect.top() > combo.bottom();
    h.query_all_by_label("alignment")
        .find(|node| below(node.rect()))
        .unwrap()
        .click();
    h.run_ok();
    h.get_by_label("alignment 0.1 · 1 run");
    h.get_by_label("Fold alignment 0.1").click();
    h.run_ok();
    assert_eq!(names(&h), ["collapse"]);
}

#[test]
fn the_keyboard_walks_and_overlays_and_a_sign_can_be_changed() {
    let runs = tempfile::tempdir().unwrap();
    two(runs.path());
    let (mut h, _) = workbench(runs.path(), true);
    opened(&mut h);
    let first = focus(&h);
    h.key_press(egui::Key::O);
    h.run_ok();
    h.key_press(egui::Key::J);
    h.run_ok();
    if focus(&h) == first {
        h.key_press(egui::Key::K);
        h.run_ok();
    }
    assert_ne!(focus(&h), first);
    assert_eq!(h.state().state().shown_runs().count(), 2, "the first stays, drawn over");
    let signs =
        |h: &Harness<'_, Workbench>| -> Vec<usize> { h.state().state().shown_runs().map(|open| open.sign).collect() };
    assert_eq!(signs(&h), [1, 0], "the first keeps its sign");
    let folder = h.state().state().focus.clone().unwrap();
    act(&mut h, Action::SetSign(folder, 0));
    assert_eq!(signs(&h), [0, 1], "signs are exchanged, never shared");
    h.get_by_label(&format!("Colour of {first}"));
}

#[test]
fn hundreds_of_runs_are_listed_filtered_and_drawn_in_no_time() {
    let runs = tempfile::tempdir().unwrap();
    let one = Demo::start(runs.path(), "one", false).folder();
    for i in 0..400 {
        let copy = runs.path().join(format!("2026-11-20-run-{i}"));
        std::fs::create_dir(&copy).unwrap();
        for file in ["manifest.json", "events.jsonl"] {
            std::fs::copy(one.join(file), copy.join(file)).unwrap();
        }
        let toml = std::fs::read_to_string(one.join("experiment.toml")).unwrap();
        let toml = toml.replace("seed = 1", &format!("seed = {}", i % 7));
        std::fs::write(copy.join("experiment.toml"), toml).unwrap();
    }
    let (mut h, _) = workbench(runs.path(), true);
    opened(&mut h);
    assert_eq!(h.state().state().runs.len(), 401);
    assert!(names(&h).len() < 60, "only the rows in view are made");
    let field = h.get_by_role(Role::TextInput);
    field.focus();
    field.type_text("run-39");
    h.run_ok();
    let names = names(&h);
    assert!(!names.is_empty() && names.iter().all(|name| name.starts_with("run-39")));
    assert!(h.query_by_label_contains("11 of 401 runs").is_some());
}

#[test]
fn an_empty_folder_says_what_to_do_and_a_filter_that_fits_nothing_too() {
    let runs = tempfile::tempdir().unwrap();
    let (mut h, _) = workbench(runs.path(), true);
    act(&mut h, Action::Go(Station::Runs));
    h.get_by_label("Runs appear here");
    let full = tempfile::tempdir().unwrap();
    two(full.path());
    let (mut h, _) = workbench(full.path(), true);
    opened(&mut h);
    let field = h.get_by_role(Role::TextInput);
    field.focus();
    field.type_text("no such run");
    h.run_ok();
    h.get_by_label("No run fits the filter.");
}

#[test]
fn a_run_without_steps_is_drawn_beside_others() {
    let runs = tempfile::tempdir().unwrap();
    two(runs.path());
    let empty = Demo::start(runs.path(), "empty", false).folder();
    let (mut h, _) = workbench(runs.path(), true);
    act(&mut h, Action::Focus(empty));
    opened(&mut h);
    let others: Vec<_> = h.state().state().runs.iter().map(|run| run.folder.clone()).collect();
    for folder in others
        .into_iter()
        .filter(|folder| Some(folder) != h.state().state().focus.as_ref())
        .collect::<Vec<_>>()
    {
        act(&mut h, Action::ToggleOverlay(folder));
    }
    for part in ["Evaluations", "Difference of settings", "Curves"] {
        h.get_by_label(part).click();
        h.run_ok();
    }
    assert_eq!(h.state().state().shown_runs().count(), 3);
    figure(&h, "mean cosine of the soft tokens");
}
