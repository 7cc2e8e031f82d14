//! How often a retriever finds a chunk with the name that comes next, and at which place.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::Interval;
use super::statistics::{RESAMPLES, clustered_bootstrap, paired_bootstrap};
use crate::corpus::Split;
use crate::experiment::RetrieverKind;

/// The places up to which hits are counted.
pub const RANKS: [usize; 5] = [1, 3, 5, 10, 20];

/// Where the first hit of a sample stands.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct RetrievalRecord {
    /// Id of the sample.
    pub sample: String,
    /// Its repository.
    pub repository: String,
    /// Place of the first chunk that holds the identifier, from 1; none where no ranked chunk does.
    pub rank: Option<usize>,
}

/// Share of the samples with a hit among the first `k` chunks.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct HitRate {
    /// Chunks that are looked at.
    pub k: usize,
    /// The share, 0 to 1, with its interval clustered by repository.
    pub rate: Interval,
}

/// What a retriever finds on one split.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct RetrievalQuality {
    /// The retriever.
    pub retriever: RetrieverKind,
    /// The split.
    pub split: Split,
    /// Samples asked for.
    pub samples: usize,
    /// Repositories that they come from.
    pub repositories: usize,
    /// Seed of the intervals.
    pub seed: u64,
    /// One entry for each of [`RANKS`].
    pub hit_rates: Vec<HitRate>,
    /// Mean of `1 / rank` of the first hit, 0 without one.
    pub reciprocal_rank: Interval,
    /// Seconds to rank the chunks for one sample, on average; indexing, and encoding for dense retrieval, come before.
    pub seconds_a_query: f64,
    /// One entry a sample.
    pub records: Vec<RetrievalRecord>,
}

impl RetrievalQuality {
    /// Rates and intervals of these records; `seconds_a_query` as measured.
    pub fn of(
        retriever: RetrieverKind,
        split: Split,
        records: Vec<RetrievalRecord>,
        seconds_a_query: f64,
        seed: u64,
    ) -> Self {
        let clusters = clusters(&records);
        let interval = |score: &dyn Fn(&RetrievalRecord) -> f64| {
            let scores: Vec<f64> = records.iter().map(score).collect();
            clustered_bootstrap(&scores, &clusters, RESAMPLES, seed)
        };
        Self {
            retriever,
            split,
            samples: records.len(),
            repositories: clusters.iter().max().map_or(0, |last| last + 1),
            seed,
            hit_rates: RANKS
                .into_iter()
                .map(|k| HitRate {
                    k,
                    rate: interval(&|record| record.hit_within(k)),
                })
                .collect(),
            reciprocal_rank: interval(&|record| record.rank.map_or(0.0, |rank| 1.0 / rank as f64)),
            seconds_a_query,
            records,
        }
    }

    /// Share of the samples with a hit among the first `k` chunks, for a `k` of [`RANKS`].
    pub fn hit_rate(&self, k: usize) -> Option<Interval> {
        self.hit_rates.iter().find(|one| one.k == k).map(|one| one.rate)
    }

    /// Mean paired difference of hits within `k` to another retriever, over the samples that both were asked for, with its interval
    /// clustered by repository.
    pub fn difference(&self, baseline: &Self, k: usize) -> Interval {
        let base: BTreeMap<&str, &RetrievalRecord> = baseline
            .records
            .iter()
            .map(|record| (record.sample.as_str(), record))
            .collect();
        let shared: Vec<RetrievalRecord> = self
            .records
            .iter()
            .filter(|record| base.contains_key(record.sample.as_str()))
            .cloned()
            .collect();
        let values: Vec<f64> = shared.iter().map(|record| record.hit_within(k)).collect();
        let base: Vec<f64> = shared
            .iter()
            .filter_map(|record| base.get(record.sample.as_str()))
            .map(|record| record.hit_within(k))
            .collect();
        paired_bootstrap(&values, &base, &clusters(&shared), RESAMPLES, self.seed)
    }
}

impl RetrievalRecord {
    /// 1 with a hit among the first `k` chunks, else 0.
    fn hit_within(&self, k: usize) -> f64 {
        f64::from(u8::from(self.rank.is_some_and(|rank| rank <= k)))
    }
}

/// The number of each record's repository, in the order in which they come.
fn clusters(records: &[RetrievalRecord]) -> Vec<usize> {
    let mut numbers: BTreeMap<&str, usize> = BTreeMap::new();
    records
        .iter()
        .map(|record| {
            let next = numbers.len();
            *numbers.entry(&record.repository).or_insert(next)
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn quality(ranks: &[Option<usize>]) -> RetrievalQuality {
        let record = |(index, rank): (usize, &Option<usize>)| RetrievalRecord {
            sample: format!("sample-{index}"),
            repository: format!("repository-{}", index / 2),
            rank: *rank,
        };
        let records = ranks.iter().enumerate().map(record).collect();
        RetrievalQuality::of(RetrieverKind::Bm25, Split::Validation, records, 0.25, 7)
    }

    #[test]
    fn a_hit_counts_from_its_rank_on() {
        let found = quality(&[Some(1), Some(2), Some(6), None]);
        assert_eq!((found.samples, found.repositories), (4, 2));
        let rates: Vec<f64> = found.hit_rates.iter().map(|one| one.rate.mean).collect();
        assert_eq!(rates, [0.25, 0.5, 0.5, 0.75, 0.75]);
        assert!((found.reciprocal_rank.mean - (1.0 + 0.5 + 1.0 / 6.0) / 4.0).abs() < 1e-12);
        let rate = found.hit_rate(5).unwrap_or_default();
        assert!(rate.low <= rate.mean && rate.mean <= rate.high);
        assert_eq!(found.hit_rate(4), None);
    }

    #[test]
    fn two_retrievers_are_compared_on_the_samples_that_both_know() {
        let (better, worse) = (quality(&[Some(1), Some(1), Some(9)]), quality(&[Some(1), None]));
        let difference = better.difference(&worse, 5);
        assert_eq!(difference.mean, 0.5);
        assert_eq!(worse.difference(&better, 5).mean, -0.5);
        assert_eq!(better.difference(&better, 5), Interval::default());
    }
}
