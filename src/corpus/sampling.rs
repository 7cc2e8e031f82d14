//! Draws completion samples that need another file: the cursor stands right before a name that is defined there.

use std::collections::{HashMap, HashSet};

use rand::SeedableRng as _;
use rand::seq::SliceRandom as _;
use rand_chacha::ChaCha8Rng;

use super::definition::definitions;
use super::imports::{imports, module_roots};
use super::python::{Name, scan};
use super::split::digest;
use super::{CompletionSample, Repository, SourceFile};

/// A name that is defined in more places says little about which one is meant.
const MAX_PLACES: usize = 3;

/// Samples of one file share their left context; a few are enough.
const PER_FILE: usize = 3;

/// A class that every file uses would otherwise be the answer to most samples of a large draw.
const PER_NAME: usize = 10;

/// Longer targets are data or strings, in characters.
const MAX_TARGET: usize = 120;

/// Methods of Python's built-in types: behind a dot they seldom mean the repository's own definition.
const BUILT_IN_METHODS: &str = "append capitalize casefold center clear close closed count decode difference discard \
    encode encoding endswith errors expandtabs extend fileno flush format format_map from_bytes fromhex fromkeys \
    getvalue index insert intersection is_integer isalnum isalpha isascii isatty isdecimal isdigit isdisjoint \
    isidentifier islower isnumeric isprintable isspace issubset issuperset istitle isupper items ljust lower lstrip \
    maketrans partition popitem readable readline readlines remove removeprefix removesuffix replace reverse rfind \
    rindex rjust rpartition rsplit rstrip seekable setdefault split splitlines startswith strip swapcase throw title \
    to_bytes translate truncate union update upper values with_traceback writable write writelines zfill";

/// How many samples are drawn, and which.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SampleSettings {
    /// At most this many from a repository.
    pub per_repository: usize,
    /// Seed of the choice; with the repository's name it decides which samples are drawn.
    pub seed: u64,
}

/// Draws samples of a repository: at most one from a line, three from a file and ten of a name.
///
/// They come in the order in which they were drawn, every file once before any file again, so that the first few are
/// a fair choice too. The identifier has at least five characters and is defined in one to three places, all of them in
/// other files. A bare name must be imported from the repository; an attribute must have one definition, must not hang
/// on a module of another project, and must not be a method of a built-in type. Imports, comments, strings, names of
/// arguments, assigned names and lines with a comment are left out.
pub fn samples(repository: &Repository, settings: &SampleSettings) -> Vec<CompletionSample> {
    let defined = definitions(repository);
    let mut places: HashMap<&str, Vec<&str>> = HashMap::new();
    for definition in &defined {
        let paths = places.entry(&definition.name).or_default();
        paths.push(&definition.path);
    }
    let catalogue = Catalogue {
        places,
        roots: module_roots(repository),
        built_in: BUILT_IN_METHODS.split_whitespace().collect(),
    };

    let mut random = ChaCha8Rng::from_seed(digest(&repository.name, settings.seed));
    let mut drawn: Vec<(usize, &SourceFile, Name<'_>)> = Vec::new();
    for file in &repository.files {
        let mut names = catalogue.cross_file_names(file);
        names.shuffle(&mut random);
        let mut lines = HashSet::new();
        names.retain(|name| lines.insert(name.line));
        let chosen = names.into_iter().take(PER_FILE).enumerate();
        drawn.extend(chosen.map(|(round, name)| (round, file, name)));
    }
    drawn.shuffle(&mut random);
    drawn.sort_by_key(|(round, ..)| *round);

    let mut of_name: HashMap<&str, usize> = HashMap::new();
    drawn.retain(|(.., name)| {
        let count = of_name.entry(name.text).or_default();
        *count += 1;
        *count <= PER_NAME
    });
    drawn
        .into_iter()
        .take(settings.per_repository)
        .map(|(_, file, name)| CompletionSample::at_cursor(&repository.name, file, name.start, Some(name.text)))
        .collect()
}

/// What the names of a repository can mean.
struct Catalogue<'a> {
    /// The files that define a name, once for each definition.
    places: HashMap<&'a str, Vec<&'a str>>,
    /// First parts of the repository's own module names.
    roots: HashSet<&'a str>,
    /// Methods of built-in types.
    built_in: HashSet<&'a str>,
}

impl Catalogue<'_> {
    /// The names of a file that a cursor may stand before.
    fn cross_file_names<'f>(&self, file: &'f SourceFile) -> Vec<Name<'f>> {
        let found = scan(&file.text);
        let imported = imports(&file.text, &found.names, &self.roots);
        let mut chosen = Vec::new();
        // The name that a chain of attributes hangs on: `a` for `b` and `c` in `a.b.c`.
        let mut base = "";
        let mut end = 0;
        for name in &found.names {
            let attribute = file.text.split_at(name.start).0.ends_with('.');
            if !attribute || name.start != end + 1 {
                base = if attribute { "" } else { name.text };
            }
            end = name.start + name.text.len();

            let is_meant = if attribute {
                self.definitions_elsewhere(name, file) == 1
                    && !imported.foreign.contains(base)
                    && !self.built_in.contains(name.text)
            } else {
                (1..=MAX_PLACES).contains(&self.definitions_elsewhere(name, file)) && imported.own.contains(name.text)
            };
            if is_meant
                && !name.import
                && found.comment_lines.binary_search(&name.line).is_err()
                && is_completable(&file.text, name, attribute)
            {
                chosen.push(*name);
            }
        }
        chosen
    }

    /// In how many places of other files a name is defined; 0 when the file defines it too.
    fn definitions_elsewhere(&self, name: &Name<'_>, file: &SourceFile) -> usize {
        match self.places.get(name.text) {
            Some(paths) if !paths.contains(&file.path.as_str()) => paths.len(),
            _ => 0,
        }
    }
}

/// Something stands before the name on its line, what stands behind it is not too long, and nothing is assigned to it.
fn is_completable(text: &str, name: &Name<'_>, attribute: bool) -> bool {
    let (before, behind) = text.split_at(name.start);
    let prefix = before.rsplit('\n').next().unwrap_or_default();
    let target = behind.lines().next().unwrap_or_default().trim_end();
    let mut rest = target.trim_start_matches(name.text);
    if attribute {
        // With blanks before the sign, a bare name is the type of an argument that has a default.
        rest = rest.trim_start();
    }
    let assigned = rest.starts_with('=') && !rest.starts_with("==");
    !prefix.trim().is_empty() && target.chars().count() <= MAX_TARGET && !assigned
}
