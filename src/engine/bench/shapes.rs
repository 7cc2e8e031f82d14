//! What can be timed, and how large it is. `assets/peers.py` has the same numbers.

/// Soft tokens in front of a training sample.
pub(super) const SOFT: usize = 10;
/// Tokens of left context of a training sample.
pub(super) const LEFT: usize = 180;
/// Target tokens of a training sample.
pub(super) const TARGET: usize = 16;
/// Samples of a training step.
pub(super) const BATCH: usize = 8;
/// Tokens in the cache before decoding begins.
pub(super) const CONTEXT: usize = 190;
/// Tokens decoded.
pub(super) const NEW: usize = 64;

/// A work that can be timed.
#[derive(
    Clone, Copy, Debug, PartialEq, Eq, strum::Display, strum::EnumString, strum::EnumIter, strum::IntoStaticStr,
)]
#[strum(serialize_all = "snake_case")]
pub enum Work {
    /// Loss and gradient of 8 × (10 soft + 180 left + 16 target) tokens, soft tokens first.
    TrainStep,
    /// The same in late fusion, the left context but for its last tokens kept from the step before.
    TrainStepLate,
    /// A prompt of 206 tokens.
    #[strum(serialize = "prefill_206")]
    Prefill206,
    /// A prompt of 1,290 tokens.
    #[strum(serialize = "prefill_1290")]
    Prefill1290,
    /// A prompt of 5,130 tokens.
    #[strum(serialize = "prefill_5130")]
    Prefill5130,
    /// 64 tokens behind a prompt of 190.
    #[strum(serialize = "decode_b1")]
    DecodeOne,
    /// The same for 8 prompts.
    #[strum(serialize = "decode_b8")]
    DecodeEight,
    /// Time to the first token of every arm, by stage.
    Ttft,
    /// From the start of a process to a loaded reader.
    Load,
}
