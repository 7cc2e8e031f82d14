//! Reconstruction: from the soft tokens of one chunk alone the reader is to spell the chunk's rarest names, so that soft tokens
//! become legible whatever the completion (science2.md 2).

use std::collections::{HashMap, HashSet};

use crate::retrieval::{names, rarest_names};

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
        let names = rarest_names(text, |name| self.chunks.get(name).copied().unwrap_or(0) as f64);
        (!names.is_empty()).then(|| format!(" {}\n", names.join(", ")))
    }
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
