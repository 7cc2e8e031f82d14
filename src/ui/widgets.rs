//! Small things that several panels use.

use std::sync::Arc;

use egui::text::{LayoutJob, TextWrapping};
use egui::{Color32, FontId, Galley, Pos2, Rect, Response, Role, Sense, Shape, Stroke, Ui, Vec2, WidgetInfo, vec2};

use super::View;
use super::theme::{self, GAP, Theme};
use crate::app::{Action, PathField, UiCommand};

/// Icons that no font has in a shape that fits beside others; drawn by the painter.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Icon {
    /// Two bars.
    Pause,
    /// A triangle.
    Play,
    /// A triangle and a bar.
    Step,
    /// A square.
    Stop,
    /// A round arrow.
    Undo,
}

impl Icon {
    fn shapes(self, center: Pos2, color: Color32) -> Vec<Shape> {
        let at = |x: f32, y: f32| center + Vec2::new(x, y);
        let bar = |x: f32| {
            Shape::rect_filled(
                egui::Rect::from_center_size(at(x, 0.0), Vec2::new(3.0, 11.0)),
                0.5,
                color,
            )
        };
        let triangle = |dx: f32| {
            Shape::convex_polygon(
                vec![at(dx - 3.5, -5.5), at(dx + 5.0, 0.0), at(dx - 3.5, 5.5)],
                color,
                Stroke::NONE,
            )
        };
        match self {
            Self::Pause => vec![bar(-3.0), bar(3.0)],
            Self::Play => vec![triangle(0.0)],
            Self::Step => vec![triangle(-2.0), bar(5.0)],
            Self::Stop => vec![Shape::rect_filled(
                egui::Rect::from_center_size(center, Vec2::splat(9.0)),
                1.0,
                color,
            )],
            Self::Undo => {
                let arc: Vec<Pos2> = (0..=20)
                    .map(|i| {
                        let angle = std::f32::consts::PI * (-0.75 + 1.5 * i as f32 / 20.0);
                        center + 4.0 * Vec2::angled(angle)
                    })
                    .collect();
                let tip = arc.first().copied().unwrap_or(center);
                vec![
                    Shape::line(arc, Stroke::new(1.3, color)),
                    Shape::convex_polygon(
                        vec![
                            tip + Vec2::new(-3.0, -1.0),
                            tip + Vec2::new(2.0, -2.5),
                            tip + Vec2::new(0.0, 3.0),
                        ],
                        color,
                        Stroke::NONE,
                    ),
                ]
            }
        }
    }
}

/// A square button with an icon and a name for those who do not see it.
pub fn icon_button(ui: &mut Ui, icon: Icon, name: &str, enabled: bool) -> Response {
    let size = Vec2::new(28.0, ui.spacing().interact_size.y);
    let sense = if enabled { Sense::click() } else { Sense::hover() };
    let (rect, response) = ui.allocate_exact_size(size, sense);
    response.widget_info(|| WidgetInfo::labeled(Role::Button, enabled, name));
    let theme = Theme::of(ui);
    let color = match (enabled, response.hovered()) {
        (false, _) => theme.line,
        (true, true) => theme.strong,
        (true, false) => theme.text,
    };
    if enabled && response.hovered() {
        ui.painter().rect_filled(rect, theme::ROUNDING, theme.hovered);
    }
    if response.has_focus() {
        let stroke = Stroke::new(1.0, theme.accent);
        ui.painter()
            .rect_stroke(rect, theme::ROUNDING, stroke, egui::StrokeKind::Inside);
    }
    ui.painter().extend(icon.shapes(rect.center(), color));
    response
}

/// The one button that stands out, at least this wide.
pub fn primary_button(ui: &mut Ui, text: &str, enabled: bool, width: f32) -> Response {
    let theme = Theme::of(ui);
    // Not the accent faded out: its pale text could not be read on it.
    let (ink, fill) = match enabled {
        true => (theme.on_accent, theme.accent),
        false => (theme.weak, theme.raised),
    };
    let label = egui::RichText::new(text).family(theme::semibold()).color(ink);
    let button = egui::Button::new(label).fill(fill).stroke(Stroke::NONE);
    let size = Vec2::new(width, 30.0);
    ui.add_enabled_ui(enabled, |ui| match width > 0.0 {
        true => ui.add_sized(size, button),
        false => ui.add(button.min_size(size)),
    })
    .inner
}

/// Text that cannot be cut off without a way to read it: what does not fit is shown on hover.
pub fn cut_text(ui: &mut Ui, text: impl Into<egui::WidgetText>) -> Response {
    ui.add(egui::Label::new(text).truncate())
}

/// What a page shows before it has anything to show: what would be here, and the one action that brings it.
pub fn empty_state(ui: &mut Ui, view: &View<'_>, title: &str, text: &str, action: Option<(&str, Action)>) {
    let top = (ui.available_height() * 0.3).max(GAP);
    ui.vertical_centered(|ui| {
        ui.add_space(top);
        ui.label(theme::title(title).color(view.theme.strong));
        ui.add_space(GAP);
        ui.scope(|ui| {
            ui.set_max_width(460.0);
            ui.label(egui::RichText::new(text).color(view.theme.weak));
        });
        ui.add_space(theme::SECTION);
        if let Some((label, action)) = action
            && ui.button(label).clicked()
        {
            view.act(action);
        }
    });
}

/// J and K in a list, while nobody types: the place that they go to; `current` is where the list stands.
pub fn list_keys(ui: &Ui, current: Option<usize>, count: usize) -> Option<usize> {
    let busy = |memory: &egui::Memory| memory.focused().is_some() || memory.top_modal_layer().is_some();
    if ui.ctx().memory(busy) {
        return None;
    }
    let last = count.checked_sub(1)?;
    ui.input(|input| {
        if input.key_pressed(egui::Key::J) {
            Some(current.map_or(0, |at| (at + 1).min(last)))
        } else if input.key_pressed(egui::Key::K) {
            Some(current.map_or(0, |at| at.saturating_sub(1)))
        } else {
            None
        }
    })
}

/// A list of `count` rows of one height, drawn as far as they are in sight, that scrolls to where the keyboard `moved`; the row that
/// was clicked, else the one that was moved to.
pub fn row_list(
    ui: &mut Ui,
    id: &'static str,
    (height, count): (f32, usize),
    moved: Option<usize>,
    mut row: impl FnMut(&mut Ui, usize) -> Response,
) -> Option<usize> {
    let mut area = egui::ScrollArea::vertical().auto_shrink(false).id_salt(id);
    if let Some(at) = moved {
        let top = at as f32 * (height + ui.spacing().item_spacing.y);
        area = area.vertical_scroll_offset((top - ui.available_height() / 2.0).max(0.0));
    }
    let mut clicked = None;
    area.show_rows(ui, height, count, |ui, range| {
        for at in range {
            if row(ui, at).clicked() {
                clicked = Some(at);
            }
        }
    });
    clicked.or(moved)
}

/// The place of a row in a list, as wide as there is room, filled as the chosen and the pointed one are.
pub fn list_row(ui: &mut Ui, height: f32, chosen: bool) -> (Rect, Response) {
    let theme = Theme::of(ui);
    let (rect, response) = ui.allocate_exact_size(vec2(ui.available_width(), height), Sense::click());
    let fill = match (chosen, response.hovered() || response.has_focus()) {
        (true, _) => theme.selected,
        (false, true) => theme.hovered,
        (false, false) => Color32::TRANSPARENT,
    };
    ui.painter().rect_filled(rect, theme::ROUNDING, fill);
    (rect, response)
}

/// Text on one line that ends in … where there is no room.
pub fn one_line(ui: &Ui, text: &str, font: FontId, color: Color32, width: f32) -> Arc<Galley> {
    let mut job = LayoutJob::simple_singleline(text.to_owned(), font, color);
    job.wrap = TextWrapping::truncate_at_width(width);
    ui.painter().layout_job(job)
}

/// Gives a widget a name for those who do not see it, where nothing beside it is its label.
pub fn named(ui: &Ui, response: &Response, name: &str) {
    ui.ctx()
        .accesskit_node_builder(response.id, |node| node.set_label(name));
}

/// A path that is typed or chosen: the dialog never is the only way.
pub fn path_field(ui: &mut Ui, view: &View<'_>, field: PathField, name: &str, value: &str, width: f32) -> Response {
    ui.horizontal(|ui| {
        let mut text = value.to_owned();
        let edit = egui::TextEdit::singleline(&mut text)
            .hint_text(name)
            .desired_width(width - 84.0);
        let response = ui.add(edit);
        named(ui, &response, name);
        if response.changed() {
            view.act(Action::SetPath(field, text));
        }
        let browse = ui
            .button("Browse…")
            .on_hover_text("Choose a folder in the system's dialog");
        if browse.clicked() {
            view.act(Action::PickFolder(field));
        }
        response
    })
    .inner
}

/// Whether Enter was pressed in one of a dialog's fields. While nothing has the keyboard, the first of them gets it.
pub fn entered(ui: &Ui, fields: &[&Response]) -> bool {
    // Asked first: a field that gets the keyboard back has not lost it.
    let entered =
        fields.iter().any(|field| field.lost_focus()) && ui.input(|input| input.key_pressed(egui::Key::Enter));
    if let (false, Some(first), true) = (entered, fields.first(), ui.memory(|memory| memory.focused().is_none())) {
        first.request_focus();
    }
    entered
}

/// The tooltip of a command: what it does, its key, and why it cannot be done now.
pub fn command_tooltip(view: &View<'_>, ctx: &egui::Context, command: UiCommand) -> String {
    let mut text = command.tooltip().to_owned();
    if let Some(shortcut) = command.shortcut() {
        text = format!("{text} ({})", ctx.format_shortcut(&shortcut));
    }
    match command.refusal(view.state) {
        Some(reason) => format!("{text}\nNot now: {reason}"),
        None => text,
    }
}
