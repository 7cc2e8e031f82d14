//! Charts as SVG: lines and bands over two axes, with a legend beneath.

use super::frame::{FRAME, Figure, View};
use super::page::escaped;
use super::style::Look;
use crate::ui::charts::{Pyramid, Scale, tick};

/// Most points of a line; of longer ones only extremes are drawn.
const POINTS: usize = 600;

/// One thing in a chart.
pub struct Line {
    /// Its name.
    pub label: String,
    /// Colour, dash and mark.
    pub look: Look,
    /// By ascending x.
    pub points: Vec<[f64; 2]>,
    /// The same before smoothing, drawn faint.
    pub raw: Vec<[f64; 2]>,
    /// `[x, low, high]`.
    pub band: Vec<[f64; 3]>,
    /// The room down to zero is filled, as in a histogram.
    pub filled: bool,
}

impl Line {
    /// A line through points.
    pub fn new(label: impl Into<String>, look: Look, points: Vec<[f64; 2]>) -> Self {
        Self {
            label: label.into(),
            look,
            points,
            raw: Vec::new(),
            band: Vec::new(),
            filled: false,
        }
    }
}

/// A chart.
pub struct Chart<'a> {
    /// What is shown.
    pub title: &'a str,
    /// Behind the title: unit, how it was made.
    pub note: &'a str,
    /// What x is, with its unit.
    pub x_label: &'a str,
    /// How values become heights.
    pub scale: Scale,
    /// From back to front.
    pub lines: &'a [Line],
    /// Places along x, and what happened there.
    pub flags: &'a [(f64, String)],
}

impl Chart<'_> {
    /// The chart as a figure; none when it has nothing to show.
    pub fn figure(&self) -> Option<String> {
        let (across, up) = self.ranges()?;
        let view = View {
            scale: Scale::Linear,
            across,
            up,
        };
        let mut svg = view.axes(self.scale, self.x_label);
        for line in self.lines {
            self.line(&mut svg, &view, line);
        }
        for (at, what) in self.flags {
            let x = view.x(*at);
            let [_, top, _, bottom] = FRAME;
            svg.push_str(&format!(
                "<g><title>{}</title><line x1=\"{x:.1}\" y1=\"{top}\" x2=\"{x:.1}\" y2=\"{bottom}\" style=\"stroke:var(--weak)\" \
                 stroke-dasharray=\"2 4\"/><text x=\"{x:.1}\" y=\"{:.1}\" text-anchor=\"middle\">▲</text></g>\n",
                escaped(what),
                top - 2.0
            ));
        }
        let figure = Figure {
            title: self.title,
            note: self.note,
            summary: &self.summary(),
        };
        Some(figure.html(&svg, &self.lines.iter().map(key).collect::<String>()))
    }

    /// For those who do not see it: each line's last value.
    fn summary(&self) -> String {
        let last = |line: &Line| {
            let [x, y] = *line.points.last()?;
            Some(format!(
                "{} ends at {} ({} {})",
                line.label,
                tick(y),
                self.x_label,
                tick(x)
            ))
        };
        let lines = self.lines.iter().filter_map(last);
        std::iter::once(self.title.to_owned())
            .chain(lines)
            .collect::<Vec<_>>()
            .join("; ")
    }

    /// Ranges of x and of heights, with some room above and below.
    fn ranges(&self) -> Option<([f64; 2], [f64; 2])> {
        let all = |line: &Line| {
            let bands = line.band.iter().flat_map(|[x, low, high]| [[*x, *low], [*x, *high]]);
            let zero = line
                .filled
                .then(|| line.points.first().map(|[x, _]| [*x, 0.0]))
                .flatten();
            let points = line.points.iter().chain(&line.raw).copied();
            points.chain(bands).chain(zero).collect::<Vec<_>>()
        };
        let points = self.lines.iter().flat_map(all);
        let mut ranges: Option<([f64; 2], [f64; 2])> = None;
        for [x, y] in points {
            let Some(y) = self.scale.height(y).filter(|_| x.is_finite()) else {
                continue;
            };
            let (across, up) = ranges.get_or_insert(([x, x], [y, y]));
            *across = [across[0].min(x), across[1].max(x)];
            *up = [up[0].min(y), up[1].max(y)];
        }
        let (mut across, mut up) = ranges?;
        if across[0] == across[1] {
            across = [across[0] - 0.5, across[1] + 0.5];
        }
        let room = match up[1] - up[0] {
            0.0 => up[1].abs().max(1.0) * 0.1,
            size => size * 0.06,
        };
        let filled = self.lines.iter().any(|line| line.filled);
        up = [if filled { up[0] } else { up[0] - room }, up[1] + room];
        Some((across, up))
    }

    fn line(&self, svg: &mut String, view: &View, line: &Line) {
        let Look { color, dashes, .. } = &line.look;
        let lows: Vec<[f64; 2]> = line.band.iter().map(|[x, low, _]| [*x, *low]).collect();
        let highs: Vec<[f64; 2]> = line.band.iter().rev().map(|[x, _, high]| [*x, *high]).collect();
        let around = [lows, highs].concat();
        if !around.is_empty() {
            let path = self.path(view, &around);
            svg.push_str(&format!(
                "<path d=\"{path} Z\" style=\"fill:{color}\" fill-opacity=\"0.14\"/>\n"
            ));
        }
        if line.filled
            && let (Some([first, _]), Some([last, _])) = (line.points.first(), line.points.last())
        {
            let around = [&[[*first, 0.0]][..], &line.points, &[[*last, 0.0]]].concat();
            let path = self.path(view, &around);
            svg.push_str(&format!(
                "<path d=\"{path} Z\" style=\"fill:{color}\" fill-opacity=\"0.14\"/>\n"
            ));
        }
        for (points, width, opacity) in [(&line.raw, 1.0, 0.3), (&line.points, 2.0, 1.0)] {
            if points.is_empty() {
                continue;
            }
            let path = self.path(view, points);
            svg.push_str(&format!(
                "<path d=\"{path}\" fill=\"none\" style=\"stroke:{color}\" stroke-width=\"{width}\" stroke-opacity=\"{opacity}\" \
                 stroke-linejoin=\"round\" stroke-dasharray=\"{dashes}\"/>\n"
            ));
        }
        // A line of few points shows where they are.
        if line.points.len() <= 24 && !line.filled {
            for [x, y] in &line.points {
                if let Some(height) = self.scale.height(*y) {
                    svg.push_str(&format!(
                        "<circle cx=\"{:.1}\" cy=\"{:.1}\" r=\"2.5\" style=\"fill:{color}\"><title>{}, {} {}: {}</title></circle>\n",
                        view.x(*x),
                        view.y(height),
                        escaped(&line.label),
                        escaped(self.x_label),
                        tick(*x),
                        tick(*y)
                    ));
                }
            }
        }
    }

    /// A path through the points, broken where a value has no height.
    fn path(&self, view: &View, points: &[[f64; 2]]) -> String {
        let mut path = String::new();
        let mut drawing = false;
        for [x, y] in points {
            let Some(height) = self.scale.height(*y) else {
                drawing = false;
                continue;
            };
            let command = if drawing { 'L' } else { 'M' };
            path.push_str(&format!("{command}{:.1} {:.1}", view.x(*x), view.y(height)));
            drawing = true;
        }
        path
    }
}

fn key(line: &Line) -> String {
    let Look { color, dashes, mark } = &line.look;
    format!(
        "<span><svg viewBox=\"0 0 30 10\" aria-hidden=\"true\"><line x1=\"0\" y1=\"5\" x2=\"30\" y2=\"5\" style=\"stroke:{color}\" \
         stroke-width=\"2\" stroke-dasharray=\"{dashes}\"/></svg> {mark} {}</span> ",
        escaped(&line.label)
    )
}

/// The points of a long line that show its shape: every extreme is one of them.
pub fn thinned(points: Vec<[f64; 2]>) -> Vec<[f64; 2]> {
    if points.len() <= POINTS {
        return points;
    }
    Pyramid::new(points).slice(None, POINTS).points.to_vec()
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "a failing test should panic")]
    use super::*;
    use crate::evaluation::Arm;

    fn chart(lines: &[Line], scale: Scale) -> Option<String> {
        let flags = [(2.0, "<alarm>".to_owned())];
        let chart = Chart {
            title: "loss <script>",
            note: "",
            x_label: "step",
            scale,
            lines,
            flags: &flags,
        };
        chart.figure()
    }

    #[test]
    fn a_chart_draws_what_has_a_height_and_escapes_what_it_says() {
        let points = vec![[1.0, 1.0], [2.0, f64::NAN], [3.0, 10.0], [4.0, 0.0]];
        let lines = [Line::new("a & b", Look::arm(Arm::Compressed), points)];
        let figure = chart(&lines, Scale::Log).unwrap();
        assert!(!figure.contains("<script") && !figure.contains("<alarm>") && !figure.contains("NaN"));
        assert!(figure.contains("a &amp; b"));
        // Two values have a height, and nothing joins them over the one between.
        assert_eq!(figure.matches("<circle").count(), 2);
        assert_eq!(figure.matches('M').count(), 2);
    }

    #[test]
    fn nothing_to_show_is_no_chart_and_one_point_is_one() {
        let line = |points| [Line::new("a", Look::encoder(), points)];
        assert_eq!(chart(&line(vec![[1.0, f64::NAN]]), Scale::Linear), None);
        assert!(
            chart(&line(vec![[1.0, 5.0]]), Scale::Linear)
                .unwrap()
                .contains("<circle")
        );
    }
}
