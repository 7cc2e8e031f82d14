//! What an alarm is, and the gate that keeps it from flapping.

use serde::{Deserialize, Serialize};

/// What an alarm warns of.
#[derive(
    Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, strum::Display, strum::EnumIter,
)]
#[serde(rename_all = "snake_case")]
#[strum(serialize_all = "snake_case")]
pub enum AlarmKind {
    /// The soft tokens of different chunks have become alike.
    RepresentationCollapse,
    /// The reader has become unsure of everything.
    EntropyExplosion,
    /// The soft tokens lie where the reader's token embeddings do not.
    OffScale,
    /// Completions are no better than without context.
    NoGain,
    /// Soft tokens of another repository do as well.
    ContentIgnored,
    /// Nothing is learned any more.
    GradientVanished,
    /// A loss, a gradient or a vector is infinite or not a number.
    NotFinite,
    /// Training samples are learned by heart.
    OverFitting,
}

impl AlarmKind {
    /// The name that a person reads.
    pub fn label(self) -> &'static str {
        match self {
            Self::RepresentationCollapse => "representation collapse",
            Self::EntropyExplosion => "entropy explosion",
            Self::OffScale => "soft tokens off the embedding scale",
            Self::NoGain => "no gain over no context",
            Self::ContentIgnored => "content ignored",
            Self::GradientVanished => "gradient vanished",
            Self::NotFinite => "not finite",
            Self::OverFitting => "over-fitting",
        }
    }

    /// What may help.
    pub fn advice(self) -> &'static str {
        match self {
            Self::RepresentationCollapse => "raise objective.alignment",
            Self::EntropyExplosion => "lower the weight of the reward, or add cross-entropy",
            Self::OffScale => "turn on projector.match_embeddings, or set projector.output_scale",
            Self::NoGain | Self::ContentIgnored => "train longer, or give the reader delimiters and more soft tokens",
            Self::GradientVanished => "raise schedule.learning_rate, or look for a loss that is constant",
            Self::NotFinite => "lower schedule.learning_rate or schedule.clip",
            Self::OverFitting => "stop here, or train on more samples",
        }
    }
}

/// Whether an alarm began or ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum AlarmChange {
    /// It began.
    Raised,
    /// What it warned of is over.
    Cleared,
}

/// An alarm that began or ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AlarmEvent {
    /// What it warns of.
    pub kind: AlarmKind,
    /// Whether it began or ended.
    pub change: AlarmChange,
    /// Last finished step.
    pub step: usize,
    /// What was seen, in words and figures.
    pub reason: String,
}

/// What one observation says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Sign {
    /// Past the limit at which the alarm is raised.
    Past,
    /// Between the two limits.
    Between,
    /// Behind the limit at which it is cleared.
    Healthy,
}

impl Sign {
    /// Of a value that should be small; `clear` is at most `raise`.
    pub fn of_high(value: f64, raise: f64, clear: f64) -> Self {
        if value > raise {
            Self::Past
        } else if value < clear {
            Self::Healthy
        } else {
            Self::Between
        }
    }

    /// Of a value that should be large; `clear` is at least `raise`.
    pub fn of_low(value: f64, raise: f64, clear: f64) -> Self {
        Self::of_high(-value, -raise, -clear)
    }

    /// The worse of two.
    pub fn or(self, other: Self) -> Self {
        match (self, other) {
            (Self::Past, _) | (_, Self::Past) => Self::Past,
            (Self::Between, _) | (_, Self::Between) => Self::Between,
            _ => Self::Healthy,
        }
    }
}

/// Raises and clears one alarm: so many observations in a row must agree.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Gate {
    /// The alarm stands.
    pub standing: bool,
    /// Last observations in a row that speak for a change.
    agreeing: usize,
}

impl Gate {
    /// Takes one observation in.
    pub fn observe(&mut self, sign: Sign, raise_after: usize, clear_after: usize) -> Option<AlarmChange> {
        let (speaks, needed, change) = match self.standing {
            false => (sign == Sign::Past, raise_after, AlarmChange::Raised),
            true => (sign == Sign::Healthy, clear_after, AlarmChange::Cleared),
        };
        self.agreeing = if speaks { self.agreeing + 1 } else { 0 };
        if self.agreeing < needed.max(1) {
            return None;
        }
        *self = Self {
            standing: !self.standing,
            agreeing: 0,
        };
        Some(change)
    }
}
