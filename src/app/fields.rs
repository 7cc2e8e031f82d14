//! The fields of an experiment as a person edits them: one table, from which the form is drawn and every edit is read.

use super::objective_fields::{ALIGNMENT, OBJECTIVE, REWARD};

/// What a field holds, and so how it is edited.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// Words; `\n` and `\t` are written as in TOML.
    Text,
    /// A folder, a file or a catalogue id.
    Path,
    /// A whole number.
    Whole,
    /// A number.
    Number,
    /// Yes or no.
    Switch,
    /// One of these words.
    Choice(&'static [&'static str]),
}

/// One field.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Field {
    /// Dotted name in the TOML file.
    pub key: &'static str,
    /// The name a person reads.
    pub label: &'static str,
    /// The unit of the number; may be empty.
    pub unit: &'static str,
    /// What it does.
    pub help: &'static str,
    /// What it holds.
    pub kind: Kind,
}

/// Fields that belong together.
#[derive(Clone, Copy, Debug)]
pub struct Group {
    /// Its heading.
    pub name: &'static str,
    /// Its fields, in order.
    pub fields: &'static [Field],
}

pub(super) const fn field(
    key: &'static str,
    label: &'static str,
    unit: &'static str,
    kind: Kind,
    help: &'static str,
) -> Field {
    Field {
        key,
        label,
        unit,
        help,
        kind,
    }
}

/// Every field of an experiment.
pub const GROUPS: &[Group] = &[
    Group {
        name: "Run",
        fields: &[
            field("name", "name", "", Kind::Text, "Name of the run folder, after the date"),
            field(
                "seed",
                "seed",
                "",
                Kind::Whole,
                "Decides samples, initial weights and batch order",
            ),
        ],
    },
    OBJECTIVE,
    ALIGNMENT,
    REWARD,
    Group {
        name: "Schedule",
        fields: &[
            field("schedule.steps", "steps", "", Kind::Whole, "Optimiser steps in all"),
            field(
                "schedule.reconstruction_steps",
                "reconstruction first",
                "steps",
                Kind::Whole,
                "The first steps learn nothing but to spell a chunk's rarest names from its soft tokens",
            ),
            field("schedule.batch", "batch", "samples", Kind::Whole, "Samples a step"),
            field(
                "schedule.learning_rate",
                "learning rate",
                "",
                Kind::Number,
                "Its peak, reached after the warm-up; it falls along a cosine",
            ),
            field(
                "schedule.warmup",
                "warm-up",
                "share",
                Kind::Number,
                "Share of the steps in which the learning rate rises",
            ),
            field(
                "schedule.clip",
                "gradient clip",
                "norm",
                Kind::Number,
                "A larger gradient norm is scaled down to this",
            ),
            field(
                "schedule.weight_decay",
                "weight decay",
                "",
                Kind::Number,
                "Decoupled, on matrices only",
            ),
            field(
                "schedule.beta1",
                "beta 1",
                "",
                Kind::Number,
                "AdamW's decay of the first moment",
            ),
            field(
                "schedule.beta2",
                "beta 2",
                "",
                Kind::Number,
                "AdamW's decay of the second moment",
            ),
            field(
                "schedule.probe_every",
                "probe every",
                "steps",
                Kind::Whole,
                "How often the projected vectors are looked at",
            ),
            field(
                "schedule.probe_chunks",
                "probe set",
                "chunks",
                Kind::Whole,
                "Chunks whose vectors are watched",
            ),
            field(
                "schedule.evaluate_every",
                "evaluate every",
                "steps",
                Kind::Whole,
                "How often the arms are completed and measured; always after the last step",
            ),
            field(
                "schedule.checkpoint_every",
                "checkpoint every",
                "steps",
                Kind::Whole,
                "How often the projector is kept, to resume from it and to complete with it; also at each evaluation",
            ),
            field(
                "schedule.keep_last",
                "keep the last",
                "checkpoints",
                Kind::Whole,
                "Older checkpoints are deleted, but for the best on the validation split",
            ),
            field(
                "schedule.keep_every",
                "keep every",
                "steps",
                Kind::Whole,
                "Checkpoints at multiples of this are never deleted; 0 for none",
            ),
        ],
    },
    Group {
        name: "Data",
        fields: &[
            field(
                "data.corpus",
                "code",
                "",
                Kind::Path,
                "Catalogue id of a corpus, or a folder whose sub-folders are repositories",
            ),
            field(
                "data.train_samples",
                "training samples",
                "at most",
                Kind::Whole,
                "Fewer are used when the code yields fewer",
            ),
            field(
                "data.samples_per_repository",
                "from one repository",
                "at most",
                Kind::Whole,
                "So that no large package dominates",
            ),
            field(
                "data.only_hits",
                "only hits",
                "",
                Kind::Switch,
                "Train only on samples whose name occurs in a retrieved chunk: the whole gain of retrieval sits there",
            ),
        ],
    },
    Group {
        name: "Retrieval",
        fields: &[
            field(
                "retrieval.k",
                "chunks",
                "a sample",
                Kind::Whole,
                "Each becomes one soft token or several, as the projector says",
            ),
            field(
                "retrieval.chunk_lines",
                "chunk length",
                "lines",
                Kind::Whole,
                "Lines in a chunk; windows do not overlap",
            ),
            field(
                "retrieval.chunk_tokens",
                "chunk limit",
                "tokens",
                Kind::Whole,
                "A chunk is clipped to this many reader tokens, for the encoder and for full RAG alike",
            ),
            field(
                "retrieval.query_lines",
                "query",
                "lines",
                Kind::Whole,
                "Lines before the cursor that form the query",
            ),
        ],
    },
    Group {
        name: "Encoder",
        fields: &[
            field(
                "encoder.model",
                "model",
                "",
                Kind::Path,
                "Catalogue id, a folder with config.json, tokenizer and weights, or \"reader\": the reader itself, with no second model",
            ),
            field(
                "encoder.max_tokens",
                "chunk limit",
                "tokens",
                Kind::Whole,
                "Chunks are cut to this many encoder tokens",
            ),
            field(
                "encoder.pooling",
                "pooling",
                "",
                Kind::Choice(&[
                    "auto",
                    "mean",
                    "first_token",
                    "last_token",
                    "last_code_token",
                    "rare_identifiers",
                ]),
                "How a chunk's tokens become one vector; auto is what the model was made for, rare_identifiers needs the reader as model",
            ),
            field(
                "encoder.input",
                "input",
                "",
                Kind::Choice(&["code", "syntax_tree"]),
                "What is read of a chunk; only UniXcoder reads syntax trees",
            ),
        ],
    },
    Group {
        name: "Projector",
        fields: &[
            field(
                "projector.depth",
                "depth",
                "layers",
                Kind::Whole,
                "2 or 3 linear layers; the inner width follows the reader",
            ),
            field(
                "projector.tokens_per_chunk",
                "soft tokens",
                "a chunk",
                Kind::Whole,
                "They follow each other in the prompt; alignment and probes look at all of a chunk's together",
            ),
            field(
                "projector.output_scale",
                "output scale",
                "",
                Kind::Choice(&["off", "fixed", "learned"]),
                "Give every soft token the mean norm of the reader's token embeddings, or that norm times a trained number",
            ),
            field(
                "projector.match_embeddings",
                "match embeddings",
                "",
                Kind::Switch,
                "Give its outputs the mean and spread of the reader's token embeddings before the first step",
            ),
        ],
    },
    Group {
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
                Kind::Choice(&["soft_first", "late_fusion"]),
                "Late fusion: only the last left tokens and the target see the soft tokens; the rest is computed once and kept",
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
    },
    Group {
        name: "Evaluation",
        fields: &[field(
            "evaluation.samples",
            "samples",
            "validation",
            Kind::Whole,
            "Validation samples that every arm completes",
        )],
    },
    Group {
        name: "Alarms",
        fields: &[
            field(
                "alarms.on_collapse",
                "on collapse",
                "",
                Kind::Choice(&["continue", "stop", "roll_back"]),
                "Go on, end the run, or go back to the checkpoint before the alarm with half the learning rate",
            ),
            field(
                "alarms.on_not_finite",
                "on not finite",
                "",
                Kind::Choice(&["stop", "roll_back"]),
                "End the run, or go back to the checkpoint before the alarm with half the learning rate",
            ),
            field(
                "alarms.cosine_rise",
                "collapse: cosine",
                "above encoder's",
                Kind::Number,
                "Mean cosine of the soft tokens this much above the encoder's",
            ),
            field(
                "alarms.rank_share",
                "collapse: rank",
                "of encoder's",
                Kind::Number,
                "Effective rank of the soft tokens below this share of the encoder's",
            ),
            field(
                "alarms.entropy_rise",
                "entropy rise",
                "nats",
                Kind::Number,
                "Entropy of the reader on watched samples this much above that of the first probes",
            ),
            field(
                "alarms.norm_factor",
                "off scale",
                "times",
                Kind::Number,
                "Median norm of the soft tokens this many times outside the norms of the reader's token embeddings (5% to 95%)",
            ),
            field(
                "alarms.gradient_share",
                "gradient vanished",
                "of first steps'",
                Kind::Number,
                "Gradient norm below this share of that of the first steps",
            ),
            field(
                "alarms.validation_rise",
                "over-fitting",
                "nats",
                Kind::Number,
                "Validation cross-entropy this much above its best while that of training fell",
            ),
            field(
                "alarms.hysteresis",
                "hysteresis",
                "share",
                Kind::Number,
                "How far back from its limit an alarm is cleared, as a share of the limit",
            ),
            field(
                "alarms.patience",
                "patience",
                "probes",
                Kind::Whole,
                "Probes in a row that must agree (for over-fitting, evaluations), and first probes that entropy is held against",
            ),
            field(
                "alarms.step_patience",
                "patience",
                "steps",
                Kind::Whole,
                "Steps in a row that must agree, and first steps that later ones are held against",
            ),
        ],
    },
];

/// The field with this dotted name.
pub fn find(key: &str) -> Option<&'static Field> {
    all().find(|field| field.key == key)
}

/// Every field, in the order of the form.
pub fn all() -> impl Iterator<Item = &'static Field> {
    GROUPS.iter().flat_map(|group| group.fields)
}
