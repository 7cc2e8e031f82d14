//! What would have been completed with other soft tokens: changes to those of one sample, and what each of them does.

use rand::SeedableRng as _;
use rand::seq::SliceRandom as _;
use rand_chacha::ChaCha8Rng;
use serde::{Deserialize, Serialize};

use super::CompletionRecord;
use super::rows::mean;

/// A change to the soft tokens of a sample; chunks are counted from 0, best first, and those that are not there are passed over.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Change {
    /// They are left out, and what stands behind them moves up.
    Drop(Vec<usize>),
    /// They become zero, at their places.
    Zero(Vec<usize>),
    /// They become the mean soft token of the sample, at their places.
    Average(Vec<usize>),
    /// Two chunks change places.
    Swap(usize, usize),
    /// All chunks change places, by chance from this seed.
    Shuffle(u64),
}

impl Change {
    /// Every chunk of `count` left out alone: how much the completion owes to each.
    pub fn leave_one_out(count: usize) -> Vec<Self> {
        (0..count).map(|chunk| Self::Drop(vec![chunk])).collect()
    }

    /// What a person reads; chunks by rank, from 1.
    pub fn label(&self) -> String {
        let ranks = |chunks: &[usize]| {
            let ranks: Vec<String> = chunks.iter().map(|chunk| (chunk + 1).to_string()).collect();
            format!(
                "{} {}",
                if ranks.len() == 1 { "chunk" } else { "chunks" },
                ranks.join(", ")
            )
        };
        match self {
            Self::Drop(chunks) => format!("without {}", ranks(chunks)),
            Self::Zero(chunks) => format!("{} zero", ranks(chunks)),
            Self::Average(chunks) => format!("{} averaged", ranks(chunks)),
            Self::Swap(one, other) => format!("chunks {} and {} swapped", one + 1, other + 1),
            Self::Shuffle(seed) => format!("chunks shuffled (seed {seed})"),
        }
    }

    /// The soft tokens after the change. `soft` is `[chunks * tokens per chunk, hidden]`, `chunk` the numbers of one chunk in it
    /// (tokens per chunk * hidden).
    pub fn apply(&self, soft: &[f32], chunk: usize, hidden: usize) -> Vec<f32> {
        let chunk = chunk.max(1);
        let mut chunks: Vec<Vec<f32>> = soft.chunks_exact(chunk).map(<[f32]>::to_vec).collect();
        let mut replace = |which: &[usize], with: &[f32]| {
            for &index in which {
                if let Some(values) = chunks.get_mut(index) {
                    let repeated = with.iter().copied().cycle();
                    values.iter_mut().zip(repeated).for_each(|(value, new)| *value = new);
                }
            }
        };
        match self {
            Self::Drop(which) => {
                let kept = chunks.iter().enumerate().filter(|(index, _)| !which.contains(index));
                return kept.flat_map(|(_, values)| values.iter().copied()).collect();
            }
            Self::Zero(which) => replace(which, &[0.0]),
            Self::Average(which) => {
                let (rows, count) = (soft.chunks_exact(hidden.max(1)), soft.len() / hidden.max(1));
                replace(which, &mean(rows, count, hidden));
            }
            Self::Swap(one, other) => {
                if one.max(other) < &chunks.len() {
                    chunks.swap(*one, *other);
                }
            }
            Self::Shuffle(seed) => chunks.shuffle(&mut ChaCha8Rng::seed_from_u64(*seed)),
        }
        chunks.concat()
    }
}

/// What a change did to a completion: after minus before.
#[derive(Clone, Debug, PartialEq)]
pub struct Effect {
    /// Cross-entropy of the true target, nats a token; above zero when it was hurt.
    pub cross_entropy: f64,
    /// Exact match of code tokens: -1, 0 or 1.
    pub exact_match: f64,
    /// Edit similarity (Levenshtein), points of 100.
    pub edit_similarity: f64,
    /// Log-probability of each token of the true target, nats.
    pub log_probabilities: Vec<f32>,
    /// Whether another text was completed.
    pub other_text: bool,
}

impl Effect {
    /// Between two completions of one sample.
    pub fn of(before: &CompletionRecord, after: &CompletionRecord) -> Self {
        let pairs = after.log_probabilities.iter().zip(&before.log_probabilities);
        Self {
            cross_entropy: after.scores.cross_entropy - before.scores.cross_entropy,
            exact_match: after.scores.em_token - before.scores.em_token,
            edit_similarity: after.scores.es_levenshtein - before.scores.es_levenshtein,
            log_probabilities: pairs.map(|(after, before)| after - before).collect(),
            other_text: after.text != before.text,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Three chunks of two soft tokens of two numbers.
    const SOFT: [f32; 12] = [1., 2., 3., 4., 5., 6., 7., 8., 9., 10., 11., 12.];

    fn apply(change: Change) -> Vec<f32> {
        change.apply(&SOFT, 4, 2)
    }

    #[test]
    fn chunks_are_dropped_emptied_averaged_and_moved() {
        assert_eq!(apply(Change::Drop(vec![0, 2])), SOFT[4..8]);
        assert_eq!(apply(Change::Zero(vec![1]))[3..9], [4., 0., 0., 0., 0., 9.]);
        assert_eq!(apply(Change::Average(vec![2]))[8..], [6., 7., 6., 7.]);
        assert_eq!(
            apply(Change::Swap(0, 2)),
            [&SOFT[8..], &SOFT[4..8], &SOFT[..4]].concat()
        );
        let mut shuffled = apply(Change::Shuffle(3));
        assert_eq!(shuffled, apply(Change::Shuffle(3)));
        shuffled.sort_by(f32::total_cmp);
        assert_eq!(shuffled, SOFT);
    }

    #[test]
    fn chunks_that_are_not_there_are_passed_over() {
        for change in [
            Change::Drop(vec![7]),
            Change::Zero(vec![7]),
            Change::Average(vec![7]),
            Change::Swap(0, 7),
        ] {
            assert_eq!(apply(change), SOFT);
        }
        assert!(Change::Average(vec![0]).apply(&[], 4, 2).is_empty());
    }

    #[test]
    fn labels_count_from_one() {
        assert_eq!(Change::leave_one_out(2)[1].label(), "without chunk 2");
        assert_eq!(Change::Zero(vec![0, 1]).label(), "chunks 1, 2 zero");
        assert_eq!(Change::Swap(0, 1).label(), "chunks 1 and 2 swapped");
    }
}
