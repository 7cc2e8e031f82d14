//! Habits of a repository: which of its names follow which words, and how often.

use std::collections::HashMap;
use std::hash::{DefaultHasher, Hash as _, Hasher as _};

use crate::corpus::Repository;
use crate::corpus::python::{Name, scan};

/// Longer stretches between two names are strings or tables, and no habit.
const LONGEST_GAP: usize = 12;

/// One name after one context in one file.
type Occurrence = (u64, u32, u32);

/// What was written before a position: hashes of the last name and the signs behind it, and of the last two.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Context {
    /// The last name and what stands between it and the position.
    pub(super) short: u64,
    /// The name before that as well.
    pub(super) long: u64,
}

/// The index: contexts with the names behind them.
#[derive(Debug, Default)]
pub(super) struct Habits {
    /// Sorted by context, name and file; a context is a [`Context::short`] or [`Context::long`].
    occurrences: Vec<Occurrence>,
}

impl Habits {
    /// Reads all files of a repository, looking for the names that are in `numbers`.
    pub(super) fn new(repository: &Repository, numbers: &HashMap<String, u32>) -> Self {
        let mut found = Self {
            occurrences: Vec::new(),
        };
        for (source, file) in repository.files.iter().zip(0_u32..) {
            let names = scan(&source.text).names;
            for (index, name) in names.iter().enumerate() {
                let Some(&number) = numbers.get(name.text).filter(|_| !name.import) else {
                    continue;
                };
                let context = context(&source.text, &names, index, name.start);
                found.occurrences.push((context.short, number, file));
                found.occurrences.push((context.long, number, file));
            }
        }
        found.occurrences.sort_unstable();
        found
    }

    /// The names that follow a context in other files than `own`, with their counts.
    pub(super) fn followers(&self, context: u64, own: usize) -> HashMap<u32, f64> {
        let start = self.occurrences.partition_point(|one| one.0 < context);
        let mut counts = HashMap::new();
        let of_context = self.occurrences.iter().skip(start).take_while(|one| one.0 == context);
        for (_, name, file) in of_context {
            if *file as usize != own {
                *counts.entry(*name).or_default() += 1.0;
            }
        }
        counts
    }
}

/// What stands before byte `start` of a text, whose names before it are the first `index` of `names`.
pub(super) fn context(text: &str, names: &[Name<'_>], index: usize, start: usize) -> Context {
    let mut hash = DefaultHasher::new();
    let mut end = start;
    let mut before = names.iter().take(index).rev();
    let mut add = |hash: &mut DefaultHasher| {
        let last = before.next();
        let from = last.map_or(0, |name| name.start + name.text.len());
        gap(text, from, end).hash(hash);
        last.map(|name| name.text).hash(hash);
        end = last.map_or(0, |name| name.start);
    };
    add(&mut hash);
    let short = hash.finish();
    add(&mut hash);
    Context {
        short,
        long: hash.finish(),
    }
}

/// A dot stands right before byte `start`.
pub(super) fn is_attribute(text: &str, start: usize) -> bool {
    text.get(..start).is_some_and(|before| before.trim_end().ends_with('.'))
}

/// The signs between two names, without white space.
fn gap(text: &str, from: usize, to: usize) -> String {
    let signs = text.get(from..to).unwrap_or("?").chars().filter(|c| !c.is_whitespace());
    signs.take(LONGEST_GAP).collect()
}
