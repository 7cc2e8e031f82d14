//! The table beneath the chart of quality against cost: every number of every arm and run.

use egui::{Align, Layout, RichText, Role, Ui, WidgetInfo};
use egui_extras::{Column as Width, TableBuilder};
use strum::IntoEnumIterator as _;

use crate::evaluation::Interval;
use crate::ui::View;
use crate::ui::cost::{Cost, Entry, Quality, interval_text};
use crate::ui::theme;
use crate::ui::widgets::{cut_text, list_keys};

/// Height of a row, points.
const ROW: f32 = 24.0;

/// Draws the table and answers with the entry that was chosen, by click or by the keys j and k; `best` are on the Pareto line.
pub fn table_ui(
    ui: &mut Ui,
    view: &View<'_>,
    entries: &[Entry<'_>],
    best: &[usize],
    chosen: Option<usize>,
) -> Option<usize> {
    let moved = list_keys(ui, chosen, entries.len());
    let mut clicked = None;
    let area = egui::ScrollArea::horizontal()
        .id_salt("costs across")
        .auto_shrink(false);
    area.show(ui, |ui| {
        let fixed = |width: f32| Width::initial(width).at_least(60.0).clip(true).resizable(true);
        let mut builder = TableBuilder::new(ui)
            .id_salt("costs")
            .sense(egui::Sense::click())
            .cell_layout(Layout::left_to_right(Align::Center))
            .auto_shrink(false)
            .min_scrolled_height(0.0)
            .column(fixed(150.0))
            .column(fixed(130.0))
            .columns(fixed(136.0), Cost::iter().count());
        for quality in Quality::iter() {
            builder = builder.column(fixed(match quality {
                Quality::ExactMatch | Quality::Similarity => 136.0,
                Quality::CrossEntropy | Quality::Difference => 190.0,
            }));
        }
        if let Some(row) = moved {
            builder = builder.scroll_to_row(row, None);
        }
        let header = builder.header(theme::ROW, |mut header| {
            let plain = [("arm", "✓ on the Pareto line of the chart"), ("run, step", "")];
            let costs = Cost::iter().map(|cost| (cost.label(), cost.definition()));
            let qualities = Quality::iter().map(|quality| (quality.label(), quality.definition()));
            for (name, help) in plain.into_iter().chain(costs).chain(qualities) {
                header.col(|ui| {
                    cut_text(ui, theme::caption(name).color(view.theme.weak)).on_hover_text(format!("{name}\n{help}"));
                });
            }
        });
        header.body(|body| {
            body.rows(ROW, entries.len(), |mut row| {
                let at = row.index();
                let Some(entry) = entries.get(at) else { return };
                row.set_selected(chosen == Some(at));
                let is_best = best.contains(&at);
                row.col(|ui| arm_ui(ui, view, entry, is_best));
                row.col(|ui| {
                    let sign = view.theme.run(entry.sign);
                    let text = format!("{} {}, {}", sign.mark, entry.run, entry.summary.step);
                    cut_text(ui, RichText::new(text).size(theme::SMALL).color(sign.color));
                });
                for cost in Cost::iter() {
                    let why = "an earlier program wrote the evaluation; evaluate the run again";
                    row.col(|ui| value_ui(ui, view, cost.of(entry.arm), why, |value| cost.text(value)));
                }
                for quality in Quality::iter() {
                    row.col(|ui| {
                        value_ui(ui, view, quality.of(entry.arm), "not measured", |value| {
                            quality.text(value)
                        });
                    });
                }
                let response = row.response();
                let label = format!(
                    "{} of {}, step {}",
                    entry.arm.arm.label(),
                    entry.run,
                    entry.summary.step
                );
                let best = if is_best { ", on the Pareto line" } else { "" };
                response.widget_info(|| {
                    WidgetInfo::selected(Role::Button, true, chosen == Some(at), format!("{label}{best}"))
                });
                if response.clicked() {
                    clicked = Some(at);
                }
            });
        });
    });
    clicked.or(moved)
}

fn arm_ui(ui: &mut Ui, view: &View<'_>, entry: &Entry<'_>, is_best: bool) {
    ui.visuals_mut().override_text_color = None;
    let sign = view.theme.arm(entry.arm.arm);
    ui.spacing_mut().item_spacing.x = theme::TIGHT;
    ui.label(RichText::new(sign.mark).color(sign.color));
    let best = if is_best { " ✓" } else { "" };
    let text = RichText::new(format!("{}{best}", entry.arm.arm.label())).color(view.theme.strong);
    cut_text(ui, text).on_hover_text(entry.arm.arm.meaning());
}

/// A number with its interval, or why there is none.
fn value_ui(ui: &mut Ui, view: &View<'_>, value: Option<Interval>, why: &str, text: impl Fn(f64) -> String) {
    ui.visuals_mut().override_text_color = None;
    let small = |text: String| RichText::new(text).monospace().size(theme::SMALL);
    match value {
        None => {
            ui.label(small("—".into()).color(view.theme.weak)).on_hover_text(why);
        }
        Some(value) => {
            cut_text(ui, small(interval_text(value, text)).color(view.theme.text));
        }
    }
}
