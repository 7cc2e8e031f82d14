//! Strips: one row a set of values, every value a dot, with its 5, 50 and 95% quantiles.

use egui::{Align2, FontId, Id, Rect, Role, Sense, Stroke, WidgetInfo, pos2, vec2};

use super::axes::round_step;
use super::frame::ChartFrame;
use super::scale::tick;
use super::table::Table;
use crate::ui::format::number;
use crate::ui::theme::{self, Sign, Theme};

/// Room for the axis below, points.
const AXIS: f32 = 36.0;
/// Room for the names, points.
const NAMES: f32 = 170.0;

/// One set of values.
pub struct Strip<'a> {
    /// What they are.
    pub name: String,
    /// How they are drawn.
    pub sign: Sign,
    /// The values; may be empty where only quantiles are known.
    pub values: &'a [f32],
    /// 5, 50 and 95%.
    pub quantiles: [f64; 3],
}

/// Sets of values on one axis that begins at 0.
pub struct StripChart<'a> {
    /// Unique in the workbench.
    pub id: Id,
    /// What is shown.
    pub title: &'a str,
    /// What must be known to read it.
    pub note: String,
    /// What a value is, with its unit.
    pub x_label: &'a str,
    /// From top to bottom.
    pub strips: &'a [Strip<'a>],
    /// The range that others are held against: shaded.
    pub range: [f64; 2],
    /// The axis ends here at least.
    pub reach: f64,
    /// Points.
    pub height: f32,
}

impl StripChart<'_> {
    /// Draws the strips.
    pub fn show(self, ui: &mut egui::Ui) {
        let told = self
            .strips
            .iter()
            .map(|strip| format!("{}: {}", strip.name, quantiles(strip)));
        let frame = ChartFrame {
            id: self.id,
            title: self.title,
            kind: "",
            note: self.note.clone(),
            summary: format!("{}. {}", self.title, told.collect::<Vec<_>>().join("; ")),
            height: self.height,
            empty: None,
        };
        frame.show(ui, || self.table(), |ui, height| self.body(ui, height));
    }

    fn table(&self) -> Table {
        let mut table = Table::new(["set", "what", "value"]);
        for strip in self.strips {
            let named = ["5%", "50%", "95%"]
                .iter()
                .map(|name| (*name).to_owned())
                .zip(strip.quantiles);
            let values = strip
                .values
                .iter()
                .enumerate()
                .map(|(at, value)| (at.to_string(), f64::from(*value)));
            for (what, value) in named.chain(values) {
                table.rows.push(vec![strip.name.clone(), what, value.to_string()]);
            }
        }
        table
    }

    fn body(&self, ui: &mut egui::Ui, height: f32) {
        let theme = Theme::of(ui);
        let (area, response) = ui.allocate_exact_size(vec2(ui.available_width(), height), Sense::hover());
        response.widget_info(|| WidgetInfo::labeled(Role::Label, true, self.title));
        let plot = Rect::from_min_max(area.min + vec2(NAMES, 4.0), area.max - vec2(14.0, AXIS));
        let values = self
            .strips
            .iter()
            .flat_map(|strip| strip.values.iter().map(|value| f64::from(*value)));
        let top = values.chain(self.strips.iter().map(|strip| strip.quantiles[2]));
        let high = top
            .filter(|value| value.is_finite())
            .fold(self.reach, f64::max)
            .max(1e-6)
            * 1.04;
        let across = |value: f64| egui::remap(value as f32, 0.0..=high as f32, plot.x_range());
        let painter = ui.painter();
        let shaded = self.range.map(across);
        let band = Rect::from_x_y_ranges(shaded[0]..=shaded[1], plot.y_range());
        painter.rect_filled(band, 0.0, theme.line.gamma_multiply(0.45));
        let font = FontId::proportional(theme::SMALL);
        let step = round_step(high / f64::from(plot.width().max(1.0)) * 64.0);
        for at in (0..=40).map(|at| f64::from(at) * step).take_while(|at| *at <= high) {
            painter.vline(across(at), plot.y_range(), Stroke::new(1.0, theme.line));
            let place = pos2(across(at), plot.bottom() + 3.0);
            painter.text(place, Align2::CENTER_TOP, tick(at), font.clone(), theme.weak);
        }
        let place = pos2(plot.center().x, plot.bottom() + 18.0);
        painter.text(place, Align2::CENTER_TOP, self.x_label, font.clone(), theme.weak);
        let row = plot.height() / self.strips.len().max(1) as f32;
        for (at, strip) in self.strips.iter().enumerate() {
            let y = plot.top() + (at as f32 + 0.5) * row;
            for (at, value) in strip.values.iter().enumerate() {
                // Spread by the golden ratio: even, and the same in every frame.
                let spread = (at as f32 * 0.618).fract() - 0.5;
                let point = pos2(across(f64::from(*value)), y + spread * row * 0.55);
                painter.circle_filled(point, 1.5, strip.sign.color.gamma_multiply(0.5));
            }
            let [low, middle, high] = strip.quantiles.map(across);
            for (outer, ink) in [(2.0, theme.background), (0.0, theme.strong)] {
                let line = Stroke::new(2.0 + outer, ink);
                painter.line_segment([pos2(low, y), pos2(high, y)], line);
                for (x, half) in [(low, 5.0), (middle, 9.0), (high, 5.0)] {
                    painter.line_segment([pos2(x, y - half), pos2(x, y + half)], line);
                }
            }
            let left = pos2(area.left(), y);
            let name = format!("{} {}", strip.sign.mark, strip.name);
            painter.text(left, Align2::LEFT_BOTTOM, name, font.clone(), strip.sign.color);
            painter.text(
                left + vec2(0.0, 2.0),
                Align2::LEFT_TOP,
                quantiles(strip),
                font.clone(),
                theme.weak,
            );
        }
        response.on_hover_ui_at_pointer(|ui| {
            for strip in self.strips {
                ui.label(theme::caption(&strip.name).color(strip.sign.color));
                ui.label(format!("{}, {} values", quantiles(strip), strip.values.len()));
            }
        });
    }
}

fn quantiles(strip: &Strip<'_>) -> String {
    let [low, middle, high] = strip.quantiles.map(number);
    format!("median {middle}, 90% {low} to {high}")
}
