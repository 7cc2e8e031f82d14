//! The experiment that Start would train: what was typed, what it means, and what differs from the preset.

use std::collections::BTreeMap;

use super::fields::{self, Kind};
use super::presets::PRESETS;
use crate::experiment::Experiment;

/// An experiment being edited.
#[derive(Clone, Debug)]
pub struct ExperimentEditor {
    /// Place of its preset in the list.
    pub preset: usize,
    /// The Start button is to take the keyboard.
    pub focus_start: bool,
    experiment: Experiment,
    /// What was typed and cannot be read yet: the text, and why not.
    unread: BTreeMap<&'static str, (String, String)>,
    /// Every field as text; made anew at each change, because the form reads all of them in every frame.
    values: BTreeMap<&'static str, String>,
    base_values: BTreeMap<&'static str, String>,
    /// Fields that cannot be trained with, and why not; those that cannot be read first.
    problems: Vec<(&'static str, String)>,
}

impl Default for ExperimentEditor {
    fn default() -> Self {
        Self::of(0)
    }
}

impl ExperimentEditor {
    /// A preset, unchanged; the first one when there is no such preset.
    pub fn of(preset: usize) -> Self {
        let preset = if preset < PRESETS.len() { preset } else { 0 };
        let base = PRESETS
            .get(preset)
            .map(|preset| preset.experiment())
            .unwrap_or_default();
        let base_values = field_texts(&base);
        let mut editor = Self {
            preset,
            focus_start: false,
            experiment: base,
            unread: BTreeMap::new(),
            values: BTreeMap::new(),
            base_values,
            problems: Vec::new(),
        };
        editor.derive();
        editor
    }

    /// Makes what the form reads.
    fn derive(&mut self) {
        self.values = field_texts(&self.experiment);
        let typed = self.unread.iter().map(|(key, (text, _))| (*key, text.clone()));
        self.values.extend(typed);
        let unread = self.unread.iter().map(|(key, (_, reason))| (*key, reason.clone()));
        let out_of_range = self.experiment.field_errors().into_iter();
        self.problems = unread
            .chain(out_of_range.map(|error| (error.field, format!("{} must be {}", error.value, error.allowed))))
            .collect();
    }

    /// The experiment as far as it can be read.
    pub fn experiment(&self) -> &Experiment {
        &self.experiment
    }

    /// A field as text: what was typed when that cannot be read, else the value.
    pub fn text(&self, key: &str) -> &str {
        self.values.get(key).map_or("", String::as_str)
    }

    /// Reads what was typed into a field.
    pub fn set(&mut self, key: &'static str, text: String) {
        match self.with(key, &text) {
            Ok(experiment) => {
                self.experiment = experiment;
                self.unread.remove(key);
            }
            Err(reason) => {
                self.unread.insert(key, (text, reason));
            }
        }
        self.derive();
    }

    /// Sets a field back to the preset's value.
    pub fn reset(&mut self, key: &'static str) {
        self.set(key, self.base_text(key).to_owned());
    }

    /// The preset's value of a field, as text.
    pub fn base_text(&self, key: &str) -> &str {
        self.base_values.get(key).map_or("", String::as_str)
    }

    /// A field differs from the preset.
    pub fn differs(&self, key: &str) -> bool {
        self.text(key) != self.base_text(key)
    }

    /// Any field differs from the preset.
    pub fn is_changed(&self) -> bool {
        self.values != self.base_values
    }

    /// Why a field cannot be trained with; none when it can.
    pub fn field_problem(&self, key: &str) -> Option<&str> {
        let mut problems = self.problems.iter();
        problems.find(|(of, _)| *of == key).map(|(_, reason)| reason.as_str())
    }

    /// The first thing that stands in the way of a start, in words; none when Start may be pressed.
    pub fn problem(&self) -> Option<String> {
        let (key, reason) = self.problems.first()?;
        Some(format!("{}: {reason}", label_of(key)))
    }

    /// The experiment with one field changed to a text.
    fn with(&self, key: &str, text: &str) -> Result<Experiment, String> {
        let field = fields::find(key).ok_or_else(|| format!("there is no field {key}"))?;
        let typed = text.trim();
        let value = match field.kind {
            Kind::Whole => typed
                .parse::<i64>()
                .map(toml::Value::Integer)
                .map_err(|_not_a_number| format!("{typed:?} is not a whole number"))?,
            Kind::Number => typed
                .parse::<f64>()
                .map(toml::Value::Float)
                .map_err(|_not_a_number| format!("{typed:?} is not a number"))?,
            Kind::Switch => toml::Value::Boolean(typed == "true"),
            Kind::Several(_) => {
                let words = typed.split(',').map(str::trim).filter(|word| !word.is_empty());
                toml::Value::Array(words.map(|word| toml::Value::String(word.to_owned())).collect())
            }
            Kind::Path | Kind::Choice(_) => toml::Value::String(typed.to_owned()),
            Kind::Text => toml::Value::String(text.replace("\\n", "\n").replace("\\t", "\t")),
        };
        let mut table = toml::Table::try_from(&self.experiment).map_err(|error| error.to_string())?;
        let target = match key.split_once('.') {
            Some((group, name)) => match table.get_mut(group) {
                Some(toml::Value::Table(inner)) => inner.get_mut(name),
                _ => None,
            },
            None => table.get_mut(key),
        };
        *target.ok_or_else(|| format!("there is no field {key}"))? = value;
        table
            .try_into()
            .map_err(|error: toml::de::Error| error.message().to_owned())
    }
}

/// Two experiments' fields that differ: label, first value, second value.
pub fn differences(a: &Experiment, b: &Experiment) -> Vec<(&'static fields::Field, String, String)> {
    fields::all()
        .map(|field| (field, field_text(a, field.key), field_text(b, field.key)))
        .filter(|(_, a, b)| a != b)
        .collect()
}

fn label_of(key: &str) -> &str {
    fields::find(key).map_or(key, |field| field.label)
}

/// A field of an experiment as text, `\n` and `\t` written as in TOML.
pub fn field_text(experiment: &Experiment, key: &str) -> String {
    toml::Table::try_from(experiment).map_or_else(|_unwritable| String::new(), |table| text_in(&table, key))
}

/// Every field as text.
pub(super) fn field_texts(experiment: &Experiment) -> BTreeMap<&'static str, String> {
    let table = toml::Table::try_from(experiment).unwrap_or_default();
    fields::all()
        .map(|field| (field.key, text_in(&table, field.key)))
        .collect()
}

fn text_in(table: &toml::Table, key: &str) -> String {
    let value = match key.split_once('.') {
        Some((group, name)) => table.get(group).and_then(|group| group.get(name)),
        None => table.get(key),
    };
    match value {
        Some(toml::Value::String(text)) => text.replace('\n', "\\n").replace('\t', "\\t"),
        Some(toml::Value::Float(number)) => number.to_string(),
        Some(toml::Value::Array(words)) => {
            let words = words
                .iter()
                .map(|word| word.as_str().map_or_else(|| word.to_string(), str::to_owned));
            words.collect::<Vec<_>>().join(", ")
        }
        Some(other) => other.to_string(),
        None => String::new(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_table_names_every_field_of_an_experiment_once() {
        let mut keys = Vec::new();
        for (group, value) in toml::Table::try_from(Experiment::default()).unwrap_or_default() {
            match value {
                toml::Value::Table(inner) => keys.extend(inner.keys().map(|name| format!("{group}.{name}"))),
                _ => keys.push(group),
            }
        }
        let mut named: Vec<&str> = fields::all().map(|field| field.key).collect();
        keys.sort();
        named.sort_unstable();
        assert_eq!(named, keys);
    }

    #[test]
    fn every_field_reads_back_what_it_shows() {
        let mut editor = ExperimentEditor::default();
        let before = editor.experiment().clone();
        for field in fields::all() {
            editor.set(field.key, editor.text(field.key).to_owned());
            assert_eq!(editor.field_problem(field.key), None, "{}", field.key);
        }
        assert_eq!(editor.experiment(), &before);
        assert!(!editor.is_changed());
    }

    #[test]
    fn what_cannot_be_read_stays_as_typed_and_stops_the_start() {
        let mut editor = ExperimentEditor::default();
        editor.set("schedule.steps", "many".into());
        assert_eq!(editor.text("schedule.steps"), "many");
        assert_eq!(
            editor.problem().as_deref(),
            Some("steps: \"many\" is not a whole number")
        );
        editor.reset("schedule.steps");
        assert_eq!(editor.problem(), None);
    }

    #[test]
    fn a_value_out_of_range_is_named_with_its_range() {
        let mut editor = ExperimentEditor::default();
        editor.set("projector.depth", "9".into());
        assert_eq!(editor.field_problem("projector.depth"), Some("9 must be 2 or 3"));
        assert!(editor.differs("projector.depth") && editor.is_changed());
    }

    #[test]
    fn line_breaks_are_written_as_in_toml() {
        let mut editor = ExperimentEditor::default();
        assert_eq!(editor.text("prompt.after"), "\\n");
        editor.set("prompt.after", "\\n\\n".into());
        assert_eq!(editor.experiment().prompt.after, "\n\n");
    }
}
