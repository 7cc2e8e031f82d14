//! What stands behind a prompt: targets of one line or several, where a completion ends, and continuations that share a prompt.

use std::ops::Range;

use super::builder::tokens;
use super::{PreparedSample, PromptBuilder};
use crate::corpus::CompletionSample;
use crate::models::ModelError;
use crate::models::reader::{Prediction, Prompt, Sequence, Slot};

/// A prompt with continuations behind it, which do not see each other; every token of each is predicted.
pub fn continued(prompt: &Prompt, continuations: &[&[u32]]) -> Sequence {
    let mut sequence = Sequence {
        slots: prompt.slots.clone(),
        apart: prompt.apart.clone(),
        branches: Vec::new(),
        predictions: Vec::new(),
    };
    let mut next = prompt.slots.len();
    for continuation in continuations {
        let mut row = prompt.slots.len().saturating_sub(1);
        for &token in *continuation {
            sequence.predictions.push(Prediction { row, token });
            row = next;
            next += 1;
        }
        // Nothing is predicted behind the last token, so it is not read.
        next -= usize::from(!continuation.is_empty());
        if let Some((_, inputs)) = continuation.split_last().filter(|(_, inputs)| !inputs.is_empty()) {
            sequence.branches.push(tokens(inputs).collect());
        }
    }
    sequence
}

impl PromptBuilder<'_> {
    /// Tokens of a sample's target: of its first line, up to and with the first that breaks the line, and of the lines that follow.
    pub(super) fn target(&self, sample: &CompletionSample) -> Result<(Vec<u32>, Vec<u32>), ModelError> {
        let rest = self.behind_target(sample);
        let lines = &sample.right[..sample.right.len() - rest.len()];
        // The line break behind the target shares its token with the indentation that follows, but for the last blank, which
        // belongs to the next word: so that word is tokenised as well, and cut off again.
        let behind = next_word(rest);
        let behind = if behind.is_empty() { "\n" } else { behind };
        let mut target = self.tokenizer.ids(&format!("{}{lines}{behind}", sample.target))?;
        let ends = |lines: usize| (1..=target.len()).find(|&length| self.ends_lines(&target[..length], lines));
        let (line, whole) = (ends(1), ends(self.target_lines));
        target.truncate(whole.unwrap_or(target.len()).min(self.target_tokens));
        let following = target.split_off(line.unwrap_or(target.len()).min(target.len()));
        Ok((target, following))
    }

    /// The text behind a sample's training target, which is all that a layout may show of what follows the cursor.
    pub(super) fn behind_target<'s>(&self, sample: &'s CompletionSample) -> &'s str {
        &sample.right[end_of_line(&sample.right, self.target_lines)..]
    }

    /// What training predicts of a sample: its target, and with `end` the end of the text behind it if the target is whole.
    pub fn training_target(&self, sample: &PreparedSample, end: bool) -> Result<Vec<u32>, ModelError> {
        let mut target = [sample.target.as_slice(), &sample.following].concat();
        if end && self.ends_target(&target) {
            let token = self.end_of_text.first();
            target.push(*token.ok_or_else(|| {
                ModelError::Prompt("objective.end_token is on, but the reader's tokenizer has no end of text".into())
            })?);
        }
        Ok(target)
    }

    /// Whether a completion of one line is over: it broke the line behind something that is not blank, or the text ended.
    pub fn ends_line(&self, completion: &[u32]) -> bool {
        self.ends_lines(completion, 1)
    }

    /// Whether a completion has as many lines as a training target.
    pub fn ends_target(&self, completion: &[u32]) -> bool {
        self.ends_lines(completion, self.target_lines)
    }

    fn ends_lines(&self, completion: &[u32], lines: usize) -> bool {
        let Some((&last, _)) = completion.split_last() else {
            return false;
        };
        let breaks = || self.tokenizer.text(completion).trim_start().matches('\n').count();
        self.end_of_text.binary_search(&last).is_ok() || (self.tokenizer.breaks_line(last) && breaks() >= lines)
    }

    /// The completed line: without the blanks before it, and what stands behind its end.
    pub fn line(&self, completion: &[u32]) -> String {
        first_lines(&self.text(completion), 1)
    }

    /// The same with the blanks before it, as it stands behind the code that was completed.
    pub fn written(&self, completion: &[u32]) -> String {
        let text = self.text(completion);
        let blank = text.len() - text.trim_start().len();
        let end = blank + end_of_line(&text[blank..], 1);
        text[..end].trim_end().to_owned()
    }

    /// As many completed lines as a training target has, without the blanks around them: what a reward is for.
    pub fn target_text(&self, completion: &[u32]) -> String {
        first_lines(&self.text(completion), self.target_lines)
    }

    /// What [`Self::target_text`] is held against.
    pub fn expected_text(&self, sample: &CompletionSample) -> String {
        first_lines(&format!("{}{}", sample.target, sample.right), self.target_lines)
    }

    /// Text of a completion up to the end of the text.
    fn text(&self, completion: &[u32]) -> String {
        let ended = completion
            .iter()
            .take_while(|id| self.end_of_text.binary_search(id).is_err())
            .copied();
        self.tokenizer.text(&ended.collect::<Vec<_>>())
    }

    /// The soft tokens of one chunk, `rows` of the soft-token matrix, with nothing but `cue` for left context, for the reader to spell
    /// what they hold.
    pub fn chunk_alone(&self, rows: Range<usize>, cue: &[u32]) -> Prompt {
        let soft = rows.map(Slot::Soft);
        let slots = tokens(&self.before)
            .chain(soft)
            .chain(tokens(&self.after))
            .chain(tokens(cue));
        Prompt {
            slots: slots.collect(),
            apart: None,
        }
    }

    /// Tokens of a text that stands behind a prompt.
    pub fn ids(&self, text: &str) -> Result<Vec<u32>, ModelError> {
        self.tokenizer.ids(text)
    }
}

/// Where the line ends that is the `lines`th from the beginning of the text.
fn end_of_line(text: &str, lines: usize) -> usize {
    let mut ends = text.match_indices('\n').map(|(at, _)| at);
    ends.nth(lines.saturating_sub(1)).unwrap_or(text.len())
}

/// The first lines of a text, blanks around them taken off.
fn first_lines(text: &str, lines: usize) -> String {
    let text = text.trim_start();
    text[..end_of_line(text, lines)].trim_end().to_owned()
}

/// The white space that a text begins with, and the word behind it.
fn next_word(text: &str) -> &str {
    let word = text.find(|c: char| !c.is_whitespace()).unwrap_or(text.len());
    let length = text[word..].find(char::is_whitespace).unwrap_or(text.len() - word);
    &text[..word + length]
}
