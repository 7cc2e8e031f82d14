//! A run that was killed goes on as if nothing had happened.

use std::fs;
use std::path::{Path, PathBuf};

use llavacode::engine::{Command, Event};
use llavacode::experiment::{Experiment, Objective, OutputScale, RewardForm};
use llavacode::runs::{EventKind, Run, RunStatus};

use super::{Bench, kinds};

/// Twenty steps, with a checkpoint at 5, 10, 15, an evaluation at 8, 16, and both at 20.
pub fn twenty_steps(bench: &Bench, name: &str) -> Experiment {
    let mut experiment = bench.toy.experiment(name);
    experiment.schedule.steps = 20;
    experiment.schedule.evaluate_every = 8;
    experiment.schedule.checkpoint_every = 5;
    experiment
}

/// The lines of `scalars.jsonl`, but for the times.
pub fn scalars(folder: &Path) -> Vec<String> {
    let text = fs::read_to_string(folder.join("scalars.jsonl")).unwrap();
    let lines = text.lines().map(|line| {
        let mut line: serde_json::Value = serde_json::from_str(line).unwrap();
        for time in ["seconds", "samples_per_second"] {
            line.as_object_mut().unwrap().remove(time).unwrap();
        }
        line.to_string()
    });
    lines.collect()
}

/// A copy of a run as it stands, which nobody writes: what a kill leaves.
pub fn kill(folder: &Path) -> PathBuf {
    let killed = folder.with_file_name(format!("{}-killed", folder.file_name().unwrap().to_string_lossy()));
    for entry in walkdir::WalkDir::new(folder) {
        let entry = entry.unwrap();
        let target = killed.join(entry.path().strip_prefix(folder).unwrap());
        if entry.file_type().is_dir() {
            fs::create_dir(target).unwrap();
        } else {
            fs::copy(entry.path(), target).unwrap();
        }
    }
    killed
}

pub fn resume(bench: &Bench, folder: &Path) {
    bench.send(Command::ResumeRun(folder.to_owned()));
    bench.wait_for_end();
    assert_eq!(Run::open(folder).unwrap().status(), RunStatus::Finished);
}

fn whole(bench: &Bench) -> PathBuf {
    let folder = bench.train(twenty_steps(bench, "whole"));
    bench.wait_for_end();
    folder
}

/// A run that was killed behind its seventh step.
fn killed_at_seven(bench: &Bench) -> PathBuf {
    let live = bench.train_and_pause(twenty_steps(bench, "broken"), 7);
    let killed = kill(&live);
    bench.send(Command::Stop);
    bench.wait_for_end();
    killed
}

#[test]
fn seven_steps_a_kill_and_thirteen_are_twenty() {
    let bench = Bench::new();
    let whole = whole(&bench);
    let killed = killed_at_seven(&bench);
    assert_eq!(Run::open(&killed).unwrap().status(), RunStatus::Interrupted);
    let torn = fs::read_to_string(killed.join("scalars.jsonl")).unwrap() + "{\"step\":8,\"sam";
    fs::write(killed.join("scalars.jsonl"), torn).unwrap();
    fs::write(killed.join("checkpoints/.step-7.safetensors.1.tmp"), "half").unwrap();
    resume(&bench, &killed);

    assert_eq!(scalars(&killed), scalars(&whole));
    let (whole, killed) = (Run::open(&whole).unwrap(), Run::open(&killed).unwrap());
    assert!(killed.warnings.is_empty(), "{:?}", killed.warnings);
    assert_eq!(killed.probe_steps, whole.probe_steps);
    assert_eq!(killed.checkpoint_steps, whole.checkpoint_steps);
    let (one, other) = (killed.checkpoint(20).unwrap(), whole.checkpoint(20).unwrap());
    assert_eq!(one.tensors, other.tensors);
    assert_eq!(killed.probe(20).unwrap(), whole.probe(20).unwrap());
    for (one, other) in killed.evaluations.iter().zip(&whole.evaluations) {
        assert_eq!((one.step, &one.arms[1].scores), (other.step, &other.arms[1].scores));
    }
    assert_eq!(killed.evaluations.len(), whole.evaluations.len());
    let resumed = killed
        .events
        .iter()
        .find(|event| event.reason.contains("from the checkpoint"));
    assert_eq!(
        resumed.map(|event| (event.kind, event.step)),
        Some((EventKind::Resume, 5))
    );
    assert!(fs::read_dir(killed.folder.join("checkpoints")).unwrap().count() == killed.checkpoint_steps.len());
}

/// Twenty steps on terms that remember earlier steps, and several soft tokens a chunk.
pub fn remembering(bench: &Bench, name: &str) -> Experiment {
    let mut experiment = twenty_steps(bench, name);
    experiment.projector.tokens_per_chunk = 2;
    experiment.projector.output_scale = OutputScale::Learned;
    experiment.schedule.reconstruction_steps = 3;
    experiment.objective = Objective {
        alignment_memory: 20,
        reward: 0.5,
        reward_form: RewardForm::Reinforce,
        rollouts: 2,
        kl: 0.1,
        reconstruction: 0.1,
        ..Objective::default()
    };
    experiment
}

#[test]
fn what_the_objective_remembers_survives_a_kill_and_a_roll_back() {
    let bench = Bench::new();
    let whole = bench.train(remembering(&bench, "whole"));
    bench.wait_for_end();
    let live = bench.train_and_pause(remembering(&bench, "broken"), 7);
    let killed = kill(&live);
    bench.steps(2);
    bench.send(Command::RollBack { step: 8 });
    bench.wait_for_pause();
    bench.steps(3);
    bench.send(Command::RollBack { step: 5 });
    bench.wait_for_pause();
    bench.send(Command::Resume);
    bench.wait_for_end();
    resume(&bench, &killed);
    let expected = Run::open(&whole).unwrap();
    let at_the_end = expected.checkpoint(20).unwrap();
    assert!(at_the_end.metadata.contains_key("number.reward_baseline"));
    let memory = |(name, shape, _): &(String, Vec<usize>, Vec<f32>)| name.starts_with("memory.") && shape[0] == 20;
    assert_eq!(at_the_end.tensors.iter().filter(|one| memory(one)).count(), 2);
    assert!(expected.scalars[19].terms["kl_untrained"] > 0.0);
    for folder in [killed, live] {
        assert_eq!(scalars(&folder), scalars(&whole));
        let found = Run::open(&folder).unwrap().checkpoint(20).unwrap();
        assert_eq!(found.tensors, at_the_end.tensors);
        let number = "number.reward_baseline";
        assert_eq!(found.metadata[number], at_the_end.metadata[number]);
    }
}

/// Cuts the newest checkpoint of a killed run, that of step 10, and resumes it from the one before.
fn resume_from_the_one_before(bench: &Bench, killed: &Path) {
    let newest = killed.join("checkpoints/step-10.safetensors");
    let bytes = fs::read(&newest).unwrap();
    fs::write(&newest, &bytes[..bytes.len() / 2]).unwrap();
    bench.send(Command::ResumeRun(killed.to_owned()));
    let notice = bench.notice();
    assert!(
        notice.contains("step 8") && notice.contains("step-10.safetensors"),
        "{notice}"
    );
    bench.wait_for_end();
}

#[test]
fn a_checkpoint_cut_in_half_is_told_and_the_one_before_is_taken() {
    let bench = Bench::new();
    let whole = whole(&bench);
    let live = bench.train_and_pause(twenty_steps(&bench, "broken"), 11);
    let killed = kill(&live);
    bench.send(Command::Stop);
    bench.wait_for_end();
    resume_from_the_one_before(&bench, &killed);
    assert_eq!(scalars(&killed), scalars(&whole));
    let run = Run::open(&killed).unwrap();
    assert!(
        run.events
            .iter()
            .any(|event| event.kind == EventKind::Resume && event.reason.contains("step-10"))
    );
}

#[test]
#[ignore = "needs the models: llavacode fetch"]
fn with_the_real_models_and_the_reward_a_kill_a_roll_back_and_half_a_checkpoint_leave_no_trace() {
    let bench = Bench::with_real_models();
    let preset = Path::new(env!("CARGO_MANIFEST_DIR")).join("configs/ablation/ce_alignment_reward.toml");
    let twenty_steps = |name: &str| {
        let mut experiment = Experiment::load(&preset).unwrap();
        experiment.name = name.to_owned();
        experiment.data.train_samples = 20;
        experiment.schedule.batch = 2;
        experiment.schedule.steps = 20;
        experiment.schedule.evaluate_every = 8;
        experiment.schedule.checkpoint_every = 5;
        experiment.evaluation.samples = 2;
        experiment
    };
    let whole = bench.train(twenty_steps("whole"));
    bench.wait_for_end();
    let live = bench.train_and_pause(twenty_steps("broken"), 7);
    let at_seven = live.with_file_name("at-seven");
    fs::rename(kill(&live), &at_seven).unwrap();
    bench.steps(4);
    let at_eleven = kill(&live);
    bench.send(Command::RollBack { step: 5 });
    bench.wait_for_pause();
    bench.send(Command::Resume);
    bench.wait_for_end();
    resume(&bench, &at_seven);
    resume_from_the_one_before(&bench, &at_eleven);
    for folder in [live, at_seven, at_eleven] {
        assert_eq!(scalars(&folder), scalars(&whole), "{}", folder.display());
    }
}

#[test]
fn without_a_checkpoint_a_run_begins_anew_in_its_folder() {
    let bench = Bench::new();
    let whole = whole(&bench);
    let live = bench.train_and_pause(twenty_steps(&bench, "early"), 3);
    let killed = kill(&live);
    bench.send(Command::Stop);
    bench.wait_for_end();
    // A kill before the first step may have left this out as well.
    fs::remove_file(killed.join("probes/step-0.safetensors")).unwrap();
    resume(&bench, &killed);
    assert_eq!(scalars(&killed), scalars(&whole));
    assert_eq!(
        Run::open(&killed).unwrap().probe_steps,
        Run::open(&whole).unwrap().probe_steps
    );
}

#[test]
fn an_evaluation_in_progress_is_made_again() {
    let bench = Bench::new();
    let live = bench.train_and_pause(twenty_steps(&bench, "judged"), 8);
    let killed = kill(&live);
    let before = Run::open(&killed).unwrap();
    assert!(before.evaluations.is_empty() && before.checkpoint_steps.contains(&8));
    bench.send(Command::Stop);
    bench.wait_for_end();
    resume(&bench, &killed);
    let steps: Vec<usize> = Run::open(&killed)
        .unwrap()
        .evaluations
        .iter()
        .map(|one| one.step)
        .collect();
    assert_eq!(steps, [8, 16, 20]);
}

#[test]
fn a_stopped_run_goes_on_and_a_finished_one_does_not() {
    let bench = Bench::new();
    let whole = whole(&bench);
    let stopped = bench.train_and_pause(twenty_steps(&bench, "stopped"), 7);
    bench.send(Command::Stop);
    bench.wait_for_end();
    resume(&bench, &stopped);
    assert_eq!(scalars(&stopped), scalars(&whole));
    let run = Run::open(&stopped).unwrap();
    assert_eq!(kinds(&run).iter().filter(|kind| **kind == EventKind::Stop).count(), 1);

    bench.send(Command::ResumeRun(whole));
    let (message, bad_input) = bench.failure();
    assert!(
        message.contains("has finished all its 20 steps") && bad_input,
        "{message}"
    );
}

#[test]
fn a_changed_model_is_named_and_nothing_is_touched() {
    let bench = Bench::new();
    let killed = killed_at_seven(&bench);
    let before = fs::read(killed.join("events.jsonl")).unwrap();
    let config = bench.toy.path("encoder/config.json");
    let text = fs::read_to_string(&config).unwrap();
    fs::write(&config, format!("{text} ")).unwrap();
    bench.send(Command::ResumeRun(killed.clone()));
    let (message, bad_input) = bench.failure();
    assert!(
        message.contains(&bench.toy.path("encoder").display().to_string()),
        "{message}"
    );
    assert!(
        message.contains("has changed since") && message.contains("put the earlier files back"),
        "{message}"
    );
    assert!(bad_input);
    assert_eq!(fs::read(killed.join("events.jsonl")).unwrap(), before);
    fs::write(&config, text).unwrap();
    resume(&bench, &killed);
}

#[test]
fn a_removed_folder_ends_the_run_with_one_message() {
    let bench = Bench::new();
    let folder = bench.train_and_pause(twenty_steps(&bench, "removed"), 2);
    fs::remove_dir_all(&folder).unwrap();
    bench.send(Command::Resume);
    let mut told = Vec::new();
    loop {
        match bench
            .engine()
            .events()
            .recv_timeout(std::time::Duration::from_secs(60))
            .unwrap()
        {
            Event::Failed { message, .. } | Event::Notice(_, message) => told.push(message),
            Event::RunEnded(_) => break,
            _ => {}
        }
    }
    assert!(told.len() == 1 && told[0].contains("was removed or moved"), "{told:?}");
    assert!(!folder.exists());
    bench.train(bench.toy.experiment("next"));
    bench.wait_for_end();
}

/// Makes a checkpoint's projector one of numbers so large that their products are infinite; returns what it was.
pub fn inflate(checkpoint: &Path) -> Vec<u8> {
    let bytes = fs::read(checkpoint).unwrap();
    let (header, metadata) = safetensors::SafeTensors::read_metadata(&bytes).unwrap();
    let place = metadata.info("linears.1.weight").unwrap().data_offsets;
    let mut broken = bytes.clone();
    for number in broken[8 + header + place.0..8 + header + place.1].chunks_exact_mut(4) {
        number.copy_from_slice(&1e38_f32.to_le_bytes());
    }
    fs::write(checkpoint, &broken).unwrap();
    bytes
}

#[test]
fn numbers_that_go_wrong_fail_the_run_and_leave_its_last_checkpoint() {
    let bench = Bench::new();
    let folder = bench.train_and_pause(twenty_steps(&bench, "diverged"), 5);
    bench.send(Command::Stop);
    bench.wait_for_end();
    let path = folder.join("checkpoints/step-5.safetensors");
    let bytes = inflate(&path);
    bench.send(Command::ResumeRun(folder.clone()));
    let (message, _) = bench.failure();
    assert!(
        message.contains("not finite") || message.contains("NaN") || message.contains("inf"),
        "{message}"
    );
    bench.wait_for_end();
    let run = Run::open(&folder).unwrap();
    assert_eq!(run.status(), RunStatus::Failed(message));
    assert_eq!(run.checkpoint_steps, [5]);
    // A whole checkpoint in its place, and the run goes on from there.
    fs::write(&path, &bytes).unwrap();
    resume(&bench, &folder);
}
