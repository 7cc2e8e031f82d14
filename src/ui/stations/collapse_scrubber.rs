//! The scrubber: plays and steps through the probe steps of a run, and pins one as the reference.

use egui::Key;

use super::collapse_readings::Reading;
use super::collapse_track::{Track, nearest, track_ui};
use crate::app::Action;
use crate::ui::View;
use crate::ui::charts::{Table, table_menu};
use crate::ui::widgets::{Icon, icon_button};

/// Seconds between two steps while playing.
const BEAT: f64 = 0.3;

/// Whether it plays, and since when the current step stands.
#[derive(Clone, Copy, Debug, Default)]
pub struct Playing(Option<f64>);

/// The scrubber over the probe steps of the run in focus.
pub struct Scrubber<'a> {
    /// The runs on its track.
    pub tracks: &'a [Track<'a>],
    /// Steps with a probe that can be read, ascending.
    pub steps: &'a [usize],
}

impl Scrubber<'_> {
    /// Draws it and pins what was asked for; the last step is followed, not pinned. The step that is looked at can be made the
    /// reference.
    pub fn show(&self, ui: &mut egui::Ui, view: &View<'_>, playing: &mut Playing, reference: &mut Option<usize>) {
        let steps = self.steps;
        let Some(last) = steps.len().checked_sub(1) else {
            return;
        };
        let pinned = view.state.selection.step;
        let current = pinned.map_or(last, |step| nearest(steps, step));
        let mut asked: Option<usize> = None;
        ui.horizontal(|ui| {
            ui.vertical(|ui| {
                ui.horizontal(|ui| {
                    if play_button_ui(ui, playing, last > 0) && current == last {
                        asked = Some(0);
                    }
                    let follow = ui.selectable_label(pinned.is_none(), "newest");
                    if follow.on_hover_text("follow the newest probe step (End)").clicked() {
                        asked = Some(last);
                    }
                    table_menu(ui, "instruments of every probe", || self.numbers());
                });
                let step = steps.get(current).copied().unwrap_or_default();
                reference_ui(ui, view, step, reference);
            });
            let (track, pointed) = track_ui(ui, view, self, current, *reference);
            let pressed = if view.state.overlay.covers() {
                None
            } else {
                keys(ui, track, current, last)
            };
            asked = pressed.or(pointed).or(asked);
        });
        let asked = play(ui, playing, current, last)
            .or(asked)
            .filter(|place| *place != current);
        let step = asked.and_then(|place| steps.get(place).copied());
        if let Some(step) = step {
            view.act(Action::PinStep((asked != Some(last)).then_some(step)));
        }
    }
}

impl Scrubber<'_> {
    /// Every instrument of every run on the track at every step.
    fn numbers(&self) -> Table {
        let mut table = Table::new(["run", "step"]);
        table
            .columns
            .extend(Reading::all().map(|reading| reading.name.to_owned()));
        for track in self.tracks {
            table.rows.extend(track.series.steps.values().map(|probe| {
                let values = Reading::all().map(|reading| reading.of(probe).to_string());
                [track.name.to_owned(), probe.step.to_string()]
                    .into_iter()
                    .chain(values)
                    .collect()
            }));
        }
        table
    }
}

/// Makes the step that is looked at the reference, or lets go of it; by hand or with R.
fn reference_ui(ui: &mut egui::Ui, view: &View<'_>, step: usize, reference: &mut Option<usize>) {
    let text = match reference {
        Some(step) => format!("reference {step}"),
        None => "pin reference".to_owned(),
    };
    let label = ui.selectable_label(reference.is_some(), text).on_hover_text(
        "the step that is looked at stays as an outline and as differences while others are looked at; again: let go (R)",
    );
    let free = ui.ctx().memory(|memory| memory.focused()).is_none() && !view.state.overlay.covers();
    let key = free && ui.input(|input| input.modifiers.is_none() && input.key_pressed(Key::R));
    if label.clicked() || key {
        *reference = match reference {
            Some(_) => None,
            None => Some(step),
        };
    }
}

/// Starts or stops playing; says whether it started.
fn play_button_ui(ui: &mut egui::Ui, playing: &mut Playing, enabled: bool) -> bool {
    let (icon, name) = match playing.0 {
        Some(_) => (Icon::Pause, "stop playing"),
        None => (Icon::Play, "play the probe steps"),
    };
    let clicked = icon_button(ui, icon, name, enabled).on_hover_text(name).clicked();
    if clicked {
        playing.0 = match playing.0 {
            Some(_) => None,
            None => Some(ui.input(|input| input.time)),
        };
    }
    clicked && playing.0.is_some()
}

/// The arrow keys, Home and End, while nothing else has the keyboard.
fn keys(ui: &egui::Ui, track: egui::Id, current: usize, last: usize) -> Option<usize> {
    let focused = ui.ctx().memory(|memory| memory.focused());
    if focused == Some(track) {
        let filter = egui::EventFilter {
            horizontal_arrows: true,
            ..egui::EventFilter::default()
        };
        ui.ctx()
            .memory_mut(|memory| memory.set_focus_lock_filter(track, filter));
    } else if focused.is_some() {
        return None;
    }
    ui.input(|input| {
        if input.key_pressed(Key::ArrowLeft) {
            Some(current.saturating_sub(1))
        } else if input.key_pressed(Key::ArrowRight) {
            Some((current + 1).min(last))
        } else if input.key_pressed(Key::Home) {
            Some(0)
        } else if input.key_pressed(Key::End) {
            Some(last)
        } else {
            None
        }
    })
}

fn play(ui: &egui::Ui, playing: &mut Playing, current: usize, last: usize) -> Option<usize> {
    let since = playing.0?;
    let now = ui.input(|input| input.time);
    let left = since + BEAT - now;
    if left > 0.0 {
        ui.ctx()
            .request_repaint_after(std::time::Duration::from_secs_f64(left.min(BEAT)));
        return None;
    }
    let next = (current + 1).min(last);
    playing.0 = (next < last).then_some(now);
    ui.ctx().request_repaint_after(std::time::Duration::from_secs_f64(BEAT));
    Some(next)
}
