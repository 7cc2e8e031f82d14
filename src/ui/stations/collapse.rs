//! The Collapse station: the projected vectors beside the encoder's, at every probe step of a run or of two.

use std::path::PathBuf;
use std::sync::Arc;

use egui::{Id, RichText};

use super::collapse_charts::{Lower, Shown, charts_ui};
use super::collapse_drawer::{Drawer, drawer_ui};
use super::collapse_instruments::{Column, instruments_ui};
use super::collapse_scrubber::{Playing, Track, scrubber_ui};
use super::collapse_series::{EncoderProbe, ProbeReader, ProbeSeries};
use crate::app::{Action, OpenRun, UiCommand};
use crate::collapse::headline;
use crate::ui::charts::local;
use crate::ui::theme::{self, Theme};
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
    drawer: Drawer,
}

/// Probes that nobody has looked at yet.
fn left(open: &OpenRun, series: &ProbeSeries) -> usize {
    let known = series.steps.len() + series.failed.len();
    open.run().probe_steps.len().saturating_sub(known)
}

/// Draws the Collapse station.
pub fn collapse_ui(ui: &mut egui::Ui, view: &View<'_>) {
    let memory = local::<Memory>(ui.ctx(), Id::unique("collapse station"));
    let mut memory = memory.lock();
    let runs: Vec<&OpenRun> = view.state.shown_runs().take(RUNS).collect();
    let reader = ProbeReader::shared(ui.ctx(), view);
    let mut reader = reader.lock();
    let step = view.state.selection.step;
    let every: Vec<ProbeSeries> = runs.iter().map(|open| reader.series(ui.ctx(), open.run())).collect();
    let labels = format::run_labels(runs.iter().map(|open| open.run().folder.as_path()));
    let shown: Vec<Shown> = runs
        .iter()
        .zip(&every)
        .zip(labels)
        .filter_map(|((open, series), name)| {
            Some(Shown {
                folder: open.run().folder.clone(),
                name,
                sign: view.theme.run(open.sign),
                series: series.clone(),
                now: Arc::clone(series.at(step)?),
                left: left(open, series),
            })
        })
        .collect();
    let (shown, strangers) = comparable(shown);
    let focus = runs.first().map(|open| open.run().folder.clone());
    if memory.focus != focus {
        memory.focus = focus;
        memory.drawer.forget();
    }
    let encoder = shown.first().and_then(|run| run.series.encoder.clone());
    match (encoder, shown.first()) {
        (Some(encoder), Some(first)) => {
            let steps: Vec<usize> = first.series.steps.keys().copied().collect();
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
            scrubber_ui(ui, view, &tracks, &steps, &mut memory.playing);
            ui.add_space(theme::GAP);
            page_ui(ui, view, &mut memory, &encoder, &shown);
        }
        _ => {
            for (open, series) in runs.iter().zip(&every) {
                failed_ui(ui, view, &reader, open, series);
            }
            nothing_ui(ui, view, runs.first().copied(), every.first());
        }
    }
}

fn headlines_ui(ui: &mut egui::Ui, shown: &[Shown]) {
    for run in shown {
        let Some(encoder) = &run.series.encoder else {
            continue;
        };
        ui.horizontal_wrapped(|ui| {
            if shown.len() > 1 {
                ui.label(RichText::new(run.sign.mark).color(run.sign.color).size(theme::TITLE));
                ui.label(theme::title(&run.name).color(run.sign.color));
            }
            let sentence = headline(run.now.step, &encoder.instruments, &run.now.instruments);
            let theme = Theme::of(ui);
            ui.label(theme::title(sentence).color(theme.strong));
            // On this line, so that nothing moves each time a live run is probed.
            if run.left > 0 {
                let text = format!("reading probes, {} left", run.left);
                ui.label(RichText::new(text).size(theme::SMALL).color(theme.weak));
            }
        });
    }
}

/// Runs that cannot stand beside the first: their names, and why.
type Strangers = Vec<(String, &'static str)>;

/// The runs whose encoder is the first one's, over the same chunks, and the others.
fn comparable(shown: Vec<Shown>) -> (Vec<Shown>, Strangers) {
    let first = shown.first().map(|run| run.series.clone()).unwrap_or_default();
    let mut strangers = Vec::new();
    let mut same = Vec::new();
    for run in shown {
        match first.differs(&run.series) {
            Some(reason) if !same.is_empty() => strangers.push((run.name, reason)),
            _ => same.push(run),
        }
    }
    (same, strangers)
}

/// A run of which no probe has been read yet.
fn waiting_ui(ui: &mut egui::Ui, view: &View<'_>, open: &OpenRun, series: &ProbeSeries) {
    if series.steps.is_empty() && left(open, series) > 0 {
        let text = format!("reading probes of {}", open.run().name());
        ui.label(RichText::new(text).size(theme::SMALL).color(view.theme.weak));
    }
}

/// Probes that could not be read, and the way to try again.
fn failed_ui(ui: &mut egui::Ui, view: &View<'_>, reader: &ProbeReader, open: &OpenRun, series: &ProbeSeries) {
    if let Some((step, reason)) = series.failed.first_key_value() {
        let text = format!(
            "▲ {} not shown, the first is step {step}: {reason}",
            format::count(series.failed.len(), "probe")
        );
        ui.horizontal_wrapped(|ui| {
            ui.label(RichText::new(text).size(theme::SMALL).color(view.theme.warning));
            if ui.small_button("Read again").clicked() {
                reader.retry(&open.run().folder);
            }
        });
    }
}

fn page_ui(ui: &mut egui::Ui, view: &View<'_>, memory: &mut Memory, encoder: &Arc<EncoderProbe>, shown: &[Shown]) {
    let bare = egui::Frame::new();
    drawer_ui(ui, view, &mut memory.drawer, encoder, shown);
    egui::Panel::right("instruments")
        .default_size(if shown.len() > 1 { 450.0 } else { 390.0 })
        .size_range(320.0..=560.0)
        .frame(bare.inner_margin(egui::Margin::symmetric(12, 0)))
        .show(ui, |ui| {
            let columns: Vec<Column<'_>> = shown
                .iter()
                .map(|run| Column {
                    name: run.name.clone(),
                    sign: run.sign,
                    series: &run.series,
                    now: &run.now,
                })
                .collect();
            instruments_ui(ui, &columns);
        });
    egui::CentralPanel::default().frame(bare).show(ui, |ui| {
        egui::ScrollArea::vertical().auto_shrink(false).show(ui, |ui| {
            let picked = memory.drawer.picked();
            if let Some(picked) = charts_ui(ui, view, &mut memory.lower, picked, encoder, shown) {
                memory.drawer.pick(view, picked);
            }
        });
    });
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
