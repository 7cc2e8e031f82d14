//! Which runs these are, what made them, and their settings: differences first.

use super::Reported;
use super::page::{Head, Page};
use crate::app::{field_text, fields};
use crate::experiment::Experiment;
use crate::runs::{EventKind, Run, live_events};

/// Writes the section.
pub fn section(page: &mut Page, reported: &Reported) {
    runs(page, reported);
    if reported.runs.len() > 1 {
        differences(page, reported);
    }
    for (_, run, label) in reported.iter() {
        happened(page, run, label);
    }
    page.folded("Every setting", |page| settings(page, reported));
    page.folded("Models, code and program", |page| {
        for (_, run, label) in reported.iter() {
            page.heading(label);
            manifest(page, run);
        }
    });
}

fn heads(first: &str, reported: &Reported) -> Vec<Head> {
    let labels = reported.labels.iter().map(Head::plain);
    std::iter::once(Head::plain(first)).chain(labels).collect()
}

fn row(name: &str, reported: &Reported, cell: impl Fn(&Run) -> String) -> Vec<String> {
    let cells = reported.runs.iter().map(cell);
    std::iter::once(name.to_owned()).chain(cells).collect()
}

fn runs(page: &mut Page, reported: &Reported) {
    let last = |run: &Run| {
        run.scalars
            .last()
            .map(|record| record.step.to_string())
            .unwrap_or_default()
    };
    let setting = |key: &'static str| move |run: &Run| field_text(&run.experiment, key);
    let rows = [
        row("folder", reported, |run| run.folder.display().to_string()),
        row("state", reported, |run| run.status().label().to_owned()),
        row("started", reported, started),
        row("last step", reported, last),
        row("reader", reported, setting("reader.model")),
        row("encoder", reported, setting("encoder.model")),
        row("code", reported, setting("data.corpus")),
        row("seed", reported, setting("seed")),
    ];
    page.words(&heads("run", reported), &rows);
}

/// To the minute, the same for every reader wherever they are.
fn started(run: &Run) -> String {
    let started = &run.manifest.started;
    match started.parse::<jiff::Timestamp>() {
        Ok(at) => at.strftime("%Y-%m-%d %H:%M UTC").to_string(),
        Err(_) => started.clone(),
    }
}

fn differences(page: &mut Page, reported: &Reported) {
    page.heading("Difference of settings");
    let differing = fields::all().filter(|field| {
        let mut texts = reported.runs.iter().map(|run| field_text(&run.experiment, field.key));
        let first = texts.next();
        field.key != "name" && texts.any(|text| Some(text) != first)
    });
    let rows: Vec<Vec<String>> = differing
        .map(|field| {
            row(&format!("{} ({})", field.label, field.key), reported, |run| {
                field_text(&run.experiment, field.key)
            })
        })
        .collect();
    match rows.is_empty() {
        true => page.text("Every setting is the same."),
        false => page.words(&heads("setting", reported), &rows),
    }
}

/// Alarms and what persons did, on the live branch of the run.
fn happened(page: &mut Page, run: &Run, label: &str) {
    let told = |kind: EventKind| {
        use EventKind::{AlarmCleared, AlarmRaised, Failed, Intervention, Return, RollBack, Stop};
        matches!(
            kind,
            AlarmRaised(_) | AlarmCleared(_) | Failed | Intervention | Return | RollBack | Stop
        )
    };
    let events = live_events(&run.events).into_iter().filter(|event| told(event.kind));
    let rows: Vec<Vec<String>> = events
        .map(|event| vec![event.step.to_string(), event.kind.words(), event.reason.clone()])
        .collect();
    if !rows.is_empty() {
        page.heading(&format!("What happened to {label}"));
        page.words(&["step", "what", "why"].map(Head::plain), &rows);
    }
}

fn settings(page: &mut Page, reported: &Reported) {
    let defaults = Experiment::default();
    for group in fields::GROUPS {
        page.heading(group.name);
        let mut heads = heads("setting", reported);
        heads.extend([Head::plain("unit"), Head::plain("default"), Head::plain("what it does")]);
        let of = |field: &fields::Field| {
            let mut cells = row(&format!("{} ({})", field.label, field.key), reported, |run| {
                field_text(&run.experiment, field.key)
            });
            cells.extend([
                field.unit.to_owned(),
                field_text(&defaults, field.key),
                field.help.to_owned(),
            ]);
            cells
        };
        page.words(&heads, &group.fields.iter().map(of).collect::<Vec<_>>());
    }
}

fn manifest(page: &mut Page, run: &Run) {
    let manifest = &run.manifest;
    let commit = manifest.commit.clone().unwrap_or_else(|| "unknown".into());
    let mut rows = vec![
        vec!["program".to_owned(), manifest.program.clone()],
        vec!["git commit".to_owned(), commit],
        vec![
            "device".to_owned(),
            format!("{}, {} threads", manifest.device, manifest.threads),
        ],
    ];
    if let Some(parent) = &manifest.parent {
        rows.push(vec![
            "forked from".to_owned(),
            format!("{}, step {}", parent.run, parent.step),
        ]);
    }
    let sums = manifest
        .sha256
        .iter()
        .map(|(name, sum)| vec![format!("SHA-256 of {name}"), sum.clone()]);
    let facts = manifest
        .facts
        .iter()
        .map(|(name, fact)| vec![name.clone(), fact.clone()]);
    rows.extend(sums.chain(facts));
    page.words(&["fact", "value"].map(Head::plain), &rows);
}
