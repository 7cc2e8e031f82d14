//! Watches a run in training and raises alarms: typed, with two limits and patience each, and a reason in figures.
//!
//! The monitor sees what a run writes, nothing else, so that an alarm can be checked against the run folder. What it remembers
//! goes into checkpoints: a resumed run raises the same alarms as an unbroken one.

use std::collections::BTreeMap;

use super::Instruments;
use super::alarm::{AlarmEvent, AlarmKind, Sign};
use super::memory::{Best, MonitorState};
use crate::experiment::AlarmSettings;

/// The term whose rise is an explosion: measured at probes on the same samples each time, whatever the weights are.
const ENTROPY: &str = "entropy_watched";

/// A paired difference of cross-entropies with its 95% interval, nats a token; below zero is better.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Difference {
    /// The mean.
    pub mean: f64,
    /// Lower end of the interval.
    pub low: f64,
    /// Upper end.
    pub high: f64,
}

impl Difference {
    /// The upper end in half-widths of the interval: below zero it is shown to be better.
    fn upper_end(self) -> f64 {
        let half = self.high - self.mean;
        if half > 0.0 {
            self.high / half
        } else {
            self.mean.signum()
        }
    }

    fn text(self) -> String {
        format!("{:+.3} nats [{:+.3}, {:+.3}]", self.mean, self.low, self.high)
    }
}

/// What an evaluation on the validation split says of the compressed arm.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Judgement {
    /// Mean cross-entropy, nats a token.
    pub cross_entropy: Option<f64>,
    /// Its difference to no context.
    pub gain: Option<Difference>,
    /// Its difference to soft tokens of another repository.
    pub content: Option<Difference>,
}

/// The monitor of one run.
#[derive(Clone, Debug)]
pub struct Monitor {
    settings: AlarmSettings,
    state: MonitorState,
    events: Vec<AlarmEvent>,
}

impl Monitor {
    /// A monitor that has seen nothing, or one that goes on from a [`Self::state`].
    pub fn new(settings: AlarmSettings, state: MonitorState) -> Self {
        Self {
            settings,
            state,
            events: Vec::new(),
        }
    }

    /// What it remembers, for a checkpoint.
    pub fn state(&self) -> &MonitorState {
        &self.state
    }

    /// Alarms that were raised and not cleared.
    pub fn standing(&self) -> impl Iterator<Item = AlarmKind> + '_ {
        self.state
            .gates
            .iter()
            .filter(|(_, gate)| gate.standing)
            .map(|(kind, _)| *kind)
    }

    /// Takes in a training step: the weighted loss, its terms by name, and the gradient norm before clipping.
    pub fn observe_step(
        &mut self,
        step: usize,
        loss: f64,
        terms: &BTreeMap<String, f64>,
        gradient_norm: f64,
    ) -> Vec<AlarmEvent> {
        let named = terms.iter().map(|(name, value)| (name.as_str(), *value));
        let wrong: Vec<&str> = [("loss", loss), ("gradient norm", gradient_norm)]
            .into_iter()
            .chain(named)
            .filter(|(_, value)| !value.is_finite())
            .map(|(name, _)| name)
            .collect();
        let reason = match wrong.as_slice() {
            [] => "loss, terms and gradient are finite again".to_owned(),
            wrong => format!("{} not finite", wrong.join(", ")),
        };
        self.finite(step, wrong.is_empty(), reason);
        let finite = |name: &str| terms.get(name).copied().filter(|value| value.is_finite());
        if let Some(cross_entropy) = finite("cross_entropy") {
            self.state.training.add(cross_entropy);
        }
        if let Some(entropy) = finite(ENTROPY) {
            self.entropy(step, entropy);
        }
        if gradient_norm.is_finite() {
            self.gradient(step, gradient_norm);
        }
        std::mem::take(&mut self.events)
    }

    /// Takes in that something else is infinite or not a number: a vector, or a step that could not be taken.
    pub fn observe_not_finite(&mut self, step: usize, reason: String) -> Vec<AlarmEvent> {
        self.finite(step, false, reason);
        std::mem::take(&mut self.events)
    }

    /// Takes in the watched vectors; `token_norms` are the 5%, 50% and 95% quantiles of the norms of the reader's token embeddings.
    pub fn observe_probe(
        &mut self,
        step: usize,
        encoder: &Instruments,
        projected: &Instruments,
        token_norms: [f64; 3],
    ) -> Vec<AlarmEvent> {
        self.collapse(step, encoder, projected);
        self.scale(step, projected.median_norm, token_norms);
        std::mem::take(&mut self.events)
    }

    /// Takes in an evaluation on the validation split.
    pub fn observe_evaluation(&mut self, step: usize, judgement: &Judgement) -> Vec<AlarmEvent> {
        // The intervals are what patience is elsewhere: one evaluation decides.
        let clear = -self.settings.hysteresis;
        let sides = [
            (AlarmKind::NoGain, judgement.gain, "no context"),
            (
                AlarmKind::ContentIgnored,
                judgement.content,
                "soft tokens of another repository",
            ),
        ];
        for (kind, difference, other) in sides {
            if let Some(difference) = difference.filter(|difference| difference.mean.is_finite()) {
                let end = difference.upper_end();
                let sign = if end >= 0.0 {
                    Sign::Past
                } else {
                    Sign::of_high(end, 0.0, clear)
                };
                let reason = || format!("compressed against {other}: cross-entropy {}", difference.text());
                self.gate(kind, step, sign, (1, 1), reason);
            }
        }
        let training = std::mem::take(&mut self.state.training).value();
        let validation = judgement.cross_entropy.filter(|value| value.is_finite());
        if let (Some(validation), Some(training)) = (validation, training) {
            self.over_fitting(step, validation, training);
        }
        std::mem::take(&mut self.events)
    }

    fn finite(&mut self, step: usize, finite: bool, reason: String) {
        let sign = if finite { Sign::Healthy } else { Sign::Past };
        let patience = (1, self.settings.step_patience);
        self.gate(AlarmKind::NotFinite, step, sign, patience, || reason);
    }

    fn entropy(&mut self, step: usize, entropy: f64) {
        let AlarmSettings {
            entropy_rise: limit,
            hysteresis,
            patience,
            ..
        } = self.settings;
        if let Some(first) = self.state.entropy.baseline(entropy, patience) {
            let rise = entropy - first;
            let sign = Sign::of_high(rise, limit, limit * (1.0 - hysteresis));
            self.gate(AlarmKind::EntropyExplosion, step, sign, (patience, patience), || {
                format!("entropy {entropy:.2} nats, {rise:+.2} against {first:.2} at first (limit {limit:+})")
            });
        }
    }

    fn gradient(&mut self, step: usize, norm: f64) {
        let AlarmSettings {
            gradient_share: limit,
            hysteresis,
            step_patience,
            ..
        } = self.settings;
        if let Some(first) = self.state.gradient.baseline(norm, step_patience) {
            let (raise, clear) = (limit * first, limit * (1.0 + hysteresis) * first);
            let sign = if norm == 0.0 {
                Sign::Past
            } else {
                Sign::of_low(norm, raise, clear)
            };
            self.gate(
                AlarmKind::GradientVanished,
                step,
                sign,
                (step_patience, step_patience),
                || {
                    format!(
                        "gradient norm {norm:.2e}, in the first {step_patience} steps {first:.2e} (limit {raise:.2e})"
                    )
                },
            );
        }
    }

    fn collapse(&mut self, step: usize, encoder: &Instruments, projected: &Instruments) {
        let AlarmSettings {
            cosine_rise,
            rank_share,
            hysteresis,
            patience,
            ..
        } = self.settings;
        let rise = projected.mean_cosine - encoder.mean_cosine;
        let share = projected.rankme / encoder.rankme;
        // Neither takes the mean off: centred measures are blind to vectors that are all the same.
        let sign = Sign::of_high(rise, cosine_rise, cosine_rise * (1.0 - hysteresis)).or(Sign::of_low(
            share,
            rank_share,
            rank_share * (1.0 + hysteresis),
        ));
        self.gate(AlarmKind::RepresentationCollapse, step, sign, (patience, patience), || {
            format!(
                "mean cosine {:.2}, encoder {:.2} (limit {cosine_rise:+}); effective rank {:.1}, encoder {:.1}: {share:.2} of it (limit {rank_share})",
                projected.mean_cosine, encoder.mean_cosine, projected.rankme, encoder.rankme
            )
        });
    }

    fn scale(&mut self, step: usize, norm: f64, [low, _, high]: [f64; 3]) {
        let AlarmSettings {
            norm_factor: limit,
            hysteresis,
            patience,
            ..
        } = self.settings;
        let outside = (norm / high).max(low / norm);
        let sign = Sign::of_high(outside, limit, 1.0 + (limit - 1.0) * (1.0 - hysteresis));
        self.gate(AlarmKind::OffScale, step, sign, (patience, patience), || {
            format!("median norm {norm:.2}, token embeddings {low:.2} to {high:.2} (limit {limit} times outside)")
        });
    }

    fn over_fitting(&mut self, step: usize, validation: f64, training: f64) {
        let AlarmSettings {
            validation_rise: limit,
            hysteresis,
            patience,
            ..
        } = self.settings;
        let now = Best {
            step,
            validation,
            training,
        };
        let best = match self.state.best {
            Some(best) if best.validation <= validation => best,
            _ => now,
        };
        self.state.best = Some(best);
        let rise = validation - best.validation;
        let sign = if training < best.training {
            Sign::of_high(rise, limit, limit * (1.0 - hysteresis))
        } else {
            Sign::Healthy
        };
        self.gate(AlarmKind::OverFitting, step, sign, (patience, patience), || {
            format!(
                "validation cross-entropy {validation:.3}, {rise:+.3} against its best at step {} (limit {limit:+}); training {training:.3}, then {:.3}",
                best.step, best.training
            )
        });
    }

    fn gate(
        &mut self,
        kind: AlarmKind,
        step: usize,
        sign: Sign,
        (raise_after, clear_after): (usize, usize),
        reason: impl FnOnce() -> String,
    ) {
        let gate = self.state.gates.entry(kind).or_default();
        if let Some(change) = gate.observe(sign, raise_after, clear_after) {
            self.events.push(AlarmEvent {
                kind,
                change,
                step,
                reason: reason(),
            });
        }
    }
}
