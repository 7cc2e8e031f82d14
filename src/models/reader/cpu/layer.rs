//! One transformer layer on packed rows of several sequences: forward, and backward towards its input only.

use super::attention::{Attended, HeadShape, Rows, attend};
use super::attention_backward::attend_backward;
use super::buffer::Buffer;
use super::elementwise::{Rotation, rms_norm, rms_norm_backward, swiglu, swiglu_backward};
use super::matmul::Threads;
use super::matrix::{Matrix, Purpose};
use super::span::{Part, Span, parts};
use crate::models::reader::ReaderConfig;

/// Frozen weights.
pub struct Layer {
    /// `[hidden]`.
    pub attention_norm: Vec<f32>,
    /// Query, key and value matrices on top of each other, `[(heads + 2 kv_heads) * head_dim, hidden]`.
    pub qkv: Matrix,
    /// Their biases (qwen2).
    pub qkv_bias: Option<Vec<f32>>,
    /// Norms of each query head and of each key head (qwen3), `[head_dim]`.
    pub head_norms: Option<[Vec<f32>; 2]>,
    /// `[hidden, heads * head_dim]`.
    pub output: Matrix,
    /// `[hidden]`.
    pub mlp_norm: Vec<f32>,
    /// Gate and up matrices on top of each other, `[2 intermediate, hidden]`.
    pub gate_up: Matrix,
    /// `[hidden, intermediate]`.
    pub down: Matrix,
}

/// Keys and values of the positions fed so far, rows `[keys | values]`.
#[derive(Clone, Default)]
pub struct LayerCache {
    pub rows: Vec<f32>,
}

/// What the backward pass needs of a forward pass.
pub struct LayerTape {
    x: Buffer,
    inverse: Vec<f32>,
    qkv: Buffer,
    heads: Option<[HeadNormTape; 2]>,
    attended: Buffer,
    middle: Buffer,
    middle_inverse: Vec<f32>,
    gate_up: Buffer,
}

struct HeadNormTape {
    raw: Buffer,
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

    /// Width of all query heads.
    pub fn query_width(self) -> usize {
        self.shape.heads * self.shape.width
    }

    /// Width of all key heads.
    pub fn key_width(self) -> usize {
        self.shape.kv_heads * self.shape.width
    }

    /// Width of a row `[queries | keys | values]`.
    pub fn qkv_width(self) -> usize {
        self.query_width() + 2 * self.key_width()
    }
}

/// What a pass over the layers shares.
pub struct Pass<'a> {
    pub sizes: Sizes,
    pub spans: &'a [Span],
    pub rotation: &'a Rotation,
    pub purpose: Purpose,
    /// How many threads its matrix products may use.
    pub threads: Threads,
}

impl Layer {
    /// Output rows for input rows `x` of layer `index`. With caches, one for each span, the rows follow the positions in them.
    /// With `last`, only the needed rows of each span come out. `tape` asks for what the backward pass needs.
    pub fn forward(
        &self,
        &Pass {
            sizes,
            spans,
            rotation,
            purpose,
            threads,
        }: &Pass<'_>,
        x: Buffer,
        index: usize,
        last: bool,
        caches: Option<Vec<&mut LayerCache>>,
        tape: Option<&mut Vec<LayerTape>>,
    ) -> Buffer {
        let (query_width, key_width, qkv_width) = (sizes.query_width(), sizes.key_width(), sizes.qkv_width());
        let mut normed = Buffer::stale(x.len());
        let inverse = rms_norm(&x, &self.attention_norm, sizes.eps, &mut normed);
        let mut qkv = self.qkv.product(&normed, purpose, threads);
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

        let attended = match caches {
            Some(caches) => attend(sizes.shape, &with_caches(sizes, &qkv, spans, last, caches)),
            None => {
                let parts = span_parts(sizes, &qkv, spans, index, last);
                let attended: Vec<Attended<'_>> = parts
                    .into_iter()
                    .flat_map(|(_, parts)| parts)
                    .map(|part| part.attended)
                    .collect();
                attend(sizes.shape, &attended)
            }
        };

        let mut middle = if last {
            needed_rows(&x, sizes.hidden, spans)
        } else {
            Buffer::copy_of(&x)
        };
        self.output.add_product(&attended, &mut middle, purpose, threads);
        let mut normed = Buffer::stale(middle.len());
        let middle_inverse = rms_norm(&middle, &self.mlp_norm, sizes.eps, &mut normed);
        let gate_up = self.gate_up.product(&normed, purpose, threads);
        drop(normed);
        let mut activated = Buffer::stale(gate_up.len() / 2);
        swiglu(&gate_up, sizes.intermediate, &mut activated);
        match tape {
            Some(tape) => {
                let mut out = Buffer::copy_of(&middle);
                self.down.add_product(&activated, &mut out, purpose, threads);
                tape.push(LayerTape {
                    x,
                    inverse,
                    qkv,
                    heads,
                    attended,
                    middle,
                    middle_inverse,
                    gate_up,
                });
                out
            }
            None => {
                self.down.add_product(&activated, &mut middle, purpose, threads);
                middle
            }
        }
    }

    /// Gradient of the input rows, given that of the output rows.
    pub fn backward(
        &self,
        &Pass {
            sizes,
            spans,
            rotation,
            threads,
            ..
        }: &Pass<'_>,
        d_out: Buffer,
        index: usize,
        last: bool,
        tape: LayerTape,
    ) -> Buffer {
        let (query_width, key_width, qkv_width) = (sizes.query_width(), sizes.key_width(), sizes.qkv_width());
        let d_activated = self.down.product_backward(&d_out, threads);
        let mut d_gate_up = tape.gate_up;
        swiglu_backward(&d_activated, sizes.intermediate, &mut d_gate_up);
        let d_normed = self.gate_up.product_backward(&d_gate_up, threads);
        let mut d_middle = d_out;
        rms_norm_backward(
            &d_normed,
            &tape.middle,
            &self.mlp_norm,
            &tape.middle_inverse,
            &mut d_middle,
        );

        let d_attended = self.output.product_backward(&d_middle, threads);
        let mut d_qkv = Buffer::zeros(tape.qkv.len());
        let parts = span_parts(sizes, &tape.qkv, spans, index, last);
        attend_backward(sizes.shape, &parts, &tape.attended, &d_attended, &mut d_qkv);
        drop(parts);
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
        let d_normed = self.qkv.product_backward(&d_qkv, threads);
        let mut dx = if d_middle.len() == tape.x.len() {
            d_middle
        } else {
            scatter_needed_rows(&d_middle, sizes.hidden, spans)
        };
        rms_norm_backward(&d_normed, &tape.x, &self.attention_norm, &tape.inverse, &mut dx);
        dx
    }
}

/// The parts of each span, with its number of rows.
fn span_parts<'a>(
    sizes: Sizes,
    qkv: &'a [f32],
    spans: &[Span],
    index: usize,
    last: bool,
) -> Vec<(usize, Vec<Part<'a>>)> {
    let stride = sizes.qkv_width();
    let mut rest = qkv;
    spans
        .iter()
        .map(|span| {
            let (mine, behind) = rest.split_at(span.rows * stride);
            rest = behind;
            (span.rows, parts(sizes, mine, span, index, span.queries(last)))
        })
        .collect()
}

/// Adds the rows of each span to its cache; its queries ask the cache.
fn with_caches<'a>(
    sizes: Sizes,
    qkv: &'a [f32],
    spans: &[Span],
    last: bool,
    caches: Vec<&'a mut LayerCache>,
) -> Vec<Attended<'a>> {
    let (query_width, stride) = (sizes.query_width(), sizes.qkv_width());
    let key_stride = 2 * sizes.key_width();
    let mut rest = qkv;
    let mut inputs = Vec::with_capacity(spans.len());
    for (span, cache) in spans.iter().zip(caches) {
        let (mine, behind) = rest.split_at(span.rows * stride);
        rest = behind;
        let before = cache.rows.len() / key_stride;
        for row in mine.chunks_exact(stride) {
            cache.rows.extend_from_slice(&row[query_width..]);
        }
        let cache: &[f32] = &cache.rows;
        for segment in &span.segments {
            let first_query = segment.rows.start.max(span.rows - span.queries(last));
            if first_query >= segment.rows.end {
                continue;
            }
            let first_key = if segment.sees_kept { 0 } else { before };
            let keys = &cache[first_key * key_stride..];
            inputs.push(Attended {
                queries: &mine[first_query * stride..],
                query_stride: stride,
                query_count: segment.rows.end - first_query,
                keys: Rows::Borrowed(keys),
                values: Rows::Borrowed(&keys[sizes.key_width()..]),
                key_stride,
                key_count: before + segment.rows.end - first_key,
            });
        }
    }
    inputs
}

/// The last `needed` rows of each span.
fn needed_rows(x: &[f32], width: usize, spans: &[Span]) -> Buffer {
    let mut rows = Buffer::stale(spans.iter().map(|span| span.needed).sum::<usize>() * width);
    let (mut first, mut taken) = (0, 0);
    for span in spans {
        let needed = span.needed * width;
        let end = (first + span.rows) * width;
        rows[taken..taken + needed].copy_from_slice(&x[end - needed..end]);
        first += span.rows;
        taken += needed;
    }
    rows
}

/// The opposite of [`needed_rows`], zero elsewhere.
fn scatter_needed_rows(rows: &[f32], width: usize, spans: &[Span]) -> Buffer {
    let mut x = Buffer::zeros(spans.iter().map(|span| span.rows).sum::<usize>() * width);
    let (mut first, mut taken) = (0, 0);
    for span in spans {
        let needed = span.needed * width;
        let end = (first + span.rows) * width;
        x[end - needed..end].copy_from_slice(&rows[taken..taken + needed]);
        first += span.rows;
        taken += needed;
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
    let raw = columns_of(rows, stride, &columns);
    let mut normed = Buffer::stale(raw.len());
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
    let d_normed = columns_of(d_rows, stride, &columns);
    let mut d_raw = Buffer::zeros(d_normed.len());
    rms_norm_backward(&d_normed, &tape.raw, weight, &tape.inverse, &mut d_raw);
    for (row, d_raw) in d_rows.chunks_exact_mut(stride).zip(d_raw.chunks_exact(columns.len())) {
        row[columns.clone()].copy_from_slice(d_raw);
    }
}

/// Some columns of each row.
fn columns_of(rows: &[f32], stride: usize, columns: &std::ops::Range<usize>) -> Buffer {
    let mut taken = Buffer::stale(rows.len() / stride * columns.len());
    for (taken, row) in taken.chunks_exact_mut(columns.len()).zip(rows.chunks_exact(stride)) {
        taken.copy_from_slice(&row[columns.clone()]);
    }
    taken
}
