//! Causal attention with grouped keys, in blocks of queries and tiles of keys, with a running softmax: memory grows with the
//! length, not with its square.

use std::ops::{Deref, Range};
use std::sync::Arc;

use rayon::prelude::*;

use super::buffer::Buffer;
use super::elementwise::{exp_row, scale_row, softmax_row};
use super::matmul::{Into, Threads, View, matmul};

/// Query rows of one product, those of all heads that share a key head: keys are read once for all of them, and the scores of a
/// block stay in the cache.
const BLOCK_ROWS: usize = 192;

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

    /// Queries in one block; keys behind a block are never touched.
    pub fn block(self) -> usize {
        (BLOCK_ROWS / self.group()).max(16)
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
    Gathered(Arc<Buffer>, usize),
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

    /// The queries of a block, of all heads that share a key head: `[group, block, width]`.
    pub fn block_queries(&self, shape: HeadShape, kv_head: usize, block: &Range<usize>) -> Buffer {
        let first = &self.queries[block.start * self.query_stride..];
        gather_heads(shape, kv_head, block.len(), first, self.query_stride)
    }

    pub fn key_view(&self, shape: HeadShape, kv_head: usize) -> View<'_> {
        View::rows(&self.keys[kv_head * shape.width..], self.key_stride)
    }

    pub fn value_view(&self, shape: HeadShape, kv_head: usize) -> View<'_> {
        View::rows(&self.values[kv_head * shape.width..], self.key_stride)
    }

    /// Attention weights of a block, `[group, block, seen]`, given its queries.
    pub fn weights(&self, shape: HeadShape, kv_head: usize, block: &Range<usize>, queries: &[f32]) -> Buffer {
        let seen = self.seen(block.end - 1);
        let mut weights = self.scores(shape, kv_head, 0..seen, queries);
        for (row, weights) in weights.chunks_exact_mut(seen).enumerate() {
            softmax_row(weights, self.seen(block.start + row % block.len()));
        }
        weights
    }

    /// Scaled products of queries with a tile of keys, `[queries, tile]`.
    fn scores(&self, shape: HeadShape, kv_head: usize, tile: Range<usize>, queries: &[f32]) -> Buffer {
        let count = queries.len() / shape.width;
        let mut scores = Buffer::stale(count * tile.len());
        let keys = &self.keys[tile.start * self.key_stride + kv_head * shape.width..];
        matmul(
            &mut scores,
            tile.len(),
            Into::Replace,
            (count, tile.len(), shape.width),
            View::rows(queries, shape.width),
            View::rows(keys, self.key_stride).transposed(),
            shape.scale(),
            Threads::One,
        );
        scores
    }

    /// Output of a block of queries for the heads that share a key head, `[group, block, width]`.
    fn attend_block(&self, shape: HeadShape, kv_head: usize, block: &Range<usize>) -> Buffer {
        let all = self.seen(block.end - 1);
        let queries = self.block_queries(shape, kv_head, block);
        let mut out = Buffer::stale(queries.len());
        if all <= TILE {
            let weights = self.weights(shape, kv_head, block, &queries);
            self.add_values(shape, kv_head, 0..all, &weights, Into::Replace, &mut out);
            return out;
        }
        let count = queries.len() / shape.width;
        let (mut largest, mut sums) = (vec![f32::NEG_INFINITY; count], vec![0f32; count]);
        for start in (0..all).step_by(TILE) {
            let tile = start..(start + TILE).min(all);
            let mut scores = self.scores(shape, kv_head, tile.clone(), &queries);
            for (row, scores) in scores.chunks_exact_mut(tile.len()).enumerate() {
                let seen = self.seen(block.start + row % block.len());
                let seen = seen.clamp(tile.start, tile.end) - tile.start;
                let before = largest[row];
                let (now, sum) = exp_row(scores, seen, before);
                let fade = (before - now).exp();
                largest[row] = now;
                sums[row] = sums[row] * fade + sum;
                if start > 0 && fade < 1.0 {
                    scale_row(&mut out[row * shape.width..(row + 1) * shape.width], fade);
                }
            }
            let into = if start == 0 { Into::Replace } else { Into::Add };
            self.add_values(shape, kv_head, tile, &scores, into, &mut out);
        }
        for (row, sum) in out.chunks_exact_mut(shape.width).zip(sums) {
            scale_row(row, 1.0 / sum);
        }
        out
    }

    /// `out (+)= weights * values` of a tile.
    fn add_values(
        &self,
        shape: HeadShape,
        kv_head: usize,
        tile: Range<usize>,
        weights: &[f32],
        into: Into,
        out: &mut [f32],
    ) {
        let values = &self.values[tile.start * self.key_stride + kv_head * shape.width..];
        matmul(
            out,
            shape.width,
            into,
            (weights.len() / tile.len(), shape.width, tile.len()),
            View::rows(weights, tile.len()),
            View::rows(values, self.key_stride),
            1.0,
            Threads::One,
        );
    }
}

/// `count` rows of the query heads that share a key head, head by head: `[group, count, width]`.
pub fn gather_heads(shape: HeadShape, kv_head: usize, count: usize, rows: &[f32], stride: usize) -> Buffer {
    let width = shape.width;
    let mut gathered = Buffer::stale(shape.group() * count * width);
    for (member, gathered) in gathered.chunks_exact_mut(count * width).enumerate() {
        let column = (kv_head * shape.group() + member) * width;
        for (row, gathered) in gathered.chunks_exact_mut(width).enumerate() {
            gathered.copy_from_slice(&rows[row * stride + column..][..width]);
        }
    }
    gathered
}

/// Attention output of several inputs, rows `[heads * width]` one after the other.
pub fn attend(shape: HeadShape, inputs: &[Attended<'_>]) -> Buffer {
    let stride = shape.heads * shape.width;
    let mut out = Buffer::stale(inputs.iter().map(|input| input.query_count).sum::<usize>() * stride);
    // Blocks lie one after the other in `out`, so each task owns its rows.
    let mut rest: &mut [f32] = &mut out;
    let mut tasks = Vec::new();
    for input in inputs {
        for start in (0..input.query_count).step_by(shape.block()) {
            let block = start..(start + shape.block()).min(input.query_count);
            let (mine, behind) = rest.split_at_mut(block.len() * stride);
            rest = behind;
            tasks.push((input, block, mine));
        }
    }
    let heads = |(input, block, out): (&Attended<'_>, Range<usize>, &mut [f32])| {
        for kv_head in 0..shape.kv_heads {
            let attended = input.attend_block(shape, kv_head, &block);
            for (member, attended) in attended.chunks_exact(block.len() * shape.width).enumerate() {
                let column = (kv_head * shape.group() + member) * shape.width;
                for (row, attended) in attended.chunks_exact(shape.width).enumerate() {
                    out[row * stride + column..][..shape.width].copy_from_slice(attended);
                }
            }
        }
    };
    // The last blocks see the most keys: they go first, so that no thread is left with one at the end.
    tasks.into_par_iter().rev().with_max_len(1).for_each(heads);
    out
}
