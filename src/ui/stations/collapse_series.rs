//! What the instruments say at every probe step of a run, computed once in the background and kept.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use egui::mutex::Mutex;

use crate::collapse::{
    Comparison, Histogram, Instruments, Vectors, Verdict, cluster_order, compare, cosine_histogram, cosine_matrix,
    instruments, verdict,
};
use crate::corpus::Chunk;
use crate::runs::{ProbeRecord, Run};
use crate::ui::View;
use crate::ui::charts::local;

/// Bins of the histograms: 0.02 wide.
const BINS: usize = 100;

/// Most that cosines of one encoder differ by between devices.
const SAME_COSINE: f32 = 1e-3;

/// The encoder's vectors of the probe set; the encoder is frozen, so they are the same at every step.
pub struct EncoderProbe {
    /// Of the encoder's vectors.
    pub instruments: Instruments,
    /// Of their cosines.
    pub histogram: Histogram,
    /// Their cosines, `[rows, rows]`.
    pub matrix: Arc<[f32]>,
    /// An order that puts similar chunks beside each other.
    pub order: Arc<[usize]>,
}

/// The projected vectors at one step.
pub struct StepProbe {
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
    /// The cosines, `[rows, rows]`.
    pub matrix: Arc<[f32]>,
    /// 5%, 50% and 95% quantile of the norms of the reader's token embeddings.
    pub token_norms: [f32; 3],
}

/// All that is known of the probes of one run.
#[derive(Clone, Default)]
pub struct ProbeSeries {
    /// The chunks behind the rows.
    pub chunks: Arc<[Chunk]>,
    /// The encoder's side.
    pub encoder: Option<Arc<EncoderProbe>>,
    /// The projected side by step.
    pub steps: BTreeMap<usize, Arc<StepProbe>>,
    /// Why a step could not be looked at.
    pub failed: BTreeMap<usize, String>,
}

impl ProbeSeries {
    /// The probe nearest to a step, the newest when there is none.
    pub fn at(&self, step: Option<usize>) -> Option<&Arc<StepProbe>> {
        match step {
            Some(step) => self.steps.values().min_by_key(|probe| probe.step.abs_diff(step)),
            None => self.steps.values().next_back(),
        }
    }

    /// Why another run's vectors cannot be shown on the same axes as these; none when they can.
    pub fn differs(&self, other: &Self) -> Option<&'static str> {
        if self.chunks.is_empty() || other.chunks.is_empty() {
            return Some("shares no record of chunks");
        }
        if self.chunks != other.chunks {
            return Some("watches other chunks");
        }
        let (a, b) = (self.encoder.as_ref()?, other.encoder.as_ref()?);
        let close = |(a, b): (&f32, &f32)| (a - b).abs() <= SAME_COSINE;
        let same = a.matrix.len() == b.matrix.len() && a.matrix.iter().zip(b.matrix.iter()).all(close);
        (!same).then_some("has another encoder")
    }

    /// A number of every step.
    pub fn curve(&self, get: impl Fn(&StepProbe) -> f64) -> Vec<[f64; 2]> {
        let points = self.steps.values();
        points.map(|probe| [probe.step as f64, get(probe)]).collect()
    }
}

/// Reads the probes of several runs; a thread works while there is something new.
#[derive(Default)]
pub struct ProbeReader {
    runs: BTreeMap<PathBuf, Arc<Mutex<Shared>>>,
}

#[derive(Default)]
struct Shared {
    series: ProbeSeries,
    busy: bool,
}

impl ProbeReader {
    /// The one that all pages read with; runs that are not shown any more are forgotten.
    pub fn shared(ctx: &egui::Context, view: &View<'_>) -> Arc<Mutex<Self>> {
        let shared = local::<Self>(ctx, egui::Id::unique("probe reader"));
        let shown: Vec<&Path> = view
            .state
            .shown_runs()
            .map(|open| open.run().folder.as_path())
            .collect();
        shared.lock().runs.retain(|folder, _| shown.contains(&folder.as_path()));
        shared
    }

    /// What is known of a run so far; starts a thread when the run has probes that nobody has looked at.
    pub fn series(&mut self, ctx: &egui::Context, run: &Run) -> ProbeSeries {
        let shared = self.runs.entry(run.folder.clone()).or_default();
        let mut locked = shared.lock();
        let known = &locked.series;
        let is_new = |step: &&usize| !known.steps.contains_key(step) && !known.failed.contains_key(step);
        // The newest first: it is what a person looks at while the others are read.
        let missing: Vec<usize> = run.probe_steps.iter().rev().filter(is_new).copied().collect();
        let series = locked.series.clone();
        if !missing.is_empty() && !locked.busy {
            locked.busy = true;
            // Work that never starts locks it too, when it is dropped.
            drop(locked);
            let work = Work {
                folder: run.folder.clone(),
                missing,
                shared: Arc::clone(shared),
                ctx: ctx.clone(),
            };
            let thread = std::thread::Builder::new().name("probe-reader".into());
            // Without a thread there is nothing to see yet; the next frame tries again.
            thread.spawn(move || work.run()).ok();
        }
        series
    }

    /// Forgets why probes could not be looked at, so that they are read again.
    pub fn retry(&self, folder: &Path) {
        if let Some(shared) = self.runs.get(folder) {
            shared.lock().series.failed.clear();
        }
    }
}

/// The probes that a thread looks at; dropped, however it ends, it makes room for the next.
struct Work {
    folder: PathBuf,
    missing: Vec<usize>,
    shared: Arc<Mutex<Shared>>,
    ctx: egui::Context,
}

impl Drop for Work {
    fn drop(&mut self) {
        self.shared.lock().busy = false;
        self.ctx.request_repaint();
    }
}

impl Work {
    fn run(self) {
        match Run::open(&self.folder) {
            Ok(run) => {
                if let Ok(chunks) = run.probe_chunks() {
                    self.shared.lock().series.chunks = chunks.into();
                }
                for step in &self.missing {
                    // Nobody else holds it: the run is no longer shown.
                    if Arc::strong_count(&self.shared) == 1 {
                        return;
                    }
                    let result = run
                        .probe(*step)
                        .map_err(|error| error.to_string())
                        .and_then(|record| self.look(&record));
                    if let Err(reason) = result {
                        self.shared.lock().series.failed.insert(*step, reason);
                    }
                    self.ctx.request_repaint();
                }
            }
            Err(error) => {
                let failed = self.missing.iter().map(|step| (*step, error.to_string()));
                self.shared.lock().series.failed.extend(failed);
            }
        }
    }

    fn look(&self, record: &ProbeRecord) -> Result<(), String> {
        let rows = record.rows;
        let wrap = |values| -> Result<Vectors<'_>, String> {
            let values: &Vec<f32> = values;
            Vectors::new(rows, values.len() / rows.max(1), values).map_err(|error| error.to_string())
        };
        let encoder = wrap(&record.encoder)?;
        let projected = wrap(&record.projected)?;
        let known = self.shared.lock().series.encoder.clone();
        let reference = known.unwrap_or_else(|| {
            Arc::new(EncoderProbe {
                instruments: instruments(&encoder),
                histogram: cosine_histogram(&encoder, BINS),
                matrix: cosine_matrix(&encoder).into(),
                order: cluster_order(&encoder).into(),
            })
        });
        let values = instruments(&projected);
        let probe = StepProbe {
            step: record.step,
            instruments: values,
            comparison: compare(&encoder, &projected),
            verdict: verdict(&reference.instruments, &values),
            histogram: cosine_histogram(&projected, BINS),
            matrix: cosine_matrix(&projected).into(),
            token_norms: record.token_norm_quantiles,
        };
        let mut shared = self.shared.lock();
        shared.series.encoder = Some(reference);
        shared.series.steps.insert(record.step, Arc::new(probe));
        Ok(())
    }
}
