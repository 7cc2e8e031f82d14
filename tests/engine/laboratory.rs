//! What a soft token says, and what a completion owes to each of them.

use llavacode::engine::{Command, CompletionRequest, CompletionSource, CounterfactualRequest, Event, ReadingRequest};
use llavacode::evaluation::{Arm, Change, CompletionRecord, Effect};
use llavacode::runs::Run;

use super::Bench;

#[test]
fn a_dropped_chunk_is_a_chunk_that_was_never_retrieved() {
    let bench = Bench::new();
    let run = bench.train(bench.toy.experiment("owed"));
    bench.wait_for_end();
    let sample = Run::open(&run).unwrap().samples().remove(0);
    assert_eq!(sample.retrieved.len(), 2);
    let mut changes = Change::leave_one_out(2);
    changes.extend([Change::Drop(vec![0, 1]), Change::Swap(0, 1), Change::Drop(vec![9])]);
    changes.extend((0..6).map(|_| Change::Zero(vec![0])));
    bench.send(Command::Counterfactuals(CounterfactualRequest {
        id: 3,
        run: run.clone(),
        sample: Box::new(sample.sample.clone()),
        retrieved: sample.retrieved.clone(),
        changes: changes.clone(),
    }));
    let answer = bench.wait(|event| match event {
        Event::Counterfactuals { id: 3, result } => Some(result.clone().unwrap()),
        _ => None,
    });
    assert_eq!(answer.step, 6);
    assert_eq!(answer.target.len(), answer.unchanged.log_probabilities.len());
    assert!(
        sample.sample.target.starts_with(&answer.target[0]),
        "{:?}",
        answer.target
    );
    assert!(answer.changed.iter().map(|(change, _)| change).eq(&changes));

    // The second way: the same prompt asked for as a completion.
    let complete = |chunks: &[usize]| -> CompletionRecord {
        let retrieved = chunks.iter().map(|&chunk| sample.retrieved[chunk].clone()).collect();
        bench.send(Command::Complete(CompletionRequest {
            id: 4,
            run: run.clone(),
            source: CompletionSource::Sample(Box::new(sample.sample.clone()), retrieved),
            arms: vec![Arm::Compressed],
        }));
        bench.wait(|event| match event {
            Event::Completed { id: 4, result, .. } => Some(result.clone().unwrap().completions.remove(0)),
            _ => None,
        })
    };
    let assert_same = |found: &CompletionRecord, chunks: &[usize]| {
        let expected = complete(chunks);
        assert_eq!(
            (&found.text, found.prompt_tokens),
            (&expected.text, expected.prompt_tokens)
        );
        let effect = Effect::of(&expected, found);
        assert!(effect.cross_entropy.abs() < 1e-6, "{effect:?}");
    };
    assert_same(&answer.unchanged, &[0, 1]);
    let found: Vec<&CompletionRecord> = answer.changed.iter().map(|(_, record)| record).collect();
    assert_same(found[0], &[1]);
    assert_same(found[1], &[0]);
    assert_same(found[3], &[1, 0]);
    assert_eq!(Effect::of(&answer.unchanged, found[4]).cross_entropy, 0.0);
    // Alike whether few or many changes are completed together.
    assert!(
        found[5..]
            .windows(2)
            .all(|pair| pair[0].log_probabilities == pair[1].log_probabilities)
    );
    assert_ne!(found[5].log_probabilities, answer.unchanged.log_probabilities);
}

#[test]
fn a_soft_token_is_read_at_every_probe() {
    let bench = Bench::new();
    let mut experiment = bench.toy.experiment("read");
    experiment.projector.tokens_per_chunk = 2;
    let run = bench.train(experiment);
    bench.wait_for_end();
    let ask = |id, chunk, steps: &[usize]| {
        bench.send(Command::Read(ReadingRequest {
            id,
            run: run.clone(),
            chunk,
            steps: steps.to_vec(),
        }));
        bench.wait(|event| match event {
            Event::Read { id: found, result } if *found == id => Some(result.clone()),
            _ => None,
        })
    };
    let answer = ask(1, 2, &[0, 4, 6]).unwrap();
    assert!((1..=4).contains(&answer.names.len()), "{:?}", answer.names);
    assert!(answer.readings.iter().map(|reading| reading.step).eq([0, 4, 6]));
    let opened = Run::open(&run).unwrap();
    for reading in &answer.readings {
        let probe = opened.probe(reading.step).unwrap();
        let width = probe.projected.len() / probe.rows;
        let row = &probe.projected[2 * width..3 * width];
        for (soft, norm) in row.chunks_exact(width / 2).zip(&reading.norms) {
            let expected = soft.iter().map(|value| value * value * 2.0).sum::<f32>().sqrt();
            assert!(
                (expected - norm).abs() < 1e-4 * expected,
                "{norm} instead of {expected}"
            );
        }
        assert_eq!((reading.norms.len(), reading.nearest.len()), (2, 2));
        for nearest in &reading.nearest {
            assert_eq!(nearest.len(), 8);
            assert!(nearest.windows(2).all(|pair| pair[0].cosine >= pair[1].cosine));
        }
        assert!(reading.spelling.unwrap() > 0.0);
        assert!(
            reading
                .recalled
                .iter()
                .all(|&name| reading.continuation.contains(&answer.names[name]))
        );
    }
    assert_ne!(answer.readings[0].spelling, answer.readings[2].spelling);
    assert_eq!(answer.readings[0].spelling_without, answer.readings[2].spelling_without);
    assert!(ask(2, 0, &[3]).unwrap_err().contains("no probe of step 3"));
    assert!(ask(3, 99, &[0]).unwrap().readings.is_empty());
}
