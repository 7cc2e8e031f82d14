//! How likely each candidate is: a conditional logit over the evidence.

use super::evidence::{FEATURES, Feature, Features};

/// The share of each candidate, in their order; together they make 1. `attribute` tells that the cursor stands behind a dot.
///
/// `p_i = exp(w·x_i) / Σ_j exp(w·x_j)` (McFadden 1974).
pub(super) fn likelihoods(candidates: &[Features], attribute: bool) -> Vec<f64> {
    let weights = WEIGHTS.map(|(_, bare, behind_dot)| if attribute { behind_dot } else { bare });
    let utility = |features: &Features| -> f64 { features.iter().zip(weights).map(|(x, w)| x * w).sum() };
    let utilities: Vec<f64> = candidates.iter().map(utility).collect();
    let most = utilities.iter().copied().fold(f64::NEG_INFINITY, f64::max);
    let shares: Vec<f64> = utilities.iter().map(|utility| (utility - most).exp()).collect();
    let sum: f64 = shares.iter().sum();
    shares.into_iter().map(|share| share / sum).collect()
}

/// The weight of each kind of evidence for a bare name, and for one behind a dot.
///
/// Fitted once to 3,938 samples of the training repositories of the default corpus (maximum likelihood, small ridge). The weight of
/// the number of definitions was not fitted but set to -1, which shares a name's likelihood among its definitions: samples are drawn
/// where a name has few, so that a fit would learn how samples are drawn.
const WEIGHTS: [(Feature, f64, f64); FEATURES] = [
    (Feature::FollowsWord, 1.07, 0.42),
    (Feature::FollowsWords, 1.51, 1.36),
    (Feature::FollowsWordHere, 1.79, 1.22),
    (Feature::FollowsWordsHere, 1.36, 1.41),
    (Feature::UsedHere, 0.52, 0.06),
    (Feature::NeverUsed, 2.49, -0.47),
    (Feature::Near, 2.34, 3.89),
    (Feature::Places, -1.0, -1.0),
    (Feature::ImportedFile, 5.32, 0.08),
    (Feature::SameFolder, 0.21, 0.67),
    (Feature::Member, 0.0, 5.54),
    (Feature::Namesake, 0.0, 1.96),
    (Feature::ClassNamed, 0.0, 2.18),
    (Feature::Function, 0.41, -0.11),
    (Feature::Class, 0.11, -1.31),
    (Feature::Variable, -0.86, -1.58),
    (Feature::Error, -1.31, -0.63),
    (Feature::ErrorFits, 2.52, 2.34),
    (Feature::ClassFits, 1.27, 4.72),
    (Feature::ClassLacks, -2.19, -1.08),
    (Feature::FunctionFits, 1.19, -1.12),
    (Feature::Private, -0.03, -0.98),
    (Feature::Words, 1.04, 5.41),
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn weights_stand_in_the_order_of_the_features() {
        for (index, (feature, ..)) in WEIGHTS.into_iter().enumerate() {
            assert_eq!(feature as usize, index, "{feature:?}");
        }
    }

    #[test]
    fn shares_add_up_to_one_and_follow_the_evidence() {
        let mut member = [0.0; FEATURES];
        member[Feature::Member as usize] = 1.0;
        let shares = likelihoods(&[member, [0.0; FEATURES]], true);
        assert!((shares.iter().sum::<f64>() - 1.0).abs() < 1e-12);
        assert!((shares[0] / shares[1] - 5.54_f64.exp()).abs() < 1e-9);
        assert_eq!(likelihoods(&[[0.0; FEATURES]; 4], false), [0.25; 4]);
        assert!(likelihoods(&[], false).is_empty());
    }
}
