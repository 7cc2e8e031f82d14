//! Filters and orders of the samples against loops over the bare records.

use std::sync::Arc;

use rand::{Rng as _, SeedableRng as _};
use rand_chacha::ChaCha8Rng;
use strum::IntoEnumIterator as _;

use super::*;
use crate::corpus::{Chunk, CompletionSample, Split};
use crate::evaluation::{EvaluationSummary, Scores};
use crate::retrieval::Retrieved;
use crate::runs::SampleRecord;
use crate::ui::stations::compare_data::{Evaluation, Row};

const ARMS: [Arm; 3] = [Arm::NoContext, Arm::Compressed, Arm::FullRag];

fn evaluation(seed: u64, samples: impl Iterator<Item = usize>) -> Arc<Evaluation> {
    let mut random = ChaCha8Rng::seed_from_u64(seed);
    let rows = samples.map(|i| row(i, &mut random)).collect();
    Arc::new(Evaluation {
        folder: "runs/a".into(),
        summary: EvaluationSummary {
            step: 1,
            split: Split::Validation,
            samples: 0,
            repositories: 0,
            seed,
            resamples: 0,
            arms: Vec::new(),
            content: Default::default(),
            comparisons: Vec::new(),
            groups: Vec::new(),
            test_looks: 0,
        },
        rows,
        missing: 0,
    })
}

/// The sample is the same for every evaluation, the completions are not.
fn row(i: usize, random: &mut ChaCha8Rng) -> Row {
    let repository = ["click", "rich", "attrs"][i % 3];
    let hit = i.is_multiple_of(2);
    let chunk = Chunk {
        repository: repository.into(),
        path: "a.py".into(),
        first_line: 1,
        text: String::new(),
    };
    let completions = ARMS.map(|arm| {
        let right = random.random_bool(0.4);
        CompletionRecord {
            sample: format!("s{i}"),
            arm,
            text: if right { "load()".into() } else { format!("Other{i}") },
            scores: Scores {
                em_token: f64::from(u8::from(right)),
                es_levenshtein: if right { 100.0 } else { random.random_range(0.0..90.0) },
                ..Scores::default()
            },
            ttft_ms: random.random_range(10.0..600.0),
            in_window: (!i.is_multiple_of(5)).then_some(i.is_multiple_of(4)),
            ..CompletionRecord::default()
        }
    });
    Row {
        record: SampleRecord {
            split: Split::Validation,
            sample: CompletionSample {
                id: format!("s{i}"),
                repository: repository.into(),
                path: format!("src/{}.py", i % 7),
                line: i,
                left: String::new(),
                right: String::new(),
                target: format!(" target_{}()", i % 11),
                identifier: (i % 6 != 1).then(|| "load".to_owned()),
            },
            retrieved: vec![Retrieved {
                chunk,
                rank: 1,
                score: 0.5,
                hit,
                name: None,
            }],
        },
        completions: completions.to_vec(),
    }
}

fn compared() -> Compared {
    // The second has every other sample, in another order, and some that the first has not.
    let second = evaluation(2, (0..160).rev().filter(|i| i % 2 == 0));
    Compared::new(evaluation(1, 0..120), Some((second, "other, step 2".into())))
}

fn filters(compared: &Compared) -> Filters {
    let mut filters = Filters::default();
    filters.renew(compared);
    filters
}

/// The score of an arm of a sample, by its number, out of all records.
fn record(compared: &Compared, i: usize, key: ArmKey) -> Option<CompletionRecord> {
    let evaluation = match key.second {
        false => Arc::clone(&compared.first),
        true => evaluation(2, (0..160).rev().filter(|i| i % 2 == 0)),
    };
    let all = evaluation.rows.iter().flat_map(|row| row.completions.clone());
    let wanted = format!("s{i}");
    all.into_iter().find(|one| one.sample == wanted && one.arm == key.arm)
}

#[test]
fn samples_are_matched_by_id_wherever_they_stand() {
    let compared = compared();
    assert_eq!(compared.matched(), Some(("other, step 2", 60)));
    let key = ArmKey {
        second: true,
        arm: Arm::Compressed,
    };
    for i in 0..120 {
        assert_eq!(compared.completion(i, key).cloned(), record(&compared, i, key), "{i}");
        assert_eq!(compared.completion(i, key).is_some(), i % 2 == 0);
    }
}

#[test]
fn a_sample_with_another_true_line_is_another_sample() {
    let mut other = (*evaluation(2, 0..10)).clone();
    other.rows[3].record.sample.target = "something else".into();
    let compared = Compared::new(evaluation(1, 0..10), Some((Arc::new(other), "b".into())));
    assert_eq!(compared.matched(), Some(("b", 9)));
}

#[test]
fn every_filter_keeps_what_a_loop_over_the_records_keeps() {
    let compared = compared();
    let second = ArmKey {
        second: true,
        arm: Arm::Compressed,
    };
    for pair in [
        [ArmKey::first(Arm::FullRag), ArmKey::first(Arm::Compressed)],
        [ArmKey::first(Arm::Compressed), second],
    ] {
        for outcome in Outcome::iter() {
            for drop in [None, Some(0.0), Some(25.0)] {
                let filters = Filters {
                    outcome,
                    pair,
                    drop,
                    ..filters(&compared)
                };
                let right = |i, key| record(&compared, i, key).map(|one| one.scores.em_token == 1.0);
                let expected: Vec<usize> = (0..120)
                    .filter(|&i| {
                        let [one, other] = pair.map(|key| right(i, key));
                        let outcomes = filters.arms.iter().filter_map(|key| right(i, *key));
                        let wins = outcomes.clone().filter(|right| *right).count();
                        let fits = match outcome {
                            Outcome::All => true,
                            Outcome::Disagree => wins > 0 && wins < outcomes.count(),
                            Outcome::Lost => (one, other) == (Some(true), Some(false)),
                            Outcome::Gained => (one, other) == (Some(false), Some(true)),
                            Outcome::Wrong => other == Some(false),
                        };
                        let [from, to] = pair.map(|key| record(&compared, i, key));
                        let lost = from
                            .zip(to)
                            .map(|(a, b)| a.scores.es_levenshtein - b.scores.es_levenshtein);
                        fits && drop.is_none_or(|least| lost.is_some_and(|lost| lost > least))
                    })
                    .collect();
                assert_eq!(filters.listed(&compared), expected, "{outcome:?} {drop:?}");
            }
        }
    }
}

#[test]
fn repository_window_hit_and_search_keep_what_they_say() {
    let compared = compared();
    let bare = filters(&compared);
    let count = |filters: Filters| filters.listed(&compared).len();
    let by_hand = |keeps: &dyn Fn(usize) -> bool| (0..120).filter(|i| keeps(*i)).count();
    let repository = Some("rich".to_owned());
    assert_eq!(
        count(Filters {
            repository,
            ..bare.clone()
        }),
        by_hand(&|i| i % 3 == 1)
    );
    for wanted in [true, false] {
        let hit = Some(wanted);
        assert_eq!(
            count(Filters { hit, ..bare.clone() }),
            by_hand(&|i| i % 6 != 1 && (i % 2 == 0) == wanted)
        );
        let in_window = Some(wanted);
        assert_eq!(
            count(Filters {
                in_window,
                ..bare.clone()
            }),
            by_hand(&|i| i % 5 != 0 && (i % 4 == 0) == wanted)
        );
    }
    let search = " TARGET_7 ".to_owned();
    assert_eq!(count(Filters { search, ..bare.clone() }), by_hand(&|i| i % 11 == 7));
    // A completion is found as well as a path.
    let search = "other1".to_owned();
    let kept = Filters { search, ..bare.clone() }.listed(&compared);
    let written = |i: &usize| {
        compared
            .arms
            .iter()
            .any(|key| record(&compared, *i, *key).is_some_and(|one| one.text.to_lowercase().contains("other1")))
    };
    assert_eq!(kept, (0..120).filter(written).collect::<Vec<_>>());
    assert!(!kept.is_empty() && kept.len() < 120);
}

#[test]
fn every_column_orders_and_rows_without_a_value_stand_last() {
    let compared = compared();
    let key = ArmKey {
        second: true,
        arm: Arm::FullRag,
    };
    for down in [false, true] {
        for shown in Shown::iter() {
            let filters = Filters {
                by: Column::Arm(key),
                shown,
                down,
                ..filters(&compared)
            };
            let listed = filters.listed(&compared);
            assert_eq!(listed.len(), 120);
            let values: Vec<Option<f64>> = listed
                .iter()
                .map(|i| record(&compared, *i, key).map(|one| shown.of(&one)))
                .collect();
            assert!(values[..60].iter().all(Option::is_some) && values[60..].iter().all(Option::is_none));
            let ordered = values[..60]
                .windows(2)
                .all(|two| if down { two[0] >= two[1] } else { two[0] <= two[1] });
            assert!(ordered, "{shown:?} {down}");
        }
        for by in [Column::Line, Column::Repository, Column::Place] {
            let filters = Filters {
                by,
                down,
                ..filters(&compared)
            };
            let word = |i: &usize| {
                let sample = &compared.first.rows[*i].record.sample;
                match by {
                    Column::Line => sample.target.clone(),
                    Column::Repository => sample.repository.clone(),
                    _ => sample.path.clone(),
                }
            };
            let words: Vec<String> = filters.listed(&compared).iter().map(word).collect();
            let ordered = words
                .windows(2)
                .all(|two| if down { two[0] >= two[1] } else { two[0] <= two[1] });
            assert!(ordered, "{by:?} {down}");
        }
    }
}

#[test]
fn a_second_click_turns_the_order_and_another_evaluation_lets_go_of_what_it_lacks() {
    let both = compared();
    let mut filters = filters(&both);
    let key = ArmKey {
        second: true,
        arm: Arm::Compressed,
    };
    assert!(filters.arms.contains(&key));
    filters.sort(Column::Arm(key));
    assert!(!filters.down);
    filters.sort(Column::Arm(key));
    assert!(filters.down);
    filters.pair[1] = key;
    filters.repository = Some("nowhere".into());
    filters.renew(&Compared::new(evaluation(1, 0..4), None));
    assert_eq!(filters.arms, ARMS.map(ArmKey::first).into());
    assert_eq!((filters.by, filters.repository.clone()), (Column::Number, None));
    assert_eq!(filters.pair[1], ArmKey::first(Arm::Compressed));
    assert!(filters.keeps_all());
}
