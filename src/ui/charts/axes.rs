//! The look that all plots share: quiet grid, few ticks at round numbers, small labels, no gestures that steal scrolling.

use egui::{Color32, FontId, Id, RichText};
use egui_plot::{AxisHints, GridInput, GridMark, Plot};

use super::scale::{Scale, log_marks, tick};
use crate::ui::theme::{self, Theme};

/// Points between two ticks along x, at least.
const ACROSS: f64 = 56.0;
/// Points between two ticks along y, at least.
const UP: f64 = 26.0;
/// Points between two grid lines that the plot assumes at least (its own default).
const GRID: f64 = 8.0;

/// A plot with the common look; the caller adds what is particular. Where x counts something, only whole numbers are marked.
pub fn plot<'a>(id: Id, height: f32, theme: &Theme, labels: [&str; 2], scale: Scale, counts: bool) -> Plot<'a> {
    let axis = |hints: AxisHints<'a>, label: &str, room: f32| {
        let hints = hints
            .tick_label_color(theme.weak)
            .tick_label_font(FontId::proportional(theme::SMALL));
        let hints = hints.label_spacing(room..=room + 1.0);
        if label.is_empty() {
            hints
        } else {
            hints.label(small(label, theme.weak))
        }
    };
    let x = axis(AxisHints::new_x(), labels[0], 30.0).formatter(|mark, _| tick(mark.value));
    let y = axis(AxisHints::new_y(), labels[1], 12.0).formatter(move |mark, _| scale.tick(mark.value));
    Plot::new("plot")
        .id(id)
        .height(height)
        .show_background(false)
        .grid_color(theme.line)
        .grid_fade(0.0)
        .show_crosshair(false)
        .show_x(false)
        .show_y(false)
        .allow_scroll(false)
        .custom_x_axes(vec![x])
        .custom_y_axes(vec![y.min_thickness(38.0)])
        .x_grid_spacer(move |input| round_marks(&input, ACROSS, if counts { 1.0 } else { 0.0 }))
        .y_grid_spacer(move |input| match scale {
            Scale::Linear => round_marks(&input, UP, 0.0),
            Scale::Log => log_marks(input),
        })
}

/// Text of the smallest size.
pub fn small(text: &str, color: Color32) -> RichText {
    RichText::new(text).size(theme::SMALL).color(color)
}

/// Marks at multiples of 1, 2 or 5 times a power of ten, at least `points` and `least` apart.
fn round_marks(input: &GridInput, points: f64, least: f64) -> Vec<GridMark> {
    let (low, high) = input.bounds;
    let step = round_step(input.base_step_size / GRID * points).max(least);
    let (first, last) = ((low / step).ceil(), (high / step).floor());
    if !(first.is_finite() && last.is_finite() && last - first < 200.0) {
        return Vec::new();
    }
    (first as i64..=last as i64)
        .map(|at| GridMark {
            value: at as f64 * step,
            step_size: step,
        })
        .collect()
}

/// The smallest of 1, 2 and 5 times a power of ten that is not below `least`.
pub fn round_step(least: f64) -> f64 {
    let power = 10_f64.powf(least.log10().floor());
    let steps = [1.0, 2.0, 5.0, 10.0].map(|digit| digit * power);
    steps
        .into_iter()
        .find(|step| *step >= least * (1.0 - 1e-9))
        .unwrap_or(least)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn marks_are_round_and_not_crowded() {
        // 400 points show 0 to 100: a grid line each 8 points is a step of 2.
        let input = GridInput {
            bounds: (-3.0, 100.0),
            base_step_size: 2.0,
        };
        let values: Vec<f64> = round_marks(&input, 56.0, 0.0).iter().map(|mark| mark.value).collect();
        assert_eq!(values, [0.0, 20.0, 40.0, 60.0, 80.0, 100.0]);
        // Three chunks: no mark between two of them.
        let few = GridInput {
            bounds: (-0.1, 3.1),
            base_step_size: 0.06,
        };
        let values = |least| -> Vec<f64> { round_marks(&few, 56.0, least).iter().map(|mark| mark.value).collect() };
        assert_eq!(values(0.0).len(), 7);
        assert_eq!(values(1.0), [0.0, 1.0, 2.0, 3.0]);
        assert_eq!(round_step(0.03), 0.05);
        assert_eq!(round_step(10.0), 10.0);
        assert!(round_step(f64::NAN).is_nan());
    }

    #[test]
    fn a_range_without_size_has_no_marks() {
        let input = GridInput {
            bounds: (f64::NAN, f64::NAN),
            base_step_size: 0.0,
        };
        assert!(round_marks(&input, 56.0, 1.0).is_empty());
    }
}
