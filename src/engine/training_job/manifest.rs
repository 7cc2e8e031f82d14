//! What a run's manifest says of the machine, the program and the models.

use std::collections::BTreeMap;

use crate::engine::device::device_name;
use crate::engine::loaded::LoadedModels;
use crate::engine::{EngineError, EngineSettings};
use crate::experiment::Experiment;
use crate::projector::Projector;
use crate::runs::{Manifest, SCHEMA_VERSION};

/// The manifest of a run that starts now.
pub(super) fn manifest(
    experiment: &Experiment,
    models: &LoadedModels,
    settings: &EngineSettings,
    mut facts: BTreeMap<String, String>,
    projector: &Projector,
) -> Result<Manifest, EngineError> {
    let mut sha256 = BTreeMap::new();
    let encoder = Some(&experiment.encoder).filter(|encoder| !encoder.is_reader());
    let names = [&experiment.reader.model, &experiment.data.corpus];
    for name in names.into_iter().chain(encoder.map(|encoder| &encoder.model)) {
        sha256.insert(name.clone(), settings.store.sha256(name)?);
    }
    let config = models.reader.config();
    facts.insert("reader.family".into(), config.family.clone());
    facts.insert("reader.hidden".into(), config.hidden.to_string());
    facts.insert("reader.layers".into(), config.layers.to_string());
    facts.insert("reader.kv_heads".into(), config.kv_heads.to_string());
    facts.insert("reader.head_dim".into(), config.head_dim.to_string());
    facts.insert(
        "reader.kv_bytes_per_position".into(),
        config.kv_bytes_per_position().to_string(),
    );
    facts.insert("encoder.width".into(), models.encoder.width().to_string());
    facts.insert("projector.parameters".into(), projector.parameter_count().to_string());
    Ok(Manifest {
        schema: SCHEMA_VERSION,
        program: env!("CARGO_PKG_VERSION").to_owned(),
        commit: git_commit(),
        device: device_name(&models.device).to_owned(),
        threads: rayon::current_num_threads(),
        started: jiff::Timestamp::now().to_string(),
        sha256,
        facts,
        parent: None,
    })
}

/// Commit of the source tree that the program was built from, where that still lies on this machine.
fn git_commit() -> Option<String> {
    let arguments = ["-C", env!("CARGO_MANIFEST_DIR"), "rev-parse", "HEAD"];
    let output = std::process::Command::new("git").args(arguments).output().ok()?;
    output
        .status
        .success()
        .then(|| String::from_utf8_lossy(&output.stdout).trim().to_owned())
}
