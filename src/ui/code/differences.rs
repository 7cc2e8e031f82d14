//! A completion against the true line, character by character; a piece of code against another one, word by word.

use std::ops::Range;

use egui::text::{LayoutJob, TextFormat};
use egui::{FontId, Stroke};
use similar::{Algorithm, ChangeTag};

use crate::ui::theme::{self, Theme};

/// What a stretch of text is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Change {
    /// In both lines.
    Same,
    /// In the completion only: it should not be there.
    Extra,
    /// In the true line only: it is missing.
    Missing,
}

/// Common stretches shorter than this, between differences, are chance and only make a line hard to read.
const SHORTEST: usize = 3;

/// The stretches that lead from the true line to the completion, in order; what is extra stands before what is missing.
pub fn changes<'a>(truth: &'a str, completion: &'a str) -> Vec<(Change, &'a str)> {
    let found = similar::utils::diff_chars(Algorithm::Myers, truth, completion);
    let last = found.len().saturating_sub(1);
    let mut changes = Vec::new();
    // Where the current difference begins in either line, and where the walk stands.
    let (mut truth_from, mut completion_from) = (0, 0);
    let (mut truth_at, mut completion_at) = (0, 0);
    for (place, (tag, text)) in found.into_iter().enumerate() {
        match tag {
            ChangeTag::Delete => truth_at += text.len(),
            ChangeTag::Insert => completion_at += text.len(),
            ChangeTag::Equal => {
                let by_chance = (1..last).contains(&place) && text.chars().count() < SHORTEST;
                if !by_chance {
                    push(
                        &mut changes,
                        Change::Extra,
                        completion.get(completion_from..completion_at),
                    );
                    push(&mut changes, Change::Missing, truth.get(truth_from..truth_at));
                    push(&mut changes, Change::Same, Some(text));
                }
                truth_at += text.len();
                completion_at += text.len();
                if !by_chance {
                    (truth_from, completion_from) = (truth_at, completion_at);
                }
            }
        }
    }
    push(
        &mut changes,
        Change::Extra,
        completion.get(completion_from..completion_at),
    );
    push(&mut changes, Change::Missing, truth.get(truth_from..truth_at));
    changes
}

fn push<'a>(changes: &mut Vec<(Change, &'a str)>, change: Change, text: Option<&'a str>) {
    changes.extend(text.filter(|text| !text.is_empty()).map(|text| (change, text)));
}

/// The ranges of bytes of either code that the other does not have, by names, numbers and signs; blanks do not count.
pub fn differing(one: &str, other: &str) -> [Vec<Range<usize>>; 2] {
    let (words, others) = (code_words(one), code_words(other));
    let mut ranges = [Vec::new(), Vec::new()];
    let mut at = [0, 0];
    for (tag, words) in similar::utils::diff_slices(Algorithm::Myers, &words, &others) {
        let sides: &[usize] = match tag {
            ChangeTag::Equal => &[0, 1],
            ChangeTag::Delete => &[0],
            ChangeTag::Insert => &[1],
        };
        for word in words {
            for &side in sides {
                let range = at[side]..at[side] + word.len();
                at[side] = range.end;
                if tag != ChangeTag::Equal && !word.trim().is_empty() {
                    extend(&mut ranges[side], range);
                }
            }
        }
    }
    ranges
}

/// Adds a range, joined to the last one where they touch.
fn extend(ranges: &mut Vec<Range<usize>>, range: Range<usize>) {
    match ranges.last_mut().filter(|last| last.end == range.start) {
        Some(last) => last.end = range.end,
        None => ranges.push(range),
    }
}

/// The code cut into names and numbers, runs of blanks, and single signs.
fn code_words(code: &str) -> Vec<&str> {
    let kind = |c: char| match c {
        c if c.is_alphanumeric() || c == '_' => 0,
        c if c.is_whitespace() => 1,
        _ => 2,
    };
    let mut words = Vec::new();
    let mut rest = code;
    while let Some(first) = rest.chars().next() {
        let same = |c: char| kind(first) != 2 && kind(c) == kind(first);
        let length = rest.find(|c| !same(c)).unwrap_or(rest.len()).max(first.len_utf8());
        let (word, behind) = rest.split_at(length);
        words.push(word);
        rest = behind;
    }
    words
}

/// The completion with what is extra struck out and what is missing underlined; colour repeats it.
pub fn differences_job(theme: &Theme, truth: &str, completion: &str, width: f32) -> LayoutJob {
    let mut job = LayoutJob::default();
    job.wrap.max_width = width;
    job.wrap.break_anywhere = true;
    for (change, text) in changes(truth, completion) {
        let font = FontId::monospace(theme::BODY);
        let mut format = TextFormat::simple(font, theme.text);
        match change {
            Change::Same => {}
            Change::Extra => {
                format.color = theme.alarm;
                format.background = theme.alarm.gamma_multiply(0.16);
                format.strikethrough = Stroke::new(1.0, theme.alarm);
            }
            Change::Missing => {
                format.color = theme.good;
                format.background = theme.good.gamma_multiply(0.16);
                format.underline = Stroke::new(1.5, theme.good);
            }
        }
        job.append(text, 0.0, format);
    }
    job
}

#[cfg(test)]
mod tests {
    use super::*;

    fn side(changes: &[(Change, &str)], left_out: Change) -> String {
        let kept = changes.iter().filter(|(change, _)| *change != left_out);
        kept.map(|(_, text)| *text).collect()
    }

    #[test]
    fn both_lines_can_be_read_from_the_changes() {
        for (truth, completion) in [
            ("Config.load(path)", "Config.from_file(path)"),
            ("", "abc"),
            ("äöü → x", "äü → xy"),
            ("same", "same"),
        ] {
            let changes = changes(truth, completion);
            assert_eq!(side(&changes, Change::Extra), truth);
            assert_eq!(side(&changes, Change::Missing), completion);
        }
    }

    #[test]
    fn equal_lines_are_one_stretch() {
        assert_eq!(changes("a.b(c)", "a.b(c)"), [(Change::Same, "a.b(c)")]);
        assert_eq!(
            changes("foobar", "foobaz"),
            [(Change::Same, "fooba"), (Change::Extra, "z"), (Change::Missing, "r")]
        );
    }

    #[test]
    fn only_what_the_other_code_lacks_is_marked() {
        let (one, other) = ("def load(self):\n    return é", "def save(self):\n\treturn é");
        let word: Vec<Range<usize>> = std::iter::once(4..8).collect();
        assert_eq!(differing(one, other), [word.clone(), word]);
        let nothing: Vec<Range<usize>> = Vec::new();
        assert_eq!(differing(one, one), [nothing.clone(), nothing.clone()]);
        assert_eq!(differing("", "a.b c"), [nothing, vec![0..3, 4..5]]);
    }

    #[test]
    fn letters_in_common_by_chance_do_not_split_a_difference() {
        assert_eq!(
            changes("load_config(argv[0])", "event()"),
            [
                (Change::Extra, "event("),
                (Change::Missing, "load_config(argv[0]"),
                (Change::Same, ")")
            ]
        );
    }
}
