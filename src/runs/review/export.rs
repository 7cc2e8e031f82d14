//! Votes with what they were given about, as CSV and as JSON lines.

use std::path::Path;

use serde::Serialize;
use serde_json::Value;

use super::material::ReviewMaterial;
use super::results::ReviewResults;
use super::votes::Vote;
use crate::evaluation::Arm;
use crate::runs::{RunError, csv_field, files};

/// One vote; the fields are the columns.
#[derive(Serialize)]
struct Row<'a> {
    time: &'a str,
    reviewer: &'a str,
    step: usize,
    split: String,
    seed: u64,
    sample: &'a str,
    repository: &'a str,
    left: Arm,
    right: Arm,
    answer: String,
    winner: Option<Arm>,
    seconds: f64,
    target_seen: bool,
    left_es: Option<f64>,
    right_es: Option<f64>,
    left_em: Option<f64>,
    right_em: Option<f64>,
    left_text: &'a str,
    right_text: &'a str,
    target: &'a str,
}

impl<'a> Row<'a> {
    fn of(vote: &'a Vote, material: &'a ReviewMaterial) -> Self {
        let scores = |arm: Arm| {
            material
                .completion(&vote.sample, arm)
                .map(|completion| completion.scores)
        };
        let (left, right) = (scores(vote.left), scores(vote.right));
        let sample = material.sample(&vote.sample).map(|record| &record.sample);
        Self {
            time: &vote.time,
            reviewer: &vote.reviewer,
            step: vote.review.step,
            split: vote.review.split.to_string(),
            seed: vote.review.seed,
            sample: &vote.sample,
            repository: sample.map_or("", |sample| &sample.repository),
            left: vote.left,
            right: vote.right,
            answer: vote.answer.to_string(),
            winner: vote.winner(),
            seconds: vote.seconds,
            target_seen: vote.target_seen,
            left_es: left.map(|scores| scores.es_levenshtein),
            right_es: right.map(|scores| scores.es_levenshtein),
            left_em: left.map(|scores| scores.em_token),
            right_em: right.map(|scores| scores.em_token),
            left_text: &vote.left_text,
            right_text: &vote.right_text,
            target: sample.map_or("", |sample| sample.expected_line()),
        }
    }
}

impl ReviewResults {
    /// Writes the votes as JSON lines, one object a vote.
    pub fn write_json_lines(&self, material: &ReviewMaterial, path: &Path) -> Result<(), RunError> {
        let mut text = String::new();
        for object in self.objects(material, path)? {
            text.push_str(&Value::Object(object).to_string());
            text.push('\n');
        }
        files::write_whole(path, text.as_bytes())
    }

    /// Writes the votes as CSV (RFC 4180) with a line of column names.
    pub fn write_csv(&self, material: &ReviewMaterial, path: &Path) -> Result<(), RunError> {
        let mut text = String::new();
        for object in self.objects(material, path)? {
            if text.is_empty() {
                let names: Vec<&str> = object.keys().map(String::as_str).collect();
                text = names.join(",") + "\r\n";
            }
            let fields = object.values().map(|value| match value {
                Value::Null => String::new(),
                Value::String(text) => csv_field(text),
                other => other.to_string(),
            });
            text.push_str(&(fields.collect::<Vec<_>>().join(",") + "\r\n"));
        }
        files::write_whole(path, text.as_bytes())
    }

    fn objects(&self, material: &ReviewMaterial, path: &Path) -> Result<Vec<serde_json::Map<String, Value>>, RunError> {
        let object = |vote| match serde_json::to_value(Row::of(vote, material)) {
            Ok(Value::Object(object)) => Ok(object),
            other => Err(RunError::Shape {
                path: path.to_owned(),
                message: format!("a vote became {other:?}"),
            }),
        };
        self.votes.iter().map(object).collect()
    }
}
