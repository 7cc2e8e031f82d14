//! Everything that moves later steps of a session, by name: what a checkpoint holds, and what an exact resume takes back.

use std::collections::{BTreeMap, HashMap};

use candle_core::Tensor;

/// Prefix of [`Memory::tensors`] among a session's tensors.
const PREFIX: &str = "memory.";

/// What terms of the objective carry from one step to the next: a running baseline of rewards, earlier vectors, and the like.
#[derive(Clone, Debug, Default)]
pub struct Memory {
    /// `f32` tensors by name.
    pub tensors: BTreeMap<String, Tensor>,
    /// Numbers by name.
    pub numbers: BTreeMap<String, f64>,
}

/// A session between two steps.
#[derive(Clone, Debug, Default)]
pub struct SessionState {
    /// Steps taken.
    pub step: usize,
    /// The projector's parameters, the optimiser's moments (`first.*`, `second.*`) and `memory.*`; all `f32`.
    pub tensors: HashMap<String, Tensor>,
    /// [`Memory::numbers`].
    pub numbers: BTreeMap<String, f64>,
}

impl SessionState {
    pub(super) fn new(step: usize, parts: impl IntoIterator<Item = Vec<(String, Tensor)>>, memory: &Memory) -> Self {
        let mut tensors: HashMap<String, Tensor> = parts.into_iter().flatten().collect();
        let remembered = memory.tensors.iter();
        tensors.extend(remembered.map(|(name, tensor)| (format!("{PREFIX}{name}"), tensor.clone())));
        Self {
            step,
            tensors,
            numbers: memory.numbers.clone(),
        }
    }

    pub(super) fn memory(&self) -> Memory {
        let tensors = self.tensors.iter();
        let remembered =
            tensors.filter_map(|(name, tensor)| Some((name.strip_prefix(PREFIX)?.to_owned(), tensor.clone())));
        Memory {
            tensors: remembered.collect(),
            numbers: self.numbers.clone(),
        }
    }
}
