//! The figures of a large run: how soon it is seen, and what a frame takes while a person scrubs. Measured, never judged by a clock.

use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use egui_kittest::kittest::Queryable as _;
use llavacode::app::{Action, Station};
use llavacode::corpus::Chunk;
use llavacode::experiment::Experiment;
use llavacode::runs::{EventKind, Manifest, ProbeRecord, RunWriter, SCHEMA_VERSION, ScalarRecord, TokenSample};
use rand::{Rng as _, SeedableRng as _};
use rand_chacha::ChaCha8Rng;

use super::demo_run::chunk;
use super::harness::{act, workbench};

const STEPS: usize = 10_000;
const PROBES: usize = 500;
const CHUNKS: usize = 512;
const ENCODER_WIDTH: usize = 384;
const READER_WIDTH: usize = 576;

/// Writes a run that collapses slowly.
pub fn write(runs_dir: &Path) -> PathBuf {
    let mut experiment = Experiment {
        name: "large".into(),
        ..Experiment::default()
    };
    experiment.schedule.steps = STEPS;
    experiment.schedule.probe_every = STEPS / PROBES;
    experiment.schedule.probe_chunks = CHUNKS;
    let manifest = Manifest {
        schema: SCHEMA_VERSION,
        started: "2026-11-24T08:12:00Z".into(),
        ..Manifest::default()
    };
    let mut writer = RunWriter::create(runs_dir, &experiment, &manifest).unwrap();
    let folder = writer.folder().to_owned();
    let chunks: Vec<Chunk> = (0..CHUNKS).map(chunk).collect();
    writer.probe_chunks(&chunks).unwrap();
    writer.event(EventKind::Start, 0, "").unwrap();
    let mut random = ChaCha8Rng::seed_from_u64(1);
    let mut uniform = |count: usize| -> Vec<f32> { (0..count).map(|_| random.random_range(-1.0..1.0)).collect() };
    let table = uniform(2000 * READER_WIDTH);
    writer
        .token_sample(&TokenSample::draw(&table, READER_WIDTH, 1))
        .unwrap();
    let encoder = uniform(CHUNKS * ENCODER_WIDTH);
    let (common, own, drift) = (
        uniform(READER_WIDTH),
        uniform(CHUNKS * READER_WIDTH),
        uniform(CHUNKS * READER_WIDTH),
    );
    for at in 0..PROBES {
        let progress = at as f32 / PROBES as f32;
        let value = |at: usize| 3.0 * progress * common[at % READER_WIDTH] + own[at] + progress * drift[at];
        writer
            .probe(&ProbeRecord {
                step: at * STEPS / PROBES,
                rows: CHUNKS,
                encoder: encoder.clone(),
                projected: (0..own.len()).map(value).collect(),
                token_norm_quantiles: [12.9, 13.9, 14.8],
            })
            .unwrap();
    }
    writer.event(EventKind::End, STEPS, "").unwrap();
    drop(writer);
    // Whole at once: a line at a time is synced ten thousand times.
    let lines = (1..=STEPS).map(|step| serde_json::to_string(&scalar(step)).unwrap() + "\n");
    std::fs::write(folder.join("scalars.jsonl"), lines.collect::<String>()).unwrap();
    folder
}

fn scalar(step: usize) -> ScalarRecord {
    let loss = 2.3 + (-(step as f64) / 900.0).exp();
    ScalarRecord {
        step,
        samples: 8 * step,
        tokens: 1216 * step,
        seconds: step as f64 * 1.6,
        loss,
        terms: [("cross_entropy".into(), loss)].into(),
        gradient_norm: 1.0,
        learning_rate: 5e-4,
        samples_per_second: 5.0,
    }
}

fn percentile(times: &mut [Duration], share: f64) -> f64 {
    times.sort_unstable();
    times[((times.len() - 1) as f64 * share) as usize].as_secs_f64() * 1e3
}

#[test]
#[ignore = "writes a gigabyte and measures for minutes; run it by name with --nocapture"]
fn figures_of_a_large_run() {
    let folder = std::env::var_os("LLAVACODE_LARGE_RUN").map(PathBuf::from);
    let runs = tempfile::tempdir().unwrap();
    let (runs_dir, run) = match &folder {
        Some(run) => (run.parent().unwrap().to_owned(), run.clone()),
        None => (runs.path().to_owned(), write(runs.path())),
    };
    for pass in ["nothing kept", "numbers kept"] {
        let (mut h, _) = workbench(&runs_dir, true);
        act(&mut h, Action::Go(Station::Collapse));
        let started = Instant::now();
        act(&mut h, Action::Focus(run.clone()));
        while h.query_by_label_contains("projected mean cosine").is_none() {
            h.step();
            std::thread::sleep(Duration::from_millis(2));
        }
        println!("{pass}: seen after {:.2} s", started.elapsed().as_secs_f64());
        for view in [
            "cosine of every pair",
            "differences",
            "among tokens",
            "instruments over steps",
        ] {
            h.get_by_label(view).click();
            h.step();
            let (mut frames, mut whole) = (Vec::new(), Vec::new());
            for at in 0..150 {
                let step = (at * 37 % PROBES) * STEPS / PROBES;
                let ctx = h.ctx.clone();
                h.state_mut().act(&ctx, Action::PinStep(Some(step)));
                let before = Instant::now();
                h.step();
                frames.push(before.elapsed());
                let shapes = h.output().shapes.clone();
                let before = Instant::now();
                let painted = h.ctx.tessellate(shapes, 1.0);
                whole.push(frames[frames.len() - 1] + before.elapsed());
                assert!(!painted.is_empty());
                std::thread::sleep(Duration::from_millis(12));
            }
            println!(
                "{pass}, {view}: frame median {:.1} ms, 95% {:.1} ms; with tessellation {:.1} and {:.1} ms; program time 95% {:.1} ms",
                percentile(&mut frames, 0.5),
                percentile(&mut frames, 0.95),
                percentile(&mut whole, 0.5),
                percentile(&mut whole, 0.95),
                h.state().state().frames.p95().unwrap(),
            );
        }
        let started = Instant::now();
        while h.query_by_label_contains("eading probes").is_some() && started.elapsed() < Duration::from_secs(420) {
            h.step();
            std::thread::sleep(Duration::from_millis(100));
        }
        println!(
            "{pass}: every probe read after {:.0} s more",
            started.elapsed().as_secs_f64()
        );
    }
}
