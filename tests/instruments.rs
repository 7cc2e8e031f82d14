//! Collapse instruments, metrics and statistics against reference values and against a second way of computing.
#![expect(clippy::unwrap_used, reason = "a failed unwrap is a failed test")]

#[path = "instruments/alarms.rs"]
mod alarms;
mod common;
#[path = "instruments/evaluation.rs"]
mod evaluation;

use std::collections::BTreeMap;
use std::fs;

use llavacode::collapse::{
    INSTRUMENTS, Instruments, Vectors, VectorsError, cluster_order, compare, cosine_histogram, cosine_matrix, headline,
    instruments, off_diagonal_cosines, pca_2d, singular_values, verdict,
};
use llavacode::corpus::Split;
use llavacode::evaluation::metrics::{
    em_lines, em_strict, em_token, es_levenshtein, es_ratio, identifier_match, scores, tokenize_code,
};
use llavacode::evaluation::statistics::{clustered_bootstrap, mcnemar_exact, paired_bootstrap};
use llavacode::evaluation::{Arm, CompletionRecord, Interval, SCORE_INFO, Scores, summarise};
use nalgebra::DMatrix;
use rand::{Rng as _, SeedableRng as _};
use rand_chacha::ChaCha8Rng;
use safetensors::SafeTensors;
use serde::Deserialize;

fn json<T: for<'de> Deserialize<'de>>(name: &str) -> T {
    serde_json::from_slice(&fs::read(common::fixtures().join(name)).unwrap()).unwrap()
}

#[track_caller]
fn assert_near(found: f64, expected: f64, relative: f64, what: &str) {
    let difference = (found - expected).abs();
    assert!(
        difference <= relative * expected.abs().max(1e-12),
        "{what}: {found} instead of {expected}"
    );
}

struct Matrix {
    rows: usize,
    width: usize,
    values: Vec<f64>,
}

impl Matrix {
    fn read(file: &SafeTensors, name: &str) -> Self {
        let view = file.tensor(name).unwrap();
        let (values, _) = view.data().as_chunks::<8>();
        Self {
            rows: view.shape()[0],
            width: view.shape()[1],
            values: values.iter().copied().map(f64::from_le_bytes).collect(),
        }
    }

    /// Rows with a common part of this weight.
    fn random(rows: usize, width: usize, common: f64, seed: u64) -> Self {
        let mut random = ChaCha8Rng::seed_from_u64(seed);
        let mean: Vec<f64> = (0..width).map(|_| random.random_range(-1.0..1.0)).collect();
        let values = (0..rows * width)
            .map(|at| random.random_range(-1.0..1.0) + common * mean[at % width])
            .collect();
        Self { rows, width, values }
    }

    fn vectors(&self) -> Vectors<'_> {
        Vectors::from_f64(self.rows, self.width, &self.values).unwrap()
    }
}

#[test]
fn collapse_instruments_equal_the_reference() {
    let bytes = fs::read(common::fixtures().join("collapse/matrices.safetensors")).unwrap();
    let file = SafeTensors::deserialize(&bytes).unwrap();
    let expected: BTreeMap<String, BTreeMap<String, f64>> = json("collapse/expected.json");
    assert!(expected.contains_key("collapsed"));
    let encoder = Matrix::read(&file, "X");
    for (case, values) in expected {
        let projected = Matrix::read(&file, &format!("Z.{case}"));
        let (x, z) = (instruments(&encoder.vectors()), instruments(&projected.vectors()));
        let both = compare(&encoder.vectors(), &projected.vectors());
        let found = [
            ("mean_offdiagonal_cosine_X", x.mean_cosine),
            ("mean_offdiagonal_cosine_Z", z.mean_cosine),
            ("rankme_X", x.rankme),
            ("rankme_Z", z.rankme),
            ("participation_ratio_Z", z.participation_ratio),
            ("pc1_share_Z", z.top_share_centred),
            ("stable_rank_Z", z.stable_rank),
            ("uniformity_Z", z.uniformity),
            ("median_norm_Z", z.median_norm),
            ("linear_cka", both.linear_cka),
            ("mutual_knn_overlap_k10", both.knn_overlap),
            ("alignment_mse_offdiagonal", both.alignment_mse),
            ("alignment_frobenius", both.alignment_frobenius),
        ];
        assert_eq!(found.len(), values.len(), "every reference value of {case} is compared");
        for (key, found) in found {
            assert_near(found, values[key], 1e-7, &format!("{case}: {key}"));
        }
        assert_eq!(
            verdict(&x, &z).collapsed,
            case != "healthy",
            "{case}: {:?}",
            verdict(&x, &z)
        );
    }
}

#[test]
fn single_precision_vectors_read_as_double_precision_ones() {
    let matrix = Matrix::random(40, 24, 0.5, 1);
    let single: Vec<f32> = matrix.values.iter().map(|value| *value as f32).collect();
    let (found, expected) = (
        instruments(&Vectors::new(40, 24, &single).unwrap()),
        instruments(&matrix.vectors()),
    );
    for info in INSTRUMENTS {
        assert_near((info.get)(&found), (info.get)(&expected), 1e-5, info.key);
    }
}

#[test]
fn singular_values_equal_a_singular_value_decomposition() {
    for (rows, width) in [(30, 12), (12, 30)] {
        let matrix = Matrix::random(rows, width, 0.3, 2);
        let mut dense = DMatrix::from_row_slice(rows, width, &matrix.values);
        for centred in [false, true] {
            if centred {
                let mean = dense.row_mean();
                dense.row_iter_mut().for_each(|mut row| row -= &mean);
            }
            let expected = dense.singular_values();
            let found = singular_values(&matrix.vectors(), centred);
            assert_eq!(found.len(), expected.len());
            for (found, expected) in found.iter().zip(expected.iter()) {
                assert!((found - expected).abs() < 1e-6, "{found} instead of {expected}");
            }
        }
    }
}

#[test]
fn vectors_that_cannot_be_compared_are_refused() {
    let of = |rows, width, values: &[f32]| Vectors::new(rows, width, values).err();
    assert_eq!(of(1, 3, &[0.0; 3]), Some(VectorsError::TooFew { rows: 1, width: 3 }));
    assert_eq!(of(2, 0, &[]), Some(VectorsError::TooFew { rows: 2, width: 0 }));
    let shape = VectorsError::Shape {
        rows: 2,
        width: 3,
        found: 5,
    };
    assert_eq!(of(2, 3, &[0.0; 5]), Some(shape));
    let diverged = [0.0, 0.0, 1.0, f32::NAN, 0.0, 0.0];
    assert_eq!(of(3, 2, &diverged), Some(VectorsError::NotFinite { row: 1 }));
}

#[test]
fn total_collapse_gives_numbers_not_nan() {
    for value in [0.0, 0.7] {
        let equal = vec![value; 5 * 8];
        let vectors = Vectors::from_f64(5, 8, &equal).unwrap();
        let found = instruments(&vectors);
        for info in INSTRUMENTS {
            assert!((info.get)(&found).is_finite(), "{} of equal vectors", info.key);
        }
        assert!((found.rankme - 1.0).abs() < 1e-4, "{found:?}");
        let itself = compare(&vectors, &vectors);
        assert_eq!((itself.alignment_mse, itself.knn_overlap), (0.0, 1.0));
        assert!(pca_2d(&vectors).iter().flatten().all(|value| value.abs() < 1e-12));
    }
}

#[test]
fn histogram_and_heat_map_show_the_same_cosines() {
    let matrix = Matrix::random(30, 16, 0.8, 3);
    let vectors = matrix.vectors();
    let pairs = off_diagonal_cosines(&vectors);
    let histogram = cosine_histogram(&vectors, 40);
    assert_eq!(histogram.counts.iter().sum::<usize>(), 30 * 29 / 2);
    assert_near(histogram.mean, instruments(&vectors).mean_cosine, 1e-12, "mean");
    let below_median = pairs.iter().filter(|cosine| **cosine <= histogram.quantiles[2]).count();
    assert!(
        (217..=219).contains(&below_median),
        "{below_median} of 435 below the median"
    );
    let upper_half = pairs.iter().filter(|cosine| **cosine >= 0.0).count();
    assert_eq!(histogram.counts[20..].iter().sum::<usize>(), upper_half);
    let square = cosine_matrix(&vectors);
    assert_eq!(square[1], pairs[0] as f32);
    assert_eq!(square[30], pairs[0] as f32);
    assert!((square[0] - 1.0).abs() < 1e-6);
}

#[test]
fn similar_rows_stand_side_by_side() {
    let (groups, rows) = (4, 40);
    let centres = Matrix::random(groups, 32, 0.0, 4);
    let noise = Matrix::random(rows, 32, 0.0, 5);
    let values: Vec<f64> = (0..rows * 32)
        .map(|at| centres.values[(at / 32) % groups * 32 + at % 32] + 0.2 * noise.values[at])
        .collect();
    let vectors = Vectors::from_f64(rows, 32, &values).unwrap();
    let order = cluster_order(&vectors);
    let changes = order
        .windows(2)
        .filter(|pair| pair[0] % groups != pair[1] % groups)
        .count();
    assert_eq!(changes, groups - 1, "{order:?}");
    let mut sorted = order.clone();
    sorted.sort_unstable();
    assert_eq!(sorted, (0..rows).collect::<Vec<_>>());
    assert_eq!(order, cluster_order(&vectors));
    assert_eq!(cluster_order(&Vectors::new(3, 2, &[1.0; 6]).unwrap()).len(), 3);
}

#[test]
fn the_plane_holds_the_first_two_components() {
    for (rows, width) in [(50, 12), (12, 50)] {
        let matrix = Matrix::random(rows, width, 0.5, 6);
        let points = pca_2d(&matrix.vectors());
        let expected = singular_values(&matrix.vectors(), true);
        for axis in 0..2 {
            let energy: f64 = points.iter().map(|point| point[axis] * point[axis]).sum();
            assert_near(energy.sqrt(), expected[axis], 1e-9, "spread along an axis");
            let mean: f64 = points.iter().map(|point| point[axis]).sum();
            assert!(mean.abs() < 1e-9);
        }
        let crossed: f64 = points.iter().map(|point| point[0] * point[1]).sum();
        assert!(crossed.abs() < 1e-9);
    }
}

#[test]
fn each_sign_of_collapse_is_named() {
    let encoder = Instruments {
        mean_cosine: 0.41,
        rankme: 80.0,
        largest_rank: 100,
        ..Instruments::default()
    };
    let healthy = Instruments {
        mean_cosine: 0.23,
        rankme: 61.2,
        top_share_uncentred: 0.3,
        largest_rank: 100,
        ..Instruments::default()
    };
    assert!(!verdict(&encoder, &healthy).collapsed);
    assert_eq!(
        headline(412, &encoder, &healthy),
        "Step 412: projected mean cosine 0.23, encoder 0.41. Effective rank 61 of 100. Not collapsed."
    );
    let signs = [
        (
            Instruments {
                mean_cosine: 0.72,
                ..healthy
            },
            "mean cosine",
        ),
        (
            Instruments {
                rankme: 20.0,
                ..healthy
            },
            "effective rank",
        ),
        (
            Instruments {
                top_share_uncentred: 0.95,
                ..healthy
            },
            "one direction",
        ),
    ];
    for (projected, sign) in signs {
        let verdict = verdict(&encoder, &projected);
        assert!(verdict.collapsed && verdict.reason.starts_with(sign), "{verdict:?}");
        assert!(headline(1, &encoder, &projected).ends_with(" Collapsed."));
    }
}

#[derive(Deserialize)]
struct MetricRow {
    pred: String,
    gold: String,
    em_token: bool,
    em_strict: bool,
    em_lines: bool,
    es_levenshtein: f64,
    es_ratio: f64,
}

#[test]
fn metrics_equal_the_reference() {
    let rows: Vec<MetricRow> = json("metrics.json");
    assert!(rows.len() > 50);
    for row in rows {
        let (text, target) = (row.pred.as_str(), row.gold.as_str());
        let what = format!("{text:?} against {target:?}");
        assert_eq!(em_token(text, target), row.em_token, "em_token of {what}");
        assert_eq!(em_strict(text, target), row.em_strict, "em_strict of {what}");
        assert_eq!(em_lines(text, target), row.em_lines, "em_lines of {what}");
        let levenshtein = es_levenshtein(text, target);
        assert!(
            (levenshtein - row.es_levenshtein).abs() < 1e-9,
            "es_levenshtein of {what}"
        );
        let ratio = es_ratio(text, target);
        assert!((ratio - row.es_ratio).abs() < 1e-9, "es_ratio of {what}");
    }
}

#[test]
fn code_tokens_and_identifiers_are_whole_words() {
    let tokens = tokenize_code("self.loadModel('é', x_1)\n");
    let expected = ["self", ".", "load", "Model", "(", "`", "é", "`", ",", "x_1", ")"];
    assert_eq!(tokens, expected);
    assert!(identifier_match("  load_model(path)", "load_model"));
    assert!(identifier_match("load_model", "load_model"));
    assert!(!identifier_match("load_models(path)", "load_model"));
    assert!(!identifier_match("x.load_model", "load_model"));
    assert!(!identifier_match("anything", ""));
}

#[test]
fn scores_hold_every_metric() {
    let found = scores(" load(\"a\")", "load('a')", Some("load"), 1.5);
    let values: BTreeMap<&str, f64> = SCORE_INFO.iter().map(|info| (info.key, (info.get)(&found))).collect();
    let fields: BTreeMap<String, f64> = serde_json::from_value(serde_json::to_value(found).unwrap()).unwrap();
    assert!(fields.iter().all(|(key, value)| values[key.as_str()] == *value));
    assert_eq!(fields.len(), values.len());
    assert_eq!(
        (found.em_token, found.em_strict, found.identifier_match),
        (1.0, 0.0, 1.0)
    );
    assert_eq!(found.cross_entropy, 1.5);
    assert_eq!(scores("a", "a", None, 0.0).identifier_match, 0.0);
}

#[derive(Deserialize)]
struct StatisticsFixture {
    a: Vec<u8>,
    b: Vec<u8>,
    mcnemar_exact_two_sided_p: f64,
    difference: f64,
    bootstrap_percentile_95: [f64; 2],
    bootstrap_tolerance: f64,
}

#[test]
fn statistics_equal_the_reference() {
    let expected: StatisticsFixture = json("statistics.json");
    let right = |flags: &[u8]| flags.iter().map(|flag| *flag == 1).collect::<Vec<bool>>();
    let p = mcnemar_exact(&right(&expected.a), &right(&expected.b));
    assert!((p - expected.mcnemar_exact_two_sided_p).abs() < 1e-9, "p is {p}");
    let number = |flags: &[u8]| flags.iter().copied().map(f64::from).collect::<Vec<f64>>();
    let alone: Vec<usize> = (0..expected.a.len()).collect();
    let found = paired_bootstrap(&number(&expected.b), &number(&expected.a), &alone, 10_000, 7);
    assert!((found.mean - expected.difference).abs() < 1e-12);
    let [low, high] = expected.bootstrap_percentile_95;
    assert!((found.low - low).abs() <= expected.bootstrap_tolerance, "{found:?}");
    assert!((found.high - high).abs() <= expected.bootstrap_tolerance, "{found:?}");
}

#[test]
fn mcnemar_holds_for_no_change_and_for_thousands_of_changes() {
    assert_eq!(mcnemar_exact(&[true, false], &[true, false]), 1.0);
    // 10 gained, 2 lost: 2 (C(12,0) + C(12,1) + C(12,2)) / 2^12.
    let flags = |gained: usize, lost: usize| -> (Vec<bool>, Vec<bool>) {
        (0..gained + lost).map(|at| (at >= gained, at < gained)).unzip()
    };
    let (a, b) = flags(10, 2);
    assert_near(mcnemar_exact(&a, &b), 2.0 * 79.0 / 4096.0, 1e-12, "p");
    let (a, b) = flags(2000, 2000);
    assert_eq!(mcnemar_exact(&a, &b), 1.0);
    let (a, b) = flags(2100, 1900);
    let p = mcnemar_exact(&a, &b);
    // The normal approximation with continuity correction, z = (200 - 1) / sqrt(4000).
    assert!((p - 0.00165).abs() < 2e-4, "p is {p}");
}

#[test]
fn bootstrap_draws_whole_repositories() {
    // Two repositories, each of equal values: every resample's mean is 0, 1 or something between, by repository.
    let values: Vec<f64> = (0..40).map(|at| f64::from(u8::from(at < 20))).collect();
    let alone: Vec<usize> = (0..40).collect();
    let repositories: Vec<usize> = (0..40).map(|at| at / 20).collect();
    let by_sample = clustered_bootstrap(&values, &alone, 2000, 1);
    let by_repository = clustered_bootstrap(&values, &repositories, 2000, 1);
    assert_eq!((by_repository.low, by_repository.high), (0.0, 1.0));
    assert!(by_sample.low > 0.25 && by_sample.high < 0.75, "{by_sample:?}");
    // One repository alone: samples are drawn instead.
    assert_eq!(clustered_bootstrap(&values, &[3; 40], 2000, 1), by_sample);
    assert_ne!(clustered_bootstrap(&values, &alone, 2000, 2), Interval::default());
    assert_eq!(clustered_bootstrap(&[], &[], 2000, 1), Interval::default());
}

#[test]
fn an_interval_reads_as_text() {
    let interval = Interval {
        mean: 0.2345,
        low: 0.21,
        high: 0.25,
    };
    assert_eq!(interval.text(2), "0.23 [0.21, 0.25]");
}

#[test]
fn a_summary_compares_arms_on_the_samples_that_all_have() {
    let record = |sample: &str, arm, em: f64, tokens, ttft| CompletionRecord {
        sample: sample.to_owned(),
        arm,
        prompt_tokens: tokens,
        soft_tokens: 0,
        text: String::new(),
        scores: Scores {
            em_token: em,
            cross_entropy: 2.0 - em,
            ..Scores::default()
        },
        ttft_ms: ttft,
        total_ms: 100.0,
        ..CompletionRecord::default()
    };
    let records = [
        record("a/1", Arm::Compressed, 1.0, 110, 20.0),
        record("a/2", Arm::Compressed, 0.0, 120, 40.0),
        record("b/1", Arm::Compressed, 1.0, 130, 30.0),
        record("b/1", Arm::NoContext, 0.0, 100, 10.0),
        record("a/2", Arm::NoContext, 0.0, 100, 10.0),
        record("a/1", Arm::NoContext, 1.0, 100, 10.0),
        record("a/1", Arm::ShuffledContext, 1.0, 110, 20.0),
        record("a/2", Arm::ShuffledContext, 0.0, 120, 40.0),
        record("b/1", Arm::ShuffledContext, 0.0, 130, 30.0),
        // No compressed completion: not counted.
        record("b/9", Arm::NoContext, 1.0, 900, 900.0),
    ];
    let repository = |sample: &str| sample.split('/').next().unwrap().to_owned();
    let summary = summarise(&records, repository, Split::Test, 40, 3);
    assert_eq!(
        (summary.samples, summary.repositories, summary.resamples),
        (3, 2, 10_000)
    );
    assert_eq!((summary.step, summary.split, summary.seed), (40, Split::Test, 3));
    let [none, compressed, _shuffled] = summary.arms.as_slice() else {
        panic!("three arms expected, found {:?}", summary.arms);
    };
    assert_eq!((none.arm, compressed.arm), (Arm::NoContext, Arm::Compressed));
    assert!(none.difference.is_empty());
    assert_near(none.scores["em_token"].mean, 1.0 / 3.0, 1e-12, "mean without context");
    assert_near(compressed.scores["em_token"].mean, 2.0 / 3.0, 1e-12, "mean compressed");
    let difference = compressed.difference["em_token"];
    assert_near(difference.mean, 1.0 / 3.0, 1e-12, "difference");
    // Repository a gains 0 of 2, b gains 1 of 1: the resamples are aa, ab, bb.
    assert_eq!((difference.low, difference.high), (0.0, 1.0));
    assert_near(
        compressed.difference["cross_entropy"].mean,
        -1.0 / 3.0,
        1e-12,
        "cross-entropy",
    );
    let content = summary.content["em_token"];
    assert_near(content.mean, 1.0 / 3.0, 1e-12, "worth of the content");
    assert_eq!((content.low, content.high), (0.0, 1.0));
    assert_eq!((compressed.prompt_tokens, compressed.ttft_ms), (120.0, 30.0));
    assert_eq!(compressed.scores.len(), SCORE_INFO.len());
    let nothing = summarise(&[], repository, Split::Test, 1, 1);
    assert!(nothing.arms.is_empty() && nothing.content.is_empty());
}
