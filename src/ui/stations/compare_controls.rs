//! What stands above the table of samples: search, filters, the two arms held against each other, and the arms with a column.

use egui::{RichText, Ui, vec2};
use strum::IntoEnumIterator as _;

use super::compare_filter::{Filters, Outcome, Shown};
use super::compare_pair::{ArmKey, Compared};
use super::compare_table::numbers;
use crate::ui::charts::table_menu;
use crate::ui::theme::{self, Theme};
use crate::ui::widgets::named;

/// Loss of edit similarity that the filter begins with, points of 100.
const DROP: f64 = 20.0;
/// Room of that filter, points.
const DROP_ROOM: f32 = 170.0;

/// Draws the controls; `rows` are left by them.
pub fn controls_ui(ui: &mut Ui, filters: &mut Filters, compared: &Compared, rows: &[usize]) {
    let theme = Theme::of(ui);
    let field = egui::TextEdit::singleline(&mut filters.search).hint_text("search path, true line or completions");
    ui.add(field.desired_width(f32::INFINITY));
    ui.horizontal_wrapped(|ui| {
        ui.spacing_mut().item_spacing = vec2(theme::GAP, theme::TIGHT);
        outcome_ui(ui, filters, compared);
        repository_ui(ui, filters, compared);
        let known =
            |value: &dyn Fn(usize) -> Option<bool>| (0..compared.first.rows.len()).any(|row| value(row).is_some());
        let row = |row: usize| compared.first.rows.get(row);
        let unknown = "Not recorded: an earlier program wrote this evaluation, or no sample needs a name";
        let has = known(&|at| row(at)?.in_window());
        yes_no_ui(ui, "name in window", &mut filters.in_window, has, unknown);
        let has = known(&|at| row(at)?.hit());
        yes_no_ui(ui, "name in a chunk", &mut filters.hit, has, unknown);
    });
    ui.horizontal_wrapped(|ui| {
        ui.spacing_mut().item_spacing = vec2(theme::GAP, theme::TIGHT);
        pair_ui(ui, filters, compared);
        drop_ui(ui, filters);
        arms_ui(ui, filters, compared);
        shown_ui(ui, filters);
        let all = filters.keeps_all();
        if ui
            .add_enabled(!all, egui::Button::new("Show all"))
            .on_hover_text("Lets go of every filter")
            .clicked()
        {
            *filters = Filters {
                arms: filters.arms.clone(),
                shown: filters.shown,
                by: filters.by,
                down: filters.down,
                pair: filters.pair,
                ..Filters::default()
            };
        }
    });
    let total = compared.first.rows.len();
    let count = format!("{} of {total} samples · j next, k previous · a head sorts", rows.len());
    ui.horizontal(|ui| {
        ui.label(RichText::new(count).size(theme::SMALL).color(theme.weak));
        table_menu(ui, "samples", || numbers(compared, filters, rows));
    });
    let of = compared.first.summary.samples;
    if total + compared.first.missing < of {
        let text = format!("this recording keeps {total} of {of} samples; the numbers of the arms are of all");
        ui.label(RichText::new(text).size(theme::SMALL).color(theme.weak));
    }
    if compared.first.missing > 0 {
        let text = format!(
            "▲ {} completed samples are not in the run's samples.jsonl",
            compared.first.missing
        );
        ui.label(RichText::new(text).size(theme::SMALL).color(theme.warning));
    }
}

/// The outcome in words, with the arms that it is about.
fn outcome_name(outcome: Outcome, [one, other]: &[String; 2]) -> String {
    match outcome {
        Outcome::All => "all samples".into(),
        Outcome::Disagree => "arms disagree".into(),
        Outcome::Lost => format!("{one} right, {other} wrong"),
        Outcome::Gained => format!("{other} right, {one} wrong"),
        Outcome::Wrong => format!("{other} wrong"),
    }
}

fn outcome_ui(ui: &mut Ui, filters: &mut Filters, compared: &Compared) {
    let names = filters.pair.map(|key| compared.name(key));
    let chosen = outcome_name(filters.outcome, &names);
    combo_ui(ui, "show", &chosen, 150.0, |ui| {
        for outcome in Outcome::iter() {
            ui.selectable_value(&mut filters.outcome, outcome, outcome_name(outcome, &names));
        }
    });
}

fn repository_ui(ui: &mut Ui, filters: &mut Filters, compared: &Compared) {
    let chosen = filters.repository.clone();
    combo_ui(ui, "repository", chosen.as_deref().unwrap_or("any"), 76.0, |ui| {
        ui.selectable_value(&mut filters.repository, None, "any");
        for name in &compared.repositories {
            ui.selectable_value(&mut filters.repository, Some(name.clone()), name);
        }
    });
}

fn yes_no_ui(ui: &mut Ui, name: &str, value: &mut Option<bool>, known: bool, unknown: &str) {
    let word = |value: Option<bool>| match value {
        None => "any",
        Some(true) => "yes",
        Some(false) => "no",
    };
    if !known {
        let text = RichText::new(format!("{name}: not recorded")).size(theme::SMALL);
        ui.add_enabled(false, egui::Button::new(text))
            .on_disabled_hover_text(unknown);
        return;
    }
    combo_ui(ui, name, word(*value), 50.0, |ui| {
        for choice in [None, Some(true), Some(false)] {
            ui.selectable_value(value, choice, word(choice));
        }
    });
}

/// The arm that edit similarity drops from, and the one that it drops to.
fn pair_ui(ui: &mut Ui, filters: &mut Filters, compared: &Compared) {
    let [one, other] = &mut filters.pair;
    for (label, side) in [("from", one), ("to", other)] {
        let chosen = compared.name(*side);
        combo_ui(ui, label, &chosen, 90.0, |ui| {
            for key in &compared.arms {
                ui.selectable_value(side, *key, compared.name(*key));
            }
        });
    }
}

fn drop_ui(ui: &mut Ui, filters: &mut Filters) {
    if ui.available_size_before_wrap().x < DROP_ROOM {
        ui.end_row();
    }
    let mut on = filters.drop.is_some();
    let changed = ui.checkbox(&mut on, "ES drop above").changed();
    if changed {
        filters.drop = on.then_some(DROP);
    }
    let mut value = filters.drop.unwrap_or(DROP);
    let drag = egui::DragValue::new(&mut value)
        .range(0.0..=100.0)
        .speed(1.0)
        .max_decimals(1);
    let drag = ui.add_enabled(on, drag);
    named(ui, &drag, "least ES drop");
    if drag.changed() {
        filters.drop = Some(value);
    }
}

/// Which arms have a column, in the table and beside each other.
fn arms_ui(ui: &mut Ui, filters: &mut Filters, compared: &Compared) {
    let config =
        egui::containers::menu::MenuConfig::new().close_behavior(egui::PopupCloseBehavior::CloseOnClickOutside);
    let text = format!("arms: {} of {} ▾", filters.arms.len(), compared.arms.len());
    let button = egui::containers::menu::MenuButton::new(text).config(config);
    let (response, _) = button.ui(ui, |ui| {
        for key in &compared.arms {
            arm_ui(ui, filters, compared, *key);
        }
    });
    named(ui, &response, "arms");
    response.on_hover_text("The arms that have a column in the table and a card beside it");
}

fn arm_ui(ui: &mut Ui, filters: &mut Filters, compared: &Compared, key: ArmKey) {
    let mut on = filters.arms.contains(&key);
    let sign = Theme::of(ui).arm(key.arm);
    let text = RichText::new(format!("{} {}", sign.mark, compared.name(key))).color(sign.color);
    let tick = ui.checkbox(&mut on, text);
    if tick.on_hover_text(key.arm.meaning()).changed() {
        if on {
            filters.arms.insert(key);
        } else {
            filters.arms.remove(&key);
        }
    }
}

fn shown_ui(ui: &mut Ui, filters: &mut Filters) {
    combo_ui(ui, "columns show", filters.shown.label(), 80.0, |ui| {
        for shown in Shown::iter() {
            ui.selectable_value(&mut filters.shown, shown, shown.label());
        }
    });
}

/// A choice with its label before it; both go to the next row together.
pub fn combo_ui(ui: &mut Ui, name: &str, chosen: &str, width: f32, choices: impl FnOnce(&mut Ui)) {
    let font = egui::FontId::proportional(theme::SMALL);
    let label = ui.painter().layout_no_wrap(name.to_owned(), font, Theme::of(ui).text);
    let spacing = ui.spacing();
    let needed = label.size().x + spacing.item_spacing.x + width + 2.0 * spacing.button_padding.x;
    if ui.available_size_before_wrap().x < needed {
        ui.end_row();
        // Known beforehand, so that the label is in the middle of it.
        ui.set_row_height(ui.spacing().interact_size.y);
    }
    let label = ui.add(egui::Label::new(label).extend());
    egui::ComboBox::from_id_salt(name)
        .width(width)
        .selected_text(RichText::new(chosen).size(theme::SMALL))
        .truncate()
        .show_ui(ui, choices)
        .response
        .labelled_by(label.id)
        .on_hover_text(chosen);
}
