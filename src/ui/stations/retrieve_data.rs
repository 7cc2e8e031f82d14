//! What was retrieved for the samples of a run: at which rank the name needed is found, and how often.

use std::collections::BTreeMap;
use std::path::PathBuf;

use crate::corpus::Split;
use crate::evaluation::Interval;
use crate::evaluation::statistics::clustered_bootstrap;
use crate::runs::{Run, SampleRecord};

/// Resamples behind an interval of the hit rate.
pub const RESAMPLES: usize = 2_000;

/// The samples of one split of a run, and the hit rate at every rank.
#[derive(Clone, Debug)]
pub struct Retrieval {
    made_of: (PathBuf, u64, Option<Split>),
    /// The splits that the run has samples of.
    pub splits: Vec<Split>,
    /// The split shown.
    pub split: Option<Split>,
    /// Its samples, as completed.
    pub samples: Vec<SampleRecord>,
    /// Repositories that they come from.
    pub repositories: usize,
    /// Share of samples with a hit among the first 1, 2, ... chunks, with 95% intervals clustered by repository.
    pub hit_rate: Vec<Interval>,
}

/// Which samples are listed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, strum::EnumIter)]
pub enum Filter {
    /// Every sample.
    #[default]
    All,
    /// Some chunk holds the name.
    Hit,
    /// No chunk holds it.
    Missed,
}

impl Filter {
    /// The name that a person reads.
    pub fn label(self) -> &'static str {
        match self {
            Self::All => "all samples",
            Self::Hit => "some chunk holds the name",
            Self::Missed => "no chunk holds the name",
        }
    }
}

/// The rank of the first chunk that holds the name needed, from 1.
pub fn first_hit(record: &SampleRecord) -> Option<usize> {
    let hits = record.retrieved.iter().filter(|found| found.hit);
    hits.map(|found| found.rank).min()
}

impl Retrieval {
    /// Reads the samples of a run that has changed so often; of the first split when the run has none of the one asked for.
    pub fn read(run: &Run, generation: u64, asked: Option<Split>) -> Self {
        let all = run.samples();
        let mut splits: Vec<Split> = all.iter().map(|record| record.split).collect();
        splits.sort_unstable();
        splits.dedup();
        let usual = [Split::Validation].into_iter().chain(splits.iter().copied());
        let split = asked.into_iter().chain(usual).find(|split| splits.contains(split));
        let samples: Vec<SampleRecord> = all.into_iter().filter(|record| Some(record.split) == split).collect();
        let mut numbers = BTreeMap::new();
        let clusters: Vec<usize> = samples
            .iter()
            .map(|record| {
                let next = numbers.len();
                *numbers.entry(record.sample.repository.clone()).or_insert(next)
            })
            .collect();
        let most = samples
            .iter()
            .map(|record| record.retrieved.len())
            .max()
            .unwrap_or_default();
        let ranks: Vec<Option<usize>> = samples.iter().map(first_hit).collect();
        let hit_rate = (1..=most)
            .map(|k| {
                let hits = ranks
                    .iter()
                    .map(|rank| f64::from(u8::from(rank.is_some_and(|rank| rank <= k))));
                clustered_bootstrap(&hits.collect::<Vec<_>>(), &clusters, RESAMPLES, run.experiment.seed)
            })
            .collect();
        Self {
            made_of: (run.folder.clone(), generation, asked),
            splits,
            split,
            samples,
            repositories: numbers.len(),
            hit_rate,
        }
    }

    /// Whether it still is what would be read.
    pub fn is_of(&self, run: &Run, generation: u64, asked: Option<Split>) -> bool {
        let (folder, made_of, split) = &self.made_of;
        *folder == run.folder && *made_of == generation && *split == asked
    }

    /// The samples that a search and a filter keep.
    pub fn listed(&self, search: &str, filter: Filter) -> Vec<&SampleRecord> {
        let search = search.trim().to_lowercase();
        let found = |record: &SampleRecord| {
            let sample = &record.sample;
            [&sample.id, &sample.target]
                .iter()
                .any(|text| text.to_lowercase().contains(&search))
        };
        let keeps = |record: &SampleRecord| match filter {
            Filter::All => true,
            Filter::Hit => first_hit(record).is_some(),
            Filter::Missed => first_hit(record).is_none(),
        };
        let samples = self.samples.iter();
        samples.filter(|record| keeps(record) && found(record)).collect()
    }
}
