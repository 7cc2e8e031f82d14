//! One transformer layer on packed rows of several sequences: forward, and backward towards its input only.

use super::attention::{Attended, HeadShape, attend, attend_backward};
use super::elementwise::{Rotation, rms_norm, rms_norm_backward, swiglu, swiglu_backward};
use super::matmul::{Into, Threads, View, matmul};
use crate::models::reader::ReaderConfig;

/// Frozen weights, rows of a matrix one after the other.
pub struct Layer {
    /// `[hidden]`.
    pub attention_norm: Vec<f32>,
    /// Query, key and value matrices on top of each other, `[(heads + 2 kv_heads) * head_dim, hidden]`.
    pub qkv: Vec<f32>,
    /// Their biases (qwen2).
    pub qkv_bias: Option<Vec<f32>>,
    /// Norms of each query head and of each key head (qwen3), `[head_dim]`.
    pub head_norms: Option<[Vec<f32>; 2]>,
    /// `[hidden, heads * head_dim]`.
    pub output: Vec<f32>,
    /// `[hidden]`.
    pub mlp_norm: Vec<f32>,
    /// Gate and up matrices on top of each other, `[2 intermediate, hidden]`.
    pub gate_up: Vec<f32>,
    /// `[hidden, intermediate]`.
    pub down: Vec<f32>,
}

/// A sequence among packed rows.
#[derive(Clone, Copy)]
pub struct Span {
    /// Its rows.
    pub rows: usize,
    /// Its last rows whose output is needed behind the last layer.
    pub needed: usize,
}

/// Keys and values of the positions fed so far, `[positions, kv_heads * head_dim]` each.
#[derive(Default)]
pub struct LayerCache {
    pub keys: Vec<f32>,
    pub values: Vec<f32>,
}

/// What the backward pass needs of a forward pass.
pub struct LayerTape {
    x: Vec<f32>,
    inverse: Vec<f32>,
    qkv: Vec<f32>,
    heads: Option<[HeadNormTape; 2]>,
    attended: Vec<f32>,
    middle: Vec<f32>,
    middle_inverse: Vec<f32>,
    gate_up: Vec<f32>,
    queries: Vec<usize>,
}

struct HeadNormTape {
    raw: Vec<f32>,
    inverse: Vec<f32>,
}

/// Sizes that follow from the configuration.
#[derive(Clone, Copy)]
pub struct Sizes {
    pub hidden: usize,
    pub intermediate: usize,
    pub shape: HeadShape,
    pub eps: f32,
}

impl Sizes {
    pub fn of(config: &ReaderConfig) -> Self {
        let shape = HeadShape {
            heads: config.heads,
            kv_heads: config.kv_heads,
            width: config.head_dim,
        };
        Self {
            hidden: config.hidden,
            intermediate: config.intermediate,
            shape,
            eps: config.rms_eps,
        }
    }

    fn query_width(self) -> usize {
        self.shape.heads * self.shape.width
    }

    fn key_width(self) -> usize {
        self.shape.kv_heads * self.shape.width
    }

    /// Width of a row `[queries | keys | values]`.
    fn qkv_width(self) -> usize {
        self.query_width() + 2 * self.key_width()
    }
}

/// What a pass over the layers shares.
pub struct Pass<'a> {
    pub sizes: Sizes,
    pub spans: &'a [Span],
    pub rotation: &'a Rotation,
}

/// `x * matrix^T` for rows of `x`, `matrix` being `[out, in]`.
fn linear(x: &[f32], width: usize, matrix: &[f32], out_width: usize) -> Vec<f32> {
    let mut out = vec![0f32; x.len() / width * out_width];
    add_linear(x, width, matrix, &mut out, out_width);
    out
}

/// Adds `x * matrix^T` to `out`.
fn add_linear(x: &[f32], width: usize, matrix: &[f32], out: &mut [f32], out_width: usize) {
    let shape = (x.len() / width, out_width, width);
    let weights = View::rows(matrix, width).transposed();
    matmul(
        out,
        out_width,
        Into::Add,
        shape,
        View::rows(x, width),
        weights,
        1.0,
        Threads::All,
    );
}

/// `d_out * matrix`: the gradient of a linear map's input.
fn linear_backward(d_out: &[f32], out_width: usize, matrix: &[f32], width: usize) -> Vec<f32> {
    let rows = d_out.len() / out_width;
    let mut dx = vec![0f32; rows * width];
    let (left, right) = (View::rows(d_out, out_width), View::rows(matrix, width));
    matmul(
        &mut dx,
        width,
        Into::Replace,
        (rows, width, out_width),
        left,
        right,
        1.0,
        Threads::All,
    );
    dx
}

impl Layer {
    /// Output rows for input rows `x`. With a cache, the rows follow the positions in it. With `last`, only the needed
    /// rows of each span come out. `tape` asks for what the backward pass needs.
    pub fn forward(
        &self,
        &Pass { sizes, spans, rotation }: &Pass<'_>,
        x: Vec<f32>,
        cache: Option<&mut LayerCache>,
        last: bool,
        tape: Option<&mut Vec<LayerTape>>,
    ) -> Vec<f32> {
        let (query_width, key_width, qkv_width) = (sizes.query_width(), sizes.key_width(), sizes.qkv_width());
        let mut normed = vec![0f32; x.len()];
        let inverse = rms_norm(&x, &self.attention_norm, sizes.eps, &mut normed);
        let mut qkv = linear(&normed, sizes.hidden, &self.qkv, qkv_width);
        drop(normed);
        if let Some(bias) = &self.qkv_bias {
            for row in qkv.chunks_exact_mut(qkv_width) {
                for (value, bias) in row.iter_mut().zip(bias) {
                    *value += bias;
                }
            }
        }
        let heads = self.head_norms.as_ref().map(|[query, key]| {
            [
                norm_heads(&mut qkv, qkv_width, 0..query_width, query, sizes.eps),
                norm_heads(
                    &mut qkv,
                    qkv_width,
                    query_width..query_width + key_width,
                    key,
                    sizes.eps,
                ),
            ]
        });
        rotation.apply(&mut qkv, qkv_width, sizes.shape.heads + sizes.shape.kv_heads, false);

        let queries: Vec<usize> = spans
            .iter()
            .map(|span| if last { span.needed } else { span.rows })
            .collect();
        let attended = match cache {
            Some(cache) => {
                for row in qkv.chunks_exact(qkv_width) {
                    cache.keys.extend_from_slice(&row[query_width..query_width + key_width]);
                    cache.values.extend_from_slice(&row[query_width + key_width..]);
                }
                let unqueried: usize = spans
                    .iter()
                    .zip(&queries)
                    .map(|(span, queries)| span.rows - queries)
                    .sum();
                let sequence = Attended {
                    queries: &qkv[unqueried * qkv_width..],
                    query_stride: qkv_width,
                    query_count: queries.iter().sum(),
                    keys: &cache.keys,
                    values: &cache.values,
                    key_stride: key_width,
                    key_count: cache.keys.len() / key_width,
                };
                attend(sizes.shape, &[sequence])
            }
            None => attend(sizes.shape, &sequences(sizes, &qkv, spans, &queries)),
        };

        let mut middle = if last {
            needed_rows(&x, sizes.hidden, spans)
        } else {
            x.clone()
        };
        add_linear(&attended, query_width, &self.output, &mut middle, sizes.hidden);
        let mut normed = vec![0f32; middle.len()];
        let middle_inverse = rms_norm(&middle, &self.mlp_norm, sizes.eps, &mut normed);
        let gate_up = linear(&normed, sizes.hidden, &self.gate_up, 2 * sizes.intermediate);
        drop(normed);
        let mut activated = vec![0f32; gate_up.len() / 2];
        swiglu(&gate_up, sizes.intermediate, &mut activated);
        match tape {
            Some(tape) => {
                let mut out = middle.clone();
                add_linear(&activated, sizes.intermediate, &self.down, &mut out, sizes.hidden);
                tape.push(LayerTape {
                    x,
                    inverse,
                    qkv,
                    heads,
                    attended,
                    middle,
                    middle_inverse,
                    gate_up,
                    queries,
                });
                out
            }
            None => {
                add_linear(&activated, sizes.intermediate, &self.down, &mut middle, sizes.hidden);
                middle
            }
        }
    }

    /// Gradient of the input rows, given that of the output rows.
    pub fn backward(&self, &Pass { sizes, spans, rotation }: &Pass<'_>, d_out: Vec<f32>, tape: LayerTape) -> Vec<f32> {
        let (query_width, key_width, qkv_width) = (sizes.query_width(), sizes.key_width(), sizes.qkv_width());
        let d_activated = linear_backward(&d_out, sizes.hidden, &self.down, sizes.intermediate);
        let mut d_gate_up = tape.gate_up;
        swiglu_backward(&d_activated, sizes.intermediate, &mut d_gate_up);
        let d_normed = linear_backward(&d_gate_up, 2 * sizes.intermediate, &self.gate_up, sizes.hidden);
        let mut d_middle = d_out;
        rms_norm_backward(
            &d_normed,
            &tape.middle,
            &self.mlp_norm,
            &tape.middle_inverse,
            &mut d_middle,
        );

        let d_attended = linear_backward(&d_middle, sizes.hidden, &self.output, query_width);
        let mut d_qkv = vec![0f32; tape.qkv.len()];
        let attended = sequences(sizes, &tape.qkv, spans, &tape.queries);
        attend_backward(sizes.shape, &attended, &tape.attended, &d_attended, &mut d_qkv);
        rotation.apply(&mut d_qkv, qkv_width, sizes.shape.heads + sizes.shape.kv_heads, true);
        if let (Some([query, key]), Some([query_tape, key_tape])) = (&self.head_norms, &tape.heads) {
            norm_heads_backward(&mut d_qkv, qkv_width, 0..query_width, query, query_tape);
            norm_heads_backward(
                &mut d_qkv,
                qkv_width,
                query_width..query_width + key_width,
                key,
                key_tape,
            );
        }
        let d_normed = linear_backward(&d_qkv, qkv_width, &self.qkv, sizes.hidden);
        let mut dx = if d_middle.len() == tape.x.len() {
            d_middle
        } else {
            scatter_needed_rows(&d_middle, sizes.hidden, spans)
        };
        rms_norm_backward(&d_normed, &tape.x, &self.attention_norm, &tape.inverse, &mut dx);
        dx
    }
}

/// Each span's queries (its last ones) with its own keys and values.
fn sequences<'a>(sizes: Sizes, qkv: &'a [f32], spans: &[Span], queries: &[usize]) -> Vec<Attended<'a>> {
    let stride = sizes.qkv_width();
    let mut rest = qkv;
    let mut sequences = Vec::with_capacity(spans.len());
    for (span, &query_count) in spans.iter().zip(queries) {
        let (mine, behind) = rest.split_at(span.rows * stride);
        rest = behind;
        sequences.push(Attended {
            queries: &mine[(span.rows - query_count) * stride..],
            query_stride: stride,
            query_count,
            keys: &mine[sizes.query_width()..],
            values: &mine[sizes.query_width() + sizes.key_width()..],
            key_stride: stride,
            key_count: span.rows,
        });
    }
    sequences
}

/// The last `needed` rows of each span.
pub fn needed_rows(x: &[f32], width: usize, spans: &[Span]) -> Vec<f32> {
    let mut rows = Vec::with_capacity(spans.iter().map(|span| span.needed).sum::<usize>() * width);
    let mut first = 0;
    for span in spans {
        rows.extend_from_slice(&x[(first + span.rows - span.needed) * width..(first + span.rows) * width]);
        first += span.rows;
    }
    rows
}

/// The opposite of [`needed_rows`], zero elsewhere.
fn scatter_needed_rows(rows: &[f32], width: usize, spans: &[Span]) -> Vec<f32> {
    let mut x = Vec::with_capacity(spans.iter().map(|span| span.rows).sum::<usize>() * width);
    let mut taken = 0;
    for span in spans {
        x.resize(x.len() + (span.rows - span.needed) * width, 0.0);
        x.extend_from_slice(&rows[taken * width..(taken + span.needed) * width]);
        taken += span.needed;
    }
    x
}

/// RMS norm of each head in some columns of each row, in place.
fn norm_heads(
    rows: &mut [f32],
    stride: usize,
    columns: std::ops::Range<usize>,
    weight: &[f32],
    eps: f32,
) -> HeadNormTape {
    let raw: Vec<f32> = rows
        .chunks_exact(stride)
        .flat_map(|row| row[columns.clone()].iter().copied())
        .collect();
    let mut normed = vec![0f32; raw.len()];
    let inverse = rms_norm(&raw, weight, eps, &mut normed);
    for (row, normed) in rows.chunks_exact_mut(stride).zip(normed.chunks_exact(columns.len())) {
        row[columns.clone()].copy_from_slice(normed);
    }
    HeadNormTape { raw, inverse }
}

/// Gradient of [`norm_heads`], in place.
fn norm_heads_backward(
    d_rows: &mut [f32],
    stride: usize,
    columns: std::ops::Range<usize>,
    weight: &[f32],
    tape: &HeadNormTape,
) {
    let d_normed: Vec<f32> = d_rows
        .chunks_exact(stride)
        .flat_map(|row| row[columns.clone()].iter().copied())
        .collect();
    let mut d_raw = vec![0f32; d_normed.len()];
    rms_norm_backward(&d_normed, &tape.raw, weight, &tape.inverse, &mut d_raw);
    for (row, d_raw) in d_rows.chunks_exact_mut(stride).zip(d_raw.chunks_exact(columns.len())) {
        row[columns.clone()].copy_from_slice(d_raw);
    }
}
