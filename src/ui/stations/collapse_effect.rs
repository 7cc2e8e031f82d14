//! What a change to the soft tokens of a sample did: completions, scores and the log-probability of every token of the true line.

use std::path::Path;

use egui::{Id, RichText};

use super::collapse_token_bars::token_bars_ui;
use crate::engine::CounterfactualAnswer;
use crate::evaluation::{Change, CompletionRecord, Effect};
use crate::ui::View;
use crate::ui::charts::{ChartFrame, Table, table_menu};
use crate::ui::code::differences_job;
use crate::ui::format::signed;
use crate::ui::theme::{self, Theme};

/// Height of the tokens with their bars, points.
const TOKENS: f32 = 150.0;

/// Everything that was answered about a sample, newest first.
pub struct Answered<'a> {
    answers: Vec<&'a CounterfactualAnswer>,
    /// Something is still being completed.
    pub waiting: bool,
    /// Why the newest question has no answer.
    pub failed: Option<&'a str>,
    /// Steps that the projector of the newest answer had finished.
    pub step: Option<usize>,
}

impl<'a> Answered<'a> {
    /// What the laboratory knows about a sample of a run.
    pub fn of(view: &View<'a>, run: &Path, sample: &str) -> Self {
        let laboratory = &view.state.laboratory;
        let asked: Vec<_> = laboratory
            .counterfactuals(|request| request.run == run && request.sample.id == sample)
            .collect();
        let newest = asked.first().and_then(|asked| asked.answer.as_ref());
        let failed = newest.and_then(|answer| answer.as_ref().err());
        let answers: Vec<&CounterfactualAnswer> = asked
            .iter()
            .filter_map(|asked| asked.answer.as_ref()?.as_ref().ok())
            .collect();
        Self {
            waiting: asked.iter().any(|asked| asked.answer.is_none()),
            failed: failed.map(String::as_str),
            step: answers.first().map(|answer| answer.step),
            answers,
        }
    }

    fn answer(&self, change: &Change) -> Option<(&'a CounterfactualAnswer, &'a CompletionRecord)> {
        self.answers.iter().find_map(|answer| {
            let (_, changed) = answer.changed.iter().find(|(other, _)| other == change)?;
            Some((*answer, changed))
        })
    }

    /// The completion as it is, and with a change.
    pub fn find(&self, change: &Change) -> Option<(&'a CompletionRecord, &'a CompletionRecord)> {
        self.answer(change)
            .map(|(answer, changed)| (&answer.unchanged, changed))
    }

    /// Every change with its completion, newest answer first and each change once.
    fn changes(&self) -> Vec<(&'a Change, &'a CompletionRecord, &'a CompletionRecord)> {
        let mut found: Vec<(&Change, &CompletionRecord, &CompletionRecord)> = Vec::new();
        for answer in &self.answers {
            for (change, changed) in &answer.changed {
                if found.iter().all(|(other, ..)| *other != change) {
                    found.push((change, &answer.unchanged, changed));
                }
            }
        }
        found
    }

    /// What every change did, for export.
    fn numbers(&self) -> Table {
        let mut table = Table::new([
            "change",
            "cross-entropy before, nats a token",
            "cross-entropy after, nats a token",
            "change of cross-entropy, nats a token",
            "EM before",
            "EM after",
            "ES before",
            "ES after",
            "completion before",
            "completion after",
        ]);
        let rows = self.changes().into_iter().map(|(change, before, after)| {
            let effect = Effect::of(before, after);
            let [old, new] = [before, after].map(|one| &one.scores);
            let values = [
                old.cross_entropy,
                new.cross_entropy,
                effect.cross_entropy,
                old.em_token,
                new.em_token,
                old.es_levenshtein,
                new.es_levenshtein,
            ];
            let texts = [before, after].map(|one| one.text.trim().to_owned());
            [
                vec![change.label()],
                values.map(|value| value.to_string()).to_vec(),
                texts.to_vec(),
            ]
            .concat()
        });
        table.rows = rows.collect();
        table
    }

    /// The changes that were made by hand, newest first: those that were asked for alone.
    fn made(&self) -> Vec<&'a Change> {
        let alone = self.answers.iter().filter(|answer| answer.changed.len() == 1);
        let mut made = Vec::new();
        for (change, _) in alone.flat_map(|answer| &answer.changed) {
            if !made.contains(&change) {
                made.push(change);
            }
        }
        made
    }
}

/// The changes that were made by hand with what each did; one of them can be shown.
pub fn made_ui(ui: &mut egui::Ui, answered: &Answered<'_>, shown: &mut Option<Change>) {
    let theme = Theme::of(ui);
    let made = answered.made();
    if made.is_empty() {
        return;
    }
    ui.horizontal_wrapped(|ui| {
        ui.label(theme::caption("made by hand").color(theme.weak));
        for change in made {
            let Some((before, after)) = answered.find(change) else {
                continue;
            };
            let effect = Effect::of(before, after);
            let text = format!("{} {}", change.label(), signed(effect.cross_entropy, 2));
            let label = ui.selectable_label(shown.as_ref() == Some(change), text);
            if label.on_hover_text("change of cross-entropy, nats a token").clicked() {
                *shown = Some(change.clone());
            }
        }
    });
}

/// The completion before and after a change, its scores, and the tokens of the true line.
pub fn effect_ui(ui: &mut egui::Ui, answered: &Answered<'_>, shown: Option<&Change>, target: &str) {
    let theme = Theme::of(ui);
    let weak = |text: &str| RichText::new(text).color(theme.weak);
    let Some(change) = shown else {
        let text = match answered.answers.is_empty() {
            true => {
                "\"Leave each chunk out\" completes this sample without each of its chunks in turn. Or mark chunks and drop, empty, average or swap their soft tokens; \"Shuffle\" needs no mark."
            }
            false => {
                "\"show\" beside a chunk shows the completion without it; or mark chunks and change their soft tokens."
            }
        };
        ui.label(weak(text));
        return;
    };
    let Some((answer, after)) = answered.answer(change) else {
        ui.label(weak(&format!("{}: not completed yet", change.label())));
        return;
    };
    let before = &answer.unchanged;
    let effect = Effect::of(before, after);
    ui.horizontal_wrapped(|ui| {
        ui.label(theme::caption(change.label()).color(theme.strong));
        let color = match effect.cross_entropy {
            worse if worse > 0.0 => theme.alarm,
            better if better < 0.0 => theme.good,
            _ => theme.text,
        };
        let mark = if effect.cross_entropy > 0.0 { "▲ " } else { "" };
        let text = format!("{mark}cross-entropy {} nats a token", signed(effect.cross_entropy, 3));
        ui.label(RichText::new(text).color(color));
        let [old, new] = [before, after].map(|one| if one.scores.em_token >= 1.0 { "✓" } else { "✗" });
        ui.label(format!("EM {old} → {new}"));
        let [old, new] = [before, after].map(|one| one.scores.es_levenshtein);
        ui.label(format!("ES {old:.1} → {new:.1}"));
        table_menu(ui, "changes of the soft tokens", || answered.numbers());
    });
    let width = (ui.available_width() - 90.0).max(200.0);
    egui::Grid::new("completions of a change")
        .num_columns(2)
        .spacing([12.0, 4.0])
        .show(ui, |ui| {
            let line = |ui: &mut egui::Ui, name: &str, job: egui::text::LayoutJob, help: String| {
                ui.label(theme::caption(name).color(theme.weak));
                // Laid out here: a grid would never wrap it.
                let text = ui.painter().layout_job(job);
                ui.add(egui::Label::new(text).selectable(true)).on_hover_text(help);
                ui.end_row();
            };
            let [old, new] = [before, after].map(|one| one.text.trim());
            let job = differences_job(theme, target, old, width);
            let help = format!("written: {old}\ntrue line: {target}\nstruck out: extra · underlined: missing");
            line(ui, "as it is", job, help);
            match effect.other_text {
                true => {
                    // What only the new one has stands as what the old one lacks.
                    let job = differences_job(theme, new, old, width);
                    line(
                        ui,
                        "changed",
                        job,
                        format!("written now: {new}\nstruck out: gone · underlined: new"),
                    );
                }
                false => {
                    let job = egui::text::LayoutJob::simple(
                        format!("{new}   (the same text)"),
                        egui::FontId::monospace(theme::BODY),
                        theme.text,
                        width,
                    );
                    line(ui, "changed", job, "the same text is written".to_owned());
                }
            }
        });
    ui.add_space(theme::TIGHT);
    tokens_ui(ui, answer, after);
}

fn tokens_ui(ui: &mut egui::Ui, answer: &CounterfactualAnswer, after: &CompletionRecord) {
    let before = &answer.unchanged.log_probabilities;
    let after = &after.log_probabilities;
    let frame = ChartFrame {
        id: Id::unique("tokens of the true line"),
        title: "the true line, token by token",
        kind: "",
        note: "log-probability after minus before, nats".to_owned(),
        summary: format!("log-probability of {} tokens before and after", before.len()),
        height: TOKENS,
        empty: before.is_empty().then_some("The true line has no tokens."),
    };
    let table = || {
        let mut table = Table::new(["token", "before, nats", "after, nats"]);
        let values = before.iter().zip(after).enumerate();
        table.rows = values
            .map(|(place, (before, after))| {
                let text = answer.target.get(place).cloned().unwrap_or_default();
                vec![text, before.to_string(), after.to_string()]
            })
            .collect();
        table
    };
    frame.show(ui, table, |ui, _| token_bars_ui(ui, &answer.target, before, after));
}
