//! The scrubber: a slider over the probe steps whose track is the mean cosine over training.

use egui::{Key, Rect, Role, Sense, Stroke, WidgetInfo, pos2, vec2};

use super::collapse_series::ProbeSeries;
use crate::ui::theme::{self, Sign, Theme};
use crate::ui::widgets::{Icon, icon_button};

/// Seconds between two steps while playing.
const BEAT: f64 = 0.3;
/// Height of the track, points.
const HEIGHT: f32 = 64.0;

/// One run on the track.
pub struct Track<'a> {
    /// What is known of it.
    pub series: &'a ProbeSeries,
    /// How it is drawn.
    pub sign: Sign,
}

/// Whether it plays, and since when the current step stands.
#[derive(Clone, Copy, Debug, Default)]
pub struct Playing(Option<f64>);

/// What was asked of the scrubber.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Scrub {
    /// Look at this step.
    To(usize),
    /// Follow the newest one.
    Follow,
}

/// Draws the scrubber; `step` is the one looked at, none while the newest is followed.
pub fn scrubber_ui(
    ui: &mut egui::Ui,
    tracks: &[Track<'_>],
    steps: &[usize],
    step: Option<usize>,
    hovered: Option<usize>,
    playing: &mut Playing,
) -> Option<Scrub> {
    let last = steps.len().checked_sub(1)?;
    let current = step.map_or(last, |step| nearest(steps, step));
    let mut asked: Option<usize> = None;
    ui.horizontal(|ui| {
        let (icon, name) = match playing.0 {
            Some(_) => (Icon::Pause, "stop playing"),
            None => (Icon::Play, "play the probe steps"),
        };
        if icon_button(ui, icon, name, last > 0).on_hover_text(name).clicked() {
            playing.0 = match playing.0 {
                Some(_) => None,
                None => Some(ui.input(|input| input.time)),
            };
            if playing.0.is_some() && current == last {
                asked = Some(0);
            }
        }
        let following = step.is_none();
        let follow = ui
            .selectable_label(following, "newest")
            .on_hover_text("follow the newest probe step");
        if follow.clicked() {
            asked = Some(last);
        }
        asked = track_ui(ui, tracks, steps, current, hovered).or(asked);
    });
    let typing = ui.ctx().memory(|memory| memory.focused().is_some());
    if !typing {
        ui.input(|input| {
            if input.key_pressed(Key::ArrowLeft) {
                asked = Some(current.saturating_sub(1));
            } else if input.key_pressed(Key::ArrowRight) {
                asked = Some((current + 1).min(last));
            }
        });
    }
    asked = play(ui, playing, current, last).or(asked);
    let at = *steps.get(asked?)?;
    Some(if asked == Some(last) {
        Scrub::Follow
    } else {
        Scrub::To(at)
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

/// The place of the step nearest to `step`.
fn nearest(steps: &[usize], step: usize) -> usize {
    let places = steps.iter().enumerate();
    places
        .min_by_key(|(_, other)| other.abs_diff(step))
        .map_or(0, |(place, _)| place)
}

fn track_ui(
    ui: &mut egui::Ui,
    tracks: &[Track<'_>],
    steps: &[usize],
    current: usize,
    hovered: Option<usize>,
) -> Option<usize> {
    let theme = Theme::of(ui);
    let (rect, response) = ui.allocate_exact_size(vec2(ui.available_width(), HEIGHT), Sense::click_and_drag());
    let step = steps.get(current).copied().unwrap_or_default();
    response.widget_info(|| WidgetInfo {
        value: Some(step as f64),
        ..WidgetInfo::labeled(Role::Slider, true, "probe step")
    });
    let inside = rect
        .shrink2(vec2(8.0, 4.0))
        .with_min_x(rect.left() + 34.0)
        .with_max_y(rect.bottom() - 16.0);
    let (first, last) = (
        steps.first().copied().unwrap_or(0) as f32,
        steps.last().copied().unwrap_or(1) as f32,
    );
    let across = |step: f32| match last > first {
        true => egui::remap(step, first..=last, inside.x_range()),
        false => inside.center().x,
    };
    let up = |cosine: f64| egui::remap_clamp(cosine as f32, 0.0..=1.0, inside.bottom()..=inside.top());
    paint_axis(ui, rect, inside, theme, [first, last], across);
    for Track { series, sign } in tracks.iter().rev() {
        let encoder = series.encoder.iter().map(|encoder| encoder.instruments.mean_cosine);
        for cosine in encoder {
            let line = [pos2(inside.left(), up(cosine)), pos2(inside.right(), up(cosine))];
            let stroke = Stroke::new(theme::THIN_LINE, theme.encoder().color);
            ui.painter().extend(theme::Dash::Dashed.shapes(&line, stroke));
        }
        let curve = series.curve(|probe| probe.instruments.mean_cosine);
        let points: Vec<_> = curve.iter().map(|[x, y]| pos2(across(*x as f32), up(*y))).collect();
        ui.painter()
            .extend(sign.dash.shapes(&points, Stroke::new(theme::STRONG_LINE, sign.color)));
        let alarms = series.steps.values().filter(|probe| probe.verdict.collapsed);
        for probe in alarms {
            let x = across(probe.step as f32);
            let line = [pos2(x, inside.bottom()), pos2(x, inside.bottom() + 3.0)];
            ui.painter().line_segment(line, Stroke::new(2.0, theme.alarm));
        }
    }
    if let Some(hovered) = hovered.filter(|step| (first..=last).contains(&(*step as f32))) {
        let x = across(hovered as f32);
        ui.painter()
            .vline(x, inside.y_range(), Stroke::new(1.0, theme.cursor.gamma_multiply(0.5)));
    }
    let x = across(step as f32);
    ui.painter().vline(x, inside.y_range(), Stroke::new(1.5, theme.accent));
    ui.painter().circle(
        pos2(x, inside.bottom()),
        5.0,
        theme.accent,
        Stroke::new(2.0, theme.panel),
    );
    let pointer = response
        .interact_pointer_pos()
        .filter(|_| response.is_pointer_button_down_on())?;
    let share = ((pointer.x - inside.left()) / inside.width()).clamp(0.0, 1.0);
    Some(nearest(steps, (first + share * (last - first)).round() as usize)).filter(|place| *place != current)
}

fn paint_axis(
    ui: &egui::Ui,
    rect: Rect,
    inside: Rect,
    theme: &Theme,
    [first, last]: [f32; 2],
    across: impl Fn(f32) -> f32,
) {
    let painter = ui.painter();
    painter.rect_filled(rect, theme::ROUNDING, theme.panel);
    let font = egui::FontId::proportional(theme::SMALL);
    for (cosine, align) in [(0.0, egui::Align2::RIGHT_BOTTOM), (1.0, egui::Align2::RIGHT_TOP)] {
        let y = egui::lerp(inside.bottom()..=inside.top(), cosine);
        painter.hline(inside.x_range(), y, Stroke::new(1.0, theme.line));
        painter.text(
            pos2(inside.left() - 6.0, y),
            align,
            cosine.to_string(),
            font.clone(),
            theme.weak,
        );
    }
    let y = rect.bottom() - 1.0;
    painter.text(
        pos2(across(first), y),
        egui::Align2::LEFT_BOTTOM,
        format!("step {first}"),
        font.clone(),
        theme.weak,
    );
    painter.text(
        pos2(across(last), y),
        egui::Align2::RIGHT_BOTTOM,
        last.to_string(),
        font.clone(),
        theme.weak,
    );
    let middle = pos2(inside.center().x, y);
    painter.text(
        middle,
        egui::Align2::CENTER_BOTTOM,
        "mean cosine of projected vectors; dashes: encoder",
        font,
        theme.weak,
    );
}

#[cfg(test)]
mod tests {
    use super::nearest;

    #[test]
    fn any_step_has_a_nearest_probe() {
        assert_eq!(nearest(&[0, 5, 10], 6), 1);
        assert_eq!(nearest(&[0, 5, 10], 400), 2);
        assert_eq!(nearest(&[], 4), 0);
    }
}
