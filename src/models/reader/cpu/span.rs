//! Sequences among packed rows: which rows see which.

use std::ops::Range;
use std::sync::Arc;

use super::attention::{Attended, Rows};
use super::buffer::Buffer;
use super::kept::PlacedContext;
use super::layer::Sizes;

/// A sequence among packed rows.
#[derive(Clone, Default)]
pub struct Span {
    /// Its rows.
    pub rows: usize,
    /// Its last rows whose output is needed behind the last layer.
    pub needed: usize,
    /// Rows that see the same of what stands before them, in order; together they are all rows.
    pub segments: Vec<Segment>,
    /// Keys and values of a context that stands apart, where it stands here.
    pub kept: Option<Arc<PlacedContext>>,
}

/// Consecutive rows: each sees the rows before it in the segment, and what the segment sees.
#[derive(Clone)]
pub struct Segment {
    /// The rows.
    pub rows: Range<usize>,
    /// Whether it sees what is kept or cached.
    pub sees_kept: bool,
    /// How many of the first rows of the span it sees.
    pub sees: usize,
}

impl Span {
    /// Rows one after the other, each of which sees all before it.
    pub fn plain(rows: usize, needed: usize) -> Self {
        let all = Segment {
            rows: 0..rows,
            sees_kept: true,
            sees: 0,
        };
        Self {
            rows,
            needed,
            segments: vec![all],
            kept: None,
        }
    }

    /// A trunk whose first `front` rows see nothing of what is kept, and branches behind it.
    pub fn new(trunk: usize, front: Option<usize>, branches: &[usize], needed: usize) -> Self {
        let mut segments = Vec::new();
        let front = front.unwrap_or(0);
        if front > 0 {
            segments.push(Segment {
                rows: 0..front,
                sees_kept: false,
                sees: 0,
            });
        }
        segments.push(Segment {
            rows: front..trunk,
            sees_kept: true,
            sees: front,
        });
        let mut rows = trunk;
        for branch in branches {
            segments.push(Segment {
                rows: rows..rows + branch,
                sees_kept: true,
                sees: trunk,
            });
            rows += branch;
        }
        Self {
            rows,
            needed,
            segments,
            kept: None,
        }
    }

    /// Rows whose output a layer gives.
    pub fn queries(&self, last: bool) -> usize {
        if last { self.needed } else { self.rows }
    }
}

/// The queries of one segment, and where the rows of its keys are.
pub struct Part<'a> {
    /// Queries, keys and values.
    pub attended: Attended<'a>,
    /// Keys at the front that belong to no row.
    pub kept: usize,
    /// Rows of the other keys, within the span, in order.
    pub rows: [Range<usize>; 2],
    /// Row of the first query, within the span.
    pub first_query: usize,
}

/// The parts of a span: `qkv` are its rows `[queries | keys | values]`, `layer` says whose kept keys are meant, `queries` how
/// many of the last rows ask.
pub fn parts<'a>(sizes: Sizes, qkv: &'a [f32], span: &Span, layer: usize, queries: usize) -> Vec<Part<'a>> {
    let stride = sizes.qkv_width();
    let (query_width, key_width) = (sizes.query_width(), sizes.key_width());
    let kept = span.kept.as_ref().map_or(0, |context| context.tokens());
    let gather = |rows: &[Range<usize>]| -> Arc<Buffer> {
        let count: usize = rows.iter().map(Range::len).sum();
        let mut gathered = Buffer::stale((kept + count) * 2 * key_width);
        let (of_context, of_rows) = gathered.split_at_mut(kept * 2 * key_width);
        if let Some(context) = &span.kept {
            context.rows(layer, of_context);
        }
        for (gathered, row) in of_rows
            .chunks_exact_mut(2 * key_width)
            .zip(rows.iter().cloned().flatten())
        {
            gathered.copy_from_slice(&qkv[row * stride + query_width..(row + 1) * stride]);
        }
        Arc::new(gathered)
    };
    let mut parts = Vec::with_capacity(span.segments.len());
    for segment in &span.segments {
        let first_query = segment.rows.start.max(span.rows - queries);
        if first_query >= segment.rows.end {
            continue;
        }
        let in_place = segment.sees == segment.rows.start && (kept == 0 || !segment.sees_kept);
        let (keys, values, key_stride, kept, rows) = if in_place {
            let keys = Rows::Borrowed(&qkv[query_width..]);
            let values = Rows::Borrowed(&qkv[query_width + key_width..]);
            (keys, values, stride, 0, [0..segment.rows.end, 0..0])
        } else {
            let rows = [0..segment.sees, segment.rows.clone()];
            let gathered = gather(&rows);
            let values = Rows::Gathered(Arc::clone(&gathered), key_width);
            (Rows::Gathered(gathered, 0), values, 2 * key_width, kept, rows)
        };
        let key_count = kept + rows.iter().map(Range::len).sum::<usize>();
        parts.push(Part {
            attended: Attended {
                queries: &qkv[first_query * stride..],
                query_stride: stride,
                query_count: segment.rows.end - first_query,
                keys,
                values,
                key_stride,
                key_count,
            },
            kept,
            rows,
            first_query,
        });
    }
    parts
}
