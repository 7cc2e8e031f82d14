//! Why a projector cannot be made, loaded or run.

/// Why a projector cannot be made, loaded or run.
#[derive(Debug, thiserror::Error)]
pub enum ProjectorError {
    /// No layout is known for this depth.
    #[error("projector.depth is {0}, but must be 2 or 3")]
    Depth(usize),
    /// A checkpoint lacks a parameter.
    #[error(
        "the checkpoint has no tensor {0}: it was written by a projector with another depth or output_scale, or is no projector"
    )]
    Missing(String),
    /// A checkpoint has a trained scale, and this projector has none to put it in.
    #[error(
        "the checkpoint was written by a projector with output_scale = \"learned\"; set projector.output_scale to that"
    )]
    Scaled,
    /// A checkpoint makes another number of soft tokens of a chunk.
    #[error(
        "the checkpoint was written by a projector with {found} soft tokens a chunk, but projector.tokens_per_chunk is {expected}; \
         set it to {found}, or take a checkpoint of a run with {expected}"
    )]
    TokensPerChunk {
        /// Soft tokens a chunk in the checkpoint.
        found: usize,
        /// Soft tokens a chunk of this projector.
        expected: usize,
    },
    /// A checkpoint's parameter has another shape.
    #[error(
        "the checkpoint's tensor {name} has shape {found:?}, but this encoder and reader need {expected:?}: take those of its run"
    )]
    Shape {
        /// Name of the parameter.
        name: String,
        /// Shape in the checkpoint.
        found: Vec<usize>,
        /// Shape of this projector.
        expected: Vec<usize>,
    },
    /// Outputs that do not differ cannot be scaled to a spread.
    #[error("the projected sample has a spread of {0}: it needs at least two different, finite vectors")]
    NoSpread(f32),
    /// The device could not compute, mostly for want of memory.
    #[error("the device failed: {0}")]
    Compute(#[from] candle_core::Error),
}
