//! The engine through its channels, on toy models: training, hands on it, completions, and what goes wrong.
#![expect(clippy::unwrap_used, reason = "a test may fail by panicking")]

#[path = "engine/alarms.rs"]
mod alarms;
mod common;
#[path = "engine/evaluation.rs"]
mod evaluation;
#[path = "engine/laboratory.rs"]
mod laboratory;
#[path = "common/middle.rs"]
mod middle;
#[path = "engine/playground.rs"]
mod playground;
#[path = "engine/resume.rs"]
mod resume;
#[path = "engine/steering.rs"]
mod steering;
#[path = "common/toy.rs"]
mod toy;

use std::path::{Path, PathBuf};
use std::time::Duration;

use llavacode::corpus::Split;
use llavacode::engine::{
    Command, CompletionRequest, CompletionSource, DeviceChoice, Engine, EngineSettings, EvaluationRequest, Event,
    WorkerState,
};
use llavacode::evaluation::Arm;
use llavacode::experiment::{
    Experiment, Objective, OutputScale, Pooling, PromptLayout, RetrievalUnit, RetrieverKind, RewardForm,
};
use llavacode::models::catalogue::Store;
use llavacode::runs::{EventKind, Run};
use toy::Toy;

struct Bench {
    toy: Toy,
    engine: Option<Engine>,
}

impl Bench {
    fn new() -> Self {
        let toy = Toy::new();
        let store = Store::open(Some(&toy.path("store"))).unwrap();
        Self::with_store(toy, store)
    }

    /// With the models that `llavacode fetch` got.
    fn with_real_models() -> Self {
        Self::with_store(Toy::new(), Store::open(None).unwrap())
    }

    fn with_store(toy: Toy, store: Store) -> Self {
        let settings = EngineSettings {
            runs_dir: toy.path("runs"),
            device: DeviceChoice::Cpu,
            store,
        };
        let engine = Engine::spawn(settings, || {}).unwrap();
        Self {
            toy,
            engine: Some(engine),
        }
    }

    fn engine(&self) -> &Engine {
        self.engine.as_ref().unwrap()
    }

    fn send(&self, command: Command) {
        self.engine().send(command);
    }

    /// The first event that `wanted` takes.
    fn wait<T>(&self, mut wanted: impl FnMut(&Event) -> Option<T>) -> T {
        loop {
            let event = self.engine().events().recv_timeout(Duration::from_secs(300)).unwrap();
            if let Some(found) = wanted(&event) {
                return found;
            }
            if let Event::Failed { message, .. } = &event {
                panic!("the engine failed: {message}");
            }
        }
    }

    fn train(&self, experiment: Experiment) -> PathBuf {
        self.send(Command::Train(Box::new(experiment)));
        self.wait(|event| match event {
            Event::RunStarted(folder) => Some(folder.clone()),
            _ => None,
        })
    }

    fn wait_for_step(&self, wanted: usize) {
        self.wait(|event| match event {
            Event::State(WorkerState::Training { step, .. }) if *step >= wanted => Some(()),
            _ => None,
        });
    }

    fn wait_for_end(&self) {
        self.wait(|event| matches!(event, Event::RunEnded(_)).then_some(()));
    }

    /// The next notice.
    fn notice(&self) -> String {
        self.wait(|event| match event {
            Event::Notice(_, text) => Some(text.clone()),
            _ => None,
        })
    }

    /// Begins a run and pauses it after so many steps.
    fn train_and_pause(&self, experiment: Experiment, steps: usize) -> PathBuf {
        self.send(Command::Train(Box::new(experiment)));
        // It waits until the run is ready, and then comes before the first step.
        self.send(Command::Pause);
        let folder = self.wait(|event| match event {
            Event::RunStarted(folder) => Some(folder.clone()),
            _ => None,
        });
        self.wait_for_pause();
        self.steps(steps);
        folder
    }

    /// Lets a paused run take some steps.
    fn steps(&self, steps: usize) {
        for _ in 0..steps {
            self.send(Command::StepOnce);
            self.wait_for_pause();
        }
    }

    fn wait_for_pause(&self) {
        self.wait(|event| matches!(event, Event::State(WorkerState::Training { paused: true, .. })).then_some(()));
    }

    fn failure(&self) -> (String, bool) {
        loop {
            let event = self.engine().events().recv_timeout(Duration::from_secs(60)).unwrap();
            if let Event::Failed { message, bad_input } = event {
                return (message, bad_input);
            }
        }
    }
}

fn kinds(run: &Run) -> Vec<EventKind> {
    run.events.iter().map(|event| event.kind).collect()
}

fn losses(folder: &Path) -> Vec<u64> {
    Run::open(folder)
        .unwrap()
        .scalars
        .iter()
        .map(|scalar| scalar.loss.to_bits())
        .collect()
}

#[test]
fn a_run_is_trained_probed_evaluated_and_kept() {
    let bench = Bench::new();
    let folder = bench.train(bench.toy.experiment("whole"));
    bench.wait_for_end();
    let run = Run::open(&folder).unwrap();
    assert_eq!(run.scalars.len(), 6);
    assert_eq!(run.scalars.last().unwrap().samples, 18);
    assert_eq!(run.probe_steps, [0, 2, 4, 6]);
    // Every fourth, and one for each evaluation.
    assert_eq!(run.checkpoint_steps, [3, 4, 6]);
    assert_eq!(run.evaluations.iter().map(|one| one.step).collect::<Vec<_>>(), [3, 6]);
    assert_eq!(run.evaluations[0].arms.len(), 4);
    assert_eq!(*kinds(&run).first().unwrap(), EventKind::Start);
    assert_eq!(*kinds(&run).last().unwrap(), EventKind::End);
    assert!(
        run.scalars
            .iter()
            .all(|scalar| scalar.loss.is_finite() && scalar.gradient_norm > 0.0)
    );
    let (first, last) = (run.probe(0).unwrap(), run.probe(6).unwrap());
    assert_eq!(first.encoder, last.encoder);
    assert_ne!(first.projected, last.projected);
    // Every completion can be read without the corpus.
    let samples = run.samples();
    for record in run.completions(6, Split::Validation).unwrap() {
        assert!(samples.iter().any(|one| one.sample.id == record.sample));
    }
    // The projected probe of the last step follows from the checkpoint of that step: nothing was trained in between.
    assert_eq!(run.checkpoint(6).unwrap().tensors.len(), 3 * 6);
}

#[test]
fn the_reader_is_its_own_encoder() {
    let bench = Bench::new();
    let mut probes = Vec::new();
    for pooling in [Pooling::Mean, Pooling::RareIdentifiers] {
        let mut experiment = bench.toy.experiment(&pooling.to_string());
        experiment.encoder.model = "reader".into();
        experiment.encoder.pooling = pooling;
        let folder = bench.train(experiment);
        bench.wait_for_end();
        let run = Run::open(&folder).unwrap();
        // What was used is named once, by the reader's files.
        assert_eq!(run.manifest.sha256.len(), 2);
        assert_eq!(run.manifest.facts["encoder.width"], run.manifest.facts["reader.hidden"]);
        probes.push(run.probe(0).unwrap().encoder);
    }
    assert_ne!(probes[0], probes[1]);
}

#[test]
fn names_are_retrieved_encoded_and_spelled_and_a_run_begins_where_another_ended() {
    let bench = Bench::new();
    let mut experiment = bench.toy.experiment("names");
    experiment.retrieval.retriever = RetrieverKind::Definitions;
    experiment.retrieval.unit = RetrievalUnit::Name;
    experiment.encoder.model = "reader".into();
    experiment.encoder.pooling = Pooling::Spelling;
    experiment.projector.skip = true;
    experiment.data.spelled_names = 12;
    experiment.data.vary_context = true;
    experiment.schedule.spelled_batch = 4;
    experiment.schedule.reconstruction_steps = 2;
    experiment.objective.reconstruction = 0.5;
    let first = bench.train(experiment.clone());
    bench.wait_for_end();
    let run = Run::open(&first).unwrap();
    assert_eq!(run.manifest.facts["names.spelled"], "12");
    assert!(!run.scalars[0].terms.contains_key("cross_entropy"));
    let last = run.scalars.last().unwrap();
    assert!(last.terms.contains_key("cross_entropy") && last.terms.contains_key("reconstruction"));
    let samples = run.samples();
    let retrieved: Vec<_> = samples.iter().flat_map(|sample| &sample.retrieved).collect();
    assert!(!retrieved.is_empty() && retrieved.iter().all(|one| one.name.is_some()));
    // What is watched is what was compressed.
    let watched = run.probe_chunks().unwrap();
    assert!(watched.iter().all(|chunk| !chunk.text.contains(' ')), "{watched:?}");

    experiment.name = "on-names".into();
    experiment.projector.start_from = first.display().to_string();
    let second = bench.train(experiment.clone());
    bench.wait_for_end();
    let (step, second) = (last.step, Run::open(&second).unwrap());
    assert_eq!(second.manifest.facts["projector.start_step"], step.to_string());
    assert_eq!(second.probe(0).unwrap().projected, run.probe(step).unwrap().projected);

    experiment.projector.start_from = bench.toy.path("nowhere").display().to_string();
    bench.send(Command::Train(Box::new(experiment)));
    let failed = |event: &Event| match event {
        Event::Failed { message, .. } => Some(message.clone()),
        _ => None,
    };
    let message = bench.wait(failed);
    assert!(message.contains("nowhere"), "{message}");
}

#[test]
fn the_whole_objective_is_trained_and_every_term_is_logged() {
    let bench = Bench::new();
    let mut experiment = bench.toy.experiment("objective");
    experiment.prompt.layout = PromptLayout::LateFusion;
    experiment.prompt.target_lines = 2;
    experiment.schedule.reconstruction_steps = 2;
    experiment.objective = Objective {
        end_token: true,
        alignment_memory: 10,
        reward: 0.1,
        reward_form: RewardForm::Scst,
        rollouts: 2,
        kl: 0.1,
        reconstruction: 0.1,
        ..Objective::default()
    };
    let first = bench.train(experiment.clone());
    bench.wait_for_end();
    let run = Run::open(&first).unwrap();
    let names = |step: usize| {
        run.scalars[step - 1]
            .terms
            .keys()
            .map(String::as_str)
            .collect::<Vec<_>>()
    };
    let aligned = ["alignment_frobenius", "alignment_mse"];
    assert_eq!(names(1), [aligned.as_slice(), &["reconstruction"]].concat());
    let watched = ["entropy_watched", "kl_untrained", "reconstruction"];
    assert_eq!(names(2), [aligned.as_slice(), &watched].concat());
    let read = [
        "cross_entropy",
        "entropy",
        "kl",
        "reconstruction",
        "reward",
        "reward_loss",
    ];
    assert_eq!(names(3), [aligned.as_slice(), &read].concat());
    assert_eq!(names(4).len(), 10);
    let all = run.scalars.iter().flat_map(|scalar| scalar.terms.values());
    assert!(all.into_iter().all(|value| value.is_finite()));
    assert!(run.scalars[5].terms["kl_untrained"] > 0.0);

    // Rollouts are drawn from the seed and the step alone.
    let second = bench.train(experiment);
    bench.wait_for_end();
    assert_eq!(losses(&first), losses(&second));
}

#[test]
fn equal_seeds_give_equal_curves() {
    let bench = Bench::new();
    let first = bench.train(bench.toy.experiment("same"));
    bench.wait_for_end();
    let second = bench.train(bench.toy.experiment("same"));
    bench.wait_for_end();
    assert_ne!(first, second);
    assert_eq!(losses(&first), losses(&second));
    let other = bench.train(Experiment {
        seed: 1,
        ..bench.toy.experiment("other")
    });
    bench.wait_for_end();
    assert_ne!(losses(&first), losses(&other));
}

#[test]
fn a_run_can_be_paused_stepped_resumed_and_stopped() {
    let bench = Bench::new();
    let mut experiment = bench.toy.experiment("hands");
    experiment.schedule.steps = 1000;
    experiment.schedule.evaluate_every = 1000;
    experiment.schedule.checkpoint_every = 1000;
    let folder = bench.train(experiment);
    bench.wait_for_step(2);
    bench.send(Command::Pause);
    let paused_at = bench.wait(|event| match event {
        Event::State(WorkerState::Training { step, paused: true, .. }) => Some(*step),
        _ => None,
    });
    assert!(
        bench
            .engine()
            .events()
            .recv_timeout(Duration::from_millis(300))
            .is_ok_and(|event| matches!(event, Event::RunChanged(_)))
    );
    assert!(
        bench
            .engine()
            .events()
            .recv_timeout(Duration::from_millis(300))
            .is_err(),
        "nothing happens while paused"
    );
    bench.send(Command::StepOnce);
    let stepped = bench.wait(|event| match event {
        Event::State(WorkerState::Training { step, paused: true, .. }) => Some(*step),
        _ => None,
    });
    assert_eq!(stepped, paused_at + 1);
    bench.send(Command::Resume);
    bench.wait_for_step(stepped + 2);
    bench.send(Command::Stop);
    bench.wait_for_end();
    let run = Run::open(&folder).unwrap();
    let steps = run.scalars.len();
    assert!(steps >= stepped + 2);
    assert_eq!(run.checkpoint_steps, [steps], "a stopped run keeps its last step");
    // How many steps pass before the stop is not in the test's hands, and with them whether an alarm is raised.
    let mut told = kinds(&run);
    told.retain(|kind| !matches!(kind, EventKind::AlarmRaised(_)));
    assert_eq!(
        told,
        [
            EventKind::Start,
            EventKind::Pause,
            EventKind::Resume,
            EventKind::Checkpoint,
            EventKind::Stop
        ]
    );
}

#[test]
fn closing_in_mid_training_loses_no_finished_step() {
    let mut bench = Bench::new();
    let mut experiment = bench.toy.experiment("closed");
    experiment.schedule.steps = 100_000;
    experiment.schedule.evaluate_every = 100_000;
    let folder = bench.train(experiment);
    bench.wait_for_step(3);
    bench.engine.take().unwrap().shutdown();
    let run = Run::open(&folder).unwrap();
    let steps = run.scalars.len();
    assert!(steps >= 3);
    assert_eq!(*run.checkpoint_steps.last().unwrap(), steps);
    assert_eq!(*kinds(&run).last().unwrap(), EventKind::Stop);
    assert!(run.warnings.is_empty());
}

#[test]
fn a_completion_is_served_while_training_goes_on() {
    let bench = Bench::new();
    let mut experiment = bench.toy.experiment("served");
    experiment.schedule.steps = 100_000;
    experiment.schedule.evaluate_every = 100_000;
    let folder = bench.train(experiment);
    bench.wait_for_step(1);
    bench.send(Command::Complete(CompletionRequest {
        id: 7,
        run: folder.clone(),
        source: CompletionSource::Cursor {
            repository: bench.toy.repository(),
            file: "package/main.py".into(),
            line: 12,
        },
        arms: vec![Arm::NoContext, Arm::Compressed, Arm::FullRag],
    }));
    let answer = bench.wait(|event| match event {
        Event::Completed { id: 7, result, .. } => Some(result.clone().unwrap()),
        _ => None,
    });
    assert_eq!(answer.completions.len(), 3);
    let [none, compressed, full] = [0, 1, 2].map(|index| answer.completions[index].prompt_tokens);
    // "#", one soft token for each of two chunks, and a line break.
    assert_eq!(compressed, none + 4);
    assert!(full > compressed);
    assert!(answer.retrieved.iter().all(|one| one.chunk.path != "package/main.py"));
    bench.wait_for_step(3);
}

#[test]
fn a_chunk_becomes_several_scaled_soft_tokens() {
    let bench = Bench::new();
    let mut experiment = bench.toy.experiment("several");
    experiment.projector.tokens_per_chunk = 3;
    experiment.projector.output_scale = OutputScale::Learned;
    let folder = bench.train(experiment);
    bench.wait_for_end();
    let run = Run::open(&folder).unwrap();
    assert!(run.scalars.iter().all(|scalar| scalar.loss.is_finite()));
    // Three soft tokens for each of two chunks; the probe keeps one row a chunk.
    for record in run.completions(6, Split::Validation).unwrap() {
        let compressed = matches!(record.arm, Arm::Compressed | Arm::ShuffledContext);
        assert_eq!(record.soft_tokens, if compressed { 6 } else { 0 });
    }
    let probe = run.probe(6).unwrap();
    assert_eq!(probe.rows, run.probe_chunks().unwrap().len());
    assert_eq!(probe.projected.len(), run.probe(0).unwrap().projected.len());
    assert_eq!(probe.projected_vectors().unwrap().rows(), probe.rows);
    let scale = |step| {
        let tensors = run.checkpoint(step).unwrap().tensors;
        let scale = tensors.into_iter().find(|(name, ..)| name == "scale");
        scale.unwrap().2[0]
    };
    assert_ne!(scale(4), scale(6), "the scale is trained");
    bench.send(Command::Complete(CompletionRequest {
        id: 3,
        run: folder,
        source: CompletionSource::Cursor {
            repository: bench.toy.repository(),
            file: "package/main.py".into(),
            line: 12,
        },
        arms: vec![Arm::Compressed],
    }));
    let answer = bench.wait(|event| match event {
        Event::Completed { id: 3, result, .. } => Some(result.clone().unwrap()),
        _ => None,
    });
    assert_eq!(answer.completions[0].soft_tokens, 6);
}

#[test]
fn a_finished_run_is_evaluated_on_the_test_split() {
    let bench = Bench::new();
    let folder = bench.train(bench.toy.experiment("judged"));
    bench.wait_for_end();
    let arms = vec![Arm::NoContext, Arm::Compressed, Arm::FullRag, Arm::ShuffledContext];
    bench.send(Command::Evaluate(EvaluationRequest {
        run: folder.clone(),
        step: None,
        split: Split::Test,
        arms,
        limit: 4,
    }));
    bench.wait_for_end();
    let run = Run::open(&folder).unwrap();
    let summary = run.evaluations.iter().find(|one| one.split == Split::Test).unwrap();
    assert_eq!((summary.step, summary.samples), (6, 4));
    let records = run.completions(6, Split::Test).unwrap();
    assert_eq!(records.len(), 16);
    let trained: Vec<String> = run
        .samples()
        .iter()
        .filter(|one| one.split == Split::Validation)
        .map(|one| one.sample.repository.clone())
        .collect();
    assert!(
        run.samples()
            .iter()
            .filter(|one| one.split == Split::Test)
            .all(|one| !trained.contains(&one.sample.repository))
    );
}

#[test]
fn a_stop_while_preparing_leaves_no_run() {
    let bench = Bench::new();
    bench.send(Command::Train(Box::new(bench.toy.experiment("early"))));
    bench.send(Command::Stop);
    bench.wait(|event| matches!(event, Event::State(WorkerState::Preparing)).then_some(()));
    bench.wait(|event| matches!(event, Event::State(WorkerState::Idle)).then_some(()));
    assert!(!bench.toy.path("runs").exists());
}

#[test]
fn what_is_wrong_is_said_and_leaves_nothing_behind() {
    let bench = Bench::new();
    let good = bench.toy.experiment("wrong");
    let broken = bench.toy.path("broken.gguf");
    std::fs::write(&broken, b"not a model").unwrap();
    std::fs::create_dir(bench.toy.path("empty")).unwrap();
    let cases: [(&str, Experiment); 5] = [
        (
            "schedule.batch",
            Experiment {
                schedule: llavacode::experiment::Schedule {
                    batch: 0,
                    ..good.schedule.clone()
                },
                ..good.clone()
            },
        ),
        (
            "broken.gguf",
            with(&good, |e| e.reader.model = broken.display().to_string()),
        ),
        (
            "empty",
            with(&good, |e| e.data.corpus = bench.toy.path("empty").display().to_string()),
        ),
        ("nowhere", with(&good, |e| e.encoder.model = "nowhere".into())),
        (
            "llavacode fetch",
            with(&good, |e| e.reader.model = "smollm2-135m-instruct".into()),
        ),
    ];
    for (expected, experiment) in cases {
        bench.send(Command::Train(Box::new(experiment)));
        let (message, bad_input) = bench.failure();
        assert!(message.contains(expected), "{message:?} does not name {expected:?}");
        assert!(bad_input, "{message}");
    }
    assert!(!bench.toy.path("runs").exists());
    // The engine still works.
    bench.train(good);
    bench.wait_for_end();
}

fn with(experiment: &Experiment, change: impl FnOnce(&mut Experiment)) -> Experiment {
    let mut experiment = experiment.clone();
    change(&mut experiment);
    experiment
}
