//! The arms of an evaluation: how a prompt is made for a completion.

use serde::{Deserialize, Serialize};

/// How a prompt is made for a completion. Every arm sees the same left context.
#[derive(
    Clone,
    Copy,
    Debug,
    Default,
    PartialEq,
    Eq,
    Hash,
    PartialOrd,
    Ord,
    Serialize,
    Deserialize,
    strum::Display,
    strum::EnumIter,
    strum::EnumString,
)]
#[serde(rename_all = "snake_case")]
#[strum(serialize_all = "snake_case")]
pub enum Arm {
    /// Left context alone.
    #[default]
    NoContext,
    /// The chunks as soft tokens.
    Compressed,
    /// The chunks as text.
    FullRag,
    /// Control: the soft tokens of a sample of another repository.
    ShuffledContext,
    /// Control: the mean of the evaluation's soft tokens, as often as the sample has soft tokens.
    MeanVector,
    /// Control: zeros.
    ZeroVector,
    /// Control: noise, each vector with the norm of the soft token whose place it takes.
    NoiseVector,
    /// Control: tokens drawn from the vocabulary.
    RandomTokens,
    /// Control: soft tokens that are the same for every sample, trained as the run was.
    SoftPrompt,
    /// The names of the chunks as text, up to a budget.
    Identifiers,
    /// Oracle: the chunk that defines the name as text.
    DefinitionText,
    /// Oracle: the chunk that defines the name as soft tokens.
    DefinitionVector,
    /// The best chunks as text, the others as soft tokens.
    SelectiveExpansion,
}

impl Arm {
    /// The arms that are compared where nobody says which.
    pub const DEFAULT: [Self; 4] = [Self::NoContext, Self::Compressed, Self::FullRag, Self::ShuffledContext];

    /// The name a person reads.
    pub fn label(self) -> &'static str {
        match self {
            Self::NoContext => "no context",
            Self::Compressed => "compressed",
            Self::FullRag => "full RAG",
            Self::ShuffledContext => "shuffled context",
            Self::MeanVector => "mean vector",
            Self::ZeroVector => "zeros",
            Self::NoiseVector => "noise",
            Self::RandomTokens => "random tokens",
            Self::SoftPrompt => "soft prompt",
            Self::Identifiers => "identifiers",
            Self::DefinitionText => "definition, text",
            Self::DefinitionVector => "definition, soft",
            Self::SelectiveExpansion => "selective expansion",
        }
    }

    /// What stands at the place of the context, in one line.
    pub fn meaning(self) -> &'static str {
        match self {
            Self::NoContext => "nothing: the code around the cursor alone",
            Self::Compressed => "the retrieved chunks as soft tokens",
            Self::FullRag => "the retrieved chunks as text",
            Self::ShuffledContext => "control: the soft tokens of a sample of another repository",
            Self::MeanVector => "control: the mean soft token of the evaluation, repeated",
            Self::ZeroVector => "control: vectors of zeros",
            Self::NoiseVector => "control: Gaussian noise with the norms of the soft tokens",
            Self::RandomTokens => "control: random tokens of the vocabulary",
            Self::SoftPrompt => "control: one constant soft prompt, trained with the same steps on the same samples",
            Self::Identifiers => "the names of the retrieved chunks that are not in the window, as text",
            Self::DefinitionText => "oracle: the chunk that defines the name, as text",
            Self::DefinitionVector => "oracle: the chunk that defines the name, as soft tokens",
            Self::SelectiveExpansion => "the best chunks as text, the others as soft tokens",
        }
    }

    /// Whether it holds nothing of the sample's own chunks: it is compared with, rather than claimed.
    pub fn is_control(self) -> bool {
        matches!(
            self,
            Self::ShuffledContext
                | Self::MeanVector
                | Self::ZeroVector
                | Self::NoiseVector
                | Self::RandomTokens
                | Self::SoftPrompt
        )
    }

    /// Whether it needs more than one sample and the projector: other samples, training samples or the sample's repository.
    pub fn needs_evaluation(self) -> bool {
        matches!(
            self,
            Self::ShuffledContext | Self::MeanVector | Self::SoftPrompt | Self::DefinitionText | Self::DefinitionVector
        )
    }

    /// Whether it reads the chunk that defines the name.
    pub fn is_definition(self) -> bool {
        matches!(self, Self::DefinitionText | Self::DefinitionVector)
    }

    /// Whether evaluations while training runs leave it out: it reads repositories again, or is trained itself.
    pub fn waits_for_the_end(self) -> bool {
        self.is_definition() || self == Self::SoftPrompt
    }
}
