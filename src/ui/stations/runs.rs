//! The Runs station: the table of runs with the chosen ones beside each other, and sweeps.

use egui::{Align, Layout, RichText, Ui};
use strum::IntoEnumIterator as _;

use super::runs_chosen::chosen_ui;
use super::runs_controls::controls_ui;
use super::runs_rows::{Listed, RunsTable};
use super::runs_table::table_ui;
use super::sweep::sweep_ui;
use crate::app::{Action, Pane, RunsPage, UiCommand};
use crate::ui::charts::local;
use crate::ui::docks::panes_ui;
use crate::ui::widgets::{cut_text, empty_state, list_keys};
use crate::ui::{View, theme};

/// Draws the Runs station.
pub fn runs_ui(ui: &mut Ui, view: &View<'_>) {
    ui.horizontal(|ui| {
        for page in RunsPage::iter() {
            let name = match page {
                RunsPage::Runs => "Runs",
                RunsPage::Sweep => "Sweep",
            };
            let chosen = view.state.runs_page == page;
            let color = if chosen { view.theme.strong } else { view.theme.weak };
            let tab = ui.selectable_label(chosen, theme::title(name).color(color));
            crate::ui::widgets::named(ui, &tab, &format!("Page {name}"));
            if tab.clicked() {
                view.act(Action::ShowRuns(page));
            }
        }
        ui.with_layout(Layout::right_to_left(Align::Center), |ui| {
            let folder = RichText::new(view.state.runs_dir.display().to_string());
            cut_text(ui, folder.size(theme::SMALL).color(view.theme.weak));
        });
    });
    ui.add_space(theme::GAP);
    match view.state.runs_page {
        RunsPage::Runs => all_runs_ui(ui, view),
        RunsPage::Sweep => sweep_ui(ui, view),
    }
}

fn all_runs_ui(ui: &mut Ui, view: &View<'_>) {
    let state = view.state;
    if state.runs.is_empty() {
        let text = format!(
            "Every run is a folder of plain files in {}. Start one on the Train station, or open a folder that was copied here.",
            state.runs_dir.display()
        );
        let action = Some((UiCommand::OpenRun.name(), Action::Command(UiCommand::OpenRun)));
        empty_state(ui, view, "Runs appear here", &text, action);
        return;
    }
    let kept = local::<RunsTable>(ui.ctx(), egui::Id::unique("runs table"));
    let mut table = kept.lock();
    table.renew(state);
    let before = table.choice();
    let listed = table.listed(state);
    controls_ui(ui, view, &mut table, &listed);
    ui.add_space(theme::TIGHT);
    let panes: &[Pane] = match state.shown_runs().next() {
        Some(_) => &[Pane::Runs, Pane::Chosen],
        None => &[Pane::Runs],
    };
    panes_ui(ui, view, panes, |ui, pane| match pane {
        Pane::Chosen => chosen_ui(ui, view),
        _ if listed.runs() == 0 => {
            ui.label(RichText::new("No run fits the filter.").color(view.theme.weak));
        }
        _ => {
            let moved = keys(ui, view, &listed);
            table_ui(ui, view, &mut table, &listed, moved);
        }
    });
    let change = (before, table.choice());
    view.remember("filter of Runs", &kept, change, RunsTable::choose);
}

/// J and K walk through the runs, O keeps the one in focus drawn over the others; answers with the row that was walked to.
fn keys(ui: &Ui, view: &View<'_>, listed: &Listed<'_>) -> Option<usize> {
    let focus = view.state.focus.as_ref();
    let runs: Vec<(usize, _)> = listed.usable().collect();
    let current = runs.iter().position(|(_, run)| Some(&run.folder) == focus);
    let free = ui
        .ctx()
        .memory(|memory| memory.focused().is_none() && memory.top_modal_layer().is_none());
    if let Some(focus) =
        focus.filter(|_| free && ui.input(|input| input.key_pressed(egui::Key::O) && input.modifiers.is_none()))
    {
        view.act(Action::ToggleOverlay(focus.clone()));
    }
    let (row, run) = runs.get(list_keys(ui, current, runs.len())?)?;
    view.act(Action::Focus(run.folder.clone()));
    Some(*row)
}
