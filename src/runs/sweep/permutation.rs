//! How likely a difference is by chance.

use std::collections::BTreeMap;

use rand::{Rng as _, SeedableRng as _};
use rand_chacha::ChaCha8Rng;

/// Two-sided p-value of a mean difference of pairs: the share of random signs, one a cluster, that give a mean as far from 0.
///
/// The signs of a single cluster cannot be told apart from chance; then each pair has its own. The observed signs count as one of
/// the draws, so that p is never 0 (Phipson and Smyth 2010). The same seed gives the same value.
pub(super) fn sign_flip(differences: &[f64], clusters: &[usize], draws: usize, seed: u64) -> f64 {
    let mut sums: BTreeMap<usize, f64> = BTreeMap::new();
    for (difference, cluster) in differences.iter().zip(clusters) {
        *sums.entry(*cluster).or_default() += difference;
    }
    let units: Vec<f64> = if sums.len() > 1 {
        sums.into_values().collect()
    } else {
        differences.to_vec()
    };
    let observed = units.iter().sum::<f64>().abs();
    // Sums of the same numbers in another order differ in their last bits.
    let limit = observed - 1e-12 * units.iter().map(|unit| unit.abs()).sum::<f64>();
    let mut random = ChaCha8Rng::seed_from_u64(seed);
    let mut as_far = |_: &usize| {
        let sum: f64 = units
            .iter()
            .map(|unit| if random.random() { *unit } else { -unit })
            .sum();
        sum.abs() >= limit
    };
    let count = (0..draws).filter(|draw| as_far(draw)).count();
    (count + 1) as f64 / (draws + 1) as f64
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn signs_of_few_clusters_are_counted_as_by_hand() {
        // Of the eight signs of 1, 2 and 3, two give a sum of 6 or more in size; of those of 1, 2 and -3 every one gives 0 or more.
        let clusters = [0, 1, 2];
        let p = sign_flip(&[1.0, 2.0, 3.0], &clusters, 20_000, 1);
        assert!((p - 0.25).abs() < 0.02, "{p}");
        assert!((sign_flip(&[1.0, 2.0, -3.0], &clusters, 1000, 1) - 1.0).abs() < 1e-12);
    }
}
