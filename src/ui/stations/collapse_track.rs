//! The track of the scrubber: a slider over the probe steps that shows the mean cosine over training.

use egui::{Id, Rect, Role, Sense, Stroke, WidgetInfo, pos2, vec2};

use super::collapse_scrubber::Scrubber;
use super::collapse_series::ProbeSeries;
use crate::app::Action;
use crate::ui::View;
use crate::ui::charts::local;
use crate::ui::format::fixed;
use crate::ui::theme::{self, Sign, Theme};

/// Height of the track, points.
const HEIGHT: f32 = 76.0;
/// Points of a curve on the track.
const POINTS: usize = 1000;

/// One run on the track.
pub struct Track<'a> {
    /// What is known of it.
    pub series: &'a ProbeSeries,
    /// How it is drawn.
    pub sign: Sign,
    /// The run's name.
    pub name: &'a str,
}

/// The place of the step nearest to `step`.
pub fn nearest(steps: &[usize], step: usize) -> usize {
    let places = steps.iter().enumerate();
    places
        .min_by_key(|(_, other)| other.abs_diff(step))
        .map_or(0, |(place, _)| place)
}

/// The place of the probe nearest to a share of the track's length.
fn place_at(steps: &[usize], share: f32) -> usize {
    let ends = [steps.first(), steps.last()].map(|step| step.copied().unwrap_or_default() as f32);
    nearest(steps, egui::lerp(ends[0]..=ends[1], share).round() as usize)
}

/// Draws the track; answers with its id and the place that the pressed pointer asks for.
pub fn track_ui(
    ui: &mut egui::Ui,
    view: &View<'_>,
    Scrubber { tracks, steps }: &Scrubber<'_>,
    current: usize,
    reference: Option<usize>,
) -> (egui::Id, Option<usize>) {
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
        .with_max_y(rect.bottom() - 20.0);
    let ends = [steps.first(), steps.last()].map(|step| step.copied().unwrap_or_default() as f32);
    let across = |step: usize| match ends {
        [first, last] if last > first => egui::remap(step as f32, first..=last, inside.x_range()),
        _ => inside.center().x,
    };
    paint_axis(ui, rect, inside, theme, [steps.first(), steps.last()]);
    for track in tracks.iter().rev() {
        paint_track(ui, track, inside, across);
    }
    let place = |at: egui::Pos2| place_at(steps, ((at.x - inside.left()) / inside.width()).clamp(0.0, 1.0));
    let hovered = response.hover_pos().and_then(|at| steps.get(place(at)).copied());
    hover_step(ui, view, "scrubber", hovered);
    if let Some(marked) = hovered.or(view.state.selection.hovered_step) {
        let faint = Stroke::new(1.0, theme.cursor.gamma_multiply(0.5));
        ui.painter()
            .with_clip_rect(inside)
            .vline(across(marked), inside.y_range(), faint);
    }
    if let Some(reference) = reference {
        let line = [inside.top(), inside.bottom()].map(|y| pos2(across(reference), y));
        let stroke = Stroke::new(1.5, theme.cursor);
        ui.painter().extend(theme::Dash::Dotted.shapes(&line, stroke));
    }
    let x = across(step);
    ui.painter().vline(x, inside.y_range(), Stroke::new(1.5, theme.accent));
    let rim = if response.has_focus() {
        theme.strong
    } else {
        theme.panel
    };
    ui.painter()
        .circle(pos2(x, inside.bottom()), 5.0, theme.accent, Stroke::new(2.0, rim));
    let pressed = response.is_pointer_button_down_on();
    let asked = response.interact_pointer_pos().filter(|_| pressed).map(place);
    let id = response.id;
    if let Some(step) = hovered {
        response.on_hover_ui_at_pointer(|ui| tooltip(ui, tracks, step));
    }
    (id, asked)
}

/// Marks the step under the pointer in every chart; what another part of the page has marked is left alone.
pub fn hover_step(ui: &egui::Ui, view: &View<'_>, part: &str, hovered: Option<usize>) {
    let marked = local::<bool>(ui.ctx(), Id::unique(("hovered step", part)));
    let mut marked = marked.lock();
    if (hovered.is_some() || *marked) && hovered != view.state.selection.hovered_step {
        view.act(Action::HoverStep(hovered));
    }
    *marked = hovered.is_some();
}

fn tooltip(ui: &mut egui::Ui, tracks: &[Track<'_>], step: usize) {
    ui.label(theme::caption(format!("step {step}")));
    for Track { series, sign, name } in tracks {
        let Some(probe) = series.at(Some(step)) else {
            continue;
        };
        ui.horizontal(|ui| {
            ui.label(egui::RichText::new(sign.mark).color(sign.color));
            ui.label(format!(
                "{name}: mean cosine {}",
                fixed(probe.instruments.mean_cosine, 3)
            ));
        });
        if probe.verdict.collapsed {
            ui.label(egui::RichText::new(format!("▲ {}", probe.verdict.reason)).color(Theme::of(ui).alarm));
        }
    }
}

/// The mean cosine of a run, dots for its encoder, and a red tick below each step that has collapsed.
fn paint_track(ui: &egui::Ui, Track { series, sign, .. }: &Track<'_>, inside: Rect, across: impl Fn(usize) -> f32) {
    let theme = Theme::of(ui);
    let up = |cosine: f64| egui::remap_clamp(cosine as f32, 0.0..=1.0, inside.bottom()..=inside.top());
    if let Some(encoder) = &series.encoder {
        let y = up(encoder.instruments.mean_cosine);
        let line = [pos2(inside.left(), y), pos2(inside.right(), y)];
        let stroke = Stroke::new(theme::THIN_LINE, theme.encoder().color);
        ui.painter().extend(theme::Dash::Dotted.shapes(&line, stroke));
    }
    let painter = ui.painter().with_clip_rect(inside.expand(4.0));
    let curve = series.curve(POINTS, |probe| probe.instruments.mean_cosine);
    let points: Vec<_> = curve
        .iter()
        .map(|[step, cosine]| pos2(across(*step as usize), up(*cosine)))
        .collect();
    painter.extend(sign.dash.shapes(&points, Stroke::new(theme::STRONG_LINE, sign.color)));
    for probe in series.steps.values().filter(|probe| probe.verdict.collapsed) {
        let x = across(probe.step);
        let line = [pos2(x, inside.bottom()), pos2(x, inside.bottom() + 3.0)];
        painter.line_segment(line, Stroke::new(2.0, theme.alarm));
    }
}

fn paint_axis(ui: &egui::Ui, rect: Rect, inside: Rect, theme: &Theme, ends: [Option<&usize>; 2]) {
    let painter = ui.painter();
    painter.rect_filled(rect, theme::ROUNDING, theme.panel);
    let font = egui::FontId::proportional(theme::SMALL);
    let text = |at: egui::Pos2, align: egui::Align2, text: String| {
        painter.text(at, align, text, font.clone(), theme.weak);
    };
    for (cosine, align) in [(0.0, egui::Align2::RIGHT_BOTTOM), (1.0, egui::Align2::RIGHT_TOP)] {
        let y = egui::lerp(inside.bottom()..=inside.top(), cosine);
        painter.hline(inside.x_range(), y, Stroke::new(1.0, theme.line));
        text(pos2(inside.left() - 6.0, y), align, cosine.to_string());
    }
    let y = rect.bottom() - 2.0;
    if let [Some(first), Some(last)] = ends {
        text(
            pos2(inside.left(), y),
            egui::Align2::LEFT_BOTTOM,
            format!("step {first}"),
        );
        text(pos2(inside.right(), y), egui::Align2::RIGHT_BOTTOM, last.to_string());
    }
    let name = "mean cosine of projected vectors, dotted: the encoder's";
    text(pos2(inside.center().x, y), egui::Align2::CENTER_BOTTOM, name.to_owned());
}

#[cfg(test)]
mod tests {
    use super::{nearest, place_at};

    #[test]
    fn any_step_has_a_nearest_probe() {
        assert_eq!(nearest(&[0, 5, 10], 6), 1);
        assert_eq!(nearest(&[0, 5, 10], 400), 2);
        assert_eq!(nearest(&[], 4), 0);
        assert_eq!(place_at(&[0, 5, 10], 0.6), 1);
        assert_eq!(place_at(&[0, 5, 10], 1.0), 2);
    }
}
