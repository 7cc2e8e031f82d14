//! Run folders: what is written is read, whatever crashes, races and versions do.
#![expect(clippy::unwrap_used, reason = "a failed unwrap is a failed test")]

use std::collections::{BTreeMap, HashSet};
use std::fs::{self, OpenOptions};
use std::io::Write as _;
use std::path::{Path, PathBuf};

use llavacode::corpus::{Chunk, CompletionSample, Split};
use llavacode::evaluation::{Arm, ArmSummary, CompletionRecord, EvaluationSummary, Interval, Scores};
use llavacode::experiment::Experiment;
use llavacode::retrieval::Retrieved;
use llavacode::runs::{
    EventKind, Manifest, ProbeRecord, Run, RunError, RunFollower, RunStatus, RunWriter, SCHEMA_VERSION, SampleRecord,
    ScalarRecord, delete, list, restore,
};
use tempfile::TempDir;

fn experiment() -> Experiment {
    let mut experiment = Experiment {
        name: "aligned".into(),
        ..Experiment::default()
    };
    experiment.schedule.steps = 12;
    experiment
}

fn manifest(started: &str) -> Manifest {
    Manifest {
        schema: SCHEMA_VERSION,
        started: started.into(),
        facts: BTreeMap::from([("reader.hidden".into(), "576".into())]),
        ..Manifest::default()
    }
}

fn new_run(runs: &Path) -> RunWriter {
    RunWriter::create(runs, &experiment(), &manifest("2026-01-02T10:00:00Z")).unwrap()
}

fn scalar(step: usize) -> ScalarRecord {
    ScalarRecord {
        step,
        loss: 4.0 - 0.25 * step as f64,
        terms: BTreeMap::from([("cross_entropy".into(), 3.5)]),
        ..ScalarRecord::default()
    }
}

fn chunk() -> Chunk {
    Chunk {
        repository: "click".into(),
        path: "click/core.py".into(),
        first_line: 11,
        text: "def écho():\n    pass".into(),
    }
}

fn sample(id: &str) -> SampleRecord {
    SampleRecord {
        split: Split::Validation,
        sample: CompletionSample {
            id: id.into(),
            repository: "click".into(),
            path: "click/utils.py".into(),
            line: 3,
            left: "x =".into(),
            right: String::new(),
            target: " echo()".into(),
            identifier: Some("echo".into()),
        },
        retrieved: vec![Retrieved {
            chunk: chunk(),
            rank: 1,
            score: 0.5,
            hit: true,
            name: None,
        }],
    }
}

fn completion(sample: &str) -> CompletionRecord {
    CompletionRecord {
        sample: sample.into(),
        arm: Arm::Compressed,
        prompt_tokens: 133,
        soft_tokens: 5,
        text: " echo(\"\u{2028}\")".into(),
        scores: Scores::default(),
        ttft_ms: 12.5,
        total_ms: 30.0,
        log_probabilities: vec![-0.25, -1.5],
        target_tokens: vec![" echo".into(), "()".into()],
        hit: Some(true),
        in_window: None,
    }
}

fn summary(step: usize, split: Split) -> EvaluationSummary {
    EvaluationSummary {
        step,
        split,
        samples: 1,
        repositories: 1,
        seed: 0,
        resamples: 10,
        arms: vec![ArmSummary {
            arm: Arm::Compressed,
            scores: BTreeMap::from([("em_token".into(), Interval::default())]),
            difference: BTreeMap::new(),
            prompt_tokens: 133.0,
            ttft_ms: 12.5,
            ..ArmSummary::default()
        }],
        content: BTreeMap::new(),
        comparisons: Vec::new(),
        groups: Vec::new(),
        test_looks: 0,
    }
}

fn probe(step: usize) -> ProbeRecord {
    ProbeRecord {
        step,
        rows: 2,
        encoder: vec![1.0, 0.0, 0.0, 0.0, 1.0, 0.0],
        projected: vec![0.5, -0.5, 0.25, 1e-30],
        token_norm_quantiles: [0.9, 1.1, 1.4],
    }
}

/// Adds text to a file as a process does that dies, or is not done, in the middle of a line.
fn append(path: PathBuf, text: &str) {
    let mut file = OpenOptions::new().append(true).open(path).unwrap();
    file.write_all(text.as_bytes()).unwrap();
}

#[test]
fn what_is_written_is_read() {
    let runs = TempDir::new().unwrap();
    let mut writer = new_run(runs.path());
    writer.event(EventKind::Start, 0, "").unwrap();
    writer.probe_chunks(&[chunk(), chunk()]).unwrap();
    for step in [0, 10, 5] {
        writer.probe(&probe(step)).unwrap();
    }
    for step in 1..=12 {
        writer.scalar(&scalar(step)).unwrap();
    }
    let tensors = vec![
        (
            "a.weight".to_owned(),
            vec![2, 3],
            vec![0.1, 0.2, 0.3, 0.4, 0.5, f32::MIN_POSITIVE],
        ),
        ("b".to_owned(), vec![], vec![7.0]),
    ];
    let metadata = BTreeMap::from([("random_state".to_owned(), "{\"word\": 9}".to_owned())]);
    writer.checkpoint(12, tensors.clone(), metadata.clone(), "").unwrap();
    assert!(writer.settle(true).unwrap());
    writer.event(EventKind::End, 12, "all steps done").unwrap();
    let folder = writer.folder().to_owned();
    drop(writer);

    let run = Run::open(&folder).unwrap();
    assert_eq!(run.name(), "aligned");
    assert_eq!(run.experiment, experiment());
    assert_eq!(run.manifest, manifest("2026-01-02T10:00:00Z"));
    assert_eq!(run.scalars, (1..=12).map(scalar).collect::<Vec<_>>());
    assert_eq!(run.events.len(), 3);
    assert!(run.events[1].time.parse::<jiff::Timestamp>().is_ok());
    assert_eq!(run.probe_steps, [0, 5, 10]);
    assert_eq!(run.probe(10).unwrap(), probe(10));
    assert_eq!(run.probe(10).unwrap().projected_vectors().unwrap().width(), 2);
    assert_eq!(run.probe_chunks().unwrap(), [chunk(), chunk()]);
    assert_eq!(run.checkpoint_steps, [12]);
    let checkpoint = run.checkpoint(12).unwrap();
    assert_eq!((checkpoint.tensors, checkpoint.metadata), (tensors, metadata));
    assert_eq!(run.warnings, Vec::<String>::new());
    assert_eq!(run.status(), RunStatus::Finished);
    let missing = run.probe(3).unwrap_err().to_string();
    assert!(
        missing.contains("no probe of step 3; it has steps 0, 5, 10"),
        "{missing}"
    );
}

#[test]
fn evaluations_of_different_splits_stand_side_by_side() {
    let runs = TempDir::new().unwrap();
    let mut writer = new_run(runs.path());
    writer.samples(&[sample("one"), sample("two"), sample("one")]).unwrap();
    writer
        .evaluation(&summary(40, Split::Test), &[completion("two")])
        .unwrap();
    writer
        .evaluation(&summary(40, Split::Validation), &[completion("one")])
        .unwrap();
    writer.evaluation(&summary(5, Split::Validation), &[]).unwrap();
    let folder = writer.folder().to_owned();
    drop(writer);
    RunWriter::open(&folder)
        .unwrap()
        .samples(&[sample("two"), sample("three")])
        .unwrap();

    let run = Run::open(&folder).unwrap();
    let expected = [
        summary(5, Split::Validation),
        summary(40, Split::Validation),
        summary(40, Split::Test),
    ];
    assert_eq!(run.evaluations, expected);
    assert_eq!(run.completions(40, Split::Test).unwrap(), [completion("two")]);
    assert_eq!(run.completions(40, Split::Validation).unwrap(), [completion("one")]);
    append(folder.join("evaluations/step-40.jsonl"), "{\"samp");
    let damaged = run.completions(40, Split::Validation).unwrap_err().to_string();
    assert!(damaged.contains("step-40.jsonl is damaged (line 2"), "{damaged}");
    assert_eq!(run.samples(), [sample("one"), sample("two"), sample("three")]);
    let missing = run.completions(5, Split::Test).unwrap_err().to_string();
    assert!(
        missing.contains("no test evaluation of step 5; it has steps 40"),
        "{missing}"
    );
}

#[test]
fn runs_of_one_name_started_at_once_get_their_own_folders() {
    let runs = TempDir::new().unwrap();
    let folders: HashSet<PathBuf> = std::thread::scope(|scope| {
        let starts: Vec<_> = (0..8)
            .map(|_| scope.spawn(|| new_run(runs.path()).folder().to_owned()))
            .collect();
        starts.into_iter().map(|start| start.join().unwrap()).collect()
    });
    let mut names: Vec<String> = folders
        .iter()
        .map(|folder| folder.file_name().unwrap().to_string_lossy().into())
        .collect();
    names.sort();
    assert_eq!(names.len(), 8);
    let (date, rest) = names[0].split_at(10);
    assert!(date.parse::<jiff::civil::Date>().is_ok(), "{date}");
    assert_eq!(rest, "-aligned");
    assert_eq!(names[7], format!("{date}-aligned-8"));
}

#[test]
fn a_line_that_a_crash_left_torn_is_dropped_and_written_over() {
    let runs = TempDir::new().unwrap();
    let mut writer = new_run(runs.path());
    writer.scalar(&scalar(1)).unwrap();
    let folder = writer.folder().to_owned();
    drop(writer);
    append(folder.join("scalars.jsonl"), "{\"step\":2,\"samp");

    let run = Run::open(&folder).unwrap();
    assert_eq!(run.scalars, [scalar(1)]);
    assert!(
        run.warnings.len() == 1 && run.warnings[0].contains("scalars.jsonl"),
        "{:?}",
        run.warnings
    );

    RunWriter::open(&folder).unwrap().scalar(&scalar(2)).unwrap();
    let run = Run::open(&folder).unwrap();
    assert_eq!(run.scalars, [scalar(1), scalar(2)]);
    assert_eq!(run.warnings, Vec::<String>::new());
}

#[test]
fn a_damaged_line_costs_only_itself() {
    let runs = TempDir::new().unwrap();
    let mut writer = new_run(runs.path());
    writer.scalar(&scalar(1)).unwrap();
    append(writer.folder().join("scalars.jsonl"), "\0\0\0\0\n");
    writer.scalar(&scalar(3)).unwrap();
    let run = Run::open(writer.folder()).unwrap();
    assert_eq!(run.scalars, [scalar(1), scalar(3)]);
    assert!(run.warnings[0].contains("line 2"), "{:?}", run.warnings);
}

#[test]
fn a_diverged_loss_is_seen_as_diverged() {
    let runs = TempDir::new().unwrap();
    let mut writer = new_run(runs.path());
    let diverged = ScalarRecord {
        loss: f64::NAN,
        gradient_norm: f64::INFINITY,
        terms: BTreeMap::from([("cross_entropy".into(), f64::NAN)]),
        ..scalar(1)
    };
    writer.scalar(&diverged).unwrap();
    let run = Run::open(writer.folder()).unwrap();
    let found = &run.scalars[0];
    assert!(found.loss.is_nan() && found.gradient_norm.is_nan() && found.terms["cross_entropy"].is_nan());
}

#[test]
fn a_follower_reads_only_whole_new_lines() {
    let runs = TempDir::new().unwrap();
    let mut writer = new_run(runs.path());
    writer.scalar(&scalar(1)).unwrap();
    let scalars = writer.folder().join("scalars.jsonl");
    let mut follower = RunFollower::open(writer.folder()).unwrap();
    assert_eq!(follower.run().scalars, [scalar(1)]);
    assert!(!follower.poll().unwrap());

    let line = serde_json::to_string(&scalar(2)).unwrap();
    let (first, second) = line.split_at(20);
    append(scalars.clone(), first);
    assert!(!follower.poll().unwrap());
    assert_eq!(
        Run::open(writer.folder()).unwrap().warnings,
        Vec::<String>::new(),
        "the writer is not done"
    );
    append(scalars, &format!("{second}\n"));
    assert!(follower.poll().unwrap());
    assert_eq!(follower.run().scalars, [scalar(1), scalar(2)]);

    writer.probe(&probe(2)).unwrap();
    writer.checkpoint(2, Vec::new(), BTreeMap::new(), "").unwrap();
    writer.settle(true).unwrap();
    assert!(follower.poll().unwrap());
    assert_eq!(
        (&follower.run().probe_steps, &follower.run().checkpoint_steps),
        (&vec![2], &vec![2])
    );
    writer.evaluation(&summary(2, Split::Validation), &[]).unwrap();
    assert!(follower.poll().unwrap());
    let again = EvaluationSummary {
        samples: 1000,
        ..summary(2, Split::Validation)
    };
    writer.evaluation(&again, &[]).unwrap();
    assert!(follower.poll().unwrap());
    assert_eq!(follower.run().evaluations, [again]);
    writer.event(EventKind::Stop, 2, "").unwrap();
    assert!(follower.poll().unwrap());
    assert!(!follower.poll().unwrap());
    assert!(follower.run().warnings.is_empty());
}

#[test]
fn a_follower_begins_anew_when_a_file_was_replaced_by_a_shorter_one() {
    let runs = TempDir::new().unwrap();
    let mut writer = new_run(runs.path());
    writer.scalar(&scalar(1)).unwrap();
    writer.scalar(&scalar(2)).unwrap();
    let mut follower = RunFollower::open(writer.folder()).unwrap();
    let line = serde_json::to_string(&scalar(1)).unwrap();
    fs::write(writer.folder().join("scalars.jsonl"), format!("{line}\n")).unwrap();
    assert!(follower.poll().unwrap());
    assert_eq!(follower.run().scalars, [scalar(1)]);
}

#[test]
fn the_status_tells_live_from_dead() {
    let runs = TempDir::new().unwrap();
    let mut writer = new_run(runs.path());
    let folder = writer.folder().to_owned();
    let status = || Run::open(&folder).unwrap().status();
    writer.event(EventKind::Start, 0, "").unwrap();
    writer.event(EventKind::Pause, 3, "").unwrap();
    assert_eq!(status(), RunStatus::Running);
    assert!(matches!(RunWriter::open(&folder), Err(RunError::Busy { .. })));
    assert!(matches!(delete(&folder), Err(RunError::Busy { .. })));
    drop(writer);
    assert_eq!(status(), RunStatus::Interrupted);
    let mut writer = RunWriter::open(&folder).unwrap();
    for (kind, expected) in [
        (EventKind::Stop, RunStatus::Stopped),
        (EventKind::Failed, RunStatus::Failed("loss is NaN".into())),
        (EventKind::End, RunStatus::Finished),
    ] {
        writer.event(kind, 3, "loss is NaN").unwrap();
        assert_eq!(status(), expected);
    }
}

/// What the program wrote before it knew other arms than four, tests, groups and log-probabilities.
#[test]
fn evaluations_of_an_earlier_program_are_read() {
    let runs = TempDir::new().unwrap();
    let writer = new_run(runs.path());
    let folder = writer.folder().to_owned();
    drop(writer);
    let record = r#"{"sample":"a","arm":"full_rag","prompt_tokens":133,"soft_tokens":0,"text":"x","scores":{"em_token":1.0,
        "em_strict":1.0,"em_lines":1.0,"es_levenshtein":100.0,"es_ratio":100.0,"identifier_match":1.0,"cross_entropy":0.5},
        "ttft_ms":12.5,"total_ms":30.0}"#;
    let interval = r#"{"mean":0.5,"low":0.25,"high":0.75}"#;
    let summary = format!(
        r#"{{"step":2,"split":"test","samples":1,"repositories":1,"seed":0,"resamples":10,"arms":[{{"arm":"full_rag","scores":
        {{"em_token":{interval}}},"difference":{{}},"prompt_tokens":133.0,"ttft_ms":12.5}}]}}"#
    );
    fs::write(folder.join("evaluations/step-2-test.json"), summary).unwrap();
    fs::write(
        folder.join("evaluations/step-2-test.jsonl"),
        record.replace('\n', " ") + "\n",
    )
    .unwrap();
    let run = Run::open(&folder).unwrap();
    assert!(run.warnings.is_empty(), "{:?}", run.warnings);
    assert_eq!(
        run.evaluations[0].arm(Arm::FullRag).unwrap().scores["em_token"].mean,
        0.5
    );
    let records = run.completions(2, Split::Test).unwrap();
    assert_eq!((records[0].arm, records[0].hit), (Arm::FullRag, None));
    // It wrote no event of the look, yet looked.
    assert_eq!(run.test_looks(), 1);
}

#[test]
fn a_look_at_the_test_split_does_not_change_how_a_run_stands() {
    let runs = TempDir::new().unwrap();
    let mut writer = new_run(runs.path());
    writer.event(EventKind::End, 6, "").unwrap();
    writer.event(EventKind::TestEvaluation, 6, "look 1").unwrap();
    let folder = writer.folder().to_owned();
    drop(writer);
    assert_eq!(Run::open(&folder).unwrap().status(), RunStatus::Finished);
    assert_eq!(list(runs.path())[0].status, RunStatus::Finished);
    assert_eq!(Run::open(&folder).unwrap().test_looks(), 1);
}

#[test]
fn folders_of_other_versions_are_read_or_refused_in_words() {
    let runs = TempDir::new().unwrap();
    let mut writer = new_run(runs.path());
    writer.scalar(&scalar(1)).unwrap();
    let folder = writer.folder().to_owned();
    drop(writer);
    let mut line = serde_json::to_value(scalar(2)).unwrap();
    line["entropy"] = 0.5.into();
    append(folder.join("scalars.jsonl"), &format!("{line}\n"));
    let toml = format!(
        "mood = \"good\"\n{}",
        experiment()
            .to_toml()
            .replace("[schedule]", "[schedule]\nlookahead = 3")
    );
    fs::write(folder.join("experiment.toml"), toml).unwrap();
    let mut value = serde_json::to_value(manifest("2026-01-02T10:00:00Z")).unwrap();
    value["weather"] = "fine".into();
    fs::write(folder.join("manifest.json"), value.to_string()).unwrap();

    let run = Run::open(&folder).unwrap();
    assert_eq!(run.scalars, [scalar(1), scalar(2)]);
    assert_eq!(run.experiment, experiment());
    assert_eq!(run.warnings.len(), 2, "{:?}", run.warnings);
    assert!(run.warnings[1].contains("schedule.lookahead"), "{:?}", run.warnings);

    // A newer layout is named as such, even when its fields have become others.
    fs::write(
        folder.join("manifest.json"),
        format!("{{\"schema\": {}}}", SCHEMA_VERSION + 1),
    )
    .unwrap();
    let refused = Run::open(&folder).unwrap_err();
    assert!(matches!(refused, RunError::Newer { .. }), "{refused}");
    assert!(refused.to_string().contains("update llavacode"));
    assert!(matches!(RunWriter::open(&folder), Err(RunError::Newer { .. })));
}

#[test]
fn a_file_that_is_not_written_whole_is_not_seen() {
    let runs = TempDir::new().unwrap();
    let mut writer = new_run(runs.path());
    let folder = writer.folder().to_owned();
    fs::write(folder.join("checkpoints/.step-7.safetensors.99.tmp"), "half").unwrap();
    let wrong = [("w".to_owned(), vec![2, 2], vec![1.0_f32])];
    writer.checkpoint(8, wrong.into(), BTreeMap::new(), "").unwrap();
    let refused = writer.settle(true).unwrap_err();
    assert!(refused.to_string().contains("step-8"), "{refused}");
    assert!(Run::open(&folder).unwrap().checkpoint_steps.is_empty());
    fs::write(folder.join("probes/step-1.safetensors"), "junk").unwrap();
    let damaged = Run::open(&folder).unwrap().probe(1).unwrap_err();
    assert!(matches!(damaged, RunError::Damaged { .. }), "{damaged}");
}

#[test]
fn the_list_shows_the_newest_first_and_survives_broken_folders() {
    let runs = TempDir::new().unwrap();
    assert!(list(&runs.path().join("missing")).is_empty());
    let start = |started| RunWriter::create(runs.path(), &experiment(), &manifest(started)).unwrap();
    let mut newest = start("2026-03-01T09:00:00+02:00");
    let mut older = start("2026-03-01T06:59:59Z");
    newest.scalar(&scalar(1)).unwrap();
    newest.scalar(&scalar(2)).unwrap();
    older.event(EventKind::End, 0, "").unwrap();
    fs::create_dir(runs.path().join("broken")).unwrap();
    fs::write(runs.path().join("notes.txt"), "not a run").unwrap();

    let entries = list(runs.path());
    let order: Vec<&Path> = entries.iter().map(|entry| entry.folder.as_path()).collect();
    assert_eq!(order, [newest.folder(), older.folder(), &runs.path().join("broken")]);
    assert_eq!(
        (entries[0].steps_done, entries[0].steps, entries[0].last_loss),
        (2, 12, Some(3.5))
    );
    assert_eq!(entries[0].status, RunStatus::Running);
    assert_eq!(
        (entries[1].status.label(), entries[1].error.as_ref()),
        ("finished", None)
    );
    assert!(entries[2].error.as_ref().unwrap().contains("is not a run"));
}

#[test]
fn a_deleted_run_lies_in_the_trash_of_its_own_folder() {
    let runs = TempDir::new().unwrap();
    let folder = new_run(runs.path()).folder().to_owned();
    let name = folder.file_name().unwrap();
    let trashed = delete(&folder).unwrap();
    assert_eq!(
        trashed,
        fs::canonicalize(runs.path()).unwrap().join(".trash").join(name)
    );
    assert!(Run::open(&trashed).is_ok() && !folder.exists());
    assert!(list(runs.path()).is_empty());
    // The name is free again, and deleting it again does not overwrite the first.
    assert_eq!(new_run(runs.path()).folder(), folder);
    assert!(matches!(restore(&trashed, &folder), Err(RunError::Write { .. })));
    assert_ne!(delete(&folder).unwrap(), trashed);
    restore(&trashed, &folder).unwrap();
    assert!(folder.exists() && !trashed.exists());

    let other = runs.path().join("photos");
    fs::create_dir(&other).unwrap();
    assert!(matches!(delete(&other), Err(RunError::NotARun { .. })));
    assert!(matches!(
        delete(&runs.path().join("missing")),
        Err(RunError::Read { .. })
    ));
    assert!(other.exists());
}
