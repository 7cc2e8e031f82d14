//! When a run in training calls for attention, and what it does then.

use serde::{Deserialize, Serialize};

use super::FieldError;

/// What a run does when an alarm is raised.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum AlarmRule {
    /// Only tells it.
    #[default]
    Continue,
    /// Ends the run.
    Stop,
    /// Goes back to the newest checkpoint from before the alarm and trains on with half the learning rate.
    RollBack,
}

/// Limits past which an alarm is raised. It is cleared behind a second limit, nearer to health by [`Self::hysteresis`].
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct AlarmSettings {
    /// What a run does when its representations collapse.
    pub on_collapse: AlarmRule,
    /// What it does when a loss or a gradient is not finite; it cannot continue.
    pub on_not_finite: AlarmRule,
    /// Collapse: the soft tokens' mean cosine this much above the encoder's.
    pub cosine_rise: f64,
    /// Collapse: the soft tokens' effective rank below this share of the encoder's.
    pub rank_share: f64,
    /// The reader's entropy this much above that of the first probes, nats a token.
    pub entropy_rise: f64,
    /// The soft tokens' median norm this many times outside the 5% and 95% quantiles of the reader's token embeddings.
    pub norm_factor: f64,
    /// The gradient norm below this share of that of the first steps.
    pub gradient_share: f64,
    /// Over-fitting: validation cross-entropy this much above its best while that of training fell, nats a token.
    pub validation_rise: f64,
    /// How far back from a limit an alarm is cleared, as a share of the limit.
    pub hysteresis: f64,
    /// Probes (and, for over-fitting, evaluations) in a row that must agree, and first probes that later entropies are held against.
    pub patience: usize,
    /// Steps in a row that must agree, and first steps that later ones are held against.
    pub step_patience: usize,
}

impl Default for AlarmSettings {
    fn default() -> Self {
        Self {
            on_collapse: AlarmRule::Continue,
            on_not_finite: AlarmRule::Stop,
            cosine_rise: 0.3,
            rank_share: 0.3,
            entropy_rise: 0.5,
            norm_factor: 1.5,
            gradient_share: 1e-3,
            validation_rise: 0.02,
            hysteresis: 0.2,
            patience: 2,
            step_patience: 5,
        }
    }
}

impl AlarmSettings {
    /// Every field that is out of range.
    pub(super) fn field_errors(&self) -> Vec<FieldError> {
        let mut errors = Vec::new();
        let mut check = |ok: bool, field, value: String, allowed| {
            if !ok {
                errors.push(FieldError { field, value, allowed });
            }
        };
        check(
            self.on_not_finite != AlarmRule::Continue,
            "alarms.on_not_finite",
            "continue".into(),
            "stop or roll_back: a step that is not finite cannot be taken",
        );
        let limits = [
            ("alarms.cosine_rise", self.cosine_rise),
            ("alarms.rank_share", self.rank_share),
            ("alarms.gradient_share", self.gradient_share),
        ];
        for (field, limit) in limits {
            check(
                limit > 0.0 && limit <= 1.0,
                field,
                limit.to_string(),
                "above 0, at most 1",
            );
        }
        for (field, limit) in [
            ("alarms.entropy_rise", self.entropy_rise),
            ("alarms.validation_rise", self.validation_rise),
        ] {
            check(limit > 0.0 && limit.is_finite(), field, limit.to_string(), "above 0");
        }
        check(
            self.norm_factor > 1.0 && self.norm_factor.is_finite(),
            "alarms.norm_factor",
            self.norm_factor.to_string(),
            "above 1",
        );
        check(
            (0.0..1.0).contains(&self.hysteresis),
            "alarms.hysteresis",
            self.hysteresis.to_string(),
            "0 up to, not including, 1",
        );
        for (field, patience) in [
            ("alarms.patience", self.patience),
            ("alarms.step_patience", self.step_patience),
        ] {
            check((1..=1000).contains(&patience), field, patience.to_string(), "1 to 1000");
        }
        errors
    }
}
