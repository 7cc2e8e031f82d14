//! Whether the soft tokens collapse: cosines of projected and encoder vectors, and the instruments.

use std::ops::Range;

use super::Reported;
use super::page::{Head, Page};
use super::style::Look;
use super::svg::{Chart, Line};
use crate::collapse::{
    BINS, Comparison, Histogram, INSTRUMENTS, Instruments, compare, cosine_histogram, headline, instruments, verdict,
};
use crate::runs::{ProbeRecord, Probes, Run};
use crate::ui::charts::Scale;
use crate::ui::format::number;

/// Most probes that are computed for the curves of a run that nobody has looked at.
const COMPUTED: usize = 40;

/// The projected vectors' instruments at the probes, by step.
type Track = Vec<(usize, Instruments)>;

/// The numbers of one probe.
struct Seen {
    step: usize,
    rows: usize,
    encoder: Instruments,
    projected: Instruments,
    comparison: Comparison,
    histograms: [Histogram; 2],
}

impl Seen {
    /// None where the vectors have no geometry, as after a training that diverged.
    fn of(probe: &ProbeRecord) -> Option<Self> {
        let (encoder, projected) = (probe.encoder_vectors().ok()?, probe.projected_vectors().ok()?);
        Some(Self {
            step: probe.step,
            rows: probe.rows,
            encoder: instruments(&encoder),
            projected: instruments(&projected),
            comparison: compare(&encoder, &projected),
            histograms: [cosine_histogram(&encoder, BINS), cosine_histogram(&projected, BINS)],
        })
    }
}

/// Writes the section.
pub fn section(page: &mut Page, reported: &Reported) {
    let (mut sentences, mut seen) = (Vec::new(), Vec::new());
    for (_, run, label) in reported.iter() {
        let at = |step: Option<&usize>| Seen::of(&run.probe(*step?).ok()?);
        let Some(last) = at(run.probe_steps.last()) else {
            continue;
        };
        let first = at(run.probe_steps.first()).filter(|first| first.step != last.step);
        let sentence = headline(last.step, &last.encoder, &last.projected);
        let reason = verdict(&last.encoder, &last.projected).reason;
        let content = run.content_sentence(last.step).unwrap_or_default();
        sentences.push(format!("{label}. {sentence} In numbers: {reason}. {content}"));
        seen.push((label, first, last));
    }
    if seen.is_empty() {
        return;
    }
    for sentence in &sentences {
        page.text(sentence);
    }
    page.note("Cosines of all pairs of distinct chunks of the probe set, as figure 2 of the paper has them: the encoder's vectors beside the projected ones, on one axis, the same for every run.");
    let bins = filled_bins(&seen);
    let figures: String = seen
        .iter()
        .filter_map(|(label, first, last)| histogram(label, first.as_ref(), last, &bins))
        .collect();
    page.raw(&format!("<div class=\"charts\">{figures}</div>"));
    table(page, &seen);
}

/// The bins between the first and the last that hold anything in any histogram.
fn filled_bins(seen: &[(&str, Option<Seen>, Seen)]) -> Range<usize> {
    let probes = seen.iter().flat_map(|(_, first, last)| first.iter().chain([last]));
    let filled: Vec<usize> = probes
        .flat_map(|probe| &probe.histograms)
        .flat_map(|histogram| histogram.counts.iter().enumerate().filter(|(_, count)| **count > 0))
        .map(|(bin, _)| bin)
        .collect();
    let from = filled.iter().min().copied().unwrap_or_default();
    from..filled.iter().max().map_or(from, |last| last + 1)
}

fn histogram(label: &str, first: Option<&Seen>, last: &Seen, bins: &Range<usize>) -> Option<String> {
    let [encoder, projected] = &last.histograms;
    let filled = |name: &str, look: Look, histogram: &Histogram| {
        let name = format!("{name}, mean {}", number(histogram.mean));
        let mut line = Line::new(name, look, outline(histogram, bins));
        line.filled = true;
        line
    };
    let mut lines = vec![
        filled("encoder", Look::encoder(), encoder),
        filled(&format!("projected, step {}", last.step), Look::projected(), projected),
    ];
    if let Some(first) = first {
        let [_, before] = &first.histograms;
        let name = format!("projected, step {}, mean {}", first.step, number(before.mean));
        lines.push(Line::new(name, Look::untrained(), outline(before, bins)));
    }
    let chart = Chart {
        title: &format!("Cosines, {label}"),
        note: &format!("share of pairs, {} chunks, bins of {}", last.rows, 2.0 / BINS as f64),
        x_label: "cosine of two chunks' vectors",
        scale: Scale::Linear,
        lines: &lines,
        flags: &[],
    };
    chart.figure()
}

/// The steps of some bins of a histogram as a line.
fn outline(histogram: &Histogram, bins: &Range<usize>) -> Vec<[f64; 2]> {
    let total: usize = histogram.counts.iter().sum();
    let width = (histogram.high - histogram.low) / histogram.counts.len() as f64;
    let counts = histogram.counts.iter().enumerate().skip(bins.start).take(bins.len());
    let steps = counts.flat_map(|(bin, count)| {
        let share = *count as f64 / total.max(1) as f64;
        [bin, bin + 1].map(|edge| [histogram.low + edge as f64 * width, share])
    });
    steps.collect()
}

fn table(page: &mut Page, seen: &[(&str, Option<Seen>, Seen)]) {
    page.heading("Instruments");
    let mut heads = vec![Head::plain("instrument")];
    for (label, first, last) in seen {
        heads.push(Head::plain(format!("{label}: encoder")));
        heads.extend(
            first
                .as_ref()
                .map(|first| Head::plain(format!("projected, step {}", first.step))),
        );
        heads.push(Head::plain(format!("projected, step {}", last.step)));
    }
    // Beside several runs there is no room for it; it stands with the definitions.
    let alone = seen.len() == 1;
    heads.extend(alone.then(|| Head::plain("healthy")));
    let row = |name: &str, healthy: &str, value: &dyn Fn(&Seen) -> [Option<f64>; 2]| {
        let mut cells = vec![name.to_owned()];
        for (_, first, last) in seen {
            let [encoder, projected] = value(last);
            cells.push(encoder.map(number).unwrap_or_default());
            cells.extend(
                first
                    .as_ref()
                    .map(|first| value(first)[1].map(number).unwrap_or_default()),
            );
            cells.push(projected.map(number).unwrap_or_default());
        }
        cells.extend(alone.then(|| healthy.to_owned()));
        cells
    };
    let mut rows: Vec<Vec<String>> = INSTRUMENTS
        .iter()
        .map(|info| {
            row(info.name, info.healthy, &|seen| {
                [Some((info.get)(&seen.encoder)), Some((info.get)(&seen.projected))]
            })
        })
        .collect();
    type Compared = (&'static str, &'static str, fn(&Comparison) -> f64);
    let compared: [Compared; 4] = [
        ("alignment, Frobenius", "0 keeps every angle", |one| {
            one.alignment_frobenius
        }),
        ("alignment, mean square", "0 keeps every angle", |one| one.alignment_mse),
        ("linear CKA", "1 is the encoder's geometry", |one| one.linear_cka),
        ("shared 10 nearest neighbours", "1 is all of them", |one| {
            one.knn_overlap
        }),
    ];
    rows.extend(
        compared
            .iter()
            .map(|(name, healthy, get)| row(name, healthy, &|seen| [None, Some(get(&seen.comparison))])),
    );
    page.numbers(&heads, &rows);
}

/// Mean cosine and effective rank of the projected vectors at the probes.
pub fn over_training(reported: &Reported, flags: &[(f64, String)]) -> Vec<String> {
    let tracks: Vec<(usize, &str, Track)> = reported
        .iter()
        .map(|(number, run, label)| (number, label, track(run)))
        .collect();
    let encoder = common_encoder(reported);
    let figure = |key: &str| {
        let info = INSTRUMENTS.iter().find(|info| info.key == key)?;
        let points = |track: &Track| track.iter().map(|(step, of)| [*step as f64, (info.get)(of)]).collect();
        let mut lines: Vec<Line> = tracks
            .iter()
            .map(|(number, label, track)| Line::new(*label, Look::run(*number), points(track)))
            .collect();
        let across = lines.iter().flat_map(|line| &line.points).map(|[x, _]| *x);
        let across = [
            across.clone().fold(f64::INFINITY, f64::min),
            across.fold(f64::NEG_INFINITY, f64::max),
        ];
        lines.extend(encoder.as_ref().map(|encoder| {
            let value = (info.get)(encoder);
            Line::new("encoder", Look::encoder(), across.map(|x| [x, value]).to_vec())
        }));
        let chart = Chart {
            title: &format!("{} of the soft tokens", info.name),
            note: info.healthy,
            x_label: "step",
            scale: Scale::Linear,
            lines: &lines,
            flags,
        };
        chart.figure()
    };
    ["mean_cosine", "rankme"].into_iter().filter_map(figure).collect()
}

/// The instruments of the encoder's vectors, where all runs have the same encoder and chunks.
fn common_encoder(reported: &Reported) -> Option<Instruments> {
    let of = |run: &Run| {
        let last = run.probe(*run.probe_steps.last()?).ok()?;
        Some(instruments(&last.encoder_vectors().ok()?))
    };
    let mut all = reported.runs.iter().map(of);
    let first = all.next()??;
    all.all(|other| other == Some(first)).then_some(first)
}

/// The instruments of a run's probes: as kept by whoever looked at them, else of some probes, evenly spaced.
fn track(run: &Run) -> Track {
    let kept = Probes::of(&run.folder).numbers();
    let missing: Vec<usize> = run
        .probe_steps
        .iter()
        .copied()
        .filter(|step| !kept.contains_key(step))
        .collect();
    let stride = missing.len().div_ceil(COMPUTED).max(1);
    let last = missing.last().copied();
    let chosen = missing.iter().copied().enumerate();
    let chosen = chosen
        .filter(|(place, step)| place % stride == 0 || Some(*step) == last)
        .map(|(_, step)| step);
    let computed =
        chosen.filter_map(|step| Some((step, instruments(&run.probe(step).ok()?.projected_vectors().ok()?))));
    let known = kept.values().map(|one| (one.step, one.summary.instruments));
    let mut track: Track = known.chain(computed).collect();
    track.retain(|(step, _)| run.probe_steps.contains(step));
    track.sort_unstable_by_key(|(step, _)| *step);
    track
}
