//! Charts of quality against cost as SVG: a mark an arm and run, its intervals as a cross, and the line of those that none beats.

use super::frame::{Figure, View};
use super::page::escaped;
use super::style::Look;
use crate::evaluation::Arm;
use crate::ui::charts::{PARETO_LINE, Scale, TradeoffPoint, tick, tradeoff_bounds, tradeoff_summary};

/// Half of the stroke at the end of an interval.
const END: f64 = 4.0;

/// A point, and whose it is.
pub struct Mark {
    /// Its place, intervals and words.
    pub point: TradeoffPoint,
    /// Its arm.
    pub arm: Arm,
    /// Number of its run, where there are several.
    pub run: Option<usize>,
}

/// A chart.
pub struct Chart<'a> {
    /// What is shown.
    pub title: &'a str,
    /// Behind the title.
    pub note: &'a str,
    /// What x and y are, with their units.
    pub labels: [&'a str; 2],
    /// From back to front.
    pub marks: &'a [Mark],
}

impl Chart<'_> {
    /// The chart as a figure without a legend; none when it has nothing to show.
    pub fn figure(&self) -> Option<String> {
        let points: Vec<TradeoffPoint> = self.marks.iter().map(|mark| mark.point.clone()).collect();
        if points.is_empty() {
            return None;
        }
        let [across, up] = tradeoff_bounds(&points, false);
        let [least, most] = across;
        // Costs of several sizes are told apart on a logarithmic axis alone.
        let (scale, kind) = match least > 0.0 && most > 10.0 * least {
            true => (Scale::Log, ", logarithmic"),
            false => (Scale::Linear, ""),
        };
        let across = across.map(|end| scale.height(end).unwrap_or(end));
        let [across, up] = [across, up].map(|[low, high]| {
            let room = 0.06 * (high - low);
            [low - room, high + room]
        });
        let view = View { scale, across, up };
        let mut svg = view.axes(Scale::Linear, &format!("{}{kind}", self.labels[0]));
        svg.push_str(&line(&view, &points));
        for mark in self.marks {
            svg.push_str(&self.mark(&view, mark));
        }
        let figure = Figure {
            title: self.title,
            note: self.note,
            summary: &tradeoff_summary(self.title, [tick; 2], &points),
        };
        Some(figure.html(&svg, ""))
    }

    /// A cross with a mark at its middle; what is known of it shows under the pointer.
    fn mark(&self, view: &View, mark: &Mark) -> String {
        let (point, look) = (&mark.point, Look::arm(mark.arm));
        let (x, y) = (view.x(point.x.mean), view.y(point.y.mean));
        let mut cross = String::new();
        if point.x.low < point.x.high {
            let [low, high] = [point.x.low, point.x.high].map(|end| view.x(end));
            cross += &format!("M{low:.1} {y:.1}H{high:.1}");
            cross.extend([low, high].map(|end| format!("M{end:.1} {:.1}V{:.1}", y - END, y + END)));
        }
        if point.y.low < point.y.high {
            let [low, high] = [point.y.low, point.y.high].map(|end| view.y(end));
            cross += &format!("M{x:.1} {low:.1}V{high:.1}");
            cross.extend([low, high].map(|end| format!("M{:.1} {end:.1}H{:.1}", x - END, x + END)));
        }
        let glyph = |look: &Look, x: f64, y: f64, size: f64| {
            format!(
                "<text x=\"{x:.1}\" y=\"{y:.1}\" dy=\"0.35em\" text-anchor=\"middle\" style=\"fill:{};font-size:{size}px\">{}</text>",
                look.color, look.mark
            )
        };
        let told = [
            vec![point.name.clone()],
            point.told(self.labels, [tick; 2]),
            vec![point.made.clone()],
        ]
        .concat();
        format!(
            "<g><title>{}</title><path d=\"{cross}\" fill=\"none\" style=\"stroke:{}\" stroke-width=\"1.2\" stroke-opacity=\"0.75\"/>\
             <circle cx=\"{x:.1}\" cy=\"{y:.1}\" r=\"6.5\" style=\"fill:var(--panel)\" fill-opacity=\"0.8\"/>{}{}</g>\n",
            escaped(&told.join("\n")),
            look.color,
            glyph(&look, x, y, 16.0),
            mark.run
                .map(|run| glyph(&Look::run(run), x + 10.0, y - 9.0, 11.0))
                .unwrap_or_default()
        )
    }
}

fn line(view: &View, points: &[TradeoffPoint]) -> String {
    let mut best: Vec<&TradeoffPoint> = points.iter().filter(|point| point.best).collect();
    best.sort_by(|a, b| a.x.mean.total_cmp(&b.x.mean));
    let places = best
        .iter()
        .map(|point| format!("{:.1},{:.1}", view.x(point.x.mean), view.y(point.y.mean)));
    let Look { color, dashes, .. } = Look::pareto();
    format!(
        "<polyline points=\"{}\" fill=\"none\" style=\"stroke:{color}\" stroke-opacity=\"0.6\" stroke-dasharray=\"{dashes}\"/>\n",
        places.collect::<Vec<_>>().join(" ")
    )
}

/// One legend for several charts: the arms, each once, the runs by name where there are several, and the line.
pub fn legend(arms: impl Iterator<Item = Arm>, runs: impl Iterator<Item = (usize, String)>) -> String {
    let key = |look: Look, name: &str| {
        let Look { color, mark, .. } = look;
        format!("<span><b style=\"color:{color}\">{mark}</b> {}</span> ", escaped(name))
    };
    let mut keys: Vec<String> = Vec::new();
    for arm in arms {
        let key = key(Look::arm(arm), arm.label());
        if !keys.contains(&key) {
            keys.push(key);
        }
    }
    keys.extend(runs.map(|(number, name)| key(Look::run(number), &name)));
    let Look { color, dashes, .. } = Look::pareto();
    keys.push(format!(
        "<span><svg viewBox=\"0 0 30 10\" aria-hidden=\"true\"><line x1=\"0\" y1=\"5\" x2=\"30\" y2=\"5\" style=\"stroke:{color}\" \
         stroke-dasharray=\"{dashes}\"/></svg> {PARETO_LINE}</span>"
    ));
    format!("<div class=\"keys\">{}</div>", keys.concat())
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "a failing test should panic")]
    use super::*;
    use crate::evaluation::Interval;
    use crate::ui::theme;

    fn marks(costs: [f64; 3]) -> Vec<Mark> {
        let mark = |(at, cost): (usize, f64)| {
            let value = |mean: f64| Interval {
                mean,
                low: 0.9 * mean,
                high: 1.1 * mean,
            };
            let arm = [Arm::NoContext, Arm::Compressed, Arm::FullRag][at];
            let point = TradeoffPoint {
                name: "<b>".into(),
                group: String::new(),
                sign: theme::LIGHT.arm(arm),
                run: None,
                x: value(cost),
                y: value(30.0 + at as f64),
                best: true,
                made: String::new(),
            };
            Mark { point, arm, run: None }
        };
        costs.into_iter().enumerate().map(mark).collect()
    }

    /// How far along the line its second of three points is, 0 to 1, and the figure.
    fn middle(costs: [f64; 3]) -> (f64, String) {
        let chart = Chart {
            title: "ES against cost",
            note: "",
            labels: ["cost, ms", "ES"],
            marks: &marks(costs),
        };
        let figure = chart.figure().unwrap();
        let line = figure.split("points=\"").nth(1).unwrap().split('"').next().unwrap();
        let x = |pair: &str| pair.split(',').next().unwrap().parse::<f64>().unwrap();
        let places: Vec<f64> = line.split(' ').map(x).collect();
        assert_eq!(places.len(), 3);
        ((places[1] - places[0]) / (places[2] - places[0]), figure)
    }

    #[test]
    fn costs_of_several_sizes_are_on_a_logarithmic_axis_and_others_are_not() {
        let (at, figure) = middle([50.0, 100.0, 1000.0]);
        assert!((at - 2_f64.ln() / 20_f64.ln()).abs() < 1e-3, "{at}");
        assert!(figure.contains(">cost, ms, logarithmic<"));
        let (at, figure) = middle([100.0, 150.0, 200.0]);
        assert!((at - 0.5).abs() < 1e-3, "{at}");
        assert!(figure.contains(">cost, ms<") && !figure.contains("<b>"));
        assert_eq!(figure.matches("<g>").count(), 3);
    }

    #[test]
    fn a_legend_names_an_arm_once() {
        let arms = [Arm::Compressed, Arm::FullRag, Arm::Compressed].into_iter();
        let legend = legend(arms, [(1, "a & b".to_owned())].into_iter());
        assert_eq!(
            legend.matches(Arm::Compressed.label()).count(),
            2,
            "its name and its colour's"
        );
        assert!(legend.contains("a &amp; b") && legend.contains(PARETO_LINE));
    }
}
