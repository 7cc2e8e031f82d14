//! The folder `probes/` of a run: what is watched at every probe step, a sample of the reader's tokens beside it, and the
//! instruments of steps that were looked at before.

use std::collections::BTreeMap;
use std::fs::{self, OpenOptions};
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::time::UNIX_EPOCH;

use half::f16;
use rand::SeedableRng as _;
use rand_chacha::ChaCha8Rng;
use safetensors::tensor::{Dtype, SafeTensors, TensorView};
use serde::{Deserialize, Serialize};

use super::{ProbeChunks, ProbeRecord, RunError, files, layout};
use crate::collapse::ProbeSummary;

/// Token embeddings in the sample.
const SAMPLED: usize = 512;
const EMBEDDINGS: &str = "embeddings";
const IDS: &str = "ids";

/// `probes/tokens.safetensors`: some of the reader's token embeddings, so that soft tokens can be seen among them without the
/// reader.
#[derive(Clone, Debug, PartialEq)]
pub struct TokenSample {
    /// `ids`: the tokens, ascending.
    pub ids: Vec<u32>,
    /// Length of an embedding.
    pub width: usize,
    /// `embeddings`: `[tokens, width]` row-major, in half precision on disk.
    pub embeddings: Vec<f32>,
}

impl TokenSample {
    /// Draws from a table `[vocabulary, width]`, row-major; the same tokens for the same vocabulary and seed.
    pub fn draw(table: &[f32], width: usize, seed: u64) -> Self {
        let vocabulary = table.len().checked_div(width).unwrap_or_default();
        let mut random = ChaCha8Rng::seed_from_u64(seed);
        let mut drawn = rand::seq::index::sample(&mut random, vocabulary, SAMPLED.min(vocabulary)).into_vec();
        drawn.sort_unstable();
        let rows = drawn.iter().filter_map(|id| table.get(id * width..(id + 1) * width));
        Self {
            embeddings: rows.flatten().copied().collect(),
            ids: drawn.iter().filter_map(|id| u32::try_from(*id).ok()).collect(),
            width,
        }
    }

    pub(super) fn write(&self, path: &Path) -> Result<(), RunError> {
        let shape = |error: safetensors::SafeTensorError| RunError::Shape {
            path: path.to_owned(),
            message: error.to_string(),
        };
        let halves: Vec<u8> = self
            .embeddings
            .iter()
            .flat_map(|value| f16::from_f32(*value).to_le_bytes())
            .collect();
        let ids: Vec<u8> = self.ids.iter().flat_map(|id| id.to_le_bytes()).collect();
        let views = [
            (
                EMBEDDINGS,
                TensorView::new(Dtype::F16, vec![self.ids.len(), self.width], &halves).map_err(shape)?,
            ),
            (
                IDS,
                TensorView::new(Dtype::U32, vec![self.ids.len()], &ids).map_err(shape)?,
            ),
        ];
        files::write_whole(path, &safetensors::serialize(views, None).map_err(shape)?)
    }

    fn read(path: &Path) -> Result<Self, RunError> {
        let bytes = fs::read(path).map_err(RunError::read(path))?;
        let file = SafeTensors::deserialize(&bytes).map_err(|error| RunError::damaged(path, error))?;
        let tensor = |name: &str, kind: Dtype| {
            let view = file.tensor(name).map_err(|error| RunError::damaged(path, error))?;
            if view.dtype() == kind {
                Ok(view)
            } else {
                Err(RunError::damaged(path, format!("tensor {name:?} is not {kind:?}")))
            }
        };
        let embeddings = tensor(EMBEDDINGS, Dtype::F16)?;
        let [_, width] = *embeddings.shape() else {
            return Err(RunError::damaged(path, format!("tensor {EMBEDDINGS:?} is no matrix")));
        };
        let (halves, _) = embeddings.data().as_chunks::<2>();
        let ids = tensor(IDS, Dtype::U32)?;
        let (ids, _) = ids.data().as_chunks::<4>();
        Ok(Self {
            ids: ids.iter().copied().map(u32::from_le_bytes).collect(),
            width,
            embeddings: halves.iter().map(|half| f16::from_le_bytes(*half).to_f32()).collect(),
        })
    }
}

/// A line of `probes/instruments.jsonl`: what was computed from one probe, kept by whoever looked at it first.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ProbeNumbers {
    /// Steps finished when the probe was taken.
    pub step: usize,
    /// Length and time of the probe's file: a probe that was taken again after a roll-back is looked at again.
    pub file: (u64, u64),
    /// As in the probe.
    pub token_norm_quantiles: [f32; 3],
    /// The numbers.
    pub summary: ProbeSummary,
}

/// The probes of a run. It holds nothing: a thread may read while the run grows.
#[derive(Clone, Debug)]
pub struct Probes {
    folder: PathBuf,
}

impl Probes {
    /// Those of the run in a folder.
    pub fn of(folder: &Path) -> Self {
        Self {
            folder: folder.to_owned(),
        }
    }

    /// The watched vectors at a step.
    pub fn record(&self, step: usize) -> Result<ProbeRecord, RunError> {
        files::read_probe(&layout::probe(&self.folder, step), step)
    }

    /// The chunks behind the rows of every probe.
    pub fn chunks(&self) -> Result<ProbeChunks, RunError> {
        let path = layout::probe_chunks(&self.folder);
        let bytes = fs::read(&path).map_err(RunError::read(&path))?;
        serde_json::from_slice(&bytes).map_err(|error| RunError::damaged(&path, error))
    }

    /// The sample of token embeddings; none in a run of an earlier program.
    pub fn tokens(&self) -> Result<Option<TokenSample>, RunError> {
        let path = layout::probe_tokens(&self.folder);
        path.exists().then(|| TokenSample::read(&path)).transpose()
    }

    /// The numbers of probes that were looked at before and have not changed since. A line that cannot be read is as good as none:
    /// its numbers are computed again.
    pub fn numbers(&self) -> BTreeMap<usize, ProbeNumbers> {
        let text = fs::read_to_string(layout::probe_instruments(&self.folder)).unwrap_or_default();
        let lines = text
            .lines()
            .filter_map(|line| serde_json::from_str::<ProbeNumbers>(line).ok());
        lines
            .filter(|line| self.stamp(line.step) == Some(line.file))
            .map(|line| (line.step, line))
            .collect()
    }

    /// Keeps the numbers of probes for the next reader. They can be computed again, so nothing is lost when this fails, as in a
    /// folder that must not be written.
    pub fn keep(&self, numbers: &[ProbeNumbers]) -> Result<(), RunError> {
        let path = layout::probe_instruments(&self.folder);
        let lines = numbers
            .iter()
            .map(|line| serde_json::to_string(line).map(|text| text + "\n"));
        let text = lines.collect::<Result<String, _>>().map_err(|error| RunError::Shape {
            path: path.clone(),
            message: error.to_string(),
        })?;
        let file = OpenOptions::new().create(true).append(true).open(&path);
        file.and_then(|mut file| file.write_all(text.as_bytes()))
            .map_err(RunError::write(&path))
    }

    /// Length and time, in nanoseconds, of a probe's file; none when it cannot be seen.
    pub fn stamp(&self, step: usize) -> Option<(u64, u64)> {
        let metadata = fs::metadata(layout::probe(&self.folder, step)).ok()?;
        let time = metadata.modified().ok()?.duration_since(UNIX_EPOCH).ok()?;
        Some((metadata.len(), u64::try_from(time.as_nanos()).ok()?))
    }
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "a failing test should panic")]
    use super::*;

    #[test]
    fn a_sample_of_tokens_is_drawn_once_and_read_back() {
        let table: Vec<f32> = (0..2000 * 4).map(|at| at as f32 / 16.0).collect();
        let sample = TokenSample::draw(&table, 4, 7);
        assert_eq!((sample.ids.len(), sample.embeddings.len()), (SAMPLED, SAMPLED * 4));
        assert_eq!(sample, TokenSample::draw(&table, 4, 7));
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("tokens.safetensors");
        sample.write(&path).unwrap();
        let read = TokenSample::read(&path).unwrap();
        assert_eq!((&read.ids, read.width), (&sample.ids, 4));
        let close = |(a, b): (&f32, &f32)| (a - b).abs() <= a.abs() / 1024.0;
        assert!(read.embeddings.iter().zip(&sample.embeddings).all(close));
        fs::write(&path, b"torn").unwrap();
        assert!(TokenSample::read(&path).is_err());
        assert_eq!(TokenSample::draw(&[], 4, 7).ids.len(), 0);
    }
}
