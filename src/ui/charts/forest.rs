//! Forest plots: one row a mean, with its 95% interval as a line, around a zero that means no difference.

use egui::{Align2, FontId, Rect, RichText, Sense, Stroke, Ui, pos2, vec2};

use super::axes::round_step;
use super::frame::ChartFrame;
use super::scale::tick;
use super::table::Table;
use crate::evaluation::Interval;
use crate::ui::format::{fixed, signed};
use crate::ui::theme::{self, Sign, Theme};

/// Height of a row, points.
const ROW: f32 = 20.0;
/// Height of the axis with its label, points.
const AXIS: f32 = 40.0;
/// Room of the numbers beside the plot, points.
const NUMBERS: f32 = 180.0;
/// Points between two ticks, at least.
const TICKS: f64 = 64.0;

/// One row.
#[derive(Clone, Debug)]
pub struct ForestRow {
    /// What was measured.
    pub label: String,
    /// Colour, dash of the interval, and the mark before the label.
    pub sign: Sign,
    /// What is compared rather than claimed: drawn with an empty mark.
    pub control: bool,
    /// Mean and interval in the unit of the axis; none makes the row a heading.
    pub interval: Option<Interval>,
    /// How it was made, for the tooltip.
    pub made: String,
}

/// A chart of rows.
pub struct ForestChart<'a> {
    /// Unique in the workbench.
    pub id: egui::Id,
    /// What is shown.
    pub title: &'a str,
    /// What must be known to read it.
    pub note: String,
    /// What x is, with its unit.
    pub x_label: &'a str,
    /// From top to bottom.
    pub rows: &'a [ForestRow],
    /// The line that rows are held against; none when there is none.
    pub zero: Option<f64>,
    /// More is better; none when neither is.
    pub higher_is_better: Option<bool>,
    /// Decimals of the numbers.
    pub decimals: usize,
    /// Points.
    pub height: f32,
    /// What would be here and what brings it.
    pub empty: &'a str,
}

impl ForestChart<'_> {
    /// Draws the chart.
    pub fn show(self, ui: &mut Ui) {
        let nothing = self.rows.iter().all(|row| row.interval.is_none());
        let frame = ChartFrame {
            id: self.id,
            title: self.title,
            kind: "",
            note: self.note.clone(),
            summary: self.summary(),
            height: self.height,
            empty: nothing.then_some(self.empty),
        };
        frame.show(ui, || self.table(), |ui, height| self.body(ui, height));
    }

    fn summary(&self) -> String {
        let mut heading = "";
        let mut parts = vec![self.title.to_owned()];
        for row in self.rows {
            match row.interval {
                None => heading = &row.label,
                Some(interval) => {
                    parts.push(
                        format!("{heading} {} {}", row.label, self.text(interval))
                            .trim()
                            .to_owned(),
                    );
                }
            }
        }
        parts.join(", ")
    }

    fn table(&self) -> Table {
        let mut table = Table::new(["group", "row", self.x_label, "95% low", "95% high"]);
        let mut heading = String::new();
        for row in self.rows {
            match row.interval {
                None => heading.clone_from(&row.label),
                Some(Interval { mean, low, high }) => {
                    let numbers = [mean, low, high].map(|number| number.to_string());
                    let texts = [heading.clone(), row.label.clone()];
                    table.rows.push(texts.into_iter().chain(numbers).collect());
                }
            }
        }
        table
    }

    /// `+3.1 [0.2, 6.0]`; a number held against zero carries its sign.
    fn text(&self, interval: Interval) -> String {
        let decimals = self.decimals;
        let [mean, low, high] = [interval.mean, interval.low, interval.high].map(|number| match self.zero {
            Some(_) => signed(number, decimals),
            None => fixed(number, decimals),
        });
        format!("{mean} [{low}, {high}]")
    }

    fn body(&self, ui: &mut Ui, height: f32) {
        let (low, high) = self.range();
        let font = FontId::proportional(theme::SMALL);
        let widest = self.rows.iter().map(|row| {
            let text = ui
                .painter()
                .layout_no_wrap(row.label.clone(), font.clone(), Theme::of(ui).text);
            text.size().x
        });
        let labels = widest.fold(60.0, f32::max).min(ui.available_width() * 0.32) + 34.0;
        let needed = self.rows.len() as f32 * ROW;
        egui::ScrollArea::vertical()
            .id_salt(self.id)
            .auto_shrink([false, true])
            .max_height((height - AXIS).min(needed).max(ROW))
            .show_rows(ui, ROW, self.rows.len(), |ui, range| {
                ui.spacing_mut().item_spacing.y = 0.0;
                for row in self.rows.get(range).unwrap_or_default() {
                    self.row_ui(ui, row, labels, (low, high));
                }
            });
        self.axis_ui(ui, labels, (low, high));
    }

    /// The x axis: every interval, and the zero.
    fn range(&self) -> (f64, f64) {
        let ends = self.rows.iter().filter_map(|row| row.interval);
        let ends = ends.flat_map(|interval| [interval.mean, interval.low, interval.high]);
        let (low, high) = ends
            .chain(self.zero)
            .filter(|end| end.is_finite())
            .fold((f64::INFINITY, f64::NEG_INFINITY), |(low, high), end| {
                (low.min(end), high.max(end))
            });
        let margin = ((high - low) * 0.05).max(1e-6);
        if low <= high {
            (low - margin, high + margin)
        } else {
            (0.0, 1.0)
        }
    }

    fn row_ui(&self, ui: &mut Ui, row: &ForestRow, labels: f32, range: (f64, f64)) {
        let theme = Theme::of(ui);
        let (rect, response) = ui.allocate_exact_size(vec2(ui.available_width(), ROW), Sense::hover());
        let plot = plot_rect(rect, labels);
        let y = rect.center().y;
        let (ink, family) = match row.interval {
            None => (theme.strong, theme::semibold()),
            Some(_) => (theme.text, egui::FontFamily::Proportional),
        };
        let mark_at = pos2(rect.left() + if row.interval.is_some() { 16.0 } else { 6.0 }, y);
        let font = FontId::proportional(theme::SMALL);
        ui.painter()
            .text(mark_at, Align2::CENTER_CENTER, row.sign.mark, font, row.sign.color);
        let left = mark_at.x + 9.0;
        let mut job =
            egui::text::LayoutJob::simple_singleline(row.label.clone(), FontId::new(theme::SMALL, family), ink);
        // A heading has the row for itself.
        let room = if row.interval.is_some() {
            plot.left()
        } else {
            rect.right()
        } - left
            - 4.0;
        job.wrap = egui::text::TextWrapping::truncate_at_width(room);
        let text = ui.painter().layout_job(job);
        ui.painter().galley(pos2(left, y - text.size().y / 2.0), text, ink);
        let Some(interval) = row.interval else {
            response.on_hover_text(format!("{}\n{}", row.label, row.made));
            return;
        };
        if let Some(zero) = self.zero {
            let x = place(plot, range, zero);
            ui.painter().vline(x, rect.y_range(), Stroke::new(1.0, theme.weak));
        }
        let [mean, low, high] = [interval.mean, interval.low, interval.high].map(|at| place(plot, range, at));
        let stroke = Stroke::new(theme::THIN_LINE, row.sign.color);
        ui.painter()
            .extend(row.sign.dash.shapes(&[pos2(low, y), pos2(high, y)], stroke));
        for end in [low, high] {
            ui.painter().vline(end, egui::Rangef::new(y - 4.0, y + 4.0), stroke);
        }
        if row.control {
            ui.painter().circle(pos2(mean, y), 4.0, theme.background, stroke);
        } else {
            ui.painter().circle_filled(pos2(mean, y), 4.0, row.sign.color);
        }
        let (verdict, color) = self.verdict(theme, interval);
        let text = self.text(interval);
        let at = pos2(plot.right() + 14.0, y);
        ui.painter().text(
            at,
            Align2::LEFT_CENTER,
            format!("{text}{verdict}"),
            FontId::monospace(theme::SMALL),
            color,
        );
        response.on_hover_ui(|ui| {
            ui.label(RichText::new(format!("{} {}", row.sign.mark, row.label)).color(row.sign.color));
            ui.label(format!("{text} {}", self.x_label));
            ui.label(RichText::new(&row.made).color(theme.weak));
        });
    }

    /// An interval that holds zero is no difference, whatever its mean.
    fn verdict(&self, theme: &Theme, interval: Interval) -> (&'static str, egui::Color32) {
        let (Some(zero), Some(higher)) = (self.zero, self.higher_is_better) else {
            return ("", theme.text);
        };
        let (above, below) = (interval.low > zero, interval.high < zero);
        match (above && higher || below && !higher, above || below) {
            (true, _) => (" ✓", theme.good),
            (false, true) => (" ▲", theme.alarm),
            _ => ("", theme.text),
        }
    }

    fn axis_ui(&self, ui: &mut Ui, labels: f32, range: (f64, f64)) {
        let theme = Theme::of(ui);
        let (rect, _) = ui.allocate_exact_size(vec2(ui.available_width(), AXIS - 4.0), Sense::hover());
        let plot = plot_rect(rect, labels);
        let line = Stroke::new(1.0, theme.line);
        ui.painter().hline(plot.x_range(), rect.top() + 2.0, line);
        let step = round_step((range.1 - range.0) / f64::from(plot.width()).max(1.0) * TICKS);
        let (first, last) = ((range.0 / step).ceil(), (range.1 / step).floor());
        if first.is_finite() && last.is_finite() && last - first < 200.0 {
            for at in first as i64..=last as i64 {
                let value = at as f64 * step;
                let x = place(plot, range, value);
                ui.painter()
                    .vline(x, egui::Rangef::new(rect.top() + 2.0, rect.top() + 6.0), line);
                let font = FontId::proportional(theme::SMALL);
                ui.painter().text(
                    pos2(x, rect.top() + 7.0),
                    Align2::CENTER_TOP,
                    tick(value),
                    font,
                    theme.weak,
                );
            }
        }
        let font = FontId::proportional(theme::SMALL);
        let at = pos2(plot.center().x, rect.bottom());
        ui.painter()
            .text(at, Align2::CENTER_BOTTOM, self.x_label, font, theme.weak);
    }
}

/// The part of a row between label and numbers.
fn plot_rect(row: Rect, labels: f32) -> Rect {
    let left = row.left() + labels;
    let right = (row.right() - NUMBERS - 14.0).max(left + 40.0);
    Rect::from_x_y_ranges(left..=right, row.y_range())
}

fn place(plot: Rect, (low, high): (f64, f64), value: f64) -> f32 {
    let share = (value - low) / (high - low);
    plot.left() + plot.width() * share as f32
}

#[cfg(test)]
mod tests {
    use super::*;

    fn chart(rows: &[ForestRow]) -> ForestChart<'_> {
        ForestChart {
            id: egui::Id::unique("forest"),
            title: "exact match",
            note: String::new(),
            x_label: "percentage points",
            rows,
            zero: Some(0.0),
            higher_is_better: Some(true),
            decimals: 1,
            height: 100.0,
            empty: "",
        }
    }

    fn row(label: &str, interval: Option<[f64; 3]>) -> ForestRow {
        ForestRow {
            label: label.into(),
            sign: theme::LIGHT.run(0),
            control: false,
            interval: interval.map(|[mean, low, high]| Interval { mean, low, high }),
            made: String::new(),
        }
    }

    #[test]
    fn the_axis_holds_every_interval_and_the_zero() {
        let rows = [row("a", None), row("compressed", Some([3.0, 1.0, 5.0]))];
        let (low, high) = chart(&rows).range();
        assert!(low < 0.0 && low > -1.0 && high > 5.0 && high < 6.0);
        let (low, high) = chart(&[]).range();
        assert!(low < high);
    }

    #[test]
    fn the_table_names_the_group_and_the_summary_says_numbers() {
        let rows = [row("aligned", None), row("compressed", Some([3.0, -1.0, 5.0]))];
        let chart = chart(&rows);
        assert_eq!(
            chart.table().rows,
            [["aligned", "compressed", "3", "-1", "5"].map(str::to_owned).to_vec()]
        );
        assert_eq!(chart.summary(), "exact match, aligned compressed +3.0 [−1.0, +5.0]");
    }

    #[test]
    fn only_an_interval_without_zero_is_judged() {
        let chart = chart(&[]);
        let verdict = |low, high| chart.verdict(&theme::LIGHT, Interval { mean: 0.0, low, high }).0;
        assert_eq!(
            [verdict(-1.0, 1.0), verdict(0.5, 1.0), verdict(-1.0, -0.5)],
            ["", " ✓", " ▲"]
        );
    }
}
