//! The figures of a large evaluation: 5,000 samples with five arms. Measured, never judged by a clock.

use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use egui_kittest::Harness;
use egui_kittest::kittest::Queryable as _;
use llavacode::app::{Action, Station};
use llavacode::corpus::{CompletionSample, Split};
use llavacode::evaluation::{Arm, CompletionRecord, Scores, summarise};
use llavacode::retrieval::Retrieved;
use llavacode::runs::SampleRecord;
use llavacode::ui::Workbench;
use rand::{Rng as _, SeedableRng as _};
use rand_chacha::ChaCha8Rng;

use super::demo_run::{Demo, chunk};
use super::harness::{act, workbench};

const SAMPLES: usize = 5_000;
const ARMS: [Arm; 5] = [
    Arm::NoContext,
    Arm::Compressed,
    Arm::FullRag,
    Arm::ShuffledContext,
    Arm::MeanVector,
];

fn sample(i: usize) -> SampleRecord {
    let line = |at: usize| format!("    value_{at} = compute_{}(first, second, strict=True)\n", at * 7 % 40);
    let retrieved = (0..5).map(|rank| Retrieved {
        chunk: chunk(i * 5 + rank),
        rank: rank + 1,
        score: 0.5 - 0.05 * rank as f64,
        hit: (i + rank).is_multiple_of(6),
        name: None,
    });
    SampleRecord {
        split: Split::Validation,
        sample: CompletionSample {
            id: format!("repository{}/src/module_{}.py:{}:8", i % 40, i % 300, i),
            repository: format!("repository{}", i % 40),
            path: format!("src/module_{}.py", i % 300),
            line: 60 + i,
            left: (0..60).map(line).collect(),
            right: (60..64).map(line).collect(),
            target: format!(" load_{}(argv[0], strict=False, index={i})", i % 90),
            identifier: Some(format!("load_{}", i % 90)),
        },
        retrieved: retrieved.collect(),
    }
}

/// Writes a run with one evaluation, whole at once: line by line it is synced thousands of times.
fn write(runs_dir: &Path) -> PathBuf {
    let mut demo = Demo::start(runs_dir, "large", true);
    let folder = demo.folder();
    demo.end();
    drop(demo);
    let mut random = ChaCha8Rng::seed_from_u64(4);
    let samples: Vec<SampleRecord> = (0..SAMPLES).map(sample).collect();
    let mut completions = Vec::new();
    for one in &samples {
        for arm in ARMS {
            let right = random.random_bool(0.4);
            let similarity = if right { 100.0 } else { random.random_range(10.0..90.0) };
            completions.push(CompletionRecord {
                sample: one.sample.id.clone(),
                arm,
                prompt_tokens: if arm == Arm::FullRag {
                    500 + random.random_range(0..60)
                } else {
                    131
                },
                text: if right {
                    one.sample.target.clone()
                } else {
                    "load_something_else(argv)".into()
                },
                scores: Scores {
                    em_token: f64::from(u8::from(right)),
                    es_levenshtein: similarity,
                    cross_entropy: random.random_range(0.2..4.0),
                    ..Scores::default()
                },
                ttft_ms: random.random_range(20.0..400.0),
                total_ms: 600.0,
                log_probabilities: (0..12).map(|_| -random.random_range(0.0..3.0)).collect(),
                target_tokens: (0..12).map(|at| format!("tok{at}")).collect(),
                hit: Some(one.retrieved.iter().any(|found| found.hit)),
                in_window: Some(random.random_bool(0.3)),
                ..CompletionRecord::default()
            });
        }
    }
    let repository = |id: &str| id.split('/').next().unwrap_or_default().to_owned();
    let mut summary = None;
    let took = milliseconds(|| summary = Some(summarise(&completions, repository, Split::Validation, 42, 1)));
    println!("summary of {} completions: {took:.0} ms", completions.len());
    let summary = summary.unwrap();
    let evaluations = folder.join("evaluations");
    let lines = |path: PathBuf, lines: Vec<String>| {
        let mut file = std::io::BufWriter::new(std::fs::File::create(path).unwrap());
        for line in lines {
            writeln!(file, "{line}").unwrap();
        }
    };
    let json = |one: &CompletionRecord| serde_json::to_string(one).unwrap();
    lines(
        evaluations.join("step-42.jsonl"),
        completions.iter().map(json).collect(),
    );
    let json = |one: &SampleRecord| serde_json::to_string(one).unwrap();
    lines(evaluations.join("samples.jsonl"), samples.iter().map(json).collect());
    std::fs::write(
        evaluations.join("step-42.json"),
        serde_json::to_string(&summary).unwrap(),
    )
    .unwrap();
    folder
}

/// Seconds until the table stands.
fn open(runs: &Path, run: &Path) -> (Harness<'static, Workbench>, f64) {
    let (mut h, _) = workbench(runs, true);
    act(&mut h, Action::Go(Station::Compare));
    let started = Instant::now();
    act(&mut h, Action::Focus(run.to_owned()));
    while h
        .query_by_label_contains(&format!("{SAMPLES} of {SAMPLES} samples"))
        .is_none()
    {
        h.step();
        std::thread::sleep(Duration::from_millis(2));
    }
    let took = started.elapsed().as_secs_f64();
    (h, took)
}

fn percentile(times: &mut [f64], share: f64) -> f64 {
    times.sort_unstable_by(f64::total_cmp);
    times[((times.len() - 1) as f64 * share) as usize]
}

/// What the work itself took: the time of this thread on a core, so that other programs do not count; by the clock elsewhere.
fn milliseconds(work: impl FnOnce()) -> f64 {
    let on_core = || -> Option<f64> {
        let text = std::fs::read_to_string("/proc/thread-self/schedstat").ok()?;
        text.split_whitespace().next()?.parse().ok()
    };
    let (before, clock) = (on_core(), Instant::now());
    work();
    match before.zip(on_core()) {
        Some((before, after)) => (after - before) / 1e6,
        None => clock.elapsed().as_secs_f64() * 1e3,
    }
}

#[test]
#[ignore = "writes 60 MB and measures; run it by name with --nocapture"]
fn figures_of_a_large_evaluation() {
    let runs = tempfile::tempdir().unwrap();
    let run = write(runs.path());
    for pass in ["first", "second"] {
        let (mut h, opened) = open(runs.path(), &run);
        println!("{pass} opening: table after {opened:.2} s by the clock");
        let mut filtered = Vec::new();
        for text in ["l", "lo", "load_7", "load_71", "nowhere", ""] {
            let field = h.get_by_role(egui::accesskit::Role::TextInput);
            field.focus();
            h.step();
            h.key_press_modifiers(egui::Modifiers::COMMAND, egui::Key::A);
            match text.is_empty() {
                true => h.key_press(egui::Key::Delete),
                false => h.get_by_role(egui::accesskit::Role::TextInput).type_text(text),
            }
            filtered.push(milliseconds(|| h.step()));
        }
        for head in [
            "sort by ES drop",
            "sort by true line",
            "sort by place",
            "sort by full RAG",
        ] {
            h.get_by_label(head).click_accesskit();
            filtered.push(milliseconds(|| h.step()));
            filtered.push(milliseconds(|| h.step()));
        }
        println!(
            "filter or order: slowest frame {:.1} ms, median {:.1} ms",
            percentile(&mut filtered.clone(), 1.0),
            percentile(&mut filtered, 0.5)
        );
        let at = h.get_by_label("sort by true line").rect().center() + egui::vec2(0.0, 200.0);
        h.hover_at(at);
        h.step();
        let (mut frames, mut whole) = (Vec::new(), Vec::new());
        for turn in 0..300 {
            let delta = if turn < 200 { -700.0 } else { 900.0 };
            h.event(egui::Event::MouseWheel {
                unit: egui::MouseWheelUnit::Point,
                delta: egui::vec2(0.0, delta),
                phase: egui::TouchPhase::Move,
                source: egui::MouseWheelSource::Unknown,
                modifiers: egui::Modifiers::NONE,
            });
            let frame = milliseconds(|| h.step());
            let shapes = h.output().shapes.clone();
            let painted = milliseconds(|| assert!(!h.ctx.tessellate(shapes, 1.0).is_empty()));
            frames.push(frame);
            whole.push(frame + painted);
        }
        println!(
            "scrolling: frame median {:.1} ms, 95% {:.1} ms; with tessellation {:.1} and {:.1} ms; program time 95% {:.1} ms",
            percentile(&mut frames, 0.5),
            percentile(&mut frames, 0.95),
            percentile(&mut whole, 0.5),
            percentile(&mut whole, 0.95),
            h.state().state().frames.p95().unwrap()
        );
        let mut walked = Vec::new();
        h.key_press(egui::Key::Escape);
        h.step();
        for _ in 0..100 {
            h.key_press(egui::Key::J);
            walked.push(milliseconds(|| h.step()));
        }
        println!(
            "walking with j: frame median {:.1} ms, 95% {:.1} ms",
            percentile(&mut walked, 0.5),
            percentile(&mut walked, 0.95)
        );
    }
}
