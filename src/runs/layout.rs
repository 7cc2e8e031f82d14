//! Names of the files in a run folder.

use std::ffi::OsStr;
use std::fs;
use std::path::{Path, PathBuf};

use crate::corpus::Split;

pub(super) const EXPERIMENT: &str = "experiment.toml";
pub(super) const MANIFEST: &str = "manifest.json";
pub(super) const SCALARS: &str = "scalars.jsonl";
pub(super) const EVENTS: &str = "events.jsonl";
/// Held locked by the process that writes the run; the system lets go of it when that process ends, however it ends.
pub(super) const LIVE: &str = "live";
pub(super) const PROBES: &str = "probes";
pub(super) const EVALUATIONS: &str = "evaluations";
pub(super) const CHECKPOINTS: &str = "checkpoints";
/// Votes of blind reviews.
const REVIEWS: &str = "reviews.jsonl";
/// The constant soft prompt, once it is trained.
pub(super) const SOFT_PROMPT: &str = "soft_prompt.safetensors";
/// What lay behind the step of the n-th roll-back is in `abandoned/n`, laid out as in the run folder.
pub(super) const ABANDONED: &str = "abandoned";
/// Folder of deleted runs, inside the runs folder.
pub(super) const TRASH: &str = ".trash";
/// Folder of sweeps, inside the runs folder.
pub(super) const SWEEPS: &str = "sweeps";

pub(super) fn probe(folder: &Path, step: usize) -> PathBuf {
    folder.join(PROBES).join(format!("step-{step}.safetensors"))
}

pub(super) fn probe_chunks(folder: &Path) -> PathBuf {
    folder.join(PROBES).join("chunks.json")
}

/// A sample of the reader's token embeddings.
pub(super) fn probe_tokens(folder: &Path) -> PathBuf {
    folder.join(PROBES).join("tokens.safetensors")
}

/// Numbers of probes that were looked at.
pub(super) fn probe_instruments(folder: &Path) -> PathBuf {
    folder.join(PROBES).join("instruments.jsonl")
}

pub(super) fn checkpoint(folder: &Path, step: usize) -> PathBuf {
    folder.join(CHECKPOINTS).join(format!("step-{step}.safetensors"))
}

pub(super) fn samples(folder: &Path) -> PathBuf {
    folder.join(EVALUATIONS).join("samples.jsonl")
}

pub(super) fn reviews(folder: &Path) -> PathBuf {
    folder.join(REVIEWS)
}

/// Summary (`extension` `json`), completions (`jsonl`), or the completions so far (`part`) of one evaluation.
///
/// Validation, the split that is looked at all the time, has the plain name; the others carry theirs.
pub(super) fn evaluation(folder: &Path, step: usize, split: Split, extension: &str) -> PathBuf {
    let suffix = match split {
        Split::Validation => "",
        Split::Test => "-test",
        Split::Train => "-train",
    };
    folder
        .join(EVALUATIONS)
        .join(format!("step-{step}{suffix}.{extension}"))
}

/// The step in `step-N` with anything behind it; none for any other name.
pub(super) fn step_of(name: &OsStr) -> Option<usize> {
    let rest = name.to_str()?.strip_prefix("step-")?;
    let end = rest.find(|c: char| !c.is_ascii_digit()).unwrap_or(rest.len());
    rest.get(..end)?.parse().ok()
}

/// Whether the name is that of a file whose writing was broken off.
pub(super) fn is_temporary(name: &OsStr) -> bool {
    name.to_str().is_some_and(|name| name.starts_with('.'))
}

/// The step in `step-N.safetensors`; none for any other name, half-written files included.
fn tensor_step(name: &OsStr) -> Option<usize> {
    name.to_str()?
        .strip_prefix("step-")?
        .strip_suffix(".safetensors")?
        .parse()
        .ok()
}

/// Whether the name is that of an evaluation's summary.
pub(super) fn is_summary(name: &OsStr) -> bool {
    name.to_str()
        .is_some_and(|name| name.starts_with("step-") && name.ends_with(".json"))
}

/// The steps that have a tensor file in a folder, ascending.
pub(super) fn tensor_steps(folder: &Path) -> Vec<usize> {
    let names = entries(folder).map(|entry| entry.file_name());
    let mut steps: Vec<usize> = names.filter_map(|name| tensor_step(&name)).collect();
    steps.sort_unstable();
    steps
}

/// What lies in a folder; nothing when there is none.
pub(super) fn entries(folder: &Path) -> impl Iterator<Item = fs::DirEntry> + use<> {
    fs::read_dir(folder).into_iter().flatten().flatten()
}
