//! Which samples are listed, and in which order.

use std::cmp::Ordering;
use std::collections::BTreeSet;

use super::compare_data::is_right;
use super::compare_pair::{ArmKey, Compared};
use crate::evaluation::{Arm, CompletionRecord};

/// Who is right and who is wrong, of the two arms that are held against each other or of the chosen ones.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, strum::EnumIter)]
pub enum Outcome {
    /// Every sample.
    #[default]
    All,
    /// Some chosen arms are right and some are wrong.
    Disagree,
    /// The one is right and the other is wrong: of full RAG and compressed, what compression lost.
    Lost,
    /// The other is right and the one is wrong.
    Gained,
    /// The other is wrong.
    Wrong,
}

/// What a cell of an arm shows besides right and wrong.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, strum::EnumIter)]
pub enum Shown {
    /// Edit similarity by Levenshtein, 0 to 100.
    #[default]
    Similarity,
    /// Exact match of tokens, 0 or 1.
    Exact,
    /// Mean cross-entropy of the true line, nats a token.
    CrossEntropy,
    /// Positions in the prompt.
    PromptTokens,
    /// Milliseconds to the first token.
    FirstToken,
    /// Milliseconds to the whole line.
    Total,
}

impl Shown {
    /// The name that a person reads.
    pub fn label(self) -> &'static str {
        match self {
            Self::Similarity => "ES",
            Self::Exact => "EM",
            Self::CrossEntropy => "cross-entropy",
            Self::PromptTokens => "prompt tokens",
            Self::FirstToken => "TTFT, ms",
            Self::Total => "total, ms",
        }
    }

    /// Its value for a completion.
    pub fn of(self, completion: &CompletionRecord) -> f64 {
        match self {
            Self::Similarity => completion.scores.es_levenshtein,
            Self::Exact => completion.scores.em_token,
            Self::CrossEntropy => completion.scores.cross_entropy,
            Self::PromptTokens => completion.prompt_tokens as f64,
            Self::FirstToken => completion.ttft_ms,
            Self::Total => completion.total_ms,
        }
    }
}

/// What the list is ordered by: a column of the table.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Column {
    /// As they were completed.
    #[default]
    Number,
    /// The true line.
    Line,
    /// What is shown of an arm.
    Arm(ArmKey),
    /// What the edit similarity loses from the one arm to the other.
    Drop,
    /// The name is in a retrieved chunk.
    Hit,
    /// The name is in the window.
    InWindow,
    /// Repository.
    Repository,
    /// Path and line.
    Place,
}

/// What the list keeps, and its order.
#[derive(Clone, Debug, PartialEq)]
pub struct Filters {
    /// As typed.
    pub search: String,
    /// By right and wrong.
    pub outcome: Outcome,
    /// The one arm and the other: from which to which edit similarity drops.
    pub pair: [ArmKey; 2],
    /// Edit similarity drops by more than this.
    pub drop: Option<f64>,
    /// Of this repository.
    pub repository: Option<String>,
    /// The name is in the window, or is not.
    pub in_window: Option<bool>,
    /// The name is in a retrieved chunk, or is not.
    pub hit: Option<bool>,
    /// The arms that have a column.
    pub arms: BTreeSet<ArmKey>,
    /// What is shown of them.
    pub shown: Shown,
    /// What the list is ordered by.
    pub by: Column,
    /// Largest first.
    pub down: bool,
}

impl Default for Filters {
    fn default() -> Self {
        Self {
            search: String::new(),
            outcome: Outcome::All,
            pair: [Arm::FullRag, Arm::Compressed].map(ArmKey::first),
            drop: None,
            repository: None,
            in_window: None,
            hit: None,
            arms: BTreeSet::new(),
            shown: Shown::Similarity,
            by: Column::Number,
            down: false,
        }
    }
}

impl Filters {
    /// Goes on with what another evaluation has: arms, and repositories.
    pub fn renew(&mut self, compared: &Compared) {
        let before = self.arms.len();
        self.arms.retain(|key| compared.arms.contains(key));
        let none_of_second = !self.arms.iter().any(|key| key.second) && compared.matched().is_some();
        if self.arms.is_empty() || before > self.arms.len() || none_of_second {
            self.arms = compared.usual();
        }
        for (side, usual) in self.pair.iter_mut().zip([Arm::FullRag, Arm::Compressed]) {
            if !compared.arms.contains(side) {
                *side = ArmKey::first(usual);
            }
        }
        if self
            .repository
            .as_ref()
            .is_some_and(|name| !compared.repositories.contains(name))
        {
            self.repository = None;
        }
        if let Column::Arm(key) = self.by
            && !compared.arms.contains(&key)
        {
            self.by = Column::Number;
        }
    }

    /// Whether any sample may be left out.
    pub fn keeps_all(&self) -> bool {
        let bare = Self {
            arms: self.arms.clone(),
            shown: self.shown,
            by: self.by,
            down: self.down,
            pair: self.pair,
            ..Self::default()
        };
        *self == bare
    }

    /// Orders by a column; the second time the other way round.
    pub fn sort(&mut self, by: Column) {
        self.down = self.by == by && !self.down;
        self.by = by;
    }

    /// The rows that are kept, in their order; rows without a value stand last.
    pub fn listed(&self, compared: &Compared) -> Vec<usize> {
        let search = self.search.trim().to_lowercase();
        let mut kept: Vec<usize> = (0..compared.first.rows.len())
            .filter(|row| self.keeps(compared, *row, &search))
            .collect();
        match self.by {
            Column::Number if self.down => kept.reverse(),
            Column::Number => {}
            Column::Line | Column::Repository | Column::Place => {
                kept.sort_by(|a, b| self.turned(self.words(compared, *a).cmp(&self.words(compared, *b))));
            }
            Column::Arm(_) | Column::Drop | Column::Hit | Column::InWindow => {
                let values = kept.into_iter().map(|row| (self.value(compared, row), row));
                let mut values: Vec<(Option<f64>, usize)> = values.collect();
                values.sort_by(|(a, _), (b, _)| match (a, b) {
                    (Some(a), Some(b)) => self.turned(a.total_cmp(b)),
                    (a, b) => b.is_some().cmp(&a.is_some()),
                });
                kept = values.into_iter().map(|(_, row)| row).collect();
            }
        }
        kept
    }

    fn turned(&self, order: Ordering) -> Ordering {
        if self.down { order.reverse() } else { order }
    }

    fn keeps(&self, compared: &Compared, row: usize, search: &str) -> bool {
        let Some(found) = compared.first.rows.get(row) else {
            return false;
        };
        let is = |wanted: Option<bool>, value: Option<bool>| wanted.is_none() || wanted == value;
        is(self.hit, found.hit())
            && is(self.in_window, found.in_window())
            && self
                .repository
                .as_ref()
                .is_none_or(|name| *name == found.record.sample.repository)
            && (search.is_empty() || compared.texts.get(row).is_some_and(|text| text.contains(search)))
            && self
                .drop
                .is_none_or(|least| self.dropped(compared, row).is_some_and(|drop| drop > least))
            && self.fits(compared, row)
    }

    fn fits(&self, compared: &Compared, row: usize) -> bool {
        let right = |key: ArmKey| compared.completion(row, key).map(is_right);
        let [one, other] = self.pair.map(right);
        match self.outcome {
            Outcome::All => true,
            Outcome::Disagree => {
                let mut of_arms = self.arms.iter().filter_map(|key| right(*key));
                let first = of_arms.next();
                of_arms.any(|other| Some(other) != first)
            }
            Outcome::Lost => one == Some(true) && other == Some(false),
            Outcome::Gained => one == Some(false) && other == Some(true),
            Outcome::Wrong => other == Some(false),
        }
    }

    /// What the edit similarity loses from the one arm to the other; none where one of them is missing.
    pub fn dropped(&self, compared: &Compared, row: usize) -> Option<f64> {
        let similarity = |key: ArmKey| Some(compared.completion(row, key)?.scores.es_levenshtein);
        let [one, other] = self.pair.map(similarity);
        Some(one? - other?)
    }

    fn value(&self, compared: &Compared, row: usize) -> Option<f64> {
        let found = compared.first.rows.get(row)?;
        let number = |holds: bool| f64::from(u8::from(holds));
        match self.by {
            Column::Arm(key) => Some(self.shown.of(compared.completion(row, key)?)),
            Column::Drop => self.dropped(compared, row),
            Column::Hit => found.hit().map(number),
            Column::InWindow => found.in_window().map(number),
            Column::Number | Column::Line | Column::Repository | Column::Place => None,
        }
    }

    fn words<'a>(&self, compared: &'a Compared, row: usize) -> (&'a str, &'a str, usize) {
        let Some(found) = compared.first.rows.get(row) else {
            return ("", "", 0);
        };
        let sample = &found.record.sample;
        match self.by {
            Column::Line => (sample.target.trim(), "", 0),
            Column::Place => (&sample.path, "", sample.line),
            _ => (&sample.repository, &sample.path, sample.line),
        }
    }
}

#[cfg(test)]
#[path = "compare_filter_tests.rs"]
mod tests;
