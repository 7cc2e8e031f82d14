//! The table of runs as it is drawn; only the rows in view cost time.

use egui::{Align, Layout, RichText, Ui};
use egui_extras::{Column as Width, TableBuilder, TableRow};

use super::runs_cells::{actions_ui, shown_ui, status_ui};
use super::runs_rows::{Column, Listed, Row, RunsTable, score};
use crate::app::{Action, RunDigest, UiCommand, fields};
use crate::evaluation::{Interval, SCORE_INFO};
use crate::runs::RunEntry;
use crate::ui::format::{count, number};
use crate::ui::widgets::cut_text;
use crate::ui::{View, theme};

/// Height of a row, points.
const ROW: f32 = theme::ROW + 2.0;

/// Draws the table; `moved` is the row that the keyboard went to.
pub fn table_ui(ui: &mut Ui, view: &View<'_>, table: &mut RunsTable, listed: &Listed<'_>, moved: Option<usize>) {
    let columns = table.columns();
    egui::ScrollArea::horizontal()
        .id_salt("runs across")
        .auto_shrink(false)
        .show(ui, |ui| {
            let mut builder = TableBuilder::new(ui)
                .id_salt("runs")
                .sense(egui::Sense::click())
                .cell_layout(Layout::left_to_right(Align::Center))
                .auto_shrink(false)
                // Never over what stands below.
                .min_scrolled_height(0.0)
                .column(Width::exact(82.0));
            for column in &columns {
                builder = builder.column(width(*column));
            }
            if let Some(row) = moved {
                builder = builder.scroll_to_row(row, None);
            }
            builder
                .header(theme::ROW, |mut header| {
                    header.col(|ui| {
                        ui.label(theme::caption("Show").color(view.theme.weak))
                            .on_hover_text("Draws the run over the one in focus, and how it is drawn");
                    });
                    for column in &columns {
                        header.col(|ui| head_ui(ui, view, table, *column));
                    }
                })
                .body(|body| {
                    body.rows(ROW, listed.rows.len(), |mut row| match listed.rows.get(row.index()) {
                        Some(Row::Group { value, runs }) => group_row(&mut row, view, table, value, *runs),
                        Some(Row::Run(run, digest)) => {
                            row.set_selected(view.state.focus.as_ref() == Some(&run.folder));
                            run_row(&mut row, view, &columns, run, digest.as_deref());
                        }
                        None => {}
                    });
                });
        });
}

fn width(column: Column) -> Width {
    let (initial, least) = match column {
        Column::Name => (160.0, 120.0),
        Column::Started => (90.0, 90.0),
        Column::State => (92.0, 90.0),
        Column::Score("cross_entropy") => (158.0, 60.0),
        Column::Score(_) => (128.0, 60.0),
        Column::Setting(_) => (112.0, 60.0),
        Column::Steps | Column::Loss => (70.0, 60.0),
        Column::MeanCosine | Column::EffectiveRank | Column::Alarms => (58.0, 52.0),
    };
    Width::initial(initial).at_least(least).clip(true).resizable(true)
}

fn head_ui(ui: &mut Ui, view: &View<'_>, table: &mut RunsTable, column: Column) {
    let arrow = match (table.by == column, table.down()) {
        (false, _) => "",
        (true, true) => " ↓",
        (true, false) => " ↑",
    };
    let text = theme::caption(format!("{}{arrow}", column.name())).color(view.theme.weak);
    let head = ui.add(egui::Button::new(text).frame(false).truncate());
    let help = format!("Sort by {}\n{}", column.name().to_lowercase(), definition(column));
    if head.on_hover_text(help.trim()).clicked() {
        table.sort(column);
    }
}

/// What a column holds, in words.
fn definition(column: Column) -> String {
    match column {
        Column::Score(key) => {
            let info = SCORE_INFO.iter().find(|info| info.key == key);
            let definition = info.map_or("", |info| info.definition);
            format!("{definition}\nCompressed arm at the newest validation evaluation: mean and 95% interval")
        }
        Column::MeanCosine => "Mean cosine of the soft tokens at the newest probe; 1 is collapse".into(),
        Column::EffectiveRank => "Effective rank (RankMe) of the soft tokens at the newest probe; 1 is collapse".into(),
        Column::Alarms => "Alarms raised, those that were cleared counted; ▲ where one stands".into(),
        Column::Setting(key) => fields::find(key).map_or_else(String::new, |field| format!("{}\n{key}", field.help)),
        Column::Name | Column::Started | Column::State | Column::Steps | Column::Loss => String::new(),
    }
}

fn group_row(row: &mut TableRow<'_, '_>, view: &View<'_>, table: &mut RunsTable, value: &str, runs: usize) {
    let folded = table.folded.contains(value);
    let name = table.group.map_or("", Column::name);
    row.col(|ui| {
        let arrow = if folded { "▶" } else { "▼" };
        let button = ui.add(egui::Button::new(RichText::new(arrow).size(theme::SMALL)).frame(false));
        crate::ui::widgets::named(ui, &button, &format!("Fold {name} {value}"));
        if button.clicked() {
            if folded {
                table.folded.remove(value);
            } else {
                table.folded.insert(value.to_owned());
            }
        }
    });
    row.col(|ui| {
        let text = theme::caption(format!("{name} {value} · {}", count(runs, "run"))).color(view.theme.strong);
        cut_text(ui, text);
    });
}

/// A cell whose text keeps its colour in the selected row.
fn cell(row: &mut TableRow<'_, '_>, content: impl FnOnce(&mut Ui)) {
    row.col(|ui| {
        ui.visuals_mut().override_text_color = None;
        content(ui);
    });
}

fn run_row(
    row: &mut TableRow<'_, '_>,
    view: &View<'_>,
    columns: &[Column],
    run: &RunEntry,
    digest: Option<&RunDigest>,
) {
    let usable = run.error.is_none();
    cell(row, |ui| {
        ui.spacing_mut().item_spacing.x = theme::TIGHT;
        actions_ui(ui, view, run);
        shown_ui(ui, view, run);
    });
    for column in columns {
        cell(row, |ui| value_ui(ui, view, run, digest, *column));
    }
    if row.response().clicked() && usable {
        view.act(Action::Focus(run.folder.clone()));
    }
    if row.response().double_clicked() && usable {
        view.act(Action::Focus(run.folder.clone()));
        view.command(UiCommand::GoTrain);
    }
}

fn value_ui(ui: &mut Ui, view: &View<'_>, run: &RunEntry, digest: Option<&RunDigest>, column: Column) {
    let theme = view.theme;
    let small = |text: String| RichText::new(text).monospace().size(theme::SMALL);
    let plain = |value: Option<f64>| small(value.map_or("—".into(), number));
    match column {
        Column::Name => {
            let name = RichText::new(&run.name).color(theme.strong);
            cut_text(ui, name).on_hover_text(run.folder.display().to_string());
        }
        Column::State => status_ui(ui, view, run),
        Column::Started => {
            cut_text(ui, started(run)).on_hover_text(&run.started);
        }
        Column::Steps => {
            ui.label(format!("{}/{}", run.steps_done, run.steps));
        }
        Column::Loss => {
            ui.label(plain(run.last_loss));
        }
        Column::Score(key) => score_ui(ui, digest, key),
        Column::MeanCosine => {
            ui.label(plain(digest.and_then(|digest| digest.mean_cosine)));
        }
        Column::EffectiveRank => {
            ui.label(plain(digest.and_then(|digest| digest.effective_rank)));
        }
        Column::Alarms => alarms_ui(ui, view, digest),
        Column::Setting(key) => {
            let value = digest.and_then(|digest| digest.settings.get(key));
            let value = value.map_or("—", String::as_str);
            cut_text(ui, small(value.to_owned()));
        }
    }
}

fn score_ui(ui: &mut Ui, digest: Option<&RunDigest>, key: &str) {
    let small = |text: String| RichText::new(text).monospace().size(theme::SMALL);
    let Some((digest, found)) = digest.and_then(|digest| Some((digest, score(digest, key)?))) else {
        ui.label(small("—".into()))
            .on_hover_text("Not evaluated on the validation split");
        return;
    };
    let info = SCORE_INFO.iter().find(|info| info.key == key);
    let (factor, decimals) = match info.map(|info| (info.unit, info.decimals)) {
        Some(("0 to 1", _)) => (100.0, 1),
        Some((_, decimals)) => (1.0, decimals),
        None => (1.0, 3),
    };
    let scaled = Interval {
        mean: found.mean * factor,
        low: found.low * factor,
        high: found.high * factor,
    };
    let label = cut_text(ui, small(scaled.text(decimals)));
    if let Some(summary) = &digest.validation {
        label.on_hover_text(format!(
            "step {}, validation split, {} of {} repositories",
            summary.step,
            count(summary.samples, "sample"),
            summary.repositories
        ));
    }
}

fn alarms_ui(ui: &mut Ui, view: &View<'_>, digest: Option<&RunDigest>) {
    let Some(digest) = digest else {
        ui.label("—");
        return;
    };
    if digest.standing.is_empty() {
        ui.label(digest.alarms.to_string());
        return;
    }
    let text = RichText::new(format!("▲ {}", digest.alarms)).color(view.theme.alarm);
    let standing = digest
        .standing
        .iter()
        .map(|(kind, seen)| format!("{}: {seen}", kind.label()));
    ui.label(text).on_hover_text(standing.collect::<Vec<_>>().join("\n"));
}

/// The start in local time, to the minute; the year is under the pointer.
fn started(run: &RunEntry) -> String {
    match run.started.parse::<jiff::Timestamp>() {
        Ok(time) => time
            .to_zoned_datetime(jiff::tz::TimeZone::system())
            .strftime("%m-%d %H:%M")
            .to_string(),
        Err(_) => "—".into(),
    }
}
