//! From an experiment to samples with their chunks, cut, encoded and ready to train on.

use std::collections::{BTreeMap, HashMap, HashSet};

use rand::SeedableRng;
use rand::seq::SliceRandom;
use rand_chacha::ChaCha8Rng;
use rayon::prelude::*;

use super::EngineError;
use super::loaded::LoadedModels;
use crate::corpus::{
    Chunk, CompletionSample, CorpusError, Repository, SampleSettings, Split, repositories_in_folder,
    repository_from_wheel, samples, splits_of,
};
use crate::experiment::Experiment;
use crate::models::ModelError;
use crate::models::catalogue::{CorpusFiles, Store};
use crate::prompt::{PreparedSample, PromptBuilder};
use crate::retrieval::{Jaccard, Retrieved, Retriever};
use crate::training::EncodedSample;

/// Repositories read at once: enough for all cores, few enough to hold in memory and to report progress.
const REPOSITORIES_TOGETHER: usize = 4;

/// Tells how far the work has come (task, done, total, unit); `false` ends it.
pub(super) type OnProgress<'a> = &'a mut dyn FnMut(&str, usize, usize, &'static str) -> bool;

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

type Candidate = (CompletionSample, Vec<Retrieved>);

impl Dataset {
    /// Reads code, draws samples, retrieves and encodes.
    pub fn prepare(
        experiment: &Experiment,
        models: &LoadedModels,
        store: &Store,
        progress: OnProgress<'_>,
    ) -> Result<Self, EngineError> {
        let candidates = candidates(experiment, store, &[Split::Train, Split::Validation], progress)?;
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
                !candidate.1.is_empty() && (!only_hits || candidate.1.iter().any(|one| one.hit))
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
            experiment.seed,
        )?;
        let validation = draw(Split::Validation, false, experiment.evaluation.samples, experiment.seed)?;
        facts.insert("samples.train".into(), train.len().to_string());
        facts.insert("samples.validation".into(), validation.len().to_string());

        let probe_chunks = probe_chunks(of(Split::Validation), &prompts, experiment)?;
        let texts = train
            .iter()
            .chain(&validation)
            .flat_map(|sample| &sample.retrieved)
            .map(|one| one.chunk.text.as_str());
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
        let mut candidates = candidates(experiment, store, &[split], progress)?
            .remove(&split)
            .unwrap_or_default();
        candidates.retain(|(_, retrieved)| !retrieved.is_empty());
        let chosen = spread(candidates.iter().collect(), limit, experiment.seed);
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
            .map(|one| one.chunk.text.as_str())
            .collect();
        let vectors = encode(&texts, models, progress)?;
        Ok(encoded(prepared, &vectors))
    }
}

/// A prepared sample with the vectors of its chunks.
pub(super) fn encode_sample(prepared: PreparedSample, models: &LoadedModels) -> Result<EncodedSample, EngineError> {
    let texts: Vec<&str> = prepared.retrieved.iter().map(|one| one.chunk.text.as_str()).collect();
    let vectors = encode(&texts, models, &mut |_, _, _, _| true)?;
    Ok(with_vectors(prepared, &vectors))
}

/// Samples of some splits with their chunks, by split.
fn candidates(
    experiment: &Experiment,
    store: &Store,
    splits: &[Split],
    progress: OnProgress<'_>,
) -> Result<BTreeMap<Split, Vec<Candidate>>, EngineError> {
    type Load = Box<dyn FnOnce() -> Result<Repository, CorpusError> + Send>;
    let repositories: Vec<(Split, Load)> = match store.corpus(&experiment.data.corpus)? {
        CorpusFiles::Wheels(wheels) => wheels
            .into_iter()
            .map(|wheel| {
                let split = wheel.split;
                let load: Load = Box::new(move || repository_from_wheel(&wheel.name, &wheel.path));
                (split, load)
            })
            .collect(),
        CorpusFiles::Folder(folder) => {
            let repositories = repositories_in_folder(&folder)?;
            let names: Vec<&str> = repositories.iter().map(|repository| repository.name.as_str()).collect();
            let splits = splits_of(&names, experiment.seed);
            let load = |repository: Repository| -> Load { Box::new(move || Ok(repository)) };
            splits.into_iter().zip(repositories.into_iter().map(load)).collect()
        }
    };
    let wanted: Vec<(Split, Load)> = repositories
        .into_iter()
        .filter(|(split, _)| splits.contains(split))
        .collect();
    let total = wanted.len();
    let mut wanted = wanted.into_iter();
    let settings = SampleSettings {
        per_repository: experiment.data.samples_per_repository,
        seed: experiment.seed,
    };
    let retrieval = &experiment.retrieval;
    let mut found: BTreeMap<Split, Vec<Candidate>> = BTreeMap::new();
    while wanted.len() > 0 {
        if !progress("reading code", total - wanted.len(), total, "repositories") {
            return Err(EngineError::Cancelled);
        }
        let group: Vec<(Split, Load)> = wanted.by_ref().take(REPOSITORIES_TOGETHER).collect();
        let read = |(split, load): (Split, Load)| -> Result<(Split, Vec<Candidate>), CorpusError> {
            let repository = load()?;
            let jaccard = Jaccard::new(&repository, retrieval.chunk_lines, retrieval.query_lines);
            let samples = samples(&repository, &settings);
            let pair = |sample: CompletionSample| {
                let retrieved = jaccard.retrieve(&sample, retrieval.k);
                (sample, retrieved)
            };
            Ok((split, samples.into_iter().map(pair).collect()))
        };
        let parts: Vec<_> = group.into_par_iter().map(read).collect::<Result<_, _>>()?;
        for (split, part) in parts {
            found.entry(split).or_default().extend(part);
        }
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

/// Distinct chunks of validation repositories, the watched set.
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
    let owners = spread(owners, experiment.schedule.probe_chunks, experiment.seed);
    let (mut chunks, mut texts): (Vec<Chunk>, HashSet<String>) = (Vec::new(), HashSet::new());
    for rank in 0..experiment.retrieval.k {
        for (sample, retrieved) in &owners {
            let Some(one) = retrieved.get(rank) else { continue };
            let prepared = prompts.prepare(sample, std::slice::from_ref(one))?;
            for one in prepared.retrieved {
                if chunks.len() < experiment.schedule.probe_chunks && texts.insert(one.chunk.text.clone()) {
                    chunks.push(one.chunk);
                }
            }
        }
    }
    Ok(chunks)
}

/// The vector of every text, through the cache on disk.
fn encode(
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
    let row = |one: &Retrieved| vectors[&one.chunk.text].iter().copied();
    let vectors = prepared.retrieved.iter().flat_map(row).collect();
    EncodedSample { prepared, vectors }
}
