//! From a chunk's text to the token ids that an encoder reads.

use std::sync::Arc;

use super::kind::Kind;
use super::syntax_tree::{Part, linearised};
use crate::experiment::{EncoderInput, EncoderSettings, FieldError, Pooling};
use crate::models::ModelError;
use crate::models::tokenizer::TextTokenizer;

/// The token that tells UniXcoder to encode, by which it is recognised.
const ENCODER_ONLY: &str = "<encoder-only>";

/// A tokenizer, what belongs around a text, and where the text is cut.
pub(super) struct Input {
    tokenizer: Arc<TextTokenizer>,
    front: Vec<u32>,
    back: Vec<u32>,
    /// The frame included.
    max_tokens: usize,
    reads: EncoderInput,
}

impl Input {
    /// For an encoder of this kind with this pooling, which has positions for `positions` tokens.
    pub fn of_encoder(
        settings: &EncoderSettings,
        tokenizer: TextTokenizer,
        kind: Kind,
        pooling: Pooling,
        positions: usize,
    ) -> Result<Self, ModelError> {
        let [mut front, mut back] = tokenizer.frame()?;
        let mode = tokenizer.id(ENCODER_ONLY).filter(|_| kind == Kind::Roberta);
        if let Some(mode) = mode {
            // `<s> <encoder-only> </s> text </s>`, as in its training.
            front.push(mode);
            front.extend(&back);
        }
        if kind == Kind::Decoder {
            match pooling {
                Pooling::LastCodeToken => back.clear(),
                // Tokenizers of several versions forget the end token that Qwen3-Embedding was trained to be pooled at.
                _ if back.is_empty() => back.extend(end_token(&tokenizer)),
                _ => {}
            }
        }
        if settings.input == EncoderInput::SyntaxTree && mode.is_none() {
            return Err(ModelError::Setting(FieldError {
                field: "encoder.input",
                value: settings.input.to_string(),
                allowed: "\"code\" for this model: it never read syntax trees (UniXcoder did, which is recognised by <encoder-only> \
                          in its vocabulary)",
            }));
        }
        // At least one token of the text must fit.
        let least = front.len() + back.len() + 1;
        Ok(Self {
            tokenizer: Arc::new(tokenizer),
            front,
            back,
            max_tokens: settings.max_tokens.min(positions).max(least),
            reads: settings.input,
        })
    }

    /// For the reader, which gets the text with nothing around it.
    pub fn of_reader(settings: &EncoderSettings, tokenizer: Arc<TextTokenizer>, positions: usize) -> Self {
        Self {
            tokenizer,
            front: Vec::new(),
            back: Vec::new(),
            max_tokens: settings.max_tokens.min(positions),
            reads: EncoderInput::Code,
        }
    }

    /// Most tokens of a text, the frame included.
    pub fn max_tokens(&self) -> usize {
        self.max_tokens
    }

    /// Tokens that the tokenizer knows.
    pub fn vocab_size(&self) -> usize {
        self.tokenizer.vocab_size()
    }

    /// Token ids of a text, framed and truncated.
    pub fn ids(&self, text: &str) -> Result<Vec<u32>, ModelError> {
        let mut body = match self.reads {
            EncoderInput::Code => self.tokenizer.ids(text)?,
            EncoderInput::SyntaxTree => self.tree_ids(text)?,
        };
        body.truncate(self.max_tokens - self.front.len() - self.back.len());
        Ok([&self.front, &body, &self.back]
            .into_iter()
            .flatten()
            .copied()
            .collect())
    }

    /// Token ids of a text's syntax tree. Leaves are tokenised one by one; types that the model's vocabulary lacks, since its
    /// grammar was an older one, are left out.
    fn tree_ids(&self, text: &str) -> Result<Vec<u32>, ModelError> {
        let mut ids = Vec::new();
        for part in linearised(text)? {
            match part {
                Part::Bracket(token) => ids.extend(self.tokenizer.id(&token)),
                Part::Leaf(code) => ids.extend(self.tokenizer.ids(code)?),
            }
        }
        Ok(ids)
    }
}

/// What ends a text for a decoder: Qwen's end of text by name, else the first of its ends.
fn end_token(tokenizer: &TextTokenizer) -> Option<u32> {
    let named = tokenizer.id("<|endoftext|>");
    named.or_else(|| tokenizer.end_of_text().first().copied())
}
