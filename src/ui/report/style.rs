//! The looks of a report: the workbench's colours as CSS variables, light and dark as the reader's system has it.

use egui::Color32;
use strum::IntoEnumIterator as _;

use crate::evaluation::Arm;
use crate::ui::theme::{self, Dash, RUN_SIGNS, Sign, Theme};

/// Everything but the colours.
const LAYOUT: &str = include_str!("report.css");

/// How a thing is drawn in a report: colour by name, dash, mark.
#[derive(Clone, Debug)]
pub struct Look {
    /// A colour of CSS.
    pub color: String,
    /// Lengths of strokes and gaps; empty for an unbroken line.
    pub dashes: String,
    /// Beside its name.
    pub mark: &'static str,
}

impl Look {
    fn new(name: &str, sign: Sign) -> Self {
        let (dashes, gaps) = match sign.dash {
            Dash::Solid => (&[][..], &[][..]),
            dash => dash.pattern(),
        };
        let lengths = dashes
            .iter()
            .zip(gaps)
            .flat_map(|(dash, gap)| [dash.to_string(), gap.to_string()]);
        Self {
            color: format!("var(--{name})"),
            dashes: lengths.collect::<Vec<_>>().join(" "),
            mark: sign.mark,
        }
    }

    /// Of an arm.
    pub fn arm(arm: Arm) -> Self {
        Self::new(&format!("arm-{arm}"), theme::LIGHT.arm(arm))
    }

    /// Of a run by its number.
    pub fn run(number: usize) -> Self {
        Self::new(&format!("run-{}", number % RUN_SIGNS), theme::LIGHT.run(number))
    }

    /// Of the line of the points that no other one beats.
    pub fn pareto() -> Self {
        Self::new("cursor", theme::LIGHT.pareto())
    }

    /// Of the encoder's vectors.
    pub fn encoder() -> Self {
        Self::new("encoder", theme::LIGHT.encoder())
    }

    /// Of projected vectors.
    pub fn projected() -> Self {
        Self::arm(Arm::Compressed)
    }

    /// Of projected vectors before training.
    pub fn untrained() -> Self {
        Self::arm(Arm::NoContext)
    }
}

/// The style sheet.
pub fn css() -> String {
    let (light, dark) = (colors(&theme::LIGHT), colors(&theme::DARK));
    format!(":root {{\n{light}}}\n@media (prefers-color-scheme: dark) {{\n:root {{\n{dark}}}\n}}\n{LAYOUT}")
}

fn colors(theme: &Theme) -> String {
    let plain = [
        ("background", theme.background),
        ("panel", theme.panel),
        ("raised", theme.raised),
        ("line", theme.line),
        ("text", theme.text),
        ("weak", theme.weak),
        ("strong", theme.strong),
        ("accent", theme.accent),
        ("cursor", theme.pareto().color),
        ("alarm", theme.alarm),
        ("good", theme.good),
        ("encoder", theme.encoder().color),
    ];
    let plain = plain.into_iter().map(|(name, color)| (name.to_owned(), color));
    let arms = Arm::iter().map(|arm| (format!("arm-{arm}"), theme.arm(arm).color));
    let runs = (0..RUN_SIGNS).map(|number| (format!("run-{number}"), theme.run(number).color));
    plain
        .chain(arms)
        .chain(runs)
        .map(|(name, color)| format!("--{name}: {};\n", hex(color)))
        .collect()
}

fn hex(color: Color32) -> String {
    let [red, green, blue, _] = color.to_array();
    format!("#{red:02x}{green:02x}{blue:02x}")
}
