//! How well an experiment's retriever finds what comes next: no reader, and no encoder unless the retriever compares vectors.

use std::time::Instant;

use candle_core::Device;

use super::EngineError;
use super::candidates::each_repository;
use super::dataset::OnProgress;
use super::loaded::LoadedModels;
use crate::corpus::{CompletionSample, Split};
use crate::evaluation::{RetrievalQuality, RetrievalRecord};
use crate::experiment::Experiment;
use crate::models::catalogue::Store;
use crate::retrieval::Retriever;

/// Chunks that are ranked for a sample; a hit further down is none.
const DEPTH: usize = 100;

/// Ranks the chunks for every sample that the experiment draws from one split, and counts the hits.
///
/// Samples depend on the seed and on `data`, never on the retriever, so that retrievers can be compared sample by sample. Fails when
/// the experiment is out of range, when code or encoder cannot be read, when the split has no sample, and when `progress` says no.
pub fn retrieval_quality(
    experiment: &Experiment,
    split: Split,
    store: &Store,
    device: &Device,
    progress: OnProgress<'_>,
) -> Result<RetrievalQuality, EngineError> {
    experiment.validate()?;
    let kind = experiment.retrieval.retriever;
    let models = match kind.needs_encoder() {
        true => Some(LoadedModels::load(experiment, store, device)?),
        false => None,
    };
    let visit = |_, samples: Vec<CompletionSample>, retriever: &dyn Retriever| {
        let start = Instant::now();
        let record = |sample: CompletionSample| RetrievalRecord {
            rank: retriever
                .retrieve(&sample, DEPTH)
                .iter()
                .find(|found| found.hit)
                .map(|found| found.rank),
            sample: sample.id,
            repository: sample.repository,
        };
        let records: Vec<RetrievalRecord> = samples.into_iter().map(record).collect();
        (records, start.elapsed().as_secs_f64())
    };
    let parts = each_repository(experiment, store, &[split], models.as_ref(), progress, visit)?;
    let seconds: f64 = parts.iter().map(|(_, seconds)| seconds).sum();
    let records: Vec<RetrievalRecord> = parts.into_iter().flat_map(|(records, _)| records).collect();
    if records.is_empty() {
        return Err(EngineError::NoSamples {
            corpus: experiment.data.corpus.clone(),
            split,
        });
    }
    let seconds_a_query = seconds / records.len() as f64;
    Ok(RetrievalQuality::of(
        kind,
        split,
        records,
        seconds_a_query,
        experiment.seed,
    ))
}
