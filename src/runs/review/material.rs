//! What a review shows: the samples of one evaluation with their completions.

use std::collections::BTreeMap;

use crate::corpus::Split;
use crate::evaluation::{Arm, CompletionRecord};
use crate::runs::{Run, RunError, SampleRecord};

/// The samples of one evaluation, with what each arm made of them.
#[derive(Clone, Debug, Default)]
pub struct ReviewMaterial {
    /// By id.
    samples: BTreeMap<String, SampleRecord>,
    completions: BTreeMap<String, BTreeMap<Arm, CompletionRecord>>,
}

impl ReviewMaterial {
    /// Reads it; samples that the run keeps no text of are left out.
    pub fn read(run: &Run, step: usize, split: Split) -> Result<Self, RunError> {
        let mut completions: BTreeMap<String, BTreeMap<Arm, CompletionRecord>> = BTreeMap::new();
        let completed = run.completed(step, split)?;
        for completion in completed.completions()? {
            let of_sample = completions.entry(completion.sample.clone()).or_default();
            of_sample.insert(completion.arm, completion);
        }
        let samples = completed.samples()?.into_iter();
        let samples = samples
            .filter(|record| completions.contains_key(&record.sample.id))
            .map(|record| (record.sample.id.clone(), record));
        Ok(Self {
            samples: samples.collect(),
            completions,
        })
    }

    /// A sample.
    pub fn sample(&self, id: &str) -> Option<&SampleRecord> {
        self.samples.get(id)
    }

    /// What an arm made of a sample.
    pub fn completion(&self, id: &str, arm: Arm) -> Option<&CompletionRecord> {
        self.completions.get(id)?.get(&arm)
    }

    /// What a person is shown of it: the completion without the blanks around it.
    pub fn text(&self, id: &str, arm: Arm) -> Option<&str> {
        self.completion(id, arm).map(|completion| completion.text.trim())
    }

    /// Ids of the samples that all these arms completed, ascending.
    pub fn complete<'a>(&'a self, arms: &'a [Arm]) -> impl Iterator<Item = &'a str> {
        let has_all = |id: &&str| arms.iter().all(|arm| self.completion(id, *arm).is_some());
        self.samples.keys().map(String::as_str).filter(has_all)
    }

    /// The arms that completed anything, in the order of the arms.
    pub fn arms(&self) -> Vec<Arm> {
        let mut arms: Vec<Arm> = self.completions.values().flat_map(|of| of.keys().copied()).collect();
        arms.sort_unstable();
        arms.dedup();
        arms
    }
}
