//! The encoder, its cache, the projector, the losses and the optimiser against reference values of PyTorch.
#![expect(clippy::unwrap_used, reason = "a test may fail by panicking")]

#[path = "vectors/bench.rs"]
mod bench;
mod common;
#[path = "vectors/compression.rs"]
mod compression;
#[path = "vectors/encoder_files.rs"]
mod encoder_files;
#[path = "vectors/encoders.rs"]
mod encoders;
#[path = "vectors/layouts.rs"]
mod layouts;
#[path = "common/middle.rs"]
mod middle;
#[path = "vectors/objective.rs"]
mod objective;
#[path = "common/toy.rs"]
mod toy;

use std::collections::HashMap;
use std::path::Path;
use std::sync::atomic::{AtomicUsize, Ordering};

use candle_core::{Device, Tensor};
use common::fixtures;
use llavacode::experiment::RewardForm;
use llavacode::models::ModelError;
use llavacode::models::encoder::{Encoder, VectorCache};
use llavacode::projector::{Projector, ProjectorError};
use llavacode::training::objective::{AlignmentMemory, CosineDifference, advantages, policy_loss};
use llavacode::training::optimizer::{AdamW, AdamWSettings};
use llavacode::training::schedule::cosine_factor;
use llavacode::training::{GradientFault, TrainingError};
use serde_json::Value;

fn tensors(path: &Path) -> HashMap<String, Tensor> {
    candle_core::safetensors::load(path, &Device::Cpu).unwrap()
}

fn json(path: &Path) -> Value {
    serde_json::from_str(&std::fs::read_to_string(path).unwrap()).unwrap()
}

fn numbers(tensor: &Tensor) -> Vec<f32> {
    tensor.flatten_all().unwrap().to_vec1().unwrap()
}

fn assert_close(found: &Tensor, expected: &Tensor, tolerance: f32, what: &str) {
    assert_eq!(found.dims(), expected.dims(), "{what}");
    for (a, b) in numbers(found).iter().zip(numbers(expected)) {
        assert!((a - b).abs() <= tolerance, "{what}: {a} instead of {b}");
    }
}

fn assert_relative(found: f64, expected: &Value, what: &str) {
    let expected = expected.as_f64().unwrap();
    let difference = (found - expected).abs();
    assert!(
        difference <= 1e-4 * expected.abs(),
        "{what}: {found} instead of {expected}"
    );
}

fn scalar(tensor: &Tensor) -> f64 {
    f64::from(tensor.to_scalar::<f32>().unwrap())
}

/// Tensors whose name begins with `prefix`, without it.
fn below(tensors: &HashMap<String, Tensor>, prefix: &str) -> HashMap<String, Tensor> {
    let inner = |(name, tensor): (&String, &Tensor)| Some((name.strip_prefix(prefix)?.to_owned(), tensor.clone()));
    tensors.iter().filter_map(inner).collect()
}

/// The training of the reference: its loss, its optimiser, three steps, resumed after the second by another optimiser.
fn train_as_the_reference(depth: usize) {
    let folder = fixtures().join("projector");
    let reference = tensors(&folder.join(format!("depth{depth}.safetensors")));
    let log = json(&folder.join(format!("depth{depth}.json")));
    let (x, goal) = (&reference["x"], &reference["goal"]);
    let mut projector = Projector::new(24, 16, depth, 0, &Device::Cpu).unwrap();
    projector.load_tensors(&below(&reference, "init.")).unwrap();
    let settings = AdamWSettings::default();
    let mut optimizer = AdamW::new(settings, projector.parameters()).unwrap();
    for step in 0..3 {
        let line = &log[step];
        let y = projector.forward(x).unwrap();
        let difference = CosineDifference::new(x, &y, &AlignmentMemory::default()).unwrap();
        let off_diagonal = difference.mean_square().unwrap();
        let all = difference.mean_square_all().unwrap();
        let frobenius = difference.frobenius().unwrap();
        assert_relative(
            scalar(&off_diagonal),
            &line["alignment_mse_offdiagonal"],
            "off-diagonal",
        );
        assert_relative(scalar(&all), &line["alignment_mse_all"], "all");
        assert_relative(scalar(&frobenius), &line["alignment_frobenius"], "frobenius");
        let square = y.sub(goal).unwrap().sqr().unwrap().mean_all().unwrap();
        let loss = ((square * 0.9).unwrap() + (off_diagonal * 0.1).unwrap()).unwrap();
        assert_relative(scalar(&loss), &line["loss"], "loss");
        let gradients = loss.backward().unwrap();
        let report = optimizer.step(projector.parameters(), &gradients, 1e-2).unwrap();
        assert_relative(report.gradient_norm, &line["grad_norm_before_clip"], "norm");
        if step == 0 {
            assert_close(&y, &reference["y0"], 1e-4, "outputs");
            // After one step from zero the first moment is the clipped gradient times (1 - beta1).
            let state: HashMap<_, _> = optimizer.state().into_iter().collect();
            for (name, expected) in below(&reference, "clipped_grad0.") {
                let clipped = (&state[&format!("first.{name}")] / (1.0 - settings.beta1)).unwrap();
                let largest = numbers(&expected).iter().fold(0f32, |most, g| most.max(g.abs()));
                assert_close(&clipped, &expected, 1e-3 * largest, &name);
            }
        }
        let expected = below(&reference, &format!("step{}.", step + 1));
        assert_eq!(expected.len(), projector.parameters().len());
        for (name, found) in projector.tensors() {
            assert_close(&found, &expected[&name], 1e-4, &name);
        }
        if step == 1 {
            let state = optimizer.state().into_iter().collect();
            optimizer = AdamW::new(settings, projector.parameters()).unwrap();
            optimizer.load_state(&state, 2).unwrap();
        }
    }
}

#[test]
fn two_layers_train_as_in_pytorch() {
    train_as_the_reference(2);
}

#[test]
fn three_layers_train_as_in_pytorch() {
    train_as_the_reference(3);
}

#[test]
fn parameter_counts_are_those_of_the_paper() {
    let counts = json(&fixtures().join("projector/parameter_counts.json"));
    for (name, count) in counts.as_object().unwrap() {
        let (encoder, rest) = name.split_once("->").unwrap();
        let (reader, depth) = rest.split_once(" depth ").unwrap();
        let [encoder, reader, depth] = [encoder, reader, depth].map(|number| number.parse().unwrap());
        let projector = Projector::new(encoder, reader, depth, 0, &Device::Cpu).unwrap();
        assert_eq!(projector.parameter_count() as u64, count.as_u64().unwrap(), "{name}");
    }
}

#[test]
fn the_schedule_is_that_of_transformers() {
    let expected = json(&fixtures().join("projector/cosine_schedule.json"));
    let [warmup, total] = ["warmup", "total"].map(|key| expected[key].as_u64().unwrap() as usize);
    for (step, factor) in expected["factor"].as_array().unwrap().iter().enumerate() {
        assert!((cosine_factor(step, warmup, total) - factor.as_f64().unwrap()).abs() < 1e-12);
    }
}

#[test]
fn rewards_become_the_losses_of_the_reference() {
    let reference = json(&fixtures().join("rl_losses.json"));
    let floats = |value: &Value| -> Vec<f64> {
        let numbers = value.as_array().unwrap().iter();
        numbers.map(|number| number.as_f64().unwrap()).collect()
    };
    let rows = |key: &str| -> Vec<Vec<f64>> { reference[key].as_array().unwrap().iter().map(floats).collect() };
    // The reference says which tokens count; here a rollout ends with the last one that does.
    let counted = |(row, mask): (Vec<f64>, Vec<f64>)| -> Vec<f64> {
        let tokens = row.into_iter().zip(mask).filter(|(_, counts)| *counts > 0.0);
        tokens.map(|(log_probability, _)| log_probability).collect()
    };
    let log_probabilities: Vec<Vec<f64>> = rows("logp").into_iter().zip(rows("mask")).map(counted).collect();
    let rewards = floats(&reference["reward"]);
    let greedy = reference["greedy_reward"].as_f64().unwrap();
    let loss = |form, baseline| policy_loss(form, &log_probabilities, &advantages(form, &rewards, baseline));
    // A loss may lie near zero though its summands, which the reference rounds to single precision, do not.
    let holds = |found: f64, key: &str| {
        let expected = reference[key].as_f64().unwrap();
        let difference = (found - expected).abs();
        assert!(
            difference <= 1e-4 * (1.0 + expected.abs()),
            "{key}: {found} instead of {expected}"
        );
    };

    let imitated = advantages(RewardForm::GreedyImitation, &rewards[..1], 0.0);
    let imitation = policy_loss(RewardForm::GreedyImitation, &log_probabilities[..1], &imitated);
    holds(imitation, "greedy_imitation_row0");
    holds(loss(RewardForm::Scst, greedy), "scst");
    // REINFORCE with the greedy reward as its running mean is SCST.
    holds(loss(RewardForm::Reinforce, greedy), "scst");
    holds(loss(RewardForm::Rloo, 0.0), "rloo");
    holds(loss(RewardForm::Grpo, 0.0), "grpo_on_policy_token_mean_per_sequence");
    let expected = floats(&reference["grpo_advantage_population_std_eps_1e-6"]);
    for (found, expected) in advantages(RewardForm::Grpo, &rewards, 0.0).iter().zip(expected) {
        assert!((found - expected).abs() < 1e-4, "{found} instead of {expected}");
    }
}

fn sample(rows: usize, width: usize) -> Tensor {
    let values: Vec<f32> = (0..rows * width).map(|i| (i as f32 * 0.7).sin()).collect();
    Tensor::from_vec(values, (rows, width), &Device::Cpu).unwrap()
}

#[test]
fn initial_weights_follow_the_seed_and_have_their_spread() {
    let weights = |seed| {
        let projector = Projector::new(64, 48, 2, seed, &Device::Cpu).unwrap();
        let tensors: HashMap<_, _> = projector.tensors().into_iter().collect();
        numbers(&tensors["linears.0.weight"])
    };
    assert_eq!(weights(1), weights(1));
    assert_ne!(weights(1), weights(2));
    let all = weights(1);
    let deviation = (all.iter().map(|w| w * w).sum::<f32>() / all.len() as f32).sqrt();
    assert!((deviation - 0.02).abs() < 0.001, "{deviation}");
}

#[test]
fn outputs_are_moved_to_where_the_token_embeddings_lie() {
    for depth in [2, 3] {
        let mut projector = Projector::new(12, 8, depth, 5, &Device::Cpu).unwrap();
        let mean: Vec<f32> = (0..8).map(|i| i as f32 * 0.3 - 1.0).collect();
        let x = sample(40, 12);
        projector.match_embeddings(&x, &mean, 2.34).unwrap();
        let rows = projector.forward(&x).unwrap().to_vec2::<f32>().unwrap();
        let centre: Vec<f32> = (0..8)
            .map(|i| rows.iter().map(|row| row[i]).sum::<f32>() / 40.0)
            .collect();
        for (found, expected) in centre.iter().zip(&mean) {
            assert!((found - expected).abs() < 1e-3);
        }
        let distance = |row: &Vec<f32>| {
            let square: f32 = row.iter().zip(&centre).map(|(a, b)| (a - b).powi(2)).sum();
            square.sqrt()
        };
        let deviation = rows.iter().map(distance).sum::<f32>() / 40.0;
        assert!((deviation - 2.34).abs() < 1e-3, "{deviation}");
    }
}

#[test]
fn a_sample_without_spread_and_a_foreign_checkpoint_are_refused() {
    let mut projector = Projector::new(12, 8, 2, 5, &Device::Cpu).unwrap();
    let before = projector.tensors();
    let result = projector.match_embeddings(&sample(1, 12), &[0.0; 8], 1.0);
    assert!(matches!(result, Err(ProjectorError::NoSpread(_))));
    let tensors = |projector: &Projector| projector.tensors().into_iter().collect::<HashMap<_, _>>();
    let wider = tensors(&Projector::new(13, 8, 2, 5, &Device::Cpu).unwrap());
    let result = projector.load_tensors(&wider);
    assert!(matches!(result, Err(ProjectorError::Shape { name, .. }) if name == "linears.0.weight"));
    let mut deeper = Projector::new(12, 8, 3, 5, &Device::Cpu).unwrap();
    let result = deeper.load_tensors(&tensors(&projector));
    assert!(matches!(
        result,
        Err(ProjectorError::Missing(_) | ProjectorError::Shape { .. })
    ));
    for ((_, a), (_, b)) in before.iter().zip(projector.tensors()) {
        assert_eq!(numbers(a), numbers(&b));
    }
}

#[test]
fn a_loss_that_does_not_reach_a_tensor_is_named() {
    let projector = Projector::new(12, 8, 2, 5, &Device::Cpu).unwrap();
    let fault = |loss: Tensor| {
        let mut optimizer = AdamW::new(AdamWSettings::default(), projector.parameters()).unwrap();
        let gradients = loss.backward().unwrap();
        match optimizer.step(projector.parameters(), &gradients, 1e-3) {
            Err(TrainingError::NoGradient { tensor, kind }) => (tensor, kind),
            _ => panic!("the step must fail"),
        }
    };
    let y = projector.forward(&sample(4, 12)).unwrap();
    let zero = fault(y.mul(&y.zeros_like().unwrap()).unwrap().sum_all().unwrap());
    assert_eq!(zero, ("linears.0.bias".into(), GradientFault::Zero));
    let infinite = fault((y.sum_all().unwrap() * f64::INFINITY).unwrap());
    assert_eq!(infinite.1, GradientFault::NotFinite);
    let last_bias = projector.parameters().iter().find(|(name, _)| name == "linears.1.bias");
    let missing = fault(last_bias.unwrap().1.sum_all().unwrap());
    assert_eq!(missing, ("linears.0.bias".into(), GradientFault::Missing));
}

#[test]
fn only_matrices_decay() {
    let projector = Projector::new(12, 8, 2, 5, &Device::Cpu).unwrap();
    let step = |weight_decay| {
        let copy = Projector::new(12, 8, 2, 5, &Device::Cpu).unwrap();
        let settings = AdamWSettings {
            weight_decay,
            ..AdamWSettings::default()
        };
        let mut optimizer = AdamW::new(settings, copy.parameters()).unwrap();
        let loss = copy.forward(&sample(4, 12)).unwrap().sqr().unwrap().sum_all().unwrap();
        let gradients = loss.backward().unwrap();
        optimizer.step(copy.parameters(), &gradients, 0.1).unwrap();
        copy.tensors()
    };
    let before = projector.tensors();
    for (((name, start), (_, plain)), (_, decayed)) in before.iter().zip(step(0.0)).zip(step(0.5)) {
        let decay = if name.starts_with("linears") && name.ends_with("weight") {
            0.05
        } else {
            0.0
        };
        let expected = (plain - (start * decay).unwrap()).unwrap();
        assert_close(&decayed, &expected, 1e-6, name);
    }
}

/// Makes a vector of a text's length and counts how many it made.
struct Counting {
    encoded: AtomicUsize,
}

impl Encoder for Counting {
    fn fingerprint(&self) -> &str {
        "counting"
    }

    fn width(&self) -> usize {
        3
    }

    fn tokens(&self, text: &str) -> Result<usize, ModelError> {
        Ok(text.len())
    }

    fn encode(&self, texts: &[&str]) -> Result<Vec<Vec<f32>>, ModelError> {
        self.encoded.fetch_add(texts.len(), Ordering::Relaxed);
        Ok(texts.iter().map(|text| vec![text.len() as f32, 0.5, -1.0]).collect())
    }
}

fn get(cache: &mut VectorCache, encoder: &Counting, texts: &[&str]) -> Vec<Vec<f32>> {
    cache.get_or_encode(encoder, texts, &mut |_, _| true).unwrap()
}

#[test]
fn a_text_is_encoded_once_for_all_processes() {
    let folder = tempfile::tempdir().unwrap();
    let encoder = Counting {
        encoded: AtomicUsize::new(0),
    };
    let open = || VectorCache::open(folder.path(), "counting", 3).unwrap();
    let (mut one, mut two) = (open(), open());
    let expected = vec![vec![1.0, 0.5, -1.0], vec![2.0, 0.5, -1.0], vec![1.0, 0.5, -1.0]];
    assert_eq!(get(&mut one, &encoder, &["a", "bb", "a"]), expected);
    assert_eq!(encoder.encoded.load(Ordering::Relaxed), 2);
    // Another process, opened at the same time, does not see them and writes its own.
    get(&mut two, &encoder, &["bb", "ccc"]);
    get(&mut one, &encoder, &["dddd"]);
    assert_eq!(encoder.encoded.load(Ordering::Relaxed), 5);
    let mut later = open();
    assert_eq!(later.len(), 4);
    assert_eq!(
        get(&mut later, &encoder, &["dddd", "ccc", "bb", "a"])[0],
        [4.0, 0.5, -1.0]
    );
    assert_eq!(encoder.encoded.load(Ordering::Relaxed), 5);
}

#[test]
fn what_a_stopped_run_encoded_is_kept() {
    let folder = tempfile::tempdir().unwrap();
    let encoder = Counting {
        encoded: AtomicUsize::new(0),
    };
    let texts: Vec<String> = (0..100).map(|i| format!("text {i}")).collect();
    let texts: Vec<&str> = texts.iter().map(String::as_str).collect();
    let mut cache = VectorCache::open(folder.path(), "counting", 3).unwrap();
    let result = cache.get_or_encode(&encoder, &texts, &mut |done, total| done < total / 2);
    assert!(matches!(result, Err(ModelError::Cancelled)));
    let kept = encoder.encoded.load(Ordering::Relaxed);
    assert!((1..100).contains(&kept));
    let mut cache = VectorCache::open(folder.path(), "counting", 3).unwrap();
    assert_eq!(get(&mut cache, &encoder, &texts).len(), 100);
    assert_eq!(encoder.encoded.load(Ordering::Relaxed), 100);
}

#[test]
fn a_torn_or_damaged_row_is_encoded_again() {
    let folder = tempfile::tempdir().unwrap();
    let encoder = Counting {
        encoded: AtomicUsize::new(0),
    };
    get(
        &mut VectorCache::open(folder.path(), "counting", 3).unwrap(),
        &encoder,
        &["a", "bb", "ccc"],
    );
    let files = walkdir::WalkDir::new(folder.path())
        .into_iter()
        .map(|entry| entry.unwrap());
    let file = files.into_iter().find(|entry| entry.file_type().is_file()).unwrap();
    let bytes = std::fs::read(file.path()).unwrap();
    let row = bytes.len() / 3;

    std::fs::write(file.path(), &bytes[..bytes.len() - 5]).unwrap();
    let cache = VectorCache::open(folder.path(), "counting", 3).unwrap();
    assert_eq!(cache.len(), 2);

    let mut damaged = bytes.clone();
    damaged[row + 40] ^= 1;
    std::fs::write(file.path(), damaged).unwrap();
    let mut cache = VectorCache::open(folder.path(), "counting", 3).unwrap();
    assert_eq!(cache.len(), 1);
    assert_eq!(
        get(&mut cache, &encoder, &["a", "bb", "ccc"]),
        [[1.0, 0.5, -1.0], [2.0, 0.5, -1.0], [3.0, 0.5, -1.0]]
    );
}
