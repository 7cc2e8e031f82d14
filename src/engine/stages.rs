//! Where the time of a completion goes, stage by stage.

use std::time::Instant;

use serde::{Deserialize, Serialize};

/// Milliseconds of every stage.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Stages {
    /// Ranking the chunks of the repository.
    pub retrieve: f64,
    /// Tokens of the left context and of the chunks, cut to their budgets.
    pub tokenise: f64,
    /// Vectors of the chunks.
    pub encode: f64,
    /// Soft tokens of the vectors.
    pub project: f64,
    /// The reader's pass over the prompt, and the choice of the first token.
    pub prefill: f64,
    /// The token's text, and whether it ends the line.
    pub first_token: f64,
}

impl Stages {
    /// All stages together, milliseconds.
    pub fn total(&self) -> f64 {
        let Self {
            retrieve,
            tokenise,
            encode,
            project,
            prefill,
            first_token,
        } = self;
        retrieve + tokenise + encode + project + prefill + first_token
    }
}

/// Tells the time from stage to stage.
pub(super) struct Clock(Instant);

impl Clock {
    pub fn start() -> Self {
        Self(Instant::now())
    }

    /// Milliseconds since the last call.
    pub fn lap(&mut self) -> f64 {
        let now = Instant::now();
        let elapsed = now - std::mem::replace(&mut self.0, now);
        elapsed.as_secs_f64() * 1e3
    }
}
