//! Whether a folder of one's own is enough code for an experiment, found before a model is loaded or a step is trained.

use std::collections::{BTreeMap, HashMap};
use std::path::Path;

use rayon::prelude::*;
use strum::IntoEnumIterator as _;

use super::EngineError;
use super::dataset::OnProgress;
use crate::corpus::{Repository, SampleSettings, Split, chunks, repositories_in_folder, samples, splits_of};
use crate::experiment::Experiment;
use crate::models::catalogue::{CorpusFiles, Store};

/// The splits that every run needs: to learn from, and to be evaluated on while it trains.
pub(super) const LEARNED_FROM: [Split; 2] = [Split::Train, Split::Validation];

/// What the repositories of a split offer.
#[derive(Clone, Copy, Debug, Default)]
struct Offer {
    repositories: usize,
    samples: usize,
    /// The most chunks that can be retrieved for a sample: those of the repository's other files.
    chunks: usize,
}

/// What a folder's offers depend on: its name, the seed, samples a repository, lines a chunk.
type Key = (String, u64, usize, usize);

/// Checks experiments one after the other and reads the folder of each but once. Corpora of the catalogue only have to be here: their
/// splits are known to be large enough.
#[derive(Default)]
pub(super) struct CorpusCheck {
    offers: HashMap<Key, BTreeMap<Split, Offer>>,
}

impl CorpusCheck {
    /// Fails when a split that an experiment needs would have no repository or no sample, and when none of its samples has as many
    /// chunks as `k` asks for; `k` is 0 where a whole ranking is looked at.
    pub(super) fn check(
        &mut self,
        experiment: &Experiment,
        needed: &[Split],
        k: usize,
        store: &Store,
        progress: OnProgress<'_>,
    ) -> Result<(), EngineError> {
        let corpus = experiment.data.corpus.clone();
        let CorpusFiles::Folder(folder) = store.corpus(&corpus)? else {
            return Ok(());
        };
        let data = &experiment.data;
        let chunk_lines = experiment.retrieval.chunk_lines;
        let key = (corpus.clone(), data.seed, data.samples_per_repository, chunk_lines);
        if !self.offers.contains_key(&key) {
            if !progress("reading code", 0, 0, "repositories") {
                return Err(EngineError::Cancelled);
            }
            self.offers.insert(key.clone(), offers(&folder, experiment)?);
        }
        let offers = self.offers.get(&key);
        let of = |split: Split| {
            offers
                .and_then(|offers| offers.get(&split))
                .copied()
                .unwrap_or_default()
        };
        let repositories = Split::iter().map(|split| of(split).repositories).sum();
        for &split in needed {
            let offer = of(split);
            let corpus = corpus.clone();
            if offer.repositories == 0 {
                return Err(EngineError::FewRepositories {
                    corpus,
                    repositories,
                    split,
                });
            }
            if offer.samples == 0 {
                return Err(EngineError::NoSamples { corpus, split });
            }
            if offer.chunks < k {
                return Err(EngineError::FewChunks {
                    corpus,
                    split,
                    k,
                    chunks: offer.chunks,
                    chunk_lines,
                });
            }
        }
        Ok(())
    }
}

/// What each split of a folder offers to an experiment.
fn offers(folder: &Path, experiment: &Experiment) -> Result<BTreeMap<Split, Offer>, EngineError> {
    let repositories = repositories_in_folder(folder)?;
    let names: Vec<&str> = repositories.iter().map(|repository| repository.name.as_str()).collect();
    let counted: Vec<Offer> = repositories.par_iter().map(|one| offer(one, experiment)).collect();
    let mut offers: BTreeMap<Split, Offer> = BTreeMap::new();
    for (split, offer) in splits_of(&names, experiment.data.seed).into_iter().zip(counted) {
        let of_split = offers.entry(split).or_default();
        of_split.repositories += offer.repositories;
        of_split.samples += offer.samples;
        of_split.chunks = of_split.chunks.max(offer.chunks);
    }
    Ok(offers)
}

fn offer(repository: &Repository, experiment: &Experiment) -> Offer {
    let settings = SampleSettings {
        per_repository: experiment.data.samples_per_repository,
        seed: experiment.data.seed,
    };
    let samples = samples(repository, &settings);
    let chunks = chunks(repository, experiment.retrieval.chunk_lines);
    let others = |path: &str| chunks.iter().filter(|chunk| chunk.path != path).count();
    Offer {
        repositories: 1,
        samples: samples.len(),
        chunks: samples.iter().map(|sample| others(&sample.path)).max().unwrap_or(0),
    }
}
