//! Causal attention with grouped keys, in blocks of queries; the backward pass computes the weights again.

use rayon::prelude::*;

use super::elementwise::{row_dot, softmax_row, softmax_row_backward};
use super::matmul::{Into, Threads, View, matmul};

/// Queries in one block: the scores of a block stay in the cache, and keys behind the block are never touched.
const BLOCK: usize = 64;

/// Head counts and width.
#[derive(Clone, Copy)]
pub struct HeadShape {
    /// Query heads.
    pub heads: usize,
    /// Key and value heads.
    pub kv_heads: usize,
    /// Width of a head.
    pub width: usize,
}

impl HeadShape {
    /// Query heads that share a key head.
    fn group(self) -> usize {
        self.heads / self.kv_heads
    }

    fn scale(self) -> f32 {
        1.0 / (self.width as f32).sqrt()
    }
}

/// The queries of one sequence with the keys and values that they may see. The last query sees all keys, the one before it
/// all but one, and so on.
#[derive(Clone, Copy)]
pub struct Attended<'a> {
    /// Rows of all query heads, `query_stride` apart.
    pub queries: &'a [f32],
    /// Distance of query rows.
    pub query_stride: usize,
    /// Number of queries.
    pub query_count: usize,
    /// Rows of all key heads, `key_stride` apart.
    pub keys: &'a [f32],
    /// Rows of all value heads, `key_stride` apart.
    pub values: &'a [f32],
    /// Distance of key rows and of value rows.
    pub key_stride: usize,
    /// Number of keys.
    pub key_count: usize,
}

impl Attended<'_> {
    /// Keys that query `index` sees.
    fn seen(&self, index: usize) -> usize {
        self.key_count - self.query_count + index + 1
    }

    fn query_view(&self, shape: HeadShape, head: usize, first: usize) -> View<'_> {
        View::rows(
            &self.queries[first * self.query_stride + head * shape.width..],
            self.query_stride,
        )
    }

    fn key_view(&self, shape: HeadShape, kv_head: usize) -> View<'_> {
        View::rows(&self.keys[kv_head * shape.width..], self.key_stride)
    }

    fn value_view(&self, shape: HeadShape, kv_head: usize) -> View<'_> {
        View::rows(&self.values[kv_head * shape.width..], self.key_stride)
    }

    /// Attention weights of a block of queries of one head, `[block, seen]`.
    fn weights(&self, shape: HeadShape, head: usize, block: std::ops::Range<usize>, weights: &mut Vec<f32>) -> usize {
        let (count, seen) = (block.len(), self.seen(block.end - 1));
        weights.resize(count * seen, 0.0);
        let keys = self.key_view(shape, head / shape.group()).transposed();
        let queries = self.query_view(shape, head, block.start);
        matmul(
            weights,
            seen,
            Into::Replace,
            (count, seen, shape.width),
            queries,
            keys,
            shape.scale(),
            Threads::One,
        );
        for (row, index) in weights.chunks_exact_mut(seen).zip(block) {
            softmax_row(row, self.seen(index));
        }
        seen
    }
}

/// Attention output of several sequences, rows `[heads * width]` one after the other.
pub fn attend(shape: HeadShape, sequences: &[Attended<'_>]) -> Vec<f32> {
    let stride = shape.heads * shape.width;
    let mut tasks = Vec::new();
    let mut first_row = 0;
    for sequence in sequences {
        for start in (0..sequence.query_count).step_by(BLOCK) {
            let block = start..(start + BLOCK).min(sequence.query_count);
            tasks.push((sequence, first_row + start, block));
        }
        first_row += sequence.query_count;
    }
    let mut out = vec![0f32; first_row * stride];
    // Blocks lie one after the other in `out`, so each task owns its rows.
    let mut rest = out.as_mut_slice();
    let mut owned = Vec::with_capacity(tasks.len());
    for (sequence, _, block) in tasks {
        let (mine, behind) = rest.split_at_mut(block.len() * stride);
        rest = behind;
        owned.push((sequence, block, mine));
    }
    let one_head = |sequence: &Attended<'_>, block: &std::ops::Range<usize>, head: usize, out: &mut [f32]| {
        let mut weights = Vec::new();
        let seen = sequence.weights(shape, head, block.clone(), &mut weights);
        let values = sequence.value_view(shape, head / shape.group());
        let left = View::rows(&weights, seen);
        let out = &mut out[head * shape.width..];
        matmul(
            out,
            stride,
            Into::Replace,
            (block.len(), shape.width, seen),
            left,
            values,
            1.0,
            Threads::One,
        );
    };
    owned.into_par_iter().for_each(|(sequence, block, out)| {
        for head in 0..shape.heads {
            one_head(sequence, &block, head, out);
        }
    });
    out
}

/// Gradients of one key head of one sequence.
struct HeadGradient {
    /// `[group, queries, width]`.
    queries: Vec<f32>,
    /// `[keys, width]`.
    keys: Vec<f32>,
    /// `[keys, width]`.
    values: Vec<f32>,
}

/// Gradients towards queries, keys and values, written over the rows `[queries | keys | values]` of `d_rows`, one row for
/// each key; rows before the first query of a sequence get none through queries.
///
/// `out` and `d_out` hold the attention output of all queries and its gradient.
pub fn attend_backward(shape: HeadShape, sequences: &[Attended<'_>], out: &[f32], d_out: &[f32], d_rows: &mut [f32]) {
    let stride = shape.heads * shape.width;
    let mut starts = Vec::with_capacity(sequences.len());
    let mut row = 0;
    for sequence in sequences {
        starts.push(row);
        row += sequence.query_count;
    }
    let gradients: Vec<Vec<HeadGradient>> = sequences
        .par_iter()
        .zip(&starts)
        .map(|(sequence, &start)| {
            let rows = start * stride..(start + sequence.query_count) * stride;
            let (out, d_out) = (&out[rows.clone()], &d_out[rows]);
            (0..shape.kv_heads)
                .into_par_iter()
                .map(|head| head_backward(shape, sequence, head, out, d_out))
                .collect()
        })
        .collect();

    let width = shape.width;
    let row_stride = (shape.heads + 2 * shape.kv_heads) * width;
    let mut first = 0;
    for (sequence, heads) in sequences.iter().zip(gradients) {
        let rows = &mut d_rows[first * row_stride..(first + sequence.key_count) * row_stride];
        first += sequence.key_count;
        let unqueried = sequence.key_count - sequence.query_count;
        rows.par_chunks_mut(row_stride).enumerate().for_each(|(index, row)| {
            let (queries, keys_values) = row.split_at_mut(stride);
            let (keys, values) = keys_values.split_at_mut(shape.kv_heads * width);
            for (head, gradient) in heads.iter().enumerate() {
                let columns = head * width..(head + 1) * width;
                keys[columns.clone()].copy_from_slice(&gradient.keys[index * width..(index + 1) * width]);
                values[columns].copy_from_slice(&gradient.values[index * width..(index + 1) * width]);
                for member in 0..shape.group() {
                    let query_head = head * shape.group() + member;
                    let target = &mut queries[query_head * width..(query_head + 1) * width];
                    match index.checked_sub(unqueried) {
                        Some(query) => {
                            let at = (member * sequence.query_count + query) * width;
                            target.copy_from_slice(&gradient.queries[at..at + width]);
                        }
                        None => target.fill(0.0),
                    }
                }
            }
        });
    }
}

fn head_backward(
    shape: HeadShape,
    sequence: &Attended<'_>,
    kv_head: usize,
    out: &[f32],
    d_out: &[f32],
) -> HeadGradient {
    let (width, stride, group) = (shape.width, shape.heads * shape.width, shape.group());
    let mut gradient = HeadGradient {
        queries: vec![0.0; group * sequence.query_count * width],
        keys: vec![0.0; sequence.key_count * width],
        values: vec![0.0; sequence.key_count * width],
    };
    let (mut weights, mut d_weights) = (Vec::new(), Vec::new());
    let (keys, values) = (sequence.key_view(shape, kv_head), sequence.value_view(shape, kv_head));
    for member in 0..group {
        let head = kv_head * group + member;
        for start in (0..sequence.query_count).step_by(BLOCK) {
            let block = start..(start + BLOCK).min(sequence.query_count);
            let count = block.len();
            let seen = sequence.weights(shape, head, block.clone(), &mut weights);
            let at = start * stride + head * width;
            let d_out_view = View::rows(&d_out[at..], stride);
            d_weights.resize(count * seen, 0.0);
            matmul(
                &mut d_weights,
                seen,
                Into::Replace,
                (count, seen, width),
                d_out_view,
                values.transposed(),
                1.0,
                Threads::One,
            );
            let p = View::rows(&weights, seen);
            matmul(
                &mut gradient.values,
                width,
                Into::Add,
                (seen, width, count),
                p.transposed(),
                d_out_view,
                1.0,
                Threads::One,
            );
            for (offset, (row, d_row)) in weights
                .chunks_exact(seen)
                .zip(d_weights.chunks_exact_mut(seen))
                .enumerate()
            {
                let at = (start + offset) * stride + head * width;
                let pull = row_dot(&out[at..at + width], &d_out[at..at + width]);
                softmax_row_backward(row, d_row, pull, shape.scale());
            }
            let d_scores = View::rows(&d_weights, seen);
            let d_queries = &mut gradient.queries[(member * sequence.query_count + start) * width..];
            matmul(
                d_queries,
                width,
                Into::Replace,
                (count, width, seen),
                d_scores,
                keys,
                1.0,
                Threads::One,
            );
            let queries = sequence.query_view(shape, head, start);
            matmul(
                &mut gradient.keys,
                width,
                Into::Add,
                (seen, width, count),
                d_scores.transposed(),
                queries,
                1.0,
                Threads::One,
            );
        }
    }
    gradient
}
