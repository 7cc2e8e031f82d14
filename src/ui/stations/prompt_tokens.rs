//! A prompt token by token: where each token comes from, and whether it may attend to the soft tokens.

use std::sync::Arc;

use egui::text::{LayoutJob, TextFormat};
use egui::{Color32, FontId, Galley, RichText, Stroke, Ui};

use crate::evaluation::Arm;
use crate::prompt::{PromptEntry, Source};
use crate::ui::charts::{ChartFrame, Table, local};
use crate::ui::format::count;
use crate::ui::theme::{self, Theme};

/// Height of the prompt, points; a longer one scrolls.
const HEIGHT: f32 = 260.0;

/// Draws the prompts of a completion, one at a time.
pub fn prompts_ui(ui: &mut Ui, prompts: &[(Arm, &[PromptEntry])]) {
    let chosen = local::<Option<Arm>>(ui.ctx(), egui::Id::unique("inspected arm"));
    let mut chosen = chosen.lock();
    let has = |wanted: Arm| prompts.iter().any(|(arm, _)| *arm == wanted);
    let arm = chosen.filter(|arm| has(*arm)).unwrap_or(Arm::Compressed);
    let Some((arm, entries)) = prompts.iter().find(|one| one.0 == arm).or(prompts.first()).copied() else {
        return;
    };
    ui.horizontal_wrapped(|ui| {
        for (one, _) in prompts {
            let name = format!("{} {}", Theme::of(ui).arm(*one).mark, one.label());
            if ui
                .selectable_label(*one == arm, name)
                .on_hover_text(one.meaning())
                .clicked()
            {
                *chosen = Some(*one);
            }
        }
    });
    prompt_ui(ui, arm, entries);
}

fn prompt_ui(ui: &mut Ui, arm: Arm, entries: &[PromptEntry]) {
    let target = entries.iter().filter(|entry| entry.source == Source::Target).count();
    let soft = |entry: &&PromptEntry| matches!(entry.source, Source::SoftToken { .. });
    let soft = entries.iter().filter(soft).count();
    let seeing = entries.iter().filter(|entry| entry.sees_soft).count();
    let title = format!("prompt of {}", arm.label());
    let note = format!(
        "{}, {soft} soft, and {} of the target; {seeing} may attend to soft tokens",
        count(entries.len() - target, "position"),
        count(target, "token")
    );
    let frame = ChartFrame {
        id: egui::Id::unique("prompt tokens"),
        title: &title,
        kind: "",
        summary: format!("{title}: {note}"),
        note,
        height: HEIGHT,
        empty: entries.is_empty().then_some("This arm has no prompt."),
    };
    frame.show(
        ui,
        || table(entries),
        |ui, height| {
            legend_ui(ui, entries);
            ui.add_space(theme::TIGHT);
            let scroll = egui::ScrollArea::vertical().id_salt("prompt tokens").auto_shrink(false);
            scroll.max_height(height - 52.0).show(ui, |ui| tokens_ui(ui, entries));
        },
    );
}

fn table(entries: &[PromptEntry]) -> Table {
    let mut table = Table::new(["position", "token", "text", "source", "may attend to soft tokens"]);
    let rows = entries.iter().map(|entry| {
        vec![
            entry.position.to_string(),
            entry.id.map_or_else(String::new, |id| id.to_string()),
            visible(&entry.text),
            entry.source.label(),
            yes_no(entry.sees_soft).to_owned(),
        ]
    });
    table.rows = rows.collect();
    table
}

fn yes_no(yes: bool) -> &'static str {
    if yes { "yes" } else { "no" }
}

/// Blanks that can be seen.
fn visible(text: &str) -> String {
    text.replace(' ', "·").replace('\n', "↵").replace('\t', "→")
}

/// What the sources have in common, whichever chunk it is.
fn kind(source: Source) -> &'static str {
    match source {
        Source::Before | Source::After => "text around soft tokens",
        Source::SoftToken { chunk: Some(_) } => "soft tokens",
        Source::SoftToken { chunk: None } => "control in their place",
        Source::ChunkText { .. } => "chunk text",
        Source::Identifiers => "names of chunks",
        Source::Definition => "defining chunk",
        Source::LeftContext => "code before the cursor",
        Source::RightContext => "code behind it",
        Source::FillInTheMiddle => "fill-in-the-middle",
        Source::Cue => "cue",
        Source::Target => "target, to be written",
    }
}

fn legend_ui(ui: &mut Ui, entries: &[PromptEntry]) {
    let theme = Theme::of(ui);
    let mut kinds: Vec<(&str, Source, usize)> = Vec::new();
    for entry in entries {
        match kinds.iter_mut().find(|(name, ..)| *name == kind(entry.source)) {
            Some((.., count)) => *count += 1,
            None => kinds.push((kind(entry.source), entry.source, 1)),
        }
    }
    ui.horizontal_wrapped(|ui| {
        ui.spacing_mut().item_spacing.x = theme::SECTION;
        for (name, source, count) in kinds {
            let sign = theme.source(source);
            let mut job = LayoutJob::default();
            let font = FontId::proportional(theme::SMALL);
            let marked = TextFormat {
                background: tint(sign.color, false),
                ..TextFormat::simple(font.clone(), sign.color)
            };
            job.append(&format!(" {} ", sign.mark), 0.0, marked);
            job.append(&format!("{name} {count}"), 6.0, TextFormat::simple(font, theme.text));
            ui.add(egui::Label::new(job).extend());
        }
        let text = RichText::new("underlined")
            .underline()
            .size(theme::SMALL)
            .color(theme.text);
        ui.label(text);
        ui.label(
            RichText::new("may attend to soft tokens")
                .size(theme::SMALL)
                .color(theme.text),
        );
    });
}

/// Neighbouring tokens have two shades, so that each can be seen.
fn tint(color: Color32, odd: bool) -> Color32 {
    color.gamma_multiply(if odd { 0.16 } else { 0.30 })
}

/// The text of a position as it is drawn, and whether the line ends behind it.
fn drawn(entry: &PromptEntry) -> String {
    match entry.source {
        Source::SoftToken { chunk: Some(chunk) } => format!(" ●{chunk} "),
        Source::SoftToken { chunk: None } => " △ ".to_owned(),
        _ => {
            let breaks = entry.text.contains('\n');
            let text = visible(&entry.text);
            // A token without text still has its place.
            let text = if text.is_empty() { "␣".to_owned() } else { text };
            if breaks { format!("{text}\n") } else { text }
        }
    }
}

fn tokens_ui(ui: &mut Ui, entries: &[PromptEntry]) {
    let theme = Theme::of(ui);
    let mut job = LayoutJob::default();
    job.wrap.max_width = ui.available_width();
    job.wrap.break_anywhere = true;
    // Characters up to and with each position.
    let mut ends: Vec<usize> = Vec::with_capacity(entries.len());
    for (place, entry) in entries.iter().enumerate() {
        let text = drawn(entry);
        let sign = theme.source(entry.source);
        let format = TextFormat {
            background: tint(sign.color, place % 2 == 1),
            underline: if entry.sees_soft {
                Stroke::new(1.0, theme.arm(Arm::Compressed).color)
            } else {
                Stroke::NONE
            },
            ..TextFormat::simple(FontId::monospace(theme::SMALL), theme.strong)
        };
        job.append(&text, 0.0, format);
        ends.push(ends.last().copied().unwrap_or_default() + text.chars().count());
    }
    let galley: Arc<Galley> = ui.painter().layout_job(job);
    let label = ui.add(
        egui::Label::new(Arc::clone(&galley))
            .selectable(false)
            .sense(egui::Sense::hover()),
    );
    let Some(at) = label.hover_pos() else { return };
    let character = galley.cursor_from_pos(at - label.rect.min).index.0;
    let place = ends.partition_point(|end| *end <= character);
    let Some(entry) = entries.get(place) else { return };
    label.on_hover_ui_at_pointer(|ui| {
        let sign = theme.source(entry.source);
        ui.label(RichText::new(format!("{} {}", sign.mark, entry.source.label())).color(sign.color));
        if let Some(id) = entry.id {
            ui.label(RichText::new(format!("{} · token {id}", visible(&entry.text))).monospace());
        }
        let attends = yes_no(entry.sees_soft);
        ui.label(format!(
            "position {} · may attend to soft tokens: {attends}",
            entry.position
        ));
    });
}
