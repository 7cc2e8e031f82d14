//! A completion against the true line, character by character.

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
