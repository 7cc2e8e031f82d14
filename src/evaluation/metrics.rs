//! Exact match in three definitions, edit similarity in two, and the identifier (method.md A7).
//!
//! Papers call different things EM and ES, so each definition has its own name and all are computed. Strings are stripped of blanks
//! at both ends first, and lengths count Unicode characters.

use rapidfuzz::{distance::levenshtein, fuzz};

use super::Scores;

/// LLavaCode's code tokens: words of `[A-Za-z0-9_]`, cut where a small letter meets a capital, and every other character alone;
/// both quote signs become a backtick.
///
/// `charForChar = 'x'` gives `char`, `For`, `Char`, `=`, `` ` ``, `x`, `` ` ``.
pub fn tokenize_code(text: &str) -> Vec<String> {
    let mut tokens = Vec::new();
    let mut word = String::new();
    for character in text.chars() {
        if !is_word(character) {
            tokens.extend(take_word(&mut word));
            if !character.is_whitespace() {
                tokens.push(
                    if matches!(character, '"' | '\'') {
                        '`'
                    } else {
                        character
                    }
                    .to_string(),
                );
            }
            continue;
        }
        if character.is_ascii_uppercase() && word.ends_with(|last: char| last.is_ascii_lowercase()) {
            tokens.extend(take_word(&mut word));
        }
        word.push(character);
    }
    tokens.extend(take_word(&mut word));
    tokens
}

fn is_word(character: char) -> bool {
    character.is_ascii_alphanumeric() || character == '_'
}

fn take_word(word: &mut String) -> Option<String> {
    Some(std::mem::take(word)).filter(|word| !word.is_empty())
}

/// LLavaCode's exact match: equal code tokens, whatever the blanks and quote signs.
pub fn em_token(completion: &str, target: &str) -> bool {
    tokenize_code(completion) == tokenize_code(target)
}

/// Strict exact match: equal stripped strings.
pub fn em_strict(completion: &str, target: &str) -> bool {
    completion.trim() == target.trim()
}

/// RepoCoder's and CrossCodeEval's exact match: equal lists of stripped non-empty lines.
pub fn em_lines(completion: &str, target: &str) -> bool {
    lines(completion).eq(lines(target))
}

fn lines(text: &str) -> impl Iterator<Item = &str> {
    text.split('\n').map(str::trim).filter(|line| !line.is_empty())
}

/// RepoCoder's and LLavaCode's edit similarity, `100 (1 - Levenshtein / longer length)`; 100 when both are empty.
pub fn es_levenshtein(completion: &str, target: &str) -> f64 {
    let (completion, target) = (completion.trim(), target.trim());
    let longer = completion.chars().count().max(target.chars().count());
    if longer == 0 {
        return 100.0;
    }
    100.0 * (1.0 - levenshtein::distance(completion.chars(), target.chars()) as f64 / longer as f64)
}

/// CrossCodeEval's edit similarity, `fuzz.ratio`: `100 · 2M / (sum of lengths)`, M the longest common subsequence.
pub fn es_ratio(completion: &str, target: &str) -> f64 {
    100.0 * fuzz::ratio(completion.trim().chars(), target.trim().chars())
}

/// Whether the text, blanks in front taken off, begins with the identifier as a whole word.
pub fn identifier_match(text: &str, identifier: &str) -> bool {
    let continues = |rest: &str| rest.starts_with(|next: char| next.is_alphanumeric() || next == '_');
    !identifier.is_empty()
        && text
            .trim_start()
            .strip_prefix(identifier)
            .is_some_and(|rest| !continues(rest))
}

/// All scores of one completion; without an identifier, `identifier_match` is 0. `cross_entropy` is passed through (nats per token).
pub fn scores(completion: &str, target: &str, identifier: Option<&str>, cross_entropy: f64) -> Scores {
    let share = |holds: bool| f64::from(u8::from(holds));
    Scores {
        em_token: share(em_token(completion, target)),
        em_strict: share(em_strict(completion, target)),
        em_lines: share(em_lines(completion, target)),
        es_levenshtein: es_levenshtein(completion, target),
        es_ratio: es_ratio(completion, target),
        identifier_match: share(identifier.is_some_and(|identifier| identifier_match(completion, identifier))),
        cross_entropy,
    }
}

/// What a person needs to know about one score.
#[derive(Clone, Copy, Debug)]
pub struct ScoreInfo {
    /// Name of the field in [`Scores`], and key in the maps of a summary.
    pub key: &'static str,
    /// The name a person reads.
    pub label: &'static str,
    /// The unit, or the range of a number without one.
    pub unit: &'static str,
    /// The definition in one line.
    pub definition: &'static str,
    /// Decimals that are shown.
    pub decimals: usize,
    /// Whether more is better.
    pub higher_is_better: bool,
    /// Its value.
    pub get: fn(&Scores) -> f64,
}

/// Every score, in the order that they are shown.
pub const SCORE_INFO: &[ScoreInfo] = &[
    ScoreInfo {
        key: "em_token",
        label: "EM (tokens)",
        unit: "0 to 1",
        definition: "equal code tokens, whatever the blanks and quote signs (LLavaCode)",
        decimals: 3,
        higher_is_better: true,
        get: |scores| scores.em_token,
    },
    ScoreInfo {
        key: "em_strict",
        label: "EM (strict)",
        unit: "0 to 1",
        definition: "equal strings, blanks at the ends taken off",
        decimals: 3,
        higher_is_better: true,
        get: |scores| scores.em_strict,
    },
    ScoreInfo {
        key: "em_lines",
        label: "EM (lines)",
        unit: "0 to 1",
        definition: "equal stripped non-empty lines (RepoCoder, CrossCodeEval)",
        decimals: 3,
        higher_is_better: true,
        get: |scores| scores.em_lines,
    },
    ScoreInfo {
        key: "es_levenshtein",
        label: "ES (Levenshtein)",
        unit: "0 to 100",
        definition: "100 (1 - Levenshtein distance / longer length) (RepoCoder, LLavaCode)",
        decimals: 1,
        higher_is_better: true,
        get: |scores| scores.es_levenshtein,
    },
    ScoreInfo {
        key: "es_ratio",
        label: "ES (ratio)",
        unit: "0 to 100",
        definition: "fuzz.ratio: 200 · longest common subsequence / sum of lengths (CrossCodeEval)",
        decimals: 1,
        higher_is_better: true,
        get: |scores| scores.es_ratio,
    },
    ScoreInfo {
        key: "identifier_match",
        label: "identifier",
        unit: "0 to 1",
        definition: "the completion begins with the name that is defined in another file",
        decimals: 3,
        higher_is_better: true,
        get: |scores| scores.identifier_match,
    },
    ScoreInfo {
        key: "cross_entropy",
        label: "cross-entropy",
        unit: "nats per token",
        definition: "mean cross-entropy of the true target's tokens",
        decimals: 3,
        higher_is_better: false,
        get: |scores| scores.cross_entropy,
    },
];
