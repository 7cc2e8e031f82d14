//! Taking up a run that did not end: exactly from its newest whole checkpoint.

use super::{Prepared, TrainingJob};
use crate::engine::dataset::OnProgress;
use crate::engine::device::device_name;
use crate::engine::loaded::LoadedModels;
use crate::engine::{EngineError, EngineSettings};
use crate::models::catalogue::Store;
use crate::runs::{EventKind, Manifest, Run, RunError, RunStatus, RunWriter, interventions};

/// Fails unless a run can go on: it has steps left, and its models and corpus are those that it was trained with.
pub fn check_unchanged(run: &Run, store: &Store) -> Result<(), EngineError> {
    run.experiment.validate()?;
    if run.status() == RunStatus::Finished {
        return Err(EngineError::Finished {
            folder: run.folder.clone(),
            steps: run.experiment.schedule.steps,
        });
    }
    for (name, was) in &run.manifest.sha256 {
        let now = store.sha256(name)?;
        if now != *was {
            return Err(EngineError::Changed {
                folder: run.folder.clone(),
                name: name.clone(),
                was: was.clone(),
                now,
            });
        }
    }
    Ok(())
}

impl TrainingJob {
    /// Takes up a run; also says what a person should know about it.
    ///
    /// Lines and files behind the checkpoint are dropped: the same steps come again. Without any checkpoint the run begins anew.
    pub fn resume(
        run: &Run,
        models: &LoadedModels,
        settings: &EngineSettings,
        progress: OnProgress<'_>,
    ) -> Result<(Self, Vec<String>), EngineError> {
        let mut writer = RunWriter::open(&run.folder)?;
        writer.finish_roll_back()?;
        let mut prepared = Prepared::new(&run.experiment, models, settings, progress)?;
        // Read again: from here on nobody else writes it.
        let run = &Run::open(&run.folder)?;
        let chunks = std::mem::take(&mut prepared.data.probe_chunks);
        let mut job = Self::new(&run.experiment, models, prepared, writer);
        job.interventions = interventions(&run.events);
        let (checkpoint, damaged) = run.newest_checkpoint();
        match (&checkpoint, &run.manifest.parent) {
            (Some(checkpoint), _) => job.restore(checkpoint, &models.device)?,
            (None, Some(parent)) => {
                return Err(EngineError::NoCheckpoint {
                    folder: run.folder.clone(),
                    step: Some(parent.step),
                });
            }
            (None, None) => {}
        }
        let step = job.steps_done();
        job.writer.drop_behind(step)?;
        if checkpoint.is_none() {
            // A kill may have come before these were written.
            job.fill(models, &chunks)?;
        }
        let from = origin(step, &damaged);
        job.writer.event(EventKind::Resume, step, &from)?;
        if let Some(checkpoint) = &checkpoint {
            job.restore_alarms(checkpoint)?;
        }
        job.evaluate_if_missing(run, models)?;
        let mut notes = Vec::from([format!("{} goes on {from}", run.folder.display())]);
        notes.extend(inexact(&run.manifest, models));
        Ok((job, notes))
    }
}

/// Where a run goes on from, in words.
fn origin(step: usize, damaged: &[RunError]) -> String {
    let from = match step {
        0 => "from the beginning, for want of a checkpoint".to_owned(),
        step => format!("from the checkpoint of step {step}"),
    };
    let reasons: Vec<String> = damaged.iter().map(ToString::to_string).collect();
    if reasons.is_empty() {
        return from;
    }
    format!("{from}, since a later one cannot be read: {}", reasons.join("; "))
}

/// Why the next steps may differ in their last bits from those of an unbroken run, if they may.
fn inexact(manifest: &Manifest, models: &LoadedModels) -> Option<String> {
    let (threads, device) = (rayon::current_num_threads(), device_name(&models.device));
    let was = (manifest.threads, manifest.device.as_str());
    (was != (threads, device)).then(|| {
        format!(
            "the run began with {} threads on {} and goes on with {threads} on {device}: its curves go on, but not to the last bit",
            was.0, was.1
        )
    })
}
