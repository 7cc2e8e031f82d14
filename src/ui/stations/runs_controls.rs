//! What stands above the table of runs: filter, state, groups, columns.

use std::sync::Arc;

use egui::{RichText, Ui};

use super::runs_rows::{COLUMNS, Column, Key, Listed, Row, RunsTable, STATES, key};
use crate::app::UiCommand;
use crate::ui::charts::{Table, table_menu};
use crate::ui::{View, format, theme};

/// Draws the controls.
pub fn controls_ui(ui: &mut Ui, view: &View<'_>, table: &mut RunsTable, listed: &Listed<'_>) {
    ui.horizontal_wrapped(|ui| {
        ui.add(
            egui::TextEdit::singleline(&mut table.filter)
                .hint_text("Filter by name or state")
                .desired_width(180.0),
        );
        state_ui(ui, table);
        group_ui(ui, table);
        columns_ui(ui, table);
        ui.separator();
        if ui.button(UiCommand::OpenRun.name()).clicked() {
            view.command(UiCommand::OpenRun);
        }
        let refresh = ui.button("Refresh").on_hover_text(UiCommand::RefreshRuns.tooltip());
        if refresh.clicked() {
            view.command(UiCommand::RefreshRuns);
        }
        let report = ui.add_enabled(
            UiCommand::Report.refusal(view.state).is_none(),
            egui::Button::new("Report"),
        );
        if report.on_hover_text(UiCommand::Report.tooltip()).clicked() {
            view.command(UiCommand::Report);
        }
        table_menu(ui, "runs", || numbers(table, listed));
        count_ui(ui, view, listed);
    });
}

/// How many runs are listed, and the keys of the table: beside it where there is room, else on hover.
fn count_ui(ui: &mut Ui, view: &View<'_>, listed: &Listed<'_>) {
    const KEYS: &str = "J next, K previous, O overlays";
    let all = format::count(view.state.runs.len(), "run");
    let count = match listed.runs() == view.state.runs.len() {
        true => all,
        false => format!("{} of {all}", listed.runs()),
    };
    let text = |note: &str| {
        RichText::new(format!("{count} · {note}"))
            .size(theme::SMALL)
            .color(view.theme.weak)
    };
    let left = view.state.digests.left();
    if left > 0 {
        ui.add(egui::Label::new(text(&format!("reading {left}"))).extend());
        return;
    }
    let font = egui::FontId::proportional(theme::SMALL);
    let whole = ui
        .painter()
        .layout_no_wrap(format!("{count} · {KEYS}"), font, view.theme.weak);
    let shown = match whole.size().x <= ui.available_size_before_wrap().x {
        true => text(KEYS),
        false => RichText::new(count).size(theme::SMALL).color(view.theme.weak),
    };
    ui.add(egui::Label::new(shown).extend()).on_hover_text(KEYS);
}

/// The listed runs, in the columns that are shown.
fn numbers(table: &RunsTable, listed: &Listed<'_>) -> Table {
    let columns = table.columns();
    let mut numbers = Table::new(["folder"]);
    numbers
        .columns
        .extend(columns.iter().map(|column| column.name().to_owned()));
    for row in &listed.rows {
        let Row::Run(run, digest) = row else { continue };
        let cells = columns
            .iter()
            .map(|column| match (column, key(run, digest.as_deref(), *column)) {
                (Column::Name, _) => run.name.clone(),
                (_, Key::Number(number)) => number.to_string(),
                (_, Key::Text(text)) => text,
                (_, Key::None) => String::new(),
            });
        let folder = run.folder.display().to_string();
        numbers.rows.push(std::iter::once(folder).chain(cells).collect());
    }
    numbers
}

fn state_ui(ui: &mut Ui, table: &mut RunsTable) {
    let label = ui.label("state");
    egui::ComboBox::from_id_salt("state of runs")
        .selected_text(table.state.unwrap_or("all"))
        .width(92.0)
        .show_ui(ui, |ui| {
            ui.selectable_value(&mut table.state, None, "all");
            for state in STATES {
                ui.selectable_value(&mut table.state, Some(state), state);
            }
        })
        .response
        .labelled_by(label.id);
}

fn group_ui(ui: &mut Ui, table: &mut RunsTable) {
    let before = table.group;
    let label = ui.label("group by");
    egui::ComboBox::from_id_salt("group of runs")
        .selected_text(table.group.map_or("nothing", Column::name))
        .width(120.0)
        .show_ui(ui, |ui| {
            ui.selectable_value(&mut table.group, None, "nothing");
            ui.selectable_value(&mut table.group, Some(Column::State), Column::State.name());
            for field in table.differing.iter() {
                let column = Column::Setting(field.key);
                ui.selectable_value(&mut table.group, Some(column), field.label)
                    .on_hover_text(format!("{}\n{}", field.help, field.key));
            }
        })
        .response
        .labelled_by(label.id);
    if table.group != before {
        table.folded.clear();
    }
}

/// Which columns there are: numbers, then the settings in which runs differ.
fn columns_ui(ui: &mut Ui, table: &mut RunsTable) {
    let config =
        egui::containers::menu::MenuConfig::new().close_behavior(egui::PopupCloseBehavior::CloseOnClickOutside);
    let button = egui::containers::menu::MenuButton::new("Columns ▾").config(config);
    button.ui(ui, |ui| {
        egui::ScrollArea::vertical().max_height(420.0).show(ui, |ui| {
            let shown = table.columns();
            for column in COLUMNS.into_iter().skip(1) {
                toggle_ui(ui, table, column, shown.contains(&column), column.name());
            }
            ui.separator();
            if table.differing.is_empty() {
                ui.label("Every setting is the same in all runs.");
            }
            for field in Arc::clone(&table.differing).iter() {
                let column = Column::Setting(field.key);
                toggle_ui(ui, table, column, shown.contains(&column), field.label);
            }
        });
    });
}

fn toggle_ui(ui: &mut Ui, table: &mut RunsTable, column: Column, mut shown: bool, name: &str) {
    if !ui.checkbox(&mut shown, name).changed() {
        return;
    }
    if shown {
        table.hidden.remove(&column);
        if let Column::Setting(key) = column {
            table.added.insert(key);
        }
    } else {
        table.hidden.insert(column);
    }
}
