//! What alarms make of a run: told in its log, the same after a kill, and a rule that ends it or takes it back.

use std::path::Path;

use llavacode::collapse::AlarmKind;
use llavacode::engine::Command;
use llavacode::experiment::{AlarmRule, Experiment, Steering};
use llavacode::runs::{EventKind, EventRecord, Run, RunStatus, interventions, live_events};

use super::Bench;
use super::resume::{inflate, kill, resume, scalars, twenty_steps};

const COLLAPSE: AlarmKind = AlarmKind::RepresentationCollapse;

/// Limits so narrow that the toy cannot keep them.
fn nervous(bench: &Bench, name: &str) -> Experiment {
    let mut experiment = twenty_steps(bench, name);
    experiment.alarms.cosine_rise = 1e-9;
    experiment.alarms.rank_share = 1.0;
    experiment.alarms.gradient_share = 1.0;
    experiment.alarms.validation_rise = 1e-9;
    experiment.alarms.hysteresis = 0.0;
    experiment.alarms.step_patience = 1;
    experiment.alarms.patience = 1;
    experiment
}

/// The alarms on the live branch: what, when and why.
fn alarms(folder: &Path) -> Vec<(EventKind, usize, String)> {
    let run = Run::open(folder).unwrap();
    let is_alarm = |kind| matches!(kind, EventKind::AlarmRaised(_) | EventKind::AlarmCleared(_));
    live_events(&run.events)
        .into_iter()
        .filter(|event| is_alarm(event.kind))
        .map(|event| (event.kind, event.step, event.reason.clone()))
        .collect()
}

#[test]
fn a_killed_run_raises_the_alarms_of_an_unbroken_one() {
    let bench = Bench::new();
    let whole = bench.train(nervous(&bench, "whole"));
    bench.wait_for_end();
    let expected = alarms(&whole);
    assert!(expected.len() > 2, "{expected:?}");
    assert!(
        expected.iter().any(|(_, step, _)| *step == 8),
        "an evaluation raises one: {expected:?}"
    );
    // Behind a checkpoint by schedule, behind the evaluation of a step that has one, and behind both.
    for steps in [7, 9, 11] {
        let live = bench.train_and_pause(nervous(&bench, "broken"), steps);
        let killed = kill(&live);
        bench.send(Command::Stop);
        bench.wait_for_end();
        resume(&bench, &killed);
        assert_eq!(scalars(&killed), scalars(&whole));
        assert_eq!(alarms(&killed), expected, "killed after step {steps}");
    }
}

#[test]
fn a_rule_stops_a_run_whose_soft_tokens_collapse() {
    let bench = Bench::new();
    let mut experiment = nervous(&bench, "stopping");
    experiment.alarms.on_collapse = AlarmRule::Stop;
    experiment.alarms.patience = 2;
    let folder = bench.train(experiment);
    bench.wait_for_end();
    let run = Run::open(&folder).unwrap();
    assert_eq!(run.status(), RunStatus::Stopped);
    let (_, raised) = run
        .standing_alarms()
        .into_iter()
        .find(|(kind, _)| *kind == COLLAPSE)
        .unwrap();
    assert_eq!(run.scalars.len(), raised.step, "no step behind the alarm");
    assert_eq!(run.checkpoint_steps.last(), Some(&raised.step));
    let end = run.events.last().unwrap();
    assert!(
        end.reason.starts_with("alarm: representation collapse, mean cosine"),
        "{end:?}"
    );
}

#[test]
fn a_rule_takes_a_run_back_with_half_the_rate_until_that_is_no_help() {
    let bench = Bench::new();
    let mut experiment = nervous(&bench, "returning");
    experiment.alarms.on_collapse = AlarmRule::RollBack;
    experiment.alarms.patience = 2;
    experiment.schedule.checkpoint_every = 1;
    let folder = bench.train(experiment);
    bench.wait_for_end();
    let run = Run::open(&folder).unwrap();
    assert_eq!(run.status(), RunStatus::Stopped);
    let (_, raised) = run
        .standing_alarms()
        .into_iter()
        .find(|(kind, _)| *kind == COLLAPSE)
        .unwrap();
    let end = run.events.last().unwrap();
    assert_eq!(
        (run.scalars.len(), end.step),
        (raised.step, raised.step),
        "it stops at the last alarm"
    );
    let back: Vec<&EventRecord> = run
        .events
        .iter()
        .filter(|event| event.kind == EventKind::RollBack)
        .collect();
    assert_eq!(back.len(), 3);
    for event in back {
        assert!(event.reason.starts_with("alarm: representation collapse"), "{event:?}");
    }
    let rate = Steering::new(
        &run.experiment,
        interventions(&run.events).iter().map(|(_, change)| change),
    )
    .unwrap();
    let rate = rate.experiment().schedule.learning_rate;
    assert_eq!(rate, run.experiment.schedule.learning_rate / 8.0);
}

#[test]
fn numbers_that_go_wrong_are_an_alarm_and_a_rule_takes_the_run_back_to_sound_ones() {
    let bench = Bench::new();
    for rule in [AlarmRule::Stop, AlarmRule::RollBack] {
        let mut experiment = twenty_steps(&bench, "diverged");
        experiment.alarms.on_not_finite = rule;
        experiment.schedule.checkpoint_every = 2;
        let folder = bench.train_and_pause(experiment, 5);
        bench.send(Command::Stop);
        bench.wait_for_end();
        inflate(&folder.join("checkpoints/step-5.safetensors"));
        bench.send(Command::ResumeRun(folder.clone()));
        if rule == AlarmRule::Stop {
            bench.failure();
        }
        bench.wait_for_end();
        let run = Run::open(&folder).unwrap();
        let raised = run
            .events
            .iter()
            .find(|event| event.kind == EventKind::AlarmRaised(AlarmKind::NotFinite))
            .unwrap();
        assert_eq!(raised.step, 5);
        if rule == AlarmRule::Stop {
            assert_eq!(run.status(), RunStatus::Failed(raised.reason.clone()));
            continue;
        }
        assert_eq!(run.status(), RunStatus::Finished);
        let back = run
            .events
            .iter()
            .find(|event| event.kind == EventKind::RollBack)
            .unwrap();
        assert_eq!(back.step, 4);
        assert!(back.reason.starts_with("alarm: not finite"), "{}", back.reason);
        assert_eq!(interventions(&run.events)[0].1.value, 0.5);
        assert!(
            run.standing_alarms()
                .iter()
                .all(|(kind, _)| *kind != AlarmKind::NotFinite)
        );
    }
}
