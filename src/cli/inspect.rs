//! `llavacode inspect`: the collapse instruments of a probe.

use std::path::PathBuf;

use clap::Args;
use serde_json::{Map, Value, json};

use super::output::say;
use super::session::JobError;
use super::table::table_text;
use crate::collapse::{Comparison, INSTRUMENTS, Instruments, compare, headline, instruments, verdict};
use crate::runs::Run;

/// What to inspect.
#[derive(Args)]
pub struct Arguments {
    /// The run's folder
    run: PathBuf,
    /// The probe's step, the last one when not given
    #[arg(long)]
    step: Option<usize>,
    /// Print JSON
    #[arg(long)]
    json: bool,
}

/// Computes the instruments from the run's folder alone and prints them.
pub fn run(arguments: &Arguments) -> anyhow::Result<()> {
    let run = Run::open(&arguments.run)?;
    for warning in &run.warnings {
        eprintln!("warning: {warning}");
    }
    let Some(step) = arguments.step.or(run.probe_steps.last().copied()) else {
        let message = format!("{} has no probe yet", run.folder.display());
        return Err(JobError::Failed {
            message,
            bad_input: true,
        }
        .into());
    };
    let probe = run.probe(step)?;
    let (encoder_vectors, projected_vectors) = (probe.encoder_vectors()?, probe.projected_vectors()?);
    let (encoder, projected) = (instruments(&encoder_vectors), instruments(&projected_vectors));
    let comparison = compare(&encoder_vectors, &projected_vectors);
    let verdict = verdict(&encoder, &projected);
    let content = run.content_sentence(step);
    if arguments.json {
        let result = json!({
            "step": step,
            "rows": probe.rows,
            "collapsed": verdict.collapsed,
            "reason": verdict.reason,
            "content": content,
            "encoder": values(&encoder),
            "projected": values(&projected),
            "comparison": named(&comparison).into_iter().map(|(name, value)| (name.into(), value.into())).collect::<Map<_, _>>(),
            "token_norm_quantiles": probe.token_norm_quantiles,
        });
        return Ok(say(serde_json::to_string_pretty(&result)?)?);
    }
    let mut rows = vec![
        ["instrument", "encoder", "projected", "healthy"]
            .map(String::from)
            .to_vec(),
    ];
    for info in INSTRUMENTS {
        let value = |of: &Instruments| format!("{:.4}", (info.get)(of));
        rows.push(vec![
            info.name.into(),
            value(&encoder),
            value(&projected),
            info.healthy.into(),
        ]);
    }
    let compared = named(&comparison).map(|(name, value)| vec![name.to_owned(), format!("{value:.4}")]);
    let headline = headline(step, &encoder, &projected);
    let (rows, compared) = (table_text(&rows), table_text(&compared));
    let content = content.map(|sentence| format!("\n{sentence}")).unwrap_or_default();
    Ok(say(format_args!(
        "{headline}\n{}{content}\n\n{rows}\n\n{compared}",
        verdict.reason
    ))?)
}

fn values(instruments: &Instruments) -> Map<String, Value> {
    INSTRUMENTS
        .iter()
        .map(|info| (info.key.into(), (info.get)(instruments).into()))
        .collect()
}

fn named(comparison: &Comparison) -> [(&'static str, f64); 4] {
    let Comparison {
        alignment_mse,
        alignment_frobenius,
        linear_cka,
        knn_overlap,
    } = *comparison;
    [
        ("alignment_mse", alignment_mse),
        ("alignment_frobenius", alignment_frobenius),
        ("linear_cka", linear_cka),
        ("knn_overlap", knn_overlap),
    ]
}
