//! The Compare station: choosing samples, filters, keys, and completing a sample again.

use std::path::Path;

use egui::accesskit::Role;
use egui_kittest::Harness;
use egui_kittest::kittest::{NodeT as _, Queryable as _};
use llavacode::app::{Action, Station};
use llavacode::corpus::Split;
use llavacode::engine::{Command, CompletionAnswer, Event};
use llavacode::evaluation::Arm;
use llavacode::runs::Run;
use llavacode::ui::Workbench;

use super::demo_run::{STEPS, write, write_with_checkpoint};
use super::harness::{Fake, act, workbench};

fn opened(runs: &Path, run: &Path) -> (Harness<'static, Workbench>, Fake) {
    let (mut h, engine) = workbench(runs, true);
    act(&mut h, Action::Focus(run.to_owned()));
    act(&mut h, Action::Go(Station::Compare));
    (h, engine)
}

fn sample(h: &Harness<'_, Workbench>) -> Option<String> {
    h.state().state().selection.sample.clone()
}

/// Samples by id, in the order that they were completed.
fn ids(run: &Path) -> Vec<String> {
    let run = Run::open(run).unwrap();
    let completions = run.completions(STEPS, Split::Validation).unwrap();
    let mut ids: Vec<String> = completions.into_iter().map(|completion| completion.sample).collect();
    ids.dedup();
    ids
}

#[test]
fn the_name_of_a_filter_is_at_the_height_of_its_choices_in_every_row() {
    let runs = tempfile::tempdir().unwrap();
    let run = write(runs.path(), "aligned", true);
    let (mut h, _) = opened(runs.path(), &run);
    for width in [960.0, 1280.0, 1440.0] {
        h.set_size(egui::vec2(width, 720.0));
        h.run_ok();
        for name in [
            "show",
            "repository",
            "name in window",
            "name in a chunk",
            "from",
            "columns show",
        ] {
            let label = h.get_by_role_and_label(Role::Label, name).rect();
            let choices = h.get_by_role_and_label(Role::ComboBox, name).rect();
            let apart = (label.center().y - choices.center().y).abs();
            assert!(apart < 2.0, "{name}: {label:?} beside {choices:?} at {width}");
        }
    }
}

#[test]
fn j_and_k_walk_through_the_samples() {
    let runs = tempfile::tempdir().unwrap();
    let run = write(runs.path(), "aligned", true);
    let (mut h, _) = opened(runs.path(), &run);
    let ids = ids(&run);
    for (key, expected) in [
        (egui::Key::J, 0),
        (egui::Key::J, 1),
        (egui::Key::J, 2),
        (egui::Key::K, 1),
    ] {
        h.key_press(key);
        h.run_ok();
        assert_eq!(sample(&h).as_deref(), Some(ids[expected].as_str()));
    }
}

#[test]
fn the_filter_keeps_what_compression_lost() {
    let runs = tempfile::tempdir().unwrap();
    let run = write(runs.path(), "aligned", true);
    let completions = Run::open(&run).unwrap().completions(STEPS, Split::Validation).unwrap();
    let right = |sample: &str, arm: Arm| {
        completions
            .iter()
            .any(|c| c.sample == sample && c.arm == arm && c.scores.em_token == 1.0)
    };
    let ids = ids(&run);
    let lost = ids
        .iter()
        .filter(|id| right(id, Arm::FullRag) && !right(id, Arm::Compressed))
        .count();
    assert!(lost > 0 && lost < ids.len(), "the demo run must have such samples");
    let (mut h, _) = opened(runs.path(), &run);
    assert!(
        h.query_by_label_contains(&format!("{0} of {0} samples", ids.len()))
            .is_some()
    );
    h.get_by_value("all samples").click();
    h.run_ok();
    h.get_by_label("full RAG right, compressed wrong").click();
    h.run_ok();
    assert!(
        h.query_by_label_contains(&format!("{lost} of {} samples", ids.len()))
            .is_some()
    );
}

#[test]
fn searching_finds_paths_and_targets_and_says_when_nothing_is_found() {
    let runs = tempfile::tempdir().unwrap();
    let run = write(runs.path(), "aligned", true);
    let (mut h, _) = opened(runs.path(), &run);
    let field = h.get_by_role(egui::accesskit::Role::TextInput);
    field.focus();
    field.type_text("HEADER_cli");
    h.run_ok();
    assert!(h.query_by_label_contains("3 of 24 samples").is_some());
    h.get_by_role(egui::accesskit::Role::TextInput).type_text("zzz");
    h.run_ok();
    assert!(h.query_by_label_contains("No sample is like that").is_some());
}

#[test]
fn an_earlier_evaluation_is_shown_when_its_step_is_pinned() {
    let runs = tempfile::tempdir().unwrap();
    let run = write(runs.path(), "aligned", true);
    let (mut h, _) = opened(runs.path(), &run);
    assert!(h.query_by_label(&format!("aligned, step {STEPS}")).is_some());
    act(&mut h, Action::PinStep(Some(37)));
    assert!(h.query_by_label("aligned, step 42").is_some(), "the nearest one");
    act(&mut h, Action::PinStep(None));
    assert!(h.query_by_label(&format!("aligned, step {STEPS}")).is_some());
}

#[test]
fn a_sample_is_completed_again_and_the_answer_stands_below() {
    let runs = tempfile::tempdir().unwrap();
    let run = write_with_checkpoint(runs.path(), "aligned", true);
    let (mut h, engine) = opened(runs.path(), &run);
    h.get_by_label("Complete again now").click();
    h.run_ok();
    let request = engine
        .sent
        .borrow()
        .iter()
        .find_map(|command| match command {
            Command::Complete(request) => Some(request.clone()),
            _ => None,
        })
        .expect("a completion was asked for");
    assert_eq!(request.run, run);
    assert!(
        !request.arms.contains(&Arm::ShuffledContext),
        "the engine cannot shuffle one sample"
    );
    assert!(h.query_by_label_contains("completing").is_some());
    let recorded = Run::open(&run).unwrap().completions(STEPS, Split::Validation).unwrap();
    let mut completions: Vec<_> = recorded.into_iter().take(request.arms.len()).collect();
    completions[0].text = "freshly_written()".into();
    let llavacode::engine::CompletionSource::Sample(sample, retrieved) = request.source else {
        panic!("the sample itself is completed");
    };
    engine.answer(Event::Completed {
        id: request.id,
        result: Ok(CompletionAnswer {
            sample: *sample,
            step: 61,
            retrieved,
            completions,
            prompts: Vec::new(),
        }),
        bad_input: false,
    });
    h.run_ok();
    assert!(h.query_by_label_contains("completing").is_none());
    assert_eq!(h.query_all_by_label("step 61").count(), request.arms.len());
}

#[test]
fn a_damaged_evaluation_leaves_the_way_to_the_others() {
    let runs = tempfile::tempdir().unwrap();
    let run = write(runs.path(), "aligned", true);
    let damaged = run.join("evaluations").join(format!("step-{STEPS}.jsonl"));
    assert!(damaged.is_file());
    std::fs::write(damaged, "{not json\n").unwrap();
    let (mut h, _) = opened(runs.path(), &run);
    assert!(h.query_by_label("This evaluation cannot be read").is_some());
    let other = Run::open(&run).unwrap().evaluations[0].step;
    h.get_by_label(&other.to_string()).click();
    h.run_ok();
    assert!(h.query_by_label("This evaluation cannot be read").is_none());
    assert!(h.query_by_label(&format!("aligned, step {other}")).is_some());
}

#[test]
fn the_smallest_window_holds_every_arm() {
    let runs = tempfile::tempdir().unwrap();
    let run = write(runs.path(), "aligned", true);
    let (mut h, _) = opened(runs.path(), &run);
    h.set_size(egui::vec2(960.0, 600.0));
    h.run_ok();
    for arm in [Arm::NoContext, Arm::Compressed, Arm::FullRag] {
        for node in h.query_all_by_label(arm.label()) {
            assert!(node.rect().right() <= 960.0, "{} is cut off", arm.label());
        }
    }
    assert!(h.get_by_label("Complete again now").rect().right() <= 960.0);
}

#[test]
fn nothing_is_completed_with_a_run_that_keeps_no_projector() {
    let runs = tempfile::tempdir().unwrap();
    let run = write(runs.path(), "aligned", true);
    let (h, _) = opened(runs.path(), &run);
    assert!(h.get_by_label("Complete again now").accesskit_node().is_disabled());
    assert_eq!(
        h.state().state().play_refusal().as_deref(),
        Some("aligned has no checkpoint yet")
    );
}

#[test]
fn a_refused_completion_says_why() {
    let runs = tempfile::tempdir().unwrap();
    let run = write_with_checkpoint(runs.path(), "aligned", true);
    let (mut h, engine) = opened(runs.path(), &run);
    h.get_by_label("Complete again now").click();
    h.run_ok();
    engine.answer(Event::Completed {
        id: 1,
        result: Err("the reader is not on this machine".into()),
        bad_input: true,
    });
    h.run_ok();
    assert!(h.query_by_label_contains("the reader is not on this machine").is_some());
}
