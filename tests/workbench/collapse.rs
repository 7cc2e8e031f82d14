//! The Collapse station: reading probes, scrubbing, choosing a pair, two runs side by side.

use std::path::Path;
use std::time::{Duration, Instant};

use egui::accesskit::Role;
use egui_kittest::Harness;
use egui_kittest::kittest::{NodeT as _, Queryable as _};
use llavacode::app::{Action, Station};
use llavacode::experiment::Experiment;
use llavacode::runs::{ProbeRecord, Run, RunWriter};
use llavacode::ui::Workbench;

use super::demo_run::{Demo, STEPS, write};
#[cfg(unix)]
use super::harness::Held;
use super::harness::{act, until, workbench};

/// The station on a run, once every probe has been read.
fn opened(runs: &Path, run: &Path) -> Harness<'static, Workbench> {
    let (mut h, _) = workbench(runs, true);
    act(&mut h, Action::Focus(run.to_owned()));
    act(&mut h, Action::Go(Station::Collapse));
    wait(&mut h);
    h
}

/// Probes are read by a thread; the page says how many are left.
pub fn wait(h: &mut Harness<'_, Workbench>) {
    let start = Instant::now();
    loop {
        h.run_ok();
        let reading = h.query_all_by_label_contains("eading probes").next().is_some();
        if !reading {
            break;
        }
        assert!(start.elapsed() < Duration::from_secs(60), "probes are never read");
        std::thread::sleep(Duration::from_millis(20));
    }
    h.run_ok();
}

fn headline(h: &Harness<'_, Workbench>) -> String {
    let node = h.query_all_by_label_contains("projected mean cosine").next().unwrap();
    node.accesskit_node().value().unwrap_or_default()
}

#[test]
fn the_newest_probe_is_judged_in_a_sentence() {
    let runs = tempfile::tempdir().unwrap();
    let collapse = write(runs.path(), "collapse", false);
    let h = opened(runs.path(), &collapse);
    let text = headline(&h);
    assert!(text.starts_with(&format!("Step {STEPS}:")), "{text}");
    assert!(text.ends_with("Collapsed."), "{text}");
    assert!(h.query_by_label_contains("▲ collapsed").is_some());
}

#[test]
fn arrows_scrub_and_the_end_follows_the_run() {
    let runs = tempfile::tempdir().unwrap();
    let mut run = Demo::start(runs.path(), "live", true);
    run.train_to(21);
    let mut h = opened(runs.path(), &run.folder());
    assert!(headline(&h).starts_with("Step 21:"));
    h.key_press(egui::Key::ArrowLeft);
    h.run_ok();
    assert_eq!(h.state().state().selection.step, Some(18));
    until(&mut h, "step 18", |h| headline(h).starts_with("Step 18:"));
    h.key_press(egui::Key::ArrowRight);
    h.run_ok();
    assert_eq!(h.state().state().selection.step, None, "at the end it follows");
    run.train_to(24);
    act(&mut h, Action::Command(llavacode::app::UiCommand::RefreshRuns));
    let folder = run.folder();
    act(&mut h, Action::Focus(folder));
    until(&mut h, "the new probe", |h| headline(h).starts_with("Step 24:"));
}

#[cfg(unix)]
#[test]
fn a_run_whose_numbers_were_kept_is_said_to_be_read_until_it_stands_beside() {
    let runs = tempfile::tempdir().unwrap();
    let (first, second) = (
        write(runs.path(), "aligned", true),
        write(runs.path(), "collapse", false),
    );
    let h = opened(runs.path(), &second);
    let probes = Run::open(&second).unwrap().probe_steps.len();
    until(&mut { h }, "what is kept", |_| {
        let kept = std::fs::read_to_string(second.join("probes/instruments.jsonl"));
        kept.is_ok_and(|text| text.lines().count() == probes)
    });
    let mut h = opened(runs.path(), &first);
    let held = Held::new(&second.join("probes/tokens.safetensors"));
    act(&mut h, Action::ToggleOverlay(second));
    // By then the numbers of every step are here, and what the page shows of one is not.
    let reading = held.reached();
    h.run_ok();
    h.get_by_label("reading probes of collapse");
    held.release();
    drop(reading);
    wait(&mut h);
    assert_eq!(h.query_all_by_label_contains("projected mean cosine").count(), 2);
}

#[test]
fn dragging_the_scrubber_pins_a_step() {
    let runs = tempfile::tempdir().unwrap();
    let run = write(runs.path(), "aligned", true);
    let mut h = opened(runs.path(), &run);
    let rect = h.get_by_role_and_label(Role::Slider, "probe step").rect();
    h.drag_at(rect.left_center() + egui::vec2(16.0, 0.0));
    h.run_ok();
    h.drop_at(rect.left_center() + egui::vec2(16.0, 0.0));
    h.run_ok();
    assert_eq!(h.state().state().selection.step, Some(0));
    until(&mut h, "step 0", |h| headline(h).starts_with("Step 0:"));
}

#[test]
fn playing_runs_to_the_end() {
    let runs = tempfile::tempdir().unwrap();
    let mut run = Demo::start(runs.path(), "short", true);
    run.train_to(6);
    run.end();
    let mut h = opened(runs.path(), &run.folder());
    h.get_by_label("play the probe steps").click();
    let mut seen = Vec::new();
    for _ in 0..40 {
        h.step();
        seen.push(h.state().state().selection.step);
    }
    seen.dedup();
    assert!(
        seen.ends_with(&[Some(0), Some(3), None]),
        "from the start to the newest, not {seen:?}"
    );
    assert!(headline(&h).starts_with("Step 6:"));
}

#[test]
fn a_cell_of_the_heat_map_shows_its_pair() {
    let runs = tempfile::tempdir().unwrap();
    let run = write(runs.path(), "aligned", true);
    let mut h = opened(runs.path(), &run);
    let map = h.get_by_label_contains("encoder: choose two chunks").rect();
    let at = map.left_top() + map.size() * egui::vec2(0.105, 0.305);
    h.hover_at(at);
    h.run_ok();
    h.drag_at(at);
    h.drop_at(at);
    h.run_ok();
    assert!(h.query_by_label_contains("the chosen pair").is_some());
    let row = h.state().state().selection.chunk.expect("a chunk is selected");
    let chunks = Run::open(&run).unwrap().probe_chunks().unwrap();
    let name = format!("{}/{}", chunks[row].repository, chunks[row].path);
    assert!(h.query_all_by_label_contains(&name).next().is_some());
    h.get_by_label("Close").click();
    h.run_ok();
    assert!(h.query_by_label_contains("the chosen pair").is_none());
}

#[test]
fn a_cell_of_the_second_map_shows_the_second_runs_cosine() {
    let runs = tempfile::tempdir().unwrap();
    let aligned = write(runs.path(), "aligned", true);
    let collapse = write(runs.path(), "collapse", false);
    let mut h = opened(runs.path(), &aligned);
    act(&mut h, Action::ToggleOverlay(collapse.clone()));
    wait(&mut h);
    let map = h.get_by_label_contains("collapse: choose two chunks").rect();
    let at = map.left_top() + map.size() * egui::vec2(0.105, 0.305);
    h.hover_at(at);
    h.run_ok();
    h.drag_at(at);
    h.drop_at(at);
    h.run_ok();
    assert!(
        h.query_by_label_contains(&format!("collapse, step {STEPS}: the chosen pair"))
            .is_some()
    );
    let pairs: Vec<String> = h
        .query_all_by_label_contains("pair ")
        .filter_map(|node| node.accesskit_node().label())
        .filter(|label| label.starts_with("pair ") && label.contains("collapse "))
        .collect();
    let value: f64 = pairs[0].split("collapse ").last().unwrap()[..5].parse().unwrap();
    assert!(value > 0.8, "a collapsed run has no such pair: {}", pairs[0]);
}

#[test]
fn arrows_walk_through_the_cells_of_a_map() {
    let runs = tempfile::tempdir().unwrap();
    let run = write(runs.path(), "aligned", true);
    let mut h = opened(runs.path(), &run);
    h.get_by_label_contains("encoder: choose two chunks").focus();
    h.run_ok();
    h.key_press(egui::Key::ArrowRight);
    h.run_ok();
    assert!(h.query_by_label_contains("encoder: the chosen pair").is_some());
    let first = h.state().state().selection.chunk;
    h.key_press(egui::Key::ArrowDown);
    h.run_ok();
    assert_ne!(h.state().state().selection.chunk, first, "the next row");
    assert_eq!(h.state().state().selection.step, None, "the scrubber keeps still");
}

#[test]
fn a_run_with_another_encoder_does_not_stand_beside() {
    let runs = tempfile::tempdir().unwrap();
    let aligned = write(runs.path(), "aligned", true);
    let run = Run::open(&aligned).unwrap();
    let experiment = Experiment {
        name: "other".into(),
        ..run.experiment.clone()
    };
    let mut writer = RunWriter::create(runs.path(), &experiment, &run.manifest).unwrap();
    writer.probe_chunks(&run.probe_chunks().unwrap()).unwrap();
    let record = run.probe(0).unwrap();
    let encoder = record.projected.clone();
    writer.probe(&ProbeRecord { encoder, ..record }).unwrap();
    let other = writer.folder().to_owned();
    let mut h = opened(runs.path(), &aligned);
    act(&mut h, Action::ToggleOverlay(other));
    until(&mut h, "the reason", |h| {
        h.query_by_label_contains("other has another encoder").is_some()
    });
}

#[test]
fn two_runs_stand_side_by_side() {
    let runs = tempfile::tempdir().unwrap();
    let aligned = write(runs.path(), "aligned", true);
    let collapse = write(runs.path(), "collapse", false);
    let mut h = opened(runs.path(), &collapse);
    act(&mut h, Action::ToggleOverlay(aligned));
    until(&mut h, "the second run", |h| {
        h.query_all_by_label_contains("projected mean cosine").count() == 2
    });
    assert!(h.query_by_label_contains("✓ not collapsed").is_some());
    assert!(h.query_by_label_contains("▲ collapsed").is_some());
}

#[test]
fn without_a_run_the_page_says_what_to_do() {
    let runs = tempfile::tempdir().unwrap();
    let (mut h, _) = workbench(runs.path(), true);
    act(&mut h, Action::Go(Station::Collapse));
    h.get_by_label("Go to Runs").click();
    h.run_ok();
    assert_eq!(h.state().state().station, Station::Runs);
}
