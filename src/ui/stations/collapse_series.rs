//! What is known of the probes of a run: numbers of every step, and the matrices of the few that are looked at.

use std::collections::BTreeMap;
use std::ops::Deref;
use std::sync::Arc;

use crate::collapse::{Comparison, Histogram, Instruments, Plane, ProbeSummary, Spectrum, Verdict, verdict};
use crate::corpus::Chunk;

/// Most that cosines of one encoder differ by between devices.
const SAME_COSINE: f32 = 1e-3;

/// The encoder's vectors of the probe set; the encoder is frozen, so they are the same at every step.
pub struct EncoderProbe {
    /// Of the encoder's vectors.
    pub instruments: Instruments,
    /// Of their cosines.
    pub histogram: Histogram,
    /// Their singular values.
    pub spectrum: Spectrum,
    /// Their cosines, `[rows, rows]`.
    pub matrix: Arc<[f32]>,
    /// An order that puts similar chunks beside each other.
    pub order: Arc<[usize]>,
}

/// The numbers of the projected vectors at one step.
pub struct StepSummary {
    /// Steps finished.
    pub step: usize,
    /// Of the projected vectors.
    pub instruments: Instruments,
    /// With the encoder's vectors.
    pub comparison: Comparison,
    /// Collapsed or not.
    pub verdict: Verdict,
    /// Of the cosines.
    pub histogram: Histogram,
    /// Singular values.
    pub spectrum: Spectrum,
    /// 5%, 50% and 95% quantile of the norms of the reader's token embeddings.
    pub token_norms: [f32; 3],
}

impl StepSummary {
    /// Judges the numbers of a step beside the encoder's.
    pub fn new(step: usize, encoder: &Instruments, summary: ProbeSummary, token_norms: [f32; 3]) -> Self {
        Self {
            step,
            verdict: verdict(encoder, &summary.instruments),
            instruments: summary.instruments,
            comparison: summary.comparison,
            histogram: summary.histogram,
            spectrum: summary.spectrum,
            token_norms,
        }
    }
}

/// A step that is looked at: its numbers, and what is too large to be kept for every step.
#[derive(Clone)]
pub struct StepProbe {
    /// The numbers.
    pub summary: Arc<StepSummary>,
    /// The cosines, `[rows, rows]`.
    pub matrix: Arc<[f32]>,
    /// Norm of every soft token; those of one chunk follow each other.
    pub norms: Arc<[f32]>,
    /// Where the soft tokens lie in the run's plane, in the same order; empty without a plane.
    pub points: Arc<[[f32; 2]]>,
}

impl Deref for StepProbe {
    type Target = StepSummary;

    fn deref(&self) -> &StepSummary {
        &self.summary
    }
}

/// The plane in which the soft tokens of a run are seen, fixed over its steps.
pub struct Cloud {
    /// Its axes; none when nothing spans them.
    pub plane: Option<Plane>,
    /// Steps whose soft tokens the axes were fitted to, beside the tokens.
    pub fitted: Vec<usize>,
    /// Probes that the run had then; with twice as many the axes are fitted again.
    pub probes: usize,
    /// Where the reader's tokens lie; empty in a run that has no sample of them.
    pub tokens: Arc<[[f32; 2]]>,
    /// Norms of those tokens.
    pub norms: Arc<[f32]>,
    /// Length of a soft token.
    pub width: usize,
    /// Why there are no tokens.
    pub missing: Option<String>,
    /// `[low, high]` of each axis over everything that the axes were fitted to.
    pub bounds: [[f32; 2]; 2],
}

/// All that is known of the probes of one run.
#[derive(Clone, Default)]
pub struct ProbeSeries {
    /// The chunks behind the rows.
    pub chunks: Arc<[Chunk]>,
    /// The encoder's side.
    pub encoder: Option<Arc<EncoderProbe>>,
    /// The numbers of each step.
    pub steps: Arc<BTreeMap<usize, Arc<StepSummary>>>,
    /// The steps that were looked at last, the newest look at the end.
    pub looked: Vec<Arc<StepProbe>>,
    /// The plane of the run.
    pub cloud: Option<Arc<Cloud>>,
    /// Why a step could not be looked at.
    pub failed: Arc<BTreeMap<usize, String>>,
    /// Rows that are compared and rows that there are, where that is a sample.
    pub sampled: Option<[usize; 2]>,
    /// Counts changes of `steps`.
    pub version: u64,
}

impl ProbeSeries {
    /// The numbers of the step nearest to one, the newest when there is none.
    pub fn at(&self, step: Option<usize>) -> Option<&Arc<StepSummary>> {
        let Some(step) = step else {
            return self.steps.values().next_back();
        };
        let around = [self.steps.range(..=step).next_back(), self.steps.range(step..).next()];
        let nearest = around
            .into_iter()
            .flatten()
            .min_by_key(|(other, _)| other.abs_diff(step));
        nearest.map(|(_, summary)| summary)
    }

    /// Forgets steps that have no probe any more, as after a roll-back.
    pub fn keep_only(&mut self, steps: &[usize]) {
        let is_there = |step: &usize| steps.binary_search(step).is_ok();
        if self.steps.keys().all(is_there) {
            return;
        }
        Arc::make_mut(&mut self.steps).retain(|step, _| is_there(step));
        self.looked.retain(|probe| is_there(&probe.step));
        self.version += 1;
    }

    /// Of the steps that have a probe, ascending, the nearest to one that can be looked at; the newest when there is none.
    pub fn readable_at(&self, steps: &[usize], step: Option<usize>) -> Option<usize> {
        let readable = || steps.iter().filter(|step| !self.failed.contains_key(step)).copied();
        match step {
            Some(step) => readable().min_by_key(|other| other.abs_diff(step)),
            None => readable().next_back(),
        }
    }

    /// A step as it was looked at; none while it is read.
    pub fn probe(&self, step: usize) -> Option<&Arc<StepProbe>> {
        self.looked.iter().find(|probe| probe.step == step)
    }

    /// A step as it was looked at; while it is read, the look that came nearest before it.
    pub fn probe_or_last(&self, step: usize) -> Option<&Arc<StepProbe>> {
        self.probe(step).or(self.looked.last())
    }

    /// Why another run's vectors cannot be shown on the same axes as these; none when they can.
    pub fn differs(&self, other: &Self) -> Option<&'static str> {
        if self.chunks.is_empty() || other.chunks.is_empty() {
            return Some("shares no record of chunks");
        }
        if !Arc::ptr_eq(&self.chunks, &other.chunks) && self.chunks != other.chunks {
            return Some("watches other chunks");
        }
        let (a, b) = (self.encoder.as_ref()?, other.encoder.as_ref()?);
        if Arc::ptr_eq(a, b) {
            return None;
        }
        let close = |(a, b): (&f32, &f32)| (a - b).abs() <= SAME_COSINE;
        let same = a.matrix.len() == b.matrix.len() && a.matrix.iter().zip(b.matrix.iter()).all(close);
        (!same).then_some("has another encoder")
    }

    /// A number of every step, at most about `most` of them: every n-th, and the last.
    pub fn curve(&self, most: usize, get: impl Fn(&StepSummary) -> f64) -> Vec<[f64; 2]> {
        let every = self.steps.len().div_ceil(most.max(1)).max(1);
        let mut points: Vec<[f64; 2]> = self
            .steps
            .values()
            .rev()
            .step_by(every)
            .map(|probe| [probe.step as f64, get(probe)])
            .collect();
        points.reverse();
        points
    }
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "a failing test should panic")]
    use super::*;
    use crate::collapse::{Geometry, Vectors};

    fn series(steps: &[usize]) -> ProbeSeries {
        let values = [1.0, 0.0, 0.5, 1.0, 1.0, 1.0];
        let geometry = Geometry::of(&Vectors::new(3, 2, &values).unwrap());
        let summary = ProbeSummary::of(&geometry, &geometry);
        let of = |step: usize| StepSummary::new(step, &geometry.instruments(), summary.clone(), [1.0; 3]);
        ProbeSeries {
            steps: Arc::new(steps.iter().map(|step| (*step, Arc::new(of(*step)))).collect()),
            ..ProbeSeries::default()
        }
    }

    #[test]
    fn the_nearest_step_is_found_on_either_side() {
        let series = series(&[0, 5, 10, 40]);
        let at = |step| series.at(step).map(|found| found.step);
        assert_eq!(
            [at(Some(6)), at(Some(8)), at(Some(400)), at(None)],
            [Some(5), Some(10), Some(40), Some(40)]
        );
        assert_eq!(ProbeSeries::default().at(Some(3)).map(|found| found.step), None);
    }

    #[test]
    fn steps_that_were_rolled_back_are_forgotten() {
        let mut series = series(&[0, 5, 10]);
        series.keep_only(&[0, 5, 10, 15]);
        assert_eq!((series.steps.len(), series.version), (3, 0));
        series.keep_only(&[0, 5]);
        assert_eq!((series.steps.len(), series.version), (2, 1));
    }

    #[test]
    fn a_thinned_curve_keeps_the_newest_step() {
        let series = series(&(0..100).collect::<Vec<_>>());
        let curve = series.curve(10, |probe| probe.step as f64);
        assert_eq!((curve.len(), curve.last().copied()), (10, Some([99.0, 99.0])));
        assert!(curve.is_sorted_by(|a, b| a[0] < b[0]));
    }
}
