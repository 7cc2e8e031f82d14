//! What stands beside each other: the arms of an evaluation, and those of a second one on the same samples.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use super::compare_data::{Evaluation, Row};
use crate::evaluation::{Arm, CompletionRecord};

/// An arm of the evaluation that is looked at, or of the one beside it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct ArmKey {
    /// Of the evaluation beside it.
    pub second: bool,
    /// The arm.
    pub arm: Arm,
}

impl ArmKey {
    /// An arm of the evaluation that is looked at.
    pub fn first(arm: Arm) -> Self {
        Self { second: false, arm }
    }
}

/// The evaluation beside the one that is looked at.
#[derive(Clone, Debug)]
struct Second {
    evaluation: Arc<Evaluation>,
    /// Run and step, as a person reads them.
    name: String,
    /// The place of the same sample for each row of the first.
    rows: Vec<Option<usize>>,
}

/// An evaluation, perhaps with another one beside it.
#[derive(Clone, Debug)]
pub struct Compared {
    /// The evaluation that is looked at.
    pub first: Arc<Evaluation>,
    second: Option<Second>,
    /// Every arm of either, those of the first before those of the second.
    pub arms: Vec<ArmKey>,
    /// The repositories of the samples.
    pub repositories: BTreeSet<String>,
    /// What a search looks through, a row each, in small letters.
    pub texts: Vec<String>,
}

impl Compared {
    /// Puts a second evaluation, with its name, beside a first one. Samples are the same when their ids and true lines are.
    pub fn new(first: Arc<Evaluation>, second: Option<(Arc<Evaluation>, String)>) -> Self {
        let second = second.map(|(evaluation, name)| {
            let places: BTreeMap<&str, usize> =
                evaluation.rows.iter().zip(0..).map(|(row, at)| (id(row), at)).collect();
            let same = |row: &Row| {
                let place = *places.get(id(row))?;
                let other = evaluation.rows.get(place)?;
                (other.record.sample.target == row.record.sample.target).then_some(place)
            };
            let rows = first.rows.iter().map(same).collect();
            Second { evaluation, name, rows }
        });
        let mut arms: Vec<ArmKey> = first.arms().into_iter().map(ArmKey::first).collect();
        if let Some(second) = &second {
            let of_second = second.evaluation.arms().into_iter();
            arms.extend(of_second.map(|arm| ArmKey { second: true, arm }));
        }
        let repositories = first.rows.iter().map(|row| row.record.sample.repository.clone());
        let mut compared = Self {
            repositories: repositories.collect(),
            texts: Vec::new(),
            first,
            second,
            arms,
        };
        compared.texts = (0..compared.first.rows.len()).map(|row| compared.text(row)).collect();
        compared
    }

    /// Whether it was made of these.
    pub fn is_of(&self, first: &Arc<Evaluation>, second: Option<&Arc<Evaluation>>) -> bool {
        let other = self.second.as_ref().map(|second| &second.evaluation);
        let same = match (other, second) {
            (None, None) => true,
            (Some(one), Some(other)) => Arc::ptr_eq(one, other),
            _ => false,
        };
        same && Arc::ptr_eq(&self.first, first)
    }

    /// What an arm made of the sample of a row.
    pub fn completion(&self, row: usize, key: ArmKey) -> Option<&CompletionRecord> {
        match (&self.second, key.second) {
            (_, false) => self.first.rows.get(row)?.completion(key.arm),
            (Some(second), true) => {
                let place = (*second.rows.get(row)?)?;
                second.evaluation.rows.get(place)?.completion(key.arm)
            }
            (None, true) => None,
        }
    }

    /// The name of an arm, with that of its evaluation where there are two.
    pub fn name(&self, key: ArmKey) -> String {
        match (&self.second, key.second) {
            (Some(second), true) => format!("{} · {}", key.arm.label(), second.name),
            _ => key.arm.label().to_owned(),
        }
    }

    /// Name of the second evaluation, and how many samples it has in common with the first.
    pub fn matched(&self) -> Option<(&str, usize)> {
        let second = self.second.as_ref()?;
        Some((&second.name, second.rows.iter().flatten().count()))
    }

    /// The columns at first: every arm of the first, and the compressed one of the second.
    pub fn usual(&self) -> BTreeSet<ArmKey> {
        let usual = self.arms.iter().filter(|key| !key.second || key.arm == Arm::Compressed);
        usual.copied().collect()
    }

    fn text(&self, row: usize) -> String {
        let Some(found) = self.first.rows.get(row) else {
            return String::new();
        };
        let sample = &found.record.sample;
        let mut text = format!("{}\n{}", sample.id, sample.target);
        for key in &self.arms {
            if let Some(completion) = self.completion(row, *key) {
                text.push('\n');
                text.push_str(&completion.text);
            }
        }
        text.to_lowercase()
    }
}

fn id(row: &Row) -> &str {
    &row.record.sample.id
}
