//! What was timed, as tables of text: medians and ranges, ratios to the peers, and the stages to the first token.

use std::collections::BTreeMap;

use super::peers::{LLAMACPP, TORCH};
use crate::cli::table::table_text;
use crate::collapse::quantile;
use crate::engine::{FirstToken, Left, Repetition, Stages, Vectors, Work};

/// Stands where nothing was measured.
const NOTHING: &str = "–";

/// All repetitions of one work, of this program and of its peers.
pub struct Timed {
    /// What was done.
    pub work: Work,
    /// In the order that they were made.
    pub repetitions: Vec<Repetition>,
}

impl Timed {
    /// The repetitions of one engine.
    fn of(&self, engine: &str) -> Vec<&Repetition> {
        let own = self.repetitions.iter().filter(|one| one.engine == engine);
        own.collect()
    }

    fn own(&self) -> Vec<&Repetition> {
        self.of("llavacode")
    }
}

/// The tables of what was timed, with ratios to the peers if there were to be some.
pub fn report(timed: &[Timed], peers: bool) -> String {
    let mut parts = vec![table_text(&own_rows(timed))];
    if peers {
        parts.push(table_text(&peer_rows(timed)));
        parts.push(
            "speed: the peer's seconds per token / ours, medians of repetitions in turn; above 1 we are faster. \
             memory: our peak / the peer's."
                .into(),
        );
    }
    for one in timed.iter().filter(|one| one.work == Work::Ttft) {
        parts.extend(first_token_tables(&one.own()));
    }
    parts.join("\n\n")
}

fn own_rows(timed: &[Timed]) -> Vec<Vec<String>> {
    let titles = [
        "work",
        "threads",
        "median",
        "range",
        "tokens/s",
        "peak memory",
        "device",
    ];
    let mut rows = vec![titles.map(String::from).to_vec()];
    for one in timed {
        let own = one.own();
        let seconds = seconds(&own);
        let (low, high) = (quantile(&seconds, 0.0), quantile(&seconds, 1.0));
        let rate = median(own.iter().filter_map(|one| one.tokens_per_second));
        rows.push(vec![
            one.work.to_string(),
            own.first().map_or_else(String::new, |one| one.threads.to_string()),
            seconds_text(quantile(&seconds, 0.5)),
            format!("{} – {}", seconds_text(low), seconds_text(high)),
            rate.map_or_else(|| NOTHING.into(), |rate| format!("{rate:.1}")),
            peak(&own).map_or_else(|| NOTHING.into(), |peak| format!("{peak} MiB")),
            own.first().and_then(|one| one.device.clone()).unwrap_or_default(),
        ]);
    }
    rows
}

/// Each peer beside this program: its median, the ratio of speeds and that of memory.
fn peer_rows(timed: &[Timed]) -> Vec<Vec<String>> {
    let titles = [
        "work",
        "llavacode",
        "PyTorch",
        "speed",
        "memory",
        "llama.cpp",
        "speed",
        "memory",
    ];
    let mut rows = vec![titles.map(String::from).to_vec()];
    for one in timed {
        let own = one.own();
        let mut row = vec![one.work.to_string(), seconds_text(quantile(&seconds(&own), 0.5))];
        for engine in [TORCH, LLAMACPP] {
            let peer = one.of(engine);
            if peer.is_empty() {
                row.extend([NOTHING; 3].map(String::from));
                continue;
            }
            let rate = |of: &[&Repetition]| median(of.iter().filter_map(|one| one.tokens_per_second));
            let speed = rate(&own).zip(rate(&peer)).map(|(own, peer)| own / peer);
            let memory = peak(&own).zip(peak(&peer)).map(|(own, peer)| own as f64 / peer as f64);
            let ratio = |ratio: Option<f64>| ratio.map_or_else(|| NOTHING.into(), |ratio| format!("{ratio:.2}×"));
            row.push(seconds_text(quantile(&seconds(&peer), 0.5)));
            row.extend([ratio(speed), ratio(memory)]);
        }
        rows.push(row);
    }
    rows
}

/// One table a shape: the median of every stage of every arm, milliseconds.
fn first_token_tables(repetitions: &[&Repetition]) -> Vec<String> {
    type Shape = (usize, usize);
    let mut shapes: BTreeMap<Shape, Vec<(String, Vec<&FirstToken>)>> = BTreeMap::new();
    for one in repetitions.iter().flat_map(|repetition| &repetition.first_tokens) {
        let arms = shapes.entry((one.chunks, one.chunk_tokens)).or_default();
        let label = label(one);
        match arms.iter_mut().find(|(known, _)| *known == label) {
            Some((_, all)) => all.push(one),
            None => arms.push((label, vec![one])),
        }
    }
    let table = |((chunks, chunk_tokens), arms): (Shape, Vec<(String, Vec<&FirstToken>)>)| {
        let title = format!("to the first token, {chunks} × {chunk_tokens} tokens, ms");
        let titles = [
            title.as_str(),
            "retrieve",
            "tokenise",
            "encode",
            "project",
            "prefill",
            "first token",
            "total",
            "prompt tokens",
            "encoder tokens",
            "to no context",
        ];
        let mut rows = vec![titles.map(String::from).to_vec()];
        let total = |all: &[&FirstToken]| median(all.iter().map(|one| one.stages.total())).unwrap_or(f64::NAN);
        let reference = arms.first().map_or(f64::NAN, |(_, all)| total(all));
        for (label, all) in &arms {
            let stage = |get: fn(&Stages) -> f64| {
                let median = median(all.iter().map(|one| get(&one.stages)));
                format!("{:.1}", median.unwrap_or(f64::NAN))
            };
            let count = |all: &[&FirstToken], get: fn(&FirstToken) -> usize| {
                all.first().map_or_else(String::new, |one| get(one).to_string())
            };
            rows.push(vec![
                label.clone(),
                stage(|stages| stages.retrieve),
                stage(|stages| stages.tokenise),
                stage(|stages| stages.encode),
                stage(|stages| stages.project),
                stage(|stages| stages.prefill),
                stage(|stages| stages.first_token),
                stage(Stages::total),
                count(all, |one| one.prompt_tokens),
                count(all, |one| one.encoder_tokens),
                format!("{:.2}×", total(all) / reference),
            ]);
        }
        table_text(&rows)
    };
    shapes.into_iter().map(table).collect()
}

fn label(one: &FirstToken) -> String {
    let mut label = one.arm.label().to_owned();
    match one.vectors {
        Some(Vectors::Cold) => label.push_str(", chunks encoded"),
        Some(Vectors::Warm) => label.push_str(", vectors cached"),
        None => {}
    }
    if one.left == Left::Cached {
        label.push_str(", left cached");
    }
    label
}

/// Times in ascending order.
fn seconds(repetitions: &[&Repetition]) -> Vec<f64> {
    let mut seconds: Vec<f64> = repetitions.iter().map(|one| one.seconds).collect();
    seconds.sort_by(f64::total_cmp);
    seconds
}

/// The middle value; none of none.
fn median(values: impl Iterator<Item = f64>) -> Option<f64> {
    let mut values: Vec<f64> = values.collect();
    values.sort_by(f64::total_cmp);
    (!values.is_empty()).then(|| quantile(&values, 0.5))
}

/// The most memory of all repetitions, MiB.
fn peak(repetitions: &[&Repetition]) -> Option<u64> {
    repetitions.iter().filter_map(|one| one.peak_rss_mb).max()
}

fn seconds_text(seconds: f64) -> String {
    match seconds {
        0.0..1.0 => format!("{:.1} ms", seconds * 1e3),
        _ => format!("{seconds:.2} s"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn repetition(engine: &str, seconds: f64, peak: u64) -> Repetition {
        Repetition {
            engine: engine.into(),
            work: "prefill_206".into(),
            threads: 2,
            seconds,
            tokens_per_second: Some(206.0 / seconds),
            peak_rss_mb: Some(peak),
            device: None,
            first_tokens: Vec::new(),
        }
    }

    #[test]
    fn ratios_are_of_medians_and_above_one_where_we_are_better() {
        let own = [(0.4, 600), (0.5, 700), (9.0, 650)];
        let torch = [(1.5, 1400), (1.0, 1300), (0.25, 1200)];
        let turn = |((own_seconds, own_peak), (seconds, peak))| {
            [
                repetition("llavacode", own_seconds, own_peak),
                repetition(TORCH, seconds, peak),
            ]
        };
        let timed = [Timed {
            work: Work::Prefill206,
            repetitions: own.into_iter().zip(torch).flat_map(turn).collect(),
        }];
        let table = peer_rows(&timed);
        let expected = ["prefill_206", "500.0 ms", "1.00 s", "2.00×", "0.50×", "–", "–", "–"];
        assert_eq!(
            table.last().map(Vec::as_slice),
            Some(expected.map(String::from).as_slice())
        );
        let own = own_rows(&timed);
        let expected = [
            "prefill_206",
            "2",
            "500.0 ms",
            "400.0 ms – 9.00 s",
            "412.0",
            "700 MiB",
            "",
        ];
        assert_eq!(
            own.last().map(Vec::as_slice),
            Some(expected.map(String::from).as_slice())
        );
    }
}
