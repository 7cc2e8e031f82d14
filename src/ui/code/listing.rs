//! Lines of code with their numbers.

use std::ops::Range;

use egui::text::{LayoutJob, TextFormat};
use egui::{FontId, Stroke};
use egui_extras::syntax_highlighting::{CodeTheme, TokenType, highlight};

use crate::corpus::Chunk;
use crate::ui::theme::{self, Theme};

/// Code with line numbers, highlighted by the file's extension.
pub struct Listing<'a> {
    /// The code.
    pub text: &'a str,
    /// Number of its first line.
    pub first_line: usize,
    /// Path of the file, for the language.
    pub path: &'a str,
    /// A word to underline wherever it stands: the name that a completion needs.
    pub word: Option<&'a str>,
    /// Byte from which the text is not code that the model saw, but what it should write.
    pub target_from: Option<usize>,
}

impl<'a> Listing<'a> {
    /// A chunk, with a word underlined.
    pub fn of(chunk: &'a Chunk, word: Option<&'a str>) -> Self {
        Self {
            text: &chunk.text,
            first_line: chunk.first_line,
            path: &chunk.path,
            word,
            target_from: None,
        }
    }

    /// Draws the code; it scrolls sideways rather than wrap.
    pub fn show(&self, ui: &mut egui::Ui, id: egui::Id) -> egui::Response {
        self.show_marked(ui, id, &[])
    }

    /// Draws the code with some ranges of bytes marked: what another code does not have.
    pub fn show_marked(&self, ui: &mut egui::Ui, id: egui::Id, marked: &[Range<usize>]) -> egui::Response {
        let theme = Theme::of(ui);
        let mut code = highlighted(ui, self.text, self.path);
        for range in self.word.map(|word| whole_words(self.text, word)).unwrap_or_default() {
            mark(&mut code, &range, |format| {
                format.underline = Stroke::new(1.5, theme.accent)
            });
        }
        for range in marked {
            mark(&mut code, range, |format| {
                format.background = theme.accent.gamma_multiply(0.18);
                format.underline = Stroke::new(1.0, theme.accent);
            });
        }
        if let Some(from) = self.target_from {
            let background = theme.accent.gamma_multiply(0.22);
            mark(&mut code, &(from..self.text.len()), |format| {
                format.background = background
            });
        }
        let numbers = line_numbers(self.first_line, self.text);
        let inner = ui
            .push_id(id, |ui| {
                egui::ScrollArea::horizontal()
                    .auto_shrink([false, true])
                    .show(ui, |ui| {
                        ui.horizontal_top(|ui| {
                            ui.spacing_mut().item_spacing.x = 12.0;
                            ui.label(numbers.color(theme.weak));
                            ui.add(egui::Label::new(code).selectable(true).extend())
                        })
                        .inner
                    })
            })
            .inner;
        inner.inner
    }
}

/// Code in the colours of its language, by the file's extension; its lines are not wrapped.
pub fn highlighted(ui: &egui::Ui, text: &str, path: &str) -> LayoutJob {
    let mut code = highlight(ui.ctx(), ui.style(), &code_theme(Theme::of(ui)), text, language(path));
    code.wrap.max_width = f32::INFINITY;
    code
}

/// The numbers of the lines of a text, one a line, as wide as the widest.
pub fn line_numbers(first_line: usize, text: &str) -> egui::RichText {
    let count = text.split('\n').count();
    let digits = (first_line + count).to_string().len();
    let numbers = (0..count).map(|line| format!("{:>digits$}", first_line + line));
    let numbers = numbers.collect::<Vec<_>>().join("\n");
    egui::RichText::new(numbers).font(FontId::monospace(theme::SMALL))
}

/// Colours of code: quiet, because colour means something else on these pages.
pub fn code_theme(theme: &Theme) -> CodeTheme {
    let mut code = if theme.dark {
        CodeTheme::dark(theme::SMALL)
    } else {
        CodeTheme::light(theme::SMALL)
    };
    let violet = theme.arm(crate::evaluation::Arm::ShuffledContext).color;
    for (token, color) in [
        (TokenType::Comment, theme.weak),
        (TokenType::Function, theme.strong),
        (TokenType::Keyword, violet),
        (TokenType::Literal, theme.text),
        (TokenType::StringLiteral, theme.encoder().color),
        (TokenType::Punctuation, theme.text.lerp_to_gamma(theme.weak, 0.5)),
    ] {
        *code.format_mut(token) = TextFormat::simple(FontId::monospace(theme::SMALL), color);
    }
    code
}

fn language(path: &str) -> &str {
    match path.rsplit_once('.') {
        Some((_, extension)) => extension,
        None => "py",
    }
}

/// Where a word stands whole, no part of a longer one.
fn whole_words(text: &str, word: &str) -> Vec<Range<usize>> {
    let inside = |c: Option<char>| c.is_some_and(|c| c.is_alphanumeric() || c == '_');
    let alone = |range: &Range<usize>| {
        let before = text.get(..range.start).and_then(|before| before.chars().next_back());
        let after = text.get(range.end..).and_then(|after| after.chars().next());
        !inside(before) && !inside(after)
    };
    let found = text.match_indices(word).filter(|(_, found)| !found.is_empty());
    found.map(|(at, found)| at..at + found.len()).filter(alone).collect()
}

/// Changes the format of a range of bytes, cutting the sections that reach over its ends.
fn mark(job: &mut LayoutJob, range: &Range<usize>, change: impl Fn(&mut TextFormat)) {
    for section in std::mem::take(&mut job.sections) {
        let (start, end) = (section.byte_range.start.0, section.byte_range.end.0);
        let from = range.start.clamp(start, end);
        let to = range.end.clamp(from, end);
        for (part, inside) in [(start..from, false), (from..to, true), (to..end, false)] {
            if part.is_empty() {
                continue;
            }
            let mut piece = section.clone();
            piece.byte_range.start.0 = part.start;
            piece.byte_range.end.0 = part.end;
            if part.start > start {
                piece.leading_space = 0.0;
            }
            if inside {
                change(&mut piece.format);
            }
            job.sections.push(piece);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_range_is_marked_to_the_byte() {
        let mut job = LayoutJob::default();
        job.append("abcd", 0.0, TextFormat::default());
        job.append(
            "efg",
            0.0,
            TextFormat::simple(FontId::monospace(12.0), egui::Color32::BLUE),
        );
        mark(&mut job, &(2..6), |format| format.background = egui::Color32::RED);
        let parts: Vec<(usize, usize, bool)> = job
            .sections
            .iter()
            .map(|s| {
                let marked = s.format.background == egui::Color32::RED;
                (s.byte_range.start.0, s.byte_range.end.0, marked)
            })
            .collect();
        assert_eq!(parts, [(0, 2, false), (2, 4, true), (4, 6, true), (6, 7, false)]);
    }

    #[test]
    fn only_whole_words_are_found() {
        assert_eq!(whole_words("load reload load_x é.load", "load"), [0..4, 22..26]);
        assert!(whole_words("abc", "").is_empty());
    }
}
