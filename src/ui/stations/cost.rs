//! The Cost station: what each arm's quality costs, in one chart and the table beneath it.

use egui::{Id, Key, RichText, Ui};
use strum::IntoEnumIterator as _;

use super::compare_summary::evaluate_ui;
use super::cost_table::table_ui;
use crate::app::{Action, Pane, UiCommand};
use crate::corpus::Split;
use crate::runs::Run;
use crate::ui::charts::{TradeoffChart, TradeoffPoint, local, tick};
use crate::ui::cost::{Cost, Entry, Quality, entries, missing, numbers, points, splits};
use crate::ui::docks::panes_ui;
use crate::ui::widgets::empty_state;
use crate::ui::{View, theme};

/// Height of the chart's title row with its gap, points.
const FRAME: f32 = 34.0;
/// Least height of the chart, points.
const LEAST: f32 = 150.0;

/// What this page keeps between frames.
#[derive(Default)]
struct Memory {
    cost: Cost,
    quality: Quality,
    split: Option<Split>,
    /// The entry that is chosen.
    chosen: Option<usize>,
}

/// Draws the Cost station.
pub fn cost_ui(ui: &mut Ui, view: &View<'_>) {
    let memory = local::<Memory>(ui.ctx(), Id::unique("cost station"));
    let mut memory = memory.lock();
    let Some(open) = view.state.focused() else {
        let (title, text) = match &view.state.focus {
            Some(folder) => ("One moment", format!("Reading {}…", folder.display())),
            None => (
                "No run is open",
                "Here quality stands against what it costs: prompt tokens, time to the first token, memory. Choose a run to look at.".to_owned(),
            ),
        };
        let action = Some(("Go to Runs", Action::Command(UiCommand::GoRuns)));
        return empty_state(ui, view, title, &text, action);
    };
    let splits = splits(&shown(view));
    let usual = splits.first().copied();
    let asked = memory.split.or(view.state.tour_split());
    let Some(split) = asked.filter(|split| splits.contains(split)).or(usual) else {
        let title = format!("{} has no evaluation yet", open.run().name());
        let text = "Each arm becomes a point here after the first evaluation. Evaluate a checkpoint, or overlay a run that was evaluated in Runs (O).";
        let action = Some(("Go to Runs", Action::Command(UiCommand::GoRuns)));
        ui.horizontal(|ui| evaluate_ui(ui, view, open));
        return empty_state(ui, view, &title, text, action);
    };
    let mut errors = view.state.shown_runs().filter_map(|open| open.error.as_ref());
    if let Some(error) = errors.next() {
        let text = format!("▲ {error}; the numbers are those of the last reading");
        ui.label(RichText::new(text).color(view.theme.alarm));
    }
    keys(ui, &mut memory);
    controls_ui(ui, view, &mut memory, &splits, split);
    page_ui(ui, view, &mut memory, split);
}

/// The shown runs, each with the number of its sign.
fn shown<'a>(view: &View<'a>) -> Vec<(usize, &'a Run)> {
    view.state.shown_runs().map(|open| (open.sign, open.run())).collect()
}

/// C goes to the next cost, Q to the next quality, while nobody types.
fn keys(ui: &Ui, memory: &mut Memory) {
    let busy = |memory: &egui::Memory| memory.focused().is_some() || memory.top_modal_layer().is_some();
    if ui.ctx().memory(busy) {
        return;
    }
    let pressed = |key| ui.input(|input| input.key_pressed(key) && input.modifiers.is_none());
    if pressed(Key::C) {
        memory.cost = Cost::iter()
            .cycle()
            .skip_while(|cost| *cost != memory.cost)
            .nth(1)
            .unwrap_or_default();
    }
    if pressed(Key::Q) {
        let mut all = Quality::iter().cycle().skip_while(|quality| *quality != memory.quality);
        memory.quality = all.nth(1).unwrap_or_default();
    }
}

fn controls_ui(ui: &mut Ui, view: &View<'_>, memory: &mut Memory, splits: &[Split], split: Split) {
    let small = |text: &str| RichText::new(text).size(theme::SMALL).color(view.theme.weak);
    ui.horizontal_wrapped(|ui| {
        ui.label(small("cost (C)"));
        for cost in Cost::iter() {
            ui.selectable_value(&mut memory.cost, cost, cost.label())
                .on_hover_text(cost.definition());
        }
        ui.add_space(theme::SECTION);
        ui.label(small("quality (Q)"));
        for quality in Quality::iter() {
            ui.selectable_value(&mut memory.quality, quality, quality.label())
                .on_hover_text(quality.definition());
        }
        ui.add_space(theme::SECTION);
        for one in splits {
            let name = format!("{one:?} split").to_lowercase();
            if ui.selectable_label(*one == split, name).clicked() {
                memory.split = Some(*one);
            }
        }
    });
    ui.add_space(theme::TIGHT);
}

fn page_ui(ui: &mut Ui, view: &View<'_>, memory: &mut Memory, split: Split) {
    let entries = entries(&shown(view), split, view.state.selection.step);
    let found = points(view.theme, &entries, memory.cost, memory.quality);
    let best: Vec<usize> = found
        .iter()
        .filter(|(_, point)| point.best)
        .map(|(place, _)| *place)
        .collect();
    for note in missing(&entries, memory.cost, memory.quality) {
        let color = if note.starts_with('▲') {
            view.theme.warning
        } else {
            view.theme.weak
        };
        ui.label(RichText::new(note).size(theme::SMALL).color(color));
    }
    panes_ui(ui, view, &[Pane::Tradeoff, Pane::Numbers], |ui, pane| match pane {
        Pane::Tradeoff => chart_ui(ui, memory, &entries, &found),
        _ => {
            if let Some(place) = table_ui(ui, view, &entries, &best, memory.chosen) {
                memory.chosen = Some(place);
            }
        }
    });
}

fn chart_ui(ui: &mut Ui, memory: &mut Memory, entries: &[Entry<'_>], found: &[(usize, TradeoffPoint)]) {
    let points: Vec<TradeoffPoint> = found.iter().map(|(_, point)| point.clone()).collect();
    let shown = |chosen: Option<usize>| found.iter().position(|(place, _)| Some(*place) == chosen);
    let title = format!("{} against {}", memory.quality.label(), memory.cost.label());
    let direction = memory.quality.direction();
    let chart = TradeoffChart {
        id: Id::unique("tradeoff"),
        title: &title,
        note: format!(
            "{direction}; crosses: 95% by repository; Pareto line without controls; j next, k previous; runs are overlaid in Runs (O)"
        ),
        labels: [memory.cost.label(), memory.quality.label()],
        ticks: [tick; 2],
        points: &points,
        selected: shown(memory.chosen),
        zero: memory.quality == Quality::Difference,
        height: (ui.available_height() - FRAME).max(LEAST),
        empty: "No arm has both numbers. Choose another cost or quality, or evaluate the run again.",
    };
    if let Some(number) = chart.show(ui, || numbers(entries)) {
        memory.chosen = found.get(number).map(|(place, _)| *place);
    }
}
