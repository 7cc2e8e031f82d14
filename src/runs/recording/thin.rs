//! What of a run goes into a recording: some probes, and the completions of some samples.

use std::collections::BTreeSet;

use serde::Deserialize;

use super::torn;
use crate::runs::{Run, RunError};

/// Most probes of a run.
const PROBES: usize = 15;
/// Probes before and behind an alarm that are kept with it.
const AROUND: usize = 2;

/// The probe steps to keep: the first, the last, those around the first alarm of collapse, and others, closest to each other at the
/// beginning, where vectors change most.
pub(super) fn probes(run: &Run) -> Vec<usize> {
    thinned(&run.probe_steps, run.first_collapse())
}

fn thinned(steps: &[usize], alarm: Option<usize>) -> Vec<usize> {
    let Some(last) = steps.len().checked_sub(1) else {
        return Vec::new();
    };
    let mut places = BTreeSet::from([0, last]);
    if let Some(at) = alarm.and_then(|alarm| steps.iter().position(|step| *step >= alarm)) {
        places.extend(at.saturating_sub(AROUND)..=(at + AROUND).min(last));
    }
    let left = PROBES.saturating_sub(places.len()).max(1);
    let spread = |place: usize| last * place.pow(2) / left.pow(2);
    for place in (1..left).map(spread).chain(0..=last) {
        if places.len() < PROBES {
            places.insert(place);
        }
    }
    places.iter().filter_map(|place| steps.get(*place).copied()).collect()
}

/// Completions of an evaluation, line by line as they stand.
pub(super) struct Completions {
    /// The lines that are kept.
    pub text: String,
    /// Ids of their samples.
    pub samples: BTreeSet<String>,
    /// Samples that were completed.
    pub of: usize,
}

/// The completions of the first samples, of all for none.
pub(super) fn completions(text: &str, first: Option<usize>) -> Result<Completions, RunError> {
    #[derive(Deserialize)]
    struct Line {
        sample: String,
    }
    let mut all: BTreeSet<String> = BTreeSet::new();
    let mut kept = Completions {
        text: String::new(),
        samples: BTreeSet::new(),
        of: 0,
    };
    for line in text.split_inclusive('\n') {
        let Line { sample } = serde_json::from_str(line).map_err(torn)?;
        if all.insert(sample.clone()) && first.is_none_or(|first| all.len() <= first) {
            kept.samples.insert(sample.clone());
        }
        if kept.samples.contains(&sample) {
            kept.text.push_str(line);
        }
    }
    kept.of = all.len();
    Ok(kept)
}

/// The lines of `samples.jsonl` that these ids need.
pub(super) fn samples(text: &str, ids: &BTreeSet<String>) -> String {
    #[derive(Deserialize)]
    struct Line {
        sample: Sample,
    }
    #[derive(Deserialize)]
    struct Sample {
        id: String,
    }
    let needed = |line: &&str| serde_json::from_str(line).is_ok_and(|line: Line| ids.contains(&line.sample.id));
    text.split_inclusive('\n').filter(needed).collect()
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "a failing test should panic")]
    use super::*;

    #[test]
    fn the_ends_and_the_alarm_are_kept_and_the_beginning_is_dense() {
        let steps: Vec<usize> = (0..=1400).step_by(20).collect();
        let kept = thinned(&steps, Some(700));
        assert_eq!(kept.len(), PROBES);
        for step in [0, 660, 680, 700, 720, 740, 1400] {
            assert!(kept.contains(&step), "{kept:?}");
        }
        assert!(kept[1] < 100, "{kept:?}");
        assert_eq!(thinned(&steps[..4], None), &steps[..4]);
        assert!(thinned(&[], None).is_empty());
    }

    #[test]
    fn the_first_samples_are_kept_with_every_arm() {
        let line = |sample: &str, arm: &str| format!("{{\"sample\":\"{sample}\",\"arm\":\"{arm}\"}}\n");
        let text = [
            line("a", "x"),
            line("b", "x"),
            line("a", "y"),
            line("c", "x"),
            line("b", "y"),
        ]
        .concat();
        let kept = completions(&text, Some(2)).unwrap();
        assert_eq!((kept.of, kept.text.lines().count()), (3, 4));
        assert_eq!(completions(&text, None).unwrap().text, text);
        let records = "{\"sample\":{\"id\":\"a\"}}\n{\"sample\":{\"id\":\"c\"}}\n";
        assert_eq!(samples(records, &kept.samples), "{\"sample\":{\"id\":\"a\"}}\n");
        assert!(completions("torn", None).is_err());
    }
}
