//! The reader against PyTorch's values, and its two ways of computing against each other.
#![expect(clippy::unwrap_used, reason = "a test may fail by panicking")]

mod common;
#[path = "common/numbers.rs"]
mod numbers;

use std::collections::HashMap;

use candle_core::{DType, Device, Tensor};
use llavacode::models::reader::{ComposedReader, CpuReader, Reader, ReaderWeights, Sequence, Slot, generate};
use numbers::{floats, largest_difference};

struct Reference {
    tensors: HashMap<String, Tensor>,
    lengths: Vec<usize>,
    positions: usize,
    hidden: usize,
}

impl Reference {
    fn load(family: &str) -> Self {
        let path = common::fixtures().join(family).join("reference.safetensors");
        let tensors = candle_core::safetensors::load(path, &Device::Cpu).unwrap();
        let (_, positions, hidden) = tensors["inputs_embeds"].dims3().unwrap();
        let mask: Vec<Vec<f32>> = tensors["attention_mask"]
            .to_dtype(DType::F32)
            .unwrap()
            .to_vec2()
            .unwrap();
        let lengths = mask.iter().map(|row| row.iter().sum::<f32>() as usize).collect();
        Self {
            tensors,
            lengths,
            positions,
            hidden,
        }
    }

    fn floats(&self, name: &str) -> Vec<f32> {
        floats(&self.tensors[name])
    }

    /// Row `row` of the batch as soft slots.
    fn slots(&self, row: usize) -> Vec<Slot> {
        (0..self.lengths[row])
            .map(|at| Slot::Soft(row * self.positions + at))
            .collect()
    }

    fn batch(&self) -> Vec<Sequence> {
        let labels = self.floats("labels");
        let target = self.floats("target_mask");
        let predictions = |row: usize| {
            (1..self.lengths[row])
                .filter(|at| target[row * self.positions + at] > 0.0)
                .map(|at| (at - 1, labels[row * self.positions + at] as u32))
                .collect()
        };
        (0..self.lengths.len())
            .map(|row| Sequence {
                slots: self.slots(row),
                predictions: predictions(row),
            })
            .collect()
    }
}

fn readers(family: &str) -> Vec<(&'static str, Box<dyn Reader>)> {
    let folder = common::fixtures().join(family);
    let load = || ReaderWeights::load(&folder).unwrap();
    vec![
        ("cpu", Box::new(CpuReader::new(load()).unwrap())),
        ("composed", Box::new(ComposedReader::new(load(), &Device::Cpu).unwrap())),
    ]
}

fn holds_reference(family: &str) {
    let reference = Reference::load(family);
    let embeds = reference.floats("inputs_embeds");
    let (expected_logits, expected_hidden) = (reference.floats("logits"), reference.floats("last_hidden"));
    for (name, reader) in readers(family) {
        let vocab = reader.config().vocab_size;
        for row in 0..reference.lengths.len() {
            let (slots, length) = (reference.slots(row), reference.lengths[row]);
            let output = reader.session().feed(&slots, &embeds, length).unwrap();
            let first = row * reference.positions;
            let logits = &expected_logits[first * vocab..(first + length) * vocab];
            let hidden = &expected_hidden[first * reference.hidden..(first + length) * reference.hidden];
            assert!(
                largest_difference(&output.logits, logits) < 1e-4,
                "{family} {name} logits of row {row}"
            );
            assert!(
                largest_difference(&output.hidden, hidden) < 1e-4,
                "{family} {name} hidden states of row {row}"
            );

            // The same positions fed in two parts give the same output.
            let mut session = reader.session();
            session.feed(&slots[..5], &embeds, 1).unwrap();
            let rest = session.feed(&slots[5..], &embeds, length - 5).unwrap();
            assert!(
                largest_difference(&rest.logits, &logits[5 * vocab..]) < 1e-4,
                "{family} {name} cached row {row}"
            );
        }

        let result = reader.loss_and_gradient(&reference.batch(), &embeds).unwrap();
        let loss = f64::from(reference.floats("loss")[0]);
        assert!(
            (result.loss - loss).abs() < 1e-4 * loss,
            "{family} {name}: loss {} is not {loss}",
            result.loss
        );
        let gradient = reference.floats("grad_inputs_embeds");
        let scale = gradient.iter().map(|g| g.abs()).fold(0.0, f32::max);
        let difference = largest_difference(&result.gradient, &gradient);
        assert!(
            difference < 1e-3 * scale,
            "{family} {name}: gradient differs by {difference} at scale {scale}"
        );

        let greedy = reference.floats("greedy_row0");
        let mut session = reader.session();
        let generation = generate(session.as_mut(), &reference.slots(0), &embeds, greedy.len(), &|_| false).unwrap();
        let tokens: Vec<f32> = generation.tokens.iter().map(|&id| id as f32).collect();
        assert_eq!(tokens, greedy, "{family} {name} greedy tokens");
    }
}

#[test]
fn llama_equals_pytorch() {
    holds_reference("llama");
}

#[test]
fn qwen2_equals_pytorch() {
    holds_reference("qwen2");
}

#[test]
fn qwen3_equals_pytorch() {
    holds_reference("qwen3");
}

#[test]
fn a_slot_outside_the_vocabulary_is_an_error_and_no_panic() {
    for (_, reader) in readers("llama") {
        assert!(reader.session().feed(&[Slot::Token(u32::MAX)], &[], 1).is_err());
        assert!(reader.session().feed(&[Slot::Soft(0)], &[], 1).is_err());
        assert!(reader.session().feed(&[Slot::Token(1)], &[], 2).is_err());
        assert!(reader.session().feed(&[], &[], 0).is_err());
    }
}
