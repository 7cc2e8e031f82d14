//! Hands on a run: changed weights, roll-backs and forks, each of them exact and in the log.

use std::fs;

use llavacode::engine::{Command, Event, ForkRequest};
use llavacode::experiment::RATE_FACTOR;
use llavacode::runs::{EventKind, Run, RunStatus, hands, interventions, live_events};

use super::resume::{kill, remembering, resume, scalars, twenty_steps};
use super::{Bench, kinds};

fn intervene(bench: &Bench, field: &str, value: f64) {
    let field = field.to_owned();
    bench.send(Command::Intervene { field, value });
    bench.wait_for_pause();
}

fn run_on(bench: &Bench) {
    bench.send(Command::Resume);
    bench.wait_for_end();
}

#[test]
fn a_changed_weight_holds_from_the_next_step_on_and_is_undone_by_its_inverse() {
    let bench = Bench::new();
    let aligned = |name: &str| {
        let mut experiment = twenty_steps(&bench, name);
        experiment.objective.alignment = 0.1;
        experiment
    };
    let plain = bench.train(aligned("plain"));
    bench.wait_for_end();
    let steered = bench.train_and_pause(aligned("steered"), 6);
    intervene(&bench, "objective.alignment", 3.0);
    intervene(&bench, RATE_FACTOR, 0.5);
    intervene(&bench, "objective.alignment", 0.1);
    intervene(&bench, RATE_FACTOR, 1.0);
    bench.steps(2);
    intervene(&bench, "objective.alignment", 3.0);
    intervene(&bench, RATE_FACTOR, 0.5);
    run_on(&bench);
    let (plain_run, steered_run) = (Run::open(&plain).unwrap(), Run::open(&steered).unwrap());
    assert_eq!(
        scalars(&plain)[..8],
        scalars(&steered)[..8],
        "what is undone before a step leaves no trace"
    );
    assert_eq!(
        plain_run.scalars[8].learning_rate * 0.5,
        steered_run.scalars[8].learning_rate
    );
    assert_eq!(plain_run.scalars[8].terms, steered_run.scalars[8].terms);
    assert!(steered_run.scalars[8].loss > plain_run.scalars[8].loss);
    let made = interventions(&steered_run.events);
    assert_eq!(
        made.iter().map(|(step, _)| *step).collect::<Vec<_>>(),
        [6, 6, 6, 6, 8, 8]
    );
    assert_eq!((made[5].1.before, made[5].1.value), (1.0, 0.5));
    let told = steered_run
        .events
        .iter()
        .find(|event| event.kind == EventKind::Intervention)
        .unwrap();
    assert_eq!(told.reason, "objective.alignment 0.1 → 3");
}

#[test]
fn a_killed_run_is_steered_again_at_the_same_steps() {
    let bench = Bench::new();
    let live = bench.train_and_pause(remembering(&bench, "steered"), 6);
    intervene(&bench, "objective.alignment", 1.0 / 3.0);
    intervene(&bench, "objective.reward", 0.0);
    bench.steps(1);
    intervene(&bench, "objective.kl", 0.7);
    intervene(&bench, "objective.cross_entropy", 0.1 + 0.2);
    bench.steps(2);
    // The newest checkpoint is that of step 8; without it the run goes on from step 5, before both changes.
    let late = kill(&live);
    run_on(&bench);
    let early = kill(&late);
    fs::remove_file(early.join("checkpoints/step-8.safetensors")).unwrap();
    for killed in [late, early] {
        resume(&bench, &killed);
        assert_eq!(scalars(&killed), scalars(&live));
        let run = Run::open(&killed).unwrap();
        assert_eq!(
            interventions(&run.events),
            interventions(&Run::open(&live).unwrap().events)
        );
    }
}

#[test]
fn what_cannot_be_changed_is_told_and_the_run_goes_on() {
    let bench = Bench::new();
    bench.send(Command::RollBack { step: 3 });
    assert_eq!(bench.notice(), "nothing is in training");
    let folder = bench.train_and_pause(twenty_steps(&bench, "told"), 2);
    for (command, expected) in [
        (
            Command::Intervene {
                field: "schedule.batch".into(),
                value: 2.0,
            },
            "cannot be changed in mid-run",
        ),
        (
            Command::Intervene {
                field: "objective.alignment".into(),
                value: -1.0,
            },
            "objective.alignment is -1",
        ),
        (Command::RollBack { step: 1 }, "no checkpoint of step 1"),
    ] {
        bench.send(command);
        let notice = bench.notice();
        assert!(notice.contains(expected), "{notice}");
    }
    run_on(&bench);
    assert!(interventions(&Run::open(&folder).unwrap().events).is_empty());
}

#[test]
fn after_a_roll_back_the_same_steps_come_again_and_nothing_is_lost() {
    let bench = Bench::new();
    let plain = bench.train(twenty_steps(&bench, "plain"));
    bench.wait_for_end();
    let folder = bench.train_and_pause(twenty_steps(&bench, "back"), 5);
    intervene(&bench, "objective.alignment", 5.0);
    bench.steps(6);
    bench.send(Command::RollBack { step: 5 });
    bench.wait_for_pause();
    let run = Run::open(&folder).unwrap();
    assert_eq!(run.scalars.len(), 5);
    assert!(
        run.probe_steps
            .iter()
            .chain(&run.checkpoint_steps)
            .all(|step| *step <= 5)
    );
    bench.steps(2);
    let killed = kill(&folder);
    run_on(&bench);
    resume(&bench, &killed);
    for folder in [folder, killed] {
        assert_eq!(scalars(&folder), scalars(&plain));
        let run = Run::open(&folder).unwrap();
        let [abandoned] = &run.abandoned[..] else {
            panic!("one roll-back abandons one branch")
        };
        assert_eq!(
            abandoned.iter().map(|one| one.step).collect::<Vec<_>>(),
            (6..=11).collect::<Vec<_>>()
        );
        assert!(folder.join("abandoned/1/checkpoints/step-11.safetensors").exists());
        assert!(folder.join("abandoned/1/probes/step-6.safetensors").exists());
        assert!(folder.join("abandoned/1/evaluations/step-8.json").exists());
        assert_eq!(run.probe_steps, Run::open(&plain).unwrap().probe_steps);
        let live = live_events(&run.events);
        assert!(live.iter().all(|event| event.kind != EventKind::Intervention));
        assert!(kinds(&run).contains(&EventKind::RollBack) && kinds(&run).contains(&EventKind::Intervention));
    }
}

#[test]
fn a_roll_back_that_a_kill_broke_off_is_ended_by_the_resume() {
    let bench = Bench::new();
    let plain = bench.train(twenty_steps(&bench, "plain"));
    bench.wait_for_end();
    let folder = bench.train_and_pause(twenty_steps(&bench, "back"), 11);
    let before = kill(&folder);
    bench.send(Command::RollBack { step: 5 });
    bench.wait_for_pause();
    // As it is killed behind the first line of the log, and in the middle of the files.
    fs::copy(folder.join("events.jsonl"), before.join("events.jsonl")).unwrap();
    fs::create_dir_all(before.join("abandoned/.1/checkpoints")).unwrap();
    fs::rename(
        before.join("checkpoints/step-10.safetensors"),
        before.join("abandoned/.1/checkpoints/step-10.safetensors"),
    )
    .unwrap();
    bench.send(Command::Stop);
    bench.wait_for_end();
    resume(&bench, &before);
    assert_eq!(scalars(&before), scalars(&plain));
    assert_eq!(Run::open(&before).unwrap().abandoned[0].len(), 6);
    assert!(!before.join("abandoned/.1").exists());
}

#[test]
fn a_roll_back_is_undone_and_done_again() {
    let bench = Bench::new();
    let folder = bench.train_and_pause(twenty_steps(&bench, "back"), 5);
    bench.send(Command::UndoRollBack);
    let notice = bench.notice();
    assert!(notice.contains("no roll-back to undo"), "{notice}");
    bench.wait_for_pause();
    intervene(&bench, "objective.alignment", 5.0);
    bench.steps(6);
    let first = scalars(&folder);
    bench.send(Command::RollBack { step: 5 });
    bench.wait_for_pause();
    bench.steps(2);
    let second = scalars(&folder);
    assert_ne!(first[5], second[5]);
    let state = || {
        let run = Run::open(&folder).unwrap();
        (
            scalars(&folder),
            interventions(&run.events).len(),
            run.evaluations.len(),
        )
    };
    // What stands, and what can be done again.
    let log = || {
        let run = Run::open(&folder).unwrap();
        let hands = hands(&run.events);
        let done: Vec<EventKind> = hands.done.iter().map(|event| event.kind).collect();
        let undone: Vec<EventKind> = hands.undone.iter().map(|(event, _)| event.kind).collect();
        (done, undone)
    };
    let (change, back) = (EventKind::Intervention, EventKind::RollBack);
    for _ in 0..2 {
        assert_eq!(log(), (vec![back], vec![]));
        bench.send(Command::UndoRollBack);
        bench.wait_for_pause();
        assert_eq!(state(), (first.clone(), 1, 1));
        assert_eq!(log(), (vec![change], vec![back]));
        bench.send(Command::UndoRollBack);
        bench.wait_for_pause();
        assert_eq!(state(), (second.clone(), 0, 0));
    }
    bench.send(Command::UndoRollBack);
    bench.wait_for_pause();
    let killed = kill(&folder);
    run_on(&bench);
    resume(&bench, &killed);
    assert_eq!(scalars(&killed), scalars(&folder));
    assert_eq!(scalars(&folder)[..11], first);
}

#[test]
fn a_fork_begins_with_a_checkpoint_and_goes_its_own_way() {
    let bench = Bench::new();
    let mut experiment = remembering(&bench, "parent");
    experiment.schedule.keep_last = 9;
    let parent = bench.train_and_pause(experiment, 5);
    intervene(&bench, "objective.alignment", 0.7);
    bench.steps(5);
    intervene(&bench, "objective.alignment", 9.0);
    intervene(&bench, "objective.reward", 0.1);
    run_on(&bench);
    let lines = scalars(&parent);
    let fork = |step, changes: &[&str]| {
        bench.send(Command::Fork(ForkRequest {
            run: parent.clone(),
            step,
            changes: changes.iter().map(|change| (*change).to_owned()).collect(),
        }));
        let folder = bench.wait(|event| match event {
            Event::RunStarted(folder) => Some(folder.clone()),
            _ => None,
        });
        bench.wait_for_end();
        folder
    };
    // With the weight of its step it goes the way that the parent would have gone.
    let forked = fork(Some(10), &["schedule.keep_last=2"]);
    let run = Run::open(&forked).unwrap();
    assert_eq!(
        (run.name().as_str(), run.status()),
        ("parent-fork", RunStatus::Finished)
    );
    assert_eq!(run.experiment.objective.alignment, 0.7);
    let origin = run.manifest.parent.clone().unwrap();
    assert_eq!(
        (Some(origin.run.as_str()), origin.step),
        (parent.file_name().unwrap().to_str(), 10)
    );
    assert_eq!(scalars(&forked).len(), 20);
    assert_eq!(scalars(&forked)[..10], lines[..10]);
    assert_ne!(scalars(&forked)[10..], lines[10..]);
    assert!(run.evaluations.iter().map(|one| one.step).eq([8, 16, 20]));
    // With the changes that the parent had as well it is the parent.
    let same = fork(
        Some(10),
        &["name=same", "objective.alignment=9.0", "objective.reward=0.1"],
    );
    assert_eq!(scalars(&same), lines);
    assert_eq!(scalars(&parent), lines);

    for (step, changes, expected) in [
        (Some(3), vec![], "no checkpoint of step 3"),
        (None, vec![], "schedule.steps is 20"),
        (Some(10), vec!["seed=7".to_owned()], "cannot change seed"),
        (
            Some(10),
            vec!["projector.depth=3".to_owned()],
            "cannot change projector",
        ),
    ] {
        let run = parent.clone();
        bench.send(Command::Fork(ForkRequest { run, step, changes }));
        let (message, bad_input) = bench.failure();
        assert!(message.contains(expected) && bad_input, "{message}");
    }
    assert_eq!(fs::read_dir(bench.toy.path("runs")).unwrap().count(), 3);
}

#[test]
fn checkpoints_are_kept_by_rule() {
    let bench = Bench::new();
    let mut experiment = twenty_steps(&bench, "kept");
    experiment.schedule.checkpoint_every = 1;
    experiment.schedule.evaluate_every = 4;
    experiment.schedule.keep_last = 2;
    experiment.schedule.keep_every = 6;
    let folder = bench.train(experiment);
    bench.wait_for_end();
    let run = Run::open(&folder).unwrap();
    let cross_entropy = |index: usize| run.evaluations[index].arms[1].scores["cross_entropy"].mean;
    let best = (0..5)
        .min_by(|a, b| cross_entropy(*a).total_cmp(&cross_entropy(*b)))
        .unwrap();
    let mut kept = vec![6, 12, 18, 19, 20, run.evaluations[best].step];
    kept.sort_unstable();
    kept.dedup();
    assert_eq!(run.checkpoint_steps, kept);
    assert_eq!(
        kinds(&run)
            .iter()
            .filter(|kind| **kind == EventKind::Checkpoint)
            .count(),
        20
    );
}
