//! How sure a mean or a difference is: bootstrap by repository, McNemar's test, and Holm's correction.

use std::collections::BTreeMap;

use rand::{Rng as _, SeedableRng as _};
use rand_chacha::ChaCha8Rng;

use super::Interval;
use crate::collapse::quantile;

/// Resamples behind every interval of a summary.
pub const RESAMPLES: usize = 10_000;

impl Interval {
    /// "0.23 [0.21, 0.25]", with this many decimals.
    pub fn text(&self, decimals: usize) -> String {
        let Self { mean, low, high } = self;
        format!("{mean:.decimals$} [{low:.decimals$}, {high:.decimals$}]")
    }

    /// The same in another unit.
    pub fn scaled(self, factor: f64) -> Self {
        Self {
            mean: self.mean * factor,
            low: self.low * factor,
            high: self.high * factor,
        }
    }
}

/// Resamples behind the interval of a median, which costs a walk through the values each.
const MEDIANS: usize = 2_000;

/// Draws of whole clusters with replacement, the same for every score of the same samples.
///
/// Samples of one repository resemble each other, and drawing them one by one would make an interval too narrow. A resample's mean is
/// over all its values, so large clusters weigh more. A single cluster cannot be resampled; then values are drawn one by one. The
/// same seed gives the same draws.
pub struct Resamples {
    /// The unit that each value belongs to.
    unit_of: Vec<usize>,
    units: usize,
    /// Units drawn, one resample behind the other.
    draws: Vec<u32>,
}

impl Resamples {
    /// `clusters` names the cluster of each value.
    pub fn new(clusters: &[usize], resamples: usize, seed: u64) -> Self {
        let mut numbers: BTreeMap<usize, usize> = clusters.iter().map(|&cluster| (cluster, 0)).collect();
        for (unit, number) in numbers.values_mut().enumerate() {
            *number = unit;
        }
        let (unit_of, units): (Vec<usize>, usize) = match numbers.len() {
            0 | 1 => ((0..clusters.len()).collect(), clusters.len()),
            several => (
                clusters
                    .iter()
                    .filter_map(|cluster| numbers.get(cluster).copied())
                    .collect(),
                several,
            ),
        };
        let mut random = ChaCha8Rng::seed_from_u64(seed);
        let draws = match units {
            0 => Vec::new(),
            units => (0..resamples * units)
                .map(|_| random.random_range(0..units) as u32)
                .collect(),
        };
        Self { unit_of, units, draws }
    }

    /// Mean of the values with its 95% percentile interval (Efron); zeros without values.
    pub fn interval(&self, values: &[f64]) -> Interval {
        if values.is_empty() || self.units == 0 {
            return Interval::default();
        }
        let mut sums = vec![(0.0, 0.0); self.units];
        for (value, &unit) in values.iter().zip(&self.unit_of) {
            if let Some((sum, count)) = sums.get_mut(unit) {
                *sum += value;
                *count += 1.0;
            }
        }
        let mean_of = |drawn: &[u32]| {
            let (mut sum, mut count) = (0.0, 0.0);
            for (unit_sum, unit_count) in drawn.iter().filter_map(|&unit| sums.get(unit as usize)) {
                sum += unit_sum;
                count += unit_count;
            }
            sum / count
        };
        let mut means: Vec<f64> = self.draws.chunks_exact(self.units).map(mean_of).collect();
        means.sort_unstable_by(f64::total_cmp);
        Interval {
            mean: values.iter().sum::<f64>() / values.len() as f64,
            low: quantile(&means, 0.025),
            high: quantile(&means, 0.975),
        }
    }

    /// Median of the values, at the place of the mean, with its 95% percentile interval from at most the first 2,000 draws; zeros
    /// without values.
    pub fn median(&self, values: &[f64]) -> Interval {
        if values.is_empty() || self.units == 0 {
            return Interval::default();
        }
        let mut ascending: Vec<(f64, usize)> = values.iter().copied().zip(self.unit_of.iter().copied()).collect();
        ascending.sort_unstable_by(|a, b| a.0.total_cmp(&b.0));
        // A unit that is drawn twice brings each of its values twice.
        let mut sizes = vec![0; self.units];
        for &(_, unit) in &ascending {
            if let Some(size) = sizes.get_mut(unit) {
                *size += 1;
            }
        }
        let mut times = vec![0; self.units];
        let mut median_of = |drawn: &[u32]| {
            times.fill(0);
            for &unit in drawn {
                if let Some(times) = times.get_mut(unit as usize) {
                    *times += 1;
                }
            }
            let total = times.iter().zip(&sizes).map(|(times, size)| times * size).sum();
            weighted_median(&ascending, &times, total)
        };
        let draws = self.draws.chunks_exact(self.units).take(MEDIANS);
        let mut medians: Vec<f64> = draws.map(&mut median_of).collect();
        medians.sort_unstable_by(f64::total_cmp);
        let once: Vec<u32> = (0..self.units as u32).collect();
        Interval {
            mean: median_of(&once),
            low: quantile(&medians, 0.025),
            high: quantile(&medians, 0.975),
        }
    }

    /// Mean of `values - baseline`, value by value, with its interval.
    pub fn difference(&self, values: &[f64], baseline: &[f64]) -> Interval {
        let differences: Vec<f64> = values.iter().zip(baseline).map(|(value, base)| value - base).collect();
        self.interval(&differences)
    }
}

/// Median of ascending values, each as often as its unit, `total` in all: the middle one, or the mean of the two in the middle.
fn weighted_median(ascending: &[(f64, usize)], times: &[usize], total: usize) -> f64 {
    let weight = |unit: usize| times.get(unit).copied().unwrap_or_default();
    let (low, high) = (total.saturating_sub(1) / 2, total / 2);
    let (mut seen, mut lower) = (0, None);
    for &(value, unit) in ascending {
        seen += weight(unit);
        if seen > low {
            lower.get_or_insert(value);
        }
        if let Some(lower) = lower
            && seen > high
        {
            return (lower + value) / 2.0;
        }
    }
    lower.unwrap_or_default()
}

/// Mean with its 95% interval from `resamples` draws of whole clusters, see [`Resamples`].
pub fn clustered_bootstrap(values: &[f64], clusters: &[usize], resamples: usize, seed: u64) -> Interval {
    let clusters = clusters.get(..values.len()).unwrap_or(clusters);
    Resamples::new(clusters, resamples, seed).interval(values)
}

/// Mean of `values - baseline`, value by value, with its interval as of [`clustered_bootstrap`].
pub fn paired_bootstrap(values: &[f64], baseline: &[f64], clusters: &[usize], resamples: usize, seed: u64) -> Interval {
    let clusters = clusters.get(..values.len()).unwrap_or(clusters);
    Resamples::new(clusters, resamples, seed).difference(values, baseline)
}

/// Two-sided exact p-value of McNemar's test: could as many pairs have changed from wrong to right as from right to wrong by chance?
///
/// [`sign_test`] of the pairs that differ.
pub fn mcnemar_exact(a: &[bool], b: &[bool]) -> f64 {
    let gained = a.iter().zip(b).filter(|(a, b)| !**a && **b).count();
    let lost = a.iter().zip(b).filter(|(a, b)| **a && !**b).count();
    sign_test(gained, lost)
}

/// Two-sided exact p-value of so many outcomes of either kind when both are equally likely; 1 without outcomes.
///
/// `min(1, 2 Σ_{i≤k} C(m, i) / 2^m)`, m the outcomes, k those of the rarer kind.
pub fn sign_test(one: usize, other: usize) -> f64 {
    let outcomes = one + other;
    // In logarithms, because 2^-m underflows beyond a thousand outcomes.
    let mut log_term = -(outcomes as f64) * std::f64::consts::LN_2;
    let mut tail = log_term.exp();
    for i in 0..one.min(other) {
        log_term += ((outcomes - i) as f64 / (i + 1) as f64).ln();
        tail += log_term.exp();
    }
    (2.0 * tail).min(1.0)
}

/// Holm's correction of the p-values of one table, in their order: rejecting where the result is below 5% keeps the chance of any
/// false rejection below 5%.
pub fn holm(p_values: &[f64]) -> Vec<f64> {
    let mut order: Vec<(usize, f64)> = p_values.iter().copied().enumerate().collect();
    order.sort_by(|a, b| a.1.total_cmp(&b.1));
    let mut corrected = vec![0.0; p_values.len()];
    let mut largest: f64 = 0.0;
    for (rank, (index, p)) in order.into_iter().enumerate() {
        largest = largest.max(p * (p_values.len() - rank) as f64).min(1.0);
        if let Some(place) = corrected.get_mut(index) {
            *place = largest;
        }
    }
    corrected
}

#[cfg(test)]
mod tests {
    use rand::{Rng as _, SeedableRng as _};
    use rand_chacha::ChaCha8Rng;

    use super::{Interval, Resamples, quantile};

    /// The median's interval from samples that are really drawn.
    fn by_hand(resamples: &Resamples, values: &[f64]) -> Interval {
        let median = |mut drawn: Vec<f64>| {
            drawn.sort_unstable_by(f64::total_cmp);
            quantile(&drawn, 0.5)
        };
        let of_unit = |unit: u32| {
            let all = values.iter().zip(&resamples.unit_of);
            all.filter(move |(_, of)| **of == unit as usize)
                .map(|(value, _)| *value)
        };
        let draws = resamples.draws.chunks_exact(resamples.units);
        let mut medians: Vec<f64> = draws
            .map(|draw| median(draw.iter().flat_map(|unit| of_unit(*unit)).collect()))
            .collect();
        medians.sort_unstable_by(f64::total_cmp);
        Interval {
            mean: median(values.to_vec()),
            low: quantile(&medians, 0.025),
            high: quantile(&medians, 0.975),
        }
    }

    #[test]
    fn the_median_is_that_of_the_samples_drawn() {
        let mut random = ChaCha8Rng::seed_from_u64(3);
        for clusters in [vec![4, 4, 7, 9, 9, 9, 7, 1, 1, 4, 2], vec![5; 8]] {
            let values: Vec<f64> = clusters.iter().map(|_| f64::from(random.random_range(0..40))).collect();
            let resamples = Resamples::new(&clusters, 300, 11);
            assert_eq!(resamples.median(&values), by_hand(&resamples, &values));
        }
        assert_eq!(Resamples::new(&[], 10, 1).median(&[]), Interval::default());
    }
}
