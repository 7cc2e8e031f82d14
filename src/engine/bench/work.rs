//! What can be timed. `assets/peers.py` does the same.

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
