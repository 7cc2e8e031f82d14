//! A job's checkpoints: everything that moves later steps, out of memory and into it.

use std::collections::{BTreeMap, HashMap};
use std::time::Duration;

use candle_core::{Device, Tensor};

use super::alarms::MEMORY;
use super::{Counters, TrainingJob};
use crate::engine::EngineError;
use crate::runs::{Checkpoint, NamedTensor};
use crate::training::{SessionState, TrainingError};

/// Prefix of the session's numbers among the text of a checkpoint.
const NUMBER: &str = "number.";

impl TrainingJob {
    /// Begins to write a checkpoint, unless this step has one already. What comes of it is told by a later step, or at the end.
    pub fn checkpoint(&mut self, reason: &str) -> Result<(), EngineError> {
        let SessionState { step, tensors, numbers } = self.session.state();
        if self.checkpointed == Some(step) {
            return Ok(());
        }
        // Copied here: the next step changes the projector in place.
        let tensors: Vec<NamedTensor> = tensors
            .into_iter()
            .map(|(name, tensor)| Ok((name, tensor.dims().to_vec(), tensor.flatten_all()?.to_vec1()?)))
            .collect::<candle_core::Result<_>>()?;
        if let Some((tensor, ..)) = tensors
            .iter()
            .find(|(_, _, values)| !values.iter().all(|value| value.is_finite()))
        {
            let tensor = tensor.clone();
            return Err(TrainingError::Diverged { tensor }.into());
        }
        // A number as text, in as many digits as it takes, is read back to the bit.
        let mut metadata: BTreeMap<String, String> = [
            ("samples", self.done.samples.to_string()),
            ("tokens", self.done.tokens.to_string()),
            ("seconds", self.done.time.as_secs_f64().to_string()),
        ]
        .map(|(key, value)| (key.to_owned(), value))
        .into();
        metadata.extend(
            serde_json::to_string(self.alarms.monitor().state())
                .ok()
                .map(|memory| (MEMORY.to_owned(), memory)),
        );
        let numbers = numbers.into_iter();
        metadata.extend(numbers.map(|(name, number)| (format!("{NUMBER}{name}"), number.to_string())));
        self.writer.checkpoint(step, tensors, metadata, reason)?;
        self.checkpointed = Some(step);
        Ok(())
    }

    /// Notes a checkpoint that has been written, and deletes those that are no longer kept; `wait`s for one that has not.
    pub fn settle(&mut self, wait: bool) -> Result<(), EngineError> {
        match self.writer.settle(wait) {
            Ok(true) => Ok(self.writer.prune(&self.experiment.schedule)?),
            Ok(false) => Ok(()),
            Err(error) => {
                self.checkpointed = None;
                Err(error.into())
            }
        }
    }

    /// Takes everything from a checkpoint of this run.
    pub(super) fn restore(&mut self, checkpoint: &Checkpoint, device: &Device) -> Result<(), EngineError> {
        let tensors: HashMap<String, Tensor> = checkpoint
            .tensors
            .iter()
            .map(|(name, shape, values)| Ok((name.clone(), Tensor::from_slice(values, shape.as_slice(), device)?)))
            .collect::<candle_core::Result<_>>()?;
        let number = |key: &str| -> Result<f64, EngineError> {
            let text = checkpoint.metadata.get(key);
            text.and_then(|text| text.parse().ok())
                .ok_or_else(|| EngineError::Checkpoint {
                    folder: self.folder().to_owned(),
                    step: checkpoint.step,
                    what: key.to_owned(),
                })
        };
        let names = checkpoint.metadata.keys();
        let numbers = names
            .filter_map(|key| Some((key.strip_prefix(NUMBER)?, key)))
            .map(|(name, key)| Ok((name.to_owned(), number(key)?)))
            .collect::<Result<_, EngineError>>()?;
        let done = Counters {
            samples: number("samples")? as usize,
            tokens: number("tokens")? as usize,
            time: Duration::try_from_secs_f64(number("seconds")?).unwrap_or_default(),
        };
        self.session.restore(&SessionState {
            step: checkpoint.step,
            tensors,
            numbers,
        })?;
        self.done = done;
        self.checkpointed = Some(checkpoint.step);
        self.evaluation = None;
        self.recent.clear();
        self.in_force = None;
        Ok(())
    }
}
