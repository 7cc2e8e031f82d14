//! The Collapse station: the projected vectors beside the encoder's, at every probe step of a run or of two.

use std::path::PathBuf;
use std::sync::Arc;

use egui::{Id, RichText};

use super::collapse_charts::{Lower, Shown, charts_ui};
use super::collapse_drawer::{Drawer, drawer_bar_ui, drawer_ui};
use super::collapse_headline::{comparable, failed_ui, headlines_ui, left, waiting_ui};
use super::collapse_instruments::{Column, instruments_ui};
use super::collapse_pairs::{Part, Picked};
use super::collapse_reader::ProbeReader;
use super::collapse_scrubber::{Playing, Scrubber};
use super::collapse_series::{EncoderProbe, ProbeSeries};
use super::collapse_track::Track;
use crate::app::{Action, LayoutAction, OpenRun, Pane, UiCommand, XAxis};
use crate::ui::charts::{flags, local};
use crate::ui::docks::panes_ui;
use crate::ui::theme;
use crate::ui::widgets::empty_state;
use crate::ui::{View, format};

/// Runs that stand side by side.
const RUNS: usize = 2;

/// What this page keeps between frames.
#[derive(Default)]
struct Memory {
    focus: Option<PathBuf>,
    lower: Lower,
    playing: Playing,
    /// The step that others are held against.
    reference: Option<usize>,
    drawer: Drawer,
    /// Frames in which the lower view is brought into sight.
    bring: u8,
}

/// Draws the Collapse station.
pub fn collapse_ui(ui: &mut egui::Ui, view: &View<'_>) {
    let memory = local::<Memory>(ui.ctx(), Id::unique("collapse station"));
    let mut memory = memory.lock();
    let runs: Vec<&OpenRun> = view.state.shown_runs().take(RUNS).collect();
    let reader = ProbeReader::shared(ui.ctx(), view);
    let mut reader = reader.lock();
    let focus = runs.first().map(|open| open.run().folder.clone());
    if memory.focus != focus {
        memory.focus = focus;
        memory.drawer.forget();
        memory.reference = None;
    }
    // Runs go in lock-step: beside the newest probe of the one in focus stands the same step of the other.
    let mut step = view.state.selection.step;
    let mut every: Vec<ProbeSeries> = Vec::with_capacity(runs.len());
    for open in &runs {
        let asked: Vec<Option<usize>> = std::iter::once(step).chain(memory.reference.map(Some)).collect();
        let series = reader.look(ui.ctx(), open.run(), &asked);
        step = step.or_else(|| series.readable_at(&open.run().probe_steps, None));
        every.push(series);
    }
    let labels = format::run_labels(runs.iter().map(|open| open.run().folder.as_path()));
    let shown: Vec<Shown> = runs
        .iter()
        .zip(&every)
        .zip(labels)
        .filter_map(|((open, series), name)| {
            let steps = &open.run().probe_steps;
            let asked = series.readable_at(steps, step)?;
            let reference = memory.reference.and_then(|step| series.readable_at(steps, Some(step)));
            Some(Shown {
                folder: open.run().folder.clone(),
                name,
                sign: view.theme.run(open.sign),
                now: Arc::clone(series.probe_or_last(asked)?),
                reference: reference.and_then(|step| series.probe(step)).cloned(),
                asked,
                content: open.run().content_sentence(asked),
                left: left(open, series),
                series: series.clone(),
                events: flags(open.run(), XAxis::Step, view.theme).into(),
                alarms: open.run().experiment.alarms.clone(),
            })
        })
        .collect();
    let (shown, strangers) = comparable(shown);
    let encoder = shown.first().and_then(|run| run.series.encoder.clone());
    match (encoder, shown.first()) {
        (Some(encoder), Some(first)) => {
            let probed = runs.first().map(|open| open.run().probe_steps.as_slice());
            let readable = |step: &&usize| !first.series.failed.contains_key(*step);
            let steps: Vec<usize> = probed.into_iter().flatten().filter(readable).copied().collect();
            headlines_ui(ui, &shown);
            for (open, series) in runs.iter().zip(&every) {
                waiting_ui(ui, view, open, series);
                failed_ui(ui, view, &reader, open, series);
            }
            for (name, reason) in strangers {
                let text = format!("▲ {name} {reason}, so it cannot stand beside {}", first.name);
                ui.label(RichText::new(text).size(theme::SMALL).color(view.theme.warning));
            }
            let tracks: Vec<Track<'_>> = shown
                .iter()
                .map(|run| Track {
                    series: &run.series,
                    sign: run.sign,
                    name: &run.name,
                })
                .collect();
            let scrubber = Scrubber {
                tracks: &tracks,
                steps: &steps,
            };
            let Memory { playing, reference, .. } = &mut *memory;
            scrubber.show(ui, view, playing, reference);
            ui.add_space(theme::GAP);
            page_ui(ui, view, (&mut memory, &mut reader), &encoder, &shown);
        }
        _ => {
            for (open, series) in runs.iter().zip(&every) {
                failed_ui(ui, view, &reader, open, series);
            }
            nothing_ui(ui, view, runs.first().copied(), every.first());
        }
    }
}

fn page_ui(
    ui: &mut egui::Ui,
    view: &View<'_>,
    (memory, reader): (&mut Memory, &mut ProbeReader),
    encoder: &Arc<EncoderProbe>,
    shown: &[Shown],
) {
    let was = (memory.lower, memory.drawer.is_open());
    let looks_at = drawer_bar_ui(ui, view, &mut memory.drawer, shown);
    let panes: &[Pane] = match looks_at.filter(|_| memory.drawer.is_open()) {
        Some(_) => &[Pane::Charts, Pane::Instruments, Pane::Drawer],
        None => &[Pane::Charts, Pane::Instruments],
    };
    panes_ui(ui, view, panes, |ui, pane| match pane {
        Pane::Charts => {
            egui::ScrollArea::vertical().auto_shrink(false).show(ui, |ui| {
                let picked = memory.drawer.picked();
                let lower = (&mut memory.lower, memory.bring > 0);
                if let Some(picked) = charts_ui(ui, view, lower, picked, encoder, shown) {
                    memory.drawer.pick(view, picked);
                }
            });
        }
        Pane::Instruments => {
            let columns: Vec<Column<'_>> = shown
                .iter()
                .map(|run| Column {
                    name: run.name.clone(),
                    sign: run.sign,
                    series: &run.series,
                    now: &run.now,
                    reference: run.reference.as_ref(),
                })
                .collect();
            instruments_ui(ui, &columns);
        }
        _ => {
            if let Some(run) = looks_at {
                drawer_ui(ui, view, (&mut memory.drawer, reader), encoder, run);
            }
        }
    });
    if memory.drawer.is_open() && !was.1 {
        view.act(Action::Layout(LayoutAction::Show(Pane::Drawer)));
    }
    // An open drawer may leave too little height for histograms and the view below them: the view is what was asked for last. It is
    // brought twice, since the room is known only when the drawer has been drawn.
    let of_bin = matches!(memory.drawer.picked(), Some(Picked { part: Part::Bin(_), .. }));
    let changed = was != (memory.lower, memory.drawer.is_open());
    memory.bring = match changed && memory.drawer.is_open() && !of_bin {
        true => 2,
        false => memory.bring.saturating_sub(1),
    };
    if memory.bring > 0 {
        ui.ctx().request_repaint();
    }
}

/// Why there is nothing to see yet, and the one thing to do.
fn nothing_ui(ui: &mut egui::Ui, view: &View<'_>, open: Option<&OpenRun>, series: Option<&ProbeSeries>) {
    let Some(open) = open else {
        let action = Some(("Go to Runs", Action::Command(UiCommand::GoRuns)));
        let text = "Here a run's projected vectors stand beside the encoder's, step by step. Choose a run to look at.";
        return empty_state(ui, view, "No run is open", text, action);
    };
    let failed = series.and_then(|series| series.failed.first_key_value());
    match failed {
        Some((step, reason)) => {
            let title = format!("The probe of step {step} cannot be shown");
            empty_state(ui, view, &title, reason, None);
        }
        None if open.run().probe_steps.is_empty() => {
            let text = "The projected vectors appear here with the run's first probe, before its first step.";
            empty_state(
                ui,
                view,
                &format!("{} has no probes yet", open.run().name()),
                text,
                None,
            );
        }
        None => empty_state(
            ui,
            view,
            "Reading probes",
            "The instruments are computed once for each step.",
            None,
        ),
    }
}
