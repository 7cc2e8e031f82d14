//! The names of the training repositories, for soft tokens to learn to spell.

use std::collections::BTreeSet;

use rand::SeedableRng;
use rand::seq::SliceRandom;
use rand_chacha::ChaCha8Rng;

use super::EngineError;
use super::candidates::repositories;
use super::dataset::OnProgress;
use super::loaded::LoadedModels;
use crate::corpus::Split;
use crate::experiment::Experiment;
use crate::models::catalogue::Store;
use crate::retrieval::names;

/// Reader tokens of a name, at most: one soft token cannot hold a sentence.
const LONGEST: usize = 8;

/// At most `data.spelled_names` names, drawn from those of all training repositories.
///
/// Every repository gives each of its names once, so that a name of many repositories is drawn more often: such names are short and
/// common, and every second name that a completion needs is like that.
pub(super) fn spelled_names(
    experiment: &Experiment,
    models: &LoadedModels,
    store: &Store,
    progress: OnProgress<'_>,
) -> Result<Vec<String>, EngineError> {
    let wanted = experiment.data.spelled_names;
    if wanted == 0 {
        return Ok(Vec::new());
    }
    let repositories = repositories(experiment, store, &[Split::Train])?;
    let total = repositories.len();
    let mut found: Vec<String> = Vec::new();
    for (done, (_, load)) in repositories.into_iter().enumerate() {
        if !progress("reading names", done, total, "repositories") {
            return Err(EngineError::Cancelled);
        }
        let repository = load()?;
        let of_repository: BTreeSet<&str> = repository.files.iter().flat_map(|file| names(&file.text)).collect();
        found.extend(of_repository.into_iter().map(str::to_owned));
    }
    found.shuffle(&mut ChaCha8Rng::seed_from_u64(experiment.data.seed));
    let mut chosen = Vec::with_capacity(wanted.min(found.len()));
    for name in found {
        if chosen.len() == wanted {
            break;
        }
        if models.tokenizer.ids(&format!(" {name}"))?.len() <= LONGEST {
            chosen.push(name);
        }
    }
    Ok(chosen)
}
