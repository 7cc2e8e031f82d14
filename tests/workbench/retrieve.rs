//! The Retrieve station: the query, the ranked chunks with their hits, and the hit rate by rank.

use egui::accesskit::Role;
use egui_kittest::kittest::Queryable as _;
use llavacode::app::{Action, Station};
use llavacode::runs::Run;

use super::demo_run::{Demo, write};
use super::harness::{act, figure, workbench};

#[test]
fn the_chart_says_how_often_the_name_is_among_the_first_chunks() {
    let runs = tempfile::tempdir().unwrap();
    let folder = write(runs.path(), "aligned", true);
    let samples = Run::open(&folder).unwrap().samples();
    let hits = samples
        .iter()
        .filter(|one| one.retrieved.iter().any(|found| found.hit))
        .count();
    assert!(hits > 0 && hits < samples.len(), "the demo run must have both");
    let (mut h, _) = workbench(runs.path(), true);
    act(&mut h, Action::Focus(folder));
    act(&mut h, Action::Go(Station::Retrieve));
    let share = 100.0 * hits as f64 / samples.len() as f64;
    h.get_by_label_contains(&format!("{share:.0}% ["));
    let text = figure(&h, "samples with the name needed among the first chunks, hit rate");
    let last = samples[0].retrieved.len();
    assert!(text.ends_with(&format!("at chunks {last}")), "{text}");
}

#[test]
fn a_sample_shows_its_query_and_its_chunks_in_order() {
    let runs = tempfile::tempdir().unwrap();
    let folder = write(runs.path(), "aligned", true);
    let run = Run::open(&folder).unwrap();
    let (mut h, _) = workbench(runs.path(), true);
    act(&mut h, Action::Focus(folder));
    act(&mut h, Action::Go(Station::Retrieve));
    h.key_press(egui::Key::J);
    h.run_ok();
    h.key_press(egui::Key::J);
    h.run_ok();
    let record = &run.samples()[1];
    assert_eq!(
        h.state().state().selection.sample.as_deref(),
        Some(record.sample.id.as_str())
    );
    h.get_by_label_contains(&format!(
        "the last {} lines before the cursor",
        run.experiment.retrieval.query_lines
    ));
    for found in &record.retrieved {
        let place = format!("{}:{}", found.chunk.path, found.chunk.first_line);
        assert!(h.query_all_by_label(&place).count() >= 1, "{place}");
    }
    let hits = record.retrieved.iter().filter(|found| found.hit).count();
    assert_eq!(h.query_all_by_label("✓ hit").count(), hits);
    h.get_by_label_contains(&format!("{} chunks by jaccard, {hits} with", record.retrieved.len()));
}

#[test]
fn misses_alone_are_listed_and_a_run_without_samples_says_so() {
    let runs = tempfile::tempdir().unwrap();
    let folder = write(runs.path(), "aligned", true);
    let samples = Run::open(&folder).unwrap().samples();
    let missed = samples
        .iter()
        .filter(|one| one.retrieved.iter().all(|found| !found.hit))
        .count();
    let (mut h, _) = workbench(runs.path(), true);
    act(&mut h, Action::Focus(folder));
    act(&mut h, Action::Go(Station::Retrieve));
    h.get_by_role_and_label(Role::ComboBox, "show").click();
    h.run_ok();
    h.get_by_label("no chunk holds the name").click();
    h.run_ok();
    h.get_by_label_contains(&format!("{missed} of {} samples", samples.len()));

    let empty = tempfile::tempdir().unwrap();
    let folder = Demo::start(empty.path(), "empty", false).folder();
    std::fs::remove_file(folder.join("evaluations/samples.jsonl")).unwrap();
    let (mut h, _) = workbench(empty.path(), true);
    act(&mut h, Action::Focus(folder));
    act(&mut h, Action::Go(Station::Retrieve));
    h.get_by_label("empty has no samples yet");
}
