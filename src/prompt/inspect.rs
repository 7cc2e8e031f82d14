//! A prompt as a person looks at it: every token, where it comes from, and whether it may attend to the soft tokens.

use serde::{Deserialize, Serialize};

use super::context::{Source, pieces};
use super::layout::LaidOut;
use super::{Context, PreparedSample, PromptBuilder};
use crate::models::reader::Slot;

/// One position of a prompt.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct PromptEntry {
    /// From 0.
    pub position: usize,
    /// The token's id; none for a soft token.
    pub id: Option<u32>,
    /// Its text, as the tokenizer gives it for this token alone; empty for a soft token.
    pub text: String,
    /// Where it comes from.
    #[serde(flatten)]
    pub source: Source,
    /// Whether it may attend to at least one soft token, or what stands for one.
    pub sees_soft: bool,
}

impl PromptBuilder<'_> {
    /// Every position of a sample's prompt with a context, and its target behind them.
    pub fn inspect(&self, sample: &PreparedSample, context: &Context<'_>) -> Vec<PromptEntry> {
        let LaidOut { pieces: prompt, apart } = self.lay_out(sample, context);
        let is_soft = |source: Source| matches!(source, Source::SoftToken { .. });
        let first_soft = prompt.iter().position(|piece| is_soft(piece.source));
        let all = prompt.into_iter().chain(pieces(&sample.target, Source::Target));
        let entries = all.enumerate().map(|(position, piece)| {
            let id = match piece.slot {
                Slot::Token(id) => Some(id),
                Slot::Soft(_) => None,
            };
            let apart = apart.as_ref().is_some_and(|apart| apart.contains(&position));
            PromptEntry {
                position,
                id,
                text: id.map(|id| self.tokenizer.text(&[id])).unwrap_or_default(),
                source: piece.source,
                sees_soft: !apart && first_soft.is_some_and(|first| first <= position),
            }
        });
        entries.collect()
    }
}
