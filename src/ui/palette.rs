//! Ctrl+K: every command by name, and what else can be asked for by name: layouts, and folders that were opened before.

use egui::{Key, KeyboardShortcut, Modifiers, RichText, Ui};
use strum::IntoEnumIterator as _;

use super::widgets::named;
use super::{View, theme};
use crate::app::{Action, AppState, LayoutAction, Recent, RecentKind, Station, UiCommand};
use crate::runs;

/// What the palette keeps between frames.
#[derive(Clone, Debug, Default)]
struct Search {
    text: String,
    chosen: usize,
}

/// How well a command fits what was typed: the letters occur in order, near each other is better; none when they do not occur.
fn fit(name: &str, typed: &str) -> Option<usize> {
    let name: Vec<char> = name.to_lowercase().chars().collect();
    let (mut at, mut gaps) = (0, 0);
    for letter in typed.to_lowercase().chars().filter(|letter| !letter.is_whitespace()) {
        let skipped = name.get(at..)?.iter().position(|c| *c == letter)?;
        let word_start = at + skipped == 0 || name.get(at + skipped - 1) == Some(&' ');
        gaps += if word_start { skipped.min(1) } else { skipped };
        at += skipped + 1;
    }
    Some(gaps)
}

/// Something that can be chosen.
struct Entry {
    name: String,
    /// What it would be done to; it is not searched.
    detail: Option<String>,
    tooltip: String,
    shortcut: Option<KeyboardShortcut>,
    /// Why it cannot be done now.
    refusal: Option<String>,
    /// What is done.
    actions: Vec<Action>,
}

impl Entry {
    fn of(command: UiCommand, state: &AppState) -> Self {
        let next = match command {
            UiCommand::Undo if state.reviewing().is_none() => state.last_done(),
            UiCommand::Redo if state.reviewing().is_none() => state.last_undone(),
            _ => None,
        };
        Self {
            name: command.name().to_owned(),
            detail: next.map(|next| next.what()),
            tooltip: command.tooltip().to_owned(),
            shortcut: command.shortcut(),
            refusal: command.refusal(state),
            actions: vec![Action::Command(command)],
        }
    }

    /// A folder that was opened before; `name` says what is done with it.
    fn of_recent(recent: &Recent, name: String, actions: Vec<Action>) -> Self {
        Self {
            name,
            detail: recent.gone.then(|| "gone".to_owned()),
            tooltip: recent.folder.display().to_string(),
            shortcut: None,
            refusal: recent.gone.then(|| "the folder is gone".into()),
            actions,
        }
    }
}

/// Everything that can be chosen, in the order of the table of commands.
fn entries(state: &AppState) -> Vec<Entry> {
    let commands = UiCommand::iter().filter(|command| *command != UiCommand::Palette);
    let layouts = state.layouts.named.keys().map(|name| Entry {
        name: format!("Use layout {name}"),
        detail: None,
        tooltip: "The panes of every station as they were saved".into(),
        shortcut: None,
        refusal: None,
        actions: vec![Action::Layout(LayoutAction::Use(name.clone()))],
    });
    let runs = state.recents.all(RecentKind::Run).iter().map(|recent| {
        let name = format!("Look at run {}", runs::name_of(&recent.folder));
        Entry::of_recent(recent, name, vec![Action::Focus(recent.folder.clone())])
    });
    let repositories = state.recents.all(RecentKind::Repository).iter().map(|recent| {
        let folder = recent.folder.clone();
        let name = folder.file_name().unwrap_or(folder.as_os_str()).to_string_lossy();
        let name = format!("Play with {name}");
        let actions = vec![Action::OpenRepository(folder), Action::Go(Station::Play)];
        Entry::of_recent(recent, name, actions)
    });
    let commands = commands.map(|command| Entry::of(command, state));
    commands.chain(layouts).chain(runs).chain(repositories).collect()
}

/// Those that fit, best first; in their own order when nothing was typed.
fn matching(entries: Vec<Entry>, typed: &str) -> Vec<Entry> {
    let fitting = entries
        .into_iter()
        .filter_map(|entry| Some((fit(&entry.name, typed)?, entry)));
    let mut found: Vec<(usize, Entry)> = fitting.collect();
    found.sort_by_key(|(gaps, _)| *gaps);
    found.into_iter().map(|(_, entry)| entry).collect()
}

/// Draws the palette over everything.
pub fn palette_ui(ctx: &egui::Context, view: &View<'_>) {
    let id = egui::Id::unique("palette");
    let mut search = ctx.data_mut(|data| data.get_temp::<Search>(id)).unwrap_or_default();
    let mut found = matching(entries(view.state), &search.text);
    search.chosen = search.chosen.min(found.len().saturating_sub(1));
    let (up, down, enter) = ctx.input_mut(|input| {
        (
            input.consume_key(Modifiers::NONE, Key::ArrowUp),
            input.consume_key(Modifiers::NONE, Key::ArrowDown),
            input.consume_key(Modifiers::NONE, Key::Enter),
        )
    });
    if down && search.chosen + 1 < found.len() {
        search.chosen += 1;
    }
    if up {
        search.chosen = search.chosen.saturating_sub(1);
    }
    let area = egui::Modal::default_area(id).anchor(egui::Align2::CENTER_TOP, egui::vec2(0.0, 96.0));
    let modal = egui::Modal::new(id)
        .area(area)
        .frame(view.theme.dialog().inner_margin(12.0))
        .show(ctx, |ui| {
            ui.set_width(560.0);
            let field = ui.add(
                egui::TextEdit::singleline(&mut search.text)
                    .hint_text("What do you want to do?")
                    .desired_width(f32::INFINITY),
            );
            named(ui, &field, "Name of a command");
            field.request_focus();
            if field.changed() {
                search.chosen = 0;
            }
            ui.add_space(theme::TIGHT);
            if found.is_empty() {
                ui.label(RichText::new("No command has these letters in this order.").color(view.theme.weak));
            }
            let mut run = Some(search.chosen).filter(|_| enter);
            egui::ScrollArea::vertical()
                .max_height((ctx.content_rect().height() - 240.0).max(120.0))
                .show(ui, |ui| {
                    for (i, entry) in found.iter().enumerate() {
                        if row(ui, view, entry, i == search.chosen) {
                            run = Some(i);
                        }
                    }
                });
            run
        });
    let close = modal.should_close();
    let run = modal.inner.filter(|place| *place < found.len());
    if run.is_some() || close {
        view.act(Action::CloseOverlays);
        search = Search::default();
    }
    if let Some(place) = run {
        found
            .swap_remove(place)
            .actions
            .into_iter()
            .for_each(|action| view.act(action));
    }
    ctx.data_mut(|data| data.insert_temp(id, search));
}

fn row(ui: &mut Ui, view: &View<'_>, entry: &Entry, chosen: bool) -> bool {
    let color = if entry.refusal.is_some() {
        view.theme.weak
    } else {
        view.theme.strong
    };
    let text = match &entry.detail {
        Some(detail) => format!("{}: {detail}", entry.name),
        None => entry.name.clone(),
    };
    let mut button = egui::Button::selectable(chosen, RichText::new(text).color(color))
        .min_size(egui::vec2(ui.available_width(), theme::ROW));
    if let Some(shortcut) = entry.shortcut {
        button = button.shortcut_text(RichText::new(ui.ctx().format_shortcut(&shortcut)).color(view.theme.weak));
    }
    let mut response = ui.add(button.truncate()).on_hover_text(&entry.tooltip);
    if let Some(reason) = &entry.refusal {
        response = response.on_hover_text(format!("Not now: {reason}"));
    }
    if chosen {
        response.scroll_to_me(None);
    }
    response.clicked()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The names that fit what was typed.
    fn found(typed: &str) -> Vec<String> {
        let command = |command: UiCommand| Entry {
            name: command.name().to_owned(),
            detail: None,
            tooltip: String::new(),
            shortcut: None,
            refusal: None,
            actions: Vec::new(),
        };
        let found = matching(UiCommand::iter().map(command).collect(), typed);
        found.into_iter().map(|entry| entry.name).collect()
    }

    #[test]
    fn letters_in_order_find_a_command_and_word_starts_win() {
        assert_eq!(found("gtt").first().map(String::as_str), Some("Go to Train"));
        assert_eq!(found("stop").first().map(String::as_str), Some("Stop training"));
        assert!(found("zzz").is_empty());
        assert_eq!(found("").len(), UiCommand::iter().count());
    }
}
