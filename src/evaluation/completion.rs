//! One sample completed by one arm, scored and timed.

use super::metrics::scores;
use super::{Arm, CompletionRecord};
use crate::models::ModelError;
use crate::models::reader::{Reader, generate, target_log_probabilities};
use crate::prompt::{PreparedSample, PromptBuilder};

/// Completes a sample greedily and scores it against its target.
///
/// `soft` holds the soft tokens of the chunks, `[chunks * tokens per chunk, hidden]`: the sample's own for [`Arm::Compressed`], those of another
/// repository's sample for [`Arm::ShuffledContext`]; the other arms do not read it.
pub fn complete(
    reader: &dyn Reader,
    prompts: &PromptBuilder<'_>,
    sample: &PreparedSample,
    arm: Arm,
    soft: &[f32],
) -> Result<CompletionRecord, ModelError> {
    let rows = soft.len() / reader.config().hidden.max(1);
    let prompt = match arm {
        Arm::NoContext => prompts.without_context(sample),
        Arm::FullRag => prompts.full_text(sample),
        Arm::Compressed | Arm::ShuffledContext => prompts.compressed(sample, 0, rows),
    };
    if prompt.slots.is_empty() {
        return Err(ModelError::Prompt(format!(
            "nothing stands before the cursor of {}",
            sample.sample.id
        )));
    }
    let mut session = reader.session(1);
    let ends = |tokens: &[u32]| prompts.ends_line(tokens);
    let generation = generate(session.as_mut(), &prompt, soft, prompts.longest(), &ends)?;
    let log_probabilities = target_log_probabilities(session.as_mut(), 0, &prompt, soft, &sample.target)?;
    let cross_entropy =
        -log_probabilities.iter().map(|&p| f64::from(p)).sum::<f64>() / log_probabilities.len().max(1) as f64;
    let text = prompts.line(&generation.tokens);
    let expected = sample.sample.expected_line();
    Ok(CompletionRecord {
        sample: sample.sample.id.clone(),
        arm,
        prompt_tokens: prompt.slots.len(),
        soft_tokens: prompt.soft_tokens(),
        scores: scores(&text, expected, sample.sample.identifier.as_deref(), cross_entropy),
        text,
        ttft_ms: generation.first_token.as_secs_f64() * 1e3,
        total_ms: generation.total.as_secs_f64() * 1e3,
    })
}
