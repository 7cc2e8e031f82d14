//! Training of one projector, a step at a time. A step is a function of the seed and its number alone.

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

use candle_core::{Device, Tensor};
use rand::Rng;

use super::assemble::{Assembler, Batch};
use super::objective::{AlignmentMemory, CosineDifference, Draw, PolicyWatch};
use super::optimizer::{AdamW, AdamWSettings};
use super::order::epoch_indices;
use super::schedule::learning_rate;
use super::spelling::SpelledNames;
use super::{SessionState, TrainingError};
use crate::experiment::{AlignmentForm, Experiment, Objective};
use crate::models::reader::Reader;
use crate::projector::{Projector, TokenEmbeddings};
use crate::prompt::{PreparedSample, PromptBuilder};

/// Samples whose prediction is watched: few, for a second forward pass at every probe.
const WATCHED: usize = 4;

/// Name of the reward's running baseline in a checkpoint.
const BASELINE: &str = "reward_baseline";

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
    /// Every term, unweighted; also what is measured only.
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
    samples: Arc<[EncodedSample]>,
    assembler: Assembler,
    memory: AlignmentMemory,
    watch: Option<PolicyWatch>,
    names: Option<SpelledNames>,
    encoder_width: usize,
    device: Device,
    step: usize,
}

impl TrainingSession {
    /// An untrained projector over `samples`, its outputs matched to the reader's embeddings if the experiment says so.
    ///
    /// The first few of `validation` are those whose prediction is watched.
    pub fn new(
        experiment: &Experiment,
        samples: Vec<EncodedSample>,
        validation: &[EncodedSample],
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
            let rows = encoder_rows(samples.iter().take(200), encoder_width, device)?;
            projector.match_embeddings(&rows, &embeddings.mean, embeddings.deviation)?;
        }
        let watched = validation.get(..WATCHED).unwrap_or(validation);
        let watch = if watched.is_empty() {
            None
        } else {
            let encoded = encoder_rows(watched.iter(), encoder_width, device)?;
            let untrained = numbers(&projector.forward(&encoded)?)?;
            let samples = watched.iter().map(|sample| sample.prepared.clone()).collect();
            Some(PolicyWatch::new(
                samples,
                projector.tokens_per_chunk(),
                encoded,
                untrained,
            ))
        };
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
            samples: samples.into(),
            assembler: Assembler::default(),
            memory: AlignmentMemory::default(),
            watch,
            names: None,
            encoder_width,
            device: device.clone(),
            step: 0,
        })
    }

    /// Spells these names where it would spell those of the samples' chunks.
    pub fn spell(&mut self, names: SpelledNames) {
        self.names = Some(names);
    }

    /// Begins with the parameters of another projector of the same shape, by name, in place of untrained ones.
    pub fn start_from(&mut self, tensors: &HashMap<String, Tensor>) -> Result<(), TrainingError> {
        Ok(self.projector.load_tensors(tensors)?)
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
        let baseline = self.assembler.baseline.mean;
        SessionState {
            step: self.step,
            tensors: self
                .projector
                .tensors()
                .into_iter()
                .chain(self.optimizer.state())
                .chain(self.memory.state())
                .collect(),
            numbers: baseline
                .map(|mean| (BASELINE.to_owned(), f64::from(mean)))
                .into_iter()
                .collect(),
        }
    }

    /// Goes on from where [`Self::state`] was taken: the next step is the one that came then, to the bit.
    pub fn restore(&mut self, state: &SessionState) -> Result<(), TrainingError> {
        self.optimizer.load_state(&state.tensors, state.step)?;
        self.projector.load_tensors(&state.tensors)?;
        self.memory.load_state(&state.tensors);
        self.assembler.baseline.mean = state.numbers.get(BASELINE).map(|&mean| mean as f32);
        self.step = state.step;
        Ok(())
    }

    /// Trains on with other weights or another learning rate; the rest of the experiment must be what it was.
    pub fn steer(&mut self, experiment: Experiment) {
        self.experiment = experiment;
    }

    /// Takes one optimiser step; one that cannot be taken leaves no trace.
    pub fn step(&mut self, reader: &dyn Reader, prompts: &PromptBuilder<'_>) -> Result<StepOutcome, TrainingError> {
        let baseline = self.assembler.baseline;
        let outcome = self.take_step(reader, prompts);
        if outcome.is_err() {
            self.assembler.baseline = baseline;
        }
        outcome
    }

    fn take_step(&mut self, reader: &dyn Reader, prompts: &PromptBuilder<'_>) -> Result<StepOutcome, TrainingError> {
        let schedule = &self.experiment.schedule;
        let batch = self.batch(prompts)?;
        let of_sample = |&(index, shown): &(usize, usize)| &self.samples[index].vectors[..shown * self.encoder_width];
        let vectors = batch.shown.iter().map(of_sample);
        let names = batch.names.iter().map(|name| name.vector.as_slice());
        let encoded = rows(vectors.chain(names), self.encoder_width, &self.device)?;
        let soft = self.projector.forward(&encoded)?;
        let values = numbers(&soft)?;

        let objective = &batch.objective;
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
        let reading = self.assembler.reading(&batch, &values, reader, prompts)?;
        if !reading.is_empty() {
            let read = reading.backward(reader, &values)?;
            // The reader gives its gradient ready-made; this product hands it to the projector's graph.
            let gradient = Tensor::from_vec(read.gradient, soft.shape(), &self.device)?;
            add((&soft * gradient)?.sum_all()?)?;
            for (name, value, weight) in read.terms {
                terms.insert(name.to_owned(), value);
                loss += weight * value;
            }
        }
        let compared = self.projector.chunk_vectors(&soft)?;
        let difference = CosineDifference::new(&encoded, &compared, &self.memory)?;
        if difference.has_pairs() {
            let forms = [
                (AlignmentForm::Frobenius, "alignment_frobenius", difference.frobenius()?),
                (AlignmentForm::MeanSquare, "alignment_mse", difference.mean_square()?),
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
        let learning_rate = learning_rate(schedule, self.step);
        let report = self
            .optimizer
            .step(self.projector.parameters(), &gradients, learning_rate)?;
        self.memory.push(&encoded, &compared, objective.alignment_memory)?;
        self.step += 1;
        Ok(StepOutcome {
            loss,
            terms,
            gradient_norm: report.gradient_norm,
            learning_rate,
            samples: match batch.shown.len() {
                0 => batch.names.len(),
                samples => samples,
            },
            tokens: reading.positions(),
        })
    }

    /// Entropy of the reader's prediction on the watched samples, and its divergence from that with the untrained projector,
    /// by name as in [`StepOutcome::terms`].
    pub fn watch(
        &mut self,
        reader: &dyn Reader,
        prompts: &PromptBuilder<'_>,
    ) -> Result<BTreeMap<String, f64>, TrainingError> {
        let mut terms = BTreeMap::new();
        if let Some(watch) = &mut self.watch {
            let soft = numbers(&self.projector.forward(watch.encoded())?)?;
            let measured = watch.measure(reader, prompts, &soft)?;
            terms.insert("entropy_watched".to_owned(), measured.entropy);
            terms.insert("kl_untrained".to_owned(), measured.kl_untrained);
        }
        Ok(terms)
    }

    /// The batch of the next step.
    fn batch(&self, prompts: &PromptBuilder<'_>) -> Result<Batch, TrainingError> {
        let (seed, step, schedule) = (self.experiment.seed, self.step, &self.experiment.schedule);
        let (objective, draw) = (self.objective(), Draw { seed, step });
        let names = match &self.names {
            Some(names) if objective.reconstruction > 0.0 => {
                let first = schedule.reconstruction_steps;
                let (before, count) = match step.checked_sub(first) {
                    None => (step * schedule.reconstruction_batch, schedule.reconstruction_batch),
                    Some(later) => (
                        first * schedule.reconstruction_batch + later * schedule.spelled_batch,
                        schedule.spelled_batch,
                    ),
                };
                names.of_step(seed, before..before + count, prompts)?
            }
            _ => Vec::new(),
        };
        let needed = names.is_empty() || objective.weights() > objective.reconstruction;
        let indices = match needed {
            true => epoch_indices(
                seed,
                step * schedule.batch..(step + 1) * schedule.batch,
                self.samples.len(),
            ),
            false => Vec::new(),
        };
        let mut random = draw.of_context();
        let shown = |index: usize| {
            let all = self.samples[index].vectors.len() / self.encoder_width;
            let varies = self.experiment.data.vary_context && all > 1;
            (index, if varies { random.random_range(1..=all) } else { all })
        };
        Ok(Batch {
            shown: indices.into_iter().map(shown).collect(),
            names,
            samples: Arc::clone(&self.samples),
            tokens_per_chunk: self.projector.tokens_per_chunk(),
            objective,
            draw,
        })
    }

    /// The objective of the next step: in the first stage nothing but the spelling of names counts.
    fn objective(&self) -> Objective {
        let objective = self.experiment.objective.clone();
        if self.step >= self.experiment.schedule.reconstruction_steps {
            return objective;
        }
        let reconstruction = if objective.reconstruction > 0.0 {
            objective.reconstruction
        } else {
            1.0
        };
        Objective {
            cross_entropy: 0.0,
            alignment: 0.0,
            reward: 0.0,
            kl: 0.0,
            reconstruction,
            ..objective
        }
    }
}

/// Encoder vectors of samples, one after the other, `[rows, width]`.
fn encoder_rows<'a>(
    samples: impl Iterator<Item = &'a EncodedSample>,
    width: usize,
    device: &Device,
) -> Result<Tensor, TrainingError> {
    rows(samples.map(|sample| sample.vectors.as_slice()), width, device)
}

/// Vectors one after the other, `[rows, width]`.
fn rows<'a>(vectors: impl Iterator<Item = &'a [f32]>, width: usize, device: &Device) -> Result<Tensor, TrainingError> {
    let vectors: Vec<f32> = vectors.flatten().copied().collect();
    let rows = vectors.len() / width;
    Ok(Tensor::from_vec(vectors, (rows, width), device)?)
}

fn numbers(tensor: &Tensor) -> Result<Vec<f32>, TrainingError> {
    Ok(tensor.detach().flatten_all()?.to_vec1()?)
}
