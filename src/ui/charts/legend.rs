//! The legend of a chart: one entry a series, drawn as the series is; a click hides or shows it, a click with Alt shows it alone.

use std::collections::BTreeSet;

use egui::{Role, Sense, Stroke, WidgetInfo, pos2, vec2};

use super::local::local;
use crate::ui::theme::{self, Sign, Theme};

/// Draws the entries in one row that wraps, and answers with the names of hidden series.
pub fn legend_ui<'a>(
    ui: &mut egui::Ui,
    chart: egui::Id,
    entries: impl Iterator<Item = (&'a str, Sign)>,
) -> BTreeSet<String> {
    let entries: Vec<(&str, Sign)> = entries.collect();
    let memory = local::<BTreeSet<String>>(ui.ctx(), chart.with("hidden"));
    ui.horizontal_wrapped(|ui| {
        ui.spacing_mut().item_spacing = vec2(theme::SECTION, 0.0);
        for (name, sign) in &entries {
            let mut hidden = memory.lock();
            let shown = !hidden.contains(*name);
            let response = entry_ui(ui, name, *sign, shown);
            if !response.clicked() {
                continue;
            }
            if ui.input(|input| input.modifiers.alt) {
                hidden.clear();
                hidden.extend(
                    entries
                        .iter()
                        .map(|(other, _)| (*other).to_owned())
                        .filter(|other| other != name),
                );
            } else if shown {
                hidden.insert((*name).to_owned());
            } else {
                hidden.remove(*name);
            }
        }
    });
    memory.lock().clone()
}

fn entry_ui(ui: &mut egui::Ui, name: &str, sign: Sign, shown: bool) -> egui::Response {
    let theme = Theme::of(ui);
    let font = egui::FontId::proportional(theme::SMALL);
    let ink = if shown { theme.text } else { theme.weak };
    let text = ui.painter().layout_no_wrap(name.to_owned(), font, ink);
    let size = vec2(26.0 + text.size().x, 18.0);
    let (rect, response) = ui.allocate_exact_size(size, Sense::click());
    let y = rect.center().y;
    let color = if shown { sign.color } else { theme.line };
    let line = [pos2(rect.left(), y), pos2(rect.left() + 20.0, y)];
    ui.painter()
        .extend(sign.dash.shapes(&line, Stroke::new(theme::STRONG_LINE, color)));
    let at = pos2(rect.left() + 26.0, y - text.size().y / 2.0);
    ui.painter().galley(at, text, ink);
    if !shown {
        let strike = [pos2(at.x, y), pos2(rect.right(), y)];
        ui.painter().line_segment(strike, Stroke::new(1.0, theme.weak));
    }
    response.widget_info(|| WidgetInfo::selected(Role::Button, true, shown, format!("series {name}")));
    response.on_hover_text("click: hide or show · Alt+click: this one alone")
}
