//! Lines of code with their numbers.

use egui::text::{LayoutJob, TextFormat};
use egui::{FontId, Stroke};
use egui_extras::syntax_highlighting::{CodeTheme, TokenType, highlight};

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

impl Listing<'_> {
    /// Draws the code; it scrolls sideways rather than wrap.
    pub fn show(&self, ui: &mut egui::Ui, id: egui::Id) -> egui::Response {
        let theme = Theme::of(ui);
        let mut code = highlight(ui.ctx(), ui.style(), &code_theme(theme), self.text, language(self.path));
        code.wrap.max_width = f32::INFINITY;
        if let Some(word) = self.word {
            underline(&mut code, word, Stroke::new(1.5, theme.accent));
        }
        if let Some(from) = self.target_from {
            mark_from(&mut code, from, theme.accent.gamma_multiply(0.22));
        }
        let count = self.text.split('\n').count();
        let digits = (self.first_line + count).to_string().len();
        let numbers = (0..count).map(|line| format!("{:>digits$}", self.first_line + line));
        let numbers = numbers.collect::<Vec<_>>().join("\n");
        let inner = ui
            .push_id(id, |ui| {
                egui::ScrollArea::horizontal()
                    .auto_shrink([false, true])
                    .show(ui, |ui| {
                        ui.horizontal_top(|ui| {
                            ui.spacing_mut().item_spacing.x = 12.0;
                            ui.label(
                                egui::RichText::new(numbers)
                                    .font(FontId::monospace(theme::SMALL))
                                    .color(theme.weak),
                            );
                            ui.add(egui::Label::new(code).selectable(true).extend())
                        })
                        .inner
                    })
            })
            .inner;
        inner.inner
    }
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

/// Underlines every occurrence of a word that is no part of a longer one.
fn underline(job: &mut LayoutJob, word: &str, stroke: Stroke) {
    if word.is_empty() {
        return;
    }
    let inside = |c: Option<char>| c.is_some_and(|c| c.is_alphanumeric() || c == '_');
    let text = job.text.clone();
    let whole = text
        .match_indices(word)
        .map(|(at, found)| at..at + found.len())
        .filter(|range| {
            let before = text.get(..range.start).and_then(|before| before.chars().next_back());
            let after = text.get(range.end..).and_then(|after| after.chars().next());
            !inside(before) && !inside(after)
        });
    let whole: Vec<_> = whole.collect();
    for section in &mut job.sections {
        let range = section.byte_range.start.0..section.byte_range.end.0;
        if whole
            .iter()
            .any(|word| word.start < range.end && range.start < word.end)
        {
            section.format.underline = stroke;
        }
    }
}

/// Gives everything behind a byte a background, cutting the section that it lies in.
fn mark_from(job: &mut LayoutJob, from: usize, background: egui::Color32) {
    let sections = std::mem::take(&mut job.sections);
    for mut section in sections {
        let (start, end) = (section.byte_range.start, section.byte_range.end);
        if end.0 <= from {
            job.sections.push(section);
            continue;
        }
        if start.0 < from {
            let mut before = section.clone();
            before.byte_range.end.0 = from;
            job.sections.push(before);
            section.byte_range.start.0 = from;
            section.leading_space = 0.0;
        }
        section.format.background = background;
        job.sections.push(section);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_target_is_marked_to_the_byte() {
        let mut job = LayoutJob::default();
        job.append("abc", 0.0, TextFormat::default());
        job.append("defg", 0.0, TextFormat::default());
        mark_from(&mut job, 5, egui::Color32::RED);
        let marked: Vec<(usize, usize, bool)> = job
            .sections
            .iter()
            .map(|s| {
                (
                    s.byte_range.start.0,
                    s.byte_range.end.0,
                    s.format.background == egui::Color32::RED,
                )
            })
            .collect();
        assert_eq!(marked, [(0, 3, false), (3, 5, false), (5, 7, true)]);
    }

    #[test]
    fn only_whole_words_are_underlined() {
        let mut job = LayoutJob::default();
        for text in ["load", " ", "reload", " ", "load"] {
            job.append(text, 0.0, TextFormat::default());
        }
        underline(&mut job, "load", Stroke::new(1.0, egui::Color32::RED));
        let marked: Vec<bool> = job.sections.iter().map(|s| s.format.underline.width > 0.0).collect();
        assert_eq!(marked, [true, false, false, false, true]);
    }
}
