//! Summaries of many arms, corrections for many tests, and several seeds in one.

use llavacode::corpus::Split;
use llavacode::evaluation::statistics::{clustered_bootstrap, holm, paired_bootstrap};
use llavacode::evaluation::{Arm, CompletionRecord, SampleGroup, Scores, SeedRecords, pool, summarise};

use crate::assert_near;

/// A completion of sample `index`; samples 0 to 3 are of one repository, the others of another one.
fn record(index: usize, arm: Arm, right: bool) -> CompletionRecord {
    CompletionRecord {
        sample: format!("{}/{index}", if index < 4 { "a" } else { "b" }),
        arm,
        scores: Scores {
            em_token: f64::from(u8::from(right)),
            cross_entropy: if right { 0.5 } else { 2.0 + index as f64 / 8.0 },
            ..Scores::default()
        },
        hit: Some(index.is_multiple_of(2)),
        in_window: (index != 7).then_some(index == 1),
        ..CompletionRecord::default()
    }
}

fn repository(sample: &str) -> String {
    sample.split('/').next().unwrap().to_owned()
}

/// Eight samples, and which of them each arm has right.
fn records() -> Vec<CompletionRecord> {
    let right: [(Arm, [u8; 8]); 4] = [
        (Arm::NoContext, [1, 0, 0, 0, 1, 0, 0, 0]),
        (Arm::Compressed, [1, 1, 0, 0, 0, 0, 1, 0]),
        (Arm::FullRag, [1, 1, 1, 0, 1, 1, 0, 0]),
        (Arm::ZeroVector, [0, 0, 0, 0, 0, 0, 0, 0]),
    ];
    let of = |(arm, right): (Arm, [u8; 8])| (0..8).map(move |index| record(index, arm, right[index] == 1));
    right.into_iter().flat_map(of).collect()
}

#[test]
fn overflow_boost_and_exact_tests_count_what_they_say() {
    let summary = summarise(&records(), repository, Split::Validation, 4, 1);
    let compressed = summary.arm(Arm::Compressed).unwrap();
    // Full RAG alone is right on 2, 4 and 5; compressed alone is right against no context on 1 and 6.
    assert_near(compressed.overflow.unwrap().mean, 3.0 / 8.0, 1e-12, "overflow");
    assert_near(compressed.boost.unwrap().mean, 2.0 / 8.0, 1e-12, "boost");
    let test = compressed.exact.unwrap();
    assert_eq!((test.gained, test.lost), (2, 1));
    // Three pairs differ: 2 (C(3,0) + C(3,1)) / 8.
    assert_near(test.p, 1.0, 1e-12, "p");
    let full = summary.arm(Arm::FullRag).unwrap();
    assert!(full.overflow.is_none() && summary.arm(Arm::NoContext).unwrap().boost.is_none());
    // Three gained, none lost: 2 / 8; one of three tests.
    assert_near(full.exact.unwrap().p, 0.25, 1e-12, "p of full RAG");
    assert_near(full.exact.unwrap().p_holm, 0.75, 1e-12, "corrected");

    let to: Vec<Arm> = summary.comparisons.iter().map(|one| one.to).collect();
    assert_eq!(to, [Arm::FullRag, Arm::ZeroVector]);
    let zeros = &summary.comparisons[1];
    assert_eq!((zeros.exact.gained, zeros.exact.lost), (3, 0));
    assert_near(zeros.difference["em_token"].mean, 3.0 / 8.0, 1e-12, "against zeros");
    assert!(summary.content.is_empty(), "no shuffled control");
}

#[test]
fn parts_of_the_samples_are_summarised_on_their_own() {
    let records = records();
    let summary = summarise(&records, repository, Split::Validation, 4, 1);
    let groups: Vec<_> = summary.groups.iter().map(|one| (one.group, one.samples)).collect();
    let expected = [
        (SampleGroup::Hit, 4),
        (SampleGroup::Miss, 4),
        (SampleGroup::InWindow, 1),
        (SampleGroup::NotInWindow, 6),
    ];
    assert_eq!(groups, expected);
    // The same as an evaluation of these samples alone.
    for group in &summary.groups {
        let part: Vec<_> = records
            .iter()
            .filter(|record| group.group.holds(record))
            .cloned()
            .collect();
        let alone = summarise(&part, repository, Split::Validation, 4, 1);
        assert_eq!((group.samples, group.repositories), (alone.samples, alone.repositories));
        assert_eq!(group.arms, alone.arms, "{}", group.group);
    }
}

#[test]
fn intervals_of_a_summary_are_those_of_the_bootstrap() {
    let records = records();
    let summary = summarise(&records, repository, Split::Validation, 4, 9);
    let column = |arm: Arm| -> Vec<f64> {
        let of_arm = records.iter().filter(|record| record.arm == arm);
        of_arm.map(|record| record.scores.cross_entropy).collect()
    };
    let clusters = [0, 0, 0, 0, 1, 1, 1, 1];
    let (own, none) = (column(Arm::Compressed), column(Arm::NoContext));
    let arm = summary.arm(Arm::Compressed).unwrap();
    assert_eq!(
        arm.scores["cross_entropy"],
        clustered_bootstrap(&own, &clusters, 10_000, 9)
    );
    assert_eq!(
        arm.difference["cross_entropy"],
        paired_bootstrap(&own, &none, &clusters, 10_000, 9)
    );
}

#[test]
fn holm_corrects_by_rank_and_never_turns_the_order() {
    // Sorted 0.01, 0.02, 0.03, 0.04: times 4, 3, 2, 1, each at least the one before.
    let corrected = holm(&[0.04, 0.01, 0.03, 0.02]);
    for (found, expected) in corrected.iter().zip([0.06, 0.04, 0.06, 0.06]) {
        assert_near(*found, expected, 1e-12, "corrected");
    }
    assert_eq!(holm(&[0.7, 0.8]), [1.0, 1.0]);
    assert_eq!(holm(&[0.3]), [0.3]);
    assert!(holm(&[]).is_empty());
    // Never below Bonferroni's first step, never above Bonferroni.
    let p: Vec<f64> = (1..20).map(|i| (i as f64 * 0.7).sin().abs() / 10.0).collect();
    for (p, corrected) in p.iter().zip(holm(&p)) {
        assert!(*p <= corrected && corrected <= (p * 19.0).min(1.0) + 1e-12);
    }
}

#[test]
fn seeds_are_pooled_sample_by_sample() {
    let arms = |right: [[u8; 4]; 2]| -> Vec<CompletionRecord> {
        let of = |(arm, right): (Arm, [u8; 4])| (0..4).map(move |at| record(2 * at, arm, right[at] == 1));
        [(Arm::NoContext, right[0]), (Arm::Compressed, right[1])]
            .into_iter()
            .flat_map(of)
            .collect()
    };
    let first = arms([[1, 0, 0, 0], [1, 1, 0, 0]]);
    let mut second = arms([[1, 0, 0, 0], [1, 1, 1, 1]]);
    // An arm and a sample that the other seed has not: they do not count.
    second.push(record(0, Arm::ZeroVector, false));
    second.push(record(3, Arm::NoContext, true));
    let runs = [
        SeedRecords {
            seed: 1,
            records: &first,
        },
        SeedRecords {
            seed: 2,
            records: &second,
        },
    ];
    let pooled = pool(&runs, repository, 5);
    assert_eq!(
        (pooled.seeds.as_slice(), pooled.samples, pooled.repositories),
        ([1, 2].as_slice(), 4, 2)
    );
    assert_eq!(
        pooled.arms.iter().map(|arm| arm.arm).collect::<Vec<_>>(),
        [Arm::NoContext, Arm::Compressed]
    );
    let difference = &pooled.arms[1].difference["em_token"];
    assert_eq!(difference.by_seed, [0.25, 0.75]);
    // Standard deviation of 0.25 and 0.75.
    assert_near(difference.spread, 0.125f64.sqrt(), 1e-12, "spread");
    // By sample: 0, 1 in one repository, 0.5, 0.5 in the other one.
    let expected = clustered_bootstrap(&[0.0, 1.0, 0.5, 0.5], &[0, 0, 1, 1], 10_000, 5);
    assert_eq!(difference.interval, expected);
    assert!(pooled.arms[0].difference.is_empty());
    // One seed alone is its own summary.
    let alone = pool(&runs[..1], repository, 5);
    let summary = summarise(&first, repository, Split::Validation, 1, 5);
    assert_eq!(
        alone.arms[1].scores["em_token"].interval,
        summary.arms[1].scores["em_token"]
    );
    assert_eq!(alone.arms[1].scores["em_token"].spread, 0.0);
    assert_eq!(pool(&[], repository, 5).samples, 0);
}
