//! A sample completed by some arms, scored and timed.

use super::metrics::scores;
use super::{Arm, CompletionRecord};
use crate::models::ModelError;
use crate::models::reader::{Generation, Prompt, Reader, Session, generate_timed, target_log_probabilities};
use crate::prompt::{PreparedSample, PromptBuilder};

/// Completes a sample greedily with each arm and scores it against its target. Prompts are read one by one, so that the time
/// to the first token is that of the arm alone; the arms then decode together, each until its line ends.
///
/// With an arm come the soft tokens that it reads, `[soft tokens, hidden]`: the sample's own for [`Arm::Compressed`], those of
/// another repository's sample for [`Arm::ShuffledContext`]; the other arms do not read them.
pub fn complete(
    reader: &dyn Reader,
    prompts: &PromptBuilder<'_>,
    sample: &PreparedSample,
    arms: &[(Arm, &[f32])],
) -> Result<Vec<CompletionRecord>, ModelError> {
    let mut session = reader.session(arms.len());
    complete_in(session.as_mut(), reader.config().hidden, prompts, sample, arms)
}

/// The same in a session with an empty member for each arm, of a reader with this hidden size.
pub fn complete_in(
    session: &mut dyn Session,
    hidden: usize,
    prompts: &PromptBuilder<'_>,
    sample: &PreparedSample,
    arms: &[(Arm, &[f32])],
) -> Result<Vec<CompletionRecord>, ModelError> {
    let width = hidden.max(1);
    let (mut soft, mut of_arms) = (Vec::new(), Vec::with_capacity(arms.len()));
    for &(arm, of_arm) in arms {
        let prompt = match arm {
            Arm::NoContext => prompts.without_context(sample),
            Arm::FullRag => prompts.full_text(sample),
            Arm::Compressed | Arm::ShuffledContext => {
                let first = soft.len() / width;
                soft.extend_from_slice(of_arm);
                prompts.compressed(sample, first, of_arm.len() / width)
            }
        };
        if prompt.slots.is_empty() {
            return Err(ModelError::Prompt(format!(
                "nothing stands before the cursor of {}",
                sample.sample.id
            )));
        }
        of_arms.push(prompt);
    }
    let ends = |tokens: &[u32]| prompts.ends_line(tokens);
    let generations = generate_timed(session, &of_arms, &soft, prompts.longest(), &ends)?;
    let mut records = Vec::with_capacity(arms.len());
    for (member, (prompt, generation)) in of_arms.iter().zip(&generations).enumerate() {
        let log_probabilities = target_log_probabilities(session, member, prompt, &soft, &sample.target)?;
        let (arm, _) = arms[member];
        records.push(record(prompts, sample, arm, prompt, generation, &log_probabilities));
    }
    Ok(records)
}

fn record(
    prompts: &PromptBuilder<'_>,
    sample: &PreparedSample,
    arm: Arm,
    prompt: &Prompt,
    generation: &Generation,
    log_probabilities: &[f32],
) -> CompletionRecord {
    let cross_entropy =
        -log_probabilities.iter().map(|&p| f64::from(p)).sum::<f64>() / log_probabilities.len().max(1) as f64;
    let text = prompts.line(&generation.tokens);
    let expected = sample.sample.expected_line();
    CompletionRecord {
        sample: sample.sample.id.clone(),
        arm,
        prompt_tokens: prompt.slots.len(),
        soft_tokens: prompt.soft_tokens(),
        scores: scores(&text, expected, sample.sample.identifier.as_deref(), cross_entropy),
        text,
        ttft_ms: generation.first_token.as_secs_f64() * 1e3,
        total_ms: generation.total.as_secs_f64() * 1e3,
    }
}
