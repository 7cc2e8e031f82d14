//! The run in focus and the overlaid ones beside each other: their curves, their settings, their evaluations.

use egui::{RichText, Ui};
use strum::IntoEnumIterator as _;

use super::runs_curves::curves_ui;
use super::runs_evaluations::evaluations_ui;
use super::runs_settings::settings_ui;
use crate::ui::charts::local;
use crate::ui::{View, format, theme};

/// What is shown of the chosen runs.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, strum::EnumIter)]
enum Part {
    #[default]
    Curves,
    Evaluations,
    Settings,
}

impl Part {
    fn name(self) -> &'static str {
        match self {
            Self::Curves => "Curves",
            Self::Evaluations => "Evaluations",
            Self::Settings => "Difference of settings",
        }
    }
}

/// Draws the chosen runs.
pub fn chosen_ui(ui: &mut Ui, view: &View<'_>) {
    let part = local::<Part>(ui.ctx(), egui::Id::unique("part of the chosen runs"));
    let mut part = part.lock();
    ui.horizontal_wrapped(|ui| {
        for one in Part::iter() {
            let chosen = *part == one;
            let color = if chosen { view.theme.strong } else { view.theme.weak };
            if ui
                .selectable_label(chosen, theme::caption(one.name()).color(color))
                .clicked()
            {
                *part = one;
            }
        }
        ui.separator();
        let labels = format::run_labels(view.state.shown_runs().map(|open| open.run().folder.as_path()));
        for (open, label) in view.state.shown_runs().zip(labels) {
            let sign = view.theme.run(open.sign);
            // Mark and name stay on one line.
            let text = RichText::new(format!("{} {label}", sign.mark)).color(sign.color);
            ui.add(egui::Label::new(text).extend());
        }
    });
    ui.add_space(theme::TIGHT);
    let room = ui.available_height();
    // What is drawn must never push the panel's border: it would creep up frame by frame.
    let area = egui::ScrollArea::vertical().id_salt(part.name()).auto_shrink(false);
    area.show(ui, |ui| match *part {
        Part::Curves => curves_ui(ui, view, room),
        Part::Evaluations => evaluations_ui(ui, view, room),
        Part::Settings => settings_ui(ui, view),
    });
}
