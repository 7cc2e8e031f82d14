//! Evaluations of a finished run: every arm, one that was broken off, and looks at the test split.

use std::path::Path;

use llavacode::corpus::Split;
use llavacode::engine::{Command, EvaluationRequest, Event};
use llavacode::evaluation::{Arm, CompletionRecord, SampleGroup};
use llavacode::experiment::PromptLayout;
use llavacode::runs::{EventKind, PartKey, Run, RunStatus, RunWriter, list};
use strum::IntoEnumIterator as _;

use crate::Bench;
use crate::middle::fill_in_the_middle;

fn evaluate(bench: &Bench, run: &Path, arms: &[Arm], limit: usize) -> Vec<CompletionRecord> {
    bench.send(Command::Evaluate(EvaluationRequest {
        run: run.to_owned(),
        step: None,
        split: Split::Test,
        arms: arms.to_vec(),
        limit,
    }));
    bench.wait_for_end();
    let run = Run::open(run).unwrap();
    let step = *run.checkpoint_steps.last().unwrap();
    run.completions(step, Split::Test).unwrap()
}

/// What does not depend on the clock.
fn timeless(records: &[CompletionRecord]) -> Vec<CompletionRecord> {
    let without = |record: &CompletionRecord| CompletionRecord {
        ttft_ms: 0.0,
        total_ms: 0.0,
        ..record.clone()
    };
    records.iter().map(without).collect()
}

#[test]
fn every_arm_is_compared_and_the_soft_prompt_trained_once() {
    let bench = Bench::new();
    let folder = bench.train(bench.toy.experiment("arms"));
    bench.wait_for_end();
    let arms: Vec<Arm> = Arm::iter().collect();
    let records = evaluate(&bench, &folder, &arms, 4);
    assert_eq!(records.len(), 4 * arms.len());
    let run = Run::open(&folder).unwrap();
    let summary = run.evaluations.iter().find(|one| one.split == Split::Test).unwrap();
    assert_eq!(summary.arms.iter().map(|one| one.arm).collect::<Vec<_>>(), arms);
    assert_eq!(summary.comparisons.len(), arms.len() - 2);
    let of_group = |group: SampleGroup| {
        summary
            .groups
            .iter()
            .find(|one| one.group == group)
            .map_or(0, |one| one.samples)
    };
    assert_eq!(of_group(SampleGroup::Hit) + of_group(SampleGroup::Miss), 4);
    assert_eq!(of_group(SampleGroup::InWindow) + of_group(SampleGroup::NotInWindow), 4);
    let facts = &run.manifest.facts;
    let fact = |name: &str| facts[name].parse::<f64>().unwrap();
    let position = 2.0 * fact("reader.layers") * fact("reader.kv_heads") * fact("reader.head_dim") * 4.0;
    assert_eq!(fact("reader.kv_bytes_per_position"), position);
    for arm in &summary.arms {
        let (cost, of_arm) = (arm.cost.unwrap(), records.iter().filter(|one| one.arm == arm.arm));
        let positions: f64 = of_arm.clone().map(|one| one.prompt_tokens as f64).sum();
        assert!(
            (cost.kv_bytes.unwrap().mean - positions / 4.0 * position).abs() < 1e-3,
            "{}",
            arm.arm
        );
        assert!(cost.ttft_ms.low <= cost.ttft_ms.mean && cost.ttft_ms.mean <= cost.ttft_ms.high);
        assert!(
            of_arm
                .clone()
                .all(|one| one.target_tokens.len() == one.log_probabilities.len())
        );
    }
    for arm in &arms {
        let of_arm: Vec<_> = records.iter().filter(|record| record.arm == *arm).collect();
        let soft = match arm {
            Arm::NoContext | Arm::FullRag | Arm::RandomTokens | Arm::Identifiers | Arm::DefinitionText => 0,
            // One of two chunks is text.
            Arm::DefinitionVector | Arm::SelectiveExpansion => 1,
            _ => 2,
        };
        for record in of_arm {
            assert_eq!(record.soft_tokens, soft, "{arm}");
            let mean = record.log_probabilities.iter().map(|&p| f64::from(p)).sum::<f64>()
                / record.log_probabilities.len() as f64;
            assert!((mean + record.scores.cross_entropy).abs() < 1e-9, "{arm}");
        }
    }
    // The same prompt length, another content: every vector is read.
    let cross_entropies = |arm| -> Vec<f64> {
        let of_arm = records.iter().filter(|record| record.arm == arm);
        of_arm.map(|record| record.scores.cross_entropy).collect()
    };
    for control in [
        Arm::ShuffledContext,
        Arm::MeanVector,
        Arm::ZeroVector,
        Arm::NoiseVector,
        Arm::SoftPrompt,
    ] {
        assert_ne!(cross_entropies(control), cross_entropies(Arm::Compressed), "{control}");
    }
    let constant = run.soft_prompt().unwrap().unwrap();
    // A second evaluation finds it, and gives the same numbers.
    let changed = std::fs::metadata(folder.join("soft_prompt.safetensors"))
        .unwrap()
        .modified()
        .unwrap();
    assert_eq!(timeless(&evaluate(&bench, &folder, &arms, 4)), timeless(&records));
    let again = std::fs::metadata(folder.join("soft_prompt.safetensors"))
        .unwrap()
        .modified()
        .unwrap();
    assert_eq!(changed, again);
    assert_eq!(Run::open(&folder).unwrap().soft_prompt().unwrap().unwrap(), constant);
}

#[test]
fn looks_at_the_test_split_are_counted() {
    let bench = Bench::new();
    let folder = bench.train(bench.toy.experiment("looks"));
    bench.wait_for_end();
    for look in 1..=2 {
        evaluate(&bench, &folder, &Arm::DEFAULT, 3);
        let run = Run::open(&folder).unwrap();
        let summary = run.evaluations.iter().find(|one| one.split == Split::Test).unwrap();
        assert_eq!((summary.test_looks, run.test_looks()), (look, look));
        let last = run.events.last().unwrap();
        assert_eq!(last.kind, EventKind::TestEvaluation);
        assert!(last.reason.contains(&format!("look {look}")), "{}", last.reason);
        assert_eq!(run.status(), RunStatus::Finished);
        assert!(
            run.evaluations
                .iter()
                .filter(|one| one.split != Split::Test)
                .all(|one| one.test_looks == 0)
        );
    }
    assert_eq!(list(&bench.toy.path("runs"))[0].status, RunStatus::Finished);
    let best = Run::open(&folder).unwrap().best_step().unwrap();
    assert!([3, 6].contains(&best));
}

#[test]
fn an_evaluation_that_was_broken_off_goes_on_with_the_same_numbers() {
    let bench = Bench::new();
    let folder = bench.train(bench.toy.experiment("broken-off"));
    bench.wait_for_end();
    let arms = [Arm::NoContext, Arm::Compressed, Arm::MeanVector, Arm::RandomTokens];
    let whole = evaluate(&bench, &folder, &arms, 4);
    let evaluations = folder.join("evaluations");
    assert!(!evaluations.join("step-6-test.part").exists());

    // As a kill leaves it: one sample whole, one in the middle, and half a line. The time tells that it was not made again.
    let part = |arms: &[Arm], samples: &[CompletionRecord]| {
        let mut ids: Vec<String> = samples.iter().map(|record| record.sample.clone()).collect();
        ids.dedup();
        let key = PartKey {
            arms: arms.to_vec(),
            samples: ids,
        };
        let (mut part, earlier) = RunWriter::open(&folder)
            .unwrap()
            .evaluation_part(6, Split::Test, &key)
            .unwrap();
        assert!(earlier.is_empty());
        let mut begun: Vec<CompletionRecord> = whole[..6].to_vec();
        begun.iter_mut().for_each(|record| record.ttft_ms = 1234.0);
        part.append(&begun).unwrap();
        drop(part);
        let path = evaluations.join("step-6-test.part");
        let mut text = std::fs::read_to_string(&path).unwrap();
        text.push_str("{\"sample\":\"torn");
        std::fs::write(path, text).unwrap();
    };
    part(&arms, &whole);
    let resumed = evaluate(&bench, &folder, &arms, 4);
    assert_eq!(timeless(&resumed), timeless(&whole));
    let taken = |records: &[CompletionRecord]| records.iter().filter(|record| record.ttft_ms == 1234.0).count();
    assert_eq!(
        taken(&resumed),
        4,
        "the whole sample is not completed again, the half one is"
    );
    assert!(!evaluations.join("step-6-test.part").exists());

    // Of another evaluation nothing is taken: the mean vector would be that of other samples.
    part(&arms, &whole[..8]);
    let other = evaluate(&bench, &folder, &arms, 4);
    assert_eq!((taken(&other), timeless(&other)), (0, timeless(&whole)));
}

#[test]
fn every_layout_trains_and_is_evaluated_and_an_impossible_one_is_refused_at_once() {
    let bench = Bench::new();
    let mut experiment = bench.toy.experiment("layouts");
    experiment.schedule.steps = 2;
    experiment.prompt.layout = PromptLayout::BeforeMiddle;
    bench.send(Command::Train(Box::new(experiment.clone())));
    let (message, bad_input) = loop {
        match bench.engine().events().recv().unwrap() {
            Event::Failed { message, bad_input } => break (message, bad_input),
            Event::Progress(Some(progress)) => assert_ne!(progress.task, "reading code"),
            _ => {}
        }
    };
    assert!(
        bad_input && message.contains("prompt.layout is before_middle"),
        "{message}"
    );
    assert!(!bench.toy.path("runs").exists());

    fill_in_the_middle(&bench.toy.path("reader/tokenizer.json"));
    experiment.reader.model = bench.toy.path("reader/.").display().to_string();
    experiment.evaluation.arms = vec![Arm::Compressed, Arm::FullRag, Arm::SoftPrompt, Arm::DefinitionText];
    for layout in PromptLayout::iter() {
        experiment.prompt.layout = layout;
        let folder = bench.train(experiment.clone());
        bench.wait_for_end();
        let run = Run::open(&folder).unwrap();
        assert_eq!(run.status(), RunStatus::Finished, "{layout}");
        assert!(
            run.scalars
                .iter()
                .all(|scalar| scalar.loss.is_finite() && scalar.gradient_norm > 0.0)
        );
        // What waits for the end is left out while training runs.
        let arms: Vec<Arm> = run.evaluations[0].arms.iter().map(|arm| arm.arm).collect();
        assert_eq!(arms, [Arm::NoContext, Arm::Compressed, Arm::FullRag]);
        let tokens = |arm| run.evaluations[0].arm(arm).unwrap().prompt_tokens;
        assert!(tokens(Arm::NoContext) < tokens(Arm::Compressed) && tokens(Arm::Compressed) < tokens(Arm::FullRag));
    }
}
