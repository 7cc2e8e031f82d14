//! The guided tour over the stations: where it is, what is seen there, and the keys of a presenter's remote.

use egui::{Context, Frame, Key, Margin, Modifiers, Panel, RichText, Ui};

use super::recording::{live_ui, recorded_on};
use super::widgets::empty_state;
use super::{View, theme};
use crate::app::{Action, Tour, TourMove};

/// Least and most that everything is enlarged by during a tour.
const ZOOM: [f32; 2] = [1.25, 2.0];
/// Steps of it between 1 and 2.
const STEPS: f32 = 20.0;
/// What a station needs of the window, points.
const ROOM: egui::Vec2 = egui::vec2(1280.0, 720.0);

/// What a tour enlarges everything by, as far as the window has room for its stations.
pub fn tour_zoom(ctx: &Context) -> f32 {
    let [least, most] = ZOOM;
    let room = ctx.content_rect().size() * ctx.zoom_factor();
    // In steps: the room is computed back from the zoom, and its last bits must not move everything in every frame.
    let share = ((room / ROOM).min_elem() * STEPS + 0.01).floor() / STEPS;
    share.clamp(least, most)
}

/// Takes the keys of the tour before anything else sees them: a remote's page keys always, the others while nothing has the keyboard.
pub fn tour_keys(ctx: &Context, view: &View<'_>) {
    if !view.state.is_touring() || view.state.overlay.covers() {
        return;
    }
    let typing = ctx.egui_wants_keyboard_input();
    let keys = [
        (Key::PageDown, TourMove::Forward, true),
        (Key::ArrowRight, TourMove::Forward, !typing),
        (Key::Space, TourMove::Forward, !typing),
        (Key::PageUp, TourMove::Back, true),
        (Key::ArrowLeft, TourMove::Back, !typing),
        (Key::Escape, TourMove::End, !typing),
    ];
    for (key, to, taken) in keys {
        if taken && ctx.input_mut(|input| input.consume_key(Modifiers::NONE, key)) {
            view.act(Action::Tour(to));
        }
    }
}

/// Draws what stands in the place of the station while a tour is being read.
pub fn tour_read_ui(ui: &mut Ui, view: &View<'_>) {
    let leave = Some(("Not now (Esc)", Action::Tour(TourMove::End)));
    let text = "Reading the runs of the tour: their steps, vectors and completions…";
    empty_state(ui, view, "The tour is about to begin", text, leave);
}

/// Draws the sentence of the stop above the station; nothing without a tour.
pub fn tour_ui(ui: &mut Ui, view: &View<'_>) {
    let Some((stop, number, count)) = view.state.tour.as_ref().and_then(Tour::now) else {
        return;
    };
    Panel::top("tour")
        .frame(
            Frame::new()
                .fill(view.theme.selected)
                .inner_margin(Margin::symmetric(16, 8)),
        )
        .show(ui, |ui| {
            let sentence = RichText::new(&stop.sentence)
                .size(theme::TITLE)
                .color(view.theme.strong);
            ui.add(egui::Label::new(sentence).wrap());
            ui.add_space(theme::TIGHT);
            ui.horizontal(|ui| {
                for (name, to, possible, help) in [
                    ("Back", TourMove::Back, number > 1, "← or PgUp"),
                    ("Next", TourMove::Forward, number < count, "→, PgDn or space"),
                    ("End tour", TourMove::End, true, "Escape"),
                ] {
                    if ui
                        .add_enabled(possible, egui::Button::new(name))
                        .on_hover_text(help)
                        .clicked()
                    {
                        view.act(Action::Tour(to));
                    }
                }
                ui.label(
                    RichText::new(format!("{number} of {count}"))
                        .family(theme::semibold())
                        .color(view.theme.strong),
                );
                if let Some(recorded) = recorded_on(view) {
                    ui.label(RichText::new("·").color(view.theme.weak));
                    ui.label(RichText::new(format!("a recording of {recorded}")).color(view.theme.text));
                    ui.label(RichText::new("·").color(view.theme.weak));
                    live_ui(ui, view);
                }
            });
        });
}
