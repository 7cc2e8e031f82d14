//! Writes run folders that look like real ones, the same every time: curves, probes, evaluations and completions.
#![expect(
    clippy::unwrap_used,
    reason = "a test that cannot write its folder has nothing to test"
)]

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use llavacode::collapse::{AlarmEvent, MonitorState};
use llavacode::corpus::{Chunk, CompletionSample, Split};
use llavacode::evaluation::{Arm, ArmCost, ArmSummary, CompletionRecord, EvaluationSummary, Interval, Scores};
use llavacode::experiment::{Experiment, Intervention};
use llavacode::retrieval::Retrieved;
use llavacode::runs::{
    EventKind, Manifest, ProbeRecord, RunAlarms, RunWriter, SCHEMA_VERSION, SampleRecord, ScalarRecord, TokenSample,
};
use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha8Rng;

/// Steps of a demo run.
pub const STEPS: usize = 84;
/// Steps between two evaluations, as in the default experiment.
pub const EVALUATE_EVERY: usize = 42;
const CHUNKS: usize = 100;
const ENCODER_WIDTH: usize = 96;
const READER_WIDTH: usize = 144;
const SAMPLES: usize = 24;
/// Bytes of keys and values a position: 30 layers, 3 KV heads of 64, f32.
const KV_BYTES: f64 = 46_080.0;
const NAMES: [&str; 8] = [
    "session", "header", "token", "route", "config", "cache", "schema", "event",
];
const REPOSITORIES: [&str; 4] = ["requests", "click", "attrs", "rich"];

/// Writes a finished run; with `aligned`, its projected vectors keep the encoder's geometry, else they collapse.
pub fn write(runs_dir: &Path, name: &str, aligned: bool) -> PathBuf {
    let mut demo = Demo::start(runs_dir, name, aligned);
    demo.train_to(STEPS);
    demo.end();
    demo.folder()
}

/// The same with a checkpoint of its last step, so that something can be completed with it.
pub fn write_with_checkpoint(runs_dir: &Path, name: &str, aligned: bool) -> PathBuf {
    let mut demo = Demo::start(runs_dir, name, aligned);
    demo.train_to(STEPS);
    demo.checkpoint();
    demo.end();
    demo.folder()
}

/// A run as it is being written.
pub struct Demo {
    writer: RunWriter,
    random: ChaCha8Rng,
    aligned: bool,
    step: usize,
    seconds: f64,
    samples: Vec<SampleRecord>,
    alarms: RunAlarms,
}

impl Demo {
    /// Makes the folder with everything that comes before the first step.
    pub fn start(runs_dir: &Path, name: &str, aligned: bool) -> Self {
        let mut experiment = Experiment {
            name: name.into(),
            seed: 1,
            ..Experiment::default()
        };
        experiment.objective.alignment = if aligned { 0.1 } else { 0.0 };
        experiment.schedule.steps = STEPS;
        let manifest = Manifest {
            schema: SCHEMA_VERSION,
            program: "0.1.0".into(),
            device: "cpu".into(),
            threads: 2,
            started: if aligned {
                "2026-11-24T08:12:00Z"
            } else {
                "2026-11-24T08:31:00Z"
            }
            .into(),
            facts: BTreeMap::from([("reader.hidden".into(), READER_WIDTH.to_string())]),
            ..Manifest::default()
        };
        let mut writer = RunWriter::create(runs_dir, &experiment, &manifest).unwrap();
        let chunks: Vec<Chunk> = (0..CHUNKS).map(chunk).collect();
        writer.probe_chunks(&chunks).unwrap();
        writer.token_sample(&tokens()).unwrap();
        let samples: Vec<SampleRecord> = (0..SAMPLES).map(|i| sample(i, &chunks)).collect();
        writer.samples(&samples).unwrap();
        writer.event(EventKind::Start, 0, "").unwrap();
        let mut demo = Self {
            writer,
            random: ChaCha8Rng::seed_from_u64(7),
            aligned,
            step: 0,
            seconds: 0.0,
            samples,
            alarms: RunAlarms::new(&experiment.alarms, MonitorState::default()),
        };
        demo.probe();
        demo
    }

    /// The run's folder.
    pub fn folder(&self) -> PathBuf {
        self.writer.folder().to_owned()
    }

    /// Trains up to a step.
    pub fn train_to(&mut self, last: usize) {
        while self.step < last {
            self.step += 1;
            self.scalar();
            if self.step.is_multiple_of(3) {
                self.probe();
            }
            if self.step.is_multiple_of(EVALUATE_EVERY) || self.step == STEPS {
                self.evaluate();
            }
            if self.step.is_multiple_of(21) {
                self.writer.event(EventKind::Checkpoint, self.step, "").unwrap();
            }
            if self.step == 33 {
                self.writer.event(EventKind::Pause, 33, "by hand").unwrap();
                self.writer.event(EventKind::Resume, 33, "").unwrap();
            }
        }
    }

    /// Writes a checkpoint, of nothing.
    pub fn checkpoint(&mut self) {
        self.writer
            .checkpoint(self.step, Vec::new(), BTreeMap::new(), "")
            .unwrap();
        self.writer.settle(true).unwrap();
    }

    /// Writes that a weight was changed.
    pub fn intervene(&mut self, field: &str, value: f64, before: f64) {
        let field = field.to_owned();
        let change = Intervention { field, value, before };
        self.writer.intervention(self.step, &change).unwrap();
    }

    /// Takes the run back to a step.
    pub fn roll_back(&mut self, step: usize) {
        self.writer.roll_back(step, "by a person").unwrap();
        self.step = step;
    }

    /// Writes the last event.
    pub fn end(&mut self) {
        self.writer.event(EventKind::End, self.step, "").unwrap();
    }

    /// Writes that the run failed, and why.
    pub fn fail(&mut self, reason: &str) {
        self.writer.event(EventKind::Failed, self.step, reason).unwrap();
    }

    fn noise(&mut self) -> f64 {
        self.random.random_range(-1.0..1.0)
    }

    fn scalar(&mut self) {
        let x = self.step as f64;
        let progress = x / STEPS as f64;
        let cross_entropy = 2.35 + 1.3 * (-x / 22.0).exp() + 0.16 * self.noise();
        let frobenius = if self.aligned {
            3.1 + 5.5 * (-x / 18.0).exp()
        } else {
            6.0 + 11.0 * progress
        } + 0.2 * self.noise();
        let warm = (x / 7.0).min(1.0);
        let learning_rate = 5e-4 * warm * 0.5 * (1.0 + (std::f64::consts::PI * progress).cos());
        let samples_per_second = 5.1 + 0.4 * self.noise();
        self.seconds += 8.0 / samples_per_second;
        let mut terms = BTreeMap::from([
            ("cross_entropy".into(), cross_entropy),
            ("entropy".into(), 2.2 + 0.2 * progress + 0.1 * self.noise()),
            ("alignment_frobenius".into(), frobenius),
            ("alignment_mse".into(), (frobenius / 18.0).powi(2)),
        ]);
        if self.step.is_multiple_of(3) {
            terms.insert("entropy_watched".into(), 2.3 + 0.2 * progress);
            terms.insert("kl_untrained".into(), 0.9 * (1.0 - (-x / 30.0).exp()));
        }
        let record = ScalarRecord {
            step: self.step,
            samples: 8 * self.step,
            tokens: 8 * 152 * self.step,
            seconds: self.seconds,
            loss: cross_entropy + if self.aligned { 0.1 * frobenius } else { 0.0 },
            terms,
            gradient_norm: 0.5 + 2.6 * (-x / 12.0).exp() + 0.2 * self.noise().abs(),
            learning_rate,
            samples_per_second,
        };
        self.writer.scalar(&record).unwrap();
        let events = self.alarms.observe_step(&record);
        self.tell(&events);
    }

    fn probe(&mut self) {
        let mut random = ChaCha8Rng::seed_from_u64(11);
        let mut vectors = |width: usize, shared: f32, spread: f32| -> Vec<f32> {
            let directions: Vec<Vec<f32>> = (0..8)
                .map(|_| (0..width).map(|_| random.random_range(-1.0..1.0f32)).collect())
                .collect();
            (0..CHUNKS)
                .flat_map(|row| {
                    let cluster = &directions[row % 7 + 1];
                    let common = &directions[0];
                    (0..width)
                        .map(|i| shared * common[i] + spread * (0.55 * cluster[i] + random.random_range(-1.0..1.0f32)))
                        .collect::<Vec<f32>>()
                })
                .collect()
        };
        let encoder = vectors(ENCODER_WIDTH, 0.95, 0.9);
        let progress = self.step as f32 / STEPS as f32;
        let shared = if self.aligned {
            1.0 - 0.25 * progress
        } else {
            1.0 + 6.0 * progress.powf(0.7)
        };
        let projected = vectors(READER_WIDTH, shared, 0.9);
        let record = ProbeRecord {
            step: self.step,
            rows: CHUNKS,
            encoder,
            projected,
            token_norm_quantiles: [5.2, 7.4, 9.9],
        };
        self.writer.probe(&record).unwrap();
        let events = self.alarms.observe_probe(&record).unwrap();
        self.tell(&events);
    }

    fn evaluate(&mut self) {
        let progress = self.step as f64 / STEPS as f64;
        let mut completions = Vec::new();
        for (i, record) in self.samples.clone().iter().enumerate() {
            for arm in [Arm::NoContext, Arm::Compressed, Arm::FullRag, Arm::ShuffledContext] {
                completions.push(self.completion(i, record, arm, progress));
            }
        }
        let arms = [Arm::NoContext, Arm::Compressed, Arm::FullRag, Arm::ShuffledContext]
            .map(|arm| summary(arm, &completions))
            .to_vec();
        let evaluation = EvaluationSummary {
            step: self.step,
            split: Split::Validation,
            samples: SAMPLES,
            repositories: REPOSITORIES.len(),
            seed: 1,
            resamples: 1000,
            arms,
            content: differences(Arm::Compressed, Arm::ShuffledContext, &completions),
            comparisons: Vec::new(),
            groups: Vec::new(),
            test_looks: 0,
        };
        self.writer.evaluation(&evaluation, &completions).unwrap();
        let events = self.alarms.observe_evaluation(&evaluation);
        self.tell(&events);
    }

    fn tell(&mut self, events: &[AlarmEvent]) {
        for event in events {
            self.writer.event(event.into(), event.step, &event.reason).unwrap();
        }
    }

    fn completion(&mut self, i: usize, record: &SampleRecord, arm: Arm, progress: f64) -> CompletionRecord {
        let target = record.sample.target.trim().to_owned();
        let chance = match arm {
            Arm::NoContext => 0.18,
            Arm::ShuffledContext => 0.17 + 0.02 * progress,
            Arm::Compressed => 0.18 + if self.aligned { 0.16 } else { 0.07 } * progress,
            _ => 0.5,
        };
        // The draw belongs to the sample, so that an arm that is better is right wherever a worse one was.
        let draw = ((i * 37 + 11) % SAMPLES) as f64 / SAMPLES as f64;
        let right = draw < chance;
        let text = match (right, i % 3) {
            (true, _) => target.clone(),
            (false, 0) => target.replace('_', ""),
            (false, 1) => format!("{}()", NAMES[(i + 3) % NAMES.len()]),
            (false, _) => target.chars().take(target.len() / 2).collect(),
        };
        let prompt_tokens = match arm {
            Arm::NoContext => 124,
            Arm::Compressed | Arm::ShuffledContext => 131,
            _ => 486 + i % 40,
        };
        let exact = f64::from(u8::from(right));
        let similarity = if right { 100.0 } else { 28.0 + (i * 13 % 40) as f64 };
        CompletionRecord {
            sample: record.sample.id.clone(),
            arm,
            prompt_tokens,
            soft_tokens: if arm == Arm::Compressed || arm == Arm::ShuffledContext {
                5
            } else {
                0
            },
            text,
            scores: Scores {
                em_token: exact,
                em_strict: exact,
                em_lines: exact,
                es_levenshtein: similarity,
                es_ratio: similarity,
                identifier_match: exact,
                cross_entropy: 2.4 - exact,
            },
            ttft_ms: prompt_tokens as f64 * 0.62 + 4.0,
            total_ms: prompt_tokens as f64 * 0.62 + 190.0,
            target_tokens: [
                " load",
                "_",
                NAMES[i % NAMES.len()],
                "(",
                "argv",
                "[",
                "0",
                "],",
                " strict",
                "=False",
                ")\n",
            ]
            .map(str::to_owned)
            .to_vec(),
            log_probabilities: (0..11)
                .map(|token| -(((token * 5 + i * 3) % 7) as f32) * if right { 0.1 } else { 0.6 })
                .collect(),
            hit: Some(record.retrieved.iter().any(|found| found.hit)),
            in_window: Some(i.is_multiple_of(5)),
        }
    }
}

type Score = fn(&Scores) -> f64;

const SCORES: [(&str, Score); 7] = [
    ("em_token", |s| s.em_token),
    ("em_strict", |s| s.em_strict),
    ("em_lines", |s| s.em_lines),
    ("es_levenshtein", |s| s.es_levenshtein),
    ("es_ratio", |s| s.es_ratio),
    ("identifier_match", |s| s.identifier_match),
    ("cross_entropy", |s| s.cross_entropy),
];

fn values(arm: Arm, completions: &[CompletionRecord], score: Score) -> Vec<f64> {
    let of_arm = completions.iter().filter(|c| c.arm == arm);
    of_arm.map(|c| score(&c.scores)).collect()
}

fn differences(arm: Arm, other: Arm, completions: &[CompletionRecord]) -> BTreeMap<String, Interval> {
    let difference = |score| -> Vec<f64> {
        let (values, base) = (values(arm, completions, score), values(other, completions, score));
        values.iter().zip(base).map(|(a, b)| a - b).collect()
    };
    let named = SCORES.map(|(name, score)| (name.to_owned(), interval(&difference(score))));
    named.into()
}

fn summary(arm: Arm, completions: &[CompletionRecord]) -> ArmSummary {
    let of_arm = completions.iter().filter(|c| c.arm == arm);
    ArmSummary {
        arm,
        scores: SCORES
            .map(|(name, score)| (name.to_owned(), interval(&values(arm, completions, score))))
            .into(),
        difference: match arm {
            Arm::NoContext => BTreeMap::new(),
            _ => differences(arm, Arm::NoContext, completions),
        },
        prompt_tokens: of_arm.clone().map(|c| c.prompt_tokens as f64).sum::<f64>() / SAMPLES as f64,
        ttft_ms: of_arm.clone().map(|c| c.ttft_ms).sum::<f64>() / SAMPLES as f64,
        cost: Some(ArmCost {
            prompt_tokens: interval(&of_arm.clone().map(|c| c.prompt_tokens as f64).collect::<Vec<_>>()),
            ttft_ms: interval(&of_arm.clone().map(|c| c.ttft_ms).collect::<Vec<_>>()),
            kv_bytes: Some(interval(
                &of_arm.map(|c| c.prompt_tokens as f64 * KV_BYTES).collect::<Vec<_>>(),
            )),
        }),
        ..ArmSummary::default()
    }
}

fn interval(values: &[f64]) -> Interval {
    let count = values.len() as f64;
    let mean = values.iter().sum::<f64>() / count;
    let variance = values.iter().map(|v| (v - mean).powi(2)).sum::<f64>() / count;
    let half = 1.96 * (variance / count).sqrt();
    Interval {
        mean,
        low: mean - half,
        high: mean + half,
    }
}

/// Token embeddings with the norms that the probes tell of.
fn tokens() -> TokenSample {
    let mut random = ChaCha8Rng::seed_from_u64(3);
    let table: Vec<f32> = (0..600 * READER_WIDTH)
        .map(|_| random.random_range(-1.07..1.07))
        .collect();
    TokenSample::draw(&table, READER_WIDTH, 1)
}

/// The chunk behind row `i` of the probes.
pub fn chunk(i: usize) -> Chunk {
    let name = NAMES[i % NAMES.len()];
    let other = NAMES[(i / NAMES.len() + 3) % NAMES.len()];
    let text = match i % 3 {
        0 => format!(
            "def load_{name}(path, *, strict=True):\n    \"\"\"Reads a {name} from a file.\"\"\"\n    with open(path) as file:\n        \
             raw = file.read()\n    {name} = parse_{name}(raw)\n    if strict and not {name}:\n        raise ValueError(path)\n    \
             return {name}"
        ),
        1 => format!(
            "class {}Manager:\n    def __init__(self, {other}=None):\n        self.{other} = {other} or {{}}\n        self._{name}s = []\n\n    \
             def add_{name}(self, {name}):\n        self._{name}s.append({name})\n        return len(self._{name}s)",
            name[..1].to_uppercase() + &name[1..]
        ),
        _ => format!(
            "    def resolve_{name}(self, key):\n        found = self.{other}.get(key)\n        if found is None:\n            \
             found = self.default_{name}(key)\n            self.{other}[key] = found\n        return found"
        ),
    };
    Chunk {
        repository: REPOSITORIES[i % REPOSITORIES.len()].into(),
        path: format!("src/{name}s.py"),
        first_line: 1 + 10 * (i / NAMES.len()),
        text,
    }
}

fn sample(i: usize, chunks: &[Chunk]) -> SampleRecord {
    let name = NAMES[i % NAMES.len()];
    let repository = REPOSITORIES[i % REPOSITORIES.len()];
    let path = format!("src/{name}_cli.py");
    let left = format!(
        "\"\"\"Command line of {repository}.\"\"\"\nimport sys\n\nfrom .{name}s import load_{name}\n\n\ndef main(argv=None):\n    \
         argv = argv or sys.argv[1:]\n    if not argv:\n        print(\"usage: {name} FILE\")\n        return 2\n    {name} ="
    );
    let retrieved = (0..5)
        .map(|rank| {
            let chunk = chunks[(i + rank * NAMES.len() * 2 + rank) % chunks.len()].clone();
            Retrieved {
                hit: chunk.text.contains(&format!("load_{name}")),
                chunk,
                rank: rank + 1,
                score: 0.41 - 0.06 * rank as f64,
                name: None,
            }
        })
        .collect();
    SampleRecord {
        split: Split::Validation,
        sample: CompletionSample {
            id: format!("{repository}/{path}:12:{}", 8 + i),
            repository: repository.into(),
            path,
            line: 12,
            left,
            right: format!("\n    print({name})\n    return 0\n"),
            target: format!(" load_{name}(argv[0], strict=False)"),
            identifier: Some(format!("load_{name}")),
        },
        retrieved,
    }
}
