//! Arms served one after the other at a cursor, each timed as if it were asked for alone.

use super::shared::Playground;
use crate::corpus::{CompletionSample, SourceFile, sample_in};
use crate::engine::laboratory::Vocabulary;
use crate::engine::loaded::LoadedModels;
use crate::engine::stages::{Clock, Stages};
use crate::engine::{EngineError, NearestToken, PlayEnd, PlayNews, PlayRequest, Served};
use crate::evaluation::{Arm, keep_left};
use crate::models::reader::generate_while;
use crate::projector::Projector;
use crate::prompt::{Context, PreparedSample, PromptBuilder};
use crate::retrieval::Retrieved;

/// Who is asked whether to go on, and told what there is.
pub(in crate::engine) struct Listener<'a> {
    /// Whether nobody ended the request.
    pub goes_on: &'a mut dyn FnMut() -> bool,
    /// Takes a part of the answer.
    pub tell: &'a mut dyn FnMut(PlayNews),
}

/// What an arm reads.
struct Read {
    prepared: PreparedSample,
    /// Soft tokens, `[rows, hidden]`.
    soft: Vec<f32>,
    /// Chunks whose soft tokens lay in the index.
    looked_up: usize,
    stages: Stages,
}

impl Playground {
    /// Serves a request. `live` is the projector of the run in training and the steps that it has finished, if that run is asked for.
    pub fn play(
        &mut self,
        request: &PlayRequest,
        live: Option<(&Projector, usize)>,
        models: &LoadedModels,
        listener: &mut Listener<'_>,
    ) -> Result<PlayEnd, EngineError> {
        let experiment = self.experiment.clone();
        let prompts = models.prompts(&experiment)?.for_typing();
        let folder = request.index.repository.file_name().unwrap_or_default();
        let file = SourceFile {
            path: request.file.clone(),
            text: request.text.clone(),
        };
        let sample = sample_in(&folder.to_string_lossy(), &file, request.cursor);
        let own = self.projector.as_ref().map(|(_, step)| *step);
        let step = live.map(|(_, step)| step).or(own).unwrap_or_default();
        let retrieved = self.index.clip(self.index.retrieve(&sample, models)?, &prompts)?;
        let left = kept_left(&sample, &prompts, models)?;
        (listener.tell)(PlayNews::Found {
            step,
            sample: Box::new(sample.clone()),
            retrieved: retrieved.clone(),
            left,
        });
        for &arm in &request.arms {
            if !(listener.goes_on)() {
                return Ok(PlayEnd::Cancelled);
            }
            if !matches!(arm, Arm::NoContext | Arm::Compressed | Arm::FullRag) {
                continue;
            }
            let read = self.read(arm, &sample, live, (&prompts, models))?;
            let served = match serve(arm, read, request.cursor, (&prompts, models), listener.goes_on)? {
                Outcome::Served(served) => served,
                Outcome::Empty => continue,
                Outcome::Cancelled => return Ok(PlayEnd::Cancelled),
            };
            (listener.tell)(PlayNews::Served(Box::new(served)));
        }
        if request.arms.contains(&Arm::Compressed) && (listener.goes_on)() {
            let said = self.said(&retrieved, live.map(|(projector, _)| projector), models)?;
            (listener.tell)(PlayNews::Said(said));
        }
        Ok(PlayEnd::Done)
    }

    /// Everything before the reader: retrieve, tokenise, encode, project.
    fn read(
        &mut self,
        arm: Arm,
        sample: &CompletionSample,
        live: Option<(&Projector, usize)>,
        (prompts, models): (&PromptBuilder<'_>, &LoadedModels),
    ) -> Result<Read, EngineError> {
        let mut stages = Stages::default();
        let mut clock = Clock::start();
        let mut retrieved = Vec::new();
        if arm != Arm::NoContext {
            retrieved = self.index.retrieve(sample, models)?;
            stages.retrieve = clock.lap();
        }
        let whole: &[Retrieved] = if arm == Arm::FullRag { &retrieved } else { &[] };
        let mut prepared = prompts.prepare(sample, whole)?;
        if arm == Arm::Compressed {
            prepared.chunks = vec![Vec::new(); retrieved.len()];
            prepared.retrieved = self.index.clip(retrieved, prompts)?;
        }
        stages.tokenise = clock.lap();
        let (mut soft, mut looked_up) = (Vec::new(), 0);
        if arm == Arm::Compressed && !prepared.retrieved.is_empty() {
            let texts: Vec<&str> = prepared.retrieved.iter().map(Retrieved::compressed_text).collect();
            let here = |text: &&&str| self.soft.as_ref().is_some_and(|soft| soft.holds(text));
            looked_up = if live.is_some() {
                0
            } else {
                texts.iter().filter(here).count()
            };
            if looked_up < texts.len() {
                let mut vectors = models.vectors.borrow_mut();
                vectors.get_or_encode(models.encoder.as_ref(), &texts, &mut |_, _| true)?;
                stages.encode = clock.lap();
            }
            soft = self.soft_tokens(&texts, live.map(|(projector, _)| projector), models)?;
            stages.project = clock.lap();
        }
        Ok(Read {
            prepared,
            soft,
            looked_up,
            stages,
        })
    }

    /// For every chunk the nearest tokens of each of its soft tokens.
    fn said(
        &mut self,
        retrieved: &[Retrieved],
        live: Option<&Projector>,
        models: &LoadedModels,
    ) -> Result<Vec<Vec<Vec<NearestToken>>>, EngineError> {
        let hidden = models.reader.config().hidden.max(1);
        let mut vocabulary = None;
        let mut all = Vec::with_capacity(retrieved.len());
        for one in retrieved {
            let text = one.compressed_text();
            if let Some(said) = self.said.get(text).filter(|_| live.is_none()) {
                all.push(said.clone());
                continue;
            }
            let soft = self.soft_tokens(&[text], live, models)?;
            let vocabulary = match &vocabulary {
                Some(vocabulary) => vocabulary,
                None => vocabulary.insert(Vocabulary::of(models)?),
            };
            let said: Vec<Vec<NearestToken>> = soft.chunks_exact(hidden).map(|row| vocabulary.nearest(row)).collect();
            if live.is_none() {
                self.said.insert(text.to_owned(), said.clone());
            }
            all.push(said);
        }
        Ok(all)
    }
}

/// Computes what the layout keeps of the code before the cursor, so that no arm pays for it in place of the others. Milliseconds.
fn kept_left(
    sample: &CompletionSample,
    prompts: &PromptBuilder<'_>,
    models: &LoadedModels,
) -> Result<f64, EngineError> {
    let mut clock = Clock::start();
    let mut session = models.reader.session(1);
    session.reuse_beginnings();
    keep_left(session.as_mut(), prompts, &prompts.prepare(sample, &[])?)?;
    Ok(clock.lap())
}

enum Outcome {
    Served(Served),
    /// There is nothing to read.
    Empty,
    Cancelled,
}

/// The reader's part: prefill, first token, decoding.
fn serve(
    arm: Arm,
    read: Read,
    cursor: usize,
    (prompts, models): (&PromptBuilder<'_>, &LoadedModels),
    goes_on: &mut dyn FnMut() -> bool,
) -> Result<Outcome, EngineError> {
    let Read {
        prepared,
        soft,
        looked_up,
        mut stages,
    } = read;
    let rows = soft.len() / models.reader.config().hidden.max(1);
    let context = match arm {
        Arm::NoContext => Context::Nothing,
        Arm::FullRag => Context::FullText,
        _ => Context::Soft(0..rows),
    };
    let mut clock = Clock::start();
    let prompt = prompts.prompt(&prepared, &context);
    if prompt.slots.is_empty() {
        return Ok(Outcome::Empty);
    }
    let mut session = models.reader.session(1);
    session.reuse_beginnings();
    let ends = |tokens: &[u32]| prompts.ends_line(tokens);
    let generation = generate_while(session.as_mut(), &prompt, &soft, prompts.longest(), &ends, goes_on)?;
    let Some(generation) = generation else {
        return Ok(Outcome::Cancelled);
    };
    let text = prompts.line(&generation.tokens);
    let insertion = insertion(&prompts.written(&generation.tokens), &text, &prepared.sample, cursor);
    stages.prefill = generation.first_token.as_secs_f64() * 1e3;
    let decode = (generation.total - generation.first_token).as_secs_f64() * 1e3;
    stages.first_token = (clock.lap() - stages.prefill - decode).max(0.0);
    Ok(Outcome::Served(Served {
        arm,
        text,
        insertion,
        stages,
        decode,
        tokens: generation.tokens.len(),
        probabilities: generation.log_probabilities.iter().map(|p| p.exp()).collect(),
        prompt_tokens: prompt.slots.len(),
        soft_tokens: prompt.soft_tokens(),
        looked_up,
        prompt: prompts.inspect(&prepared, &context),
    }))
}

/// What goes in at the cursor. The prompt ends before the blanks that stand before the cursor: the completion begins with them, or
/// with others, and they are not written twice.
fn insertion(written: &str, line: &str, sample: &CompletionSample, cursor: usize) -> String {
    let text = if cursor > sample.left.len() { line } else { written };
    text.to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn blanks_before_the_cursor_are_not_written_twice() {
        let inserted = |text: &str, written: &str| {
            let file = SourceFile {
                path: "a.py".into(),
                text: text.into(),
            };
            let sample = sample_in("r", &file, text.len());
            insertion(written, written.trim(), &sample, text.len())
        };
        assert_eq!(inserted("x =", " f(1)"), " f(1)");
        assert_eq!(inserted("x = ", " f(1)"), "f(1)");
        assert_eq!(inserted("def f():\n    ", "\n    return 1"), "return 1");
        assert_eq!(inserted("def f():", "\n    return 1"), "\n    return 1");
        assert_eq!(inserted("x.", "load()"), "load()");
    }
}
