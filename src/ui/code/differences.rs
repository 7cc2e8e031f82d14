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

/// The stretches that lead from the true line to the completion, in order.
pub fn changes<'a>(truth: &'a str, completion: &'a str) -> Vec<(Change, &'a str)> {
    similar::utils::diff_chars(Algorithm::Myers, truth, completion)
        .into_iter()
        .map(|(tag, text)| {
            let change = match tag {
                ChangeTag::Equal => Change::Same,
                ChangeTag::Delete => Change::Missing,
                ChangeTag::Insert => Change::Extra,
            };
            (change, text)
        })
        .collect()
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
            [(Change::Same, "fooba"), (Change::Missing, "r"), (Change::Extra, "z")]
        );
    }
}
