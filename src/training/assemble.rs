//! From a batch of samples to everything that the reader reads of it in one step.

use std::collections::HashMap;
use std::collections::hash_map::Entry;
use std::sync::Arc;

use super::objective::{Draw, NameTable, Reading, Rollouts, RunningBaseline, TeacherPrediction, roll_out, teach};
use super::spelling::SpelledName;
use super::{EncodedSample, TrainingError};
use crate::experiment::Objective;
use crate::models::reader::{Prompt, Reader};
use crate::prompt::{PreparedSample, PromptBuilder};

/// A step's batch, and by what it is judged.
pub(super) struct Batch {
    /// All samples of the run.
    pub samples: Arc<[EncodedSample]>,
    /// Soft tokens that a chunk becomes.
    pub tokens_per_chunk: usize,
    /// Those of the batch, and how many of its chunks each is shown.
    pub shown: Vec<(usize, usize)>,
    /// Names to spell, whose soft tokens stand behind those of the samples; none where the names of the chunks are spelled.
    pub names: Vec<SpelledName>,
    /// The objective of the step.
    pub objective: Objective,
    /// Where its chance comes from.
    pub draw: Draw,
}

/// What is found out about the samples and kept from step to step.
#[derive(Default)]
pub(super) struct Assembler {
    /// What was expected of rollouts so far.
    pub baseline: RunningBaseline,
    /// By sample. Made again after a resume, which changes nothing: the teacher does not learn.
    taught: HashMap<usize, Vec<Arc<TeacherPrediction>>>,
    /// The spelled names of every chunk of every sample; empty for a chunk without names.
    names: Option<Vec<Vec<Vec<u32>>>>,
}

impl Assembler {
    /// Everything to read of a batch whose soft tokens, `[rows, hidden]`, are `soft`.
    pub fn reading(
        &mut self,
        batch: &Batch,
        soft: &[f32],
        reader: &dyn Reader,
        prompts: &PromptBuilder<'_>,
    ) -> Result<Reading, TrainingError> {
        let objective = &batch.objective;
        let mut reading = Reading::new(objective, batch.shown.len());
        let prompted = batch.prompted(prompts);
        if objective.cross_entropy + objective.kl + objective.reward > 0.0 {
            let mut rollouts = Vec::new();
            if objective.reward > 0.0 {
                rollouts = roll_out(
                    reader,
                    prompts,
                    &prompted,
                    soft,
                    objective,
                    batch.draw,
                    &mut self.baseline,
                )?;
            }
            let mut rollouts: std::vec::IntoIter<Rollouts> = rollouts.into_iter();
            for (&(index, _), (sample, prompt)) in batch.shown.iter().zip(&prompted) {
                let target = prompts.training_target(sample, objective.end_token)?;
                let teacher = match objective.kl > 0.0 {
                    true => Some(self.taught(index, sample, &target, reader, prompts)?),
                    false => None,
                };
                reading.sample(prompt, &target, teacher, rollouts.next());
            }
        }
        if !batch.names.is_empty() {
            batch.spell_names(prompts, &mut reading);
        } else if objective.reconstruction > 0.0 {
            self.spell(batch, prompts, &mut reading)?;
        }
        Ok(reading)
    }

    /// What the teacher predicts at each token of a sample's target.
    fn taught(
        &mut self,
        index: usize,
        sample: &PreparedSample,
        target: &[u32],
        reader: &dyn Reader,
        prompts: &PromptBuilder<'_>,
    ) -> Result<&[Arc<TeacherPrediction>], TrainingError> {
        Ok(match self.taught.entry(index) {
            Entry::Occupied(taught) => taught.into_mut(),
            Entry::Vacant(place) => place.insert(teach(reader, &prompts.full_text(sample), target)?),
        })
    }

    /// Adds one chunk of every sample, another one at the next step.
    fn spell(
        &mut self,
        batch: &Batch,
        prompts: &PromptBuilder<'_>,
        reading: &mut Reading,
    ) -> Result<(), TrainingError> {
        let names = match self.names.take() {
            Some(names) => names,
            None => spelled(&batch.samples, prompts)?,
        };
        let mut first = 0;
        for (position, &(index, shown)) in batch.shown.iter().enumerate() {
            let of_sample = names
                .get(index)
                .and_then(|names| names.get(..shown))
                .unwrap_or_default();
            let chunk = (batch.draw.step + position) % of_sample.len().max(1);
            if let Some(spelled) = of_sample.get(chunk).filter(|spelled| !spelled.is_empty()) {
                let rows = [first + chunk, first + chunk + 1].map(|chunk| chunk * batch.tokens_per_chunk);
                reading.chunk(&prompts.chunk_alone(rows[0]..rows[1], &[]), spelled);
            }
            first += of_sample.len();
        }
        self.names = Some(names);
        Ok(())
    }
}

impl Batch {
    /// Every sample with its prompt, the soft tokens of one sample behind those of the other.
    fn prompted(&self, prompts: &PromptBuilder<'_>) -> Vec<(&PreparedSample, Prompt)> {
        let mut rows = 0;
        let with_prompt = |&(index, shown): &(usize, usize)| {
            let sample = &self.samples[index].prepared;
            let (first, count) = (rows, shown * self.tokens_per_chunk);
            rows += count;
            (sample, prompts.compressed(sample, first, count))
        };
        self.shown.iter().map(with_prompt).collect()
    }

    /// Adds the names of the step, each behind its own soft tokens.
    fn spell_names(&self, prompts: &PromptBuilder<'_>, reading: &mut Reading) {
        let first: usize = self.shown.iter().map(|(_, shown)| shown).sum();
        for (at, name) in self.names.iter().enumerate() {
            let rows = [first + at, first + at + 1].map(|chunk| chunk * self.tokens_per_chunk);
            reading.chunk(&prompts.chunk_alone(rows[0]..rows[1], &name.cue), &name.ids);
        }
    }
}

/// The spelled names of every chunk of every sample as tokens. Rare is what few chunks of all samples have.
fn spelled(samples: &[EncodedSample], prompts: &PromptBuilder<'_>) -> Result<Vec<Vec<Vec<u32>>>, TrainingError> {
    let chunks = samples.iter().flat_map(|sample| &sample.prepared.retrieved);
    let table = NameTable::of(chunks.map(|one| one.chunk.text.as_str()));
    let mut all = Vec::with_capacity(samples.len());
    for sample in samples {
        let mut of_sample = Vec::with_capacity(sample.prepared.retrieved.len());
        for one in &sample.prepared.retrieved {
            let text = table.spelled(&one.chunk.text).unwrap_or_default();
            of_sample.push(prompts.ids(&text)?);
        }
        all.push(of_sample);
    }
    Ok(all)
}
