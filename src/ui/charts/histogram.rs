//! Histograms of cosines beside each other on the same axes: the picture of the paper's figure 2.

use egui::{Id, Sense, Stroke};
use egui_plot::{Bar, BarChart};

use super::axes::{plot, small};
use super::curve::Curve;
use super::frame::ChartFrame;
use super::keys::{arrows, moved};
use super::scale::Scale;
use super::table::Table;
use crate::collapse::Histogram;
use crate::ui::format::{fixed, grouped, number};
use crate::ui::theme::{self, Dash, Sign, Theme};

/// The axes that histograms share.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Axes {
    /// Lowest value shown.
    pub low: f64,
    /// Highest value shown.
    pub high: f64,
    /// Highest share of pairs in a bin, 0 to 1.
    pub tallest: f64,
}

impl Axes {
    /// Axes that hold every bin that is not empty.
    pub fn around<'a>(histograms: impl Iterator<Item = &'a Histogram>) -> Self {
        let mut axes = Self {
            low: 0.0,
            high: 1.0,
            tallest: 0.0,
        };
        for histogram in histograms {
            let pairs = pairs(histogram);
            for (bin, count) in histogram.counts.iter().enumerate().filter(|(_, count)| **count > 0) {
                let (low, high) = edges(histogram, bin);
                axes.low = axes.low.min(low);
                axes.high = axes.high.max(high);
                axes.tallest = axes.tallest.max(*count as f64 / pairs);
            }
        }
        axes
    }
}

/// One histogram.
pub struct HistogramChart<'a> {
    /// Unique in the workbench.
    pub id: Id,
    /// Whose cosines these are.
    pub title: &'a str,
    /// Counts, mean and quantiles.
    pub histogram: &'a Histogram,
    /// Colour of the bars.
    pub sign: Sign,
    /// Drawn as an outline: what it is, and its counts.
    pub reference: Option<(&'a str, &'a Histogram)>,
    /// Shared with the histograms beside it.
    pub axes: Axes,
    /// The bin that is selected.
    pub selected: Option<usize>,
    /// Points.
    pub height: f32,
}

impl HistogramChart<'_> {
    /// Draws the histogram and answers with the bin that was clicked or that the arrow keys went to.
    pub fn show(self, ui: &mut egui::Ui) -> Option<usize> {
        let [low, .., high] = self.histogram.quantiles;
        let mean = self.histogram.mean;
        let frame = ChartFrame {
            id: self.id,
            title: self.title,
            kind: "cosine histogram",
            note: self.note(),
            summary: format!(
                "{}: mean cosine {mean:.3}, 90% of pairs between {low:.3} and {high:.3}",
                self.title
            ),
            height: self.height,
            empty: None,
        };
        frame
            .show(ui, || self.table(), |ui, height| self.body(ui, height))
            .flatten()
    }

    /// Mean, quantiles and number of pairs; read whole on hover where it does not fit.
    fn note(&self) -> String {
        let Histogram { mean, quantiles, .. } = self.histogram;
        let [q05, q25, q50, q75, q95] = quantiles.map(|value| fixed(value, 2));
        let pairs = grouped(self.histogram.counts.iter().sum::<usize>() as i64);
        let outline = self.reference.map_or_else(String::new, |(name, histogram)| {
            format!(" · outline: {name}, mean {}", fixed(histogram.mean, 2))
        });
        let mean = fixed(*mean, 2);
        format!("mean {mean}, quartiles {q25}, {q50}, {q75}, 90% in {q05} to {q95}, {pairs} pairs{outline}")
    }

    fn table(&self) -> Table {
        let mut table = Table::new(["cosine from", "to", "pairs"]);
        table
            .columns
            .extend(self.reference.map(|(name, _)| format!("pairs, {name}")));
        table.rows = (0..self.histogram.counts.len())
            .map(|bin| {
                let (low, high) = edges(self.histogram, bin);
                let count = |of: &Histogram| of.counts.get(bin).copied().unwrap_or_default().to_string();
                let mut row = vec![format!("{low:.3}"), format!("{high:.3}"), count(self.histogram)];
                row.extend(self.reference.map(|(_, histogram)| count(histogram)));
                row
            })
            .collect();
        table
    }

    fn body(&self, ui: &mut egui::Ui, height: f32) -> Option<usize> {
        let theme = Theme::of(ui);
        let top = (self.axes.tallest * 100.0).max(1.0);
        // Room below the zero line for the strip of quantiles.
        let floor = -0.09 * top;
        let labels = ["cosine of two chunks", "pairs, %"];
        let plot = plot(self.id.with("plot"), height, theme, labels, Scale::Linear, false)
            .allow_drag(false)
            .allow_zoom(false)
            .allow_boxed_zoom(false)
            .allow_axis_zoom_drag(false)
            .allow_double_click_reset(false)
            .sense(Sense::click())
            .auto_bounds(false);
        let response = plot.show(ui, |plot| {
            plot.set_plot_bounds_x(self.axes.low - 0.01..=self.axes.high + 0.03);
            plot.set_plot_bounds_y(floor * 1.6..=top * 1.06);
            plot.bar_chart(self.bars(theme));
            if let Some((_, histogram)) = self.reference {
                let stroke = Stroke::new(theme::THIN_LINE, theme.cursor);
                plot.add(Curve::new("", outline(histogram), stroke, Dash::Dotted));
            }
            for (points, width) in self.quantile_strip(floor * 0.8) {
                let stroke = Stroke::new(width, self.sign.color);
                plot.add(Curve::new("", points, stroke, Dash::Solid));
            }
            let mean = self.histogram.mean;
            let stroke = Stroke::new(theme::THIN_LINE, theme.strong);
            plot.add(Curve::new(
                "",
                [[mean, floor], [mean, top * 1.03]],
                stroke,
                Dash::Dashed,
            ));
            plot.pointer_coordinate()
        });
        let bin = response
            .inner
            .filter(|_| response.response.hovered())
            .and_then(|at| self.bin_at(at.x));
        if let Some(bin) = bin {
            response
                .response
                .clone()
                .on_hover_ui_at_pointer(|ui| self.tooltip(ui, bin));
        }
        let walked = arrows(ui, &response.response).and_then(|(across, _)| self.walked(across));
        walked.or(bin.filter(|_| response.response.clicked()))
    }

    /// The bin with pairs in it that lies beside the selected one; the first one when none is selected.
    fn walked(&self, across: isize) -> Option<usize> {
        let counts = self.histogram.counts.iter().enumerate();
        let filled: Vec<usize> = counts.filter(|(_, count)| **count > 0).map(|(bin, _)| bin).collect();
        let from = self
            .selected
            .and_then(|bin| filled.iter().position(|other| *other == bin));
        let place = from.map_or(0, |place| moved(place, across, filled.len()));
        filled.get(place).copied()
    }

    fn bars(&self, theme: &Theme) -> BarChart {
        let pairs = pairs(self.histogram);
        let bars = self
            .histogram
            .counts
            .iter()
            .enumerate()
            .filter(|(_, count)| **count > 0);
        let bars = bars.map(|(bin, count)| {
            let (low, high) = edges(self.histogram, bin);
            let chosen = self.selected == Some(bin);
            let fill = if chosen {
                theme.strong
            } else {
                self.sign.color.gamma_multiply(0.75)
            };
            Bar::new((low + high) / 2.0, *count as f64 / pairs * 100.0)
                .width((high - low) * 0.92)
                .fill(fill)
                .stroke(Stroke::NONE)
        });
        BarChart::new("", bars.collect())
            .color(self.sign.color)
            .allow_hover(false)
    }

    /// A thin line from the 5% to the 95% quantile and a thick one over the middle half.
    fn quantile_strip(&self, y: f64) -> [([[f64; 2]; 2], f32); 2] {
        let [q05, q25, _, q75, q95] = self.histogram.quantiles;
        [([[q05, y], [q95, y]], 1.2), ([[q25, y], [q75, y]], 4.0)]
    }

    fn bin_at(&self, x: f64) -> Option<usize> {
        (0..self.histogram.counts.len()).find(|bin| {
            let (low, high) = edges(self.histogram, *bin);
            (low..high).contains(&x)
        })
    }

    fn tooltip(&self, ui: &mut egui::Ui, bin: usize) {
        let (low, high) = edges(self.histogram, bin);
        let count = self.histogram.counts.get(bin).copied().unwrap_or_default();
        let share = count as f64 / pairs(self.histogram) * 100.0;
        ui.label(theme::caption(format!(
            "cosine {} to {}",
            fixed(low, 2),
            fixed(high, 2)
        )));
        ui.label(format!("{} pairs, {}%", grouped(count as i64), number(share)));
        if let Some((name, histogram)) = self.reference {
            let before = histogram.counts.get(bin).copied().unwrap_or_default();
            ui.label(format!("{name}: {} pairs", grouped(before as i64)));
        }
        let quantiles = self.histogram.quantiles.map(|value| fixed(value, 2)).join(", ");
        let theme = Theme::of(ui);
        ui.label(small(&format!("quantiles 5, 25, 50, 75, 95%: {quantiles}"), theme.weak));
        ui.label(small("click: show these pairs", theme.weak));
    }
}

/// Lower and upper end of a bin.
pub fn edges(histogram: &Histogram, bin: usize) -> (f64, f64) {
    let width = (histogram.high - histogram.low) / histogram.counts.len().max(1) as f64;
    let low = histogram.low + bin as f64 * width;
    (low, low + width)
}

/// The upper edge of the bars, as a line with steps.
fn outline(histogram: &Histogram) -> Vec<[f64; 2]> {
    let pairs = pairs(histogram);
    let bins = histogram.counts.iter().enumerate();
    bins.flat_map(|(bin, count)| {
        let (low, high) = edges(histogram, bin);
        let height = *count as f64 / pairs * 100.0;
        [[low, height], [high, height]]
    })
    .collect()
}

fn pairs(histogram: &Histogram) -> f64 {
    histogram.counts.iter().sum::<usize>().max(1) as f64
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn axes_hold_every_pair() {
        let histogram = |counts: &[usize]| Histogram {
            low: -1.0,
            high: 1.0,
            counts: counts.to_vec(),
            mean: 0.0,
            quantiles: [0.0; 5],
        };
        let (a, b) = (histogram(&[0, 1, 1, 2]), histogram(&[0, 0, 3, 1]));
        let axes = Axes::around([&a, &b].into_iter());
        assert_eq!((axes.low, axes.high, axes.tallest), (-0.5, 1.0, 0.75));
        assert_eq!(edges(&a, 3), (0.5, 1.0));
    }
}
