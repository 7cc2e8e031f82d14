//! Draws completion samples that need another file: the cursor stands right before a name that is defined there.

use std::collections::{HashMap, HashSet};

use rand::SeedableRng as _;
use rand::seq::SliceRandom as _;
use rand_chacha::ChaCha8Rng;

use super::definition::definitions;
use super::python::{Name, scan};
use super::split::digest;
use super::{CompletionSample, Repository, SourceFile};

/// A name that is defined in more places says little about which one is meant.
const MAX_PLACES: usize = 3;

/// Samples of one file share their left context; a few are enough.
const PER_FILE: usize = 3;

/// Longer targets are data or strings, in characters.
const MAX_TARGET: usize = 120;

/// How many samples are drawn, and which.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SampleSettings {
    /// At most this many from a repository.
    pub per_repository: usize,
    /// Seed of the choice; with the repository's name it decides which samples are drawn.
    pub seed: u64,
}

/// Draws samples of a repository: at most one from a line and three from a file, spread over its files.
///
/// They come in the order in which they were drawn, every file once before any file again, so that the first few are
/// a fair choice too. The identifier has at least five characters and is defined in one to three places, all of them in
/// other files: a bare name must be imported by the file, an attribute must have one definition. Imports, comments,
/// strings, argument names and lines with a comment are left out.
pub fn samples(repository: &Repository, settings: &SampleSettings) -> Vec<CompletionSample> {
    let defined = definitions(repository);
    let mut places: HashMap<&str, Vec<&str>> = HashMap::new();
    for definition in &defined {
        places.entry(&definition.name).or_default().push(&definition.path);
    }

    let mut random = ChaCha8Rng::from_seed(digest(&repository.name, settings.seed));
    let mut drawn: Vec<(usize, &SourceFile, Name<'_>)> = Vec::new();
    for file in &repository.files {
        let mut names = cross_file_names(file, &places);
        names.shuffle(&mut random);
        let mut lines = HashSet::new();
        names.retain(|name| lines.insert(name.line));
        let chosen = names.into_iter().take(PER_FILE).enumerate();
        drawn.extend(chosen.map(|(round, name)| (round, file, name)));
    }
    drawn.shuffle(&mut random);
    drawn.sort_by_key(|(round, ..)| *round);
    drawn
        .into_iter()
        .take(settings.per_repository)
        .map(|(_, file, name)| CompletionSample::at_cursor(&repository.name, file, name.start, Some(name.text)))
        .collect()
}

/// The names of a file that a cursor may stand before.
fn cross_file_names<'a>(file: &'a SourceFile, places: &HashMap<&str, Vec<&str>>) -> Vec<Name<'a>> {
    let found = scan(&file.text);
    let imported: HashSet<&str> = found
        .names
        .iter()
        .filter(|name| name.import)
        .map(|name| name.text)
        .collect();
    let defined_elsewhere = |name: &Name<'_>| {
        places
            .get(name.text)
            .filter(|paths| paths.len() <= MAX_PLACES && paths.iter().all(|path| *path != file.path))
    };
    let is_meant = |name: &Name<'_>| {
        let (before, _) = file.text.split_at(name.start);
        defined_elsewhere(name).is_some_and(|paths| {
            if before.ends_with('.') {
                paths.len() == 1
            } else {
                imported.contains(name.text)
            }
        })
    };
    found
        .names
        .iter()
        .filter(|name| !name.import && found.comment_lines.binary_search(&name.line).is_err())
        .filter(|name| is_meant(name) && is_completable(&file.text, name))
        .copied()
        .collect()
}

/// Something stands before the name on its line, and what stands behind it is not too long.
fn is_completable(text: &str, name: &Name<'_>) -> bool {
    let (before, behind) = text.split_at(name.start);
    let prefix = before.rsplit('\n').next().unwrap_or_default();
    let target = behind.lines().next().unwrap_or_default().trim_end();
    let rest = target.trim_start_matches(name.text);
    let is_argument_name = rest.starts_with('=') && !rest.starts_with("==");
    !prefix.trim().is_empty() && target.chars().count() <= MAX_TARGET && !is_argument_name
}
