//! The alarms of a run: in its log, in what is told, and above its curves.

use egui_kittest::kittest::Queryable as _;
use llavacode::collapse::{AlarmKind, MonitorState};
use llavacode::engine::Event;
use llavacode::runs::{EventKind, Run, RunAlarms};

use super::demo_run::{self, Demo};
use super::harness::workbench;

#[test]
fn alarms_are_told_as_they_come_and_stand_above_the_curves() {
    let runs = tempfile::tempdir().unwrap();
    let mut run = Demo::start(runs.path(), "live", false);
    let (mut h, engine) = workbench(runs.path(), true);
    engine.answer(Event::RunStarted(run.folder()));
    h.run();
    assert!(h.query_by_label_contains("representation collapse").is_none());
    run.train_to(41);
    engine.answer(Event::RunChanged(run.folder()));
    h.run();
    let alarm = h.get_by_label("representation collapse, step 9");
    alarm.hover();
    h.run();
    h.get_by_label_contains("To do: raise objective.alignment");
    let told: Vec<&str> = h
        .state()
        .state()
        .notices
        .iter()
        .map(|notice| notice.text.as_str())
        .collect();
    let of_collapse = |text: &&str| text.starts_with("live: representation collapse at step 9: mean cosine");
    assert!(told.iter().any(of_collapse), "{told:?}");
}

#[test]
fn a_run_keeps_its_alarms_and_they_follow_from_what_it_wrote() {
    let folder = tempfile::tempdir().unwrap();
    let mut failing = Demo::start(folder.path(), "failing", false);
    failing.train_to(50);
    failing.fail("the disk is full");
    let runs = [
        (failing.folder(), false),
        (demo_run::write(folder.path(), "collapsing", false), false),
        (demo_run::write(folder.path(), "aligned", true), true),
    ];
    for (folder, aligned) in runs {
        let run = Run::open(&folder).unwrap();
        let name = run.name();
        let standing: Vec<AlarmKind> = run.standing_alarms().iter().map(|(kind, _)| *kind).collect();
        assert_eq!(
            standing.contains(&AlarmKind::RepresentationCollapse),
            !aligned,
            "{name}: {standing:?}"
        );
        let mut alarms = RunAlarms::new(&run.experiment.alarms, MonitorState::default());
        let mut found = Vec::new();
        for step in 0..=demo_run::STEPS {
            let scalars = run.scalars.iter().filter(|record| record.step == step);
            found.extend(scalars.flat_map(|record| alarms.observe_step(record)));
            if run.probe_steps.contains(&step) {
                found.extend(alarms.observe_probe(&run.probe(step).unwrap()).unwrap());
            }
            let evaluations = run.evaluations.iter().filter(|summary| summary.step == step);
            found.extend(evaluations.flat_map(|summary| alarms.observe_evaluation(summary)));
        }
        let written: Vec<_> = run
            .events
            .iter()
            .filter(|event| matches!(event.kind, EventKind::AlarmRaised(_) | EventKind::AlarmCleared(_)))
            .map(|event| (event.kind, event.step, event.reason.clone()))
            .collect();
        let found: Vec<_> = found
            .iter()
            .map(|event| (EventKind::from(event), event.step, event.reason.clone()))
            .collect();
        assert_eq!(written, found);
        assert!(run.warnings.is_empty(), "{:?}", run.warnings);
    }
}
