//! The index of a repository: its chunks as their budget clips them, and what ranks them. Soft tokens lie beside it, in a cache.

use std::collections::{BTreeSet, HashMap, HashSet};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Instant;

use sha2::{Digest as _, Sha256};

use super::windows::Windows;
use crate::corpus::{Chunk, CompletionSample, chunks, code_folder, definitions};
use crate::engine::dataset::encode;
use crate::engine::loaded::LoadedModels;
use crate::engine::{EngineError, IndexCounts};
use crate::experiment::{Experiment, Retrieval, RetrievalUnit, RetrieverKind};
use crate::models::ModelError;
use crate::models::catalogue::Store;
use crate::models::digest::hexadecimal;
use crate::prompt::PromptBuilder;
use crate::retrieval::{ChunkIndex, Dense, Retrieved, Retriever, query_text, retriever};

/// The chunks of a repository and what ranks them.
pub(super) struct CodeIndex {
    cutting: String,
    settings: Retrieval,
    windows: Windows,
    chunks: Vec<Chunk>,
    /// The names that are ranked and encoded in place of chunks, where the run ranks names.
    names: Option<BTreeSet<String>>,
    ranking: Ranking,
}

enum Ranking {
    Words(Box<dyn Retriever>),
    /// Made when every chunk has been encoded.
    Vectors(Option<Dense>),
}

impl CodeIndex {
    /// Reads a repository; of files that are as they were when it was last indexed, under this way of cutting, the chunks are known.
    /// `earlier` is given back as it was when nothing has changed since.
    pub fn read(
        folder: &Path,
        experiment: &Experiment,
        (models, store): (&LoadedModels, &Store),
        earlier: Option<Self>,
        counts: &mut IndexCounts,
        goes_on: &mut dyn FnMut(String, &IndexCounts) -> bool,
    ) -> Result<Self, EngineError> {
        let prompts = models.prompts(experiment)?;
        let mut settings = experiment.retrieval.clone();
        let cutting = format!(
            "{} lines, {} tokens of {}",
            settings.chunk_lines,
            settings.chunk_tokens,
            store.sha256(&experiment.reader.model)?
        );
        let start = Instant::now();
        if !goes_on("reading files".into(), counts) {
            return Err(EngineError::Cancelled);
        }
        let code = code_folder(folder)?;
        counts.left_out = code.left_out.len();
        let reads_python = matches!(settings.retriever, RetrieverKind::Definitions | RetrieverKind::Hybrid);
        if reads_python && !code.is_python {
            settings.retriever = RetrieverKind::Bm25;
            settings.unit = RetrievalUnit::Chunk;
        }
        counts.retriever = settings.retriever;
        let repository = code.into_repository();
        counts.files = repository.files.len();
        let place = place_of(folder, &cutting, store);
        let known = Windows::load(&place, &cutting);
        let mut told = counts.clone();
        let windows = Windows::cut(
            &repository.files,
            (&cutting, settings.chunk_lines),
            known.as_ref(),
            &prompts,
            counts,
            &mut |done, total| {
                told.files = repository.files.len();
                goes_on(format!("cutting changed files, {done} of {total}"), &told)
            },
        )?;
        if known.as_ref() != Some(&windows) {
            windows.save(&place)?;
        }
        counts.seconds_reading = start.elapsed().as_secs_f64();
        let same = |one: &Self| one.cutting == cutting && one.settings == settings && one.windows == windows;
        if let Some(earlier) = earlier.filter(same) {
            counts.chunks = earlier.chunks.len();
            return Ok(earlier);
        }
        let chunks = chunks(&repository, settings.chunk_lines);
        counts.chunks = chunks.len();
        if !goes_on("making the ranking".into(), counts) {
            return Err(EngineError::Cancelled);
        }
        let start = Instant::now();
        let defined = || definitions(&repository).into_iter().map(|one| one.name).collect();
        let names = (settings.unit == RetrievalUnit::Name).then(defined);
        let ranking = match settings.retriever.needs_encoder() {
            true => Ranking::Vectors(None),
            false => Ranking::Words(retriever(&settings, &repository, HashMap::new())),
        };
        counts.seconds_ranking = start.elapsed().as_secs_f64();
        Ok(Self {
            cutting,
            settings,
            windows,
            chunks,
            names,
            ranking,
        })
    }

    /// The different texts that are encoded, in the order of the chunks.
    pub fn texts(&self, prompts: &PromptBuilder<'_>) -> Result<Vec<String>, ModelError> {
        if let Some(names) = &self.names {
            return Ok(names.iter().cloned().collect());
        }
        let mut seen = HashSet::new();
        let mut texts = Vec::with_capacity(self.chunks.len());
        for chunk in &self.chunks {
            let text = self.windows.clipped(chunk, prompts)?;
            // A ranking by vectors compares whole chunks, as in training.
            let whole = matches!(self.ranking, Ranking::Vectors(_)).then(|| chunk.text.clone());
            for text in [Some(text), whole].into_iter().flatten() {
                if seen.insert(text.clone()) {
                    texts.push(text);
                }
            }
        }
        Ok(texts)
    }

    /// Makes what ranks chunks by their vectors, if that is what ranks them.
    pub fn rank_vectors(&mut self, repository: &Path, models: &LoadedModels) -> Result<(), EngineError> {
        let Ranking::Vectors(dense @ None) = &mut self.ranking else {
            return Ok(());
        };
        let index = Arc::new(ChunkIndex::new(
            &code_folder(repository)?.into_repository(),
            self.settings.chunk_lines,
        ));
        let texts = Dense::texts(&index, &[], self.settings.query_lines);
        let texts: Vec<&str> = texts.iter().map(String::as_str).collect();
        let vectors = encode(&texts, models, &mut |_, _, _, _| true)?;
        *dense = Some(Dense::over(index, vectors, self.settings.query_lines));
        Ok(())
    }

    /// The best chunks for a sample, whole.
    pub fn retrieve(&self, sample: &CompletionSample, models: &LoadedModels) -> Result<Vec<Retrieved>, EngineError> {
        let k = self.settings.k;
        match &self.ranking {
            Ranking::Words(retriever) => Ok(retriever.retrieve(sample, k)),
            Ranking::Vectors(None) => Err(EngineError::NotIndexed),
            Ranking::Vectors(Some(dense)) => {
                let query = query_text(sample, self.settings.query_lines);
                let vector = encode(&[&query], models, &mut |_, _, _, _| true)?.remove(&query);
                let mut nearest = dense.nearest(sample, &vector.unwrap_or_default(), k);
                nearest.retain(|one| one.score >= self.settings.least_score);
                Ok(nearest)
            }
        }
    }

    /// The same chunks, clipped to their budget without tokenising them.
    pub fn clip(&self, retrieved: Vec<Retrieved>, prompts: &PromptBuilder<'_>) -> Result<Vec<Retrieved>, ModelError> {
        let clip = |mut one: Retrieved| {
            one.chunk.text = self.windows.clipped(&one.chunk, prompts)?;
            Ok(one)
        };
        retrieved.into_iter().map(clip).collect()
    }
}

/// Where the windows of a folder are kept.
fn place_of(folder: &Path, cutting: &str, store: &Store) -> PathBuf {
    let folder = folder.canonicalize().unwrap_or_else(|_| folder.to_owned());
    let hash = Sha256::new_with_prefix(folder.as_os_str().as_encoded_bytes()).chain_update(cutting);
    let name: String = hexadecimal(hash).chars().take(16).collect();
    store.root().join("indexes").join(format!("{name}.windows"))
}
