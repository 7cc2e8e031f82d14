//! The split is by repository: no file of a validation or test repository is ever trained on.

use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};
use strum::IntoEnumIterator as _;

/// The part of the corpus that a repository belongs to.
#[derive(
    Clone,
    Copy,
    Debug,
    PartialEq,
    Eq,
    Hash,
    PartialOrd,
    Ord,
    Serialize,
    Deserialize,
    strum::Display,
    strum::EnumIter,
    strum::EnumString,
)]
#[serde(rename_all = "lowercase")]
#[strum(serialize_all = "lowercase")]
pub enum Split {
    /// Trained on.
    Train,
    /// Looked at while training, and used for every choice.
    Validation,
    /// Looked at once, for claims.
    Test,
}

/// The split of a user's repository: 70% train, 10% validation, 20% test, decided by its name and the seed alone.
///
/// A repository keeps its place when others come or go, so that it never moves from test to train.
pub fn split_of(name: &str, seed: u64) -> Split {
    match digest(name, seed)
        .iter()
        .fold(0, |rest, &byte| (rest * 256 + u32::from(byte)) % 100)
    {
        0..70 => Split::Train,
        70..80 => Split::Validation,
        _ => Split::Test,
    }
}

/// The splits of all repositories of a user's folder: [`split_of`] each, but a split that stays empty takes a repository
/// from the largest, so that a handful of repositories is enough to train, validate and test.
pub fn splits_of(names: &[&str], seed: u64) -> Vec<Split> {
    let mut splits: Vec<Split> = names.iter().map(|name| split_of(name, seed)).collect();
    for empty in [Split::Train, Split::Validation, Split::Test] {
        if splits.contains(&empty) {
            continue;
        }
        let count = |split: Split| splits.iter().filter(|one| **one == split).count();
        let Some(largest) = Split::iter()
            .max_by_key(|split| count(*split))
            .filter(|split| count(*split) > 1)
        else {
            continue;
        };
        let members = (0..names.len()).filter(|&index| splits[index] == largest);
        if let Some(moved) = members.max_by_key(|&index| digest(names[index], seed)) {
            splits[moved] = empty;
        }
    }
    splits
}

/// SHA-256 of a repository's name and a seed: the same choice on every machine.
pub(super) fn digest(name: &str, seed: u64) -> [u8; 32] {
    Sha256::digest(format!("{seed}:{name}")).into()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn three_repositories_are_enough_for_three_splits() {
        for seed in 0..20 {
            let mut splits = splits_of(&["one", "two", "three"], seed);
            splits.sort();
            assert_eq!(splits, [Split::Train, Split::Validation, Split::Test]);
            assert_eq!(splits_of(&["alone"], seed).len(), 1);
            assert!(splits_of(&[], seed).is_empty());
        }
    }

    #[test]
    fn many_repositories_keep_the_split_of_their_name() {
        let names: Vec<String> = (0..200).map(|index| format!("repository-{index}")).collect();
        let names: Vec<&str> = names.iter().map(String::as_str).collect();
        let splits = splits_of(&names, 3);
        assert!(
            names
                .iter()
                .zip(&splits)
                .all(|(name, split)| split_of(name, 3) == *split)
        );
    }
}
