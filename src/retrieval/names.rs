//! The names in a text, and the rarest of them: what tells a chunk from the others.

use std::collections::HashSet;

use super::word_sequence;

/// Names that stand for a text.
const RAREST: usize = 4;

/// Shorter words are seldom names of the repository.
const SHORTEST: usize = 4;

/// Longer names would fill the reader's target alone.
const LONGEST: usize = 32;

/// The distinct names of a text, in order.
pub fn names(text: &str) -> Vec<&str> {
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

/// The names of a text that are least common, at most four, in the order in which they stand there. Of names that are equally
/// common, the first ones are taken.
pub fn rarest_names(text: &str, commonness: impl Fn(&str) -> f64) -> Vec<&str> {
    let names = names(text).into_iter().enumerate();
    let mut rarest: Vec<(usize, &str, f64)> = names.map(|(at, name)| (at, name, commonness(name))).collect();
    rarest.sort_by(|a, b| a.2.total_cmp(&b.2));
    rarest.truncate(RAREST);
    rarest.sort_by_key(|(at, ..)| *at);
    rarest.into_iter().map(|(_, name, _)| name).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_words_that_could_be_identifiers() {
        let long = "x".repeat(33);
        let text = format!("load_market(a, path, 2048, 1e99, path, {long}) # été");
        assert_eq!(names(&text), ["load_market", "path"]);
    }

    #[test]
    fn the_rarest_names_keep_their_order() {
        let text = "seven six_ five four three";
        let length = |name: &str| name.len() as f64;
        assert_eq!(
            rarest_names(text, |name| -length(name)),
            ["seven", "six_", "five", "three"]
        );
        assert_eq!(rarest_names(text, |_| 1.0), ["seven", "six_", "five", "four"]);
        assert_eq!(rarest_names("a = 1", length), Vec::<&str>::new());
    }
}
