//! The fields of an experiment as a person edits them: one table, from which the form is drawn and every edit is read.

use super::alarm_fields::ALARMS;
use super::data_fields::{DATA, ENCODER, PROJECTOR, RETRIEVAL};
use super::objective_fields::{ALIGNMENT, OBJECTIVE, REWARD};
use super::prompt_fields::{EVALUATION, PROMPT};

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
    /// Some of these words, in this order.
    Several(&'static [&'static str]),
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
            field(
                "schedule.reconstruction_batch",
                "names in it",
                "a step",
                Kind::Whole,
                "Names that a step of this first stage spells, where names are spelled",
            ),
            field(
                "schedule.reconstruction_rate",
                "learning rate in it",
                "",
                Kind::Number,
                "Peak of the learning rate in the first stage; it rises and falls over each stage",
            ),
            field(
                "schedule.spelled_batch",
                "names later",
                "a step",
                Kind::Whole,
                "Names that a later step spells beside its samples, where names are spelled",
            ),
            field("schedule.batch", "batch", "samples", Kind::Whole, "Samples a step"),
            field(
                "schedule.learning_rate",
                "learning rate",
                "",
                Kind::Number,
                "Its peak, reached after the warm-up; it falls along a cosine. A first stage has its own",
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
    DATA,
    RETRIEVAL,
    ENCODER,
    PROJECTOR,
    PROMPT,
    EVALUATION,
    ALARMS,
];

/// The field with this dotted name.
pub fn find(key: &str) -> Option<&'static Field> {
    all().find(|field| field.key == key)
}

/// Every field, in the order of the form.
pub fn all() -> impl Iterator<Item = &'static Field> {
    GROUPS.iter().flat_map(|group| group.fields)
}
