//! Every term of the objective through the real decoder on a model of a few thousand weights: gradients against finite
//! differences, how far they reach, and that a term without weight leaves no trace.

use std::collections::{BTreeSet, HashMap};
use std::sync::Arc;

use candle_core::{Device, Tensor};
use llavacode::experiment::{AlignmentForm, Objective, PromptLayout, RewardForm};
use llavacode::models::ModelError;
use llavacode::models::encoder::Encoder;
use llavacode::models::reader::{ComposedReader, CpuReader, Reader, softmax};
use llavacode::projector::Projector;
use llavacode::prompt::continued;
use llavacode::training::SpelledNames;
use llavacode::training::objective::{
    AlignmentMemory, CosineDifference, LogProbabilities, NameTable, Reading, TeacherPrediction,
};
use llavacode::training::optimizer::{AdamW, AdamWSettings};
use llavacode::training::schedule::cosine_factor;

use crate::bench::{Bench, ENCODER_WIDTH, alone, terms};
use crate::numbers;

/// A projector's weighted loss and the tensor to differentiate it by, the reading being held fixed.
fn loss(
    projector: &Projector,
    encoded: &Tensor,
    objective: &Objective,
    reader: &dyn Reader,
    reading: &Reading,
) -> (f64, Tensor) {
    let soft = projector.forward(encoded).unwrap();
    let mut value = 0.0;
    let mut differentiable = (soft.sum_all().unwrap() * 0.0).unwrap();
    if !reading.is_empty() {
        let read = reading.backward(reader, &numbers(&soft)).unwrap();
        let gradient = Tensor::from_vec(read.gradient, soft.shape(), &Device::Cpu).unwrap();
        differentiable = (differentiable + (&soft * gradient).unwrap().sum_all().unwrap()).unwrap();
        value += read.terms.iter().map(|(_, value, weight)| value * weight).sum::<f64>();
    }
    if objective.alignment > 0.0 {
        let difference = CosineDifference::new(encoded, &soft, &AlignmentMemory::default()).unwrap();
        let term = match objective.alignment_form {
            AlignmentForm::Frobenius => difference.frobenius().unwrap(),
            AlignmentForm::MeanSquare => difference.mean_square().unwrap(),
        };
        value += objective.alignment * f64::from(term.to_scalar::<f32>().unwrap());
        differentiable = (differentiable + (term * objective.alignment).unwrap()).unwrap();
    }
    (value, differentiable)
}

/// A projector of the bench with one tensor moved along a direction.
fn moved(start: &HashMap<String, Tensor>, hidden: usize, name: &str, direction: &Tensor, by: f64) -> Projector {
    let mut projector = Projector::new(ENCODER_WIDTH, hidden, 2, 5, &Device::Cpu).unwrap();
    let mut tensors = start.clone();
    let tensor = (&start[name] + (direction * by).unwrap()).unwrap();
    tensors.insert(name.to_owned(), tensor);
    projector.load_tensors(&tensors).unwrap();
    projector
}

fn gradients_hold(reader: &dyn Reader, bench: &Bench, terms: &[(&str, Objective)], what: &str) {
    let hidden = reader.config().hidden;
    let vectors: Vec<f32> = bench
        .samples()
        .iter()
        .flat_map(|sample| sample.vectors.clone())
        .collect();
    let encoded = Tensor::from_vec(vectors, (8, ENCODER_WIDTH), &Device::Cpu).unwrap();
    let projector = Projector::new(ENCODER_WIDTH, hidden, 2, 5, &Device::Cpu).unwrap();
    let start: HashMap<String, Tensor> = projector.tensors().into_iter().collect();
    for (term, objective) in terms {
        let soft = numbers(&projector.forward(&encoded).unwrap());
        let reading = bench.reading(objective, reader, &soft);
        let (_, differentiable) = loss(&projector, &encoded, objective, reader, &reading);
        let gradients = differentiable.backward().unwrap();
        for (name, parameter) in projector.parameters() {
            let gradient = gradients.get(parameter).unwrap();
            let length = gradient
                .sqr()
                .unwrap()
                .sum_all()
                .unwrap()
                .to_scalar::<f32>()
                .unwrap()
                .sqrt();
            assert!(length > 0.0, "{what} {term}: no gradient reaches {name}");
            // Along its own gradient a loss grows by the gradient's length.
            let direction = (gradient / f64::from(length)).unwrap();
            let size = start[name]
                .sqr()
                .unwrap()
                .sum_all()
                .unwrap()
                .to_scalar::<f32>()
                .unwrap()
                .sqrt();
            let by = 1e-2 * f64::from(size.max(1.0));
            let at = |by: f64| {
                let projector = moved(&start, hidden, name, &direction, by);
                loss(&projector, &encoded, objective, reader, &reading).0
            };
            // Two widths together leave out the error that grows with the square of the width.
            let central = |by: f64| (at(by) - at(-by)) / (2.0 * by);
            let numeric = (4.0 * central(by / 2.0) - central(by)) / 3.0;
            let difference = (numeric - f64::from(length)).abs();
            assert!(
                difference < 0.02 * f64::from(length) + 1e-4,
                "{what} {term}, {name}: {length} against {numeric}"
            );
        }
    }
}

#[test]
fn the_gradient_of_every_term_equals_finite_differences_in_every_projector_tensor() {
    let bench = Bench::new(PromptLayout::LateFusion);
    let cpu = CpuReader::new(bench.weights()).unwrap();
    gradients_hold(&cpu, &bench, &terms(), "cpu, late fusion");
    let together = &terms()[terms().len() - 1..];
    let composed = ComposedReader::new(bench.weights(), &Device::Cpu).unwrap();
    gradients_hold(&composed, &bench, together, "composed, late fusion");
    let bench = Bench::new(PromptLayout::SoftFirst);
    gradients_hold(&cpu, &bench, together, "cpu, soft tokens first");
}

#[test]
fn every_term_is_logged_and_its_first_step_reaches_every_tensor() {
    let mut bench = Bench::new(PromptLayout::LateFusion);
    for tokens_per_chunk in [1, 3] {
        bench.experiment.projector.tokens_per_chunk = tokens_per_chunk;
        first_steps(&bench);
    }
}

/// A first step on each term.
fn first_steps(bench: &Bench) {
    let reader = CpuReader::new(bench.weights()).unwrap();
    let prompts = bench.prompts();
    for (term, objective) in terms() {
        let mut session = bench.session(reader.config().hidden, objective.clone());
        // The optimiser refuses a first step in which a tensor has no gradient, or one that is zero.
        let outcome = session
            .step(&reader, &prompts)
            .unwrap_or_else(|error| panic!("{term}: {error}"));
        let reads = objective.cross_entropy + objective.kl + objective.reward > 0.0;
        let expected = [
            ("cross_entropy", reads),
            ("entropy", reads),
            ("kl", objective.kl > 0.0),
            ("reward", objective.reward > 0.0),
            ("reward_loss", objective.reward > 0.0),
            ("reconstruction", objective.reconstruction > 0.0),
            ("alignment_mse", true),
            ("alignment_frobenius", true),
        ];
        for (name, there) in expected {
            assert_eq!(outcome.terms.contains_key(name), there, "{term}: {name}");
        }
        let named = |name: &str| outcome.terms.get(name).copied().unwrap_or(0.0);
        let alignment = match objective.alignment_form {
            AlignmentForm::Frobenius => named("alignment_frobenius"),
            AlignmentForm::MeanSquare => named("alignment_mse"),
        };
        let sum = objective.cross_entropy * named("cross_entropy")
            + objective.kl * named("kl")
            + objective.reward * named("reward_loss")
            + objective.reconstruction * named("reconstruction")
            + objective.alignment * alignment;
        assert!(
            (outcome.loss - sum).abs() < 1e-9 * sum.abs().max(1.0),
            "{term}: {} is not {sum}",
            outcome.loss
        );
    }
}

#[test]
fn terms_without_weight_leave_no_trace() {
    let mut bench = Bench::new(PromptLayout::LateFusion);
    for tokens_per_chunk in [1, 2] {
        bench.experiment.projector.tokens_per_chunk = tokens_per_chunk;
        only_cross_entropy(&bench);
    }
}

/// Trains on cross-entropy, and beside it the same with nothing else in it.
fn only_cross_entropy(bench: &Bench) {
    let reader = CpuReader::new(bench.weights()).unwrap();
    let (hidden, prompts) = (reader.config().hidden, bench.prompts());
    // One sample, so that the order of a batch is of no account.
    let samples = bench.samples()[..1].to_vec();
    let objective = alone(|objective| {
        objective.cross_entropy = 1.0;
        // What belongs to terms that are off is of no account.
        objective.reward_form = RewardForm::Grpo;
        objective.alignment_memory = 16;
    });
    let mut session = bench.session_of(&samples, hidden, objective);

    let (settings, schedule) = (&bench.experiment.projector, &bench.experiment.schedule);
    let (widths, seed) = ([ENCODER_WIDTH, hidden], bench.experiment.seed);
    let projector = Projector::from_settings(settings, widths, 1.0, seed, &Device::Cpu).unwrap();
    let settings = AdamWSettings {
        beta1: schedule.beta1,
        beta2: schedule.beta2,
        weight_decay: schedule.weight_decay,
        clip: 1.0,
        ..AdamWSettings::default()
    };
    let mut optimizer = AdamW::new(settings, projector.parameters()).unwrap();
    let warmup = (schedule.warmup * schedule.steps as f64).round() as usize;
    for step in 0..3 {
        // The watch must not move anything either.
        session.watch(&reader, &prompts).unwrap();
        let outcome = session.step(&reader, &prompts).unwrap();
        let encoded = Tensor::from_vec(samples[0].vectors.clone(), (2, ENCODER_WIDTH), &Device::Cpu).unwrap();
        let soft = projector.forward(&encoded).unwrap();
        let sample = &samples[0].prepared;
        let sequences = [continued(
            &prompts.compressed(sample, 0, 2 * projector.tokens_per_chunk()),
            &[sample.target.as_slice()],
        )];
        let read = reader.loss_and_gradient(&sequences, &numbers(&soft)).unwrap();
        let gradient = Tensor::from_vec(read.gradient, soft.shape(), &Device::Cpu).unwrap();
        let gradients = (&soft * gradient).unwrap().sum_all().unwrap().backward().unwrap();
        let rate = schedule.learning_rate * cosine_factor(step + 1, warmup, schedule.steps + 1);
        let report = optimizer.step(projector.parameters(), &gradients, rate).unwrap();
        assert_eq!(
            outcome.gradient_norm.to_bits(),
            report.gradient_norm.to_bits(),
            "step {step}"
        );
        assert!((outcome.loss - read.loss).abs() < 1e-6);
    }
    for ((name, a), (_, b)) in session.projector().tensors().iter().zip(projector.tensors()) {
        assert_eq!(numbers(a), numbers(&b), "{name}");
    }
}

#[test]
fn a_target_of_several_lines_and_its_end_are_predicted_but_not_judged_by_evaluations() {
    let mut bench = Bench::new(PromptLayout::SoftFirst);
    bench.experiment.prompt.target_tokens = 400;
    let single = bench.samples()[0].prepared.clone();
    bench.experiment.prompt.target_lines = 2;
    let (prompts, prepared) = (bench.prompts(), bench.samples()[0].prepared.clone());
    assert_eq!(prepared.target, single.target);
    assert!(single.following.is_empty());
    let target = prompts.training_target(&prepared, false).unwrap();
    let lines = format!("{}\n    return total\n", prepared.sample.target);
    assert_eq!(bench.tokenizer.text(&target), lines);
    assert!(prompts.ends_target(&target) && !prompts.ends_target(&prepared.target));
    assert!(prompts.ends_line(&prepared.target));
    assert_eq!(prompts.target_text(&target), prompts.expected_text(&prepared.sample));
    assert_eq!(prompts.target_text(&target), lines.trim());

    let ended = prompts.training_target(&prepared, true).unwrap();
    assert_eq!(ended, [target.as_slice(), &bench.tokenizer.end_of_text()[..1]].concat());
    // A target that was cut has no end.
    bench.experiment.prompt.target_tokens = 8;
    let cut = bench.samples()[0].prepared.clone();
    assert_eq!(bench.prompts().training_target(&cut, true).unwrap(), target[..8]);
}

fn logits(count: usize, offset: usize) -> Vec<f32> {
    (0..count)
        .map(|i| 4.0 * ((i * 37 + offset * 11) as f32 * 0.7).sin())
        .collect()
}

#[test]
fn the_divergence_from_the_teacher_is_exact_on_few_tokens_and_a_lower_bound_on_many() {
    let divergence = |teacher: &[f32], student: &[f32]| {
        TeacherPrediction::of(teacher)
            .divergence(student, &LogProbabilities::of(student))
            .value
    };
    let exact = |teacher: &[f32], student: &[f32]| -> f64 {
        let (t, s) = (LogProbabilities::of(teacher), LogProbabilities::of(student));
        let tokens = 0..teacher.len() as u32;
        tokens
            .map(|token| {
                let own = t.of_token(teacher, token);
                own.exp() * (own - s.of_token(student, token))
            })
            .sum()
    };
    let (teacher, student) = (logits(50, 1), logits(50, 2));
    let expected = exact(&teacher, &student);
    assert!((divergence(&teacher, &student) - expected).abs() < 1e-5 * expected);
    let (teacher, mut student) = (logits(300, 1), logits(300, 2));
    assert!(divergence(&teacher, &teacher).abs() < 1e-6);
    assert!(divergence(&teacher, &student) > 0.0 && divergence(&teacher, &student) <= exact(&teacher, &student));

    let taught = TeacherPrediction::of(&teacher);
    let mut probabilities = student.clone();
    softmax(&mut probabilities);
    let mut gradient = vec![0.0; student.len()];
    taught
        .divergence(&student, &LogProbabilities::of(&student))
        .add_gradient(&probabilities, 0.7, &mut gradient);
    for (token, analytic) in gradient.into_iter().enumerate() {
        let start = student[token];
        let mut at = |by: f32| {
            student[token] = start + by;
            0.7 * divergence(&teacher, &student)
        };
        let numeric = (at(1e-2) - at(-1e-2)) / 2e-2;
        student[token] = start;
        assert!(
            (numeric - f64::from(analytic)).abs() < 1e-4,
            "token {token}: {analytic} against {numeric}"
        );
    }
}

#[test]
fn the_names_of_a_chunk_are_spelled_from_all_its_soft_tokens_and_no_others() {
    let mut bench = Bench::new(PromptLayout::LateFusion);
    let reader = CpuReader::new(bench.weights()).unwrap();
    let samples = bench.samples()[..1].to_vec();
    let chunks: Vec<&str> = samples[0]
        .prepared
        .retrieved
        .iter()
        .map(|one| one.chunk.text.as_str())
        .collect();
    let table = NameTable::of(chunks.iter().copied());
    let objective = alone(|objective| objective.reconstruction = 1.0);
    for tokens in [1, 3] {
        bench.experiment.projector.tokens_per_chunk = tokens;
        let prompts = bench.prompts();
        let mut session = bench.session_of(&samples, reader.config().hidden, objective.clone());
        let encoded = Tensor::from_vec(samples[0].vectors.clone(), (2, ENCODER_WIDTH), &Device::Cpu).unwrap();
        for (step, chunk) in chunks.iter().enumerate() {
            let soft = numbers(&session.projector().forward(&encoded).unwrap());
            let names = bench.tokenizer.ids(&table.spelled(chunk).unwrap()).unwrap();
            let mut reading = Reading::new(&objective, 1);
            reading.chunk(&prompts.chunk_alone(step * tokens..(step + 1) * tokens, &[]), &names);
            let expected = reading.backward(&reader, &soft).unwrap().terms[0].1;
            let found = session.step(&reader, &prompts).unwrap().terms["reconstruction"];
            assert_eq!(found, expected, "{tokens} soft tokens, chunk {step}");
        }
    }
}

/// Tells names apart, and nothing else.
struct Letters;

impl Encoder for Letters {
    fn fingerprint(&self) -> &str {
        "letters"
    }

    fn width(&self) -> usize {
        ENCODER_WIDTH
    }

    fn tokens(&self, text: &str) -> Result<usize, ModelError> {
        Ok(text.len())
    }

    fn encode(&self, texts: &[&str]) -> Result<Vec<Vec<f32>>, ModelError> {
        let number = |text: &str, at: usize| {
            text.bytes()
                .map(|byte| f32::from(byte) * (at + 1) as f32)
                .sum::<f32>()
                .sin()
        };
        Ok(texts
            .iter()
            .map(|text| (0..ENCODER_WIDTH).map(|at| number(text, at)).collect())
            .collect())
    }
}

#[test]
fn names_are_spelled_in_place_of_those_of_chunks_and_alone_in_the_first_stage() {
    let mut bench = Bench::new(PromptLayout::LateFusion);
    let reader = CpuReader::new(bench.weights()).unwrap();
    bench.experiment.schedule.reconstruction_batch = 3;
    bench.experiment.schedule.reconstruction_steps = 1;
    let prompts = bench.prompts();
    let names = ["one_name", "Another", "third"].map(str::to_owned);
    let objective = alone(|objective| {
        objective.cross_entropy = 1.0;
        objective.reconstruction = 0.5;
    });
    let mut session = bench.session(reader.config().hidden, objective.clone());
    session.spell(SpelledNames::new(names.to_vec(), Arc::new(Letters)));
    // All three are spelled in the first step, in some order: behind "#", "self." and "return".
    let mut expected = Vec::new();
    for order in [[0, 1, 2], [0, 2, 1], [1, 0, 2], [1, 2, 0], [2, 0, 1], [2, 1, 0]] {
        let chosen: Vec<&str> = order.iter().map(|&at| names[at].as_str()).collect();
        let vectors = Letters.encode(&chosen).unwrap().concat();
        let encoded = Tensor::from_vec(vectors, (3, ENCODER_WIDTH), &Device::Cpu).unwrap();
        let soft = numbers(&session.projector().forward(&encoded).unwrap());
        let mut reading = Reading::new(&objective, 0);
        for (at, (name, (cue, joined))) in chosen
            .iter()
            .zip([("#", " "), ("self.", ""), ("return", " ")])
            .enumerate()
        {
            let ids = |text: &str| bench.tokenizer.ids(text).unwrap();
            reading.chunk(
                &prompts.chunk_alone(at..at + 1, &ids(cue)),
                &ids(&format!("{joined}{name}")),
            );
        }
        expected.push(reading.backward(&reader, &soft).unwrap().terms[0].1);
    }
    let first = session.step(&reader, &prompts).unwrap();
    let found = first.terms["reconstruction"];
    assert!(
        expected.iter().any(|value| (value - found).abs() < 1e-9),
        "{found} is none of {expected:?}"
    );
    assert!(!first.terms.contains_key("cross_entropy"));
    assert_eq!(first.samples, 3);
    let second = session.step(&reader, &prompts).unwrap();
    assert!(second.terms.contains_key("cross_entropy") && second.terms.contains_key("reconstruction"));
}

#[test]
fn a_varied_context_shows_some_of_the_chunks_and_the_same_ones_for_the_same_step() {
    let mut bench = Bench::new(PromptLayout::LateFusion);
    let reader = CpuReader::new(bench.weights()).unwrap();
    let objective = alone(|objective| objective.cross_entropy = 1.0);
    let tokens = |bench: &Bench| {
        let prompts = bench.prompts();
        let mut session = bench.session(reader.config().hidden, objective.clone());
        let steps = (0..8).map(|_| session.step(&reader, &prompts).unwrap().tokens);
        steps.collect::<Vec<usize>>()
    };
    let whole = tokens(&bench);
    bench.experiment.data.vary_context = true;
    let varied = tokens(&bench);
    assert_eq!(varied, tokens(&bench));
    // Two chunks a sample and three samples a step: up to three soft tokens are not shown.
    let missing: BTreeSet<usize> = whole
        .iter()
        .zip(&varied)
        .map(|(whole, varied)| whole - varied)
        .collect();
    assert!(
        missing.len() > 1 && missing.iter().all(|missing| *missing <= 3),
        "{missing:?}"
    );
}

#[test]
fn a_step_that_cannot_be_taken_leaves_no_trace() {
    let bench = Bench::new(PromptLayout::LateFusion);
    let reader = CpuReader::new(bench.weights()).unwrap();
    let prompts = bench.prompts();
    let objective = alone(|objective| {
        objective.reward = 1.0;
        objective.reward_form = RewardForm::Reinforce;
        objective.alignment_memory = 5;
    });
    let mut session = bench.session(reader.config().hidden, objective);
    session.step(&reader, &prompts).unwrap();
    let mut broken = session.state();
    assert_eq!(broken.numbers.len(), 1);
    let weight = broken.tensors.get_mut("linears.1.weight").unwrap();
    *weight = (weight.ones_like().unwrap() * 1e38).unwrap();
    session.restore(&broken).unwrap();
    assert!(session.step(&reader, &prompts).unwrap_err().is_divergence());
    let after = session.state();
    assert_eq!((after.step, &after.numbers), (broken.step, &broken.numbers));
    assert_eq!(after.tensors.len(), broken.tensors.len());
    for (name, tensor) in &after.tensors {
        assert_eq!(numbers(tensor), numbers(&broken.tensors[name]), "{name}");
    }
}

#[test]
fn an_untrained_projector_has_not_diverged_from_itself() {
    let bench = Bench::new(PromptLayout::LateFusion);
    let reader = CpuReader::new(bench.weights()).unwrap();
    let prompts = bench.prompts();
    let mut session = bench.session(reader.config().hidden, alone(|objective| objective.cross_entropy = 1.0));
    let before = session.watch(&reader, &prompts).unwrap();
    assert_eq!(before["kl_untrained"], 0.0);
    let vocabulary = (reader.config().vocab_size as f64).ln();
    assert!(before["entropy_watched"] > 0.0 && before["entropy_watched"] <= vocabulary + 1e-6);
    session.step(&reader, &prompts).unwrap();
    assert!(session.watch(&reader, &prompts).unwrap()["kl_untrained"] > 0.0);
}
