//! What a tour shows: the stops that the runs have something for, each sentence made of their numbers.

use std::collections::BTreeMap;

use super::pages::Station;
use super::tour::Stop;
use crate::collapse::{Instruments, instruments, verdict};
use crate::evaluation::{Arm, ArmSummary, CompletionRecord, EvaluationSummary};
use crate::runs::{Run, RunError, ScalarRecord};
use crate::ui::format;

/// Rows of the largest probe that is measured for a sentence.
const MOST_ROWS: usize = 1000;
/// Bytes of the largest evaluation that is searched for a telling sample.
const MOST_BYTES: u64 = 32_000_000;

/// Vectors of one probe in numbers.
struct Probe {
    step: usize,
    rows: usize,
    width: usize,
    encoder: Instruments,
    projected: Instruments,
}

impl Probe {
    fn of(run: &Run, step: usize, unread: &mut Vec<String>) -> Option<Self> {
        let record = readable(run.probe(step), unread).filter(|record| record.rows <= MOST_ROWS)?;
        let encoder = record.encoder_vectors().ok()?;
        Some(Self {
            step,
            rows: record.rows,
            width: encoder.width(),
            encoder: instruments(&encoder),
            projected: instruments(&record.projected_vectors().ok()?),
        })
    }

    fn is_collapsed(&self) -> bool {
        verdict(&self.encoder, &self.projected).collapsed
    }
}

/// What was read; what could not be is `unread`.
fn readable<T>(read: Result<T, RunError>, unread: &mut Vec<String>) -> Option<T> {
    read.map_err(|error| unread.push(error.to_string())).ok()
}

/// The stops of a tour through runs; those that no run has anything for are left out, and so is what is `unread`.
pub fn stops(runs: &[&Run], unread: &mut Vec<String>) -> Vec<Stop> {
    let probes: Vec<Option<Probe>> = runs
        .iter()
        .map(|run| Probe::of(run, *run.probe_steps.last()?, unread))
        .collect();
    let probed = || {
        runs.iter()
            .zip(&probes)
            .filter_map(|(run, probe)| Some((*run, probe.as_ref()?)))
    };
    let is_lost = |(run, probe): &(&Run, &Probe)| run.first_collapse().is_some() && probe.is_collapsed();
    // What the tour is about: a run that collapsed, and one of the same chunks that did not.
    let pair = probed().filter(is_lost).find_map(|main| {
        let comparable = |probe: &Probe| (probe.rows, probe.width) == (main.1.rows, main.1.width);
        let mut others = probed().filter(|(_, probe)| comparable(probe) && !probe.is_collapsed());
        Some((main, others.next()?))
    });
    let main = pair.map(|(main, _)| main);
    let main = main.or_else(|| probed().find(is_lost)).or_else(|| probed().next());
    let kept = pair.map(|(_, kept)| kept);
    let judged = judged(runs);
    let trained = main.map(|(run, _)| run).or(runs.first().copied());
    let beside: Vec<&Run> = kept.iter().map(|(run, _)| *run).collect();
    let found = [
        trained.and_then(|run| train(run, &beside)),
        main.and_then(|(run, _)| alarm(run, unread)),
        pair.map(|(main, kept)| apart(main, kept)),
        judged.and_then(|(run, summary)| compare(run, summary, unread)),
        judged.and_then(|(run, summary)| cost(run, summary)),
        trained.and_then(|run| all(run, runs)),
    ];
    found.into_iter().flatten().collect()
}

fn stop(station: Station, run: &Run, sentence: String) -> Stop {
    Stop {
        station,
        sentence,
        run: run.folder.clone(),
        over: Vec::new(),
        step: None,
        sample: None,
        split: None,
    }
}

/// The evaluation that is surest of compressed context's gain over none, by the upper end of its interval, among the newest of each
/// split: a few samples could show a larger gain by chance.
fn judged<'a>(runs: &[&'a Run]) -> Option<(&'a Run, &'a EvaluationSummary)> {
    let newest = runs.iter().copied().flat_map(|run| {
        let by_split: BTreeMap<_, _> = run.evaluations.iter().map(|one| (one.split, one)).collect();
        by_split.into_values().map(move |summary| (run, summary))
    });
    let sure = |summary: &EvaluationSummary| Some(summary.arm(Arm::Compressed)?.difference.get("cross_entropy")?.high);
    let gains = newest.filter_map(|(run, summary)| Some((sure(summary)?, run, summary)));
    let most = gains.min_by(|one, other| one.0.total_cmp(&other.0))?;
    Some((most.1, most.2))
}

/// Mean of a term over the first and over the last tenth of the steps.
fn ends(run: &Run, term: &str) -> Option<[f64; 2]> {
    let values = run
        .scalars
        .iter()
        .filter_map(|record: &ScalarRecord| record.terms.get(term));
    let values: Vec<f64> = values.copied().filter(|value| value.is_finite()).collect();
    let tenth = values.len().div_ceil(10);
    let mean = |part: Option<&[f64]>| part.map(|part| part.iter().sum::<f64>() / tenth as f64);
    let first = mean(values.get(..tenth))?;
    let last = mean(values.get(values.len() - tenth..))?;
    (tenth > 0).then_some([first, last])
}

fn train(run: &Run, beside: &[&Run]) -> Option<Stop> {
    let last = run.scalars.last()?;
    let [first, now] = ends(run, "cross_entropy")?.map(format::number);
    let batch = run.experiment.schedule.batch;
    let steps = format!("{} of {batch} samples", format::count(last.step, "step"));
    let mut sentence = format!(
        "The reader is frozen and only a projector learns: over {steps} the cross-entropy of {} goes from {first} (first tenth) to {now} nats \
         a token (last tenth)",
        run.name()
    );
    for other in beside {
        if let Some([first, now]) = ends(other, "cross_entropy").map(|ends| ends.map(format::number)) {
            sentence += &format!(", that of {} from {first} to {now}", other.name());
        }
    }
    Some(Stop {
        over: beside.iter().map(|run| run.folder.clone()).collect(),
        ..stop(Station::Train, run, sentence + ".")
    })
}

fn alarm(run: &Run, unread: &mut Vec<String>) -> Option<Stop> {
    let raised = run.first_collapse();
    let step = match raised {
        Some(raised) => *run.probe_steps.iter().min_by_key(|step| step.abs_diff(raised))?,
        None => *run.probe_steps.last()?,
    };
    let probe = Probe::of(run, step, unread)?;
    let (projected, encoder) = (probe.projected.mean_cosine, probe.encoder.mean_cosine);
    let values = format!(
        "mean cosine {} between {} chunks, where the encoder's vectors have {}",
        format::fixed(projected, 2),
        probe.rows,
        format::fixed(encoder, 2)
    );
    let sentence = match raised {
        Some(raised) => format!(
            "At step {raised} of {} the alarm says that its soft tokens become one: {values}.",
            run.name()
        ),
        None => format!("The soft tokens of {} after {step} steps: {values}.", run.name()),
    };
    Some(Stop {
        step: Some(step),
        ..stop(Station::Collapse, run, sentence)
    })
}

fn apart((main, lost): (&Run, &Probe), (run, probe): (&Run, &Probe)) -> Stop {
    let (with, without) = (run.experiment.objective.alignment, main.experiment.objective.alignment);
    let why = match with > 0.0 && without == 0.0 {
        true => format!("With {with} times the alignment loss"),
        false => format!("In {}", run.name()),
    };
    let cosines = [probe, lost].map(|probe| format::fixed(probe.projected.mean_cosine, 2));
    let ranks = [probe, lost].map(|probe| format::fixed(probe.projected.rankme, 0));
    let sentence = format!(
        "{why} the same {} chunks stay apart: mean cosine {} beside {}, effective rank {} beside {} of {} (step {}).",
        probe.rows, cosines[0], cosines[1], ranks[0], ranks[1], probe.projected.largest_rank, probe.step
    );
    Stop {
        over: vec![main.folder.clone()],
        ..stop(Station::Collapse, run, sentence)
    }
}

fn compare(run: &Run, summary: &EvaluationSummary, unread: &mut Vec<String>) -> Option<Stop> {
    let (compressed, without) = (summary.arm(Arm::Compressed)?, summary.arm(Arm::NoContext)?);
    let sample = telling_sample(run, summary, unread);
    let what = match &sample {
        Some((_, text)) => format!("Compressed context writes `{text}` here, and no context does not"),
        None => format!("Compressed context against none in {}", run.name()),
    };
    let samples = format!("{} {} samples", summary.samples, summary.split);
    let counts = match compressed.exact {
        Some(exact) => format!(
            "of {samples} it has {} right that no context has wrong, and {} the other way round",
            exact.gained, exact.lost
        ),
        None => {
            let share = |arm: &ArmSummary| Some(format::fixed(100.0 * arm.scores.get("em_token")?.mean, 1));
            format!(
                "of {samples} it has {} % right, no context {} %",
                share(compressed)?,
                share(without)?
            )
        }
    };
    Some(Stop {
        sample: sample.map(|(id, _)| id),
        split: Some(summary.split),
        ..stop(Station::Compare, run, format!("{what}: {counts}."))
    })
}

/// A sample that compressed context completes and none does not, with what was written: the first whose name is in a retrieved chunk.
fn telling_sample(run: &Run, summary: &EvaluationSummary, unread: &mut Vec<String>) -> Option<(String, String)> {
    let completed = readable(run.completed(summary.step, summary.split), unread)?;
    let completions = match completed.bytes() <= MOST_BYTES {
        true => readable(completed.completions(), unread)?,
        false => return None,
    };
    let right = |one: &CompletionRecord| one.scores.em_token >= 1.0;
    let without: BTreeMap<&str, bool> = completions
        .iter()
        .filter(|one| one.arm == Arm::NoContext)
        .map(|one| (one.sample.as_str(), right(one)))
        .collect();
    let gained = |one: &&CompletionRecord| {
        one.arm == Arm::Compressed && right(one) && without.get(one.sample.as_str()) == Some(&false)
    };
    let found: Vec<&CompletionRecord> = completions.iter().filter(gained).collect();
    let hit = found.iter().find(|one| one.hit == Some(true)).or(found.first())?;
    Some((hit.sample.clone(), hit.text.trim().to_owned()))
}

fn cost(run: &Run, summary: &EvaluationSummary) -> Option<Stop> {
    let numbers = |arm: &ArmSummary| [arm.ttft_ms, arm.prompt_tokens].map(format::number);
    let [time, tokens] = numbers(summary.arm(Arm::Compressed)?);
    let mut sentence =
        format!("With compressed context the first token comes after {time} ms, from a prompt of {tokens} tokens");
    for (arm, name) in [
        (Arm::NoContext, "without context"),
        (Arm::FullRag, "with the chunks as text"),
    ] {
        if let Some([time, tokens]) = summary.arm(arm).map(numbers) {
            sentence += &format!(", after {time} ms and {tokens} {name}");
        }
    }
    Some(Stop {
        split: Some(summary.split),
        ..stop(Station::Cost, run, sentence + ".")
    })
}

fn all(run: &Run, runs: &[&Run]) -> Option<Stop> {
    let seconds: f64 = runs.iter().filter_map(|run| Some(run.scalars.last()?.seconds)).sum();
    let sentence = format!(
        "All of this is {}, {} of training on {}: a run is a folder of plain files, and this window reads nothing else.",
        format::count(runs.len(), "run"),
        format::duration(seconds),
        run.manifest.machine()
    );
    let others = runs.iter().filter(|other| other.folder != run.folder);
    Some(Stop {
        over: others.map(|other| other.folder.clone()).collect(),
        ..stop(Station::Runs, run, sentence)
    })
}
