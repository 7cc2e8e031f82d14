//! What can be done at the step that is looked at: raise the alignment weight, roll back before the alarm, or fork.

use egui::{DragValue, RichText};

use super::collapse_drawer::Looked;
use super::collapse_series::ProbeSeries;
use crate::app::{Action, UiCommand, weights};
use crate::collapse::AlarmKind;
use crate::runs::{EventKind, live_events};
use crate::ui::widgets::named;
use crate::ui::{View, format, theme};

/// The weight that is offered.
const FIELD: &str = "objective.alignment";

/// The smallest weight that is offered: that of the paper.
const PAPER: f64 = 0.1;

/// Most checkpoints that are offered.
const CHECKPOINTS: usize = 12;

/// What this page keeps between frames.
#[derive(Default)]
pub struct Hands {
    weight: Option<f64>,
    checkpoint: Option<usize>,
}

/// The first probe from which on every probe counts as collapsed.
fn collapsed_from(series: &ProbeSeries) -> Option<usize> {
    let newest_first = series.steps.values().rev();
    newest_first
        .take_while(|probe| probe.verdict.collapsed)
        .last()
        .map(|probe| probe.step)
}

/// Draws the page.
pub fn hands_ui(ui: &mut egui::Ui, view: &View<'_>, kept: &mut Hands, looked: &Looked<'_>) {
    let now = looked.run.now.step;
    collapse_ui(ui, view, looked);
    ui.add_space(theme::GAP);
    let run = looked.open.run();
    let before = weights(looked.open, now)
        .into_iter()
        .find_map(|(field, value)| (field == FIELD).then_some(value))
        .unwrap_or_default();
    let mut weight = kept.weight.unwrap_or((10.0 * before).max(PAPER));
    ui.horizontal_wrapped(|ui| {
        let label = ui.label(theme::caption("alignment weight").color(view.theme.weak));
        let drag = DragValue::new(&mut weight).speed(0.01).range(0.0..=1000.0);
        let response = ui.add(drag).labelled_by(label.id);
        named(ui, &response, "alignment weight");
        if response.changed() {
            kept.weight = Some(weight);
        }
        let text = format!(
            "it is {} at step {}",
            format::number(before),
            format::grouped(now as i64)
        );
        ui.label(RichText::new(text).size(theme::SMALL).color(view.theme.weak));
    });
    let steps = &run.checkpoint_steps;
    let Some(checkpoint) = checkpoint_ui(ui, view, kept, steps, now) else {
        let text = "The run keeps no checkpoint: it can be neither rolled back nor forked.";
        ui.label(RichText::new(text).color(view.theme.weak));
        live_ui(ui, view, looked, weight, None);
        return;
    };
    live_ui(ui, view, looked, weight, Some(checkpoint));
    ui.horizontal_wrapped(|ui| {
        let last = checkpoint >= run.experiment.schedule.steps;
        let refusal = match last {
            true => Some("the run ends there; choose an earlier checkpoint".to_owned()),
            false => UiCommand::Fork.refusal(view.state),
        };
        let text = format!("Fork from step {checkpoint} with weight {weight}");
        let button = ui.add_enabled(refusal.is_none(), egui::Button::new(text));
        let help = "Trains a new run from this checkpoint with the other weight, and shows it beside this one; a run in training is stopped for it";
        let button = button.on_hover_text(help);
        if button.on_disabled_hover_text(refusal.unwrap_or_default()).clicked() {
            view.act(Action::Fork {
                run: run.folder.clone(),
                step: checkpoint,
                changes: vec![format!("{FIELD}={weight}")],
            });
        }
        let text = "the fork's curve stands beside this one, and shows what the weight did";
        ui.label(RichText::new(text).size(theme::SMALL).color(view.theme.weak));
    });
}

/// Where it collapsed, by the probes and by the alarms, with the way there.
fn collapse_ui(ui: &mut egui::Ui, view: &View<'_>, looked: &Looked<'_>) {
    let go = |ui: &mut egui::Ui, step: usize| {
        let button = ui.button(format!("Look at step {step}"));
        if button.on_hover_text("Every chart at this step").clicked() {
            view.act(Action::PinStep(Some(step)));
        }
    };
    ui.horizontal_wrapped(|ui| match collapsed_from(&looked.run.series) {
        Some(step) => {
            let text = format!("▲ {} counts as collapsed from step {step} on", looked.run.name);
            ui.label(RichText::new(text).color(view.theme.alarm));
            go(ui, step);
        }
        None => {
            let text = format!("✓ {} does not count as collapsed at its newest probe", looked.run.name);
            ui.label(RichText::new(text).color(view.theme.good));
        }
    });
    let events = &looked.open.run().events;
    let raised = |kind: &EventKind| *kind == EventKind::AlarmRaised(AlarmKind::RepresentationCollapse);
    for event in live_events(events).into_iter().filter(|event| raised(&event.kind)) {
        ui.horizontal_wrapped(|ui| {
            let text = format!("▲ alarm at step {}: {}", event.step, event.reason);
            ui.label(RichText::new(text).color(view.theme.alarm));
            go(ui, event.step);
        });
    }
}

/// The checkpoints around the step that is looked at; answers with the chosen one.
fn checkpoint_ui(ui: &mut egui::Ui, view: &View<'_>, kept: &mut Hands, steps: &[usize], now: usize) -> Option<usize> {
    let before = steps
        .iter()
        .rev()
        .find(|step| **step <= now)
        .or(steps.first())
        .copied()?;
    let chosen = kept.checkpoint.filter(|step| steps.contains(step)).unwrap_or(before);
    let behind = steps.partition_point(|step| *step <= now);
    let from = behind
        .saturating_sub(CHECKPOINTS / 2)
        .min(steps.len().saturating_sub(CHECKPOINTS));
    ui.horizontal_wrapped(|ui| {
        ui.label(theme::caption("checkpoint").color(view.theme.weak));
        for step in steps.iter().skip(from).take(CHECKPOINTS) {
            let label = ui.selectable_label(*step == chosen, format!("step {step}"));
            if label.on_hover_text("Roll back or fork to here").clicked() {
                kept.checkpoint = Some(*step);
            }
        }
        let which = match chosen <= now {
            true => "the newest at or before the step that is looked at, unless you choose another",
            false => "the run keeps none before the step that is looked at",
        };
        let text = match steps.len() > CHECKPOINTS {
            true => format!("{CHECKPOINTS} of {} shown · {which}", steps.len()),
            false => which.to_owned(),
        };
        ui.label(RichText::new(text).size(theme::SMALL).color(view.theme.weak));
    });
    Some(chosen)
}

/// What a run in training can be told.
fn live_ui(ui: &mut egui::Ui, view: &View<'_>, looked: &Looked<'_>, weight: f64, checkpoint: Option<usize>) {
    let folder = &looked.open.run().folder;
    let Some((_, now)) = view
        .state
        .in_training()
        .filter(|(open, _)| open.run().folder == *folder)
    else {
        return;
    };
    let raise = || Action::Intervene {
        field: FIELD.to_owned(),
        value: weight,
    };
    ui.horizontal_wrapped(|ui| {
        let button = ui.button(format!("Set weight {weight} from the next step"));
        if button
            .on_hover_text("Logged, marked on the curves, and can be undone in Train")
            .clicked()
        {
            view.act(raise());
        }
        let Some(step) = checkpoint.filter(|step| *step < now) else {
            return;
        };
        let help = "The steps behind it are kept aside, and it can be undone in Train";
        if ui
            .button(format!("Roll back to step {step}"))
            .on_hover_text(help)
            .clicked()
        {
            view.act(Action::RollBack(step));
        }
        let button = ui.button(format!("Roll back to step {step} with weight {weight}"));
        if button.on_hover_text(help).clicked() {
            view.act(Action::RollBack(step));
            view.act(raise());
        }
    });
}
