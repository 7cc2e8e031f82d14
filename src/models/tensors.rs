//! The tensors of a model folder: one file or shards, safetensors or PyTorch's own format.

use std::collections::{BTreeSet, HashMap};
use std::path::{Path, PathBuf};

use candle_core::{Device, Tensor};
use serde_json::Value;

use super::ModelError;

/// The files that hold a folder's weights, sorted; safetensors where there are both kinds.
pub(crate) fn weight_files(folder: &Path) -> Result<Vec<PathBuf>, ModelError> {
    let there = |name: &str| Some(folder.join(name)).filter(|path| path.is_file());
    if let Some(whole) = there("model.safetensors") {
        return Ok(vec![whole]);
    }
    if let Some(index) = there("model.safetensors.index.json") {
        return shards(&index);
    }
    let named_otherwise = safetensors_in(folder)?;
    if !named_otherwise.is_empty() {
        return Ok(named_otherwise);
    }
    if let Some(whole) = there("pytorch_model.bin") {
        return Ok(vec![whole]);
    }
    if let Some(index) = there("pytorch_model.bin.index.json") {
        return shards(&index);
    }
    Err(ModelError::Broken {
        path: folder.to_owned(),
        message: "it holds no weights: neither *.safetensors nor pytorch_model.bin".into(),
    })
}

/// All tensors of a folder, on the CPU, in the type that they are stored in.
pub(crate) fn tensors_of(folder: &Path) -> Result<HashMap<String, Tensor>, ModelError> {
    let mut tensors = HashMap::new();
    for path in weight_files(folder)? {
        let broken = |kind: &str, error: candle_core::Error, remedy: &str| ModelError::Broken {
            path: path.clone(),
            message: format!("it is not a readable {kind} file ({error}); {remedy}"),
        };
        if path.extension().is_some_and(|extension| extension == "safetensors") {
            let loaded = candle_core::safetensors::load(&path, &Device::Cpu);
            tensors.extend(loaded.map_err(|error| broken("safetensors", error, "fetch it again"))?);
        } else {
            let loaded = candle_core::pickle::read_all(&path);
            let remedy = "fetch it again, or save it with transformers as safetensors (files of PyTorch before 1.6 are not read)";
            tensors.extend(loaded.map_err(|error| broken("PyTorch", error, remedy))?);
        }
    }
    Ok(tensors)
}

/// The files that an index names.
fn shards(index: &Path) -> Result<Vec<PathBuf>, ModelError> {
    let text = std::fs::read_to_string(index).map_err(ModelError::read(index))?;
    let json: Value = serde_json::from_str(&text).map_err(ModelError::broken(index))?;
    let map = json.get("weight_map").and_then(Value::as_object);
    let names: BTreeSet<&str> = map
        .into_iter()
        .flat_map(|map| map.values())
        .filter_map(Value::as_str)
        .collect();
    if names.is_empty() {
        return Err(ModelError::Broken {
            path: index.to_owned(),
            message: "it names no file in `weight_map`; fetch it again".into(),
        });
    }
    let files: Vec<PathBuf> = names.iter().map(|name| index.with_file_name(name)).collect();
    match files.iter().find(|file| !file.is_file()) {
        None => Ok(files),
        Some(missing) => Err(ModelError::Broken {
            path: index.to_owned(),
            message: format!(
                "it names {}, which is not there; fetch the model again",
                missing.display()
            ),
        }),
    }
}

/// Safetensors that no index names.
fn safetensors_in(folder: &Path) -> Result<Vec<PathBuf>, ModelError> {
    let mut files: Vec<PathBuf> = Vec::new();
    for entry in std::fs::read_dir(folder).map_err(ModelError::read(folder))? {
        let path = entry.map_err(ModelError::read(folder))?.path();
        if path.extension().is_some_and(|extension| extension == "safetensors") {
            files.push(path);
        }
    }
    // Published folders name their weights model*.safetensors; other safetensors beside them are something else.
    let is_weights = |path: &PathBuf| {
        path.file_name()
            .is_some_and(|name| name.to_string_lossy().starts_with("model"))
    };
    if files.iter().any(is_weights) {
        files.retain(is_weights);
    }
    files.sort();
    Ok(files)
}
