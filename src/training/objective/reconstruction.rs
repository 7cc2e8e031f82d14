//! Reconstruction: from the soft tokens of one chunk alone the reader is to spell the chunk's rarest names, so that soft tokens
//! become legible whatever the completion (science2.md 2).

use std::collections::{HashMap, HashSet};

use crate::retrieval::word_sequence;

/// Names to spell.
const NAMES: usize = 4;

/// Shorter words are seldom names of the repository.
const SHORTEST: usize = 4;

/// Longer names would fill the reader's target alone.
const LONGEST: usize = 32;

/// In how many chunks each word occurs.
pub struct NameTable<'a> {
    chunks: HashMap<&'a str, usize>,
}

impl<'a> NameTable<'a> {
    /// Counts the words of the texts, each text once.
    pub fn of(texts: impl Iterator<Item = &'a str>) -> Self {
        let mut chunks = HashMap::new();
        for text in texts.collect::<HashSet<_>>() {
            for name in names(text) {
                *chunks.entry(name).or_default() += 1;
            }
        }
        Self { chunks }
    }

    /// The names of a text that the fewest chunks have, at most four, in the order in which they stand there, as the reader is
    /// to write them: ` one, two, three, four` and a line break. None when the text has no name.
    pub fn spelled(&self, text: &str) -> Option<String> {
        let mut rarest: Vec<(usize, &str)> = names(text).into_iter().enumerate().collect();
        rarest.sort_by_key(|(_, name)| self.chunks.get(name).copied().unwrap_or(0));
        rarest.truncate(NAMES);
        rarest.sort_unstable();
        let names: Vec<&str> = rarest.into_iter().map(|(_, name)| name).collect();
        (!names.is_empty()).then(|| format!(" {}\n", names.join(", ")))
    }
}

/// The distinct names of a text, in order.
fn names(text: &str) -> Vec<&str> {
    let mut seen = HashSet::new();
    word_sequence(text)
        .filter(|word| {
            let length = word.chars().count();
            (SHORTEST..=LONGEST).contains(&length)
                && !word.starts_with(|first: char| first.is_numeric())
                && seen.insert(*word)
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_rarest_names_are_spelled_in_their_order() {
        let chunk = "def load_market(self, path):\n    return MarketTable(path, 2048, 1e99).rows()";
        let other = "def rows(self):\n    return self.path, rows, self";
        let table = NameTable::of([chunk, other, other].into_iter());
        assert_eq!(
            table.spelled(chunk).as_deref(),
            Some(" load_market, self, path, MarketTable\n")
        );
        assert_eq!(table.spelled(other).as_deref(), Some(" rows, self, return, path\n"));
        assert_eq!(table.spelled("a = 1\n"), None);
    }
}
