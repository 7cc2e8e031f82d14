//! An evaluation that is being made: its completions so far, so that one that was broken off goes on where it was. And the
//! constant soft prompt, which is trained once a run.

use std::collections::BTreeMap;
use std::fs;
use std::path::PathBuf;

use serde::{Deserialize, Serialize};

use super::lines::{LineReader, LineWriter};
use super::{Run, RunError, RunWriter, files, layout};
use crate::corpus::Split;
use crate::evaluation::{Arm, CompletionRecord};

/// Name of the only tensor in the soft prompt's file.
const ROWS: &str = "rows";

/// What an evaluation completes, in its order; completions of another one are of no use to it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct PartKey {
    /// The arms.
    pub arms: Vec<Arm>,
    /// Ids of the samples.
    pub samples: Vec<String>,
}

/// A line of `evaluations/step-N.part`.
#[derive(Serialize, Deserialize)]
#[serde(untagged)]
enum Line {
    Record(Box<CompletionRecord>),
    Key(PartKey),
}

/// The completions so far.
pub struct EvaluationPart {
    path: PathBuf,
    lines: LineWriter,
}

impl EvaluationPart {
    /// Adds completions, whole on disk when this returns.
    pub fn append(&mut self, records: &[CompletionRecord]) -> Result<(), RunError> {
        self.lines.append(records)
    }

    /// Takes it away: the evaluation stands in its own files now.
    pub fn finish(self) -> Result<(), RunError> {
        drop(self.lines);
        fs::remove_file(&self.path).map_err(RunError::write(&self.path))
    }
}

impl RunWriter {
    /// Opens what was completed of an evaluation that was broken off, and gives it back; begins anew when that was another one.
    pub fn evaluation_part(
        &mut self,
        step: usize,
        split: Split,
        key: &PartKey,
    ) -> Result<(EvaluationPart, Vec<CompletionRecord>), RunError> {
        let path = layout::evaluation(&self.folder, step, split, "part");
        let mut lines = LineReader::new(path.clone()).read::<Line>(&mut Vec::new())?.into_iter();
        let same = matches!(lines.next(), Some(Line::Key(found)) if found == *key);
        if !same {
            files::write_whole(&path, &[])?;
        }
        let mut part = EvaluationPart {
            lines: LineWriter::open(path.clone())?,
            path,
        };
        if !same {
            part.lines.append(&[key])?;
            return Ok((part, Vec::new()));
        }
        let records = lines.filter_map(|line| match line {
            Line::Record(record) => Some(*record),
            Line::Key(_) => None,
        });
        Ok((part, records.collect()))
    }

    /// Writes the constant soft prompt, `[rows, width]`.
    pub fn soft_prompt(&mut self, values: &[f32], width: usize) -> Result<(), RunError> {
        let shape = vec![values.len() / width.max(1), width];
        let tensor = (ROWS.to_owned(), shape, values.to_vec());
        files::write_tensors(&self.folder.join(layout::SOFT_PROMPT), &[tensor], BTreeMap::new())
    }
}

impl Run {
    /// The constant soft prompt, if one was trained, row-major.
    pub fn soft_prompt(&self) -> Result<Option<Vec<f32>>, RunError> {
        let path = self.folder.join(layout::SOFT_PROMPT);
        if !path.exists() {
            return Ok(None);
        }
        let tensors = files::read_checkpoint(&path, 0)?.tensors;
        let rows = tensors.into_iter().find(|(name, ..)| name == ROWS);
        Ok(rows.map(|(_, _, values)| values))
    }
}
