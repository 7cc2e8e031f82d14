//! What if: the chosen sample completed again with other soft tokens, and what it owes to each chunk.

use std::collections::BTreeSet;

use egui::{Id, RichText, vec2};

use super::collapse_drawer::Looked;
use super::collapse_effect::{Answered, effect_ui, made_ui};
use super::collapse_links::Links;
use super::collapse_token_bars::signed_bar_ui;
use super::compare_data::{Evaluation, Row};
use crate::app::{Action, Station};
use crate::engine::CounterfactualRequest;
use crate::evaluation::{Change, Effect};
use crate::retrieval::Retrieved;
use crate::ui::View;
use crate::ui::charts::{ChartFrame, Table};
use crate::ui::theme::{self, Theme};

/// Changes of cross-entropy from here on may have the longest bar, nats a token: less is no difference to speak of.
const FULL: f64 = 0.05;

/// What this page keeps between frames.
#[derive(Default)]
pub struct WhatIf {
    sample: Option<String>,
    /// Chunks that the next change is made to.
    marked: BTreeSet<usize>,
    /// The change whose completion is shown.
    shown: Option<Change>,
    seed: u64,
}

/// Draws the page.
pub fn what_if_ui(ui: &mut egui::Ui, view: &View<'_>, (kept, links): (&mut WhatIf, &mut Links), looked: &Looked<'_>) {
    let evaluation = match links.evaluation(ui.ctx(), looked) {
        Ok(evaluation) => evaluation,
        Err(reason) => {
            ui.label(RichText::new(reason).color(view.theme.weak));
            return;
        }
    };
    let Some(row) = sample_of(view, &evaluation) else {
        ui.label("The run keeps no record of the samples it completed.");
        return;
    };
    let sample = &row.record.sample;
    if kept.sample.as_ref() != Some(&sample.id) {
        *kept = WhatIf {
            sample: Some(sample.id.clone()),
            ..WhatIf::default()
        };
    }
    let answered = Answered::of(view, &looked.open.run().folder, &sample.id);
    head_ui(ui, view, (kept, row), looked, &answered);
    if let Some(reason) = answered.failed {
        ui.label(RichText::new(format!("▲ {reason}")).color(view.theme.alarm));
    }
    let height = ui.available_height();
    let width = ui.available_width() - theme::SECTION;
    let down = egui::Layout::top_down(egui::Align::Min);
    ui.horizontal_top(|ui| {
        ui.spacing_mut().item_spacing.x = theme::SECTION;
        ui.allocate_ui_with_layout(vec2((width * 0.36).min(620.0), height), down, |ui| {
            ui.spacing_mut().item_spacing.x = theme::GAP;
            chunks_ui(ui, kept, &row.record.retrieved, &answered, height - 30.0);
        });
        ui.allocate_ui_with_layout(vec2(ui.available_width(), height), down, |ui| {
            ui.spacing_mut().item_spacing.x = theme::GAP;
            let area = egui::ScrollArea::vertical().auto_shrink(false).id_salt("what if");
            area.show(ui, |ui| {
                made_ui(ui, &answered, &mut kept.shown);
                effect_ui(ui, &answered, kept.shown.as_ref(), sample.target.trim());
            });
        });
    });
}

/// The sample that is chosen anywhere, or the first one.
fn sample_of<'a>(view: &View<'_>, evaluation: &'a Evaluation) -> Option<&'a Row> {
    let selected = view.state.selection.sample.as_deref();
    let rows = &evaluation.rows;
    rows.iter()
        .find(|row| Some(row.record.sample.id.as_str()) == selected)
        .or(rows.first())
}

/// The sample, and what can be asked.
fn head_ui(
    ui: &mut egui::Ui,
    view: &View<'_>,
    (kept, row): (&mut WhatIf, &Row),
    looked: &Looked<'_>,
    answered: &Answered<'_>,
) {
    let theme = view.theme;
    let sample = &row.record.sample;
    let count = row.record.retrieved.len();
    let ask = |changes: Vec<Change>| {
        view.act(Action::Counterfactuals(CounterfactualRequest {
            id: 0,
            run: looked.open.run().folder.clone(),
            sample: Box::new(sample.clone()),
            retrieved: row.record.retrieved.clone(),
            changes,
        }));
    };
    ui.horizontal_wrapped(|ui| {
        ui.label(theme::caption("true line").color(theme.weak));
        let target = RichText::new(sample.target.trim()).monospace().color(theme.strong);
        ui.add(egui::Label::new(target).selectable(true)).on_hover_text(&sample.id);
        if ui.button("Choose another").on_hover_text("In Compare, or under \"samples and completions\"").clicked() {
            view.act(Action::Go(Station::Compare));
        }
        ui.add_space(theme::GAP);
        let refusal = view.state.completion_refusal(looked.open);
        let free = !answered.waiting && refusal.is_none();
        let help = "Every chunk left out alone: how much the completion owes to each. Uses the live projector of a run in training, else the newest checkpoint (Enter)";
        let button = ui.add_enabled(free && count > 0, egui::Button::new("Leave each chunk out"));
        let key = ui.ctx().memory(|memory| memory.focused().is_none())
            && ui.input(|input| input.key_pressed(egui::Key::Enter));
        if button.on_hover_text(help).clicked() || (key && free && count > 0) {
            ask(Change::leave_one_out(count));
        }
        let marked: Vec<usize> = kept.marked.iter().copied().collect();
        let swap = match marked.as_slice() {
            [one, other] => Some(Change::Swap(*one, *other)),
            _ => None,
        };
        let some = (!marked.is_empty()).then_some(marked);
        for (label, help, change) in [
            ("Drop", "The marked chunks are left out", some.clone().map(Change::Drop)),
            ("Zero", "The marked chunks' soft tokens become zero", some.clone().map(Change::Zero)),
            ("Average", "They become the mean soft token of the sample", some.map(Change::Average)),
            ("Swap", "The two marked chunks change places", swap),
            ("Shuffle", "All chunks change places by chance; once more, and by another", Some(Change::Shuffle(kept.seed))),
        ] {
            let possible = change.is_some() && free && count > 0;
            let button = ui.add_enabled(possible, egui::Button::new(label)).on_hover_text(help);
            let why = refusal.as_deref().unwrap_or("mark chunks below first");
            let button = button.on_disabled_hover_text(format!("{help}: {why}"));
            if let (true, Some(change)) = (button.clicked(), change) {
                if matches!(change, Change::Shuffle(_)) {
                    kept.seed += 1;
                }
                kept.shown = Some(change.clone());
                ask(vec![change]);
            }
        }
        if let Some(reason) = &refusal {
            let text = format!("▲ nothing can be completed: {reason}");
            ui.label(RichText::new(text).size(theme::SMALL).color(theme.warning));
        }
        if answered.waiting {
            let text = "completing; a run in training is served between two steps";
            ui.label(RichText::new(text).size(theme::SMALL).color(theme.weak));
        }
    });
}

/// The chunks with their importance, each of which can be marked.
fn chunks_ui(ui: &mut egui::Ui, kept: &mut WhatIf, retrieved: &[Retrieved], answered: &Answered<'_>, height: f32) {
    let owed = |chunk: usize| -> Option<f64> {
        let (unchanged, changed) = answered.find(&Change::Drop(vec![chunk]))?;
        Some(Effect::of(unchanged, changed).cross_entropy)
    };
    let every: Vec<Option<f64>> = (0..retrieved.len()).map(owed).collect();
    let largest = every
        .iter()
        .flatten()
        .fold(FULL, |largest, value| largest.max(value.abs()));
    let step = answered
        .step
        .map_or_else(String::new, |step| format!(", projector of step {step}"));
    let frame = ChartFrame {
        id: Id::unique("importance of chunks"),
        title: "what the completion owes to each chunk",
        kind: "",
        note: format!("cross-entropy without it minus with it, nats a token{step}"),
        summary: format!("importance of {} chunks by leaving each out", retrieved.len()),
        height,
        empty: retrieved.is_empty().then_some("Nothing was retrieved for this sample."),
    };
    let table = || {
        let mut table = Table::new(["rank", "chunk", "change of cross-entropy without it, nats"]);
        table.rows = retrieved
            .iter()
            .zip(&every)
            .map(|(found, owed)| {
                let place = format!("{}:{}", found.chunk.path, found.chunk.first_line);
                vec![
                    found.rank.to_string(),
                    place,
                    owed.map_or_else(String::new, |owed| owed.to_string()),
                ]
            })
            .collect();
        table
    };
    frame.show(ui, table, |ui, height| {
        let area = egui::ScrollArea::vertical()
            .auto_shrink([false, true])
            .max_height(height);
        area.id_salt("chunks of the sample").show(ui, |ui| {
            for (place, (found, owed)) in retrieved.iter().zip(&every).enumerate() {
                chunk_ui(ui, kept, (place, found), owed.map(|owed| (owed, largest)));
            }
        });
    });
}

fn chunk_ui(ui: &mut egui::Ui, kept: &mut WhatIf, (place, found): (usize, &Retrieved), owed: Option<(f64, f64)>) {
    let theme = Theme::of(ui);
    let chunk = &found.chunk;
    ui.horizontal(|ui| {
        let mut marked = kept.marked.contains(&place);
        let hit = if found.hit { "✓ " } else { "" };
        let file = chunk.path.rsplit('/').next().unwrap_or(&chunk.path);
        let name = format!("{} {hit}{file}:{}", found.rank, chunk.first_line);
        let label = RichText::new(&name).monospace().size(theme::SMALL).color(theme.text);
        let bar = 190.0;
        let width = (ui.available_width() - bar - theme::GAP).max(120.0);
        let left = egui::Layout::left_to_right(egui::Align::Center);
        let response = ui
            .allocate_ui_with_layout(vec2(width, 22.0), left, |ui| {
                ui.set_min_width(width);
                ui.checkbox(&mut marked, label)
            })
            .inner;
        if response.changed() {
            match marked {
                true => kept.marked.insert(place),
                false => kept.marked.remove(&place),
            };
        }
        response.on_hover_text(format!(
            "{}/{}, from line {}, score {:.3}{}\n\n{}",
            chunk.repository,
            chunk.path,
            chunk.first_line,
            found.score,
            if found.hit { ", holds the name needed" } else { "" },
            chunk.text
        ));
        match owed {
            Some((owed, largest)) => {
                let change = Change::Drop(vec![place]);
                let is_shown = kept.shown.as_ref() == Some(&change);
                signed_bar_ui(ui, owed, largest, bar - 60.0, &change.label());
                let button = ui.selectable_label(is_shown, "show");
                if button
                    .on_hover_text(format!("The completion {}", change.label()))
                    .clicked()
                {
                    kept.shown = Some(change);
                }
            }
            None => {
                ui.label(RichText::new("not asked yet").size(theme::SMALL).color(theme.weak));
            }
        }
    });
}
