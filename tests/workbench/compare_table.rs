//! The Compare station's table by the keyboard alone: order, filters, arms, a second evaluation, and the chunk that is chosen.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use egui::Key;
use egui::accesskit::Role;
use egui_kittest::Harness;
use egui_kittest::kittest::{NodeT as _, Queryable as _};
use llavacode::app::{Action, Station};
use llavacode::corpus::Split;
use llavacode::evaluation::{Arm, CompletionRecord};
use llavacode::runs::Run;
use llavacode::ui::Workbench;

use super::demo_run::{STEPS, write};
use super::harness::{THEMES, act, figure, workbench};

fn opened(runs: &Path, run: &Path) -> Harness<'static, Workbench> {
    let (mut h, _) = workbench(runs, true);
    act(&mut h, Action::Focus(run.to_owned()));
    act(&mut h, Action::Go(Station::Compare));
    h
}

/// Goes to a widget with the keyboard and presses Enter there.
fn press(h: &mut Harness<'_, Workbench>, role: Role, label: &str) {
    h.get_by_role_and_label(role, label).focus();
    h.run_ok();
    h.key_press(Key::Enter);
    h.run_ok();
}

/// Chooses an entry of a list.
fn choose(h: &mut Harness<'_, Workbench>, list: &str, entry: &str) {
    press(h, Role::ComboBox, list);
    press(h, Role::Button, entry);
}

/// Lets go of the keyboard, so that j and k walk again.
fn let_go(h: &mut Harness<'_, Workbench>) {
    h.key_press(Key::Escape);
    h.run_ok();
}

fn records(run: &Path, step: usize) -> Vec<CompletionRecord> {
    Run::open(run).unwrap().completions(step, Split::Validation).unwrap()
}

fn similarity(records: &[CompletionRecord], sample: &str, arm: Arm) -> f64 {
    let mut of_sample = records.iter().filter(|one| one.sample == sample);
    of_sample.find(|one| one.arm == arm).unwrap().scores.es_levenshtein
}

fn ids(records: &[CompletionRecord]) -> BTreeSet<String> {
    records.iter().map(|one| one.sample.clone()).collect()
}

fn counts(h: &Harness<'_, Workbench>, left: usize) -> bool {
    h.query_by_label_contains(&format!("{left} of 24 samples ·")).is_some()
}

fn setup() -> (tempfile::TempDir, PathBuf) {
    let runs = tempfile::tempdir().unwrap();
    let run = write(runs.path(), "aligned", true);
    (runs, run)
}

#[test]
fn a_head_orders_the_samples_and_j_walks_in_that_order() {
    let (runs, run) = setup();
    let all = records(&run, STEPS);
    let drop = |sample: &str| similarity(&all, sample, Arm::FullRag) - similarity(&all, sample, Arm::Compressed);
    let largest = ids(&all).iter().map(|id| drop(id)).fold(f64::MIN, f64::max);
    for (_, preference) in THEMES {
        let mut h = opened(runs.path(), &run);
        act(&mut h, Action::SetTheme(preference));
        press(&mut h, Role::Button, "sort by ES drop");
        press(&mut h, Role::Button, "sort by ES drop");
        let_go(&mut h);
        let mut walked = Vec::new();
        for _ in 0..24 {
            h.key_press(Key::J);
            h.run_ok();
            walked.push(h.state().state().selection.sample.clone().unwrap());
        }
        let drops: Vec<f64> = walked.iter().map(|id| drop(id)).collect();
        assert_eq!(drops[0], largest);
        assert!(drops.windows(2).all(|two| two[0] >= two[1]), "{drops:?}");
        assert_eq!(walked.into_iter().collect::<BTreeSet<_>>(), ids(&all));
    }
}

#[test]
fn filters_keep_what_the_records_say() {
    let (runs, run) = setup();
    let all = records(&run, STEPS);
    let mut h = opened(runs.path(), &run);
    assert!(counts(&h, 24));
    press(&mut h, Role::CheckBox, "ES drop above");
    let drop = |sample: &String| similarity(&all, sample, Arm::FullRag) - similarity(&all, sample, Arm::Compressed);
    let dropped = ids(&all).iter().filter(|id| drop(id) > 20.0).count();
    assert!(dropped > 0 && counts(&h, dropped), "{dropped}");
    press(&mut h, Role::Button, "Show all");
    assert!(counts(&h, 24));
    for (list, entry, keeps) in [
        (
            "name in window",
            "yes",
            (|one| one.in_window == Some(true)) as fn(&CompletionRecord) -> bool,
        ),
        ("name in a chunk", "no", |one| one.hit == Some(false)),
        ("repository", "click", |one| one.sample.starts_with("click/")),
    ] {
        choose(&mut h, list, entry);
        let kept: Vec<CompletionRecord> = all.iter().filter(|one| keeps(one)).cloned().collect();
        let left = ids(&kept).len();
        assert!(left > 0 && left < 24 && counts(&h, left), "{list}: {left}");
        press(&mut h, Role::Button, "Show all");
    }
}

#[test]
fn another_checkpoint_stands_beside_and_says_how_many_samples_match() {
    let (runs, run) = setup();
    let mut h = opened(runs.path(), &run);
    choose(&mut h, "beside it", "step 42");
    h.get_by_label("24 of 24 samples are in step 42 as well");
    h.get_by_role_and_label(Role::Button, "sort by compressed · step 42");
    // The two checkpoints are held against each other.
    choose(&mut h, "to", "compressed · step 42");
    choose(&mut h, "from", "compressed");
    choose(&mut h, "show", "compressed right, compressed · step 42 wrong");
    let (now, before) = (records(&run, STEPS), records(&run, 42));
    let right = |records: &[CompletionRecord], id: &str| {
        let mut found = records
            .iter()
            .filter(|one| one.sample == id && one.arm == Arm::Compressed);
        found.any(|one| one.scores.em_token == 1.0)
    };
    let learned = ids(&now)
        .iter()
        .filter(|id| right(&now, id) && !right(&before, id))
        .count();
    assert!(counts(&h, learned), "{learned}");
    choose(&mut h, "beside it", "nothing");
    assert!(h.query_by_label_contains("as well").is_none());
}

#[test]
fn an_overlaid_run_can_stand_beside() {
    let (runs, run) = setup();
    let other = write(runs.path(), "collapse", false);
    let mut h = opened(runs.path(), &run);
    act(&mut h, Action::ToggleOverlay(other.clone()));
    let entry = format!("collapse, step {STEPS}");
    choose(&mut h, "beside it", &entry);
    h.get_by_label(&format!("24 of 24 samples are in {entry} as well"));
    // When the run is closed again, nothing stands beside.
    act(&mut h, Action::ToggleOverlay(other));
    h.run_ok();
    assert!(h.query_by_label_contains("as well").is_none());
}

#[test]
fn a_chunk_is_chosen_here_and_marked_everywhere_and_the_other_way_round() {
    let (runs, run) = setup();
    let open = Run::open(&run).unwrap();
    let watched = open.probe_chunks().unwrap();
    let found = &open.samples()[0].retrieved[1].chunk;
    let row = watched.iter().position(|chunk| chunk.place() == found.place()).unwrap();
    let mark = format!("select chunk {row} {}:{}", found.path, found.first_line);
    let mut h = opened(runs.path(), &run);
    h.key_press(Key::J);
    h.run_ok();
    press(&mut h, Role::Button, &mark);
    assert_eq!(h.state().state().selection.chunk, Some(row));
    let marked = |h: &Harness<'_, Workbench>, label: &str| {
        let node = h.get_by_role_and_label(Role::Button, label);
        node.accesskit_node().toggled() == Some(egui::accesskit::Toggled::True)
            || node.accesskit_node().is_selected() == Some(true)
    };
    assert!(marked(&h, &mark));
    act(&mut h, Action::Go(Station::Retrieve));
    assert!(marked(&h, &mark));
    // Chosen in Collapse, it is marked in both.
    act(&mut h, Action::SelectChunk(None));
    assert!(!marked(&h, &mark));
    act(&mut h, Action::SelectPair(0, row));
    assert!(marked(&h, &mark));
    act(&mut h, Action::Go(Station::Compare));
    assert!(marked(&h, &mark));
    press(&mut h, Role::Button, &mark);
    assert_eq!(h.state().state().selection.chunk, None);
    assert!(!marked(&h, &mark));
}

#[test]
fn tokens_carry_their_probability_and_nothing_is_cut_in_the_smallest_window() {
    let (runs, run) = setup();
    let mut h = opened(runs.path(), &run);
    h.set_size(egui::vec2(960.0, 600.0));
    h.run_ok();
    let text = figure(&h, "confidence by token");
    assert!(text.contains("11 tokens") && text.contains("full RAG"), "{text}");
    for label in ["✓ right", "✗ wrong", "true line"] {
        for node in h.query_all_by_label(label) {
            assert!(
                node.rect().right() <= 960.0 - 16.0,
                "{label} is cut off: {:?}",
                node.rect()
            );
        }
    }
}
