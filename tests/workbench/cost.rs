//! The Cost station: a point an arm and run, the Pareto line, the keyboard, and what it says where numbers are missing.

use std::path::Path;

use egui::Key;
use egui::accesskit::Role;
use egui_kittest::Harness;
use egui_kittest::kittest::{NodeT as _, Queryable as _};
use llavacode::app::{Action, Station};
use llavacode::evaluation::Arm;
use llavacode::runs::Run;
use llavacode::ui::Workbench;

use super::demo_run::{Demo, STEPS, write};
use super::harness::{THEMES, act, figure, workbench};

fn opened(runs: &Path, run: &Path) -> Harness<'static, Workbench> {
    let (mut h, _) = workbench(runs, true);
    act(&mut h, Action::Focus(run.to_owned()));
    act(&mut h, Action::Go(Station::Cost));
    h
}

/// Takes out of an evaluation what an earlier program did not write.
pub fn without_costs(run: &Path) {
    let path = run.join("evaluations").join(format!("step-{STEPS}.json"));
    let mut json: serde_json::Value = serde_json::from_slice(&std::fs::read(&path).unwrap()).unwrap();
    for arm in json["arms"].as_array_mut().unwrap() {
        arm.as_object_mut().unwrap().remove("cost").unwrap();
    }
    std::fs::write(path, json.to_string()).unwrap();
}

#[test]
fn every_arm_is_a_point_and_the_cheapest_of_the_best_are_on_the_line() {
    let runs = tempfile::tempdir().unwrap();
    let folder = write(runs.path(), "aligned", true);
    let run = Run::open(&folder).unwrap();
    let summary = run.evaluations.last().unwrap();
    for (_, preference) in THEMES {
        let mut h = opened(runs.path(), &folder);
        act(&mut h, Action::SetTheme(preference));
        let text = figure(&h, "ES, % against prompt tokens");
        let value = |arm: Arm| {
            (
                summary.arm(arm).unwrap().prompt_tokens,
                summary.arm(arm).unwrap().scores["es_levenshtein"].mean,
            )
        };
        let claims = [Arm::NoContext, Arm::Compressed, Arm::FullRag];
        for part in text.split_once(": ").unwrap().1.split("; ") {
            let arm = summary
                .arms
                .iter()
                .find(|one| part.starts_with(one.arm.label()))
                .unwrap()
                .arm;
            let (tokens, score) = value(arm);
            let beaten = claims
                .iter()
                .map(|other| value(*other))
                .any(|other| other.0 <= tokens && other.1 >= score && other != (tokens, score));
            let on_line = claims.contains(&arm) && !beaten;
            assert_eq!(part.ends_with(", on the Pareto line"), on_line, "{part}");
        }
        assert_eq!(text.split("; ").count(), summary.arms.len());
    }
}

#[test]
fn the_keyboard_goes_to_every_cost_quality_and_point() {
    let runs = tempfile::tempdir().unwrap();
    let folder = write(runs.path(), "aligned", true);
    let mut h = opened(runs.path(), &folder);
    let mut titles = Vec::new();
    for _ in 0..3 {
        for _ in 0..4 {
            let figures = h.query_all_by_role(Role::Figure);
            let texts: Vec<String> = figures.filter_map(|node| node.accesskit_node().label()).collect();
            titles.push(texts[0].split_once(": ").unwrap().0.to_owned());
            h.key_press(Key::Q);
            h.run_ok();
        }
        h.key_press(Key::C);
        h.run_ok();
    }
    titles.sort();
    titles.dedup();
    assert_eq!(titles.len(), 12, "{titles:?}");
    let rows = |h: &Harness<'_, Workbench>| {
        let nodes = h.query_all_by_role(Role::Button);
        let chosen = nodes.filter(|node| {
            let node = node.accesskit_node();
            node.label().is_some_and(|label| label.contains(" of aligned, step"))
                && (node.is_selected() == Some(true) || node.toggled() == Some(egui::accesskit::Toggled::True))
        });
        chosen
            .filter_map(|node| node.accesskit_node().label())
            .collect::<Vec<_>>()
    };
    assert!(rows(&h).is_empty());
    for arm in [Arm::NoContext, Arm::Compressed] {
        h.key_press(Key::J);
        h.run_ok();
        let chosen = rows(&h);
        assert!(chosen.len() == 1 && chosen[0].starts_with(arm.label()), "{chosen:?}");
    }
}

#[test]
fn runs_stand_beside_each_other_by_name() {
    let runs = tempfile::tempdir().unwrap();
    let aligned = write(runs.path(), "aligned", true);
    let collapse = write(runs.path(), "collapse", false);
    let mut h = opened(runs.path(), &aligned);
    act(&mut h, Action::ToggleOverlay(collapse));
    let text = figure(&h, "ES, % against prompt tokens");
    for name in [
        "compressed of aligned",
        "compressed of collapse",
        "full RAG of collapse",
    ] {
        assert!(text.contains(name), "{text}");
    }
}

#[test]
fn an_evaluation_of_an_earlier_program_says_what_is_missing() {
    let runs = tempfile::tempdir().unwrap();
    let folder = write(runs.path(), "aligned", true);
    without_costs(&folder);
    let mut h = opened(runs.path(), &folder);
    h.get_by_label_contains("aligned: no interval of prompt tokens");
    assert!(h.query_by_label_contains("has no KV bytes").is_none());
    h.get_by_role_and_label(Role::Button, "KV bytes, MB").focus();
    h.run_ok();
    h.key_press(Key::Enter);
    h.run_ok();
    h.get_by_label_contains("aligned has no KV bytes, MB: an earlier program wrote the evaluation");
    h.get_by_label_contains("No arm has both numbers");
}

#[test]
fn without_a_run_or_an_evaluation_it_says_what_would_be_here() {
    let empty = tempfile::tempdir().unwrap();
    let (mut h, _) = workbench(empty.path(), true);
    act(&mut h, Action::Go(Station::Cost));
    h.get_by_label("No run is open");
    let demo = Demo::start(empty.path(), "young", true);
    act(&mut h, Action::Focus(demo.folder()));
    h.get_by_label("young has no evaluation yet");
    h.get_by_label("Evaluate on the test split");
}
