//! What every chart as SVG has around and behind it: a figure, two axes, and the place of a value.

use egui_plot::GridInput;

use super::page::escaped;
use crate::ui::charts::{Scale, log_marks, round_step};

const WIDTH: f64 = 560.0;
const HEIGHT: f64 = 270.0;
/// Left, top, right and bottom of what is drawn into.
pub const FRAME: [f64; 4] = [58.0, 14.0, WIDTH - 14.0, HEIGHT - 42.0];

/// What stands around a chart.
pub struct Figure<'a> {
    /// What is shown.
    pub title: &'a str,
    /// Behind the title: unit, how it was made; may be empty.
    pub note: &'a str,
    /// For those who do not see it.
    pub summary: &'a str,
}

impl Figure<'_> {
    /// The figure, with what is drawn and the keys of its legend.
    pub fn html(&self, drawn: &str, keys: &str) -> String {
        let note = match self.note {
            "" => String::new(),
            note => format!(" <small>{}</small>", escaped(note)),
        };
        let keys = match keys {
            "" => String::new(),
            keys => format!("\n<div class=\"keys\">{keys}</div>"),
        };
        format!(
            "<figure><figcaption>{}{note}</figcaption>\n\
             <svg viewBox=\"0 0 {WIDTH} {HEIGHT}\" role=\"img\" aria-label=\"{}\">\n{drawn}</svg>{keys}</figure>",
            escaped(self.title),
            escaped(self.summary)
        )
    }
}

/// What lies where. Values have heights by a scale, along x as well as along y.
pub struct View {
    /// How values of x become heights.
    pub scale: Scale,
    /// Lowest and highest of x, as heights.
    pub across: [f64; 2],
    /// The same of y, whose scale its chart knows.
    pub up: [f64; 2],
}

impl View {
    /// The place of a value of x; of one that has no height, the left border.
    pub fn x(&self, value: f64) -> f64 {
        self.along(self.scale.height(value).unwrap_or(self.across[0]))
    }

    fn along(&self, height: f64) -> f64 {
        let [left, _, right, _] = FRAME;
        left + (height - self.across[0]) / (self.across[1] - self.across[0]) * (right - left)
    }

    /// The place of a height.
    pub fn y(&self, height: f64) -> f64 {
        let [_, top, _, bottom] = FRAME;
        bottom - (height - self.up[0]) / (self.up[1] - self.up[0]) * (bottom - top)
    }

    /// A grid with its numbers, and the name of x beneath; `scale` is that of y.
    pub fn axes(&self, scale: Scale, x_label: &str) -> String {
        let mut svg = String::new();
        let [left, top, right, bottom] = FRAME;
        for height in marks(scale, self.up, 5.0) {
            let y = self.y(height);
            svg.push_str(&format!(
                "<line x1=\"{left}\" y1=\"{y:.1}\" x2=\"{right}\" y2=\"{y:.1}\" style=\"stroke:var(--line)\"/>\
                 <text x=\"{:.1}\" y=\"{:.1}\" text-anchor=\"end\">{}</text>\n",
                left - 6.0,
                y + 4.0,
                scale.tick(height)
            ));
        }
        for height in marks(self.scale, self.across, 6.0) {
            let x = self.along(height);
            svg.push_str(&format!(
                "<line x1=\"{x:.1}\" y1=\"{top}\" x2=\"{x:.1}\" y2=\"{bottom}\" style=\"stroke:var(--line)\"/>\
                 <text x=\"{x:.1}\" y=\"{:.1}\" text-anchor=\"middle\">{}</text>\n",
                bottom + 16.0,
                self.scale.tick(height)
            ));
        }
        svg.push_str(&format!(
            "<text x=\"{:.1}\" y=\"{:.1}\" text-anchor=\"middle\">{}</text>\n",
            (left + right) / 2.0,
            HEIGHT - 6.0,
            escaped(x_label)
        ));
        svg
    }
}

/// Heights of grid lines in a range, about so many on a linear axis.
fn marks(scale: Scale, [low, high]: [f64; 2], about: f64) -> Vec<f64> {
    match scale {
        Scale::Linear => round_marks([low, high], about),
        Scale::Log => {
            let input = GridInput {
                bounds: (low, high),
                base_step_size: 1.0,
            };
            log_marks(input).iter().map(|mark| mark.value).collect()
        }
    }
}

/// Round numbers in a range, about so many.
fn round_marks([low, high]: [f64; 2], about: f64) -> Vec<f64> {
    let step = round_step((high - low) / about);
    let (first, last) = ((low / step).ceil(), (high / step).floor());
    if !(first.is_finite() && last.is_finite() && last - first < 100.0) {
        return Vec::new();
    }
    (first as i64..=last as i64).map(|at| at as f64 * step).collect()
}
