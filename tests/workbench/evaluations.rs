//! The chosen runs' evaluations as forest plot and over the steps, and a prompt token by token.

use egui::accesskit::Role;
use egui_kittest::kittest::Queryable as _;
use llavacode::app::{Action, Station};
use llavacode::engine::{Command, CompletionAnswer, CompletionSource, Event};
use llavacode::prompt::{PromptEntry, Source};
use llavacode::runs::Run;

use super::demo_run::{STEPS, write, write_with_checkpoint};
use super::harness::{act, figure, workbench};
use super::runs_table::opened;

#[test]
fn a_forest_plot_says_every_arm_with_its_interval() {
    let runs = tempfile::tempdir().unwrap();
    let folder = write(runs.path(), "aligned", true);
    let (mut h, _) = workbench(runs.path(), true);
    opened(&mut h);
    h.get_by_label("Evaluations").click();
    h.run_ok();
    let run = Run::open(&folder).unwrap();
    let summary = run.evaluations.iter().find(|summary| summary.step == STEPS).unwrap();
    let text = figure(
        &h,
        "EM (tokens): difference to no context, newest validation evaluation",
    );
    for arm in &summary.arms {
        let Some(found) = arm.difference.get("em_token") else {
            continue;
        };
        let number = |value: f64| format!("{:+.1}", value * 100.0).replace('-', "−");
        let row = format!(
            "{} {} [{}, {}]",
            arm.arm.label(),
            number(found.mean),
            number(found.low),
            number(found.high)
        );
        assert!(text.contains(&row), "{row} in {text}");
    }
    figure(&h, "EM (tokens): difference to no context over training");
    h.get_by_role_and_label(Role::ComboBox, "metric").click();
    h.run_ok();
    h.get_by_label("cross-entropy").click();
    h.run_ok();
    figure(
        &h,
        "cross-entropy: difference to no context, newest validation evaluation",
    );
}

/// A prompt as the engine would tell it.
pub fn prompt() -> Vec<PromptEntry> {
    let soft = (1..=5).map(|chunk| (Source::SoftToken { chunk: Some(chunk) }, String::new()));
    let text = |source: Source, text: &'static str| {
        let words = text.split_inclusive([' ', '\n', '(', '.', '_']);
        words.map(move |word| (source, word.to_owned()))
    };
    let all = std::iter::once((Source::Before, "#".to_owned()))
        .chain(soft)
        .chain(std::iter::once((Source::After, "\n".to_owned())))
        .chain(text(
            Source::LeftContext,
            "import sys\n\nfrom .sessions import load_session\n\n\ndef main(argv=None):\n    argv = argv or sys.argv[1:]\n    session =",
        ))
        .chain(text(Source::Target, " load_session(argv[0], strict=False)"));
    all.enumerate()
        .map(|(position, (source, text))| PromptEntry {
            position,
            id: (!text.is_empty()).then_some(100 + position as u32),
            sees_soft: position > 0,
            text,
            source,
        })
        .collect()
}

/// The answer to a completion that was asked for.
pub fn answered(command: &Command, run: &Run) -> Event {
    let Command::Complete(request) = command else {
        panic!("a completion was asked for");
    };
    let CompletionSource::Sample(sample, retrieved) = &request.source else {
        panic!("of a sample");
    };
    let all = run.completions(STEPS, llavacode::corpus::Split::Validation).unwrap();
    let of_sample = all
        .into_iter()
        .filter(|one| one.sample == sample.id && request.arms.contains(&one.arm));
    let completions: Vec<_> = of_sample.collect();
    let prompts = completions.iter().map(|_| prompt()).collect();
    Event::Completed {
        id: request.id,
        result: Ok(CompletionAnswer {
            step: STEPS,
            sample: (**sample).clone(),
            retrieved: retrieved.clone(),
            completions,
            prompts,
        }),
        bad_input: false,
    }
}

#[test]
fn a_prompt_is_shown_token_by_token_when_it_is_made() {
    let runs = tempfile::tempdir().unwrap();
    let folder = write_with_checkpoint(runs.path(), "aligned", true);
    let (mut h, engine) = workbench(runs.path(), true);
    act(&mut h, Action::Focus(folder.clone()));
    act(&mut h, Action::Go(Station::Compare));
    h.get_by_label("prompts, token by token");
    h.get_by_label("Complete again now").click();
    h.run_ok();
    let command = engine.sent.borrow().last().cloned().unwrap();
    engine.answer(answered(&command, &Run::open(&folder).unwrap()));
    h.run_ok();
    // It may have been closed before there was anything in it.
    if h.query_by_label_contains("prompt of compressed:").is_none() {
        h.get_by_label("prompts, token by token").scroll_to_me();
        h.run_ok();
        h.get_by_label("prompts, token by token").click();
        h.run_ok();
    }
    let entries = prompt();
    let target = entries.iter().filter(|entry| entry.source == Source::Target).count();
    let said = format!(
        "prompt of compressed: {} positions, 5 soft, and {target} tokens of the target",
        entries.len() - target
    );
    h.get_by_label_contains(&said);
    h.get_by_label_contains("soft tokens 5");
}
