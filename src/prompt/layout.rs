//! Where the context stands among the code, and what of the code does not see it.

use std::ops::Range;

use super::context::{Piece, Source, pieces};
use super::{Context, PreparedSample, PromptBuilder};
use crate::experiment::{FieldError, PromptLayout, PromptSettings};
use crate::models::ModelError;
use crate::models::reader::Prompt;
use crate::models::tokenizer::TextTokenizer;

/// The cue of the paper's code (method.md A2, variant A).
const CUE: &str = "\n# Here are some relevant code fragments from other files of the repo:";

/// A layout with the tokens that it needs of a tokenizer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Place {
    /// In front of the left context.
    First,
    /// The same, but only the last `tail` tokens of the left context see it.
    FirstApart { tail: usize },
    /// In front of the line of the cursor.
    BeforeLine,
    /// In front of the prefix token.
    BeforePrefix([u32; 3]),
    /// In front of the middle token, behind a cue, which may be empty.
    BeforeMiddle([u32; 3], Vec<u32>),
}

/// A prompt with the sources of its slots.
pub(super) struct LaidOut {
    pub pieces: Vec<Piece>,
    pub apart: Option<Range<usize>>,
}

impl Place {
    /// The layout of some settings, if the tokenizer has the tokens for it.
    pub fn new(prompt: &PromptSettings, tokenizer: &TextTokenizer) -> Result<Self, ModelError> {
        let middle = || {
            tokenizer.fill_in_the_middle().ok_or_else(|| FieldError {
                field: "prompt.layout",
                value: prompt.layout.to_string(),
                allowed: "soft_first, late_fusion or before_line, because the reader's tokenizer has no fill-in-the-middle tokens; \
                          choose one of these, or a reader that was trained to fill in the middle, such as Qwen2.5-Coder or StarCoder",
            })
        };
        Ok(match prompt.layout {
            PromptLayout::SoftFirst => Self::First,
            PromptLayout::LateFusion => Self::FirstApart {
                tail: prompt.tail_tokens,
            },
            PromptLayout::BeforeLine => Self::BeforeLine,
            PromptLayout::BeforePrefix => Self::BeforePrefix(middle()?),
            PromptLayout::BeforeMiddle => Self::BeforeMiddle(middle()?, Vec::new()),
            PromptLayout::BeforeMiddleCue => Self::BeforeMiddle(middle()?, tokenizer.ids(CUE)?),
        })
    }
}

impl PromptBuilder<'_> {
    /// The code around the cursor alone.
    pub fn without_context(&self, sample: &PreparedSample) -> Prompt {
        self.prompt(sample, &Context::Nothing)
    }

    /// With the chunks as text, worst first so that the best stands nearest.
    pub fn full_text(&self, sample: &PreparedSample) -> Prompt {
        self.prompt(sample, &Context::FullText)
    }

    /// With `count` soft tokens, rows `first_row` and on of the soft-token matrix.
    pub fn compressed(&self, sample: &PreparedSample, first_row: usize, count: usize) -> Prompt {
        self.prompt(sample, &Context::Soft(first_row..first_row + count))
    }

    /// The prompt of a sample with a context.
    pub fn prompt(&self, sample: &PreparedSample, context: &Context<'_>) -> Prompt {
        let LaidOut { pieces, apart } = self.lay_out(sample, context);
        Prompt {
            slots: pieces.into_iter().map(|piece| piece.slot).collect(),
            apart,
        }
    }

    /// The same with the source of every slot.
    pub(super) fn lay_out(&self, sample: &PreparedSample, context: &Context<'_>) -> LaidOut {
        let inserted = self.context(sample, context);
        let left = |range: Range<usize>| pieces(&sample.left[range], Source::LeftContext);
        let (length, front) = (sample.left.len(), inserted.len());
        match &self.place {
            Place::First => LaidOut {
                pieces: inserted.into_iter().chain(left(0..length)).collect(),
                apart: None,
            },
            Place::FirstApart { tail } => LaidOut {
                pieces: inserted.into_iter().chain(left(0..length)).collect(),
                apart: filled(front..front + length.saturating_sub(*tail)),
            },
            Place::BeforeLine => {
                let (at, in_mid_line) = self.line_start(sample);
                let opening = match in_mid_line && front > 0 {
                    true => self.line_break.as_slice(),
                    false => &[],
                };
                let before = left(0..at).chain(pieces(opening, Source::Before));
                LaidOut {
                    pieces: before.chain(inserted).chain(left(at..length)).collect(),
                    // Something must stand behind it, and it is to be the same with a context and without.
                    apart: filled(0..at.min(length.saturating_sub(1))),
                }
            }
            Place::BeforePrefix(marks) => {
                let code = self.prefix_and_suffix(sample, *marks);
                let end = pieces(&marks[2..], Source::FillInTheMiddle);
                LaidOut {
                    pieces: inserted.into_iter().chain(code).chain(end).collect(),
                    apart: None,
                }
            }
            Place::BeforeMiddle(marks, cue) => {
                let mut all = self.prefix_and_suffix(sample, *marks);
                let apart = 0..all.len();
                if front > 0 {
                    all.extend(pieces(cue, Source::Cue));
                    if context.begins_with_text() {
                        all.extend(pieces(&self.line_break, Source::Cue));
                    }
                    all.extend(inserted);
                }
                all.extend(pieces(&marks[2..], Source::FillInTheMiddle));
                LaidOut {
                    pieces: all,
                    apart: Some(apart),
                }
            }
        }
    }

    /// `<prefix>` left context `<suffix>` right context.
    fn prefix_and_suffix(&self, sample: &PreparedSample, [prefix, suffix, _]: [u32; 3]) -> Vec<Piece> {
        let mark = |id: u32| Piece {
            slot: crate::models::reader::Slot::Token(id),
            source: Source::FillInTheMiddle,
        };
        let mut all = vec![mark(prefix)];
        all.extend(pieces(&sample.left, Source::LeftContext));
        all.push(mark(suffix));
        all.extend(pieces(&sample.right, Source::RightContext));
        all
    }

    /// How many left tokens stand before the line of the cursor, and whether the last of these leaves its line open.
    ///
    /// A token may hold a line break and the indentation behind it: then it belongs to the line, which it begins.
    fn line_start(&self, sample: &PreparedSample) -> (usize, bool) {
        let left = &sample.left;
        let blank = sample.sample.target.len() - sample.sample.target.trim_start().len();
        if sample.sample.target[..blank].contains('\n') {
            return (left.len(), !left.is_empty());
        }
        match left.iter().rposition(|&id| self.tokenizer.breaks_line(id)) {
            None => (0, false),
            Some(at) if self.tokenizer.text(&left[at..=at]).starts_with('\n') => (at, at > 0),
            Some(at) => (at + 1, false),
        }
    }
}

/// A range that is not empty.
fn filled(range: Range<usize>) -> Option<Range<usize>> {
    (!range.is_empty()).then_some(range)
}
