//! Ctrl+K: every command by name, and the shortcut sheet behind F1.

use egui::{Key, Modifiers, RichText, Ui};
use strum::IntoEnumIterator as _;

use super::stations::drawer_keys;
use super::theme::Theme;
use super::widgets::named;
use super::{View, theme};
use crate::app::{Action, Overlay, UiCommand};

/// Keys of single stations, for the sheet.
const STATION_KEYS: [(&str, &str); 9] = [
    (
        "J / K",
        "Compare, Retrieve, Runs: the next or the previous sample or run",
    ),
    (
        "← → ↑ ↓ T",
        "Blind review: left or right is better, equally good, both bad; show the true line",
    ),
    ("O", "Runs: draw the run in focus over the others, or no longer"),
    ("← / →", "Collapse: the probe before or after"),
    ("Home / End", "Collapse: the first probe, or the newest"),
    ("R", "Collapse: pin the step as reference"),
    ("F", "the chart under the pointer: full screen"),
    ("PgDn PgUp ← →", "Guided tour: forward, back; Escape ends it"),
    ("+ − 0", "the heat map that has the keyboard: zoom, all"),
];

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

/// Commands that fit, best first; in the order of the table when nothing was typed.
fn matching(typed: &str) -> Vec<UiCommand> {
    let mut found: Vec<(usize, UiCommand)> = UiCommand::iter()
        .filter(|command| *command != UiCommand::Palette)
        .filter_map(|command| Some((fit(command.name(), typed)?, command)))
        .collect();
    found.sort_by_key(|(gaps, _)| *gaps);
    found.into_iter().map(|(_, command)| command).collect()
}

/// Draws the palette over everything.
pub fn palette_ui(ctx: &egui::Context, view: &View<'_>) {
    let id = egui::Id::unique("palette");
    let mut search = ctx.data_mut(|data| data.get_temp::<Search>(id)).unwrap_or_default();
    let commands = matching(&search.text);
    search.chosen = search.chosen.min(commands.len().saturating_sub(1));
    let (up, down, enter) = ctx.input_mut(|input| {
        (
            input.consume_key(Modifiers::NONE, Key::ArrowUp),
            input.consume_key(Modifiers::NONE, Key::ArrowDown),
            input.consume_key(Modifiers::NONE, Key::Enter),
        )
    });
    if down && search.chosen + 1 < commands.len() {
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
            if commands.is_empty() {
                ui.label(RichText::new("No command has these letters in this order.").color(view.theme.weak));
            }
            let mut run = commands.get(search.chosen).copied().filter(|_| enter);
            egui::ScrollArea::vertical()
                .max_height((ctx.content_rect().height() - 240.0).max(120.0))
                .show(ui, |ui| {
                    for (i, command) in commands.iter().enumerate() {
                        if row(ui, view, *command, i == search.chosen) {
                            run = Some(*command);
                        }
                    }
                });
            run
        });
    let close = modal.should_close();
    if modal.inner.is_some() || close {
        view.act(Action::CloseOverlays);
        search = Search::default();
    }
    if let Some(command) = modal.inner {
        view.command(command);
    }
    ctx.data_mut(|data| data.insert_temp(id, search));
}

fn row(ui: &mut Ui, view: &View<'_>, command: UiCommand, chosen: bool) -> bool {
    let refusal = command.refusal(view.state);
    let color = if refusal.is_some() {
        view.theme.weak
    } else {
        view.theme.strong
    };
    let mut button = egui::Button::selectable(chosen, RichText::new(command.name()).color(color))
        .min_size(egui::vec2(ui.available_width(), theme::ROW));
    if let Some(shortcut) = command.shortcut() {
        button = button.shortcut_text(RichText::new(ui.ctx().format_shortcut(&shortcut)).color(view.theme.weak));
    }
    let mut response = ui.add(button).on_hover_text(command.tooltip());
    if let Some(reason) = refusal {
        response = response.on_hover_text(format!("Not now: {reason}"));
    }
    if chosen {
        response.scroll_to_me(None);
    }
    response.clicked()
}

fn keys_ui(ui: &mut Ui, id: &str, rows: impl FnOnce(&mut Ui)) {
    let grid = egui::Grid::new(id).num_columns(2).spacing([theme::SECTION, 6.0]);
    grid.show(ui, rows);
}

/// A row of the sheet.
fn key_ui(ui: &mut Ui, keys: &str, does: &str) -> egui::Response {
    let strong = Theme::of(ui).strong;
    ui.label(RichText::new(keys).monospace().color(strong));
    let response = ui.add(egui::Label::new(does).wrap());
    ui.end_row();
    response
}

/// Draws the sheet of shortcuts over everything.
pub fn shortcuts_ui(ctx: &egui::Context, view: &View<'_>) {
    let modal = egui::Modal::new(egui::Id::unique("shortcuts"))
        .frame(view.theme.dialog())
        .show(ctx, |ui| {
            ui.set_width(820.0);
            ui.label(theme::title("Keyboard shortcuts").color(view.theme.strong));
            ui.add_space(theme::GAP);
            ui.columns(2, |uis| {
                let [commands, stations] = uis else { return };
                keys_ui(commands, "commands", |ui| {
                    for command in UiCommand::iter() {
                        let Some(shortcut) = command.shortcut() else { continue };
                        key_ui(ui, &ctx.format_shortcut(&shortcut), command.name()).on_hover_text(command.tooltip());
                    }
                });
                keys_ui(stations, "stations", |ui| {
                    for (keys, does) in STATION_KEYS {
                        key_ui(ui, keys, does);
                    }
                    for (key, page) in drawer_keys() {
                        key_ui(ui, key, &format!("Collapse, drawer: {page}"));
                    }
                });
            });
            ui.add_space(theme::GAP);
            ui.label(RichText::new("Keys without Ctrl work while no field is being edited.").color(view.theme.weak));
            ui.add_space(theme::GAP);
            ui.button("Close").clicked()
        });
    if modal.inner || modal.should_close() {
        view.act(Action::CloseOverlays);
    }
}

/// Commands whose keys were pressed. Keys without Ctrl, and undoing, are left to a field or button that has the keyboard;
/// under a question that lies over the station, only palette and shortcut sheet can be asked for.
pub fn pressed(ctx: &egui::Context, overlay: &Overlay) -> Vec<UiCommand> {
    let typing = ctx.egui_wants_keyboard_input();
    let covered = overlay.covers();
    UiCommand::iter()
        .filter(|command| !covered || matches!(command, UiCommand::Palette | UiCommand::Shortcuts))
        .filter(|command| !(typing && *command == UiCommand::Undo))
        .filter_map(|command| Some((command, command.shortcut()?)))
        .filter(|(_, shortcut)| {
            let plain = shortcut.modifiers.is_none() && !matches!(shortcut.logical_key, Key::F1 | Key::F5);
            !(plain && typing)
        })
        .filter(|(_, shortcut)| ctx.input_mut(|input| input.consume_shortcut(shortcut)))
        .map(|(command, _)| command)
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn letters_in_order_find_a_command_and_word_starts_win() {
        assert_eq!(matching("gtt").first(), Some(&UiCommand::GoTrain));
        assert_eq!(matching("stop").first(), Some(&UiCommand::StopTraining));
        assert!(matching("zzz").is_empty());
        assert_eq!(matching("").len(), UiCommand::iter().count() - 1);
    }

    #[test]
    fn every_command_says_what_it_is_and_no_key_is_given_twice() {
        let mut keys = Vec::new();
        for command in UiCommand::iter() {
            assert!(!command.name().is_empty() && !command.tooltip().is_empty());
            keys.extend(command.shortcut());
        }
        let count = keys.len();
        keys.dedup();
        keys.sort_by_key(|key| format!("{key:?}"));
        keys.dedup();
        assert_eq!(keys.len(), count);
    }
}
