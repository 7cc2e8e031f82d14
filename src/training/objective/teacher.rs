//! What the reader predicts with the chunks as text, and the divergence of its prediction with soft tokens from that
//! (method.md A4.4, at temperature 1).

use std::sync::Arc;

use crate::models::ModelError;
use crate::models::reader::{Prompt, Reader, target_logits};

use super::logits::LogProbabilities;

/// Tokens of a prediction that are kept one by one. A whole prediction of a target would be megabytes a sample.
const KEPT: usize = 64;

/// No probability is taken to be smaller: single precision could not tell it from the rounding of the others' sum.
const LEAST: f64 = 1e-9;

/// A prediction as its most probable tokens and the rest of the vocabulary as one.
///
/// The divergence on these cells is never above that on the whole vocabulary, and zero when the predictions are equal.
#[derive(Clone, Debug, PartialEq)]
pub struct TeacherPrediction {
    kept: Vec<(u32, f32)>,
    rest: f64,
}

impl TeacherPrediction {
    /// From logits `[vocab]`.
    pub fn of(logits: &[f32]) -> Self {
        let normal = LogProbabilities::of(logits);
        let mut order: Vec<u32> = (0..logits.len() as u32).collect();
        let by_logit = |&a: &u32, &b: &u32| logits[b as usize].total_cmp(&logits[a as usize]).then(a.cmp(&b));
        if order.len() > KEPT {
            order.select_nth_unstable_by(KEPT - 1, by_logit);
            order.truncate(KEPT);
        }
        order.sort_unstable_by(by_logit);
        let kept: Vec<(u32, f32)> = order
            .into_iter()
            .map(|token| (token, normal.of_token(logits, token).exp() as f32))
            .collect();
        let sum: f64 = kept.iter().map(|&(_, probability)| f64::from(probability)).sum();
        Self {
            kept,
            rest: (1.0 - sum).max(0.0),
        }
    }

    /// Its divergence from a student's prediction, KL(teacher ‖ student), and what the gradient there needs.
    pub fn divergence(&self, student: &[f32], normal: &LogProbabilities) -> Divergence<'_> {
        let (mut value, mut sum) = (0.0, 0.0);
        for &(token, probability) in &self.kept {
            let (own, log_probability) = (f64::from(probability), normal.of_token(student, token));
            sum += log_probability.exp();
            if own > 0.0 {
                value += own * (own.ln() - log_probability);
            }
        }
        let student_rest = (1.0 - sum).max(LEAST);
        if self.rest > 0.0 {
            value += self.rest * (self.rest.ln() - student_rest.ln());
        }
        Divergence {
            value,
            teacher: self,
            rest_ratio: self.rest / student_rest,
        }
    }
}

/// A divergence and its gradient.
pub struct Divergence<'a> {
    /// Nats.
    pub value: f64,
    teacher: &'a TeacherPrediction,
    /// How much more probable the rest is to the teacher.
    rest_ratio: f64,
}

impl Divergence<'_> {
    /// Adds `scale` times its gradient with respect to the student's logits to `gradient` `[vocab]`; `probabilities` are the
    /// student's.
    pub fn add_gradient(&self, probabilities: &[f32], scale: f64, gradient: &mut [f32]) {
        let of_rest = (scale * (1.0 - self.rest_ratio)) as f32;
        let ratio = (scale * self.rest_ratio) as f32;
        for (gradient, probability) in gradient.iter_mut().zip(probabilities) {
            *gradient += of_rest * probability;
        }
        for &(token, own) in &self.teacher.kept {
            let token = token as usize;
            if let (Some(gradient), Some(probability)) = (gradient.get_mut(token), probabilities.get(token)) {
                *gradient += ratio * probability - scale as f32 * own;
            }
        }
    }
}

/// What the reader predicts at every token of `target` behind a prompt of text.
pub fn teach(reader: &dyn Reader, prompt: &Prompt, target: &[u32]) -> Result<Vec<Arc<TeacherPrediction>>, ModelError> {
    let logits = target_logits(reader.session(1).as_mut(), 0, prompt, &[], target)?;
    let rows = logits.chunks_exact(reader.config().vocab_size);
    Ok(rows.map(|row| Arc::new(TeacherPrediction::of(row))).collect())
}
