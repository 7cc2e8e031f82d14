//! Histograms of cosines over training: one ridge a probe step, the newest in front.

use egui::{Color32, Id, Sense, Stroke, pos2};

use super::frame::ChartFrame;
use super::scale::tick;
use super::table::Table;
use crate::collapse::Histogram;
use crate::ui::theme::{self, Dash, Sign, Theme};

/// Most ridges that fit.
const RIDGES: usize = 24;

/// The distribution of cosines at every probe step.
pub struct RidgeChart<'a> {
    /// Unique in the workbench.
    pub id: Id,
    /// Whose cosines these are.
    pub title: &'a str,
    /// Step and histogram, by ascending step.
    pub histograms: &'a [(usize, &'a Histogram)],
    /// Colour of the ridges.
    pub sign: Sign,
    /// Lowest and highest cosine shown.
    pub range: (f64, f64),
    /// The step that is looked at.
    pub step: usize,
    /// Points.
    pub height: f32,
}

impl RidgeChart<'_> {
    /// Draws the ridges and answers with the step that was clicked.
    pub fn show(self, ui: &mut egui::Ui) -> Option<usize> {
        let every = self.histograms.len().div_ceil(RIDGES).max(1);
        // Counted from the newest, so that it is always there.
        let mut shown: Vec<(usize, &Histogram)> = self.histograms.iter().rev().step_by(every).copied().collect();
        shown.reverse();
        let frame = ChartFrame {
            id: self.id,
            title: self.title,
            kind: "histogram over steps",
            note: match every {
                1 => "each scaled to its own peak, oldest step at the back".into(),
                n => format!("every {n}th probe, each scaled to its own peak, oldest at the back"),
            },
            summary: format!("{}: {} steps", self.title, shown.len()),
            height: self.height,
            empty: shown.is_empty().then_some("Nothing has been probed yet."),
        };
        frame
            .show(ui, || self.table(), |ui, height| self.body(ui, height, &shown))
            .flatten()
    }

    fn table(&self) -> Table {
        let mut table = Table::new(["step", "mean cosine", "5%", "25%", "50%", "75%", "95%"]);
        table.rows = self
            .histograms
            .iter()
            .map(|(step, histogram)| {
                let numbers = std::iter::once(histogram.mean).chain(histogram.quantiles);
                std::iter::once(step.to_string())
                    .chain(numbers.map(|value| format!("{value:.4}")))
                    .collect()
            })
            .collect();
        table
    }

    fn body(&self, ui: &mut egui::Ui, height: f32, shown: &[(usize, &Histogram)]) -> Option<usize> {
        let theme = Theme::of(ui);
        let (area, response) = ui.allocate_exact_size(egui::vec2(ui.available_width(), height), Sense::click());
        let plot = area
            .with_min_x(area.left() + 44.0)
            .with_max_x(area.right() - 8.0)
            .with_max_y(area.bottom() - 18.0);
        let (low, high) = self.range;
        let across = |x: f64| egui::remap(x as f32, low as f32..=high as f32, plot.x_range());
        let font = egui::FontId::proportional(theme::SMALL);
        for tenth in (-10..=10).step_by(2).map(|tenth| f64::from(tenth) / 10.0) {
            if (low..=high).contains(&tenth) {
                let x = across(tenth);
                ui.painter().vline(x, plot.y_range(), Stroke::new(1.0, theme.line));
                let at = pos2(x, plot.bottom() + 3.0);
                ui.painter()
                    .text(at, egui::Align2::CENTER_TOP, tick(tenth), font.clone(), theme.weak);
            }
        }
        let reach = plot.height() * 0.3;
        let gap = (plot.height() - reach) / (shown.len() as f32 - 1.0).max(1.0);
        let base = |place: usize| plot.top() + reach + gap * place as f32;
        let chosen = shown.iter().position(|(step, _)| *step == self.step).map(base);
        let mut labelled = f32::NEG_INFINITY;
        for (place, (step, histogram)) in shown.iter().enumerate() {
            let base = base(place);
            let current = *step == self.step;
            self.ridge(ui, histogram, base, reach, &across, current);
            // The step that is looked at has its label, others where there is room.
            let free = base - labelled > 15.0 && chosen.is_none_or(|chosen| (chosen - base).abs() > 15.0);
            if free || current {
                let color = if current { theme.strong } else { theme.weak };
                let at = pos2(plot.left() - 8.0, base);
                ui.painter()
                    .text(at, egui::Align2::RIGHT_BOTTOM, step.to_string(), font.clone(), color);
                labelled = base;
            }
        }
        let hovered = response.hover_pos().and_then(|at| {
            let place = ((at.y - plot.top() - reach) / gap).round().max(0.0) as usize;
            shown.get(place.min(shown.len() - 1)).copied()
        });
        if let Some((step, histogram)) = hovered {
            response.clone().on_hover_text_at_pointer(format!(
                "step {step}: mean cosine {:.3}\nclick: look at this step",
                histogram.mean
            ));
        }
        hovered.map(|(step, _)| step).filter(|_| response.clicked())
    }

    fn ridge(
        &self,
        ui: &egui::Ui,
        histogram: &Histogram,
        base: f32,
        reach: f32,
        across: &impl Fn(f64) -> f32,
        current: bool,
    ) {
        let theme = Theme::of(ui);
        let tallest = histogram.counts.iter().copied().max().unwrap_or(1).max(1) as f32;
        let width = (histogram.high - histogram.low) / histogram.counts.len().max(1) as f64;
        let (low, high) = self.range;
        let points: Vec<egui::Pos2> = histogram
            .counts
            .iter()
            .enumerate()
            .map(|(bin, count)| (histogram.low + (bin as f64 + 0.5) * width, *count))
            .filter(|(x, _)| (low..=high).contains(x))
            .map(|(x, count)| pos2(across(x), base - count as f32 / tallest * reach))
            .collect();
        let fill = if current {
            self.sign.color.gamma_multiply(0.35)
        } else {
            Color32::TRANSPARENT
        };
        let mut mesh = egui::Mesh::default();
        for pair in points.windows(2) {
            if let [a, b] = pair {
                // What lies behind is covered first, so that ridges overlap like hills.
                for color in [theme.background, fill] {
                    let at = mesh.vertices.len() as u32;
                    for corner in [*a, *b, pos2(b.x, base), pos2(a.x, base)] {
                        mesh.colored_vertex(corner, color);
                    }
                    mesh.add_triangle(at, at + 1, at + 2);
                    mesh.add_triangle(at, at + 2, at + 3);
                }
            }
        }
        ui.painter().add(mesh);
        let (width, color) = if current {
            (theme::STRONG_LINE, self.sign.color)
        } else {
            (1.0, self.sign.color.gamma_multiply(0.6))
        };
        ui.painter()
            .extend(Dash::Solid.shapes(&points, Stroke::new(width, color)));
    }
}
