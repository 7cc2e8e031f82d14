//! What the Collapse station says in words: a sentence a run, what could not be read, and which runs cannot stand side by side.

use egui::RichText;

use super::collapse_charts::Shown;
use super::collapse_reader::ProbeReader;
use super::collapse_series::ProbeSeries;
use crate::app::OpenRun;
use crate::collapse::headline;
use crate::ui::theme::{self, Theme};
use crate::ui::{View, format};

/// Probes that nobody has looked at yet.
pub fn left(open: &OpenRun, series: &ProbeSeries) -> usize {
    let known = series.steps.len() + series.failed.len();
    open.run().probe_steps.len().saturating_sub(known)
}

/// Draws a sentence a run, with what must be known to read it.
pub fn headlines_ui(ui: &mut egui::Ui, shown: &[Shown]) {
    let theme = Theme::of(ui);
    let small = |ui: &mut egui::Ui, text: String| {
        ui.label(RichText::new(text).size(theme::SMALL).color(theme.weak));
    };
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
            ui.label(theme::title(sentence).color(theme.strong));
            // On this line, so that nothing moves each time a live run is probed.
            if run.asked != run.now.step {
                small(ui, format!("reading probes, step {} is next", run.asked));
            } else if run.left > 0 {
                small(ui, format!("reading probes, {} left", run.left));
            }
            if let Some([rows, of]) = run.series.sampled {
                small(ui, format!("a seeded sample of {rows} of {of} vectors"));
            }
        });
        if let Some(sentence) = &run.content {
            small(ui, sentence.clone());
        }
    }
    let steps: Vec<usize> = shown.iter().map(|run| run.asked).collect();
    if let [first, second] = steps[..]
        && first != second
    {
        let text = format!(
            "{} was not probed at step {first}: its nearest probe, step {second}, stands beside it",
            shown.get(1).map_or("the other run", |run| &run.name)
        );
        small(ui, text);
    }
}

/// Runs that cannot stand beside the first: their names, and why.
pub type Strangers = Vec<(String, &'static str)>;

/// The runs whose encoder is the first one's, over the same chunks, and the others.
pub fn comparable(shown: Vec<Shown>) -> (Vec<Shown>, Strangers) {
    let first = shown.first().map(|run| run.series.clone()).unwrap_or_default();
    let mut strangers = Vec::new();
    let mut same: Vec<Shown> = Vec::new();
    for run in shown {
        match first.differs(&run.series) {
            Some(reason) if !same.is_empty() => strangers.push((run.name, reason)),
            _ => same.push(run),
        }
    }
    (same, strangers)
}

/// A run of which no probe has been read yet.
pub fn waiting_ui(ui: &mut egui::Ui, view: &View<'_>, open: &OpenRun, series: &ProbeSeries) {
    // The numbers of every step may be here before: an earlier reader has kept them.
    let readable = series.readable_at(&open.run().probe_steps, None).is_some();
    if series.looked.is_empty() && readable {
        let text = format!("reading probes of {}", open.run().name());
        ui.label(RichText::new(text).size(theme::SMALL).color(view.theme.weak));
    }
}

/// Probes that could not be read, and the way to try again.
pub fn failed_ui(ui: &mut egui::Ui, view: &View<'_>, reader: &ProbeReader, open: &OpenRun, series: &ProbeSeries) {
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
