//! The names of the retrieved chunks as text, up to a budget of tokens (science.md 6).

use std::collections::{HashMap, HashSet};

use super::{PreparedSample, PromptBuilder};
use crate::models::ModelError;
use crate::retrieval::{word_sequence, words};

/// Shorter words are seldom names of the repository.
const SHORTEST: usize = 3;

/// Words of the language that say nothing about the repository.
const KEYWORDS: &str = "False None True and assert async await break class continue def del elif else except finally for from \
    global import lambda nonlocal not pass raise return self try while with yield";

impl PromptBuilder<'_> {
    /// `# see: one, two, three` and a line break, at most `budget` tokens: the retrieved names, best first. Where chunks are
    /// retrieved, their names that the window does not hold, the most frequent first and those of better chunks first among
    /// equals. Nothing when there is no such name.
    pub fn identifiers(&self, sample: &PreparedSample, budget: usize) -> Result<Vec<u32>, ModelError> {
        let retrieved: Vec<&str> = sample.retrieved.iter().filter_map(|one| one.name.as_deref()).collect();
        let names = if retrieved.is_empty() {
            self.names_of_chunks(sample)
        } else {
            retrieved
        };
        let (mut list, mut best) = (String::from("# see:"), Vec::new());
        for name in names {
            list.push_str(if best.is_empty() { " " } else { ", " });
            list.push_str(name);
            let ids = self.tokenizer.ids(&format!("{list}\n"))?;
            if ids.len() > budget {
                break;
            }
            best = ids;
        }
        Ok(best)
    }

    /// The names of a sample's chunks that its window does not hold.
    fn names_of_chunks<'s>(&self, sample: &'s PreparedSample) -> Vec<&'s str> {
        let window = self.window(sample);
        let known: HashSet<&str> = words(&window).into_iter().chain(KEYWORDS.split_whitespace()).collect();
        let mut counts: HashMap<&str, (usize, usize)> = HashMap::new();
        let texts = sample.retrieved.iter().map(|one| one.chunk.text.as_str());
        for word in texts.flat_map(word_sequence) {
            let name = word.chars().count() >= SHORTEST && !word.starts_with(|first: char| first.is_numeric());
            if name && !known.contains(word) {
                let place = counts.len();
                counts.entry(word).or_insert((0, place)).0 += 1;
            }
        }
        let mut names: Vec<(&str, (usize, usize))> = counts.into_iter().collect();
        names.sort_unstable_by_key(|&(_, (count, place))| (std::cmp::Reverse(count), place));
        names.into_iter().map(|(name, _)| name).collect()
    }

    /// Whether a name stands as a word among the code that the reader sees.
    pub fn is_in_window(&self, sample: &PreparedSample, name: &str) -> bool {
        words(&self.window(sample)).contains(name)
    }

    /// The text of the code that the reader sees.
    fn window(&self, sample: &PreparedSample) -> String {
        format!(
            "{}\n{}",
            self.tokenizer.text(&sample.left),
            self.tokenizer.text(&sample.right)
        )
    }
}
