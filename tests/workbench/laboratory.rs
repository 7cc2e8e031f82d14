//! The drawer of the Collapse station, by keyboard: pairs, samples, what a soft token says, what if, and what can be done.

use std::path::Path;

use egui::Key;
use egui::accesskit::Role;
use egui_kittest::Harness;
use egui_kittest::kittest::{NodeT as _, Queryable as _};
use llavacode::app::{Action, Station};
use llavacode::engine::{
    Command, CounterfactualAnswer, CounterfactualRequest, Event, NearestToken, ReadingAnswer, ReadingRequest,
    SoftTokenReading,
};
use llavacode::evaluation::{Arm, Change, CompletionRecord, Scores};
use llavacode::runs::Run;
use llavacode::ui::Workbench;

use super::collapse::wait;
use super::demo_run::{Demo, write, write_with_checkpoint};
use super::harness::{Fake, act, export_csv, training, until, workbench};

/// The station on a run with a page of the drawer.
fn opened(runs: &Path, run: &Path, page: Key) -> (Harness<'static, Workbench>, Fake) {
    let (mut h, engine) = workbench(runs, true);
    act(&mut h, Action::Focus(run.to_owned()));
    act(&mut h, Action::Go(Station::Collapse));
    wait(&mut h);
    press(&mut h, page);
    (h, engine)
}

fn press(h: &mut Harness<'_, Workbench>, key: Key) {
    h.key_press(key);
    h.run_ok();
    h.run_ok();
}

/// Goes to a widget with the keyboard and presses Enter.
fn enter(h: &mut Harness<'_, Workbench>, label: &str) {
    h.get_by_label(label).focus();
    h.run_ok();
    press(h, Key::Enter);
}

fn last(engine: &Fake) -> Command {
    engine.sent.borrow().last().cloned().unwrap()
}

/// The answer that the engine would give, once it is asked.
pub fn reading(request: &ReadingRequest) -> ReadingAnswer {
    let readings = request.steps.iter().enumerate().map(|(place, &step)| {
        let token = |text: &str, cosine: f32| NearestToken {
            text: text.into(),
            cosine,
        };
        SoftTokenReading {
            step,
            norms: vec![3.4 + place as f32 * 0.2],
            nearest: vec![vec![token(" def", 0.31), token("\n", 0.22), token(" load", 0.2)]],
            continuation: match place {
                0..4 => "def load_session(path):\n    return".into(),
                _ => "\n#\n#\n#".into(),
            },
            recalled: if place < 4 { vec![0] } else { Vec::new() },
            spelling: Some(4.1 - 0.2 * place as f64 + 0.03 * (place * place) as f64),
            spelling_without: Some(4.3),
        }
    });
    ReadingAnswer {
        chunk: request.chunk,
        names: vec!["load_session".into(), "parse_session".into()],
        readings: readings.collect(),
    }
}

/// The same for changed soft tokens: the first chunk is what the completion owes most to.
pub fn counterfactuals(request: &CounterfactualRequest) -> CounterfactualAnswer {
    let record = |text: &str, shift: f32| {
        let log_probabilities: Vec<f32> = [-0.4, -1.1, -0.2, -2.3].iter().map(|p| p + shift).collect();
        let sum: f32 = log_probabilities.iter().sum();
        CompletionRecord {
            sample: request.sample.id.clone(),
            arm: Arm::Compressed,
            text: text.into(),
            scores: Scores {
                em_token: f64::from(u8::from(shift == 0.0)),
                es_levenshtein: if shift == 0.0 { 100.0 } else { 41.5 },
                cross_entropy: f64::from(-sum) / 4.0,
                ..Scores::default()
            },
            log_probabilities,
            ..CompletionRecord::default()
        }
    };
    let target = request.sample.target.trim();
    let changed = request.changes.iter().enumerate().map(|(place, change)| {
        let record = match place {
            0 => record(&target.replace("strict", "quiet"), -0.7),
            1 => record(target, 0.1),
            _ => record(target, 0.0),
        };
        (change.clone(), record)
    });
    CounterfactualAnswer {
        step: 42,
        target: [" load", "_token", "(", "argv"].map(str::to_owned).to_vec(),
        unchanged: record(target, 0.0),
        changed: changed.collect(),
    }
}

/// Lets the fake engine answer the last question.
pub fn answer(h: &mut Harness<'_, Workbench>, engine: &Fake) {
    let event = match last(engine) {
        Command::Read(request) => Event::Read {
            id: request.id,
            result: Ok(reading(&request)),
        },
        Command::Counterfactuals(request) => Event::Counterfactuals {
            id: request.id,
            result: Ok(counterfactuals(&request)),
        },
        other => panic!("no question: {other:?}"),
    };
    engine.answer(event);
    h.run_ok();
    h.run_ok();
}

/// The thread that looks for pairs that merge has seen every probe.
pub fn merged(h: &mut Harness<'_, Workbench>) {
    for _ in 0..600 {
        h.run_ok();
        if h.query_by_label_contains("probes left").is_none() {
            break;
        }
        std::thread::sleep(std::time::Duration::from_millis(10));
    }
    h.run_ok();
}

#[test]
fn the_pairs_that_merged_first_are_walked_through() {
    let runs = tempfile::tempdir().unwrap();
    let run = write(runs.path(), "collapse", false);
    let (mut h, _) = opened(runs.path(), &run, Key::C);
    merged(&mut h);
    assert!(
        h.query_by_label_contains("first to merge, cosine 0.90 or more")
            .is_some()
    );
    let steps: Vec<usize> = h
        .query_all_by_label_contains("pair ")
        .filter_map(|node| node.accesskit_node().label())
        .filter_map(|label| label.split("step ").nth(1)?.split_whitespace().next()?.parse().ok())
        .collect();
    assert!(steps.len() > 1 && steps.is_sorted(), "{steps:?}");
    let first = h.state().state().selection.pair().expect("the first is chosen");
    // A second way: at that step it is at the limit, and at the probe before it is not.
    let cosine = |step: usize| {
        let probe = Run::open(&run).unwrap().probe(step).unwrap();
        let width = probe.projected.len() / probe.rows;
        let [a, b] = [first.0, first.1].map(|row| &probe.projected[row * width..(row + 1) * width]);
        let dot = |a: &[f32], b: &[f32]| a.iter().zip(b).map(|(a, b)| a * b).sum::<f32>();
        dot(a, b) / (dot(a, a) * dot(b, b)).sqrt()
    };
    assert!(cosine(steps[0]) >= 0.9 && cosine(steps[0] - 3) < 0.9);
    press(&mut h, Key::J);
    let second = h.state().state().selection.pair();
    assert!(second.is_some() && second != Some(first));
    enter(&mut h, "0.99");
    assert!(
        h.query_by_label_contains("first to merge, cosine 0.99 or more")
            .is_some()
    );
    enter(&mut h, "most similar now");
    assert!(h.query_by_label_contains("step 84: the most similar").is_some());
}

#[test]
fn from_a_pair_to_its_samples_to_compare() {
    let runs = tempfile::tempdir().unwrap();
    let run = write(runs.path(), "aligned", true);
    let (mut h, _) = opened(runs.path(), &run, Key::S);
    act(&mut h, Action::SelectPair(0, 17));
    assert!(
        h.query_by_label_contains("of 24 samples retrieve these chunks")
            .is_some()
    );
    press(&mut h, Key::J);
    let sample = h.state().state().selection.sample.clone().expect("a sample is chosen");
    let opened = Run::open(&run).unwrap();
    let chunks = opened.probe_chunks().unwrap();
    let record = opened
        .samples()
        .into_iter()
        .find(|one| one.sample.id == sample)
        .unwrap();
    let retrieved: Vec<_> = record.retrieved.iter().map(|found| &found.chunk).collect();
    assert!(retrieved.contains(&&chunks[0]) || retrieved.contains(&&chunks[17]));
    enter(&mut h, "Open in Compare");
    assert_eq!(h.state().state().station, Station::Compare);
    assert_eq!(h.state().state().selection.sample, Some(sample));
}

#[test]
fn a_soft_token_is_asked_what_it_says() {
    let runs = tempfile::tempdir().unwrap();
    let run = write(runs.path(), "collapse", false);
    let (mut h, engine) = opened(runs.path(), &run, Key::T);
    act(&mut h, Action::SelectPair(3, 11));
    act(&mut h, Action::PinStep(Some(18)));
    until(&mut h, "the step", |h| h.query_by_label_contains("Step 18:").is_some());
    press(&mut h, Key::Enter);
    let Command::Read(request) = last(&engine) else {
        panic!("{:?}", engine.sent())
    };
    assert_eq!((request.chunk, &request.run), (3, &run));
    assert!(request.steps.len() <= 13 && request.steps.is_sorted());
    assert!(
        [0, 18, 84].iter().all(|step| request.steps.contains(step)),
        "{:?}",
        request.steps
    );
    assert!(h.query_by_label_contains("reading; the models").is_some());
    answer(&mut h, &engine);
    assert!(h.query_all_by_label_contains("recalls load_session").next().is_some());
    assert!(h.query_all_by_label_contains("def 0.31").next().is_some());
    assert!(
        h.query_by_label_contains("spelling the chunk's names, with the soft tokens")
            .is_some()
    );
    enter(&mut h, "step 0");
    assert_eq!(
        h.state().state().selection.step,
        Some(0),
        "every chart goes to that step"
    );
    act(&mut h, Action::PinStep(Some(24)));
    until(&mut h, "step 24", |h| h.query_by_label("Read at step 24 too").is_some());
    enter(&mut h, "The other chunk");
    assert_eq!(h.state().state().selection.pair(), Some((11, 3)));
    enter(&mut h, "Ask what it says");
    let Command::Read(request) = last(&engine) else {
        panic!()
    };
    engine.answer(Event::Read {
        id: request.id,
        result: Err("the reader smollm2 is not here".into()),
    });
    h.run_ok();
    assert!(h.query_by_label_contains("▲ the reader smollm2 is not here").is_some());
    assert!(h.query_by_label("Ask again").is_some());
}

#[test]
fn a_completion_without_each_chunk_and_with_two_swapped() {
    let runs = tempfile::tempdir().unwrap();
    let run = write_with_checkpoint(runs.path(), "aligned", true);
    let (mut h, engine) = opened(runs.path(), &run, Key::W);
    press(&mut h, Key::Enter);
    let Command::Counterfactuals(request) = last(&engine) else {
        panic!("{:?}", engine.sent())
    };
    assert_eq!(request.changes, Change::leave_one_out(5));
    assert!(h.query_by_label_contains("completing;").is_some());
    answer(&mut h, &engine);
    assert!(
        h.query_by_label_contains("without chunk 1: cross-entropy +0.700")
            .is_some()
    );
    assert!(
        h.query_by_label_contains("without chunk 2: cross-entropy −0.100")
            .is_some()
    );
    h.query_all_by_label("show").next().unwrap().focus();
    h.run_ok();
    press(&mut h, Key::Enter);
    assert!(h.query_by_label_contains("EM ✓ → ✗").is_some());
    assert!(h.query_by_label_contains("ES 100.0 → 41.5").is_some());
    assert!(
        h.query_by_label_contains("token  load: log-probability −0.400 before, −1.100 after")
            .is_some()
    );
    for rank in ["1", "2"] {
        let is_of = |node: &egui_kittest::Node<'_>| {
            node.accesskit_node()
                .label()
                .is_some_and(|label| label.starts_with(rank))
        };
        h.query_all_by_role(Role::CheckBox).find(is_of).unwrap().focus();
        h.run_ok();
        press(&mut h, Key::Space);
    }
    enter(&mut h, "Swap");
    let Command::Counterfactuals(request) = last(&engine) else {
        panic!()
    };
    assert_eq!(request.changes, [Change::Swap(0, 1)]);
    answer(&mut h, &engine);
    assert!(h.query_by_label_contains("chunks 1 and 2 swapped +0.70").is_some());
    assert!(
        h.query_by_label_contains("without chunk 1: cross-entropy +0.700")
            .is_some(),
        "still there"
    );
    let lines = export_csv(
        &mut h,
        "copy or export changes of the soft tokens",
        &runs.path().join("changes.csv"),
    );
    let names: Vec<&str> = lines.iter().map(|line| line[0].as_str()).collect();
    assert_eq!(names[..3], ["change", "chunks 1 and 2 swapped", "without chunk 1"]);
    assert_eq!(lines.len(), 1 + 1 + 5);
    let number = |line: usize, place: usize| -> f64 { lines[line][place].parse().unwrap() };
    for line in [1, 2] {
        let [before, after, difference] = [1, 2, 3].map(|place| number(line, place));
        assert!((difference - 0.7).abs() < 1e-6 && (after - before - difference).abs() < 1e-12);
        assert_eq!([4, 5, 6, 7].map(|place| number(line, place)), [1.0, 0.0, 100.0, 41.5]);
        assert!(lines[line][8].contains("strict") && lines[line][9].contains("quiet"));
    }
}

#[test]
fn a_finished_run_is_forked_with_a_higher_weight_and_stays_beside() {
    let runs = tempfile::tempdir().unwrap();
    let mut run = Demo::start(runs.path(), "collapse", false);
    for step in [12, 21, 84] {
        run.train_to(step);
        run.checkpoint();
    }
    run.end();
    let (mut h, engine) = opened(runs.path(), &run.folder(), Key::A);
    act(&mut h, Action::PinStep(Some(18)));
    until(&mut h, "the step", |h| h.query_by_label_contains("Step 18:").is_some());
    assert!(h.query_by_label_contains("counts as collapsed from step").is_some());
    assert!(h.query_by_label_contains("▲ alarm at step").is_some());
    h.get_by_role_and_label(Role::SpinButton, "alignment weight").focus();
    h.run_ok();
    h.key_press_modifiers(egui::Modifiers::COMMAND, Key::A);
    h.event(egui::Event::Text("10".into()));
    h.run_ok();
    press(&mut h, Key::Enter);
    enter(&mut h, "Fork from step 12 with weight 10");
    let Command::Fork(request) = last(&engine) else {
        panic!("{:?}", engine.sent())
    };
    assert_eq!(
        (request.step, request.changes),
        (Some(12), vec!["objective.alignment=10".to_owned()])
    );
    assert_eq!(h.state().state().station, Station::Collapse);
    let mut fork = Demo::start(runs.path(), "collapse-fork", true);
    fork.train_to(6);
    engine.answer(Event::RunStarted(fork.folder()));
    h.run_ok();
    assert_eq!(
        h.state().state().shown_runs().count(),
        2,
        "the parent stays beside the fork"
    );
}

#[test]
fn a_run_in_training_is_steered_at_the_step_that_is_looked_at() {
    let runs = tempfile::tempdir().unwrap();
    let mut run = Demo::start(runs.path(), "live", false);
    for step in [12, 21] {
        run.train_to(step);
        run.checkpoint();
    }
    run.train_to(30);
    let (mut h, engine) = opened(runs.path(), &run.folder(), Key::A);
    engine.answer(training(&run.folder(), 30, false));
    h.run_ok();
    act(&mut h, Action::PinStep(Some(15)));
    until(&mut h, "the step", |h| h.query_by_label_contains("Step 15:").is_some());
    enter(&mut h, "Set weight 0.1 from the next step");
    assert!(
        matches!(last(&engine), Command::Intervene { field, value } if field == "objective.alignment" && value == 0.1)
    );
    enter(&mut h, "Roll back to step 12 with weight 0.1");
    assert_eq!(engine.sent()[engine.sent().len() - 2..], ["RollBack", "Intervene"]);
}

#[test]
fn pages_say_what_is_missing() {
    let runs = tempfile::tempdir().unwrap();
    let run = Demo::start(runs.path(), "young", true);
    let (mut h, engine) = opened(runs.path(), &run.folder(), Key::S);
    assert!(h.query_by_label_contains("with the run's first evaluation").is_some());
    press(&mut h, Key::W);
    press(&mut h, Key::Enter);
    assert!(engine.sent().is_empty());
    press(&mut h, Key::C);
    merged(&mut h);
    assert!(h.query_by_label_contains("No pair of this run").is_some());
    press(&mut h, Key::A);
    assert!(h.query_by_label_contains("keeps no checkpoint").is_some());
    press(&mut h, Key::Escape);
    assert!(h.query_by_label("Close").is_none());
}
