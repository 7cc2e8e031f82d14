//! Looking at one probe: reading its vectors, and finding the numbers and matrices that the page shows.

use std::path::Path;
use std::sync::Arc;

use egui::mutex::Mutex;

use super::collapse_plane::{fit_cloud, soft_tokens};
use super::collapse_reader::Shared;
use super::collapse_series::{EncoderProbe, StepProbe, StepSummary};
use crate::collapse::{BINS, Geometry, ProbeSummary, Spectrum, Vectors, cluster_order, cosine_matrix, sampled_rows};
use crate::runs::{ProbeNumbers, ProbeRecord, Probes};

/// Steps of a run whose matrices are kept.
const LOOKED: usize = 6;
/// Numbers that are written at once for the next reader.
const BATCH: usize = 16;

/// Looks at the probes of one run.
pub struct Looker {
    probes: Probes,
    tokens_per_chunk: usize,
    seed: u64,
    encoder: Option<Geometry>,
    fresh: Vec<ProbeNumbers>,
}

impl Looker {
    /// For the run in a folder; `seed` draws rows where there are too many.
    pub fn new(folder: &Path, tokens_per_chunk: usize, seed: u64) -> Self {
        Self {
            probes: Probes::of(folder),
            tokens_per_chunk: tokens_per_chunk.max(1),
            seed,
            encoder: None,
            fresh: Vec::new(),
        }
    }

    /// Finds all that the page shows of a step; `steps` are all that have a probe.
    pub fn look(&mut self, step: usize, steps: &[usize], shared: &Mutex<Shared>) -> Result<(), String> {
        let record = self.read(step, shared)?;
        let (summary, matrix) = self.measure(&record, shared)?;
        let cloud = shared.lock().series.cloud.clone();
        let kept = cloud.filter(|cloud| steps.len() < 2 * cloud.probes.max(1));
        let refitted = kept.is_none();
        let cloud = kept.unwrap_or_else(|| Arc::new(fit_cloud(&self.probes, steps, &record, self.tokens_per_chunk)));
        let soft = soft_tokens(&record, self.tokens_per_chunk);
        let norm = |token: &[f32]| token.iter().map(|value| f64::from(*value).powi(2)).sum::<f64>().sqrt() as f32;
        let points = cloud
            .plane
            .as_ref()
            .map(|plane| plane.points(&soft))
            .unwrap_or_default();
        let probe = StepProbe {
            summary,
            matrix: matrix.into(),
            norms: soft.chunks(cloud.width.max(1)).map(norm).collect(),
            points: points.into(),
        };
        let series = &mut shared.lock().series;
        if refitted {
            // Their points lie in another plane.
            series.looked.clear();
        }
        series.cloud = Some(cloud);
        series.looked.push(Arc::new(probe));
        if series.looked.len() > LOOKED {
            series.looked.remove(0);
        }
        Ok(())
    }

    /// Finds the pairs that came together at a step, the next of [`Merging`](super::collapse_merging::Merging).
    pub fn cross(&mut self, step: usize, shared: &Mutex<Shared>) -> Result<(), String> {
        let found = self.read(step, shared).and_then(|record| self.measure(&record, shared));
        let cosines = found.as_ref().ok().map(|(_, matrix)| matrix.as_slice());
        shared.lock().merging.take(step, cosines);
        found.map(drop)
    }

    /// Finds the numbers of a step.
    pub fn count(&mut self, step: usize, shared: &Mutex<Shared>) -> Result<(), String> {
        let record = self.read(step, shared)?;
        // They may have been restored with the first probe that was read.
        if shared.lock().series.steps.contains_key(&step) {
            return Ok(());
        }
        let projected = record.projected_vectors().map_err(|error| error.to_string())?;
        self.summarise(&record, &Geometry::of(&projected), shared)?;
        Ok(())
    }

    /// Writes the numbers that nobody had computed before.
    pub fn keep(&mut self) {
        // In a folder that must not be written they are computed again the next time.
        self.probes.keep(&std::mem::take(&mut self.fresh)).ok();
    }

    fn read(&mut self, step: usize, shared: &Mutex<Shared>) -> Result<ProbeRecord, String> {
        let mut record = self.probes.record(step).map_err(|error| error.to_string())?;
        let of = record.rows;
        let rows = sampled_rows(of, self.seed);
        if rows.len() < of {
            thin(&mut record, &rows);
        }
        if shared.lock().series.encoder.is_none() {
            self.begin(&record, &rows, of, shared)?;
        }
        Ok(record)
    }

    /// What is the same at every step: the encoder's side, the chunks, and numbers that were kept by an earlier reader.
    fn begin(&mut self, record: &ProbeRecord, rows: &[usize], of: usize, shared: &Mutex<Shared>) -> Result<(), String> {
        let vectors = record.encoder_vectors().map_err(|error| error.to_string())?;
        let geometry = Geometry::of(&vectors);
        let encoder = encoder_probe(&vectors, &geometry);
        let instruments = encoder.instruments;
        self.encoder = Some(geometry);
        let chunks = self.probes.chunks().unwrap_or_default();
        let chunks = match rows.len() < of {
            true => rows.iter().filter_map(|row| chunks.get(*row).cloned()).collect(),
            false => chunks,
        };
        let steps = self.probes.numbers().into_iter().map(|(step, numbers)| {
            let summary = StepSummary::new(step, &instruments, numbers.summary, numbers.token_norm_quantiles);
            (step, Arc::new(summary))
        });
        let steps = Arc::new(steps.collect());
        let series = &mut shared.lock().series;
        series.steps = steps;
        series.version += 1;
        series.chunks = chunks.into();
        series.sampled = (rows.len() < of).then_some([rows.len(), of]);
        series.encoder = Some(Arc::new(encoder));
        Ok(())
    }

    /// The numbers of a probe, which may be known, and the cosines of its projected vectors, `[rows, rows]`.
    fn measure(
        &mut self,
        record: &ProbeRecord,
        shared: &Mutex<Shared>,
    ) -> Result<(Arc<StepSummary>, Vec<f32>), String> {
        let projected = record.projected_vectors().map_err(|error| error.to_string())?;
        let known = shared.lock().series.steps.get(&record.step).cloned();
        match known {
            Some(summary) => Ok((summary, cosine_matrix(&projected))),
            None => {
                let geometry = Geometry::of(&projected);
                Ok((self.summarise(record, &geometry, shared)?, geometry.cosine_matrix()))
            }
        }
    }

    fn summarise(
        &mut self,
        record: &ProbeRecord,
        projected: &Geometry,
        shared: &Mutex<Shared>,
    ) -> Result<Arc<StepSummary>, String> {
        let known = shared.lock().series.encoder.clone();
        let same_rows = known.as_ref().is_none_or(|known| known.order.len() == record.rows);
        let (Some(known), true) = (known, same_rows) else {
            return Err(format!("it has {} rows, other probes of this run do not", record.rows));
        };
        let encoder = match self.encoder.take() {
            Some(geometry) => geometry,
            None => Geometry::of(&record.encoder_vectors().map_err(|error| error.to_string())?),
        };
        let summary = ProbeSummary::of(&encoder, projected);
        self.encoder = Some(encoder);
        if let Some(file) = self.probes.stamp(record.step) {
            self.fresh.push(ProbeNumbers {
                step: record.step,
                file,
                token_norm_quantiles: record.token_norm_quantiles,
                summary: summary.clone(),
            });
        }
        if self.fresh.len() >= BATCH {
            self.keep();
        }
        let norms = record.token_norm_quantiles;
        let summary = Arc::new(StepSummary::new(record.step, &known.instruments, summary, norms));
        let series = &mut shared.lock().series;
        Arc::make_mut(&mut series.steps).insert(record.step, Arc::clone(&summary));
        series.version += 1;
        Ok(summary)
    }
}

fn encoder_probe(vectors: &Vectors<'_>, geometry: &Geometry) -> EncoderProbe {
    EncoderProbe {
        instruments: geometry.instruments(),
        histogram: geometry.histogram(BINS),
        spectrum: Spectrum::of(geometry),
        matrix: geometry.cosine_matrix().into(),
        order: cluster_order(vectors).into(),
    }
}

/// Leaves only some rows in a probe.
fn thin(record: &mut ProbeRecord, rows: &[usize]) {
    let of = record.rows.max(1);
    let pick = |values: &[f32]| -> Vec<f32> {
        let width = values.len() / of;
        let of_row = |row: &usize| values.get(row * width..(row + 1) * width);
        rows.iter().filter_map(of_row).flatten().copied().collect()
    };
    record.encoder = pick(&record.encoder);
    record.projected = pick(&record.projected);
    record.rows = rows.len();
}
