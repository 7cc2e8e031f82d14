//! What stands at the place of the context: soft tokens between two real texts, chunks as text, or something else as a control.

use std::ops::Range;

use serde::{Deserialize, Serialize};

use super::{PreparedSample, PromptBuilder};
use crate::models::reader::Slot;

/// What a prompt tells beside the code around the cursor.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Context<'a> {
    /// Nothing.
    #[default]
    Nothing,
    /// The chunks as text, worst first, so that the best stands nearest to what follows.
    FullText,
    /// The chunks as soft tokens, best first: these rows of the soft-token matrix, as many for each chunk.
    Soft(Range<usize>),
    /// Rows of the soft-token matrix that stand for no chunk of the sample.
    Control(Range<usize>),
    /// Tokens of the vocabulary where the soft tokens would stand.
    Tokens(&'a [u32]),
    /// A text that lists names, see [`PromptBuilder::identifiers`].
    Identifiers(&'a [u32]),
    /// The text of the chunk that defines the name.
    Definition(&'a [u32]),
    /// The first `texts` chunks as text behind the soft tokens of the others; the rows are those of all chunks.
    Expanded {
        /// Chunks as text.
        texts: usize,
        /// As in [`Context::Soft`].
        soft: Range<usize>,
    },
}

/// Where something in a prompt comes from. In JSON `"source":"soft_token","chunk":1`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "source", rename_all = "snake_case")]
pub enum Source {
    /// The real text before the soft tokens, or the line break that begins a context in mid-line.
    Before,
    /// The real text behind the soft tokens.
    After,
    /// A soft token, or what stands for one.
    SoftToken {
        /// Rank of its chunk, from 1; none in a control.
        chunk: Option<usize>,
    },
    /// A chunk as text.
    ChunkText {
        /// Its rank, from 1.
        chunk: usize,
    },
    /// Names of the chunks as text.
    Identifiers,
    /// The chunk that defines the name as text.
    Definition,
    /// Code before the cursor.
    LeftContext,
    /// Code behind the cursor.
    RightContext,
    /// A special token of fill-in-the-middle training.
    FillInTheMiddle,
    /// The comment that announces the chunks.
    Cue,
    /// What is to be completed: shown, not part of the prompt.
    Target,
}

impl Source {
    /// What a person reads.
    pub fn label(self) -> String {
        match self {
            Self::Before => "before the soft tokens".into(),
            Self::After => "behind the soft tokens".into(),
            Self::SoftToken { chunk: Some(chunk) } => format!("soft token of chunk {chunk}"),
            Self::SoftToken { chunk: None } => "control in place of a soft token".into(),
            Self::ChunkText { chunk } => format!("text of chunk {chunk}"),
            Self::Identifiers => "names of the chunks".into(),
            Self::Definition => "definition of the name".into(),
            Self::LeftContext => "left context".into(),
            Self::RightContext => "right context".into(),
            Self::FillInTheMiddle => "fill-in-the-middle token".into(),
            Self::Cue => "cue".into(),
            Self::Target => "target".into(),
        }
    }
}

/// A slot of a prompt, and where it comes from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Piece {
    pub slot: Slot,
    pub source: Source,
}

/// Tokens of one source.
pub(super) fn pieces(ids: &[u32], source: Source) -> impl Iterator<Item = Piece> + '_ {
    ids.iter().map(move |&id| Piece {
        slot: Slot::Token(id),
        source,
    })
}

impl Context<'_> {
    /// Whether it begins with text, which has a line of its own.
    pub(super) fn begins_with_text(&self) -> bool {
        matches!(self, Self::FullText | Self::Identifiers(_) | Self::Definition(_))
    }
}

impl PromptBuilder<'_> {
    /// The pieces of a context.
    pub(super) fn context(&self, sample: &PreparedSample, context: &Context<'_>) -> Vec<Piece> {
        let soft = |row: usize, chunk: Option<usize>| Piece {
            slot: Slot::Soft(row),
            source: Source::SoftToken { chunk },
        };
        let of_chunks = |rows: &Range<usize>, skipped: usize| -> Vec<Piece> {
            let each = (rows.len() / sample.chunks.len().max(1)).max(1);
            let rows = rows.clone().enumerate().skip(skipped * each);
            rows.map(|(at, row)| soft(row, Some(at / each + 1))).collect()
        };
        match context {
            Context::Nothing => Vec::new(),
            Context::FullText => self.texts(sample, sample.chunks.len()),
            Context::Soft(rows) => self.delimited(of_chunks(rows, 0)),
            Context::Control(rows) => self.delimited(rows.clone().map(|row| soft(row, None)).collect()),
            Context::Tokens(ids) => self.delimited(pieces(ids, Source::SoftToken { chunk: None }).collect()),
            Context::Identifiers(ids) => pieces(ids, Source::Identifiers).collect(),
            Context::Definition([]) => Vec::new(),
            Context::Definition(ids) => {
                let text = pieces(ids, Source::Definition);
                text.chain(pieces(&self.chunk_end, Source::Definition)).collect()
            }
            Context::Expanded { texts, soft } => {
                let mut all = self.delimited(of_chunks(soft, *texts));
                all.extend(self.texts(sample, *texts));
                all
            }
        }
    }

    /// The first `count` chunks as text, worst first.
    fn texts(&self, sample: &PreparedSample, count: usize) -> Vec<Piece> {
        let mut all = Vec::new();
        let chunks = sample.chunks.iter().enumerate().take(count).rev();
        for (at, chunk) in chunks.filter(|(_, chunk)| !chunk.is_empty()) {
            let source = Source::ChunkText { chunk: at + 1 };
            all.extend(pieces(chunk, source));
            all.extend(pieces(&self.chunk_end, source));
        }
        all
    }

    /// Soft tokens between the two real texts; nothing where there are none.
    fn delimited(&self, soft: Vec<Piece>) -> Vec<Piece> {
        if soft.is_empty() {
            return soft;
        }
        let before = pieces(&self.before, Source::Before);
        before.chain(soft).chain(pieces(&self.after, Source::After)).collect()
    }
}
