//! A sample completed by some arms, scored and timed.

use super::metrics::scores;
use super::{Arm, ArmInput, CompletionRecord};
use crate::models::ModelError;
use crate::models::reader::{Feed, Generation, Prompt, Reader, Session, generate_timed, target_log_probabilities};
use crate::prompt::{PreparedSample, PromptBuilder};

/// Completes a sample greedily with each arm and scores it against its target. Prompts are read one by one, so that the time
/// to the first token is that of the arm alone; the arms then decode together, each until its line ends.
///
/// What a layout keeps of the code is computed before the first clock starts, so that no arm pays for it in place of the others.
pub fn complete(
    reader: &dyn Reader,
    prompts: &PromptBuilder<'_>,
    sample: &PreparedSample,
    arms: &[(Arm, ArmInput<'_>)],
) -> Result<Vec<CompletionRecord>, ModelError> {
    let mut session = reader.session(arms.len());
    if !arms.is_empty() {
        keep_left(session.as_mut(), prompts, sample)?;
        session.truncate(0, 0)?;
    }
    complete_in(session.as_mut(), reader.config().hidden, prompts, sample, arms)
}

/// Computes what the layout keeps of the code before the cursor, in the first member of a session; nothing where it keeps nothing.
pub fn keep_left(
    session: &mut dyn Session,
    prompts: &PromptBuilder<'_>,
    sample: &PreparedSample,
) -> Result<(), ModelError> {
    let Prompt { slots, apart } = prompts.without_context(sample);
    if apart.is_some() {
        let feed = Feed {
            member: 0,
            slots: &slots,
            apart,
            outputs: 0,
        };
        session.feed(&[feed], &[])?;
    }
    Ok(())
}

/// The same in a session with an empty member for each arm, of a reader with this hidden size.
pub fn complete_in(
    session: &mut dyn Session,
    hidden: usize,
    prompts: &PromptBuilder<'_>,
    sample: &PreparedSample,
    arms: &[(Arm, ArmInput<'_>)],
) -> Result<Vec<CompletionRecord>, ModelError> {
    let width = hidden.max(1);
    let (mut soft, mut of_arms) = (Vec::new(), Vec::with_capacity(arms.len()));
    for (_, input) in arms {
        let first = soft.len() / width;
        soft.extend_from_slice(input.soft());
        let prompt = prompts.prompt(sample, &input.context(first..soft.len() / width));
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
        let arm = arms[member].0;
        records.push(record(prompts, sample, arm, prompt, generation, log_probabilities));
    }
    Ok(records)
}

fn record(
    prompts: &PromptBuilder<'_>,
    sample: &PreparedSample,
    arm: Arm,
    prompt: &Prompt,
    generation: &Generation,
    log_probabilities: Vec<f32>,
) -> CompletionRecord {
    let identifier = sample.sample.identifier.as_deref();
    let record = CompletionRecord {
        sample: sample.sample.id.clone(),
        arm,
        prompt_tokens: prompt.slots.len(),
        soft_tokens: prompt.soft_tokens(),
        text: prompts.line(&generation.tokens),
        ttft_ms: generation.first_token.as_secs_f64() * 1e3,
        total_ms: generation.total.as_secs_f64() * 1e3,
        log_probabilities,
        target_tokens: sample
            .target
            .iter()
            .map(|id| prompts.tokenizer().text(&[*id]))
            .collect(),
        hit: identifier.map(|_| sample.retrieved.iter().any(|one| one.hit)),
        in_window: identifier.map(|name| prompts.is_in_window(sample, name)),
        ..CompletionRecord::default()
    };
    scored_again(record, sample)
}

/// A completion with its scores, which follow from its text and its log-probabilities: JSON may have rounded the last bit of a score.
pub fn scored_again(record: CompletionRecord, sample: &PreparedSample) -> CompletionRecord {
    let log_probabilities = &record.log_probabilities;
    let sum: f64 = log_probabilities.iter().map(|&p| f64::from(p)).sum();
    let cross_entropy = -sum / log_probabilities.len().max(1) as f64;
    let (expected, identifier) = (sample.sample.expected_line(), sample.sample.identifier.as_deref());
    CompletionRecord {
        scores: scores(&record.text, expected, identifier, cross_entropy),
        ..record
    }
}
