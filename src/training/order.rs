//! In which order a run sees its samples.

use std::ops::Range;

use rand::SeedableRng;
use rand::seq::SliceRandom;
use rand_chacha::ChaCha8Rng;

/// The samples at these places of a run's order: every epoch is a new order of all samples, drawn from seed and epoch.
pub(super) fn epoch_indices(seed: u64, places: Range<usize>, samples: usize) -> Vec<usize> {
    let mut order: Vec<usize> = Vec::new();
    let mut order_of = None;
    places
        .map(|position| {
            let epoch = position / samples;
            if order_of != Some(epoch) {
                order = (0..samples).collect();
                let mut random = ChaCha8Rng::seed_from_u64(seed);
                random.set_stream(epoch as u64 + 1);
                order.shuffle(&mut random);
                order_of = Some(epoch);
            }
            order[position % samples]
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_epoch_sees_every_sample_once_in_a_new_order() {
        let epoch = |first: usize| -> Vec<usize> {
            (first..first + 5)
                .flat_map(|step| epoch_indices(3, 2 * step..2 * step + 2, 10))
                .collect()
        };
        let (one, two) = (epoch(0), epoch(5));
        assert_ne!(one, two);
        for mut order in [one, two] {
            order.sort_unstable();
            assert_eq!(order, (0..10).collect::<Vec<_>>());
        }
        assert_eq!(epoch_indices(3, 28..32, 9), epoch_indices(3, 28..32, 9));
    }
}
