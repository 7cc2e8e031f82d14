//! Which vectors are looked at when there are too many for matrices of all pairs.

use rand::SeedableRng as _;
use rand_chacha::ChaCha8Rng;

/// Up to so many vectors every pair is looked at.
pub const EXACT_ROWS: usize = 2048;

/// The rows that are looked at, ascending: all of them up to [`EXACT_ROWS`], else so many drawn with the seed, the same at every
/// step of a run.
pub fn sampled_rows(rows: usize, seed: u64) -> Vec<usize> {
    if rows <= EXACT_ROWS {
        return (0..rows).collect();
    }
    let mut random = ChaCha8Rng::seed_from_u64(seed);
    let mut drawn = rand::seq::index::sample(&mut random, rows, EXACT_ROWS).into_vec();
    drawn.sort_unstable();
    drawn
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn few_are_all_there_and_of_many_a_sample_is_drawn() {
        assert_eq!(sampled_rows(3, 1), [0, 1, 2]);
        assert_eq!(sampled_rows(EXACT_ROWS, 1).len(), EXACT_ROWS);
        let drawn = sampled_rows(5000, 1);
        assert_eq!(drawn.len(), EXACT_ROWS);
        assert!(drawn.is_sorted_by(|a, b| a < b) && drawn.iter().all(|row| *row < 5000));
        assert_eq!(drawn, sampled_rows(5000, 1));
        assert_ne!(drawn, sampled_rows(5000, 2));
    }
}
