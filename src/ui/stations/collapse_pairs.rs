//! The pairs of chunks behind a cell of a heat map, a bin of a histogram, a point, or a step of a curve.

use std::sync::Arc;

use super::collapse_charts::Shown;
use super::collapse_merging::{FirstToMerge, LIMITS};
use super::collapse_series::EncoderProbe;
use crate::collapse::Histogram;
use crate::corpus::Chunk;
use crate::ui::charts::edges;
use crate::ui::format::fixed;

/// Most pairs that are listed.
pub const LISTED: usize = 200;

/// Whose vectors a chart shows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Whose {
    /// The encoder's.
    Encoder,
    /// The projected vectors of the n-th run.
    Run(usize),
}

/// What was chosen in a chart.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Part {
    /// A cell of the heat map: two rows of the probe set.
    Cell(usize, usize),
    /// A bin of the histogram.
    Bin(usize),
    /// A point: a row of the probe set.
    Chunk(usize),
    /// The step that is looked at.
    Step,
    /// What came together first, over all steps; the limit by its place in [`LIMITS`].
    Merged(usize),
}

/// What was chosen, and in whose chart.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Picked {
    /// Whose chart it was.
    pub whose: Whose,
    /// What of it.
    pub part: Part,
}

/// Pairs of rows that belong to what was chosen.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Pairs {
    /// What they are, in words.
    pub title: String,
    /// The pairs, at most 200.
    pub pairs: Vec<(usize, usize)>,
    /// Pairs in all.
    pub total: usize,
    /// What there is to say of each pair; empty, or one a pair.
    pub notes: Vec<String>,
}

impl Pairs {
    /// The pairs with a cosine inside a bin, most similar first.
    pub fn of_bin(whose: &str, histogram: &Histogram, bin: usize, matrix: &[f32], rows: usize) -> Self {
        let (low, high) = edges(histogram, bin);
        let is_last = bin + 1 == histogram.counts.len();
        let inside = |cosine: f64| cosine >= low && (cosine < high || is_last);
        let title = format!("{whose}: cosine {} to {}", fixed(low, 2), fixed(high, 2));
        Self::most_similar(title, inside, matrix, rows)
    }

    /// The pairs whose cosine is kept, most similar first.
    fn most_similar(title: String, keeps: impl Fn(f64) -> bool, matrix: &[f32], rows: usize) -> Self {
        let every = (0..rows).flat_map(|row| (row + 1..rows).map(move |other| (row, other)));
        let mut pairs: Vec<(usize, usize)> = every.filter(|pair| keeps(cosine(matrix, rows, *pair))).collect();
        let total = pairs.len();
        let nearer =
            |a: &(usize, usize), b: &(usize, usize)| cosine(matrix, rows, *b).total_cmp(&cosine(matrix, rows, *a));
        if total > LISTED {
            // Of very many only those that are listed are put in order.
            pairs.select_nth_unstable_by(LISTED, nearer);
            pairs.truncate(LISTED);
        }
        pairs.sort_by(nearer);
        Self {
            title,
            pairs,
            total,
            notes: Vec::new(),
        }
    }

    /// The chosen pair first, then the nearest others of its first chunk.
    pub fn of_cell(whose: &str, (row, other): (usize, usize), matrix: &[f32], rows: usize) -> Self {
        let near = nearest(row, matrix, rows).into_iter().filter(|at| *at != other);
        let title = format!("{whose}: the chosen pair, and the nearest chunks of its first");
        Self::of_row(title, row, std::iter::once(other).chain(near))
    }

    /// A chunk with the others, nearest first.
    pub fn of_chunk(whose: &str, row: usize, matrix: &[f32], rows: usize) -> Self {
        let title = format!("{whose}: the nearest chunks of the chosen one");
        Self::of_row(title, row, nearest(row, matrix, rows).into_iter())
    }

    fn of_row(title: String, row: usize, others: impl Iterator<Item = usize>) -> Self {
        let mut pairs: Vec<(usize, usize)> = others.map(|other| (row, other)).collect();
        let total = pairs.len();
        pairs.truncate(LISTED);
        Self {
            title,
            pairs,
            total,
            notes: Vec::new(),
        }
    }

    /// The pairs that came together first.
    pub fn of_merged(whose: &str, limit: f32, found: &FirstToMerge) -> Self {
        let start = match found.from_start {
            0 => String::new(),
            count => format!("; {count} were there from the first probe on"),
        };
        Self {
            title: format!("{whose}: first to merge, cosine {limit:.2} or more{start}"),
            pairs: found.list.iter().map(|one| one.pair).collect(),
            total: found.total,
            notes: found.list.iter().map(|one| format!("step {}", one.step)).collect(),
        }
    }

    /// The pairs of what was picked from the charts of one step.
    fn find(picked: Picked, encoder: &EncoderProbe, run: &Shown, matrix: &[f32]) -> Self {
        let rows = encoder.order.len();
        let (whose, histogram) = match picked.whose {
            Whose::Encoder => ("encoder".to_owned(), &encoder.histogram),
            Whose::Run(_) => (format!("{}, step {}", run.name, run.now.step), &run.now.histogram),
        };
        match picked.part {
            Part::Cell(row, other) => Self::of_cell(&whose, (row, other), matrix, rows),
            Part::Bin(bin) => Self::of_bin(&whose, histogram, bin, matrix, rows),
            Part::Chunk(row) => Self::of_chunk(&whose, row, matrix, rows),
            Part::Step | Part::Merged(_) => {
                Self::most_similar(format!("{whose}: the most similar"), |_| true, matrix, rows)
            }
        }
    }
}

/// The other rows, nearest first.
fn nearest(row: usize, matrix: &[f32], rows: usize) -> Vec<usize> {
    let mut near: Vec<usize> = (0..rows).filter(|at| *at != row).collect();
    near.sort_by(|a, b| cosine(matrix, rows, (row, *b)).total_cmp(&cosine(matrix, rows, (row, *a))));
    near
}

/// The pairs of what was picked, found once for each step.
#[derive(Default)]
pub struct PairsCache(Option<(Picked, Arc<[f32]>, Pairs)>);

impl PairsCache {
    /// The pairs at the step that the run stands at.
    pub fn of(&mut self, picked: Picked, encoder: &EncoderProbe, run: &Shown) -> &Pairs {
        let matrix = match picked.whose {
            Whose::Encoder => &encoder.matrix,
            Whose::Run(_) => &run.now.matrix,
        };
        let kept = self
            .0
            .take()
            .filter(|(other, of, _)| *other == picked && Arc::ptr_eq(of, matrix));
        let find = || (picked, Arc::clone(matrix), Pairs::find(picked, encoder, run, matrix));
        let entry = self.0.insert(kept.unwrap_or_else(find));
        &entry.2
    }
}

/// The bin that a cosine falls into.
pub fn bin_of(histogram: &Histogram, cosine: f64) -> usize {
    let share = (cosine - histogram.low) / (histogram.high - histogram.low);
    let bins = histogram.counts.len();
    ((share * bins as f64) as usize).min(bins.saturating_sub(1))
}

/// The limit of [`LIMITS`] at a place.
pub fn limit(place: usize) -> f32 {
    LIMITS.get(place).copied().unwrap_or(1.0)
}

/// The cosine of two rows of a matrix `[rows, rows]`.
pub fn cosine(matrix: &[f32], rows: usize, (row, other): (usize, usize)) -> f64 {
    matrix.get(row * rows + other).copied().map_or(0.0, f64::from)
}

/// Where a chunk comes from, in a line.
pub fn chunk_name(chunks: &[Chunk], row: usize) -> String {
    match chunks.get(row) {
        Some(chunk) => format!("{}/{}:{}", chunk.repository, chunk.path, chunk.first_line),
        None => format!("chunk {row}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const MATRIX: [f32; 9] = [1.0, 0.9, 0.1, 0.9, 1.0, 0.3, 0.1, 0.3, 1.0];

    #[test]
    fn a_bin_lists_its_pairs_most_similar_first() {
        let histogram = Histogram {
            low: -1.0,
            high: 1.0,
            counts: vec![0, 0, 2, 1],
            mean: 0.0,
            quantiles: [0.0; 5],
        };
        let pairs = Pairs::of_bin("encoder", &histogram, 2, &MATRIX, 3);
        assert_eq!((pairs.pairs, pairs.total), (vec![(1, 2), (0, 2)], 2));
        assert_eq!(
            [-1.0, 0.1, 0.9, 1.0].map(|cosine| bin_of(&histogram, cosine)),
            [0, 2, 3, 3]
        );
        let last = Pairs::of_bin("encoder", &histogram, 3, &MATRIX, 3);
        assert_eq!(last.pairs, [(0, 1)]);
    }

    #[test]
    fn a_cell_is_followed_by_the_nearest() {
        assert_eq!(Pairs::of_cell("encoder", (2, 0), &MATRIX, 3).pairs, [(2, 0), (2, 1)]);
        assert_eq!(Pairs::of_chunk("encoder", 2, &MATRIX, 3).pairs, [(2, 1), (2, 0)]);
    }
}
