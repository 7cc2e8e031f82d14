//! The samples of an evaluation as a table; only the rows in view cost time.

use egui::{Align, Layout, RichText, Role, Ui, WidgetInfo};
use egui_extras::{Column as Width, TableBuilder, TableRow};

use super::compare_data::is_right;
use super::compare_filter::{Column, Filters, Shown};
use super::compare_pair::{ArmKey, Compared};
use crate::ui::charts::Table;
use crate::ui::format::{fixed, grouped, number, signed};
use crate::ui::theme::{self, Theme};
use crate::ui::widgets::{cut_text, list_keys, named};

/// Height of a row, points.
const ROW: f32 = 24.0;

/// The rows that are listed, found again when anything that they follow from has changed.
#[derive(Default)]
pub struct Listed {
    of: Option<(Filters, usize)>,
    /// Places of the rows.
    pub rows: Vec<usize>,
}

impl Listed {
    /// Follows the filters; `made` counts the evaluations that were compared.
    pub fn renew(&mut self, compared: &Compared, filters: &Filters, made: usize) {
        let is_same = |(other, of): &(Filters, usize)| *of == made && other == filters;
        if self.of.as_ref().is_some_and(is_same) {
            return;
        }
        self.rows = filters.listed(compared);
        self.of = Some((filters.clone(), made));
    }
}

/// Draws the table and answers with the id of the sample that was chosen, by click or by the keys j and k.
pub fn table_ui(
    ui: &mut Ui,
    compared: &Compared,
    filters: &mut Filters,
    listed: &Listed,
    chosen: Option<&str>,
) -> Option<String> {
    let id = |row: &usize| compared.first.rows.get(*row).map(|row| row.record.sample.id.as_str());
    let current = chosen.and_then(|_| listed.rows.iter().position(|row| id(row) == chosen));
    let moved = list_keys(ui, current, listed.rows.len());
    let columns = columns(compared, filters);
    let mut clicked = None;
    egui::ScrollArea::horizontal()
        .id_salt("samples across")
        .auto_shrink(false)
        .show(ui, |ui| {
            let mut builder = TableBuilder::new(ui)
                .id_salt("samples")
                .sense(egui::Sense::click())
                .cell_layout(Layout::left_to_right(Align::Center))
                .auto_shrink(false)
                .min_scrolled_height(0.0);
            for column in &columns {
                builder = builder.column(width(*column));
            }
            if let Some(at) = moved {
                builder = builder.scroll_to_row(at, None).animate_scrolling(false);
            }
            let header = builder.header(theme::ROW, |mut header| {
                for column in &columns {
                    header.col(|ui| head_ui(ui, compared, filters, *column));
                }
            });
            header.body(|body| {
                body.rows(ROW, listed.rows.len(), |mut row| {
                    let at = row.index();
                    let Some(place) = listed.rows.get(at) else { return };
                    let is_chosen = current == Some(at);
                    row.set_selected(is_chosen);
                    for column in &columns {
                        cell_ui(&mut row, compared, filters, *place, *column);
                    }
                    let response = row.response();
                    let label = spoken(compared, filters, *place);
                    response.widget_info(|| WidgetInfo::selected(Role::Button, true, is_chosen, &label));
                    if response.clicked() {
                        clicked = Some(at);
                    }
                });
            });
        });
    listed.rows.get(clicked.or(moved)?).and_then(id).map(str::to_owned)
}

/// The listed samples with what every chosen arm completed.
pub fn numbers(compared: &Compared, filters: &Filters, rows: &[usize]) -> Table {
    let arms: Vec<ArmKey> = compared
        .arms
        .iter()
        .filter(|key| filters.arms.contains(key))
        .copied()
        .collect();
    let mut table = Table::new([
        "no.",
        "sample",
        "repository",
        "path",
        "line",
        "true line",
        "name in a chunk",
        "name in window",
        "ES drop",
    ]);
    for key in &arms {
        let name = compared.name(*key);
        let shown = filters.shown.label();
        table.columns.extend([
            format!("{name}: right"),
            format!("{name}: {shown}"),
            format!("{name}: completion"),
        ]);
    }
    let yes_no = |value: Option<bool>| match value {
        Some(true) => "yes",
        Some(false) => "no",
        None => "",
    };
    let row = |place: &usize| {
        let found = compared.first.rows.get(*place)?;
        let sample = &found.record.sample;
        let facts = [
            (place + 1).to_string(),
            sample.id.clone(),
            sample.repository.clone(),
            sample.path.clone(),
            sample.line.to_string(),
            sample.target.trim().to_owned(),
            yes_no(found.hit()).to_owned(),
            yes_no(found.in_window()).to_owned(),
            filters
                .dropped(compared, *place)
                .map_or_else(String::new, |drop| format!("{drop:.1}")),
        ];
        let cells = arms.iter().flat_map(|key| match compared.completion(*place, *key) {
            Some(one) => [
                yes_no(Some(is_right(one))).to_owned(),
                filters.shown.of(one).to_string(),
                one.text.trim().to_owned(),
            ],
            None => [const { String::new() }; 3],
        });
        Some(facts.into_iter().chain(cells).collect())
    };
    table.rows = rows.iter().filter_map(row).collect();
    table
}

fn columns(compared: &Compared, filters: &Filters) -> Vec<Column> {
    let arms = compared.arms.iter().filter(|key| filters.arms.contains(key));
    let before = [Column::Number, Column::Line];
    let behind = [
        Column::Drop,
        Column::Hit,
        Column::InWindow,
        Column::Repository,
        Column::Place,
    ];
    let arms = arms.map(|key| Column::Arm(*key));
    before.into_iter().chain(arms).chain(behind).collect()
}

fn width(column: Column) -> Width {
    let (initial, least) = match column {
        Column::Number => (44.0, 30.0),
        Column::Line => (190.0, 90.0),
        Column::Arm(_) => (78.0, 54.0),
        Column::Drop => (64.0, 50.0),
        Column::Hit | Column::InWindow => (62.0, 46.0),
        Column::Repository => (90.0, 60.0),
        Column::Place => (190.0, 80.0),
    };
    Width::initial(initial).at_least(least).clip(true).resizable(true)
}

fn head_ui(ui: &mut Ui, compared: &Compared, filters: &mut Filters, column: Column) {
    let theme = Theme::of(ui);
    let [one, other] = filters.pair.map(|key| compared.name(key));
    let (name, help, color) = match column {
        Column::Number => ("no.".into(), "As they were completed".into(), theme.weak),
        Column::Line => ("true line".into(), "What the arms should write".into(), theme.weak),
        Column::Arm(key) => {
            let sign = theme.arm(key.arm);
            let name = compared.name(key);
            let help = format!(
                "{name}: ✓ right or ✗ wrong (equal code tokens), and {}",
                filters.shown.label()
            );
            // The names of both evaluations begin with the arm; the second one's is told apart before it is cut.
            let second = if key.second { "B " } else { "" };
            (format!("{} {second}{name}", sign.mark), help, sign.color)
        }
        Column::Drop => {
            let help = format!("What the edit similarity loses from {one} to {other}, points of 100");
            ("ES drop".into(), help, theme.weak)
        }
        Column::Hit => (
            "in chunk".into(),
            "Whether a retrieved chunk holds the name that the sample needs".into(),
            theme.weak,
        ),
        Column::InWindow => (
            "in window".into(),
            "Whether the name stands in the code that the reader sees".into(),
            theme.weak,
        ),
        Column::Repository => ("repository".into(), String::new(), theme.weak),
        Column::Place => ("place".into(), "Path and line of the cursor".into(), theme.weak),
    };
    let arrow = match (filters.by == column, filters.down) {
        (false, _) => "",
        (true, true) => "↓ ",
        (true, false) => "↑ ",
    };
    let spoken = match column {
        Column::Arm(key) => compared.name(key),
        _ => name.clone(),
    };
    let text = theme::caption(format!("{arrow}{name}")).color(color);
    let head = ui.add(egui::Button::new(text).frame(false).truncate());
    named(ui, &head, &format!("sort by {spoken}"));
    if head.on_hover_text(format!("Sort by {spoken}\n{help}").trim()).clicked() {
        filters.sort(column);
    }
}

fn cell_ui(row: &mut TableRow<'_, '_>, compared: &Compared, filters: &Filters, place: usize, column: Column) {
    let Some(found) = compared.first.rows.get(place) else {
        return;
    };
    let sample = &found.record.sample;
    row.col(|ui| {
        ui.visuals_mut().override_text_color = None;
        let theme = Theme::of(ui);
        let small = |text: String| RichText::new(text).size(theme::SMALL);
        match column {
            Column::Number => {
                ui.label(small((place + 1).to_string()).color(theme.weak));
            }
            Column::Line => {
                let line = sample.target.trim();
                cut_text(ui, small(line.to_owned()).monospace().color(theme.strong));
            }
            Column::Arm(key) => arm_ui(ui, compared, filters.shown, place, key),
            Column::Drop => {
                let drop = filters.dropped(compared, place);
                let color = if drop.is_some_and(|drop| drop > 0.0) {
                    theme.strong
                } else {
                    theme.weak
                };
                let text = drop.map_or_else(|| "—".into(), |drop| signed(drop, 1));
                ui.label(small(text).monospace().color(color));
            }
            Column::Hit | Column::InWindow => {
                let value = if column == Column::Hit {
                    found.hit()
                } else {
                    found.in_window()
                };
                let (text, help) = match value {
                    Some(true) => ("✓", ""),
                    Some(false) => ("·", ""),
                    None => (
                        "—",
                        "not known: the sample needs no name, or an earlier program wrote the evaluation",
                    ),
                };
                let label = ui.label(small(text.into()).color(theme.text));
                if !help.is_empty() {
                    label.on_hover_text(help);
                }
            }
            Column::Repository => {
                cut_text(ui, small(sample.repository.clone()).color(theme.text));
            }
            Column::Place => {
                let text = format!("{}:{}", sample.path, sample.line);
                cut_text(ui, small(text).color(theme.weak));
            }
        }
    });
}

fn arm_ui(ui: &mut Ui, compared: &Compared, shown: Shown, place: usize, key: ArmKey) {
    let theme = Theme::of(ui);
    let Some(completion) = compared.completion(place, key) else {
        ui.label(RichText::new("—").size(theme::SMALL).color(theme.weak))
            .on_hover_text("This evaluation has no completion of the sample");
        return;
    };
    let (sign, color) = match is_right(completion) {
        true => ("✓", theme.good),
        false => ("✗", theme.alarm),
    };
    ui.spacing_mut().item_spacing.x = theme::TIGHT;
    ui.label(RichText::new(sign).size(theme::SMALL).color(color));
    let text = RichText::new(value(shown, shown.of(completion))).monospace();
    cut_text(ui, text.size(theme::SMALL).color(theme.arm(key.arm).color)).on_hover_ui(|ui| {
        ui.label(RichText::new(completion.text.trim()).monospace());
    });
}

/// A number as the cell shows it.
fn value(shown: Shown, value: f64) -> String {
    match shown {
        Shown::Similarity => fixed(value, 1),
        Shown::Exact => fixed(value, 0),
        Shown::CrossEntropy | Shown::FirstToken | Shown::Total => number(value),
        Shown::PromptTokens => grouped(value as i64),
    }
}

/// The row in words.
fn spoken(compared: &Compared, filters: &Filters, place: usize) -> String {
    let Some(found) = compared.first.rows.get(place) else {
        return String::new();
    };
    let sample = &found.record.sample;
    let mut text = format!(
        "{}, {} · {}:{}",
        sample.target.trim(),
        sample.repository,
        sample.path,
        sample.line
    );
    for key in compared.arms.iter().filter(|key| filters.arms.contains(key)) {
        let word = match compared.completion(place, *key) {
            Some(completion) if is_right(completion) => "right",
            Some(_) => "wrong",
            None => "missing",
        };
        text.push_str(&format!(", {} {word}", compared.name(*key)));
    }
    text
}
