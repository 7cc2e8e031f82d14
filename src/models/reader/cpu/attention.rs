//! Causal attention with grouped keys, in blocks of queries and tiles of keys, with a running softmax: memory grows with the
//! length, not with its square.

use std::ops::{Deref, Range};
use std::sync::Arc;

use rayon::prelude::*;

use super::elementwise::{exp_row, scale_row, softmax_row};
use super::matmul::{Into, Threads, View, matmul};

/// Queries in one block: the scores of a block stay in the cache, and keys behind the block are never touched.
pub const BLOCK: usize = 64;

/// Keys in one tile of a forward pass: a tile of scores stays in the second-level cache.
const TILE: usize = 512;

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
    pub fn group(self) -> usize {
        self.heads / self.kv_heads
    }

    /// What scores are multiplied with.
    pub fn scale(self) -> f32 {
        1.0 / (self.width as f32).sqrt()
    }
}

/// Rows of keys or values: where they were computed, or gathered.
#[derive(Clone)]
pub enum Rows<'a> {
    Borrowed(&'a [f32]),
    /// Gathered rows, seen from an offset.
    Gathered(Arc<Vec<f32>>, usize),
}

impl Deref for Rows<'_> {
    type Target = [f32];

    fn deref(&self) -> &[f32] {
        match self {
            Self::Borrowed(rows) => rows,
            Self::Gathered(rows, offset) => &rows[*offset..],
        }
    }
}

/// Queries with the keys and values that they may see. The last query sees all keys, the one before it all but one, and so on.
pub struct Attended<'a> {
    /// Rows of all query heads, `query_stride` apart.
    pub queries: &'a [f32],
    /// Distance of query rows.
    pub query_stride: usize,
    /// Number of queries.
    pub query_count: usize,
    /// Rows of all key heads, `key_stride` apart.
    pub keys: Rows<'a>,
    /// Rows of all value heads, `key_stride` apart.
    pub values: Rows<'a>,
    /// Distance of key rows and of value rows.
    pub key_stride: usize,
    /// Number of keys.
    pub key_count: usize,
}

impl Attended<'_> {
    /// Keys that query `index` sees.
    pub fn seen(&self, index: usize) -> usize {
        self.key_count - self.query_count + index + 1
    }

    pub fn query_view(&self, shape: HeadShape, head: usize, first: usize) -> View<'_> {
        View::rows(
            &self.queries[first * self.query_stride + head * shape.width..],
            self.query_stride,
        )
    }

    pub fn key_view(&self, shape: HeadShape, kv_head: usize) -> View<'_> {
        View::rows(&self.keys[kv_head * shape.width..], self.key_stride)
    }

    pub fn value_view(&self, shape: HeadShape, kv_head: usize) -> View<'_> {
        View::rows(&self.values[kv_head * shape.width..], self.key_stride)
    }

    /// Attention weights of a block of queries of one head, `[block, seen]`.
    pub fn weights(&self, shape: HeadShape, head: usize, block: Range<usize>, weights: &mut Vec<f32>) -> usize {
        let seen = self.seen(block.end - 1);
        self.scores(shape, head, block.clone(), 0..seen, weights);
        for (row, index) in weights.chunks_exact_mut(seen).zip(block) {
            softmax_row(row, self.seen(index));
        }
        seen
    }

    /// Scaled products of a block of queries with a tile of keys, `[block, tile]`.
    fn scores(&self, shape: HeadShape, head: usize, block: Range<usize>, tile: Range<usize>, scores: &mut Vec<f32>) {
        scores.resize(block.len() * tile.len(), 0.0);
        let kv_head = head / shape.group();
        let keys = &self.keys[tile.start * self.key_stride + kv_head * shape.width..];
        matmul(
            scores,
            tile.len(),
            Into::Replace,
            (block.len(), tile.len(), shape.width),
            self.query_view(shape, head, block.start),
            View::rows(keys, self.key_stride).transposed(),
            shape.scale(),
            Threads::One,
        );
    }

    /// Output of a block of queries of one head, written to rows of `out` that are `stride` apart.
    fn attend_block(&self, shape: HeadShape, head: usize, block: Range<usize>, out: &mut [f32], stride: usize) {
        let count = block.len();
        let all = self.seen(block.end - 1);
        let kv_head = head / shape.group();
        let mut scores = Vec::new();
        if all <= TILE {
            self.weights(shape, head, block, &mut scores);
            self.add_values(shape, kv_head, 0..all, &scores, Into::Replace, out, stride);
            return;
        }
        let (mut largest, mut sums) = (vec![f32::NEG_INFINITY; count], vec![0f32; count]);
        for start in (0..all).step_by(TILE) {
            let tile = start..(start + TILE).min(all);
            self.scores(shape, head, block.clone(), tile.clone(), &mut scores);
            for (row, index) in block.clone().enumerate() {
                let seen = self.seen(index).clamp(tile.start, tile.end) - tile.start;
                let scores = &mut scores[row * tile.len()..(row + 1) * tile.len()];
                let before = largest[row];
                let (now, sum) = exp_row(scores, seen, before);
                let fade = (before - now).exp();
                largest[row] = now;
                sums[row] = sums[row] * fade + sum;
                if start > 0 && fade < 1.0 {
                    scale_row(&mut out[row * stride..][..shape.width], fade);
                }
            }
            let into = if start == 0 { Into::Replace } else { Into::Add };
            self.add_values(shape, kv_head, tile, &scores, into, out, stride);
        }
        for (row, sum) in sums.iter().enumerate() {
            scale_row(&mut out[row * stride..][..shape.width], 1.0 / sum);
        }
    }

    /// `out (+)= weights * values` of a tile.
    #[expect(clippy::too_many_arguments, reason = "a product and where it goes")]
    fn add_values(
        &self,
        shape: HeadShape,
        kv_head: usize,
        tile: Range<usize>,
        weights: &[f32],
        into: Into,
        out: &mut [f32],
        stride: usize,
    ) {
        let values = &self.values[tile.start * self.key_stride + kv_head * shape.width..];
        matmul(
            out,
            stride,
            into,
            (weights.len() / tile.len(), shape.width, tile.len()),
            View::rows(weights, tile.len()),
            View::rows(values, self.key_stride),
            1.0,
            Threads::One,
        );
    }
}

/// Attention output of several inputs, rows `[heads * width]` one after the other.
pub fn attend(shape: HeadShape, inputs: &[Attended<'_>]) -> Vec<f32> {
    let stride = shape.heads * shape.width;
    let mut out = vec![0f32; inputs.iter().map(|input| input.query_count).sum::<usize>() * stride];
    // Blocks lie one after the other in `out`, so each task owns its rows.
    let mut rest = out.as_mut_slice();
    let mut tasks = Vec::new();
    for input in inputs {
        for start in (0..input.query_count).step_by(BLOCK) {
            let block = start..(start + BLOCK).min(input.query_count);
            let (mine, behind) = rest.split_at_mut(block.len() * stride);
            rest = behind;
            tasks.push((input, block, mine));
        }
    }
    let heads = |(input, block, out): (&Attended<'_>, Range<usize>, &mut [f32])| {
        for head in 0..shape.heads {
            input.attend_block(shape, head, block.clone(), &mut out[head * shape.width..], stride);
        }
    };
    // The last blocks see the most keys: they go first, so that no thread is left with one at the end.
    tasks.into_par_iter().rev().with_max_len(1).for_each(heads);
    out
}
