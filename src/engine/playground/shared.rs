//! What is held between two completions: the index, the projector, and where the soft tokens of chunks lie.

use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::time::Instant;

use sha2::{Digest as _, Sha256};

use super::index::CodeIndex;
use crate::engine::evaluation_job::load_projector;
use crate::engine::loaded::LoadedModels;
use crate::engine::training_job::project;
use crate::engine::{EngineError, IndexCounts, IndexNews, IndexPhase, IndexRequest, NearestToken};
use crate::experiment::Experiment;
use crate::models::ModelError;
use crate::models::catalogue::Store;
use crate::models::digest::hexadecimal;
use crate::models::encoder::VectorCache;
use crate::projector::Projector;

/// Texts encoded between two looks at what else is asked for: about a second.
const BLOCK: usize = 32;

/// Checkpoints whose soft tokens are kept on disk; those used longest ago go first.
const CHECKPOINTS: usize = 8;

/// An open repository.
pub(in crate::engine) struct Playground {
    pub of: IndexRequest,
    pub experiment: Experiment,
    pub counts: IndexCounts,
    /// The newest checkpoint's projector and its step; none for a run in training here.
    pub(super) projector: Option<(Projector, usize)>,
    /// Soft tokens of that checkpoint by text.
    pub(super) soft: Option<VectorCache>,
    pub(super) index: CodeIndex,
    /// Texts whose soft tokens are missing, the longest last.
    missing: Vec<String>,
    /// A person wants them made.
    filling: bool,
    /// What the soft tokens of a text say, once it was asked.
    pub(super) said: HashMap<String, Vec<Vec<NearestToken>>>,
}

impl Playground {
    /// Reads a repository, taking over what `earlier` knows. `live` says that the run is in training here: its projector changes
    /// with every step, so that no soft tokens are kept.
    pub fn open(
        of: &IndexRequest,
        (experiment, live): (&Experiment, bool),
        (models, store): (&LoadedModels, &Store),
        earlier: Option<Self>,
        tell: &mut dyn FnMut(IndexNews) -> bool,
    ) -> Result<Self, EngineError> {
        let mut counts = IndexCounts::default();
        let mut goes_on = |what: String, counts: &IndexCounts| {
            tell(IndexNews {
                of: of.clone(),
                phase: IndexPhase::Reading(what),
                counts: counts.clone(),
            })
        };
        let index = CodeIndex::read(
            &of.repository,
            experiment,
            (models, store),
            earlier.map(|earlier| earlier.index),
            &mut counts,
            &mut goes_on,
        )?;
        let start = Instant::now();
        let (projector, soft) = match live {
            true => (None, None),
            false => {
                let (projector, step) = load_projector(&of.run, experiment, None, models)?;
                let soft = soft_tokens_of(&projector, models, store)?;
                (Some((projector, step)), Some(soft))
            }
        };
        let mut texts = index.texts(&models.prompts(experiment)?)?;
        counts.texts = texts.len();
        let vectors = models.vectors.borrow();
        let here = soft.as_ref().unwrap_or(&*vectors);
        texts.retain(|text| !here.holds(text));
        texts.sort_by_key(String::len);
        drop(vectors);
        counts.missing = texts.len();
        counts.seconds_comparing = start.elapsed().as_secs_f64();
        Ok(Self {
            of: of.clone(),
            experiment: experiment.clone(),
            counts,
            projector,
            soft,
            index,
            missing: texts,
            filling: false,
            said: HashMap::new(),
        })
    }

    /// Whether it was opened for a run in training here, so that it has no projector of its own.
    pub fn is_live(&self) -> bool {
        self.projector.is_none()
    }

    /// Whether there are soft tokens to be made.
    pub fn is_filling(&self) -> bool {
        self.filling
    }

    /// Begins to make what is missing, or ends it.
    pub fn fill(&mut self, filling: bool) -> IndexNews {
        self.filling = filling;
        self.news(if filling {
            IndexPhase::Filling
        } else {
            IndexPhase::Stopped
        })
    }

    /// Makes the soft tokens of a few texts; they are on disk when this returns.
    pub fn advance(&mut self, models: &LoadedModels) -> Result<IndexNews, EngineError> {
        let start = Instant::now();
        let texts = self.missing.split_off(self.missing.len().saturating_sub(BLOCK));
        let texts: Vec<&str> = texts.iter().rev().map(String::as_str).collect();
        let known = |text: &&&str| models.vectors.borrow().holds(text);
        let encoded = texts.len() - texts.iter().filter(known).count();
        match self.soft {
            Some(_) => drop(self.soft_tokens(&texts, None, models)?),
            // Of a projector that moves, only what it reads is kept.
            None => {
                let mut vectors = models.vectors.borrow_mut();
                vectors.get_or_encode(models.encoder.as_ref(), &texts, &mut |_, _| true)?;
            }
        }
        self.counts.encoded += encoded;
        self.counts.done += texts.len();
        if self.missing.is_empty() {
            self.filling = false;
            self.index.rank_vectors(&self.of.repository, models)?;
        }
        self.counts.seconds_filling += start.elapsed().as_secs_f64();
        let phase = match self.filling {
            true => IndexPhase::Filling,
            false => IndexPhase::Ready,
        };
        Ok(self.news(phase))
    }

    /// The soft tokens of some texts, `[tokens per chunk, hidden]` each: by the checkpoint, through what is kept of it on disk, or by
    /// the live projector of the run in training, which changes too fast to keep anything.
    pub(super) fn soft_tokens(
        &mut self,
        texts: &[&str],
        live: Option<&Projector>,
        models: &LoadedModels,
    ) -> Result<Vec<f32>, EngineError> {
        let vectors = |texts: &[&str]| -> Result<Vec<f32>, ModelError> {
            let mut cache = models.vectors.borrow_mut();
            Ok(cache
                .get_or_encode(models.encoder.as_ref(), texts, &mut |_, _| true)?
                .concat())
        };
        if let Some(projector) = live {
            return project(projector, &vectors(texts)?, models);
        }
        let (Some((projector, _)), Some(soft)) = (&self.projector, &mut self.soft) else {
            return Err(EngineError::NoCheckpoint {
                folder: self.of.run.clone(),
                step: None,
            });
        };
        let mut make = |texts: &[&str]| -> Result<Vec<Vec<f32>>, EngineError> {
            let soft = project(projector, &vectors(texts)?, models)?;
            let width = soft.len() / texts.len().max(1);
            Ok(soft.chunks_exact(width.max(1)).map(<[f32]>::to_vec).collect())
        };
        Ok(soft.get_or_make(texts, &mut make, &mut |_, _| true)?.concat())
    }

    fn news(&self, phase: IndexPhase) -> IndexNews {
        IndexNews {
            of: self.of.clone(),
            phase,
            counts: self.counts.clone(),
        }
    }
}

/// The soft tokens that were made with these weights of these encoder vectors.
fn soft_tokens_of(projector: &Projector, models: &LoadedModels, store: &Store) -> Result<VectorCache, EngineError> {
    let mut hash = Sha256::new_with_prefix(models.encoder.fingerprint());
    for (name, tensor) in projector.tensors() {
        hash.update(name);
        for value in tensor.flatten_all()?.to_vec1::<f32>()? {
            hash.update(value.to_le_bytes());
        }
    }
    let folder = store.root().join("projected");
    let width = projector.tokens_per_chunk() * models.reader.config().hidden;
    let cache = VectorCache::open(&folder, &hexadecimal(hash), width)?;
    forget_old(&folder);
    Ok(cache)
}

/// Deletes the soft tokens of checkpoints that have not been used for longest.
fn forget_old(folder: &Path) {
    let changed = |path: &PathBuf| {
        let files = std::fs::read_dir(path).into_iter().flatten().flatten();
        files.filter_map(|file| file.metadata().ok()?.modified().ok()).max()
    };
    let all = std::fs::read_dir(folder).into_iter().flatten().flatten();
    let mut all: Vec<PathBuf> = all.map(|entry| entry.path()).collect();
    all.sort_by_cached_key(|path| std::cmp::Reverse(changed(path)));
    // Empty ones were just made; what cannot be deleted now, because another process reads it, goes another time.
    for old in all.iter().filter(|path| changed(path).is_some()).skip(CHECKPOINTS) {
        std::fs::remove_dir_all(old).ok();
    }
}
