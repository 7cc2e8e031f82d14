//! Everything that moves later steps of a session, by name: what a checkpoint holds, and what an exact resume takes back.

use std::collections::{BTreeMap, HashMap};

use candle_core::Tensor;

/// A session between two steps.
#[derive(Clone, Debug, Default)]
pub struct SessionState {
    /// Steps taken.
    pub step: usize,
    /// All `f32`: the projector's parameters under their own names, the optimiser's moments as `first.*` and `second.*`, and what
    /// terms of the objective remember.
    pub tensors: HashMap<String, Tensor>,
    /// What terms of the objective remember in single numbers.
    pub numbers: BTreeMap<String, f64>,
}
