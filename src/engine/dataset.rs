//! From an experiment to samples with their chunks, cut, encoded and ready to train on.

use std::collections::{BTreeMap, HashMap, HashSet};

use rand::SeedableRng;
use rand::seq::SliceRandom;
use rand_chacha::ChaCha8Rng;

use super::EngineError;
use super::candidates::{Candidate, each_repository};
use super::loaded::LoadedModels;
use crate::corpus::{Chunk, CompletionSample, Split};
use crate::experiment::Experiment;
use crate::models::ModelError;
use crate::models::catalogue::Store;
use crate::prompt::{PreparedSample, PromptBuilder};
use crate::retrieval::{Retrieved, Retriever};
use crate::training::EncodedSample;

/// Tells how far the work has come (task, done, total, unit); `false` ends it.
pub(super) type OnProgress<'a> = &'a mut dyn FnMut(&str, usize, usize, &'static str) -> bool;

/// Fewer vectors have no geometry to speak of; `schedule.probe_chunks` may not be less either.
const LEAST_PROBE_CHUNKS: usize = 4;

/// What a run learns from and is watched on.
pub(super) struct Dataset {
    pub train: Vec<EncodedSample>,
    pub validation: Vec<EncodedSample>,
    pub probe_chunks: Vec<Chunk>,
    /// `[probe chunks, encoder width]`, row-major.
    pub probe_vectors: Vec<f32>,
    /// Counts for the run's manifest.
    pub facts: BTreeMap<String, String>,
}

impl Dataset {
    /// Reads code, draws samples, retrieves and encodes.
    pub fn prepare(
        experiment: &Experiment,
        models: &LoadedModels,
        store: &Store,
        progress: OnProgress<'_>,
    ) -> Result<Self, EngineError> {
        let candidates = candidates(experiment, store, &[Split::Train, Split::Validation], models, progress)?;
        let mut facts = BTreeMap::new();
        let of = |split| candidates.get(&split).map(Vec::as_slice).unwrap_or_default();
        let hits = of(Split::Train)
            .iter()
            .filter(|(_, retrieved)| retrieved.iter().any(|one| one.hit))
            .count();
        facts.insert("samples.train.candidates".into(), of(Split::Train).len().to_string());
        facts.insert("samples.train.candidates_hit".into(), hits.to_string());

        let prompts = models.prompts(experiment)?;
        let usable = |only_hits: bool| {
            move |candidate: &&Candidate| {
                let has_context = !candidate.1.is_empty() || (experiment.may_be_empty() && !only_hits);
                has_context && (!only_hits || candidate.1.iter().any(|one| one.hit))
            }
        };
        let draw = |split, only_hits, count, seed| -> Result<Vec<PreparedSample>, EngineError> {
            let chosen: Vec<&Candidate> = of(split).iter().filter(usable(only_hits)).collect();
            let chosen = spread(chosen, count, seed);
            if chosen.is_empty() {
                return Err(EngineError::NoSamples {
                    corpus: experiment.data.corpus.clone(),
                    split,
                });
            }
            chosen
                .into_iter()
                .map(|(sample, retrieved)| Ok(prompts.prepare(sample, retrieved)?))
                .collect()
        };
        let train = draw(
            Split::Train,
            experiment.data.only_hits,
            experiment.data.train_samples,
            experiment.data.seed,
        )?;
        let validation = draw(
            Split::Validation,
            false,
            experiment.evaluation.samples,
            experiment.data.seed,
        )?;
        facts.insert("samples.train".into(), train.len().to_string());
        facts.insert("samples.validation".into(), validation.len().to_string());

        let probe_chunks = probe_chunks(of(Split::Validation), &prompts, experiment)?;
        if probe_chunks.len() < LEAST_PROBE_CHUNKS {
            return Err(EngineError::FewProbeChunks {
                corpus: experiment.data.corpus.clone(),
                asked: experiment.schedule.probe_chunks,
                found: probe_chunks.len(),
                least: LEAST_PROBE_CHUNKS,
            });
        }
        let texts = train
            .iter()
            .chain(&validation)
            .flat_map(|sample| &sample.retrieved)
            .map(Retrieved::compressed_text);
        let texts: Vec<&str> = texts
            .chain(probe_chunks.iter().map(|chunk| chunk.text.as_str()))
            .collect();
        let vectors = encode(&texts, models, progress)?;
        facts.insert("chunks.encoded".into(), vectors.len().to_string());
        let train = encoded(train, &vectors);
        let validation = encoded(validation, &vectors);
        let probe_vectors = probe_chunks
            .iter()
            .flat_map(|chunk| vectors[&chunk.text].iter().copied())
            .collect();
        Ok(Self {
            train,
            validation,
            probe_chunks,
            probe_vectors,
            facts,
        })
    }

    /// At most `limit` encoded samples of one split, as an evaluation needs them.
    pub fn of_split(
        experiment: &Experiment,
        split: Split,
        limit: usize,
        models: &LoadedModels,
        store: &Store,
        progress: OnProgress<'_>,
    ) -> Result<Vec<EncodedSample>, EngineError> {
        let mut candidates = candidates(experiment, store, &[split], models, progress)?
            .remove(&split)
            .unwrap_or_default();
        candidates.retain(|(_, retrieved)| experiment.may_be_empty() || !retrieved.is_empty());
        let chosen = spread(candidates.iter().collect(), limit, experiment.data.seed);
        if chosen.is_empty() {
            return Err(EngineError::NoSamples {
                corpus: experiment.data.corpus.clone(),
                split,
            });
        }
        let prompts = models.prompts(experiment)?;
        let prepare = |(sample, retrieved): &Candidate| prompts.prepare(sample, retrieved);
        let prepared: Vec<PreparedSample> = chosen.into_iter().map(prepare).collect::<Result<_, _>>()?;
        let texts: Vec<&str> = prepared
            .iter()
            .flat_map(|s| &s.retrieved)
            .map(Retrieved::compressed_text)
            .collect();
        let vectors = encode(&texts, models, progress)?;
        Ok(encoded(prepared, &vectors))
    }
}

/// A prepared sample with the vectors of its chunks.
pub(super) fn encode_sample(prepared: PreparedSample, models: &LoadedModels) -> Result<EncodedSample, EngineError> {
    let texts: Vec<&str> = prepared.retrieved.iter().map(Retrieved::compressed_text).collect();
    let vectors = encode(&texts, models, &mut |_, _, _, _| true)?;
    Ok(with_vectors(prepared, &vectors))
}

/// Samples of some splits with their chunks, by split.
fn candidates(
    experiment: &Experiment,
    store: &Store,
    splits: &[Split],
    models: &LoadedModels,
    progress: OnProgress<'_>,
) -> Result<BTreeMap<Split, Vec<Candidate>>, EngineError> {
    let k = experiment.retrieval.k;
    let visit = |split: Split, samples: Vec<CompletionSample>, retriever: &dyn Retriever| {
        let pair = |sample: CompletionSample| {
            let retrieved = retriever.retrieve(&sample, k);
            (sample, retrieved)
        };
        (split, samples.into_iter().map(pair).collect::<Vec<Candidate>>())
    };
    let mut found: BTreeMap<Split, Vec<Candidate>> = BTreeMap::new();
    for (split, part) in each_repository(experiment, store, splits, Some(models), progress, visit)? {
        found.entry(split).or_default().extend(part);
    }
    Ok(found)
}

/// At most `count` candidates, drawn in turn from every repository so that none dominates; the same for equal seeds.
fn spread(candidates: Vec<&Candidate>, count: usize, seed: u64) -> Vec<&Candidate> {
    let mut by_repository: BTreeMap<&str, Vec<&Candidate>> = BTreeMap::new();
    for candidate in candidates {
        by_repository
            .entry(&candidate.0.repository)
            .or_default()
            .push(candidate);
    }
    let mut random = ChaCha8Rng::seed_from_u64(seed);
    let mut piles: Vec<Vec<&Candidate>> = by_repository.into_values().collect();
    for pile in &mut piles {
        pile.shuffle(&mut random);
    }
    piles.shuffle(&mut random);
    let mut chosen = Vec::with_capacity(count);
    while chosen.len() < count && piles.iter().any(|pile| !pile.is_empty()) {
        for pile in &mut piles {
            if chosen.len() < count {
                chosen.extend(pile.pop());
            }
        }
    }
    chosen
}

/// Distinct chunks of validation repositories, the watched set, with the text that is compressed of them.
fn probe_chunks(
    candidates: &[Candidate],
    prompts: &PromptBuilder<'_>,
    experiment: &Experiment,
) -> Result<Vec<Chunk>, EngineError> {
    let mut places = HashSet::new();
    let mut owners: Vec<&Candidate> = Vec::new();
    for candidate in candidates {
        if candidate
            .1
            .iter()
            .any(|one| places.insert((&one.chunk.repository, &one.chunk.path, one.chunk.first_line)))
        {
            owners.push(candidate);
        }
    }
    let owners = spread(owners, experiment.schedule.probe_chunks, experiment.data.seed);
    let (mut chunks, mut texts): (Vec<Chunk>, HashSet<String>) = (Vec::new(), HashSet::new());
    for rank in 0..experiment.retrieval.k {
        for (sample, retrieved) in &owners {
            let Some(one) = retrieved.get(rank) else { continue };
            let prepared = prompts.prepare(sample, std::slice::from_ref(one))?;
            for one in prepared.retrieved {
                let text = one.compressed_text().to_owned();
                if chunks.len() < experiment.schedule.probe_chunks && texts.insert(text.clone()) {
                    chunks.push(Chunk { text, ..one.chunk });
                }
            }
        }
    }
    Ok(chunks)
}

/// The vector of every text, through the cache on disk.
pub(super) fn encode(
    texts: &[&str],
    models: &LoadedModels,
    progress: OnProgress<'_>,
) -> Result<HashMap<String, Vec<f32>>, EngineError> {
    let mut distinct: Vec<&str> = texts.to_vec();
    distinct.sort_unstable();
    distinct.dedup();
    let mut on_progress = |done: usize, total: usize| progress("encoding chunks", done, total, "chunks");
    let vectors = models
        .vectors
        .borrow_mut()
        .get_or_encode(models.encoder.as_ref(), &distinct, &mut on_progress);
    let vectors = vectors.map_err(|error| match error {
        ModelError::Cancelled => EngineError::Cancelled,
        error => EngineError::Model(error),
    })?;
    Ok(distinct.into_iter().map(str::to_owned).zip(vectors).collect())
}

fn encoded(samples: Vec<PreparedSample>, vectors: &HashMap<String, Vec<f32>>) -> Vec<EncodedSample> {
    samples
        .into_iter()
        .map(|prepared| with_vectors(prepared, vectors))
        .collect()
}

/// A sample with the vectors of its chunks, which must all be among `vectors`.
fn with_vectors(prepared: PreparedSample, vectors: &HashMap<String, Vec<f32>>) -> EncodedSample {
    let row = |one: &Retrieved| vectors[one.compressed_text()].iter().copied();
    let vectors = prepared.retrieved.iter().flat_map(row).collect();
    EncodedSample { prepared, vectors }
}
