//! The plane of a run: axes that are fitted once, to the reader's tokens and to the soft tokens of the first and the newest probe.

use crate::collapse::Plane;
use crate::runs::{ProbeRecord, Probes};

use super::collapse_series::Cloud;

/// The soft tokens of a probe, one after the other: a row of a probe holds those of a chunk over the root of their number.
pub fn soft_tokens(record: &ProbeRecord, tokens_per_chunk: usize) -> Vec<f32> {
    let scale = (tokens_per_chunk as f32).sqrt();
    record.projected.iter().map(|value| value * scale).collect()
}

/// Fits the plane; `record` is a probe that could be read, `steps` are all that there are.
pub fn fit_cloud(probes: &Probes, steps: &[usize], record: &ProbeRecord, tokens_per_chunk: usize) -> Cloud {
    let (tokens, missing) = match probes.tokens() {
        Ok(Some(tokens)) => (Some(tokens), None),
        Ok(None) => (
            None,
            Some("this run has no sample of the reader's tokens: an earlier program made it".to_owned()),
        ),
        Err(error) => (None, Some(error.to_string())),
    };
    let of_row = record.projected.len() / record.rows.max(1);
    let width = of_row / tokens_per_chunk.max(1);
    let (tokens, missing) = match tokens {
        Some(tokens) if tokens.width == width => (tokens.embeddings, missing),
        Some(tokens) => {
            let reason = format!("the sampled tokens are {} wide, the soft tokens {width}", tokens.width);
            (Vec::new(), Some(reason))
        }
        None => (Vec::new(), missing),
    };
    let mut fitted: Vec<(usize, Vec<f32>)> = Vec::new();
    for step in [steps.first(), steps.last()].into_iter().flatten() {
        let read = probes
            .record(*step)
            .ok()
            .filter(|read| read.projected_vectors().is_ok());
        if let Some(read) = read.filter(|_| fitted.iter().all(|(other, _)| other != step)) {
            fitted.push((*step, soft_tokens(&read, tokens_per_chunk)));
        }
    }
    if fitted.is_empty() {
        fitted.push((record.step, soft_tokens(record, tokens_per_chunk)));
    }
    let mut sets: Vec<&[f32]> = vec![&tokens];
    sets.extend(fitted.iter().map(|(_, values)| values.as_slice()));
    let plane = Plane::fit(&sets, width);
    let places = |values: &[f32]| plane.as_ref().map(|plane| plane.points(values)).unwrap_or_default();
    let bounds = [0, 1].map(|axis| {
        let points = sets.iter().flat_map(|set| places(set));
        let ends = points.fold([f32::INFINITY, f32::NEG_INFINITY], |[low, high], point| {
            let at = point.get(axis).copied().unwrap_or_default();
            [low.min(at), high.max(at)]
        });
        if ends[0] < ends[1] { ends } else { [-1.0, 1.0] }
    });
    let norm = |token: &[f32]| token.iter().map(|value| f64::from(*value).powi(2)).sum::<f64>().sqrt() as f32;
    Cloud {
        tokens: places(&tokens).into(),
        norms: tokens.chunks_exact(width.max(1)).map(norm).collect(),
        fitted: fitted.iter().map(|(step, _)| *step).collect(),
        probes: steps.len(),
        width,
        missing,
        bounds,
        plane,
    }
}
