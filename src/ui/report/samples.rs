//! Some completions to read: where arms differ, where all are right, where all are wrong, drawn by a seed.

use rand::SeedableRng as _;
use rand::seq::SliceRandom as _;
use rand_chacha::ChaCha8Rng;

use super::page::{Page, escaped};
use super::{Reported, SEED, arms};
use crate::evaluation::{Arm, CompletionRecord};
use crate::runs::{ReviewMaterial, Run, SampleRecord};
use crate::ui::code::{Change, changes};
use crate::ui::format::fixed;

/// Samples of each kind.
const EACH: usize = 3;
/// Lines shown before the cursor.
const LINES: usize = 10;

/// Whether a sample is of a kind, by which of no context, compressed and full RAG are right.
type Holds = fn([bool; 3]) -> bool;

/// The kinds of sample.
const KINDS: [(&str, Holds); 4] = [
    ("compressed is right, no context is wrong", |[none, compressed, _]| {
        compressed && !none
    }),
    ("full RAG is right, compressed is wrong", |[_, compressed, full]| {
        full && !compressed
    }),
    ("all three are right", |right| right == [true; 3]),
    ("all three are wrong", |right| right == [false; 3]),
];

/// Writes the section: the samples are those of the first run's newest evaluation.
pub fn section(page: &mut Page, reported: &Reported) {
    let Some(first) = reported.runs.first() else { return };
    let Some(summary) = arms::newest(first).first().copied() else {
        return;
    };
    let step_of = |run: &Run| {
        let mut found = arms::newest(run)
            .into_iter()
            .filter(|other| other.split == summary.split);
        found.next().map(|found| found.step)
    };
    let read = |run: &Run| ReviewMaterial::read(run, step_of(run)?, summary.split).ok();
    let materials: Vec<Option<ReviewMaterial>> = reported.runs.iter().map(read).collect();
    let Some(Some(material)) = materials.first() else {
        return;
    };
    let three = [Arm::NoContext, Arm::Compressed, Arm::FullRag];
    let mut samples: Vec<&str> = material.complete(&three).collect();
    if samples.is_empty() {
        return;
    }
    page.note(&format!(
        "{} split, step {}. Samples are drawn by seed {SEED} from each kind, up to {EACH}, and not chosen by eye. Right is an exact match of code tokens; struck out is extra, underlined is missing.",
        summary.split, summary.step
    ));
    samples.shuffle(&mut ChaCha8Rng::seed_from_u64(SEED));
    for (kind, holds) in KINDS {
        let is_right = |id: &str, arm: Arm| {
            material
                .completion(id, arm)
                .is_some_and(|one| one.scores.em_token >= 1.0)
        };
        let of_kind: Vec<&&str> = samples
            .iter()
            .filter(|id| holds(three.map(|arm| is_right(id, arm))))
            .collect();
        page.heading(&format!("{kind}: {} of {}", of_kind.len(), samples.len()));
        for id in of_kind.into_iter().take(EACH) {
            if let Some(record) = material.sample(id) {
                let mut completions: Vec<(String, &CompletionRecord)> = Vec::new();
                for arm in material.arms() {
                    let of_arm = material.completion(id, arm);
                    completions.extend(of_arm.map(|one| (arm.label().to_owned(), one)));
                }
                for (other, label) in materials.iter().zip(&reported.labels).skip(1) {
                    let compressed = other.as_ref().and_then(|other| other.completion(id, Arm::Compressed));
                    completions.extend(compressed.map(|one| (format!("compressed, {label}"), one)));
                }
                sample(page, record, &completions);
            }
        }
    }
}

fn sample(page: &mut Page, record: &SampleRecord, completions: &[(String, &CompletionRecord)]) {
    let sample = &record.sample;
    let lines: Vec<&str> = sample.left.split('\n').collect();
    let code = lines
        .get(lines.len().saturating_sub(LINES)..)
        .unwrap_or_default()
        .join("\n");
    let target = sample.expected_line();
    let mut rows = format!(
        "<tr><td>true line</td><td class=\"code\">{}</td><td></td><td></td></tr>",
        escaped(target)
    );
    for (label, one) in completions {
        let (class, word) = match one.scores.em_token >= 1.0 {
            true => ("right", "✓ right"),
            false => ("wrong", "✗ wrong"),
        };
        rows.push_str(&format!(
            "<tr><td>{}</td><td class=\"code\">{}</td><td class=\"{class}\">{word}</td><td>ES {}, {} tokens, {} ms</td></tr>",
            escaped(label),
            marked(target, one.text.trim()),
            fixed(one.scores.es_levenshtein, 1),
            one.prompt_tokens,
            fixed(one.ttft_ms, 0)
        ));
    }
    page.raw(&format!(
        "<article><h4>{}</h4><pre>{}</pre><div class=\"wide\"><table class=\"words\">{rows}</table></div></article>",
        escaped(&sample.id),
        escaped(&code)
    ));
}

/// A completion with what is extra struck out and what is missing inserted.
fn marked(target: &str, text: &str) -> String {
    if text.is_empty() {
        return "<span class=\"note\">(nothing)</span>".into();
    }
    let parts = changes(target, text).into_iter().map(|(change, part)| match change {
        Change::Same => escaped(part),
        Change::Extra => format!("<del>{}</del>", escaped(part)),
        Change::Missing => format!("<ins>{}</ins>", escaped(part)),
    });
    parts.collect()
}
