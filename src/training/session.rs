//! Training of one projector, a step at a time. A step is a function of the seed and its number alone.

use std::collections::BTreeMap;

use candle_core::{Device, Tensor};
use rand::SeedableRng;
use rand::seq::SliceRandom;
use rand_chacha::ChaCha8Rng;

use super::objective::{alignment_frobenius, alignment_mean_square};
use super::optimizer::{AdamW, AdamWSettings};
use super::schedule::cosine_factor;
use super::{SessionState, TrainingError};
use crate::experiment::{AlignmentForm, Experiment};
use crate::models::reader::Reader;
use crate::projector::{Projector, TokenEmbeddings};
use crate::prompt::{PreparedSample, PromptBuilder};

/// A sample with the encoder's vectors of its chunks.
#[derive(Clone, Debug)]
pub struct EncodedSample {
    /// The sample, cut to its budgets.
    pub prepared: PreparedSample,
    /// One vector a chunk, best first, `[chunks, encoder width]` row-major.
    pub vectors: Vec<f32>,
}

/// What one step did.
#[derive(Clone, Debug)]
pub struct StepOutcome {
    /// The weighted sum that was minimised.
    pub loss: f64,
    /// Every term, unweighted.
    pub terms: BTreeMap<String, f64>,
    /// Gradient norm before clipping.
    pub gradient_norm: f64,
    /// Learning rate.
    pub learning_rate: f64,
    /// Samples in the batch.
    pub samples: usize,
    /// Reader positions in the batch.
    pub tokens: usize,
}

/// A projector with its optimiser and the data that it learns from.
pub struct TrainingSession {
    experiment: Experiment,
    projector: Projector,
    optimizer: AdamW,
    samples: Vec<EncodedSample>,
    encoder_width: usize,
    device: Device,
    step: usize,
}

impl TrainingSession {
    /// An untrained projector over `samples`, its outputs matched to the reader's embeddings if the experiment says so.
    pub fn new(
        experiment: &Experiment,
        samples: Vec<EncodedSample>,
        encoder_width: usize,
        embeddings: &TokenEmbeddings,
        device: &Device,
    ) -> Result<Self, TrainingError> {
        if samples.is_empty() {
            return Err(TrainingError::NoSamples);
        }
        let widths = [encoder_width, embeddings.mean.len()];
        let (settings, seed) = (&experiment.projector, experiment.seed);
        let mut projector = Projector::from_settings(settings, widths, embeddings.mean_norm, seed, device)?;
        if experiment.projector.match_embeddings {
            let rows: Vec<f32> = samples
                .iter()
                .take(200)
                .flat_map(|sample| sample.vectors.iter().copied())
                .collect();
            let rows = Tensor::from_vec(rows.clone(), (rows.len() / encoder_width, encoder_width), device)?;
            projector.match_embeddings(&rows, &embeddings.mean, embeddings.deviation)?;
        }
        let schedule = &experiment.schedule;
        let settings = AdamWSettings {
            beta1: schedule.beta1,
            beta2: schedule.beta2,
            eps: 1e-8,
            weight_decay: schedule.weight_decay,
            clip: schedule.clip,
        };
        let optimizer = AdamW::new(settings, projector.parameters())?;
        Ok(Self {
            experiment: experiment.clone(),
            projector,
            optimizer,
            samples,
            encoder_width,
            device: device.clone(),
            step: 0,
        })
    }

    /// Steps taken.
    pub fn steps_done(&self) -> usize {
        self.step
    }

    /// The projector as it is now.
    pub fn projector(&self) -> &Projector {
        &self.projector
    }

    /// Everything that moves later steps, for a checkpoint; the tensors may share their memory with the session's.
    pub fn state(&self) -> SessionState {
        SessionState {
            step: self.step,
            tensors: self
                .projector
                .tensors()
                .into_iter()
                .chain(self.optimizer.state())
                .collect(),
            numbers: BTreeMap::new(),
        }
    }

    /// Goes on from where [`Self::state`] was taken: the next step is the one that came then, to the bit.
    pub fn restore(&mut self, state: &SessionState) -> Result<(), TrainingError> {
        self.optimizer.load_state(&state.tensors, state.step)?;
        self.projector.load_tensors(&state.tensors)?;
        self.step = state.step;
        Ok(())
    }

    /// Trains on with other weights or another learning rate; the rest of the experiment must be what it was.
    pub fn steer(&mut self, experiment: Experiment) {
        self.experiment = experiment;
    }

    /// Takes one optimiser step.
    pub fn step(&mut self, reader: &dyn Reader, prompts: &PromptBuilder<'_>) -> Result<StepOutcome, TrainingError> {
        let schedule = &self.experiment.schedule;
        let batch = batch_indices(self.experiment.seed, self.step, schedule.batch, self.samples.len());
        let (mut encoded, mut sequences, mut chunks, mut soft_tokens) = (Vec::new(), Vec::new(), 0, 0);
        for &index in &batch {
            let sample = &self.samples[index];
            let count = sample.prepared.chunks.len() * self.projector.tokens_per_chunk();
            let prompt = prompts.compressed(&sample.prepared, soft_tokens, count);
            sequences.push(prompts.with_target(prompt, &sample.prepared));
            encoded.extend_from_slice(&sample.vectors);
            chunks += sample.prepared.chunks.len();
            soft_tokens += count;
        }
        let tokens = sequences.iter().map(|sequence| sequence.slots.len()).sum();
        let encoded = Tensor::from_vec(encoded, (chunks, self.encoder_width), &self.device)?;
        let soft = self.projector.forward(&encoded)?;

        let objective = &self.experiment.objective;
        let mut terms = BTreeMap::new();
        let mut loss = 0.0;
        let mut differentiable: Option<Tensor> = None;
        let mut add = |term: Tensor| -> candle_core::Result<()> {
            differentiable = Some(match differentiable.take() {
                Some(sum) => (sum + term)?,
                None => term,
            });
            Ok(())
        };
        if objective.cross_entropy > 0.0 {
            let values: Vec<f32> = soft.detach().flatten_all()?.to_vec1()?;
            let result = reader.loss_and_gradient(&sequences, &values)?;
            // The reader gives its gradient ready-made; this product hands it to the projector's graph.
            let gradient = Tensor::from_vec(result.gradient, soft.shape(), &self.device)?;
            add(((&soft * gradient)?.sum_all()? * objective.cross_entropy)?)?;
            terms.insert("cross_entropy".to_owned(), result.loss);
            loss += objective.cross_entropy * result.loss;
        }
        if chunks > 1 {
            let compared = self.projector.chunk_vectors(&soft)?;
            let forms = [
                (
                    AlignmentForm::Frobenius,
                    "alignment_frobenius",
                    alignment_frobenius(&encoded, &compared)?,
                ),
                (
                    AlignmentForm::MeanSquare,
                    "alignment_mse",
                    alignment_mean_square(&encoded, &compared)?,
                ),
            ];
            for (form, name, term) in forms {
                let value = f64::from(term.to_scalar::<f32>()?);
                terms.insert(name.to_owned(), value);
                if objective.alignment > 0.0 && form == objective.alignment_form {
                    add((term * objective.alignment)?)?;
                    loss += objective.alignment * value;
                }
            }
        }
        let Some(differentiable) = differentiable else {
            return Err(TrainingError::NothingToMinimise);
        };
        if let Some((term, value)) = terms.iter().find(|(_, value)| !value.is_finite()) {
            let (term, value) = (term.clone(), *value);
            return Err(TrainingError::NotFinite { term, value });
        }
        let gradients = differentiable.backward()?;
        let warmup = (schedule.warmup * schedule.steps as f64).round() as usize;
        // The first step has the first rate above zero: a step at rate zero would be spent for nothing.
        let learning_rate = schedule.learning_rate * cosine_factor(self.step + 1, warmup, schedule.steps + 1);
        let report = self
            .optimizer
            .step(self.projector.parameters(), &gradients, learning_rate)?;
        self.step += 1;
        Ok(StepOutcome {
            loss,
            terms,
            gradient_norm: report.gradient_norm,
            learning_rate,
            samples: batch.len(),
            tokens,
        })
    }
}

/// The samples of step `step` (from 0): every epoch is a new order of all samples, drawn from seed and epoch.
fn batch_indices(seed: u64, step: usize, batch: usize, samples: usize) -> Vec<usize> {
    let mut order: Vec<usize> = Vec::new();
    let mut order_of = None;
    (step * batch..(step + 1) * batch)
        .map(|position| {
            let epoch = position / samples;
            if order_of != Some(epoch) {
                order = (0..samples).collect();
                let mut random = ChaCha8Rng::seed_from_u64(seed);
                random.set_stream(epoch as u64 + 1);
                order.shuffle(&mut random);
                order_of = Some(epoch);
            }
            order[position % samples]
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_epoch_sees_every_sample_once_in_a_new_order() {
        let epoch = |first: usize| -> Vec<usize> {
            (first..first + 5)
                .flat_map(|step| batch_indices(3, step, 2, 10))
                .collect()
        };
        let (one, two) = (epoch(0), epoch(5));
        assert_ne!(one, two);
        for mut order in [one, two] {
            order.sort_unstable();
            assert_eq!(order, (0..10).collect::<Vec<_>>());
        }
        assert_eq!(batch_indices(3, 7, 4, 9), batch_indices(3, 7, 4, 9));
    }
}
