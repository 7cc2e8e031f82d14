//! Which pairs of chunks became indistinguishable first: the probe at which the cosine of their projected vectors crossed a limit.

/// The cosines that can be asked for.
pub const LIMITS: [f32; 4] = [0.8, 0.9, 0.95, 0.99];

/// A pair of chunks that came together.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Crossing {
    /// The first probe step at or above the limit.
    pub step: usize,
    /// Rows of the probe set.
    pub pair: (usize, usize),
    /// Their cosine at that step.
    pub cosine: f32,
}

/// What has been found for one limit.
#[derive(Clone, Debug, Default, PartialEq)]
struct Crossings {
    /// Those that were below the limit at the first probe, by step, then most similar first.
    list: Vec<Crossing>,
    /// Pairs that were at or above it from the first probe on.
    from_start: usize,
    seen: Vec<bool>,
}

impl Crossings {
    /// Takes the cosines `[rows, rows]` of the next probe.
    fn take(&mut self, step: usize, cosines: &[f32], rows: usize, limit: f32) {
        let is_first = self.seen.is_empty();
        self.seen.resize(rows * rows, false);
        let from = self.list.len();
        for row in 0..rows {
            for other in row + 1..rows {
                let at = row * rows + other;
                let (Some(cosine), Some(seen)) = (cosines.get(at), self.seen.get_mut(at)) else {
                    continue;
                };
                if *seen || cosine.partial_cmp(&limit).is_none_or(|order| order.is_lt()) {
                    continue;
                }
                *seen = true;
                if is_first {
                    self.from_start += 1;
                } else {
                    let (pair, cosine) = ((row, other), *cosine);
                    self.list.push(Crossing { step, pair, cosine });
                }
            }
        }
        if let Some(new) = self.list.get_mut(from..) {
            new.sort_by(|a, b| b.cosine.total_cmp(&a.cosine));
        }
    }
}

/// The first crossings of a limit.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct FirstToMerge {
    /// The first of them.
    pub list: Vec<Crossing>,
    /// How many there are.
    pub total: usize,
    /// Pairs that were at or above the limit from the first probe on.
    pub from_start: usize,
    /// Probes that were looked at.
    pub probes: usize,
}

/// What has been found of one run.
#[derive(Default)]
pub struct Merging {
    /// Somebody asked for it.
    pub wanted: bool,
    /// Probe steps that were looked at, ascending; those that could not be read are among them.
    steps: Vec<usize>,
    crossings: [Crossings; LIMITS.len()],
}

impl Merging {
    /// Begins again where the run's probes do not begin with those that were looked at.
    pub fn keep_only(&mut self, steps: &[usize]) {
        if !steps.starts_with(&self.steps) {
            *self = Self {
                wanted: self.wanted,
                ..Self::default()
            };
        }
    }

    /// The probe that is to be looked at next, where somebody asked.
    pub fn next(&self, steps: &[usize]) -> Option<usize> {
        steps.get(self.steps.len()).copied().filter(|_| self.wanted)
    }

    /// Takes the cosines `[rows, rows]` of the next probe; none when it cannot be read, which the page tells elsewhere.
    pub fn take(&mut self, step: usize, cosines: Option<&[f32]>) {
        if let Some(cosines) = cosines {
            for (crossings, limit) in self.crossings.iter_mut().zip(LIMITS) {
                crossings.take(step, cosines, cosines.len().isqrt(), limit);
            }
        }
        self.steps.push(step);
    }

    /// The first `most` crossings of a limit, by its place in [`LIMITS`].
    pub fn first(&self, limit: usize, most: usize) -> FirstToMerge {
        self.crossings
            .get(limit)
            .map_or_else(FirstToMerge::default, |crossings| FirstToMerge {
                list: crossings.list.iter().take(most).copied().collect(),
                total: crossings.list.len(),
                from_start: crossings.from_start,
                probes: self.steps.len(),
            })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pairs_are_listed_by_the_probe_at_which_they_came_together() {
        let mut crossings = Crossings::default();
        // Rows 0 and 1 are alike from the start; 0 and 2 come together at 3, 1 and 2 at 6, where 0 and 2 have parted again.
        for (step, [a, b, c]) in [
            (0, [0.95, 0.1, 0.2]),
            (3, [0.99, 0.91, 0.3]),
            (6, [0.5, 0.2, f32::NAN]),
            (9, [0.9, 0.1, 0.92]),
        ] {
            let cosines = [1.0, a, b, a, 1.0, c, b, c, 1.0];
            crossings.take(step, &cosines, 3, 0.9);
        }
        let found: Vec<(usize, (usize, usize))> = crossings.list.iter().map(|one| (one.step, one.pair)).collect();
        assert_eq!((found, crossings.from_start), (vec![(3, (0, 2)), (9, (1, 2))], 1));
    }

    #[test]
    fn every_probe_is_asked_for_once_and_all_of_them_again_after_a_roll_back() {
        let mut merging = Merging::default();
        assert_eq!(merging.next(&[0, 3]), None, "nobody asked");
        merging.wanted = true;
        for (step, cosines) in [
            (0, Some([1.0, 0.1, 0.1, 1.0])),
            (3, None),
            (6, Some([1.0, 0.9, 0.9, 1.0])),
        ] {
            assert_eq!(merging.next(&[0, 3, 6]), Some(step));
            merging.take(step, cosines.as_ref().map(|cosines| cosines.as_slice()));
        }
        assert_eq!((merging.next(&[0, 3, 6]), merging.first(1, 5).total), (None, 1));
        merging.keep_only(&[0, 3, 6, 9]);
        assert_eq!(merging.next(&[0, 3, 6, 9]), Some(9));
        merging.keep_only(&[0, 3]);
        assert_eq!((merging.next(&[0, 3]), merging.first(1, 5).total), (Some(0), 0));
    }

    #[test]
    fn pairs_of_one_step_are_listed_most_similar_first() {
        let mut crossings = Crossings::default();
        crossings.take(0, &[1.0, 0.0, 0.0, 0.0, 1.0, 0.0, 0.0, 0.0, 1.0], 3, 0.9);
        crossings.take(3, &[1.0, 0.9, 0.99, 0.9, 1.0, 0.0, 0.99, 0.0, 1.0], 3, 0.9);
        let pairs: Vec<(usize, usize)> = crossings.list.iter().map(|one| one.pair).collect();
        assert_eq!(pairs, [(0, 2), (0, 1)]);
    }
}
