//! Files that are written whole or not at all, and the two kinds of tensor file in a run folder.

use std::collections::BTreeMap;
use std::fs::{self, File};
use std::path::{Path, PathBuf};

use safetensors::tensor::{Dtype, SafeTensors, TensorView};

use super::{Checkpoint, ProbeRecord, RunError};

/// A named `f32` tensor: name, shape, row-major values.
pub type NamedTensor = (String, Vec<usize>, Vec<f32>);

const ENCODER: &str = "encoder";
const PROJECTED: &str = "projected";
const TOKEN_NORM_QUANTILES: &str = "token_norm_quantiles";

/// Writes a file under a temporary name, syncs it and renames it, so that a reader never sees half of it.
pub fn write_whole(path: &Path, bytes: &[u8]) -> Result<(), RunError> {
    through_temporary(path, |temporary| {
        fs::write(temporary, bytes).map_err(RunError::write(path))
    })
}

/// Writes tensors as safetensors; order of the file is by name.
pub(super) fn write_tensors(
    path: &Path,
    tensors: &[NamedTensor],
    metadata: BTreeMap<String, String>,
) -> Result<(), RunError> {
    let views = views(path, tensors)?;
    let metadata = Some(metadata.into_iter().collect());
    through_temporary(path, |temporary| {
        safetensors::serialize_to_file(views, metadata, temporary).map_err(|error| match error {
            safetensors::SafeTensorError::IoError(source) => RunError::write(path)(source),
            other => shape_error(path)(other),
        })
    })
}

/// What [`write_tensors`] writes, for a file at `path`.
pub(super) fn serialised(
    path: &Path,
    tensors: &[NamedTensor],
    metadata: BTreeMap<String, String>,
) -> Result<Vec<u8>, RunError> {
    let metadata = Some(metadata.into_iter().collect());
    safetensors::serialize(views(path, tensors)?, metadata).map_err(shape_error(path))
}

fn views<'a>(path: &Path, tensors: &'a [NamedTensor]) -> Result<Vec<(&'a str, TensorView<'a>)>, RunError> {
    let views = tensors.iter().map(|(name, shape, values)| {
        let bytes = bytemuck::cast_slice(values);
        TensorView::new(Dtype::F32, shape.clone(), bytes).map(|view| (name.as_str(), view))
    });
    views.collect::<Result<Vec<_>, _>>().map_err(shape_error(path))
}

fn shape_error(path: &Path) -> impl FnOnce(safetensors::SafeTensorError) -> RunError {
    let path = path.to_owned();
    move |error| RunError::Shape {
        path,
        message: error.to_string(),
    }
}

fn through_temporary(path: &Path, write: impl FnOnce(&Path) -> Result<(), RunError>) -> Result<(), RunError> {
    let temporary = temporary_name(path);
    let written = write(&temporary).and_then(|()| {
        File::options()
            .write(true)
            .open(&temporary)
            .and_then(|file| file.sync_all())
            .and_then(|()| fs::rename(&temporary, path))
            .map_err(RunError::write(path))
    });
    if written.is_err() {
        fs::remove_file(&temporary).ok();
        return written;
    }
    // Only Unix can sync a folder; elsewhere the rename itself is durable enough.
    #[cfg(unix)]
    if let Some(folder) = path.parent() {
        File::open(folder)
            .and_then(|folder| folder.sync_all())
            .map_err(RunError::write(path))?;
    }
    written
}

/// Moves a file or folder within a run.
pub(super) fn rename(from: &Path, to: &Path) -> Result<(), RunError> {
    fs::rename(from, to).map_err(RunError::write(from))
}

fn temporary_name(path: &Path) -> PathBuf {
    let name = path.file_name().unwrap_or_default().to_string_lossy();
    path.with_file_name(format!(".{name}.{}.tmp", std::process::id()))
}

/// Reads a checkpoint.
pub(super) fn read_checkpoint(path: &Path, step: usize) -> Result<Checkpoint, RunError> {
    let bytes = fs::read(path).map_err(RunError::read(path))?;
    let (_, header) = SafeTensors::read_metadata(&bytes).map_err(|error| RunError::damaged(path, error))?;
    let metadata = header.metadata().clone().unwrap_or_default().into_iter().collect();
    Ok(Checkpoint {
        step,
        tensors: tensors_of(path, &bytes)?,
        metadata,
    })
}

/// Writes a probe.
pub(super) fn write_probe(path: &Path, probe: &ProbeRecord) -> Result<(), RunError> {
    write_tensors(path, &probe_tensors(probe), BTreeMap::new())
}

/// A probe as it stands in its file.
pub(super) fn probe_tensors(probe: &ProbeRecord) -> [NamedTensor; 3] {
    let matrix = |name: &str, values: &[f32]| {
        let width = values.len().checked_div(probe.rows).unwrap_or_default();
        (name.to_owned(), vec![probe.rows, width], values.to_vec())
    };
    let quantiles = probe.token_norm_quantiles.to_vec();
    [
        matrix(ENCODER, &probe.encoder),
        matrix(PROJECTED, &probe.projected),
        (TOKEN_NORM_QUANTILES.to_owned(), vec![quantiles.len()], quantiles),
    ]
}

/// Reads a probe.
pub(super) fn read_probe(path: &Path, step: usize) -> Result<ProbeRecord, RunError> {
    let bytes = fs::read(path).map_err(RunError::read(path))?;
    let mut tensors = tensors_of(path, &bytes)?;
    let mut take = |name: &str| {
        let at = tensors.iter().position(|(found, ..)| found == name);
        let tensor = at.map(|at| tensors.swap_remove(at));
        tensor.ok_or_else(|| RunError::damaged(path, format!("it has no tensor {name:?}")))
    };
    let (_, encoder_shape, encoder) = take(ENCODER)?;
    let (_, projected_shape, projected) = take(PROJECTED)?;
    let (_, _, quantiles) = take(TOKEN_NORM_QUANTILES)?;
    let rows = match (encoder_shape.as_slice(), projected_shape.as_slice()) {
        ([rows, _], [same, _]) if rows == same => *rows,
        (encoder, projected) => {
            let message = format!("encoder is {encoder:?} and projected {projected:?}, but rows must be equal");
            return Err(RunError::damaged(path, message));
        }
    };
    let token_norm_quantiles = quantiles
        .try_into()
        .map_err(|found: Vec<f32>| RunError::damaged(path, format!("3 quantiles expected, {} found", found.len())))?;
    Ok(ProbeRecord {
        step,
        rows,
        encoder,
        projected,
        token_norm_quantiles,
    })
}

fn tensors_of(path: &Path, bytes: &[u8]) -> Result<Vec<NamedTensor>, RunError> {
    let file = SafeTensors::deserialize(bytes).map_err(|error| RunError::damaged(path, error))?;
    let mut tensors = Vec::with_capacity(file.len());
    for (name, view) in file.tensors() {
        if view.dtype() != Dtype::F32 {
            return Err(RunError::damaged(path, format!("tensor {name:?} is not F32")));
        }
        let (values, _) = view.data().as_chunks::<4>();
        let values = values.iter().copied().map(f32::from_le_bytes).collect();
        tensors.push((name, view.shape().to_vec(), values));
    }
    tensors.sort_by(|(left, ..), (right, ..)| left.cmp(right));
    Ok(tensors)
}
