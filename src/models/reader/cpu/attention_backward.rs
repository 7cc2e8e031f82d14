//! The backward pass of attention: the weights are computed again, block by block.

use rayon::prelude::*;

use super::attention::{Attended, HeadShape, gather_heads};
use super::buffer::Buffer;
use super::elementwise::{row_dot, softmax_row_backward};
use super::matmul::{Into, Threads, View, matmul};
use super::span::Part;

/// Gradients of one key head of one sequence.
struct HeadGradient {
    /// `[group, queries, width]`.
    queries: Buffer,
    /// `[keys, width]`.
    keys: Buffer,
    /// `[keys, width]`.
    values: Buffer,
}

/// Gradients towards queries, keys and values, added to the rows `[queries | keys | values]` of `d_rows`, which begin as zeros.
///
/// `spans` holds the parts of each sequence with its number of rows; `out` and `d_out` the attention output of all queries, in
/// order, and its gradient.
pub fn attend_backward(
    shape: HeadShape,
    spans: &[(usize, Vec<Part<'_>>)],
    out: &[f32],
    d_out: &[f32],
    d_rows: &mut [f32],
) {
    let stride = shape.heads * shape.width;
    let row_stride = (shape.heads + 2 * shape.kv_heads) * shape.width;
    let (mut first_query, mut rest) = (0, d_rows);
    let mut tasks = Vec::with_capacity(spans.len());
    for (rows, parts) in spans {
        let (mine, behind) = rest.split_at_mut(rows * row_stride);
        rest = behind;
        tasks.push((first_query, parts, mine));
        first_query += parts.iter().map(|part| part.attended.query_count).sum::<usize>();
    }
    tasks.into_par_iter().for_each(|(mut query, parts, d_rows)| {
        for part in parts {
            let rows = query * stride..(query + part.attended.query_count) * stride;
            query += part.attended.query_count;
            let (out, d_out) = (&out[rows.clone()], &d_out[rows]);
            let gradients: Vec<HeadGradient> = (0..shape.kv_heads)
                .into_par_iter()
                .map(|head| head_backward(shape, &part.attended, head, out, d_out))
                .collect();
            for (head, gradient) in gradients.iter().enumerate() {
                add_gradient(shape, part, head, gradient, d_rows);
            }
        }
    });
}

/// Adds the gradients of one key head to the rows of their sequence.
fn add_gradient(shape: HeadShape, part: &Part<'_>, head: usize, gradient: &HeadGradient, d_rows: &mut [f32]) {
    let width = shape.width;
    let row_stride = (shape.heads + 2 * shape.kv_heads) * width;
    let add = |row: &mut [f32], column: usize, values: &[f32]| {
        for (sum, value) in row[column..column + width].iter_mut().zip(values) {
            *sum += value;
        }
    };
    let (keys, values) = (shape.heads * width, (shape.heads + shape.kv_heads) * width);
    // Kept keys come first and take no gradient.
    for (key, row) in (part.kept..).zip(part.rows.iter().cloned().flatten()) {
        let row = &mut d_rows[row * row_stride..(row + 1) * row_stride];
        let at = key * width..(key + 1) * width;
        add(row, keys + head * width, &gradient.keys[at.clone()]);
        add(row, values + head * width, &gradient.values[at]);
    }
    for member in 0..shape.group() {
        let column = (head * shape.group() + member) * width;
        for query in 0..part.attended.query_count {
            let row = part.first_query + query;
            let at = (member * part.attended.query_count + query) * width;
            let row = &mut d_rows[row * row_stride..(row + 1) * row_stride];
            add(row, column, &gradient.queries[at..at + width]);
        }
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
        queries: Buffer::stale(group * sequence.query_count * width),
        keys: Buffer::zeros(sequence.key_count * width),
        values: Buffer::zeros(sequence.key_count * width),
    };
    let (keys, values) = (sequence.key_view(shape, kv_head), sequence.value_view(shape, kv_head));
    for start in (0..sequence.query_count).step_by(shape.block()) {
        let block = start..(start + shape.block()).min(sequence.query_count);
        let (count, seen) = (group * block.len(), sequence.seen(block.end - 1));
        let queries = sequence.block_queries(shape, kv_head, &block);
        let weights = sequence.weights(shape, kv_head, &block, &queries);
        let out = gather_heads(shape, kv_head, block.len(), &out[start * stride..], stride);
        let d_out = gather_heads(shape, kv_head, block.len(), &d_out[start * stride..], stride);
        let d_out_view = View::rows(&d_out, width);
        let mut d_weights = Buffer::stale(count * seen);
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
        matmul(
            &mut gradient.values,
            width,
            Into::Add,
            (seen, width, count),
            View::rows(&weights, seen).transposed(),
            d_out_view,
            1.0,
            Threads::One,
        );
        let rows = weights.chunks_exact(seen).zip(d_weights.chunks_exact_mut(seen));
        let outs = out.chunks_exact(width).zip(d_out.chunks_exact(width));
        for ((row, d_row), (out, d_out)) in rows.zip(outs) {
            softmax_row_backward(row, d_row, row_dot(out, d_out), shape.scale());
        }
        let d_scores = View::rows(&d_weights, seen);
        let mut d_queries = Buffer::stale(count * width);
        matmul(
            &mut d_queries,
            width,
            Into::Replace,
            (count, width, seen),
            d_scores,
            keys,
            1.0,
            Threads::One,
        );
        for (member, d_queries) in d_queries.chunks_exact(block.len() * width).enumerate() {
            let at = (member * sequence.query_count + start) * width;
            gradient.queries[at..at + d_queries.len()].copy_from_slice(d_queries);
        }
        matmul(
            &mut gradient.keys,
            width,
            Into::Add,
            (seen, width, count),
            d_scores.transposed(),
            View::rows(&queries, width),
            1.0,
            Threads::One,
        );
    }
    gradient
}
