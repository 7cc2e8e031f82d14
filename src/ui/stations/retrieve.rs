//! The Retrieve station: what was looked for and what was found, sample by sample, and how often the name needed is among it.

use std::sync::Arc;

use egui::{Id, RichText, Ui};

use super::retrieve_data::{RESAMPLES, Retrieval, first_hit};
use super::retrieve_list::{Listing, list_ui};
use super::retrieve_sample::sample_ui;
use crate::app::{Action, Pane, UiCommand, field_text};
use crate::corpus::Split;
use crate::runs::Run;
use crate::ui::charts::{LineChart, Scale, Series, local};
use crate::ui::docks::panes_ui;
use crate::ui::widgets::empty_state;
use crate::ui::{View, format, theme};

/// Height of the chart, points.
const CHART: f32 = 170.0;

/// What this page keeps between frames.
#[derive(Default)]
struct Memory {
    retrieval: Option<Arc<Retrieval>>,
    split: Option<Split>,
    listing: Listing,
}

/// Draws the Retrieve station.
pub fn retrieve_ui(ui: &mut Ui, view: &View<'_>) {
    let kept = local::<Memory>(ui.ctx(), Id::unique("retrieve station"));
    let mut memory = kept.lock();
    let Some(open) = view.state.focused() else {
        let action = Some(("Go to Runs", Action::Command(UiCommand::GoRuns)));
        let text = "Here stand the query of a sample and the chunks that were found for it. Choose a run to look at.";
        return empty_state(ui, view, "No run is open", text, action);
    };
    let run = open.run();
    let read = memory.retrieval.take();
    let retrieval = read
        .filter(|read| read.is_of(run, open.generation, memory.split))
        .unwrap_or_else(|| Arc::new(Retrieval::read(run, open.generation, memory.split)));
    memory.retrieval = Some(Arc::clone(&retrieval));
    if retrieval.samples.is_empty() {
        let text = "The samples and their chunks are written at the run's first evaluation.";
        return empty_state(ui, view, &format!("{} has no samples yet", run.name()), text, None);
    }
    head_ui(ui, view, run, &retrieval, &mut memory.split);
    let chosen = view.state.selection.sample.as_deref();
    let samples = &retrieval.samples;
    let record = samples.iter().find(|record| Some(record.sample.id.as_str()) == chosen);
    let before = memory.listing.clone();
    panes_ui(ui, view, &[Pane::Queries, Pane::Retrieved], |ui, pane| match pane {
        Pane::Queries => {
            if let Some(sample) = list_ui(ui, &mut memory.listing, &retrieval, chosen) {
                view.act(Action::SelectSample(Some(sample)));
            }
        }
        _ => {
            let area = egui::ScrollArea::vertical().auto_shrink(false).id_salt("retrieved");
            area.show(ui, |ui| {
                chart_ui(ui, view, &retrieval, record.and_then(first_hit));
                ui.add_space(theme::SECTION);
                if let Some(record) = record.or(samples.first()) {
                    sample_ui(ui, view, open, record);
                }
            });
        }
    });
    let change = (before, memory.listing.clone());
    view.remember("filter of Retrieve", &kept, change, |memory, listing| {
        memory.listing = listing
    });
}

/// The name of the retriever of a run; runs from before there was a choice used Jaccard similarity.
pub fn retriever_of(run: &Run) -> String {
    match field_text(&run.experiment, "retrieval.retriever") {
        none if none.is_empty() => "jaccard".into(),
        name => name,
    }
}

fn head_ui(ui: &mut Ui, view: &View<'_>, run: &Run, retrieval: &Retrieval, split: &mut Option<Split>) {
    ui.horizontal_wrapped(|ui| {
        ui.label(theme::title(run.name()).color(view.theme.strong));
        let among = retrieval.hit_rate.len();
        let rate = retrieval.hit_rate.last().map_or_else(String::new, |rate| {
            let [mean, low, high] = [rate.mean, rate.low, rate.high].map(|share| share * 100.0);
            format!(
                "{mean:.0}% [{low:.0}, {high:.0}] of {}",
                format::count(retrieval.samples.len(), "sample")
            )
        });
        ui.label(format!(
            "{rate} have the name needed among {}",
            format::count(among, "chunk")
        ));
        let how = format!(
            "retriever {}, chunks of {} lines",
            retriever_of(run),
            run.experiment.retrieval.chunk_lines
        );
        ui.label(RichText::new(how).color(view.theme.weak));
        if retrieval.splits.len() > 1 {
            ui.add_space(theme::SECTION);
            for one in &retrieval.splits {
                let name = format!("{one:?}").to_lowercase();
                if ui.selectable_label(Some(*one) == retrieval.split, name).clicked() {
                    *split = Some(*one);
                }
            }
        }
    });
    ui.add_space(theme::GAP);
}

/// The hit rate at every rank; the first hit of the chosen sample is the pinned rank.
fn chart_ui(ui: &mut Ui, view: &View<'_>, retrieval: &Retrieval, rank: Option<usize>) {
    let rates = retrieval.hit_rate.iter().zip(1..);
    let points: Vec<[f64; 4]> = rates
        .map(|(rate, k)| [f64::from(k), rate.mean * 100.0, rate.low * 100.0, rate.high * 100.0])
        .collect();
    let split = retrieval
        .split
        .map_or_else(String::new, |split| format!("{split:?}").to_lowercase());
    let note = format!(
        "% of {}, {split} split; 95% from {RESAMPLES} resamples of {} repositories",
        format::count(retrieval.samples.len(), "sample"),
        retrieval.repositories
    );
    let series = [Series::of_intervals("hit rate", view.theme.encoder(), &points)];
    LineChart {
        id: Id::unique("hit rate"),
        title: "samples with the name needed among the first chunks",
        x_label: "chunks",
        unit: &note,
        series: &series,
        last_x: retrieval.hit_rate.len() as f64,
        flags: &[],
        scale: Scale::Linear,
        cursor: None,
        pinned: rank.map(|rank| rank as f64),
        height: CHART,
        empty: "Nothing was retrieved.",
        group: None,
    }
    .show(ui);
}
