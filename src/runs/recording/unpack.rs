//! From an archive to run folders that everything else can read.

use std::collections::BTreeMap;
use std::fs;
use std::io::{Cursor, Read as _};
use std::path::{Path, PathBuf};

use tempfile::TempDir;
use zip::ZipArchive;

use super::{ENCODER, PROJECTED, PROJECTOR, VECTORS, halves, torn};
use crate::runs::{NamedTensor, ProbeNumbers, ProbeRecord, Probes, RunError, files, layout};

/// The recording that ships with the program.
const SHIPPED: &[u8] = include_bytes!("../../../assets/recorded.zip");

/// Recorded runs as ordinary run folders in a temporary folder, which is gone when this is dropped.
#[derive(Debug)]
pub struct Recordings {
    folder: TempDir,
}

impl Recordings {
    /// Unpacks the runs that ship with the program.
    pub fn shipped() -> Result<Self, RunError> {
        Self::unpack(SHIPPED)
    }

    /// Unpacks what [`super::pack`] packed.
    pub fn unpack(archive: &[u8]) -> Result<Self, RunError> {
        let mut archive = ZipArchive::new(Cursor::new(archive)).map_err(torn)?;
        let folder = tempfile::Builder::new().prefix("llavacode-").tempdir();
        let folder = folder.map_err(|source| RunError::NoTemporaryFolder {
            folder: std::env::temp_dir(),
            source,
        })?;
        let mut runs: BTreeMap<PathBuf, Halved> = BTreeMap::new();
        for index in 0..archive.len() {
            let mut entry = archive.by_index(index).map_err(torn)?;
            let name = entry.enclosed_name();
            let name = name.ok_or_else(|| torn(format!("{:?} lies outside", entry.name())))?;
            let mut bytes = Vec::new();
            entry.read_to_end(&mut bytes).map_err(torn)?;
            let run = folder.path().join(name.iter().next().unwrap_or_default());
            let path = folder.path().join(name);
            if let Some(bytes) = runs.entry(run).or_default().take(&path, bytes) {
                write(&path, &bytes)?;
            }
        }
        // A run is a few milliseconds of work, and the cores are idle.
        std::thread::scope(|scope| {
            let expand = |(run, halved): (&PathBuf, &Halved)| halved.expand(run);
            let threads: Vec<_> = runs.iter().map(|one| scope.spawn(move || expand(one))).collect();
            let panicked = |_| Err(torn("its unpacking broke off"));
            let mut ended = threads.into_iter().map(|thread| thread.join().unwrap_or_else(panicked));
            ended.try_for_each(|result| result)
        })?;
        Ok(Self { folder })
    }

    /// The folder that the runs lie in.
    pub fn folder(&self) -> &Path {
        self.folder.path()
    }
}

/// The files of one run that do not stand in a run folder as they are packed.
#[derive(Default)]
struct Halved {
    numbers: Vec<u8>,
    encoder: Vec<u8>,
    vectors: Vec<u8>,
    /// With its step.
    projector: Option<(usize, Vec<u8>)>,
}

impl Halved {
    /// Keeps such a file, and gives back any other.
    fn take(&mut self, path: &Path, bytes: Vec<u8>) -> Option<Vec<u8>> {
        let name = path.file_name()?.to_str()?;
        let folder = path.parent()?.file_name()?;
        if folder == layout::PROBES && name == ENCODER {
            self.encoder = bytes;
        } else if folder == layout::PROBES && name == VECTORS {
            self.vectors = bytes;
        } else if path == layout::probe_instruments(path.parent()?.parent()?) {
            self.numbers = bytes;
        } else if let Some(step) = name.strip_prefix(PROJECTOR).and_then(|step| step.parse().ok()) {
            self.projector = Some((step, bytes));
        } else {
            return Some(bytes);
        }
        None
    }

    /// Writes them as a run has them.
    fn expand(&self, run: &Path) -> Result<(), RunError> {
        if let Some((step, bytes)) = &self.projector {
            let path = layout::checkpoint(run, *step);
            write(
                &path,
                &files::serialised(&path, &halves::read(bytes)?, BTreeMap::new())?,
            )?;
        }
        if self.vectors.is_empty() {
            return Ok(());
        }
        let mut tensors: BTreeMap<String, NamedTensor> = BTreeMap::new();
        for file in [&self.encoder, &self.vectors]
            .into_iter()
            .filter(|file| !file.is_empty())
        {
            let named = halves::read(file)?.into_iter();
            tensors.extend(named.map(|tensor| (tensor.0.clone(), tensor)));
        }
        let probes = Probes::of(run);
        let mut kept = Vec::new();
        for line in self.numbers.split_inclusive(|byte| *byte == b'\n') {
            let numbers: ProbeNumbers = serde_json::from_slice(line).map_err(torn)?;
            let step = numbers.step;
            let missing = || torn(format!("step {step} has no vectors"));
            let (_, shape, projected) = tensors.remove(&format!("{step}.{PROJECTED}")).ok_or_else(missing)?;
            let own = tensors.remove(&format!("{step}.{ENCODER}"));
            let encoder = own.or_else(|| tensors.get(ENCODER).cloned()).ok_or_else(missing)?;
            let record = ProbeRecord {
                step,
                rows: shape.first().copied().unwrap_or_default(),
                encoder: encoder.2,
                projected,
                token_norm_quantiles: numbers.token_norm_quantiles,
            };
            let path = layout::probe(run, step);
            write(
                &path,
                &files::serialised(&path, &files::probe_tensors(&record), BTreeMap::new())?,
            )?;
            let file = probes.stamp(step).ok_or_else(missing)?;
            kept.push(ProbeNumbers { file, ..numbers });
        }
        probes.keep(&kept)
    }
}

/// Writes a file and the folders above it. Unlike what a run writes it is not synced: it need not outlive the program.
fn write(path: &Path, bytes: &[u8]) -> Result<(), RunError> {
    let parent = path.parent().map_or(Ok(()), fs::create_dir_all);
    parent
        .and_then(|()| fs::write(path, bytes))
        .map_err(RunError::write(path))
}
