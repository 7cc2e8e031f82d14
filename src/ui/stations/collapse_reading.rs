//! What the soft tokens of the chosen chunk say over the run: nearest tokens, the reader's continuation, and the names it recalls.

use std::sync::Arc;

use egui::{Id, RichText, vec2};

use super::collapse_drawer::Looked;
use super::collapse_pairs::chunk_name;
use super::collapse_said::readings_ui;
use crate::app::Action;
use crate::engine::{ReadingAnswer, ReadingRequest, SoftTokenReading};
use crate::evaluation::Arm;
use crate::ui::View;
use crate::ui::charts::{LineChart, Scale, Series};
use crate::ui::code::Listing;
use crate::ui::theme::{self, Theme};

/// Probe steps that are asked for, beside the one that is looked at.
const STEPS: usize = 12;

/// Draws the page, or what brings it.
pub fn reading_ui(ui: &mut egui::Ui, view: &View<'_>, looked: &Looked<'_>) {
    let folder = &looked.open.run().folder;
    let chunk = looked.pair.0;
    let asked = view
        .state
        .laboratory
        .reading(|request| request.run == *folder && request.chunk == chunk);
    let answer = asked.and_then(|asked| asked.answer.as_ref());
    let waiting = asked.is_some() && answer.is_none();
    let now = looked.run.now.step;
    let fits = |answer: &ReadingAnswer| answer.readings.iter().any(|reading| reading.step == now);
    let lacks = view.state.lacking(&looked.open.run().experiment);
    let free = !waiting && lacks.is_none();
    let label = match answer {
        Some(Ok(answer)) if fits(answer) => None,
        Some(Ok(_)) => Some(format!("Read at step {now} too")),
        Some(Err(_)) => Some("Ask again".to_owned()),
        None => Some("Ask what it says".to_owned()),
    };
    ui.horizontal_wrapped(|ui| {
        chunks_ui(ui, view, looked);
        if let Some(label) = label {
            let button = ui.add_enabled(free, egui::Button::new(label));
            let help = "The reader reads the soft tokens of this chunk alone, at up to 13 probe steps; a run in training is served between two steps (Enter)";
            let key = ui.ctx().memory(|memory| memory.focused().is_none())
                && ui.input(|input| input.key_pressed(egui::Key::Enter));
            if button.on_hover_text(help).clicked() || (key && free) {
                view.act(Action::Read(request(looked)));
            }
        }
        if let Some(item) = lacks {
            let text = format!("▲ nothing can be asked: {} is not on this machine", item.name);
            ui.label(RichText::new(text).size(theme::SMALL).color(view.theme.warning));
        }
        if waiting {
            let text = "reading; the models are loaded first when nothing was asked of this run yet";
            ui.label(RichText::new(text).size(theme::SMALL).color(view.theme.weak));
        }
    });
    match answer {
        Some(Ok(answer)) if answer.readings.is_empty() => {
            ui.label("The probes of this run hold no vector of this chunk.");
        }
        Some(Ok(answer)) => answer_ui(ui, view, looked, answer),
        Some(Err(reason)) => {
            ui.label(RichText::new(format!("▲ {reason}")).color(view.theme.alarm));
        }
        None => {
            let text = "What the reader makes of this chunk's soft tokens alone: the tokens of its vocabulary that are nearest to them, what it writes behind them, and which of the chunk's rarest names it still recalls, from the first probe to the last. A collapsed run says the same of every chunk.";
            ui.label(RichText::new(text).color(view.theme.weak));
        }
    }
}

/// Which of the two chosen chunks it is about.
fn chunks_ui(ui: &mut egui::Ui, view: &View<'_>, looked: &Looked<'_>) {
    let (one, other) = looked.pair;
    let chunks = &looked.run.series.chunks;
    ui.label(theme::caption("chunk").color(view.theme.weak));
    ui.label(theme::caption(chunk_name(chunks, one)).color(view.theme.strong));
    if one != other {
        let name = chunk_name(chunks, other);
        let button = ui.button("The other chunk").on_hover_text(&name);
        if button.clicked() {
            view.act(Action::SelectPair(other, one));
        }
    }
}

/// The chunk at steps spread over the run, the first, the last and the one that is looked at among them.
fn request(looked: &Looked<'_>) -> ReadingRequest {
    let probes = &looked.open.run().probe_steps;
    let last = probes.len().saturating_sub(1);
    let spread = (0..STEPS).filter_map(|place| probes.get(place * last / (STEPS - 1)).copied());
    let mut steps: Vec<usize> = spread.chain([looked.run.now.step]).collect();
    steps.sort_unstable();
    steps.dedup();
    ReadingRequest {
        id: 0,
        run: looked.open.run().folder.clone(),
        chunk: looked.pair.0,
        steps,
    }
}

fn answer_ui(ui: &mut egui::Ui, view: &View<'_>, looked: &Looked<'_>, answer: &ReadingAnswer) {
    let now = looked.run.now.step;
    let nearest = answer.readings.iter().min_by_key(|reading| reading.step.abs_diff(now));
    let height = ui.available_height();
    let width = ui.available_width() - 2.0 * theme::SECTION;
    let down = egui::Layout::top_down(egui::Align::Min);
    ui.horizontal_top(|ui| {
        ui.spacing_mut().item_spacing.x = theme::SECTION;
        ui.allocate_ui_with_layout(vec2(width * 0.28, height), down, |ui| {
            ui.spacing_mut().item_spacing.x = theme::GAP;
            if let Some(reading) = nearest {
                let clicked = chart_ui(ui, view, looked, (answer, reading), height - 30.0);
                if let Some(step) = clicked {
                    view.act(Action::PinStep(Some(step)));
                }
            }
        });
        ui.allocate_ui_with_layout(vec2(width * 0.42, height), down, |ui| {
            ui.spacing_mut().item_spacing.x = theme::GAP;
            readings_ui(ui, view, answer, nearest, height - 30.0);
        });
        ui.allocate_ui_with_layout(vec2(width * 0.30, height), down, |ui| {
            ui.spacing_mut().item_spacing.x = theme::GAP;
            let area = egui::ScrollArea::vertical().auto_shrink(false).id_salt("read chunk");
            area.show(ui, |ui| names_ui(ui, looked, answer, nearest));
        });
    });
}

/// The cross-entropy of spelling the names with and without the soft tokens; answers with a step that was clicked.
fn chart_ui(
    ui: &mut egui::Ui,
    view: &View<'_>,
    looked: &Looked<'_>,
    (answer, now): (&ReadingAnswer, &SoftTokenReading),
    height: f32,
) -> Option<usize> {
    let points = |get: fn(&SoftTokenReading) -> Option<f64>| -> Arc<[[f64; 2]]> {
        let readings = answer.readings.iter();
        readings.filter_map(|one| Some([one.step as f64, get(one)?])).collect()
    };
    let mut with = Series::new("with the soft tokens", looked.run.sign, points(|one| one.spelling));
    with.marks = true;
    let without = view.theme.arm(Arm::NoContext);
    let without = Series::new("without them", without, points(|one| one.spelling_without));
    let last_x = looked.open.run().probe_steps.last().copied().unwrap_or_default() as f64;
    let chart = LineChart {
        id: Id::unique("spelling of names"),
        title: "spelling the chunk's names",
        x_label: "step",
        unit: "cross-entropy, nats a token",
        series: &[with, without],
        last_x,
        flags: &[],
        scale: Scale::Linear,
        cursor: view.state.selection.hovered_step.map(|step| step as f64),
        pinned: Some(now.step as f64),
        height,
        empty: "The chunk has no names that the reader could spell.",
        group: None,
    };
    let pointed = chart.show(ui);
    let clicked = pointed.clicked?;
    let distance = |reading: &&SoftTokenReading| (reading.step as f64 - clicked).abs();
    let readings = answer.readings.iter();
    readings
        .min_by(|a, b| distance(a).total_cmp(&distance(b)))
        .map(|reading| reading.step)
}

/// The chunk's code and its names, those that are recalled marked.
fn names_ui(ui: &mut egui::Ui, looked: &Looked<'_>, answer: &ReadingAnswer, now: Option<&SoftTokenReading>) {
    let theme = Theme::of(ui);
    ui.horizontal_wrapped(|ui| {
        ui.label(theme::caption("its rarest names").color(theme.weak));
        for (place, name) in answer.names.iter().enumerate() {
            let is_recalled = now.is_some_and(|reading| reading.recalled.contains(&place));
            let (mark, color) = if is_recalled {
                ("✓ ", theme.good)
            } else {
                ("", theme.text)
            };
            let text = RichText::new(format!("{mark}{name}")).monospace().size(theme::SMALL);
            ui.label(text.color(color));
        }
        if answer.names.is_empty() {
            ui.label(RichText::new("none").color(theme.weak));
        }
    });
    if let Some(chunk) = looked.run.series.chunks.get(answer.chunk) {
        let listing = Listing::of(chunk, answer.names.first().map(String::as_str));
        listing.show(ui, Id::unique("read chunk"));
    }
}
