//! The program from the outside, on toy models: results, exit codes, and Ctrl-C.
#![expect(clippy::unwrap_used, reason = "a test may fail by panicking")]

mod common;
#[cfg(unix)]
#[path = "cli/demo.rs"]
mod demo;
#[cfg(unix)]
#[path = "common/signal.rs"]
mod signal;
#[path = "cli/sweep.rs"]
mod sweep;
#[path = "common/toy.rs"]
mod toy;

use std::io::{BufRead as _, BufReader};
use std::path::PathBuf;
use std::process::{Command, Output, Stdio};

use llavacode::corpus::{Split, split_of};
use llavacode::engine::Work;
use llavacode::experiment::Experiment;
use llavacode::runs::{EventKind, Run};
use serde_json::Value;
#[cfg(unix)]
use signal::signal;
use strum::IntoEnumIterator as _;
use toy::Toy;

struct Shell {
    toy: Toy,
}

impl Shell {
    fn new() -> Self {
        Self { toy: Toy::new() }
    }

    fn command(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_llavacode"));
        command.args(arguments).env("LLAVACODE_CACHE", self.toy.path("store"));
        command
    }

    fn run(&self, arguments: &[&str]) -> Output {
        self.command(arguments).output().unwrap()
    }

    /// Runs, expects success, and gives standard output.
    fn succeed(&self, arguments: &[&str]) -> String {
        let output = self.run(arguments);
        let errors = String::from_utf8_lossy(&output.stderr);
        assert_eq!(output.status.code(), Some(0), "{arguments:?}: {errors}");
        String::from_utf8(output.stdout).unwrap()
    }

    /// Runs, expects exit code 2 and one message that names `expected`.
    fn refuse(&self, arguments: &[&str], expected: &str) {
        let output = self.run(arguments);
        let errors = String::from_utf8_lossy(&output.stderr);
        assert_eq!(output.status.code(), Some(2), "{arguments:?}: {errors}");
        assert!(errors.contains(expected), "{errors:?} does not name {expected:?}");
        assert!(!errors.contains("panicked"), "{errors}");
    }

    /// Times works on the toy models, once each.
    fn bench(&self, arguments: &[&str]) -> Output {
        let (reader, encoder) = (self.toy.path("reader"), self.toy.path("encoder"));
        let [reader, encoder] = [reader, encoder].map(|path| path.display().to_string());
        let fixed = ["bench", "--reader", &reader, "--encoder", &encoder];
        self.run(&[&fixed[..], arguments].concat())
    }

    fn experiment(&self, name: &str, change: impl FnOnce(&mut Experiment)) -> String {
        let mut experiment = self.toy.experiment(name);
        change(&mut experiment);
        let path = self.toy.path(&format!("{name}.toml"));
        std::fs::write(&path, experiment.to_toml()).unwrap();
        path.display().to_string()
    }

    fn train(&self, experiment: &str) -> String {
        let runs = self.toy.path("runs").display().to_string();
        self.succeed(&["train", experiment, "--runs-dir", &runs])
            .trim()
            .to_owned()
    }
}

#[test]
fn a_run_is_trained_evaluated_inspected_and_asked() {
    let shell = Shell::new();
    let run = shell.train(&shell.experiment("whole", |_| {}));
    assert_eq!(Run::open(PathBuf::from(&run).as_path()).unwrap().scalars.len(), 6);

    let table = shell.succeed(&["evaluate", &run, "--limit", "4"]);
    let scores = [
        "em_token",
        "em_strict",
        "em_lines",
        "es_levenshtein",
        "es_ratio",
        "cross_entropy",
    ];
    let rows = [
        "difference to no context",
        "mean prompt tokens",
        "median TTFT, ms",
        "shuffled context",
        "full RAG",
        "McNemar p",
        "p (Holm)",
        "overflow",
        "compressed, difference to",
        "name in a retrieved chunk",
        "the first look at the test split",
    ];
    for expected in scores.iter().chain(&rows) {
        assert!(table.contains(expected), "no {expected:?} in {table}");
    }
    let json: Value = serde_json::from_str(&shell.succeed(&["evaluate", &run, "--limit", "4", "--json"])).unwrap();
    assert_eq!(json["samples"], 4);
    assert_eq!(json["arms"].as_array().unwrap().len(), 4);
    assert_eq!(json["test_looks"], 2);
    assert!(json["arms"][1]["exact"]["p_holm"].is_number() && json["arms"][1]["overflow"]["mean"].is_number());
    let best = shell.succeed(&[
        "evaluate",
        &run,
        "--limit",
        "3",
        "--best",
        "--split",
        "train",
        "--arms",
        "compressed,zero_vector",
    ]);
    assert!(best.contains("zeros"), "{best}");
    // A smaller evaluation does not take the place of a larger one.
    shell.refuse(&["evaluate", &run, "--limit", "2"], "larger evaluation");

    assert!(
        shell
            .succeed(&["inspect", &run])
            .starts_with("Step 6: projected mean cosine")
    );
    let json: Value = serde_json::from_str(&shell.succeed(&["inspect", &run, "--step", "2", "--json"])).unwrap();
    assert_eq!(json["step"], 2);

    let repository = shell.toy.repository().display().to_string();
    let cursor = [
        "--repository",
        &repository,
        "--file",
        "./package/main.py",
        "--line",
        "12",
    ];
    let answer = shell.succeed(&[&["complete", "--run", &run], &cursor[..]].concat());
    let answer: Value = serde_json::from_str(&answer).unwrap();
    assert_eq!(answer["completions"].as_array().unwrap().len(), 3);
    assert!(answer.get("prompts").is_none());
    let answer = shell.succeed(
        &[
            &["complete", "--run", &run, "--prompts", "--arm", "compressed"],
            &cursor[..],
        ]
        .concat(),
    );
    let answer: Value = serde_json::from_str(&answer).unwrap();
    let entries = answer["prompts"][0].as_array().unwrap();
    assert_eq!(
        (&entries[1]["source"], &entries[1]["chunk"]),
        (&Value::from("soft_token"), &Value::from(1))
    );
    // Nothing stands before the first line, so there is no prompt without context.
    let first = [
        "--repository",
        &repository,
        "--file",
        "package/helpers.py",
        "--line",
        "1",
    ];
    let answer = shell.succeed(&[&["complete", "--run", &run], &first[..]].concat());
    let answer: Value = serde_json::from_str(&answer).unwrap();
    assert_eq!(answer["completions"].as_array().unwrap().len(), 2);
}

#[test]
fn bad_input_is_named_and_exits_with_2() {
    let shell = Shell::new();
    let empty = shell.toy.path("empty");
    std::fs::create_dir(&empty).unwrap();
    let good = shell.experiment("good", |_| {});
    let broken = shell.experiment("broken", |experiment| {
        let path = shell.toy.path("broken.gguf");
        std::fs::write(&path, b"GGUF but no more").unwrap();
        experiment.reader.model = path.display().to_string();
    });
    let no_code = shell.experiment("no-code", |experiment| {
        experiment.data.corpus = empty.display().to_string()
    });
    let too_long = shell.experiment("too-long", |experiment| experiment.prompt.left_tokens = 4000);
    shell.refuse(&["train", &good, "--set", "schedule.batch=0"], "schedule.batch is 0");
    shell.refuse(&["train", &good, "--set", "schedule.bacth=4"], "bacth");
    shell.refuse(
        &["train", &good, "--set", "prompt.layout=before_middle"],
        "no fill-in-the-middle tokens",
    );
    shell.refuse(&["train", &good, "--set", "evaluation.arms=compresed"], "compresed");
    let k = ["--set", "retrieval.k=3", "--set", "retrieval.chunk_lines=100"];
    shell.refuse(
        &[&["train", &good], &k[..]].concat(),
        "retrieval.k is 3, but no train repository of data.corpus",
    );
    // Two validation repositories with a chunk each.
    let names = (0..).map(|index| format!("repository-{index}"));
    let folders = names.map(|name| (split_of(&name, 0), shell.toy.path("corpus").join(name)));
    let validation = folders
        .take_while(|(_, folder)| folder.exists())
        .filter(|(split, _)| *split == Split::Validation);
    for (_, folder) in validation.collect::<Vec<_>>().into_iter().skip(2) {
        std::fs::remove_dir_all(folder).unwrap();
    }
    let few = ["--set", "retrieval.k=1", "--set", "data.samples_per_repository=1"];
    shell.refuse(
        &[&["train", &good], &few[..]].concat(),
        "schedule.probe_chunks is 8, but the validation samples",
    );
    shell.refuse(&["train", "/nowhere.toml"], "/nowhere.toml");
    shell.refuse(&["train", &broken], "broken.gguf");
    shell.refuse(&["train", &no_code], "no Python files");
    shell.refuse(&["train", &too_long], "prompt.left_tokens");
    shell.refuse(&["inspect", &empty.display().to_string()], "is not a run");
    shell.refuse(&["evaluate", &empty.display().to_string()], "is not a run");
    shell.refuse(&["fetch", "no-such-model"], "no-such-model");
    shell.refuse(&["--open", &empty.display().to_string()], "is not a run");
    assert_eq!(shell.run(&["no-such-command"]).status.code(), Some(2));
}

/// The lines of `scalars.jsonl`, but for the times.
fn scalars(run: &str) -> Vec<serde_json::Value> {
    let text = std::fs::read_to_string(PathBuf::from(run).join("scalars.jsonl")).unwrap();
    let lines = text.lines().map(|line| {
        let mut line: serde_json::Value = serde_json::from_str(line).unwrap();
        for time in ["seconds", "samples_per_second"] {
            line.as_object_mut().unwrap().remove(time).unwrap();
        }
        line
    });
    lines.collect()
}

#[test]
fn every_work_is_timed_once_with_the_keys_of_the_peers() {
    let shell = Shell::new();
    let output = shell.bench(&["--repeat", "1", "--threads", "2", "--device", "cpu", "--json"]);
    assert_eq!(
        output.status.code(),
        Some(0),
        "{}",
        String::from_utf8_lossy(&output.stderr)
    );
    let lines: Vec<Value> = String::from_utf8(output.stdout)
        .unwrap()
        .lines()
        .map(|line| serde_json::from_str(line).unwrap())
        .collect();
    let works: Vec<&str> = lines.iter().map(|line| line["work"].as_str().unwrap()).collect();
    assert_eq!(works, Work::iter().map(|work| work.to_string()).collect::<Vec<_>>());
    for line in &lines {
        assert_eq!(line["engine"], "llavacode");
        assert_eq!(line["threads"], 2);
        assert_eq!(line["device"], "CPU × 2");
        assert!(line["seconds"].as_f64().unwrap() > 0.0, "{line}");
        assert_eq!(line["tokens_per_second"].is_f64(), line["work"] != "load", "{line}");
        assert_eq!(
            line["peak_rss_mb"].as_u64().is_some(),
            cfg!(target_os = "linux"),
            "{line}"
        );
    }
    let first_tokens = lines.iter().find(|line| line["work"] == "ttft").unwrap()["first_tokens"]
        .as_array()
        .unwrap();
    assert_eq!(first_tokens.len(), 16);
    for one in first_tokens {
        let stages = &one["stages"];
        let zero = |stage: &str| stages[stage].as_f64().unwrap() == 0.0;
        assert!(!zero("tokenise") && !zero("prefill"), "{one}");
        let compressed = one["arm"] == "compressed";
        assert_eq!(one["vectors"].is_null(), !compressed, "{one}");
        assert_eq!(one["encoder_tokens"] == 0, !compressed, "{one}");
        let tokens = one["prompt_tokens"].as_u64().unwrap();
        let chunks = one["chunks"].as_u64().unwrap() * one["chunk_tokens"].as_u64().unwrap();
        // Every chunk fills its budget, and is one position when it is compressed.
        assert_eq!(tokens > chunks, one["arm"] == "full_rag", "{one}");
        assert_eq!((138..chunks).contains(&tokens), compressed, "{one}");
    }
}

#[test]
fn times_are_shown_as_tables() {
    let shell = Shell::new();
    let output = shell.bench(&["--repeat", "2", "--work", "prefill_206,ttft"]);
    let table = String::from_utf8(output.stdout).unwrap();
    for expected in [
        "work",
        "threads",
        "median",
        "range",
        "tokens/s",
        "peak memory",
        "device",
        "prefill_206",
        "CPU × ",
        "retrieve",
        "tokenise",
        "encode",
        "project",
        "prefill",
        "first token",
        "prompt tokens",
        "no context",
        "full RAG",
        "10 × 128",
        "10 × 512",
    ] {
        assert!(table.contains(expected), "no {expected:?} in {table}");
    }
    let broken = shell.toy.path("broken.gguf");
    std::fs::write(&broken, b"GGUF but no more").unwrap();
    shell.refuse(&["bench", "--reader", &broken.display().to_string()], "broken.gguf");
    shell.refuse(&["bench", "--reader", "no-such-reader"], "no-such-reader");
    shell.refuse(&["bench", "--work", "sleep"], "train_step");
    shell.refuse(&["bench", "--repeat", "0"], "--repeat");
    shell.refuse(&["bench", "--serve"], "--work");
}

#[cfg(unix)]
#[test]
fn a_killed_run_is_resumed_and_forked_to_the_bit() {
    let shell = Shell::new();
    let experiment = |name: &str| {
        shell.experiment(name, |experiment| {
            experiment.schedule.steps = 60;
            experiment.schedule.evaluate_every = 25;
            experiment.schedule.checkpoint_every = 5;
        })
    };
    let whole = shell.train(&experiment("whole"));
    let runs = shell.toy.path("runs").display().to_string();
    let mut command = shell.command(&["train", &experiment("killed"), "--runs-dir", &runs]);
    let mut child = command.stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap();
    let killed = whole.replace("whole", "killed");
    let lines = || std::fs::read_to_string(format!("{killed}/scalars.jsonl")).map_or(0, |text| text.lines().count());
    while lines() < 7 && child.try_wait().unwrap().is_none() {
        std::thread::sleep(std::time::Duration::from_millis(1));
    }
    assert!(signal("KILL", child.id()));
    child.wait().unwrap();
    assert!((7..60).contains(&lines()), "killed after {} steps", lines());

    assert_eq!(shell.succeed(&["train", "--resume", &killed]).trim(), killed);
    assert_eq!(scalars(&killed), scalars(&whole));
    let [killed_run, whole_run] = [&killed, &whole].map(|run| Run::open(&PathBuf::from(run)).unwrap());
    assert_eq!(killed_run.checkpoint_steps, whole_run.checkpoint_steps);
    assert_eq!(killed_run.evaluations.len(), 3);
    assert!(killed_run.warnings.is_empty(), "{:?}", killed_run.warnings);
    shell.refuse(&["train", "--resume", &killed], "has finished all its 60 steps");
    shell.refuse(&["train", "--resume", &runs], "is not a run");
    shell.refuse(&["train", "--resume", &killed, "--steps", "70"], "--steps");
    shell.refuse(&["train"], "<EXPERIMENT");

    let fork = [
        "train",
        "--fork",
        &killed,
        "--steps",
        "62",
        "--name",
        "longer",
        "--set",
        "objective.alignment=0.5",
    ];
    let forked = shell.succeed(&fork);
    let run = Run::open(&PathBuf::from(forked.trim())).unwrap();
    assert_eq!(
        (
            run.name().as_str(),
            run.scalars.len(),
            run.experiment.objective.alignment
        ),
        ("longer", 62, 0.5)
    );
    assert_eq!(run.manifest.parent.map(|parent| parent.step), Some(60));
    assert_eq!(scalars(forked.trim())[..60], scalars(&whole));
}

#[cfg(unix)]
#[test]
fn peers_take_turns_and_may_be_missing() {
    let shell = Shell::new();
    // Stands in for Python: llama.cpp is not installed, PyTorch takes two seconds for a token.
    let python = shell.toy.path("python");
    let script = r#"#!/bin/sh
        [ -f "$1" ] && [ -e "$3" ] || exit 9
        if [ "$5" = llamacpp ]; then
            echo "ModuleNotFoundError: No module named 'xllamacpp'" >&2
            exit 1
        fi
        echo "a line for a person"
        echo '{"ready": true}'
        while read -r line; do
            echo "{\"engine\": \"$5\", \"work\": \"$7\", \"threads\": $9, \"seconds\": 2.0, \"tokens_per_second\": 0.5, \"peak_rss_mb\": 1}"
        done
    "#;
    std::fs::write(&python, script).unwrap();
    std::fs::set_permissions(&python, std::os::unix::fs::PermissionsExt::from_mode(0o755)).unwrap();
    let python = python.display().to_string();
    let arguments = [
        "--work",
        "prefill_206,load",
        "--repeat",
        "2",
        "--threads",
        "1",
        "--peers",
        &python,
    ];
    let output = shell.bench(&[&arguments[..], &["--json"]].concat());
    let lines = String::from_utf8(output.stdout).unwrap();
    let lines: Vec<Value> = lines.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    let engines: Vec<&str> = lines.iter().map(|line| line["engine"].as_str().unwrap()).collect();
    assert_eq!(
        engines,
        ["llavacode", "torch", "llavacode", "torch", "llavacode", "llavacode"]
    );
    assert!(lines.iter().all(|line| line["threads"] == 1));

    let output = shell.bench(&arguments);
    assert!(String::from_utf8_lossy(&output.stderr).contains("No module named 'xllamacpp'"));
    let table = String::from_utf8(output.stdout).unwrap();
    let rows: Vec<Vec<&str>> = table.lines().map(|line| line.split_whitespace().collect()).collect();
    let row = rows.iter().rfind(|row| row.first() == Some(&"prefill_206")).unwrap();
    assert_eq!(row[3..5], ["2.00", "s"]);
    assert!(row[5].ends_with('×') && row[6].ends_with('×'), "{table}");
    assert_eq!(row[7..], ["–"; 3]);
    assert_eq!(
        rows.iter().rfind(|row| row.first() == Some(&"load")).unwrap()[3..],
        ["–"; 6]
    );
    shell.refuse(
        &[
            "bench",
            "--reader",
            &shell.toy.path("reader").display().to_string(),
            "--work",
            "decode_b1",
            "--peers",
            "/no/python",
        ],
        "/no/python",
    );
}

#[cfg(unix)]
#[test]
fn ctrl_c_keeps_every_finished_step() {
    let shell = Shell::new();
    let long = shell.experiment("long", |experiment| {
        experiment.schedule.steps = 1_000_000;
        experiment.schedule.evaluate_every = 1_000_000;
        experiment.schedule.checkpoint_every = 1_000_000;
    });
    let runs = shell.toy.path("runs").display().to_string();
    let mut command = shell.command(&["train", &long, "--runs-dir", &runs]);
    let mut child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    let lines = BufReader::new(child.stderr.take().unwrap()).lines().map(Result::unwrap);
    // Not on a terminal a line is written every few seconds, so which step it names is chance.
    let mut lines = lines.skip_while(|line| !line.starts_with("step "));
    assert!(lines.next().is_some());
    assert!(signal("INT", child.id()));
    // Standard error is read to its end, or the child could wait for a reader.
    lines.for_each(drop);
    let output = child.wait_with_output().unwrap();
    assert_eq!(output.status.code(), Some(1));
    let run = Run::open(PathBuf::from(String::from_utf8(output.stdout).unwrap().trim()).as_path()).unwrap();
    assert!(!run.scalars.is_empty());
    assert_eq!(run.checkpoint_steps, [run.scalars.len()]);
    assert_eq!(run.events.last().unwrap().kind, EventKind::Stop);
}
