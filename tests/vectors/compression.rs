//! Several soft tokens a chunk and their scale: shapes, gradients, norms, and checkpoints of other projectors.

use std::collections::HashMap;

use candle_core::{Device, Tensor, Var};
use llavacode::collapse::{Vectors, instruments};
use llavacode::experiment::{OutputScale, ProjectorSettings};
use llavacode::projector::{Projector, ProjectorError};
use llavacode::training::objective::{AlignmentMemory, CosineDifference};
use llavacode::training::optimizer::{AdamW, AdamWSettings};

use super::{assert_close, numbers, sample, scalar};

const ENCODER: usize = 12;
const READER: usize = 8;
const NORM: f32 = 3.2;
const SCALES: [OutputScale; 3] = [OutputScale::Off, OutputScale::Fixed, OutputScale::Learned];

fn projector(depth: usize, tokens_per_chunk: usize, output_scale: OutputScale) -> Projector {
    let settings = ProjectorSettings {
        depth,
        tokens_per_chunk,
        output_scale,
        ..ProjectorSettings::default()
    };
    Projector::from_settings(&settings, [ENCODER, READER], NORM, 5, &Device::Cpu).unwrap()
}

fn tensors(projector: &Projector) -> HashMap<String, Tensor> {
    projector.tensors().into_iter().collect()
}

fn lengths(rows: &Tensor) -> Vec<f32> {
    numbers(&rows.sqr().unwrap().sum(1).unwrap().sqrt().unwrap())
}

#[test]
fn the_paper_s_projector_is_the_default_one() {
    for depth in [2, 3] {
        let (plain, default) = (
            Projector::new(ENCODER, READER, depth, 5, &Device::Cpu).unwrap(),
            projector(depth, 1, OutputScale::Off),
        );
        let x = sample(6, ENCODER);
        let [a, b] = [&plain, &default].map(|one| numbers(&one.forward(&x).unwrap()));
        assert_eq!(a, b);
        assert_eq!(numbers(&plain.chunk_vectors(&plain.forward(&x).unwrap()).unwrap()), a);
    }
}

#[test]
fn a_chunk_becomes_several_rows_that_follow_each_other() {
    for scale in SCALES {
        let projector = projector(2, 3, scale);
        let x = sample(4, ENCODER);
        let all = projector.forward(&x).unwrap();
        assert_eq!(all.dims(), [4 * 3, READER]);
        let second = projector.forward(&x.narrow(0, 1, 1).unwrap()).unwrap();
        assert_close(&all.narrow(0, 3, 3).unwrap(), &second, 1e-5, "rows of the second chunk");
        let compared = projector.chunk_vectors(&all).unwrap();
        assert_eq!(compared.dims(), [4, 3 * READER]);
        // The norm is the root mean square of those of the soft tokens.
        for (found, three) in lengths(&compared).iter().zip(lengths(&all).chunks(3)) {
            let expected = (three.iter().map(|length| length * length).sum::<f32>() / 3.0).sqrt();
            assert!((found - expected).abs() < 1e-4, "{found} instead of {expected}");
        }
    }
}

#[test]
fn more_soft_tokens_do_not_look_collapsed_before_training() {
    let x = sample(30, ENCODER);
    let cosine = |tokens_per_chunk| {
        let mut projector = projector(2, tokens_per_chunk, OutputScale::Off);
        projector.match_embeddings(&x, &[0.3; READER], 0.8).unwrap();
        let compared = projector.chunk_vectors(&projector.forward(&x).unwrap()).unwrap();
        let values = numbers(&compared);
        let vectors = Vectors::new(30, tokens_per_chunk * READER, &values).unwrap();
        instruments(&vectors).mean_cosine
    };
    let (one, eight) = (cosine(1), cosine(8));
    assert!((one - eight).abs() < 0.1, "{one} with one, {eight} with eight");
}

#[test]
fn every_tensor_is_reached_by_every_gradient() {
    let x = sample(6, ENCODER);
    let goal = sample(6 * 2, READER);
    for scale in SCALES {
        for depth in [2, 3] {
            for loss_of in ["reader", "alignment"] {
                let projector = projector(depth, 2, scale);
                let soft = projector.forward(&x).unwrap();
                // The reader hands its gradient over as a product.
                let loss = match loss_of {
                    "reader" => (&soft * &goal).unwrap().sum_all().unwrap(),
                    _ => {
                        let gain = soft.sqr().unwrap().mean_all().unwrap();
                        let compared = projector.chunk_vectors(&soft).unwrap();
                        let difference = CosineDifference::new(&x, &compared, &AlignmentMemory::default()).unwrap();
                        (difference.frobenius().unwrap() + gain).unwrap()
                    }
                };
                let gradients = loss.backward().unwrap();
                let mut optimizer = AdamW::new(AdamWSettings::default(), projector.parameters()).unwrap();
                // Fails with the name of a tensor whose gradient is missing, zero or not finite.
                optimizer.step(projector.parameters(), &gradients, 1e-3).unwrap();
                let trained = tensors(&projector).contains_key("scale");
                assert_eq!(trained, scale == OutputScale::Learned);
            }
        }
    }
}

#[test]
fn past_the_layers_goes_a_copy_of_the_vector_s_last_numbers() {
    for (encoder, tokens) in [(3 * READER, 1), (3 * READER, 2), (READER - 3, 1)] {
        let settings = ProjectorSettings {
            tokens_per_chunk: tokens,
            skip: true,
            ..ProjectorSettings::default()
        };
        let mut projector = Projector::from_settings(&settings, [encoder, READER], 1.0, 3, &Device::Cpu).unwrap();
        let x = sample(6, encoder);
        let shared = encoder.min(READER);
        let last = x.narrow(1, encoder - shared, shared).unwrap().to_vec2::<f32>().unwrap();
        let cosine = |one: &[f32], other: &[f32]| {
            let product = |a: &[f32], b: &[f32]| a.iter().zip(b).map(|(a, b)| a * b).sum::<f32>();
            product(one, other) / (product(one, one) * product(other, other)).sqrt()
        };
        let rows = |projector: &Projector| projector.forward(&x).unwrap().to_vec2::<f32>().unwrap();
        for (at, row) in rows(&projector).iter().enumerate() {
            let found = cosine(&row[..shared], &last[at / tokens]);
            assert!(found > 0.99, "row {at} of {encoder} to {tokens}: {found}");
        }
        // Moved to where the token embeddings lie, and trained as every other tensor is.
        projector.match_embeddings(&x, &[0.3; READER], 0.8).unwrap();
        let mean = projector
            .forward(&x)
            .unwrap()
            .mean(0)
            .unwrap()
            .to_vec1::<f32>()
            .unwrap();
        assert!(mean.iter().all(|value| (value - 0.3).abs() < 0.2), "{mean:?}");
        let goal = sample(6 * tokens, READER);
        let loss = (projector.forward(&x).unwrap() * goal).unwrap().sum_all().unwrap();
        let gradients = loss.backward().unwrap();
        let mut optimizer = AdamW::new(AdamWSettings::default(), projector.parameters()).unwrap();
        optimizer.step(projector.parameters(), &gradients, 1e-3).unwrap();
        assert!(tensors(&projector).contains_key("skip.weight"));
    }
}

#[test]
fn gradients_through_the_scale_equal_finite_differences() {
    let projector = projector(2, 2, OutputScale::Learned);
    let start = numbers(&sample(3, ENCODER));
    let goal = sample(6, READER);
    let at = |values: Vec<f32>| Tensor::from_vec(values, (3, ENCODER), &Device::Cpu).unwrap();
    let loss = |x: &Tensor| {
        let soft = projector.forward(x).unwrap();
        let both = (
            soft.mul(&goal).unwrap().sum_all(),
            projector.chunk_vectors(&soft).unwrap().sum_all(),
        );
        (both.0.unwrap() + both.1.unwrap()).unwrap()
    };
    let x = Var::from_tensor(&at(start.clone())).unwrap();
    let gradient = numbers(loss(&x).backward().unwrap().get(&x).unwrap());
    let largest = gradient.iter().fold(0f32, |most, value| most.max(value.abs()));
    for (i, analytic) in gradient.iter().enumerate() {
        let value = |change: f32| {
            let mut values = start.clone();
            values[i] += change;
            scalar(&loss(&at(values)))
        };
        let numeric = ((value(1e-2) - value(-1e-2)) / 2e-2) as f32;
        assert!(
            (analytic - numeric).abs() < 2e-2 * largest,
            "{analytic} against {numeric}"
        );
    }
}

#[test]
fn soft_tokens_are_as_long_as_token_embeddings_whatever_the_weights() {
    let x = sample(5, ENCODER);
    for scale in [OutputScale::Fixed, OutputScale::Learned] {
        let mut projector = projector(2, 2, scale);
        projector.match_embeddings(&x, &[0.4; READER], 2.0).unwrap();
        for length in lengths(&projector.forward(&x).unwrap()) {
            assert!((length - NORM).abs() < 1e-4, "{length}");
        }
        if scale == OutputScale::Learned {
            let mut changed = tensors(&projector);
            changed.insert("scale".into(), Tensor::from_vec(vec![0.5f32], 1, &Device::Cpu).unwrap());
            projector.load_tensors(&changed).unwrap();
            let length = lengths(&projector.forward(&x).unwrap())[0];
            assert!((length - 0.5 * NORM).abs() < 1e-4, "{length}");
        }
    }
}

#[test]
fn every_place_in_a_chunk_is_moved_to_where_the_token_embeddings_lie() {
    let mut projector = projector(3, 2, OutputScale::Off);
    let (x, mean) = (sample(40, ENCODER), [0.3; READER]);
    projector.match_embeddings(&x, &mean, 2.34).unwrap();
    let rows = projector.forward(&x).unwrap().reshape((40, 2, READER)).unwrap();
    let centres = rows.mean_keepdim(0).unwrap();
    assert!(numbers(&centres).iter().all(|value| (value - 0.3).abs() < 1e-3));
    let distances = rows.broadcast_sub(&centres).unwrap().reshape((80, READER)).unwrap();
    let deviation = lengths(&distances).iter().sum::<f32>() / 80.0;
    assert!((deviation - 2.34).abs() < 1e-3, "{deviation}");
}

#[test]
fn a_checkpoint_of_another_compression_is_refused_in_clear_words_and_changes_nothing() {
    let refuse = |to: &mut Projector, from: &Projector| {
        let before = tensors(to);
        let error = to.load_tensors(&tensors(from)).unwrap_err();
        for (name, tensor) in tensors(to) {
            assert_eq!(numbers(&tensor), numbers(&before[&name]));
        }
        error
    };
    for depth in [2, 3] {
        let error = refuse(
            &mut projector(depth, 1, OutputScale::Off),
            &projector(depth, 4, OutputScale::Off),
        );
        assert!(matches!(
            error,
            ProjectorError::TokensPerChunk { found: 4, expected: 1 }
        ));
        assert!(error.to_string().contains("projector.tokens_per_chunk is 1"), "{error}");
        let error = refuse(
            &mut projector(depth, 1, OutputScale::Off),
            &projector(depth, 1, OutputScale::Learned),
        );
        assert!(matches!(error, ProjectorError::Scaled));
        let error = refuse(
            &mut projector(depth, 1, OutputScale::Learned),
            &projector(depth, 1, OutputScale::Fixed),
        );
        assert!(error.to_string().contains("output_scale"), "{error}");
    }
    // Another depth is not taken for another number of soft tokens.
    let error = refuse(
        &mut projector(2, 2, OutputScale::Off),
        &projector(3, 1, OutputScale::Off),
    );
    assert!(!matches!(error, ProjectorError::TokensPerChunk { .. }), "{error}");
}
