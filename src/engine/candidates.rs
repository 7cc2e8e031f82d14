//! The repositories of a corpus one by one: samples drawn, chunks indexed, and whatever is asked of the two.

use std::collections::HashMap;

use rayon::prelude::*;

use super::EngineError;
use super::dataset::{OnProgress, encode};
use super::loaded::LoadedModels;
use crate::corpus::{
    CompletionSample, CorpusError, Repository, SampleSettings, Split, repositories_in_folder, repository_from_wheel,
    samples, splits_of,
};
use crate::experiment::Experiment;
use crate::models::catalogue::{CorpusFiles, Store};
use crate::retrieval::{ChunkIndex, Dense, Retrieved, Retriever, retriever};

/// Repositories read at once: enough for all cores, few enough to hold in memory and to report progress.
const REPOSITORIES_TOGETHER: usize = 4;

/// A sample with the chunks retrieved for it.
pub(super) type Candidate = (CompletionSample, Vec<Retrieved>);

/// Reads a repository when it is its turn.
pub(super) type Load = Box<dyn FnOnce() -> Result<Repository, CorpusError> + Send>;

/// The retriever of an experiment over a repository, for these samples of it. Only a retriever that compares vectors has the
/// repository encoded, through the cache of `models`.
pub(super) fn retriever_for(
    experiment: &Experiment,
    repository: &Repository,
    samples: &[CompletionSample],
    models: Option<&LoadedModels>,
    progress: OnProgress<'_>,
) -> Result<Box<dyn Retriever>, EngineError> {
    let settings = &experiment.retrieval;
    let vectors = match models.filter(|_| settings.retriever.needs_encoder()) {
        Some(models) => {
            let index = ChunkIndex::new(repository, settings.chunk_lines);
            let texts = Dense::texts(&index, samples, settings.query_lines);
            let texts: Vec<&str> = texts.iter().map(String::as_str).collect();
            encode(&texts, models, progress)?
        }
        None => HashMap::new(),
    };
    Ok(retriever(settings, repository, vectors))
}

/// Calls `visit` for every repository of these splits with its samples and its retriever, and gives what that returned, in the order of
/// the corpus. Repositories without samples are left out.
pub(super) fn each_repository<T: Send>(
    experiment: &Experiment,
    store: &Store,
    splits: &[Split],
    models: Option<&LoadedModels>,
    progress: OnProgress<'_>,
    visit: impl Fn(Split, Vec<CompletionSample>, &dyn Retriever) -> T + Sync,
) -> Result<Vec<T>, EngineError> {
    let wanted = repositories(experiment, store, splits)?;
    let total = wanted.len();
    let mut wanted = wanted.into_iter();
    let settings = SampleSettings {
        per_repository: experiment.data.samples_per_repository,
        seed: experiment.data.seed,
    };
    let mut results = Vec::with_capacity(total);
    while wanted.len() > 0 {
        if !progress("reading code", total - wanted.len(), total, "repositories") {
            return Err(EngineError::Cancelled);
        }
        let group: Vec<(Split, Load)> = wanted.by_ref().take(REPOSITORIES_TOGETHER).collect();
        let read = |(split, load): (Split, Load)| -> Result<_, CorpusError> {
            let repository = load()?;
            let samples = samples(&repository, &settings);
            Ok((split, repository, samples))
        };
        let mut group: Vec<(Split, Repository, Vec<CompletionSample>)> =
            group.into_par_iter().map(read).collect::<Result<_, _>>()?;
        group.retain(|(_, _, samples)| !samples.is_empty());
        if experiment.retrieval.retriever.needs_encoder() {
            // The encoder computes on all cores for one repository.
            for (split, repository, samples) in group {
                let retriever = retriever_for(experiment, &repository, &samples, models, progress)?;
                results.push(visit(split, samples, retriever.as_ref()));
            }
        } else {
            let visited = group.into_par_iter().map(|(split, repository, samples)| {
                let retriever = retriever(&experiment.retrieval, &repository, HashMap::new());
                visit(split, samples, retriever.as_ref())
            });
            results.extend(visited.collect::<Vec<T>>());
        }
    }
    Ok(results)
}

/// The repositories of these splits, unread.
pub(super) fn repositories(
    experiment: &Experiment,
    store: &Store,
    splits: &[Split],
) -> Result<Vec<(Split, Load)>, EngineError> {
    let all: Vec<(Split, Load)> = match store.corpus(&experiment.data.corpus)? {
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
            let splits = splits_of(&names, experiment.data.seed);
            let load = |repository: Repository| -> Load { Box::new(move || Ok(repository)) };
            splits.into_iter().zip(repositories.into_iter().map(load)).collect()
        }
    };
    Ok(all.into_iter().filter(|(split, _)| splits.contains(split)).collect())
}
