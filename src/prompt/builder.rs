//! From a sample and its chunks to their tokens, cut to the budgets of an experiment.

use super::layout::Place;
use crate::corpus::CompletionSample;
use crate::experiment::{PromptSettings, Retrieval};
use crate::models::ModelError;
use crate::models::reader::Slot;
use crate::models::tokenizer::TextTokenizer;
use crate::retrieval::Retrieved;

/// Characters of left context that are tokenised for each token that is kept: indentation aside, a code token is far shorter.
const CHARACTERS_A_TOKEN: usize = 16;

/// Where that text begins moves in steps of so many characters, and where the left context of somebody who types begins in steps
/// of so many tokens: a key stroke mostly leaves the beginning alone.
const ANCHORS: (usize, usize) = (1024, 32);

/// Text between two chunks, and between the last chunk and the left context.
const CHUNK_END: &str = "\n\n";

/// A sample cut to its token budgets, the same for every arm.
#[derive(Clone, Debug)]
pub struct PreparedSample {
    /// The sample.
    pub sample: CompletionSample,
    /// Its chunks, best first, their text clipped to the token budget: what the encoder and full RAG see alike.
    pub retrieved: Vec<Retrieved>,
    /// Last tokens of the left context.
    pub left: Vec<u32>,
    /// Tokens of the target, up to and with the first that breaks the line behind it.
    pub target: Vec<u32>,
    /// Tokens of the further lines of a training target of several lines.
    pub following: Vec<u32>,
    /// First tokens behind the training target; none in a layout that does not show them.
    pub right: Vec<u32>,
    /// Tokens of each chunk, best first; none of a chunk that a better place brings already.
    pub chunks: Vec<Vec<u32>>,
}

/// Makes prompts for one reader and one experiment.
pub struct PromptBuilder<'a> {
    pub(super) tokenizer: &'a TextTokenizer,
    left_tokens: usize,
    right_tokens: usize,
    pub(super) place: Place,
    /// Whether the left context begins at an anchor.
    anchored: bool,
    pub(super) target_tokens: usize,
    pub(super) target_lines: usize,
    chunk_tokens: usize,
    pub(super) before: Vec<u32>,
    pub(super) after: Vec<u32>,
    pub(super) chunk_end: Vec<u32>,
    pub(super) line_break: Vec<u32>,
    pub(super) end_of_text: Vec<u32>,
}

impl<'a> PromptBuilder<'a> {
    /// For a tokenizer and the budgets of an experiment. A layout that fills in the middle is refused for a tokenizer without the
    /// tokens for it.
    pub fn new(
        tokenizer: &'a TextTokenizer,
        prompt: &PromptSettings,
        retrieval: &Retrieval,
    ) -> Result<Self, ModelError> {
        Ok(Self {
            left_tokens: prompt.left_tokens,
            right_tokens: match prompt.layout.fills_in_the_middle() {
                true => prompt.right_tokens,
                false => 0,
            },
            place: Place::new(prompt, tokenizer)?,
            anchored: false,
            target_tokens: prompt.target_tokens,
            target_lines: prompt.target_lines,
            chunk_tokens: retrieval.chunk_tokens,
            before: tokenizer.ids(&prompt.before)?,
            after: tokenizer.ids(&prompt.after)?,
            chunk_end: tokenizer.ids(CHUNK_END)?,
            line_break: tokenizer.ids("\n")?,
            end_of_text: tokenizer.end_of_text(),
            tokenizer,
        })
    }

    /// For completions while somebody types, in late fusion: the left context is up to 31 tokens shorter, so that it begins where
    /// it began before the last key strokes, and its kept part only grows.
    pub fn for_typing(mut self) -> Self {
        self.anchored = matches!(self.place, Place::FirstApart { .. }) && self.left_tokens >= 2 * ANCHORS.1;
        self
    }

    /// Cuts a sample and its chunks to their token budgets.
    pub fn prepare(&self, sample: &CompletionSample, retrieved: &[Retrieved]) -> Result<PreparedSample, ModelError> {
        let mut left = self
            .tokenizer
            .ids(tail(&sample.left, self.left_tokens * CHARACTERS_A_TOKEN))?;
        let over = left.len().saturating_sub(self.left_tokens);
        let over = if self.anchored {
            over.next_multiple_of(ANCHORS.1).min(left.len())
        } else {
            over
        };
        left.drain(..over);

        let (target, following) = self.target(sample)?;
        let mut right = self
            .tokenizer
            .ids(head(self.behind_target(sample), self.right_tokens * CHARACTERS_A_TOKEN))?;
        right.truncate(self.right_tokens);
        let mut chunks = Vec::with_capacity(retrieved.len());
        let mut clipped = Vec::with_capacity(retrieved.len());
        for (at, one) in retrieved.iter().enumerate() {
            // Of names that one chunk defines, the best brings its text.
            if retrieved.iter().take(at).any(|better| better.chunk == one.chunk) {
                chunks.push(Vec::new());
                clipped.push(one.clone());
                continue;
            }
            let (ids, text) = self.clip(&one.chunk.text)?;
            let mut one = one.clone();
            one.chunk.text = text.unwrap_or(one.chunk.text);
            chunks.push(ids);
            clipped.push(one);
        }
        Ok(PreparedSample {
            sample: sample.clone(),
            retrieved: clipped,
            left,
            target,
            following,
            right,
            chunks,
        })
    }

    /// The tokens of a chunk, cut to its budget, and their text where that is not the whole chunk.
    pub fn clip(&self, chunk: &str) -> Result<(Vec<u32>, Option<String>), ModelError> {
        let mut ids = self.tokenizer.ids(chunk)?;
        if ids.len() <= self.chunk_tokens {
            return Ok((ids, None));
        }
        ids.truncate(self.chunk_tokens);
        let text = self.tokenizer.text(&ids).trim_end_matches('\u{fffd}').to_owned();
        Ok((ids, Some(text)))
    }

    /// The reader's tokenizer.
    pub fn tokenizer(&self) -> &TextTokenizer {
        self.tokenizer
    }

    /// Longest completion in tokens.
    pub fn longest(&self) -> usize {
        self.target_tokens
    }
}

pub(super) fn tokens(ids: &[u32]) -> impl Iterator<Item = Slot> + '_ {
    ids.iter().map(|&id| Slot::Token(id))
}

/// At most the first `characters` of a text, or a few less.
fn head(text: &str, characters: usize) -> &str {
    let mut end = characters.min(text.len());
    while !text.is_char_boundary(end) {
        end -= 1;
    }
    &text[..end]
}

/// At least about the last `characters` of a text, from the start of a line where there is one.
fn tail(text: &str, characters: usize) -> &str {
    let Some(start) = text.len().checked_sub(characters) else {
        return text;
    };
    let mut start = start - start % ANCHORS.0;
    while !text.is_char_boundary(start) {
        start += 1;
    }
    let cut = &text[start..];
    cut.find('\n').map_or(cut, |end| &cut[end + 1..])
}
