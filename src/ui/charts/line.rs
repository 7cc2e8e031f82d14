//! Line charts: raw points faint, smoothed curve strong, intervals as bands, events as flags, one step cursor for all charts.

use std::collections::{BTreeMap, BTreeSet};

use egui::{Color32, Id, Stroke, Vec2b, pos2};
use egui_plot::{PlotMemory, PlotTransform};

use super::axes::{plot, small};
use super::frame::ChartFrame;
use super::legend::legend_ui;
use super::line_draw::{BUDGET, draw_series};
use super::local::local;
use super::scale::{Scale, tick};
use super::series::{Prepared, Series};
use super::table::Table;
use crate::ui::format::number;
use crate::ui::theme::{self, Theme};

/// Something that happened at an x: an alarm, a pause, a checkpoint.
#[derive(Clone, Debug)]
pub struct Flag {
    /// Where.
    pub x: f64,
    /// Of the flag.
    pub color: Color32,
    /// What happened.
    pub text: String,
}

/// A chart of curves over a common x.
pub struct LineChart<'a> {
    /// Unique in the workbench.
    pub id: Id,
    /// What is shown.
    pub title: &'a str,
    /// What x counts.
    pub x_label: &'a str,
    /// The unit of y; may be empty.
    pub unit: &'a str,
    /// The curves.
    pub series: &'a [Series],
    /// The largest x of the charts that this one stands among: the axis runs from 0 to it at least.
    pub last_x: f64,
    /// What happened along x.
    pub flags: &'a [Flag],
    /// Of the y axis.
    pub scale: Scale,
    /// The x that the pointer marks, in whatever chart it stands.
    pub cursor: Option<f64>,
    /// The x that was pinned by a click.
    pub pinned: Option<f64>,
    /// Points.
    pub height: f32,
    /// What would be here and what brings it.
    pub empty: &'a str,
    /// Charts of a group show the same range of x.
    pub group: Option<Id>,
}

/// What the pointer did in a chart.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Pointed {
    /// The x under the pointer.
    pub hovered: Option<f64>,
    /// The x that was clicked.
    pub clicked: Option<f64>,
}

/// In the order of the series.
type Cache = Vec<Prepared>;

impl LineChart<'_> {
    /// Draws the chart.
    pub fn show(self, ui: &mut egui::Ui) -> Pointed {
        let cache = local::<Cache>(ui.ctx(), self.id);
        let mut cache = cache.lock();
        cache.truncate(self.series.len());
        for (place, series) in self.series.iter().enumerate() {
            match cache.get_mut(place) {
                Some(kept) if kept.fits(series, self.scale) => {}
                Some(kept) => *kept = Prepared::new(series, self.scale),
                None => cache.push(Prepared::new(series, self.scale)),
            }
        }
        let view = self.view(ui);
        let nothing = self.series.iter().all(|series| series.points.is_empty());
        let frame = ChartFrame {
            id: self.id,
            title: self.title,
            kind: "",
            note: self.note(&cache, view),
            summary: self.summary(),
            height: self.height,
            empty: nothing.then_some(self.empty),
        };
        frame
            .show(ui, || self.table(), |ui, height| self.body(ui, height, &cache, view))
            .unwrap_or_default()
    }

    /// The range of x in view, if a person zoomed in.
    fn view(&self, ui: &egui::Ui) -> Option<(f64, f64)> {
        let memory = PlotMemory::load(ui.ctx(), self.id.with("plot"))?;
        let bounds = memory.bounds();
        (!memory.auto_bounds.x).then(|| (bounds.min()[0], bounds.max()[0]))
    }

    fn note(&self, cache: &[Prepared], view: Option<(f64, f64)>) -> String {
        let mut notes = Vec::new();
        if !self.unit.is_empty() {
            notes.push(self.unit.to_owned());
        }
        if cache.iter().any(|kept| kept.raw.slice(view, BUDGET).decimated) {
            notes.push("decimated, extremes kept".into());
        }
        let dropped: usize = cache.iter().map(|kept| kept.dropped).sum();
        match (self.scale, dropped) {
            (_, 0) => {}
            (Scale::Log, n) => notes.push(format!("{n} values ≤ 0 not shown")),
            (Scale::Linear, n) => notes.push(format!("{n} values not finite")),
        }
        notes.join(" · ")
    }

    fn summary(&self) -> String {
        let last = self.series.iter().filter_map(|series| {
            let [x, y] = series.points.last()?;
            Some(format!(
                "{} {} at {} {}",
                series.name,
                number(*y),
                self.x_label,
                tick(*x)
            ))
        });
        let parts: Vec<String> = std::iter::once(self.title.to_owned()).chain(last).collect();
        parts.join(", ")
    }

    fn table(&self) -> Table {
        let rows: BTreeMap<u64, f64> = self
            .series
            .iter()
            .flat_map(|series| series.points.iter())
            .map(|point| (ordered_bits(point[0]), point[0]))
            .collect();
        let mut table = Table::new([self.x_label]);
        for series in self.series {
            table.columns.push(series.name.clone());
            if series.band.is_some() {
                table
                    .columns
                    .extend(["low", "high"].map(|end| format!("{} 95% {end}", series.name)));
            }
        }
        table.rows = rows
            .values()
            .map(|x| {
                let cells = self.series.iter().flat_map(|series| {
                    let value = series.nearest(*x).filter(|point| point[0] == *x);
                    let value = value.map_or_else(String::new, |point| point[1].to_string());
                    let ends = series.band.as_ref().map(|band| {
                        let here = band.iter().find(|interval| interval[0] == *x);
                        here.map_or([String::new(), String::new()], |[_, low, high]| {
                            [low.to_string(), high.to_string()]
                        })
                    });
                    std::iter::once(value).chain(ends.into_iter().flatten())
                });
                std::iter::once(x.to_string()).chain(cells).collect()
            })
            .collect();
        table
    }

    fn body(&self, ui: &mut egui::Ui, height: f32, cache: &[Prepared], view: Option<(f64, f64)>) -> Pointed {
        let theme = Theme::of(ui);
        let signs = self.series.iter().map(|series| (series.name.as_str(), series.sign));
        let top = ui.cursor().top();
        let hidden = match self.series.len() {
            0 | 1 => BTreeSet::new(),
            _ => legend_ui(ui, self.id, signs),
        };
        let height = (height - (ui.cursor().top() - top)).max(60.0);
        let (scale, counts) = (self.scale, cache.iter().all(|kept| kept.counts));
        let mut plot = plot(self.id.with("plot"), height, theme, [self.x_label, ""], scale, counts)
            .allow_drag(Vec2b::new(true, false))
            .allow_zoom(Vec2b::new(true, false))
            .include_x(0.0)
            .include_x(self.last_x)
            .set_margin_fraction(egui::vec2(0.025, 0.08));
        if let Some(group) = self.group {
            plot = plot.link_axis(group, Vec2b::new(true, false));
        }
        let mut drawn: Vec<(&Series, &Prepared)> = self
            .series
            .iter()
            .zip(cache)
            .filter(|(series, _)| !hidden.contains(&series.name))
            .collect();
        let shown: Vec<&Series> = drawn.iter().map(|(series, _)| *series).collect();
        // A curve with a band is what the chart is about: it lies over the others.
        drawn.sort_by_key(|(series, _)| series.band.is_some());
        let response = plot.show(ui, |plot| {
            for (series, kept) in drawn {
                draw_series(plot, series, kept, scale, view);
            }
            plot.pointer_coordinate()
        });
        self.paint_marks(ui, &response.transform);
        let at = response.inner.filter(|_| response.response.hovered());
        if let Some(x) = at.map(|at| at.x) {
            response
                .response
                .clone()
                .on_hover_ui_at_pointer(|ui| self.tooltip(ui, x, &shown, &hidden));
        }
        Pointed {
            hovered: at.map(|at| at.x),
            clicked: at.map(|at| at.x).filter(|_| response.response.clicked()),
        }
    }

    /// Flags, the pinned step and the step under the pointer; painted over the plot so that they never stretch its axes.
    fn paint_marks(&self, ui: &egui::Ui, transform: &PlotTransform) {
        let theme = Theme::of(ui);
        let frame = *transform.frame();
        let painter = ui.painter().with_clip_rect(frame.expand(1.0));
        let line = |x: f64, width: f32, color: Color32| {
            let x = transform.position_from_point_x(x);
            painter.vline(x, frame.y_range(), Stroke::new(width, color));
            x
        };
        for flag in self.flags {
            let x = line(flag.x, 1.0, flag.color.gamma_multiply(0.3));
            let top = frame.top();
            let corners = vec![pos2(x - 4.0, top), pos2(x + 4.0, top), pos2(x, top + 7.0)];
            painter.add(egui::Shape::convex_polygon(corners, flag.color, Stroke::NONE));
        }
        if let Some(x) = self.pinned {
            line(x, 1.5, theme.accent);
        }
        if let Some(x) = self.cursor {
            line(x, 1.0, theme.cursor.gamma_multiply(0.5));
        }
    }

    fn tooltip(&self, ui: &mut egui::Ui, x: f64, shown: &[&Series], hidden: &BTreeSet<String>) {
        let theme = Theme::of(ui);
        let at = shown
            .iter()
            .filter_map(|series| series.nearest(x))
            .map(|point| point[0]);
        let nearest = at.min_by(|a, b| (a - x).abs().total_cmp(&(b - x).abs())).unwrap_or(x);
        ui.label(theme::caption(format!("{} {}", self.x_label, tick(nearest))));
        egui::Grid::new("values")
            .num_columns(2)
            .spacing([theme::GAP, 2.0])
            .show(ui, |ui| {
                for series in shown {
                    let Some(point) = series.nearest(nearest) else {
                        continue;
                    };
                    ui.horizontal(|ui| {
                        ui.label(egui::RichText::new(series.sign.mark).color(series.sign.color));
                        ui.label(&series.name);
                    });
                    let band = series
                        .band
                        .as_ref()
                        .and_then(|band| band.iter().find(|b| b[0] == point[0]));
                    let interval = band.map_or_else(String::new, |b| format!(" [{}, {}]", number(b[1]), number(b[2])));
                    ui.label(egui::RichText::new(number(point[1]) + &interval).monospace());
                    ui.end_row();
                }
            });
        if !hidden.is_empty() {
            ui.label(small(&format!("{} hidden", hidden.len()), theme.weak));
        }
        let reach = self
            .series
            .iter()
            .filter_map(|series| series.points.last())
            .map(|p| p[0])
            .fold(0.0, f64::max)
            * 0.01;
        for flag in self.flags.iter().filter(|flag| (flag.x - x).abs() <= reach) {
            ui.label(egui::RichText::new(format!("▲ {}", flag.text)).color(flag.color));
        }
    }
}

/// Bits that sort as the numbers do.
fn ordered_bits(value: f64) -> u64 {
    let bits = value.to_bits();
    if bits >> 63 == 1 { !bits } else { bits | (1 << 63) }
}
