//! The split is by repository: no file of a validation or test repository is ever trained on.

use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};

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

/// The split of a user's repository: 70% train, 10% validation, 20% test, decided by its name alone.
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

/// SHA-256 of a repository's name and a seed: the same choice on every machine.
pub(super) fn digest(name: &str, seed: u64) -> [u8; 32] {
    Sha256::digest(format!("{seed}:{name}")).into()
}
