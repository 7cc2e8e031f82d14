//! The chunks that define the names of samples: what a perfect retriever would bring, for the two oracles.

use std::collections::{HashMap, HashSet};

use super::EngineError;
use super::dataset::{OnProgress, encode_sample};
use super::loaded::LoadedModels;
use super::training_job::project;
use crate::corpus::{Chunk, CompletionSample, chunks, definitions, repositories_in_folder, repository_from_wheel};
use crate::corpus::{CorpusError, Repository};
use crate::evaluation::Definition;
use crate::experiment::Experiment;
use crate::models::catalogue::{CorpusFiles, Store};
use crate::projector::Projector;
use crate::prompt::PreparedSample;
use crate::retrieval::Retrieved;

/// The definition of each sample's name, as text and as soft tokens; empty where no chunk of another file defines it.
pub(super) fn defining(
    samples: &[PreparedSample],
    projector: &Projector,
    experiment: &Experiment,
    models: &LoadedModels,
    store: &Store,
    progress: OnProgress<'_>,
) -> Result<Vec<Definition>, EngineError> {
    let found = defining_chunks(samples, experiment, store, progress)?;
    let prompts = models.prompts(experiment)?;
    let mut all = Vec::with_capacity(samples.len());
    for (done, sample) in samples.iter().enumerate() {
        if !progress("encoding definitions", done, samples.len(), "samples") {
            return Err(EngineError::Cancelled);
        }
        all.push(match found.get(sample.sample.id.as_str()) {
            None => Definition::default(),
            Some(chunk) => {
                let retrieved = Retrieved {
                    chunk: chunk.clone(),
                    rank: 1,
                    score: 0.0,
                    hit: true,
                    name: None,
                };
                let encoded = encode_sample(prompts.prepare(&sample.sample, &[retrieved])?, models)?;
                Definition {
                    soft: project(projector, &encoded.vectors, models)?,
                    tokens: encoded.prepared.chunks.into_iter().next().unwrap_or_default(),
                }
            }
        });
    }
    Ok(all)
}

/// By the sample's id.
fn defining_chunks<'a>(
    samples: &'a [PreparedSample],
    experiment: &Experiment,
    store: &Store,
    progress: OnProgress<'_>,
) -> Result<HashMap<&'a str, Chunk>, EngineError> {
    let names: HashSet<&str> = samples.iter().map(|one| one.sample.repository.as_str()).collect();
    let lines = experiment.retrieval.chunk_lines;
    let mut found = HashMap::new();
    let mut done = 0;
    let mut search = |repository: Result<Repository, CorpusError>| -> Result<(), EngineError> {
        let repository = repository?;
        if !progress("reading definitions", done, names.len(), "repositories") {
            return Err(EngineError::Cancelled);
        }
        done += 1;
        let own = samples.iter().filter(|one| one.sample.repository == repository.name);
        let (defined, chunks) = (definitions(&repository), chunks(&repository, lines));
        for PreparedSample { sample, .. } in own {
            let places = defined.iter().filter(|one| is_meant(sample, &one.name, &one.path));
            let chunk = places.into_iter().find_map(|place| {
                let holds = |chunk: &&Chunk| {
                    chunk.path == place.path && (chunk.first_line..chunk.first_line + lines).contains(&place.line)
                };
                chunks.iter().find(holds)
            });
            if let Some(chunk) = chunk {
                found.insert(sample.id.as_str(), chunk.clone());
            }
        }
        Ok(())
    };
    match store.corpus(&experiment.data.corpus)? {
        CorpusFiles::Wheels(wheels) => {
            for wheel in wheels.iter().filter(|wheel| names.contains(wheel.name.as_str())) {
                search(repository_from_wheel(&wheel.name, &wheel.path))?;
            }
        }
        CorpusFiles::Folder(folder) => {
            let repositories = repositories_in_folder(&folder)?;
            for repository in repositories.into_iter().filter(|one| names.contains(one.name.as_str())) {
                search(Ok(repository))?;
            }
        }
    }
    Ok(found)
}

fn is_meant(sample: &CompletionSample, name: &str, path: &str) -> bool {
    sample.identifier.as_deref() == Some(name) && sample.path != path
}
