//! What a person may change in the middle of a run: the weights of the objective, and a factor on the learning rate.

use serde::{Deserialize, Serialize};

use super::{Experiment, ExperimentError, FieldError};

/// The field that multiplies the scheduled learning rate; 1 leaves it as it is.
pub const RATE_FACTOR: &str = "learning_rate_factor";

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
        let mut steering = Self {
            experiment: experiment.clone(),
            rate_factor: 1.0,
        };
        for change in changes {
            steering.set(&change.field, change.value)?;
        }
        Ok(steering)
    }

    /// Every field that can be changed, with its value of now: the numbers of `objective`, then [`RATE_FACTOR`].
    pub fn fields(&self) -> Vec<(String, f64)> {
        let objective = toml::Table::try_from(&self.experiment.objective).unwrap_or_default();
        let numbers = objective.into_iter().filter_map(|(key, value)| match value {
            toml::Value::Float(value) => Some((format!("objective.{key}"), value)),
            _ => None,
        });
        numbers
            .chain(std::iter::once((RATE_FACTOR.to_owned(), self.rate_factor)))
            .collect()
    }

    /// Changes one field and says what was changed. Nothing changes when the field is none of [`Self::fields`], or the value out
    /// of its range.
    pub fn set(&mut self, field: &str, value: f64) -> Result<Intervention, ExperimentError> {
        let known = self.fields();
        let Some((_, before)) = known.iter().find(|(name, _)| name == field) else {
            let names: Vec<&str> = known.iter().map(|(name, _)| name.as_str()).collect();
            return Err(ExperimentError::Parse {
                origin: field.to_owned(),
                message: format!("it cannot be changed in mid-run; what can is {}", names.join(", ")),
            });
        };
        if field == RATE_FACTOR {
            if !(0.0..=100.0).contains(&value) {
                return Err(ExperimentError::Field(FieldError {
                    field: RATE_FACTOR,
                    value: value.to_string(),
                    allowed: "0 to 100",
                }));
            }
            self.rate_factor = value;
        } else {
            let mut changed = self.experiment.clone();
            changed.set(&format!("{field}={value}"))?;
            changed.validate()?;
            self.experiment = changed;
        }
        Ok(Intervention {
            field: field.to_owned(),
            value,
            before: *before,
        })
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
