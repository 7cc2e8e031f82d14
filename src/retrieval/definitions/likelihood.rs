//! How likely each candidate is: a conditional logit over what speaks for it.

use super::candidates::Candidate;

/// What speaks for a candidate, or against it.
#[derive(Clone, Copy, Debug)]
pub(super) enum Feature {
    /// Times that the repository writes it after the same word.
    Short,
    /// Times that the repository writes it after the same two words.
    Long,
    /// Times that other files use it in the same way, as attribute or by itself.
    Uses,
    /// Other files that use it so.
    Files,
    /// Times that this file has used it.
    UsedHere,
    /// How near the last use in this file is.
    UsedNear,
    /// This file has not used it yet.
    NeverUsed,
    /// Times that this file has written it after the same word.
    FollowedShort,
    /// Times that this file has written it after the same two words.
    FollowedLong,
    /// Parts of its name that occur in words near the cursor.
    Near,
    /// Definitions of the same name.
    Places,
    /// It is defined in a file that this one imports from.
    ImportedFile,
    /// It is a member of the receiver.
    Member,
    /// It is a member of a class that has the name of the receiver.
    Namesake,
    IsFunction,
    IsClass,
    IsVariable,
    IsAttribute,
    ErrorFits,
    Error,
    ClassFits,
    NoClass,
    FunctionFits,
    OwnerKnown,
    OwnerNamed,
    Receiver,
    SameFolder,
    /// Jaccard similarity of its chunk to the last lines.
    Words,
    Private,
    Count,
}

/// Number of features.
pub(super) const FEATURES: usize = Feature::Count as usize;

/// The share of each candidate, in their order; together they make 1.
pub(super) fn likelihoods(candidates: &[(Candidate, Option<usize>)], attribute: bool) -> Vec<f64> {
    let weights = if attribute { ATTRIBUTE } else { WEIGHTS };
    let utility =
        |(one, _): &(Candidate, Option<usize>)| -> f64 { one.features.iter().zip(weights).map(|(x, w)| x * w).sum() };
    let utilities: Vec<f64> = candidates.iter().map(utility).collect();
    let most = utilities.iter().copied().fold(f64::NEG_INFINITY, f64::max);
    let shares: Vec<f64> = utilities.iter().map(|utility| (utility - most).exp()).collect();
    let sum: f64 = shares.iter().sum();
    shares.into_iter().map(|share| share / sum).collect()
}

const WEIGHTS: [f64; FEATURES] = [
    1.13, 1.49, -0.04, -0.15, 0.60, -0.50, 2.24, 1.74, 1.32, 2.47, -1.00, 5.28, 0.00, 0.00, 0.41, 0.11, -0.84, 0.00,
    2.47, -1.29, 1.30, -2.24, 1.22, 0.00, 0.00, 0.00, 0.07, 1.09, -0.10,
];

const ATTRIBUTE: [f64; FEATURES] = [
    0.50, 1.36, 0.09, -0.14, 0.12, -1.45, -1.29, 1.23, 1.32, 4.22, -1.00, 0.01, 5.58, 2.49, -0.11, -1.34, -1.61, -1.04,
    2.37, -0.64, 4.75, -1.08, -1.19, 0.23, 2.15, -0.07, 0.64, 5.41, -1.02,
];
