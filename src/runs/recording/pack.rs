//! From run folders to an archive.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};

use super::archive::Archive;
use super::{ENCODER, PROJECTED, PROJECTOR, VECTORS, halves, thin, torn};
use crate::collapse::{Geometry, Instruments, ProbeSummary, instruments};
use crate::corpus::Split;
use crate::runs::writer::to_json;
use crate::runs::{Manifest, NamedTensor, ProbeNumbers, ProbeRecord, Probes, Run, RunError, files, layout};

/// Parameters of the largest projector that is kept: 1.5 MB in half precision.
const LARGEST_PROJECTOR: usize = 750_000;

/// What a recording has of a run.
#[derive(Clone, Debug, PartialEq)]
pub struct Packed {
    /// Name of the run's folder.
    pub folder: String,
    /// Probes that are kept, and those that there were.
    pub probes: [usize; 2],
    /// Completed samples that are kept, and those that there were, by the split of the newest evaluation.
    pub samples: BTreeMap<Split, [usize; 2]>,
    /// The newest projector is kept, so that it can complete.
    pub projector: bool,
    /// Most that half precision changes of the instruments of the kept probes.
    pub change: Change,
}

/// What half precision changes of the projected vectors' instruments, the largest of some probes.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Change {
    /// Of the mean cosine, −1 to 1.
    pub mean_cosine: f64,
    /// Of the effective rank, as a share of it.
    pub effective_rank: f64,
}

impl Change {
    /// The larger of this and what the vectors of a probe change by, whose instruments were these.
    fn or_of(self, probe: &ProbeRecord, whole: &Instruments) -> Result<Self, RunError> {
        let projected = halves::halved(&probe.projected);
        let halved = ProbeRecord {
            projected,
            ..probe.clone()
        };
        let halved = instruments(&halved.projected_vectors().map_err(torn)?);
        Ok(Self {
            mean_cosine: self.mean_cosine.max((halved.mean_cosine - whole.mean_cosine).abs()),
            effective_rank: self.effective_rank.max((halved.rankme / whole.rankme - 1.0).abs()),
        })
    }
}

impl Packed {
    /// In words, as the manifest has it.
    fn words(&self) -> String {
        let [probes, of_probes] = self.probes;
        let mut words = vec![format!("{probes} of {of_probes} probes, vectors in half precision")];
        words.extend(self.samples.iter().map(|(split, [kept, of])| match kept == of {
            true => format!("all {of} {split} samples of the newest evaluation"),
            false => format!("the first {kept} of {of} {split} samples of the newest evaluation"),
        }));
        words.push(match self.projector {
            true => "the newest projector in half precision".into(),
            false => "no projector".into(),
        });
        words.join("; ")
    }
}

/// Packs runs into the archive at `path`, the completions of the first `samples` of each evaluation (of all for none).
pub fn pack(runs: &[PathBuf], samples: Option<usize>, path: &Path) -> Result<Vec<Packed>, RunError> {
    let mut archive = Archive::new();
    let packed = runs.iter().map(|folder| pack_run(&mut archive, folder, samples));
    let packed = packed.collect::<Result<Vec<_>, _>>()?;
    files::write_whole(path, &archive.finish()?)?;
    Ok(packed)
}

fn pack_run(archive: &mut Archive, folder: &Path, samples: Option<usize>) -> Result<Packed, RunError> {
    // A path such as `.` has a name only when it is written out.
    let folder = &fs::canonicalize(folder).map_err(RunError::read(folder))?;
    let run = Run::open(folder)?;
    let mut packer = Packer {
        archive,
        name: folder.file_name().unwrap_or_default().to_string_lossy().into_owned(),
        run,
    };
    for file in [layout::EXPERIMENT, layout::SCALARS, layout::EVENTS] {
        packer.copy(&folder.join(file))?;
    }
    let kept_samples = packer.evaluations(samples)?;
    let (probes, change) = packer.probes()?;
    let projector = packer.projector()?;
    let packed = Packed {
        folder: packer.name.clone(),
        probes: [probes, packer.run.probe_steps.len()],
        samples: kept_samples,
        projector,
        change,
    };
    let mut manifest = packer.run.manifest.clone();
    manifest.facts.insert(Manifest::RECORDING.into(), packed.words());
    let path = folder.join(layout::MANIFEST);
    packer.add(&path, &to_json(&path, &manifest)?)?;
    Ok(packed)
}

/// One run on its way into the archive.
struct Packer<'a> {
    archive: &'a mut Archive,
    /// Name of the run's folder.
    name: String,
    run: Run,
}

impl Packer<'_> {
    /// Adds a file that would lie at `path` in the run's folder.
    fn add(&mut self, path: &Path, bytes: &[u8]) -> Result<(), RunError> {
        let inside = path.strip_prefix(&self.run.folder).map_err(torn)?;
        let parts = std::iter::once(self.name.clone().into()).chain(inside.iter().map(|part| part.to_string_lossy()));
        let name = parts.collect::<Vec<_>>().join("/");
        self.archive.add(name, bytes)
    }

    /// Adds a file as it stands; nothing where there is none.
    fn copy(&mut self, path: &Path) -> Result<(), RunError> {
        match path.exists() {
            true => self.add(path, &fs::read(path).map_err(RunError::read(path))?),
            false => Ok(()),
        }
    }

    /// The newest evaluation of each split, with the samples that it needs.
    fn evaluations(&mut self, first: Option<usize>) -> Result<BTreeMap<Split, [usize; 2]>, RunError> {
        let steps = self.run.evaluations.iter().map(|summary| (summary.split, summary.step));
        // Ascending by step, so the newest stays.
        let newest: BTreeMap<Split, usize> = steps.collect();
        let (mut kept, mut ids) = (BTreeMap::new(), BTreeSet::new());
        for (split, step) in newest {
            let path = |extension| layout::evaluation(&self.run.folder, step, split, extension);
            let (summary, lines) = (path("json"), path("jsonl"));
            let text = fs::read_to_string(&lines).map_err(RunError::read(&lines))?;
            let completions = thin::completions(&text, first)?;
            self.copy(&summary)?;
            self.add(&lines, completions.text.as_bytes())?;
            kept.insert(split, [completions.samples.len(), completions.of]);
            ids.extend(completions.samples);
        }
        let path = layout::samples(&self.run.folder);
        if path.exists() {
            let text = fs::read_to_string(&path).map_err(RunError::read(&path))?;
            self.add(&path, thin::samples(&text, &ids).as_bytes())?;
        }
        Ok(kept)
    }

    /// Some probes and their numbers; answers with how many there are, and what half precision changes of them.
    fn probes(&mut self) -> Result<(usize, Change), RunError> {
        let folder = self.run.folder.clone();
        let mut records = Vec::new();
        for step in thin::probes(&self.run) {
            let record = self.run.probe(step)?;
            // Of a run that diverged.
            if halves::hold(&record.encoder) && halves::hold(&record.projected) {
                records.push(record);
            }
        }
        let Some(first) = records.first() else {
            return Ok((0, Change::default()));
        };
        self.copy(&layout::probe_chunks(&folder))?;
        self.copy(&layout::probe_tokens(&folder))?;
        let (mut lines, mut change) = (String::new(), Change::default());
        for (record, numbers) in records.iter().zip(numbers(&Probes::of(&folder), &records)?) {
            change = change.or_of(record, &numbers.summary.instruments)?;
            lines.push_str(&serde_json::to_string(&numbers).map_err(torn)?);
            lines.push('\n');
        }
        self.add(&layout::probe_instruments(&folder), lines.as_bytes())?;
        let tensor = |name: String, values: &[f32], rows: usize| -> NamedTensor {
            let width = values.len().checked_div(rows).unwrap_or_default();
            (name, vec![rows, width], values.to_vec())
        };
        let frozen = records.iter().all(|record| record.encoder == first.encoder);
        if frozen {
            let encoder = tensor(ENCODER.into(), &first.encoder, first.rows);
            let path = folder.join(layout::PROBES).join(ENCODER);
            self.add(&path, &halves::write(&[encoder])?)?;
        }
        let mut tensors = Vec::new();
        for record in &records {
            let named = |what: &str| format!("{}.{what}", record.step);
            tensors.push(tensor(named(PROJECTED), &record.projected, record.rows));
            if !frozen {
                tensors.push(tensor(named(ENCODER), &record.encoder, record.rows));
            }
        }
        self.add(&folder.join(layout::PROBES).join(VECTORS), &halves::write(&tensors)?)?;
        Ok((records.len(), change))
    }

    /// The parameters of the newest checkpoint, without what only training needs, if they are few; answers with whether they are.
    fn projector(&mut self) -> Result<bool, RunError> {
        let Some(checkpoint) = self.run.newest_checkpoint().0 else {
            return Ok(false);
        };
        // What is trained has moments.
        let moments: BTreeSet<String> = checkpoint.tensors.iter().map(|(name, ..)| name.clone()).collect();
        let is_trained = |(name, ..): &NamedTensor| moments.contains(&format!("first.{name}"));
        let tensors: Vec<NamedTensor> = checkpoint.tensors.into_iter().filter(is_trained).collect();
        let count: usize = tensors.iter().map(|(.., values)| values.len()).sum();
        let kept = (1..=LARGEST_PROJECTOR).contains(&count) && tensors.iter().all(|(.., values)| halves::hold(values));
        if kept {
            let name = format!("{PROJECTOR}{}", checkpoint.step);
            let path = self.run.folder.join(layout::CHECKPOINTS).join(name);
            self.add(&path, &halves::write(&tensors)?)?;
        }
        Ok(kept)
    }
}

/// The numbers of these probes: those that were kept, else computed here, from vectors in single precision.
fn numbers(probes: &Probes, records: &[ProbeRecord]) -> Result<Vec<ProbeNumbers>, RunError> {
    let known = probes.numbers();
    let mut encoder: Option<Geometry> = None;
    let mut of = |record: &ProbeRecord| {
        let summary = match known.get(&record.step) {
            Some(known) => known.summary.clone(),
            None => {
                let geometry = match encoder.take() {
                    Some(geometry) => geometry,
                    None => Geometry::of(&record.encoder_vectors().map_err(torn)?),
                };
                let projected = Geometry::of(&record.projected_vectors().map_err(torn)?);
                ProbeSummary::of(encoder.insert(geometry), &projected)
            }
        };
        Ok(ProbeNumbers {
            step: record.step,
            // The stamp is that of the file that will be unpacked.
            file: (0, 0),
            token_norm_quantiles: record.token_norm_quantiles,
            summary,
        })
    };
    records.iter().map(&mut of).collect()
}
