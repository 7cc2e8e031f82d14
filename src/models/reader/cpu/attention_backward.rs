//! The backward pass of attention: the weights are computed again, block by block.

use rayon::prelude::*;

use super::attention::{Attended, BLOCK, HeadShape};
use super::elementwise::{row_dot, softmax_row_backward};
use super::matmul::{Into, Threads, View, matmul};
use super::span::Part;

/// Gradients of one key head of one sequence.
struct HeadGradient {
    /// `[group, queries, width]`.
    queries: Vec<f32>,
    /// `[keys, width]`.
    keys: Vec<f32>,
    /// `[keys, width]`.
    values: Vec<f32>,
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
