//! How text and soft tokens are laid out in front of the reader (method.md A2).

use serde::{Deserialize, Serialize};

/// Special tokens and the cue of a fill-in-the-middle prompt, at most.
const MARKS: usize = 32;

/// Where the context stands, as soft tokens or as text, and who sees it.
#[derive(
    Clone,
    Copy,
    Debug,
    Default,
    PartialEq,
    Eq,
    Serialize,
    Deserialize,
    strum::Display,
    strum::EnumIter,
    strum::EnumString,
)]
#[serde(rename_all = "snake_case")]
#[strum(serialize_all = "snake_case")]
pub enum PromptLayout {
    /// In front of the left context; all that follows sees it.
    #[default]
    SoftFirst,
    /// In front of the left context, but only the last tokens of the left context and the target see it: the rest of the left
    /// context is computed once and kept.
    LateFusion,
    /// Between the lines before the cursor and the line that it stands in; what stands before is computed once and kept.
    BeforeLine,
    /// Fill in the middle, variant B of the paper's code: in front of the prefix token.
    BeforePrefix,
    /// Fill in the middle, variant A′: between the right context and the middle token; what stands before is computed once and
    /// kept.
    BeforeMiddle,
    /// Variant A: as [`Self::BeforeMiddle`], behind a comment that announces the chunks.
    BeforeMiddleCue,
}

impl PromptLayout {
    /// Whether the reader needs fill-in-the-middle tokens, and sees the code behind the cursor too.
    pub fn fills_in_the_middle(self) -> bool {
        matches!(self, Self::BeforePrefix | Self::BeforeMiddle | Self::BeforeMiddleCue)
    }
}

/// The prompt: where the context stands among the code, and how much code there is.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct PromptSettings {
    /// Reader tokens of left context.
    pub left_tokens: usize,
    /// Reader tokens of right context; only in layouts that fill in the middle.
    pub right_tokens: usize,
    /// Longest target, and longest completion, in reader tokens.
    pub target_tokens: usize,
    /// Where the context stands.
    pub layout: PromptLayout,
    /// Last tokens of the left context that see them in late fusion.
    pub tail_tokens: usize,
    /// Lines that a training target has, from the cursor on; evaluations complete one.
    pub target_lines: usize,
    /// Real text before the soft tokens: the first position acts as an attention sink and would lose a vector (science.md 6).
    pub before: String,
    /// Real text behind the soft tokens.
    pub after: String,
}

impl Default for PromptSettings {
    fn default() -> Self {
        Self {
            left_tokens: 128,
            right_tokens: 64,
            target_tokens: 24,
            layout: PromptLayout::SoftFirst,
            tail_tokens: 8,
            target_lines: 1,
            before: "#".into(),
            after: "\n".into(),
        }
    }
}

impl PromptSettings {
    /// Most reader tokens of a prompt that are not its context.
    pub fn code_tokens(&self) -> usize {
        let right = match self.layout.fills_in_the_middle() {
            true => self.right_tokens + MARKS,
            false => 0,
        };
        self.left_tokens + right
    }

    /// Hands every field to `check`: whether it may be so, its name, its value, and the range that it may have.
    pub(super) fn check(&self, check: &mut impl FnMut(bool, &'static str, String, &'static str)) {
        check(
            (8..=16_384).contains(&self.left_tokens),
            "prompt.left_tokens",
            self.left_tokens.to_string(),
            "8 to 16384",
        );
        check(
            self.right_tokens <= 16_384,
            "prompt.right_tokens",
            self.right_tokens.to_string(),
            "0 to 16384",
        );
        check(
            (1..=512).contains(&self.target_tokens),
            "prompt.target_tokens",
            self.target_tokens.to_string(),
            "1 to 512",
        );
        check(
            (1..self.left_tokens).contains(&self.tail_tokens),
            "prompt.tail_tokens",
            self.tail_tokens.to_string(),
            "1 up to, not including, prompt.left_tokens",
        );
        check(
            (1..=32).contains(&self.target_lines),
            "prompt.target_lines",
            self.target_lines.to_string(),
            "1 to 32",
        );
    }
}
