//! Checks that name the field, its value and the range it may have; and `--set key=value`.

use std::path::PathBuf;

use super::Experiment;

/// Why an experiment cannot be read or run.
#[derive(Debug, thiserror::Error)]
pub enum ExperimentError {
    /// The file could not be read.
    #[error("cannot read the experiment {}: {source}", path.display())]
    Read {
        /// The file.
        path: PathBuf,
        /// What the system said.
        source: std::io::Error,
    },
    /// The text is not a valid experiment.
    #[error("{origin} is not a valid experiment: {message}")]
    Parse {
        /// The file, or the option, that held the text.
        origin: String,
        /// What the parser said, with the line.
        message: String,
    },
    /// A field is out of range.
    #[error(transparent)]
    Field(#[from] FieldError),
}

/// One field with a value that it may not have.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
#[error("{field} is {value}, but must be {allowed}")]
pub struct FieldError {
    /// Dotted name, as in the TOML file.
    pub field: &'static str,
    /// The value found.
    pub value: String,
    /// The values allowed, in words.
    pub allowed: &'static str,
}

impl Experiment {
    /// The first field that is out of range.
    pub fn validate(&self) -> Result<(), FieldError> {
        self.field_errors().into_iter().next().map_or(Ok(()), Err)
    }

    /// Every field that is out of range, in the order of the file.
    pub fn field_errors(&self) -> Vec<FieldError> {
        let mut errors = Vec::new();
        let mut check = |ok: bool, field, value: String, allowed| {
            if !ok {
                errors.push(FieldError { field, value, allowed });
            }
        };
        let name_ok = !self.name.is_empty()
            && self.name.len() <= 60
            && self
                .name
                .chars()
                .all(|c| c.is_ascii_alphanumeric() || "-_.".contains(c));
        check(
            name_ok,
            "name",
            format!("{:?}", self.name),
            "1 to 60 letters, digits, '-', '_' or '.'",
        );
        let d = &self.data;
        check(
            !d.corpus.trim().is_empty(),
            "data.corpus",
            format!("{:?}", d.corpus),
            "a catalogue id or a folder",
        );
        check(
            (1..=1_000_000).contains(&d.train_samples),
            "data.train_samples",
            d.train_samples.to_string(),
            "1 to 1000000",
        );
        check(
            d.samples_per_repository >= 1,
            "data.samples_per_repository",
            d.samples_per_repository.to_string(),
            "at least 1",
        );
        self.retrieval.check(&mut check);
        self.encoder.check(&mut check);
        check(
            !self.reader.model.trim().is_empty(),
            "reader.model",
            format!("{:?}", self.reader.model),
            "a catalogue id, a GGUF file or a folder",
        );
        check(
            (2..=3).contains(&self.projector.depth),
            "projector.depth",
            self.projector.depth.to_string(),
            "2 or 3",
        );
        check(
            (1..=64).contains(&self.projector.tokens_per_chunk),
            "projector.tokens_per_chunk",
            self.projector.tokens_per_chunk.to_string(),
            "1 to 64",
        );
        self.prompt.check(&mut check);
        self.objective.check(&mut check);
        check(
            self.objective.weights() > 0.0,
            "objective",
            "all zero".into(),
            "at least one weight above 0",
        );
        let s = &self.schedule;
        check(
            (1..=10_000_000).contains(&s.steps),
            "schedule.steps",
            s.steps.to_string(),
            "1 to 10000000",
        );
        check(
            s.reconstruction_steps <= s.steps,
            "schedule.reconstruction_steps",
            s.reconstruction_steps.to_string(),
            "at most schedule.steps",
        );
        check(
            (1..=4096).contains(&s.reconstruction_batch),
            "schedule.reconstruction_batch",
            s.reconstruction_batch.to_string(),
            "1 to 4096",
        );
        check(
            s.reconstruction_rate > 0.0 && s.reconstruction_rate <= 1.0,
            "schedule.reconstruction_rate",
            s.reconstruction_rate.to_string(),
            "above 0, at most 1",
        );
        check(
            (1..=4096).contains(&s.spelled_batch),
            "schedule.spelled_batch",
            s.spelled_batch.to_string(),
            "1 to 4096",
        );
        check(
            (1..=1024).contains(&s.batch),
            "schedule.batch",
            s.batch.to_string(),
            "1 to 1024",
        );
        check(
            s.learning_rate > 0.0 && s.learning_rate <= 1.0,
            "schedule.learning_rate",
            s.learning_rate.to_string(),
            "above 0, at most 1",
        );
        check(
            (0.0..=0.5).contains(&s.warmup),
            "schedule.warmup",
            s.warmup.to_string(),
            "0 to 0.5",
        );
        check(
            (0.0..1.0).contains(&s.beta1),
            "schedule.beta1",
            s.beta1.to_string(),
            "0 up to, not including, 1",
        );
        check(
            (0.0..1.0).contains(&s.beta2),
            "schedule.beta2",
            s.beta2.to_string(),
            "0 up to, not including, 1",
        );
        check(
            (0.0..=1.0).contains(&s.weight_decay),
            "schedule.weight_decay",
            s.weight_decay.to_string(),
            "0 to 1",
        );
        check(
            s.clip > 0.0 && s.clip.is_finite(),
            "schedule.clip",
            s.clip.to_string(),
            "above 0",
        );
        check(
            s.probe_every >= 1,
            "schedule.probe_every",
            s.probe_every.to_string(),
            "at least 1",
        );
        check(
            (4..=2048).contains(&s.probe_chunks),
            "schedule.probe_chunks",
            s.probe_chunks.to_string(),
            "4 to 2048",
        );
        check(
            s.evaluate_every >= 1,
            "schedule.evaluate_every",
            s.evaluate_every.to_string(),
            "at least 1",
        );
        check(
            s.checkpoint_every >= 1,
            "schedule.checkpoint_every",
            s.checkpoint_every.to_string(),
            "at least 1",
        );
        check(
            s.keep_last >= 1,
            "schedule.keep_last",
            s.keep_last.to_string(),
            "at least 1",
        );
        self.evaluation.check(&mut check);
        errors.extend(self.alarms.field_errors());
        errors
    }

    /// Changes one field by its dotted name, as `--set schedule.steps=40` does.
    pub fn set(&mut self, assignment: &str) -> Result<(), ExperimentError> {
        let fail = |message: String| ExperimentError::Parse {
            origin: format!("--set {assignment}"),
            message,
        };
        let Some((key, value)) = assignment.split_once('=') else {
            return Err(fail("write it as key=value, for example schedule.steps=40".into()));
        };
        let mut table = toml::Table::try_from(&*self).map_err(|error| fail(error.to_string()))?;
        let mut parts: Vec<&str> = key.trim().split('.').collect();
        let last = parts.pop().unwrap_or_default();
        let mut target = &mut table;
        for part in parts {
            target = match target.get_mut(part) {
                Some(toml::Value::Table(inner)) => inner,
                _ => return Err(fail(format!("there is no group {part:?}"))),
            };
        }
        let Some(old) = target.get(last) else {
            return Err(fail(format!("there is no field {last:?}")));
        };
        let value = value.trim();
        let wrong = |kind: &str| fail(format!("{value:?} is {kind}"));
        let parsed = match old {
            toml::Value::String(_) => Some(toml::Value::String(value.trim_matches('"').to_owned())),
            toml::Value::Float(_) => value.parse().ok().map(toml::Value::Float),
            toml::Value::Integer(_) => value.parse().ok().map(toml::Value::Integer),
            toml::Value::Boolean(_) => value.parse().ok().map(toml::Value::Boolean),
            toml::Value::Array(_) => Some(words(value)),
            _ => return Err(fail(format!("{last:?} is a group, not a field"))),
        };
        let parsed = parsed.ok_or_else(|| {
            wrong(match old {
                toml::Value::Float(_) => "not a number",
                toml::Value::Integer(_) => "not a whole number",
                _ => "neither true nor false",
            })
        })?;
        target.insert(last.to_owned(), parsed);
        *self = table
            .try_into()
            .map_err(|error: toml::de::Error| fail(error.to_string()))?;
        Ok(())
    }
}

/// A list of words, in brackets and quotation marks as in TOML, or without them.
fn words(text: &str) -> toml::Value {
    let inner = text.trim().trim_start_matches('[').trim_end_matches(']');
    let words = inner.split(',').map(|word| word.trim().trim_matches('"'));
    let words = words.filter(|word| !word.is_empty());
    toml::Value::Array(words.map(|word| toml::Value::String(word.to_owned())).collect())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::experiment::Arm;

    #[test]
    fn defaults_are_valid_once_named() {
        assert_eq!(
            Experiment {
                name: "a".into(),
                ..Experiment::default()
            }
            .validate(),
            Ok(())
        );
    }

    #[test]
    fn a_wrong_field_is_named_with_its_value_and_range() {
        let mut experiment = Experiment {
            name: "a".into(),
            ..Experiment::default()
        };
        experiment.schedule.batch = 0;
        let text = experiment.validate().map_err(|error| error.to_string());
        assert_eq!(text, Err("schedule.batch is 0, but must be 1 to 1024".to_owned()));
    }

    #[test]
    fn set_changes_one_field_and_refuses_what_is_not_there() {
        let mut experiment = Experiment::default();
        assert!(experiment.set("schedule.learning_rate=0.001").is_ok());
        assert!(experiment.set("objective.alignment_form=mean_square").is_ok());
        for arms in ["compressed, zero_vector", "[\"compressed\", \"zero_vector\"]"] {
            assert!(experiment.set(&format!("evaluation.arms={arms}")).is_ok());
            assert_eq!(experiment.evaluation.arms, [Arm::Compressed, Arm::ZeroVector]);
        }
        assert!((experiment.schedule.learning_rate - 0.001).abs() < 1e-12);
        for wrong in [
            "schedule.steps=many",
            "schedule.nothing=1",
            "nothing",
            "schedule=1",
            "objective.alignment_form=cubic",
            "evaluation.arms=compresed",
        ] {
            let before = experiment.clone();
            assert!(experiment.set(wrong).is_err(), "{wrong}");
            assert_eq!(experiment, before);
        }
    }

    #[test]
    fn an_experiment_survives_its_own_file() {
        let experiment = Experiment {
            name: "whole".into(),
            seed: 7,
            ..Experiment::default()
        };
        let again = Experiment::from_toml(&experiment.to_toml(), "test");
        assert!(again.is_ok_and(|again| again == experiment));
        assert!(Experiment::from_toml("schedule = { setps = 4 }", "test").is_err());
    }
}
