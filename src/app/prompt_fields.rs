//! Fields of the prompt and of what is evaluated.

use super::fields::{Group, Kind, field};

/// The arms of an evaluation.
const ARMS: &[&str] = &[
    "no_context",
    "compressed",
    "full_rag",
    "shuffled_context",
    "mean_vector",
    "zero_vector",
    "noise_vector",
    "random_tokens",
    "soft_prompt",
    "identifiers",
    "definition_text",
    "definition_vector",
    "selective_expansion",
];

/// Reader and prompt.
pub(super) const PROMPT: Group = Group {
    name: "Reader and prompt",
    fields: &[
        field(
            "reader.model",
            "model",
            "",
            Kind::Path,
            "Catalogue id, a GGUF file, or a folder with config.json, tokenizer.json and safetensors",
        ),
        field(
            "prompt.left_tokens",
            "left context",
            "tokens",
            Kind::Whole,
            "Reader tokens before the cursor",
        ),
        field(
            "prompt.right_tokens",
            "right context",
            "tokens",
            Kind::Whole,
            "Reader tokens behind the cursor, in layouts that fill in the middle",
        ),
        field(
            "prompt.target_tokens",
            "target limit",
            "tokens",
            Kind::Whole,
            "Longest target, and longest completion",
        ),
        field(
            "prompt.layout",
            "layout",
            "",
            Kind::Choice(&[
                "soft_first",
                "late_fusion",
                "before_line",
                "before_prefix",
                "before_middle",
                "before_middle_cue",
            ]),
            "Where soft tokens stand. Late fusion: only the last left tokens and the target see them; those before_prefix and before_middle need a reader that fills in the middle",
        ),
        field(
            "prompt.tail_tokens",
            "tail",
            "tokens",
            Kind::Whole,
            "Left tokens that see the soft tokens in late fusion",
        ),
        field(
            "prompt.target_lines",
            "target in training",
            "lines",
            Kind::Whole,
            "From the cursor on; evaluations complete one line",
        ),
        field(
            "prompt.before",
            "text before soft tokens",
            "",
            Kind::Text,
            "The first position acts as an attention sink and would lose a vector",
        ),
        field(
            "prompt.after",
            "text behind them",
            "",
            Kind::Text,
            "Real text between the soft tokens and the code",
        ),
    ],
};

/// Evaluation.
pub(super) const EVALUATION: Group = Group {
    name: "Evaluation",
    fields: &[
        field(
            "evaluation.samples",
            "samples",
            "validation",
            Kind::Whole,
            "Validation samples that every arm completes",
        ),
        field(
            "evaluation.arms",
            "arms",
            "",
            Kind::Several(ARMS),
            "What is compared at each evaluation; controls hold nothing of the sample's own chunks",
        ),
        field(
            "evaluation.identifier_tokens",
            "names of chunks",
            "tokens",
            Kind::Whole,
            "Budget of the arm that lists the names of the chunks as text",
        ),
        field(
            "evaluation.expanded_chunks",
            "expanded",
            "chunks",
            Kind::Whole,
            "Best chunks that the arm of selective expansion has as text",
        ),
    ],
};
