//! Folders that were opened before, as rows: those that are gone say so, and every one can be forgotten.

use egui::{RichText, Ui};

use super::widgets::named;
use super::{View, theme};
use crate::app::{Action, Recent, RecentKind};
use crate::ui::widgets::one_line;

/// Draws the rows under a head, when there are any but `but`; answers with the one that is to be opened.
pub fn recents_ui<'a>(
    ui: &mut Ui,
    view: &'a View<'_>,
    kind: RecentKind,
    (head, width): (&str, f32),
    but: impl Fn(&Recent) -> bool,
) -> Option<&'a Recent> {
    let recents = view.state.recents.all(kind).iter();
    let mut asked = None;
    for (place, recent) in recents.filter(|recent| !but(recent)).enumerate() {
        if place == 0 {
            ui.add_space(theme::GAP);
            ui.label(theme::caption(head).color(view.theme.strong));
        }
        let path = recent.folder.display().to_string();
        ui.horizontal(|ui| {
            let forget = ui
                .small_button("×")
                .on_hover_text("Forgets it; the folder itself stays as it is");
            named(ui, &forget, &format!("Forget {path}"));
            if forget.clicked() {
                view.act(Action::ForgetRecent(kind, recent.folder.clone()));
            }
            if recent.gone {
                ui.label(RichText::new("gone").color(view.theme.warning));
                let font = egui::TextStyle::Body.resolve(ui.style());
                let text = one_line(ui, &path, font, view.theme.weak, width - 90.0);
                ui.label(text).on_hover_text(path);
            } else {
                let font = egui::TextStyle::Body.resolve(ui.style());
                let text = one_line(ui, &path, font, view.theme.accent, width - 40.0);
                let link = ui.add(egui::Button::new(text).frame(false));
                named(ui, &link, &path);
                if link.on_hover_text(&path).clicked() {
                    asked = Some(recent);
                }
            }
        });
    }
    asked
}
