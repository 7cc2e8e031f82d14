//! The reader against PyTorch's values, and its two ways of computing against each other.
#![expect(clippy::unwrap_used, reason = "a test may fail by panicking")]

mod common;
#[path = "common/numbers.rs"]
mod numbers;

use std::collections::HashMap;

use candle_core::{DType, Device, Tensor};
use llavacode::models::reader::{
    ComposedReader, CpuReader, Feed, Greedy, Output, Prediction, Prompt, Reader, ReaderWeights, Sequence, Session,
    Slot, generate, generate_together,
};
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
                .map(|at| Prediction {
                    row: at - 1,
                    token: labels[row * self.positions + at] as u32,
                })
                .collect()
        };
        (0..self.lengths.len())
            .map(|row| Sequence {
                slots: self.slots(row),
                predictions: predictions(row),
                ..Sequence::default()
            })
            .collect()
    }
}

fn feed(session: &mut dyn Session, slots: &[Slot], soft: &[f32], outputs: usize) -> Output {
    let feed = Feed {
        member: 0,
        slots,
        apart: None,
        outputs,
    };
    session.feed(&[feed], soft).unwrap().remove(0)
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
            let output = feed(reader.session(1).as_mut(), &slots, &embeds, length);
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
            let mut session = reader.session(1);
            feed(session.as_mut(), &slots[..5], &embeds, 1);
            let rest = feed(session.as_mut(), &slots[5..], &embeds, length - 5);
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
        let mut session = reader.session(1);
        let prompt = Prompt {
            slots: reference.slots(0),
            apart: None,
        };
        let generation = generate(session.as_mut(), &prompt, &embeds, greedy.len(), &|_| false).unwrap();
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
        let fails = |slots: &[Slot], apart, outputs| {
            let feed = Feed {
                member: 0,
                slots,
                apart,
                outputs,
            };
            reader.session(1).feed(&[feed], &[]).is_err()
        };
        assert!(fails(&[Slot::Token(u32::MAX)], None, 1));
        assert!(fails(&[Slot::Soft(0)], None, 1));
        assert!(fails(&[Slot::Token(1)], None, 2));
        assert!(fails(&[], None, 0));
        assert!(fails(&[Slot::Token(1); 3], Some(1..3), 1), "nothing stands behind it");
        assert!(fails(&[Slot::Token(1); 3], Some(1..1), 1), "it is empty");
        assert!(!fails(&[Slot::Token(1); 3], Some(0..2), 1));
    }
}

/// Two inputs in late fusion, with branches that share a trunk: one has a text in front, one soft tokens, one nothing.
fn fused_batch() -> Vec<Sequence> {
    let token = |id: u32| Slot::Token(id);
    let left: Vec<Slot> = (0..9).map(|at| token(3 + at * 5 % 17)).collect();
    let sequence = |front: Vec<Slot>, branches: Vec<Vec<Slot>>| {
        let apart = front.len()..front.len() + 6;
        let slots = [front, left.clone()].concat();
        let last = slots.len() - 1;
        let mut predictions = vec![Prediction { row: last, token: 7 }];
        let mut first = slots.len();
        for branch in &branches {
            predictions.push(Prediction { row: last, token: 11 });
            predictions.extend((0..branch.len()).map(|at| Prediction {
                row: first + at,
                token: 4 + at as u32,
            }));
            first += branch.len();
        }
        Sequence {
            slots,
            apart: Some(apart),
            branches,
            predictions,
        }
    };
    vec![
        sequence(
            vec![token(1), Slot::Soft(0), Slot::Soft(1), token(2)],
            vec![
                vec![token(5), token(6), token(7)],
                vec![token(8)],
                vec![token(9), token(5)],
            ],
        ),
        sequence(vec![token(1), Slot::Soft(2)], vec![]),
        sequence(vec![], vec![vec![token(4), token(3)]]),
        Sequence {
            slots: vec![token(3), Slot::Soft(1), token(4)],
            apart: None,
            branches: vec![vec![token(6)], vec![token(7), Slot::Soft(0)]],
            predictions: vec![Prediction { row: 3, token: 5 }, Prediction { row: 5, token: 9 }],
        },
    ]
}

fn soft_rows(hidden: usize) -> Vec<f32> {
    (0..3 * hidden).map(|i| (i as f32 * 0.37).sin() * 0.3).collect()
}

#[test]
fn late_fusion_and_branches_equal_the_composed_reader_under_the_same_mask() {
    for family in ["llama", "qwen2", "qwen3"] {
        let readers = readers(family);
        let soft = soft_rows(readers[0].1.config().hidden);
        let results: Vec<_> = readers
            .iter()
            .map(|(_, reader)| reader.loss_and_gradient(&fused_batch(), &soft).unwrap())
            .collect();
        let (ours, composed) = (&results[0], &results[1]);
        assert!((ours.loss - composed.loss).abs() < 1e-5 * composed.loss, "{family}");
        let scale = composed.gradient.iter().fold(0f32, |scale, g| scale.max(g.abs()));
        assert!(scale > 1e-4, "{family}: the soft tokens are read");
        let difference = largest_difference(&ours.gradient, &composed.gradient);
        assert!(difference < 1e-4 * scale, "{family}: {difference} at scale {scale}");
    }
}

#[test]
fn the_gradient_of_late_fusion_equals_finite_differences() {
    for (name, reader) in readers("llama") {
        let mut soft = soft_rows(reader.config().hidden);
        let batch = fused_batch();
        let gradient = reader.loss_and_gradient(&batch, &soft).unwrap().gradient;
        let scale = gradient.iter().fold(0f32, |scale, g| scale.max(g.abs()));
        for index in (0..soft.len()).step_by(soft.len() / 24) {
            let (at, step) = (soft[index], 5e-3);
            let mut loss = |value: f32| {
                soft[index] = value;
                reader.loss_and_gradient(&batch, &soft).unwrap().loss
            };
            let numeric = (loss(at + step) - loss(at - step)) / f64::from(2.0 * step);
            soft[index] = at;
            let error = (numeric as f32 - gradient[index]).abs();
            assert!(
                error < 2e-2 * scale,
                "{name} {index}: {numeric} against {}",
                gradient[index]
            );
        }
    }
}

#[test]
fn what_stands_in_front_changes_nothing_that_stands_apart() {
    let reader = &readers("llama")[0].1;
    let loss = |slots: Vec<Slot>, apart| {
        let last = slots.len() - 1;
        let sequence = Sequence {
            slots,
            apart,
            branches: vec![],
            predictions: vec![Prediction { row: last, token: 3 }],
        };
        reader.loss_and_gradient(&[sequence], &[]).unwrap().loss
    };
    let left: Vec<Slot> = (0..8).map(|at| Slot::Token(5 + at)).collect();
    let plain = loss(left.clone(), None);
    assert!(
        (loss(left, Some(0..6)) - plain).abs() < 1e-5,
        "nothing in front: the same prompt"
    );
}

#[test]
fn a_session_in_late_fusion_equals_training() {
    for (name, reader) in readers("qwen3") {
        let soft = soft_rows(reader.config().hidden);
        let sequence = &fused_batch()[0];
        let mut session = reader.session(2);
        let feed = Feed {
            member: 1,
            slots: &sequence.slots,
            apart: sequence.apart.clone(),
            outputs: 1,
        };
        let first = session.feed(&[feed], &soft).unwrap().remove(0);
        session.copy(1, 0).unwrap();
        let branch = &sequence.branches[0];
        let feed = Feed {
            member: 0,
            slots: branch,
            apart: None,
            outputs: branch.len(),
        };
        let rest = session.feed(&[feed], &soft).unwrap().remove(0);
        let vocab = reader.config().vocab_size;
        let logits: Vec<&[f32]> = first.logits.chunks(vocab).chain(rest.logits.chunks(vocab)).collect();
        let log_p =
            |row: usize, id: u32| f64::from(llavacode::models::reader::log_softmax_at(logits[row], id as usize));
        let expected = -(log_p(0, 11) + log_p(1, 4) + log_p(2, 5) + log_p(3, 6)) / 4.0;
        let alone = Sequence {
            branches: vec![branch.clone()],
            predictions: sequence.predictions[1..5].to_vec(),
            ..sequence.clone()
        };
        let loss = reader.loss_and_gradient(&[alone], &soft).unwrap().loss;
        assert!((loss - expected).abs() < 1e-4, "{name}: {loss} against {expected}");
    }
}

#[test]
fn completions_made_together_equal_those_made_alone() {
    for (name, reader) in readers("llama") {
        let soft = soft_rows(reader.config().hidden);
        let prompts: Vec<Prompt> = fused_batch()
            .into_iter()
            .map(|sequence| Prompt {
                slots: sequence.slots,
                apart: sequence.apart,
            })
            .collect();
        let alone: Vec<Vec<u32>> = prompts
            .iter()
            .enumerate()
            .map(|(index, prompt)| {
                let ends = |tokens: &[u32]| tokens.len() > 3 * index;
                generate(reader.session(1).as_mut(), prompt, &soft, 9, &ends)
                    .unwrap()
                    .tokens
            })
            .collect();
        let mut session = reader.session(2 * prompts.len());
        let borrowed: Vec<&Prompt> = prompts.iter().collect();
        let ends = |member: usize, tokens: &[u32]| tokens.len() > 3 * (member / 2);
        let together = generate_together(session.as_mut(), &borrowed, 2, &soft, 9, &mut Greedy, &ends).unwrap();
        for (index, tokens) in alone.iter().enumerate() {
            assert_eq!(&together[2 * index].tokens, tokens, "{name} {index}");
            assert_eq!(&together[2 * index + 1].tokens, tokens, "{name} {index}, second copy");
        }
    }
}

#[test]
fn long_prompts_equal_the_composed_reader() {
    let slots: Vec<Slot> = (0..1100).map(|at| Slot::Token(at * at % 23)).collect();
    let outputs: Vec<Output> = readers("llama")
        .iter()
        .map(|(_, reader)| feed(reader.session(1).as_mut(), &slots, &[], 700))
        .collect();
    assert!(largest_difference(&outputs[0].logits, &outputs[1].logits) < 2e-4);
}

#[test]
fn kept_contexts_come_back_from_disk_as_they_were() {
    let folder = tempfile::tempdir().unwrap();
    let soft = soft_rows(readers("llama")[0].1.config().hidden);
    let result = || {
        let mut reader = readers("llama").remove(0).1;
        reader.keep_contexts_in(folder.path());
        reader.loss_and_gradient(&fused_batch(), &soft).unwrap()
    };
    let (computed, read) = (result(), result());
    assert_eq!(computed.loss, read.loss);
    assert_eq!(computed.gradient, read.gradient);
    let files = || {
        std::fs::read_dir(folder.path())
            .unwrap()
            .map(|entry| entry.unwrap().path())
    };
    assert_eq!(files().count(), 1, "all three have the same left context");
    for file in files() {
        let bytes = std::fs::read(&file).unwrap();
        std::fs::write(&file, &bytes[..bytes.len() / 2]).unwrap();
    }
    assert_eq!(result().loss, computed.loss, "half a file is computed again");
    let exact = readers("llama")[0].1.loss_and_gradient(&fused_batch(), &soft).unwrap();
    assert!((exact.loss - computed.loss).abs() < 1e-3, "f16 costs little");
}

#[test]
fn a_context_that_grows_is_computed_behind_its_beginning() {
    let reader = readers("llama").remove(0).1;
    let soft = soft_rows(reader.config().hidden);
    let logits = |reader: &dyn Reader, length: u32, reuse: bool| {
        let mut slots = vec![Slot::Token(1), Slot::Soft(0)];
        slots.extend((0..length).map(|at| Slot::Token(3 + at * 5 % 17)));
        let mut session = reader.session(1);
        if reuse {
            session.reuse_beginnings();
        }
        let apart = Some(2..slots.len() - 3);
        let feed = Feed {
            member: 0,
            slots: &slots,
            apart,
            outputs: 1,
        };
        session.feed(&[feed], &soft).unwrap().remove(0).logits
    };
    // Somebody types, deletes, and types again.
    for length in [20, 21, 22, 30, 22, 12, 13] {
        let fresh = readers("llama").remove(0).1;
        let (typed, fresh) = (
            logits(reader.as_ref(), length, true),
            logits(fresh.as_ref(), length, false),
        );
        assert!(largest_difference(&typed, &fresh) < 1e-4, "{length} tokens");
    }
}
