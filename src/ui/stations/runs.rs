//! The Runs station: every run, overlays, what two runs differ in.

use std::cmp::Ordering;
use std::path::PathBuf;

use egui::{Align, Layout, RichText, Ui};
use egui_extras::{Column, TableBuilder};

use crate::app::fields::Field;
use crate::app::{Action, UiCommand, can_resume, differences, field_text};
use crate::corpus::Split;
use crate::engine::WorkerState;
use crate::evaluation::{Arm, Interval, SCORE_INFO};
use crate::runs::{Run, RunEntry, RunStatus};
use crate::ui::charts::common_split;
use crate::ui::format::{interval, number, run_labels};
use crate::ui::widgets::{cut_text, empty_state};
use crate::ui::{View, theme};

/// A column that rows can be sorted by.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum SortBy {
    Name,
    Status,
    Started,
    Steps,
    Loss,
}

/// What the table keeps between frames.
#[derive(Clone, Debug)]
struct Table {
    by: SortBy,
    down: bool,
    filter: String,
}

impl Default for Table {
    fn default() -> Self {
        Self {
            by: SortBy::Started,
            down: true,
            filter: String::new(),
        }
    }
}

impl Table {
    fn rows<'a>(&self, runs: &'a [RunEntry]) -> Vec<&'a RunEntry> {
        let wanted = self.filter.to_lowercase();
        let mut rows: Vec<&RunEntry> = runs
            .iter()
            .filter(|run| run.name.to_lowercase().contains(&wanted) || run.status.label().contains(&wanted))
            .collect();
        rows.sort_by(|a, b| {
            let order = match self.by {
                SortBy::Name => a.name.cmp(&b.name),
                SortBy::Status => a.status.label().cmp(b.status.label()),
                SortBy::Started => a.started.cmp(&b.started),
                SortBy::Steps => a.steps_done.cmp(&b.steps_done),
                SortBy::Loss => a.last_loss.partial_cmp(&b.last_loss).unwrap_or(Ordering::Equal),
            };
            if self.down { order.reverse() } else { order }
        });
        rows
    }
}

/// Draws the Runs station.
pub fn runs_ui(ui: &mut Ui, view: &View<'_>) {
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
    let id = egui::Id::unique("runs table");
    let mut table = ui.data_mut(|data| data.get_temp::<Table>(id)).unwrap_or_default();
    ui.horizontal(|ui| {
        ui.label(theme::heading("Runs").color(view.theme.strong));
        ui.add_space(theme::SECTION);
        ui.add(
            egui::TextEdit::singleline(&mut table.filter)
                .hint_text("Filter by name or status")
                .desired_width(220.0),
        );
        if ui.button(UiCommand::OpenRun.name()).clicked() {
            view.command(UiCommand::OpenRun);
        }
        if ui
            .button("Refresh")
            .on_hover_text(UiCommand::RefreshRuns.tooltip())
            .clicked()
        {
            view.command(UiCommand::RefreshRuns);
        }
        ui.with_layout(Layout::right_to_left(Align::Center), |ui| {
            let folder = RichText::new(state.runs_dir.display().to_string())
                .size(theme::SMALL)
                .color(view.theme.weak);
            cut_text(ui, folder);
        });
    });
    ui.add_space(theme::GAP);
    let compared = state.shown_runs().count() > 1;
    if compared {
        egui::Panel::bottom("difference")
            .resizable(true)
            .default_size(260.0)
            .frame(egui::Frame::new().inner_margin(egui::Margin::symmetric(0, 8)))
            .show(ui, |ui| difference_ui(ui, view));
    }
    let rows = table.rows(&state.runs);
    if rows.is_empty() {
        ui.label(RichText::new("No run fits the filter.").color(view.theme.weak));
    } else {
        table_ui(ui, view, &mut table, &rows);
    }
    ui.data_mut(|data| data.insert_temp(id, table));
}

fn table_ui(ui: &mut Ui, view: &View<'_>, table: &mut Table, rows: &[&RunEntry]) {
    TableBuilder::new(ui)
        .id_salt("runs")
        .sense(egui::Sense::click())
        .cell_layout(Layout::left_to_right(Align::Center))
        .auto_shrink(false)
        .column(Column::exact(64.0))
        .column(Column::initial(260.0).at_least(120.0).clip(true))
        .column(Column::initial(110.0).at_least(80.0))
        .column(Column::initial(150.0).at_least(120.0))
        .column(Column::initial(100.0).at_least(70.0))
        .column(Column::initial(90.0).at_least(70.0))
        .column(Column::remainder().at_least(230.0))
        .header(theme::ROW, |mut header| {
            header.col(|ui| {
                ui.label(theme::caption("Overlay").color(view.theme.weak))
                    .on_hover_text("Draws the run over the one in focus");
            });
            for (by, name) in [
                (SortBy::Name, "Name"),
                (SortBy::Status, "Status"),
                (SortBy::Started, "Started"),
                (SortBy::Steps, "Steps"),
                (SortBy::Loss, "Last loss"),
            ] {
                header.col(|ui| sort_header(ui, view, table, by, name));
            }
            header.col(|_| {});
        })
        .body(|body| {
            body.rows(theme::ROW + 4.0, rows.len(), |mut row| {
                let Some(run) = rows.get(row.index()) else { return };
                row.set_selected(view.state.focus.as_ref() == Some(&run.folder));
                run_row(&mut row, view, run);
            });
        });
}

fn sort_header(ui: &mut Ui, view: &View<'_>, table: &mut Table, by: SortBy, name: &str) {
    let arrow = match (table.by == by, table.down) {
        (false, _) => "",
        (true, true) => " ↓",
        (true, false) => " ↑",
    };
    let text = theme::caption(format!("{name}{arrow}")).color(view.theme.weak);
    let button = egui::Button::new(text).frame(false);
    if ui
        .add(button)
        .on_hover_text(format!("Sort by {}", name.to_lowercase()))
        .clicked()
    {
        table.down = if table.by == by {
            !table.down
        } else {
            by != SortBy::Name
        };
        table.by = by;
    }
}

/// A cell whose text keeps its colour in the selected row.
fn cell(row: &mut egui_extras::TableRow<'_, '_>, content: impl FnOnce(&mut Ui)) {
    row.col(|ui| {
        ui.visuals_mut().override_text_color = None;
        content(ui);
    });
}

fn run_row(row: &mut egui_extras::TableRow<'_, '_>, view: &View<'_>, run: &RunEntry) {
    let theme = view.theme;
    let usable = run.error.is_none();
    cell(row, |ui| {
        let mut overlaid = view.state.open_runs.get(&run.folder).is_some_and(|open| open.overlaid);
        let check = ui.add_enabled(usable, egui::Checkbox::without_text(&mut overlaid));
        check.widget_info(|| {
            egui::WidgetInfo::selected(egui::Role::CheckBox, usable, overlaid, format!("Overlay {}", run.name))
        });
        if check.on_hover_text("Draw over the run in focus").changed() {
            view.act(Action::ToggleOverlay(run.folder.clone()));
        }
    });
    cell(row, |ui| {
        cut_text(ui, RichText::new(&run.name).color(theme.strong)).on_hover_text(run.folder.display().to_string());
    });
    cell(row, |ui| status_ui(ui, view, run));
    cell(row, |ui| {
        cut_text(ui, started(run)).on_hover_text(&run.started);
    });
    cell(row, |ui| {
        ui.label(format!("{}/{}", run.steps_done, run.steps));
    });
    cell(row, |ui| {
        ui.label(run.last_loss.map_or("—".into(), number));
    });
    cell(row, |ui| {
        // Every row has these buttons, so their names say which run they are of.
        let button = |ui: &mut Ui, enabled: bool, text: &str, name: &str| {
            let button = ui.add_enabled(enabled, egui::Button::new(text).small());
            crate::ui::widgets::named(ui, &button, &format!("{name} {}", run.name));
            button
        };
        if button(ui, usable, "Look", "Look at")
            .on_hover_text("Show its curves")
            .clicked()
        {
            look(view, &run.folder);
        }
        if button(ui, true, "Folder", "Show the folder of")
            .on_hover_text("Show it in the file manager")
            .clicked()
        {
            view.act(Action::Reveal(run.folder.clone()));
        }
        if can_resume(&run.status) && usable {
            let free = view.state.worker == WorkerState::Idle;
            let resume = button(ui, free, "Resume", "Resume");
            let resume = resume.on_disabled_hover_text("The engine is busy; stop that first");
            if resume.on_hover_text(UiCommand::ResumeRun.tooltip()).clicked() {
                view.act(Action::Focus(run.folder.clone()));
                view.act(Action::ResumeRun(run.folder.clone()));
            }
        }
        let idle = run.status != RunStatus::Running;
        let delete = button(ui, idle, "Delete…", "Delete");
        if delete
            .on_disabled_hover_text("It is being written; stop it first")
            .clicked()
        {
            view.act(Action::AskDelete(Some(run.folder.clone())));
        }
    });
    if row.response().clicked() && usable {
        view.act(Action::Focus(run.folder.clone()));
    }
    if row.response().double_clicked() && usable {
        look(view, &run.folder);
    }
}

fn look(view: &View<'_>, folder: &std::path::Path) {
    view.act(Action::Focus(PathBuf::from(folder)));
    view.command(UiCommand::GoTrain);
}

fn status_ui(ui: &mut Ui, view: &View<'_>, run: &RunEntry) {
    let theme = view.theme;
    let (color, text, why) = match (&run.error, &run.status) {
        (Some(error), _) => (theme.alarm, "▲ broken", Some(error.clone())),
        (None, RunStatus::Failed(reason)) => (theme.alarm, "▲ failed", Some(reason.clone())),
        (None, RunStatus::Running) => (theme.accent, "● running", None),
        (None, RunStatus::Finished) => (theme.good, "✓ finished", None),
        (None, RunStatus::Stopped) => (theme.text, "■ stopped", None),
        (None, RunStatus::Interrupted) => (
            theme.warning,
            "▲ interrupted",
            Some("Its process ended without a word".into()),
        ),
    };
    let label = ui.label(RichText::new(text).color(color));
    if let Some(why) = why {
        label.on_hover_text(why);
    }
}

/// The start in local time, to the minute.
fn started(run: &RunEntry) -> String {
    match run.started.parse::<jiff::Timestamp>() {
        Ok(time) => time
            .to_zoned_datetime(jiff::tz::TimeZone::system())
            .strftime("%Y-%m-%d %H:%M")
            .to_string(),
        Err(_) => "—".into(),
    }
}

/// What the run in focus and the overlaid ones differ in, and how their compressed arms did.
fn difference_ui(ui: &mut Ui, view: &View<'_>) {
    let shown: Vec<&Run> = view.state.shown_runs().map(|open| open.run()).collect();
    let Some((first, others)) = shown.split_first() else {
        return;
    };
    ui.label(theme::title("Shown runs side by side").color(view.theme.strong));
    ui.add_space(theme::GAP);
    let mut rows: Vec<&Field> = Vec::new();
    for other in others {
        for (field, _, _) in differences(&first.experiment, &other.experiment) {
            if field.key != "name" && !rows.contains(&field) {
                rows.push(field);
            }
        }
    }
    egui::ScrollArea::both().auto_shrink(false).show(ui, |ui| {
        egui::Grid::new("difference")
            .spacing([theme::PAGE, 6.0])
            .show(ui, |ui| {
                ui.label(theme::caption("").color(view.theme.weak));
                let labels = run_labels(shown.iter().map(|run| run.folder.as_path()));
                for (i, label) in labels.iter().enumerate() {
                    let sign = view.theme.run(i);
                    ui.label(theme::caption(format!("{} {label}", sign.mark)).color(sign.color));
                }
                ui.end_row();
                for field in &rows {
                    let cells = shown.iter().map(|run| field_text(&run.experiment, field.key));
                    side_by_side(ui, view, field.label, field.key, cells);
                }
                let split = common_split(&shown);
                for (score, label, percent) in [
                    ("em_token", "exact match of code tokens, compressed", 100.0),
                    ("es_levenshtein", "edit similarity, compressed", 1.0),
                ] {
                    let cells = shown.iter().map(|run| last_score(run, split, score, percent));
                    let definition = SCORE_INFO
                        .iter()
                        .find(|info| info.key == score)
                        .map(|info| info.definition);
                    let help = format!(
                        "{}\nMean and 95% interval at the newest evaluation, percent",
                        definition.unwrap_or_default()
                    );
                    side_by_side(ui, view, label, &help, cells);
                }
            });
        if rows.is_empty() {
            ui.label(RichText::new("Every setting is the same.").color(view.theme.weak));
        }
    });
}

fn side_by_side(ui: &mut Ui, view: &View<'_>, label: &str, help: &str, cells: impl Iterator<Item = String>) {
    ui.label(label).on_hover_text(help);
    for cell in cells {
        ui.label(RichText::new(cell).color(view.theme.strong));
    }
    ui.end_row();
}

/// A score of the compressed arm at the newest evaluation, as "34.1 [28.0, 40.2] % · step 85, validation, 32 samples".
fn last_score(run: &Run, split: Split, score: &str, percent: f64) -> String {
    let of_split = run.evaluations.iter().filter(|summary| summary.split == split);
    let Some(evaluation) = of_split.max_by_key(|summary| summary.step) else {
        return "not evaluated".into();
    };
    let arm = evaluation.arms.iter().find(|arm| arm.arm == Arm::Compressed);
    let Some(value) = arm.and_then(|arm| arm.scores.get(score)) else {
        return "not evaluated".into();
    };
    let value = Interval {
        mean: value.mean * percent,
        low: value.low * percent,
        high: value.high * percent,
    };
    let split = format!("{split:?}").to_lowercase();
    format!(
        "{} % · step {}, {split}, {} samples",
        interval(value),
        evaluation.step,
        evaluation.samples
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    fn run(name: &str, steps_done: usize, last_loss: Option<f64>) -> RunEntry {
        RunEntry {
            folder: name.into(),
            name: name.into(),
            started: String::new(),
            steps_done,
            steps: 85,
            status: RunStatus::Finished,
            last_loss,
            error: None,
        }
    }

    #[test]
    fn rows_are_filtered_and_sorted_both_ways() {
        let runs = [
            run("aligned", 85, Some(1.5)),
            run("collapse", 40, None),
            run("align-2", 60, Some(0.5)),
        ];
        let names = |table: &Table| table.rows(&runs).iter().map(|run| run.name.clone()).collect::<Vec<_>>();
        let mut table = Table {
            by: SortBy::Steps,
            down: true,
            filter: "ALIGN".into(),
        };
        assert_eq!(names(&table), ["aligned", "align-2"]);
        table.down = false;
        assert_eq!(names(&table), ["align-2", "aligned"]);
        table = Table {
            by: SortBy::Loss,
            down: false,
            filter: String::new(),
        };
        assert_eq!(names(&table), ["collapse", "align-2", "aligned"]);
    }
}
