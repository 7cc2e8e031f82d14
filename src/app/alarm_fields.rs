//! Fields of the alarms.

use super::fields::{Group, Kind, field};

/// Alarms.
pub(super) const ALARMS: Group = Group {
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
};
