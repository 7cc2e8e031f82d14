//! Texts as sets of words (method.md A6).

use std::collections::HashSet;

/// The distinct words of a text: runs of letters, digits and underscores, what `\w+` matches.
pub fn words(text: &str) -> HashSet<&str> {
    word_sequence(text).collect()
}

/// The words of a text as they follow each other.
pub fn word_sequence(text: &str) -> impl Iterator<Item = &str> {
    text.split(|c: char| !c.is_alphanumeric() && c != '_')
        .filter(|word| !word.is_empty())
}

/// `|A∩B| / |A∪B|` of the word sets of two texts, 0 to 1; 0 when neither has a word.
pub fn jaccard_similarity(a: &str, b: &str) -> f64 {
    let (a, b) = (words(a), words(b));
    ratio(a.intersection(&b).count(), a.len(), b.len())
}

/// Jaccard similarity from the size of the intersection and of the two sets.
pub(super) fn ratio(common: usize, a: usize, b: usize) -> f64 {
    let union = a + b - common;
    if union == 0 {
        return 0.0;
    }
    common as f64 / union as f64
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_word_is_letters_digits_and_underscores_of_any_script() {
        assert_eq!(
            words("self._naïve2(x.y, 数)+x"),
            HashSet::from(["self", "_naïve2", "x", "y", "数"])
        );
    }

    #[test]
    fn texts_without_words_have_nothing_in_common() {
        assert_eq!(jaccard_similarity("", " ().\n"), 0.0);
        assert_eq!(jaccard_similarity("a b", "b c"), 1.0 / 3.0);
    }
}
