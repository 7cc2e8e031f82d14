//! The keyboard: which commands were asked for, and the sheet of shortcuts behind F1.

use egui::{Key, KeyboardShortcut, RichText, Ui};
use strum::IntoEnumIterator as _;

use super::stations::drawer_keys;
use super::theme::Theme;
use super::{View, theme};
use crate::app::{Action, Overlay, UiCommand};

/// Keys of single stations and of what lies on them, for the sheet.
const STATION_KEYS: [(&str, &[(&str, &str)]); 8] = [
    (
        "Compare, Retrieve, Runs",
        &[("J / K", "the next or the previous sample or run")],
    ),
    (
        "Collapse",
        &[
            ("← / →", "the probe before or after"),
            ("Home / End", "the first probe, or the newest"),
            ("R", "pin the step as reference"),
        ],
    ),
    (
        "Blind review",
        &[
            ("← / →", "left or right is better"),
            ("↑ / ↓", "equally good, both bad"),
            ("T", "show the true line"),
        ],
    ),
    (
        "Play",
        &[
            ("Ctrl+Space", "complete at the cursor; Escape ends it"),
            ("Tab", "take the marked completion"),
            ("Ctrl+F", "find a text or a line in the file"),
        ],
    ),
    ("Runs", &[("O", "draw the run in focus over the others, or no longer")]),
    (
        "Charts",
        &[
            ("F", "the chart under the pointer: full screen"),
            ("+ − 0", "the heat map that has the keyboard: zoom, all"),
        ],
    ),
    (
        "Panes",
        &[(
            "drag",
            "the mark at the top moves it; a click on it: a menu of moves and sizes",
        )],
    ),
    ("Guided tour", &[("PgDn PgUp ← →", "forward, back; Escape ends it")]),
];

/// Width of the column of keys, so that what they do stands in one line in every group, points.
const KEYS: f32 = 110.0;

fn keys_ui(ui: &mut Ui, id: &str, rows: impl FnOnce(&mut Ui)) {
    let grid = egui::Grid::new(id).num_columns(2).min_col_width(KEYS);
    let grid = grid.spacing([theme::SECTION, 6.0]);
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

/// What the sheet has above and below its rows, points.
const AROUND: f32 = 180.0;

/// Draws the sheet of shortcuts over everything.
pub fn shortcuts_ui(ctx: &egui::Context, view: &View<'_>) {
    let modal = egui::Modal::new(egui::Id::unique("shortcuts"))
        .frame(view.theme.dialog())
        .show(ctx, |ui| {
            ui.set_width(820.0);
            ui.label(theme::title("Keyboard shortcuts").color(view.theme.strong));
            ui.add_space(theme::GAP);
            let height = (ctx.content_rect().height() - AROUND).max(120.0);
            let area = egui::ScrollArea::vertical().max_height(height);
            let columns = |uis: &mut [Ui]| {
                let [commands, stations] = uis else { return };
                keys_ui(commands, "commands", |ui| {
                    for command in UiCommand::iter() {
                        let keys = command.shortcut().into_iter().chain(command.second_shortcut());
                        let keys: Vec<String> = keys.map(|shortcut| ctx.format_shortcut(&shortcut)).collect();
                        if !keys.is_empty() {
                            key_ui(ui, &keys.join(", "), command.name()).on_hover_text(command.tooltip());
                        }
                    }
                });
                let mut group = |name: &str, keys: &mut dyn Iterator<Item = (&str, &str)>| {
                    stations.label(theme::caption(name).color(view.theme.weak));
                    keys_ui(stations, name, |ui| {
                        for (keys, does) in keys {
                            key_ui(ui, keys, does);
                        }
                    });
                    stations.add_space(theme::GAP);
                };
                for (station, keys) in STATION_KEYS {
                    group(station, &mut keys.iter().copied());
                }
                group("Drawer of Collapse", &mut drawer_keys());
            };
            area.show(ui, |ui| ui.columns(2, columns));
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
/// moving panes, to a text that is edited.
pub fn pressed(ctx: &egui::Context, overlay: &Overlay) -> Vec<UiCommand> {
    let (typing, in_text) = (ctx.egui_wants_keyboard_input(), ctx.text_edit_focused());
    let covered = overlay.covers();
    let mut keys: Vec<(UiCommand, KeyboardShortcut)> = UiCommand::iter()
        .filter(|command| !covered || may_be_covered(*command))
        .filter(|command| !(typing && matches!(command, UiCommand::Undo | UiCommand::Redo)))
        .filter(|command| !(in_text && command.pane_move().is_some()))
        .flat_map(|command| {
            let keys = command.shortcut().into_iter().chain(command.second_shortcut());
            keys.map(move |shortcut| (command, shortcut))
        })
        .filter(|(_, shortcut)| {
            let function = matches!(shortcut.logical_key, Key::F1 | Key::F5 | Key::F6);
            !(shortcut.modifiers.is_none() && !function && typing)
        })
        .collect();
    // A shortcut without Shift takes the same one with Shift for its own, so those with it are asked first.
    keys.sort_by_key(|(_, shortcut)| !shortcut.modifiers.shift);
    keys.retain(|(_, shortcut)| ctx.input_mut(|input| input.consume_shortcut(shortcut)));
    keys.into_iter().map(|(command, _)| command).collect()
}

/// What can be asked for under a question that lies over the station.
fn may_be_covered(command: UiCommand) -> bool {
    matches!(
        command,
        UiCommand::Palette
            | UiCommand::Shortcuts
            | UiCommand::LargerText
            | UiCommand::SmallerText
            | UiCommand::UsualText
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_command_says_what_it_is_and_no_key_is_given_twice() {
        let mut keys = Vec::new();
        for command in UiCommand::iter() {
            assert!(!command.name().is_empty() && !command.tooltip().is_empty());
            keys.extend(command.shortcut().into_iter().chain(command.second_shortcut()));
        }
        let count = keys.len();
        keys.sort_by_key(|key| format!("{key:?}"));
        keys.dedup();
        assert_eq!(keys.len(), count);
    }
}
