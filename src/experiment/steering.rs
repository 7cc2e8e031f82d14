//! What a person may change in the middle of a run: the weights of the objective, and a factor on the learning rate.

use serde::{Deserialize, Serialize};

use super::{Experiment, ExperimentError, FieldError};

/// The field that multiplies the scheduled learning rate; 1 leaves it as it is.
pub const RATE_FACTOR: &str = "learning_rate_factor";

/// What stands before the name of a weight.
const OBJECTIVE: &str = "objective.";

/// One change in mid-run. The steps behind it are trained with `value`; the inverse change has `value` and `before` exchanged.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Intervention {
    /// One of the fields of [`Steering::fields`].
    pub field: String,
    /// Its value from here on.
    pub value: f64,
    /// Its value up to here.
    pub before: f64,
}

impl Intervention {
    /// Whether it takes another one back.
    pub fn reverses(&self, other: &Self) -> bool {
        self.field == other.field && is_same(self.value, other.before) && is_same(self.before, other.value)
    }

    /// Whether it changes the same as another one.
    pub fn repeats(&self, other: &Self) -> bool {
        self.field == other.field && is_same(self.value, other.value) && is_same(self.before, other.before)
    }
}

/// Equal but for the last bits, which a number may lose each time that it is written and read.
fn is_same(one: f64, other: f64) -> bool {
    (one - other).abs() <= 1e-12 * one.abs().max(other.abs())
}

/// An experiment as the changes of mid-run have made it.
#[derive(Clone, Debug, PartialEq)]
pub struct Steering {
    experiment: Experiment,
    rate_factor: f64,
}

impl Steering {
    /// The experiment as it was written, with these changes in their order.
    pub fn new<'a>(
        experiment: &Experiment,
        changes: impl IntoIterator<Item = &'a Intervention>,
    ) -> Result<Self, ExperimentError> {
        let unchanged = Self {
            experiment: experiment.clone(),
            rate_factor: 1.0,
        };
        let changes = changes.into_iter().map(|change| (change.field.as_str(), change.value));
        unchanged.with(changes)
    }

    /// Every field that can be changed, with its value of now: the numbers of `objective`, then [`RATE_FACTOR`].
    pub fn fields(&self) -> Vec<(String, f64)> {
        let objective = toml::Table::try_from(&self.experiment.objective).unwrap_or_default();
        let numbers = objective.into_iter().filter_map(|(key, value)| match value {
            toml::Value::Float(value) => Some((format!("{OBJECTIVE}{key}"), value)),
            _ => None,
        });
        let rate = (RATE_FACTOR.to_owned(), self.rate_factor);
        numbers.chain(std::iter::once(rate)).collect()
    }

    /// Changes one field and says what was changed. Nothing changes when the field is none of [`Self::fields`], or the value out
    /// of its range.
    pub fn set(&mut self, field: &str, value: f64) -> Result<Intervention, ExperimentError> {
        let changed = self.with(std::iter::once((field, value)))?;
        let before = self.fields().into_iter().find(|(name, _)| name == field);
        *self = changed;
        Ok(Intervention {
            field: field.to_owned(),
            value,
            before: before.map_or(value, |(_, before)| before),
        })
    }

    fn with<'a>(&self, changes: impl Iterator<Item = (&'a str, f64)>) -> Result<Self, ExperimentError> {
        let unknown = |field: &str| {
            let names = self.fields().into_iter().map(|(name, _)| name);
            let names = names.collect::<Vec<_>>().join(", ");
            ExperimentError::Parse {
                origin: field.to_owned(),
                message: format!("it cannot be changed in mid-run; what can is {names}"),
            }
        };
        let mut changed = self.clone();
        let mut objective = toml::Table::try_from(&self.experiment.objective).unwrap_or_default();
        for (field, value) in changes {
            let key = field.strip_prefix(OBJECTIVE).unwrap_or_default();
            match objective.get_mut(key) {
                Some(number @ toml::Value::Float(_)) => *number = value.into(),
                _ if field == RATE_FACTOR => changed.rate_factor = value,
                _ => return Err(unknown(field)),
            }
        }
        if !(0.0..=100.0).contains(&changed.rate_factor) {
            return Err(ExperimentError::Field(FieldError {
                field: RATE_FACTOR,
                value: changed.rate_factor.to_string(),
                allowed: "0 to 100",
            }));
        }
        let damaged = |error: toml::de::Error| ExperimentError::Parse {
            origin: "objective".to_owned(),
            message: error.to_string(),
        };
        changed.experiment.objective = objective.try_into().map_err(damaged)?;
        changed.experiment.validate()?;
        Ok(changed)
    }

    /// The experiment that the next step is trained with: changed weights, and the learning rate times its factor.
    pub fn experiment(&self) -> Experiment {
        let mut experiment = self.experiment.clone();
        experiment.schedule.learning_rate *= self.rate_factor;
        experiment
    }
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "a failing test should panic")]
mod tests {
    use super::*;

    fn experiment() -> Experiment {
        Experiment {
            name: "a".into(),
            ..Experiment::default()
        }
    }

    #[test]
    fn the_inverse_of_a_change_brings_back_what_was() {
        let mut steering = Steering::new(&experiment(), []).unwrap();
        let start = steering.clone();
        for (field, value) in [("objective.alignment", 0.3), (RATE_FACTOR, 0.5)] {
            let change = steering.set(field, value).unwrap();
            assert_ne!(steering.experiment(), start.experiment());
            assert_eq!(Steering::new(&experiment(), [&change]).unwrap(), steering);
            let back = steering.set(field, change.before).unwrap();
            assert_eq!((back.value, back.before), (change.before, change.value));
            assert_eq!(steering, start);
        }
    }

    #[test]
    fn what_cannot_be_changed_is_refused_and_changes_nothing() {
        let mut steering = Steering::new(&experiment(), []).unwrap();
        let start = steering.clone();
        for (field, value, expected) in [
            ("schedule.batch", 4.0, "objective.cross_entropy"),
            ("objective.alignment", -1.0, "0 to 1000"),
            ("objective.alignment", f64::NAN, "0 to 1000"),
            (RATE_FACTOR, f64::INFINITY, "0 to 100"),
        ] {
            let message = steering.set(field, value).unwrap_err().to_string();
            assert!(message.contains(expected), "{message}");
            assert_eq!(steering, start);
        }
    }
}
