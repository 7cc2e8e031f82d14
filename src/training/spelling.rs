//! Names that a step has the reader spell from their soft tokens alone, so that soft tokens become legible (science2.md 1).

use std::ops::Range;
use std::sync::Arc;

use super::TrainingError;
use super::order::epoch_indices;
use crate::models::encoder::Encoder;
use crate::prompt::PromptBuilder;

/// What stands between the soft tokens and the name, and what of it the tokenizer joins to the name. A name is spelled with other
/// tokens behind a space than behind a dot or a bracket, and the soft token is to be legible in both places.
const CUES: [(&str, &str); 12] = [
    ("#", " "),
    ("self.", ""),
    ("return", " "),
    ("f(", ""),
    ("#", " "),
    ("x =", " "),
    ("obj.", ""),
    ("if", " "),
    ("#", " "),
    ("raise", " "),
    ("@", ""),
    ("print(x,", " "),
];

/// Keeps the order of names apart from the order of samples.
const STREAM: u64 = 0x5be1_1ed0;

/// Names of the training repositories, and how they are encoded: a vector is made when its name's turn comes, because all
/// together would not fit in memory.
pub struct SpelledNames {
    names: Vec<String>,
    encoder: Arc<dyn Encoder>,
}

/// A name with its vector and what the reader is to write.
pub(super) struct SpelledName {
    /// `[encoder width]`.
    pub vector: Vec<f32>,
    /// Tokens between the soft tokens and the name.
    pub cue: Vec<u32>,
    /// Tokens of the name.
    pub ids: Vec<u32>,
}

impl SpelledNames {
    /// Names to spell; none are spelled when there are none.
    pub fn new(names: Vec<String>, encoder: Arc<dyn Encoder>) -> Self {
        Self { names, encoder }
    }

    /// The names at these places of a run's order; every name once before any name again.
    pub(super) fn of_step(
        &self,
        seed: u64,
        places: Range<usize>,
        prompts: &PromptBuilder<'_>,
    ) -> Result<Vec<SpelledName>, TrainingError> {
        if self.names.is_empty() {
            return Ok(Vec::new());
        }
        let indices = epoch_indices(seed ^ STREAM, places.clone(), self.names.len());
        let names: Vec<&str> = indices.iter().map(|&index| self.names[index].as_str()).collect();
        let vectors = self.encoder.encode(&names)?;
        let mut spelled = Vec::with_capacity(names.len());
        for (place, (name, vector)) in places.zip(names.into_iter().zip(vectors)) {
            let (cue, joined) = CUES[place % CUES.len()];
            spelled.push(SpelledName {
                vector,
                cue: prompts.ids(cue)?,
                ids: prompts.ids(&format!("{joined}{name}"))?,
            });
        }
        Ok(spelled)
    }
}
