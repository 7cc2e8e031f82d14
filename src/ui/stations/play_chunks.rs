//! The chunks that were found for the cursor: rank, score, what their soft tokens say, their code, and the prompts made of them.

use egui::{RichText, Ui};

use super::prompt_tokens::prompts_ui;
use super::retrieve_sample::score_ui;
use crate::app::{Found, PlayTask};
use crate::engine::{IndexNews, NearestToken};
use crate::retrieval::Retrieved;
use crate::ui::View;
use crate::ui::code::Listing;
use crate::ui::format::count;
use crate::ui::theme::{self, Theme};

/// Tokens that are named for a soft token; the others are told on hover.
const NAMED: usize = 4;

/// Draws chunks and prompts.
pub fn chunks_ui(ui: &mut Ui, view: &View<'_>) {
    let playground = &view.state.playground;
    ui.label(theme::caption("retrieved chunks").color(view.theme.strong));
    let found = playground
        .task
        .as_ref()
        .and_then(|task| Some((task, task.found.as_ref()?)));
    let Some((task, found)) = found else {
        let text = "After a completion: the chunks of other files by rank and score, the tokens nearest to their soft tokens, and \
                    the prompt of each arm. Chunks come from the files on disk.";
        ui.label(RichText::new(text).size(theme::SMALL).color(view.theme.weak));
        return;
    };
    let scroll = egui::ScrollArea::vertical().auto_shrink(false).id_salt("play chunks");
    scroll.show(ui, |ui| {
        list_ui(ui, task, found, playground.index.as_ref());
        let prompts: Vec<_> = task.served.iter().map(|one| (one.arm, one.prompt.as_slice())).collect();
        if !prompts.is_empty() {
            ui.add_space(theme::SECTION);
            prompts_ui(ui, &prompts);
        }
    });
}

fn list_ui(ui: &mut Ui, task: &PlayTask, found: &Found, index: Option<&IndexNews>) {
    let theme = Theme::of(ui);
    let by = index.filter(|news| news.of == task.request.index && news.counts.files > 0);
    let by = by.map_or_else(String::new, |news| format!(" by {}", news.counts.retriever));
    let text = format!(
        "{}{by} for {}:{}, best first",
        count(found.retrieved.len(), "chunk"),
        found.sample.path,
        found.sample.line
    );
    ui.label(RichText::new(text).size(theme::SMALL).color(theme.weak));
    if found.retrieved.is_empty() {
        ui.label(RichText::new("No other file has a chunk: the arms read the same.").color(theme.weak));
    }
    let best = found.retrieved.iter().map(|one| one.score).fold(0.0, f64::max);
    for (place, one) in found.retrieved.iter().enumerate() {
        chunk_ui(ui, one, best, task.said.get(place));
    }
}

fn chunk_ui(ui: &mut Ui, one: &Retrieved, best: f64, said: Option<&Vec<Vec<NearestToken>>>) {
    let theme = Theme::of(ui);
    let chunk = &one.chunk;
    let place = format!("{}:{}", chunk.path, chunk.first_line);
    let id = ui.make_persistent_id(("played chunk", one.rank));
    let state = egui::collapsing_header::CollapsingState::load_with_default_open(ui.ctx(), id, false);
    let header = state.show_header(ui, |ui| {
        let rank = RichText::new(one.rank.to_string()).monospace().size(theme::SMALL);
        ui.label(rank.color(theme.strong));
        score_ui(ui, one, best);
    });
    header.body(|ui| {
        let listing = Listing::of(chunk, None);
        listing.show(ui, egui::Id::unique(("played chunk code", one.rank)));
    });
    let label = RichText::new(&place).monospace().size(theme::SMALL).color(theme.text);
    ui.add(egui::Label::new(label).truncate()).on_hover_text(&place);
    if let Some(name) = &one.name {
        ui.label(
            RichText::new(format!("for the name {name}"))
                .size(theme::SMALL)
                .color(theme.text),
        );
    }
    for soft in said.into_iter().flatten() {
        soft_ui(ui, soft);
    }
    ui.add_space(theme::TIGHT);
}

/// The tokens of the vocabulary that a soft token is nearest to.
fn soft_ui(ui: &mut Ui, nearest: &[NearestToken]) {
    let theme = Theme::of(ui);
    let shown = |token: &NearestToken| token.text.escape_debug().to_string();
    let named: Vec<String> = nearest.iter().take(NAMED).map(shown).collect();
    let text = format!("{} {}", theme.projected().mark, named.join(" · "));
    let text = RichText::new(text)
        .monospace()
        .size(theme::SMALL)
        .color(theme.projected().color);
    let all: Vec<String> = nearest
        .iter()
        .map(|token| format!("{} cosine {:.2}", shown(token), token.cosine))
        .collect();
    ui.add(egui::Label::new(text).truncate())
        .on_hover_text(format!("nearest tokens of the vocabulary:\n{}", all.join("\n")));
}
