//! What a reader reads: slots, a left context that may stand apart, and branches that share a trunk.

use std::ops::Range;

use super::ReaderConfig;
use crate::models::ModelError;

/// What stands at one position of the reader's input.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Slot {
    /// A token of the vocabulary.
    Token(u32),
    /// A row of the soft-token matrix that goes with the input.
    Soft(usize),
}

/// The reader's input before the first target token.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Prompt {
    /// Tokens and soft tokens in order.
    pub slots: Vec<Slot>,
    /// As [`Sequence::apart`].
    pub apart: Option<Range<usize>>,
}

impl Prompt {
    /// Soft tokens among the slots.
    pub fn soft_tokens(&self) -> usize {
        self.slots.iter().filter(|slot| matches!(slot, Slot::Soft(_))).count()
    }
}

/// A row whose logits are to predict a token.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Prediction {
    /// Row of its sequence: slots of the trunk first, then those of the branches, one after the other.
    pub row: usize,
    /// The token.
    pub token: u32,
}

/// An input of training: a trunk, and branches that continue it.
///
/// Cross-entropy on the target and the rewards of rollouts thus share one pass over the prompt.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Sequence {
    /// The trunk.
    pub slots: Vec<Slot>,
    /// Late fusion: these slots of the trunk, tokens all, see nothing before them; what stands behind them sees everything.
    /// So their keys and values depend on nothing else, and a reader may keep them.
    pub apart: Option<Range<usize>>,
    /// Continuations of the trunk. They see the trunk and themselves, not each other.
    pub branches: Vec<Vec<Slot>>,
    /// What is predicted; a row may predict several tokens.
    pub predictions: Vec<Prediction>,
}

/// Positions fed to one member of a session.
#[derive(Clone, Debug, Default)]
pub struct Feed<'a> {
    /// Which member.
    pub member: usize,
    /// What is fed behind the member's positions.
    pub slots: &'a [Slot],
    /// As [`Sequence::apart`]; only at the start of a member.
    pub apart: Option<Range<usize>>,
    /// How many of the last positions give an output.
    pub outputs: usize,
}

impl Sequence {
    /// A row of the trunk and of all branches: its branch (none for the trunk), its slot and its position.
    pub(super) fn rows(&self) -> impl Iterator<Item = (Option<usize>, Slot, usize)> + '_ {
        let trunk = self.slots.iter().enumerate().map(|(at, &slot)| (None, slot, at));
        let branches = self.branches.iter().enumerate().flat_map(|(index, branch)| {
            let first = self.slots.len();
            let slots = branch.iter().enumerate();
            slots.map(move |(at, &slot)| (Some(index), slot, first + at))
        });
        trunk.chain(branches)
    }

    /// Whether a row sees another one at or before it; each is given by its branch and its number.
    pub(super) fn sees(&self, (branch, row): (Option<usize>, usize), (of, key): (Option<usize>, usize)) -> bool {
        let apart = self
            .apart
            .as_ref()
            .is_some_and(|apart| apart.contains(&row) && key < apart.start);
        !apart && (of.is_none() || of == branch)
    }

    /// Checks slots, predictions and the part that stands apart.
    pub(super) fn check(&self, soft: &[f32], config: &ReaderConfig) -> Result<(), ModelError> {
        check_slots(&self.slots, soft, config)?;
        for branch in &self.branches {
            check_slots(branch, soft, config)?;
        }
        check_apart(self.apart.as_ref(), &self.slots)?;
        let rows = self.slots.len() + self.branches.iter().map(Vec::len).sum::<usize>();
        let predicted = |one: &Prediction| {
            let apart = self.apart.as_ref().is_some_and(|apart| one.row < apart.end);
            one.row < rows && !apart && (one.token as usize) < config.vocab_size
        };
        if self.predictions.iter().all(predicted) {
            Ok(())
        } else {
            Err(ModelError::Prompt(
                "a prediction lies outside the input, before the end of what stands apart, or outside the vocabulary"
                    .into(),
            ))
        }
    }
}

impl Feed<'_> {
    /// Checks a feed to a member that holds `position` positions.
    pub(super) fn check(&self, soft: &[f32], position: usize, config: &ReaderConfig) -> Result<(), ModelError> {
        check_slots(self.slots, soft, config)?;
        check_apart(self.apart.as_ref(), self.slots)?;
        let computed = self.slots.len() - self.apart.as_ref().map_or(0, |apart| apart.end);
        if self.slots.is_empty() || self.outputs > computed {
            return Err(ModelError::Prompt(format!(
                "{} outputs were asked of {computed} positions",
                self.outputs
            )));
        }
        if self.apart.is_some() && position > 0 {
            return Err(ModelError::Prompt("only the start of a prompt can stand apart".into()));
        }
        Ok(())
    }
}

/// Checks that texts are of tokens of the vocabulary.
pub(super) fn check_texts(texts: &[&[u32]], config: &ReaderConfig) -> Result<(), ModelError> {
    for text in texts {
        let slots: Vec<Slot> = text.iter().map(|&id| Slot::Token(id)).collect();
        check_slots(&slots, &[], config)?;
    }
    Ok(())
}

/// Checks that every slot names a token and a soft row that exist.
fn check_slots(slots: &[Slot], soft: &[f32], config: &ReaderConfig) -> Result<(), ModelError> {
    let rows = soft.len() / config.hidden;
    for (position, slot) in slots.iter().enumerate() {
        match *slot {
            Slot::Token(id) if id as usize >= config.vocab_size => {
                return Err(ModelError::Prompt(format!(
                    "token {id} at position {position} is outside the vocabulary of {}",
                    config.vocab_size
                )));
            }
            Slot::Soft(row) if row >= rows => {
                return Err(ModelError::Prompt(format!(
                    "soft token {row} at position {position} has no vector ({rows} are there)"
                )));
            }
            _ => {}
        }
    }
    Ok(())
}

/// Checks that what stands apart are tokens, with something behind them.
fn check_apart(apart: Option<&Range<usize>>, slots: &[Slot]) -> Result<(), ModelError> {
    let Some(apart) = apart else { return Ok(()) };
    let tokens = slots.get(apart.clone()).unwrap_or_default();
    let all_tokens = tokens.iter().all(|slot| matches!(slot, Slot::Token(_)));
    if !tokens.is_empty() && all_tokens && apart.end < slots.len() {
        Ok(())
    } else {
        Err(ModelError::Prompt(format!(
            "slots {}..{} of {} cannot stand apart: they must be tokens with something behind them",
            apart.start,
            apart.end,
            slots.len()
        )))
    }
}
