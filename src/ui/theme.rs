//! Every colour, size, dash and sign of the workbench: a thing looks the same wherever it appears (dark and light).

use egui::{Color32, CornerRadius, FontFamily, FontId, Margin, Stroke, TextStyle};

use crate::engine::Severity;
use crate::evaluation::Arm;
use crate::prompt::Source;

/// Text sizes in points: notes, body, sub-headings, headings.
pub const SMALL: f32 = 12.0;
/// Body text.
pub const BODY: f32 = 13.0;
/// Sub-headings.
pub const TITLE: f32 = 16.0;
/// Headings.
pub const HEADING: f32 = 22.0;

/// The grid: half a gap, a gap, a section.
pub const TIGHT: f32 = 4.0;
/// Between things that belong together.
pub const GAP: f32 = 8.0;
/// Between groups.
pub const SECTION: f32 = 16.0;
/// Around a page.
pub const PAGE: f32 = 24.0;
/// Height of a row in lists and tables.
pub const ROW: f32 = 26.0;
/// Rounding of cards and buttons.
pub const ROUNDING: u8 = 5;

/// Width of a line that carries the message of a chart.
pub const STRONG_LINE: f32 = 2.0;
/// Width of a supporting line.
pub const THIN_LINE: f32 = 1.2;

/// Runs that have a colour and a mark of their own.
pub const RUN_SIGNS: usize = 7;

/// Paints an image in its own colours.
pub const NO_TINT: Color32 = Color32::WHITE;

/// How a line is broken, so that colour never stands alone.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Dash {
    /// Unbroken.
    Solid,
    /// Dots.
    Dotted,
    /// Dashes.
    Dashed,
    /// Dash, dot, dash, dot.
    DashDot,
}

impl Dash {
    /// Lengths of strokes and gaps in points; empty for an unbroken line.
    pub fn pattern(self) -> (&'static [f32], &'static [f32]) {
        match self {
            Self::Solid => (&[], &[]),
            Self::Dotted => (&[1.5], &[3.5]),
            Self::Dashed => (&[7.0], &[4.0]),
            Self::DashDot => (&[7.0, 1.5], &[3.5, 3.5]),
        }
    }

    /// A line through the points, broken in this way.
    pub fn shapes(self, points: &[egui::Pos2], stroke: Stroke) -> Vec<egui::Shape> {
        let (dashes, gaps) = self.pattern();
        if dashes.is_empty() {
            vec![egui::Shape::line(points.to_vec(), stroke)]
        } else {
            egui::Shape::dashed_line_with_offset(points, stroke, dashes, gaps, 0.0)
        }
    }
}

/// How a thing is drawn everywhere: colour, dash, and a mark that stands for it in text.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Sign {
    /// Of lines, points and the mark.
    pub color: Color32,
    /// Of lines.
    pub dash: Dash,
    /// A character for legends, lists and tables.
    pub mark: &'static str,
}

/// The colours of one mode.
#[derive(Clone, Debug, PartialEq)]
pub struct Theme {
    /// Dark mode.
    pub dark: bool,
    /// Behind everything.
    pub background: Color32,
    /// Of panels and cards.
    pub panel: Color32,
    /// Of things that lie on a panel: fields, hovered rows.
    pub raised: Color32,
    /// Of rows and buttons under the pointer.
    pub hovered: Color32,
    /// Separators, outlines and grids.
    pub line: Color32,
    /// Ordinary text.
    pub text: Color32,
    /// Notes, units, axes.
    pub weak: Color32,
    /// Headings and values.
    pub strong: Color32,
    /// The one accent.
    pub accent: Color32,
    /// Text on the accent.
    pub on_accent: Color32,
    /// Behind what is selected.
    pub selected: Color32,
    /// Worse, failed, alarm; with ▲.
    pub alarm: Color32,
    /// Left out, slower; with ▲.
    pub warning: Color32,
    /// Better, done; with ✓.
    pub good: Color32,
    /// The line of the shared step cursor.
    pub cursor: Color32,
    no_context: Color32,
    full_rag: Color32,
    compressed: Color32,
    /// Of runs beside the first, far from each other and from the arms' colours.
    others: [Color32; 6],
    control: Color32,
    encoder: Color32,
}

const fn rgb(hex: u32) -> Color32 {
    Color32::from_rgb((hex >> 16) as u8, (hex >> 8) as u8, hex as u8)
}

/// The dark mode.
pub static DARK: Theme = Theme {
    dark: true,
    background: rgb(0x14_17_1c),
    panel: rgb(0x1b_1f_26),
    raised: rgb(0x23_28_31),
    hovered: rgb(0x2b_31_3c),
    line: rgb(0x2f_36_41),
    text: rgb(0xc9_d1_db),
    weak: rgb(0x8b_95_a4),
    strong: rgb(0xf0_f3_f6),
    accent: rgb(0xf2_a5_41),
    on_accent: rgb(0x1b_14_08),
    selected: rgb(0x33_2c_22),
    alarm: rgb(0xef_6f_6c),
    warning: rgb(0xe6_c2_4a),
    good: rgb(0x6c_c5_7f),
    cursor: rgb(0xe8_ec_f1),
    no_context: rgb(0x9a_a4_b2),
    full_rag: rgb(0x5a_a9_e6),
    compressed: rgb(0xf2_a5_41),
    others: [
        rgb(0xf0_72_b6),
        rgb(0xc3_dc_4f),
        rgb(0x8f_8b_ff),
        rgb(0x4f_dc_e8),
        rgb(0xf0_f3_f6),
        rgb(0xb8_74_2c),
    ],
    control: rgb(0xb4_8e_ad),
    encoder: rgb(0x4f_c3_a1),
};

/// The light mode.
pub static LIGHT: Theme = Theme {
    dark: false,
    background: rgb(0xfb_fb_f9),
    panel: rgb(0xff_ff_ff),
    raised: rgb(0xf3_f3_f0),
    hovered: rgb(0xea_ea_e5),
    line: rgb(0xdc_dd_d8),
    text: rgb(0x33_39_42),
    weak: rgb(0x6a_71_7d),
    strong: rgb(0x12_15_1a),
    accent: rgb(0xb8_6e_00),
    on_accent: rgb(0xff_ff_ff),
    selected: rgb(0xf7_e7_cd),
    alarm: rgb(0xb3_26_1e),
    warning: rgb(0x8a_65_00),
    good: rgb(0x1f_7a_37),
    cursor: rgb(0x33_39_42),
    no_context: rgb(0x6b_72_80),
    full_rag: rgb(0x1d_6f_b8),
    compressed: rgb(0xb8_6e_00),
    others: [
        rgb(0xc2_18_7f),
        rgb(0x66_7a_00),
        rgb(0x4a_3f_c4),
        rgb(0x00_88_97),
        rgb(0x12_15_1a),
        rgb(0x7a_3b_10),
    ],
    control: rgb(0x7b_4f_96),
    encoder: rgb(0x0f_7b_5f),
};

impl Theme {
    /// The theme of the mode that `ui` is drawn in.
    pub fn of(ui: &egui::Ui) -> &'static Self {
        if ui.visuals().dark_mode { &DARK } else { &LIGHT }
    }

    /// How an arm is drawn.
    pub fn arm(&self, arm: Arm) -> Sign {
        let (color, dash, mark) = match arm {
            Arm::NoContext => (self.no_context, Dash::Dotted, "○"),
            Arm::FullRag => (self.full_rag, Dash::Dashed, "□"),
            Arm::Compressed => (self.compressed, Dash::Solid, "●"),
            Arm::ShuffledContext => (self.control, Dash::DashDot, "△"),
            Arm::MeanVector => (self.control, Dash::DashDot, "▽"),
            Arm::ZeroVector => (self.control, Dash::DashDot, "◇"),
            Arm::NoiseVector => (self.control, Dash::DashDot, "◁"),
            Arm::RandomTokens => (self.control, Dash::DashDot, "▷"),
            Arm::SoftPrompt => (self.control, Dash::DashDot, "☆"),
            // Text is blue and soft tokens are orange, whichever chunk they are of.
            Arm::Identifiers => (self.full_rag, Dash::Dotted, "◇"),
            Arm::DefinitionText => (self.full_rag, Dash::DashDot, "▷"),
            Arm::DefinitionVector => (self.compressed, Dash::DashDot, "▷"),
            Arm::SelectiveExpansion => (self.compressed, Dash::Dashed, "◇"),
        };
        Sign { color, dash, mark }
    }

    /// How what stands in a prompt is drawn.
    pub fn source(&self, source: Source) -> Sign {
        let [pink, lime, indigo, cyan, ..] = self.others;
        let (color, mark) = match source {
            Source::Before | Source::After => (self.text, "·"),
            Source::SoftToken { chunk: Some(_) } => (self.compressed, "●"),
            Source::SoftToken { chunk: None } => (self.control, "△"),
            Source::ChunkText { .. } => (self.full_rag, "□"),
            Source::Identifiers | Source::Definition => (indigo, "◇"),
            Source::LeftContext => (self.no_context, "◁"),
            Source::RightContext => (self.encoder, "▷"),
            Source::FillInTheMiddle => (cyan, "◆"),
            Source::Cue => (lime, "★"),
            Source::Target => (pink, "▶"),
        };
        Sign {
            color,
            dash: Dash::Solid,
            mark,
        }
    }

    /// How steps that were rolled back are drawn, beside those that took their place.
    pub fn rolled_back(&self) -> Sign {
        Sign {
            color: self.weak,
            dash: Dash::Dotted,
            mark: "↩",
        }
    }

    /// How the encoder's vectors are drawn.
    pub fn encoder(&self) -> Sign {
        Sign {
            color: self.encoder,
            dash: Dash::Solid,
            mark: "◆",
        }
    }

    /// How the line of the points that no other one beats is drawn.
    pub fn pareto(&self) -> Sign {
        Sign {
            color: self.cursor,
            dash: Dash::Dashed,
            mark: "",
        }
    }

    /// How projected vectors are drawn: they are what the compressed arm reads.
    pub fn projected(&self) -> Sign {
        self.arm(Arm::Compressed)
    }

    /// How a run is drawn by the number of its sign. The first has the projected colour, as a single run has; the others have
    /// colours that no arm has. Dash and mark tell runs apart where colours do not.
    pub fn run(&self, sign: usize) -> Sign {
        const MARKS: [&str; RUN_SIGNS] = ["●", "■", "▼", "★", "▶", "◀", "☆"];
        const DASHES: [Dash; 4] = [Dash::Solid, Dash::Dashed, Dash::DashDot, Dash::Dotted];
        let place = sign % RUN_SIGNS;
        let other = place.checked_sub(1).and_then(|other| self.others.get(other));
        Sign {
            color: other.copied().unwrap_or(self.compressed),
            // From the eighth run on, colours come again with another dash.
            dash: DASHES
                .get((sign + sign / RUN_SIGNS) % DASHES.len())
                .copied()
                .unwrap_or(Dash::Solid),
            mark: MARKS.get(place).copied().unwrap_or("●"),
        }
    }

    /// Colour and sign of a notice.
    pub fn severity(&self, severity: Severity) -> (Color32, &'static str) {
        match severity {
            Severity::Info => (self.weak, "·"),
            Severity::Warning => (self.warning, "▲"),
            Severity::Error => (self.alarm, "▲"),
        }
    }

    /// A card on the background.
    pub fn card(&self) -> egui::Frame {
        egui::Frame::new()
            .fill(self.panel)
            .stroke(Stroke::new(1.0, self.line))
            .corner_radius(CornerRadius::same(ROUNDING))
            .inner_margin(Margin::same(12))
    }

    /// A dialog over the station.
    pub fn dialog(&self) -> egui::Frame {
        egui::Frame::new()
            .fill(self.panel)
            .stroke(Stroke::new(1.0, self.line))
            .corner_radius(CornerRadius::same(8))
            .inner_margin(Margin::same(20))
    }

    fn visuals(&self) -> egui::Visuals {
        let mut v = if self.dark {
            egui::Visuals::dark()
        } else {
            egui::Visuals::light()
        };
        let rounding = CornerRadius::same(ROUNDING);
        v.panel_fill = self.background;
        v.window_fill = self.panel;
        v.window_stroke = Stroke::new(1.0, self.line);
        v.window_corner_radius = CornerRadius::same(8);
        v.menu_corner_radius = rounding;
        v.extreme_bg_color = self.raised;
        v.text_edit_bg_color = Some(self.raised);
        v.faint_bg_color = self.raised;
        v.code_bg_color = self.raised;
        v.hyperlink_color = self.accent;
        v.warn_fg_color = self.warning;
        v.error_fg_color = self.alarm;
        v.weak_text_color = Some(self.weak);
        v.selection.bg_fill = self.selected;
        v.selection.stroke = Stroke::new(1.0, self.accent);
        v.striped = false;
        v.indent_has_left_vline = false;
        let w = &mut v.widgets;
        w.noninteractive.bg_fill = self.panel;
        w.noninteractive.weak_bg_fill = self.panel;
        w.noninteractive.bg_stroke = Stroke::new(1.0, self.line);
        w.noninteractive.fg_stroke = Stroke::new(1.0, self.text);
        w.inactive.bg_fill = self.raised;
        w.inactive.weak_bg_fill = self.raised;
        w.inactive.bg_stroke = Stroke::new(1.0, self.line);
        w.inactive.fg_stroke = Stroke::new(1.0, self.text);
        for state in [&mut w.hovered, &mut w.open] {
            state.bg_fill = self.hovered;
            state.weak_bg_fill = self.hovered;
            state.bg_stroke = Stroke::new(1.0, self.weak);
            state.fg_stroke = Stroke::new(1.0, self.strong);
            state.expansion = 0.0;
        }
        w.active.bg_fill = self.selected;
        w.active.weak_bg_fill = self.selected;
        w.active.bg_stroke = Stroke::new(1.0, self.accent);
        w.active.fg_stroke = Stroke::new(1.0, self.strong);
        w.active.expansion = 0.0;
        for state in [
            &mut w.noninteractive,
            &mut w.inactive,
            &mut w.hovered,
            &mut w.active,
            &mut w.open,
        ] {
            state.corner_radius = rounding;
        }
        v
    }
}

/// The family of headings: the proportional font, semibold.
pub fn semibold() -> FontFamily {
    FontFamily::Name("semibold".into())
}

/// A heading's text.
pub fn heading(text: impl Into<String>) -> egui::RichText {
    egui::RichText::new(text).font(FontId::new(HEADING, semibold()))
}

/// A sub-heading's text.
pub fn title(text: impl Into<String>) -> egui::RichText {
    egui::RichText::new(text).font(FontId::new(TITLE, semibold()))
}

/// A label that heads a group or a column: small and semibold.
pub fn caption(text: impl Into<String>) -> egui::RichText {
    egui::RichText::new(text).font(FontId::new(SMALL, semibold()))
}

/// Installs fonts and both styles; once, before the first frame.
pub fn install(ctx: &egui::Context) {
    ctx.set_fonts(fonts());
    for (theme, egui_theme) in [(&DARK, egui::Theme::Dark), (&LIGHT, egui::Theme::Light)] {
        ctx.set_visuals_of(egui_theme, theme.visuals());
    }
    ctx.all_styles_mut(|style| {
        style.text_styles = [
            (TextStyle::Small, FontId::new(SMALL, FontFamily::Proportional)),
            (TextStyle::Body, FontId::new(BODY, FontFamily::Proportional)),
            (TextStyle::Button, FontId::new(BODY, FontFamily::Proportional)),
            (TextStyle::Monospace, FontId::new(BODY, FontFamily::Monospace)),
            (TextStyle::Heading, FontId::new(HEADING, semibold())),
        ]
        .into();
        style.spacing.item_spacing = egui::vec2(GAP, 6.0);
        style.spacing.button_padding = egui::vec2(10.0, 4.0);
        style.spacing.interact_size.y = 24.0;
        style.spacing.menu_margin = Margin::same(6);
        style.spacing.window_margin = Margin::same(16);
        // A bar that grows under the pointer must not lie over what stands at the right edge, as the menus of charts do.
        style.spacing.scroll.bar_width = 8.0;
        style.spacing.scroll.floating_allocated_width = 8.0;
        style.spacing.tooltip_width = 380.0;
        style.interaction.selectable_labels = false;
        style.animation_time = 0.08;
    });
}

fn fonts() -> egui::FontDefinitions {
    let mut fonts = egui::FontDefinitions::empty();
    for (name, bytes) in [
        ("inter", &include_bytes!("../../assets/fonts/Inter-Regular.otf")[..]),
        (
            "inter-semibold",
            &include_bytes!("../../assets/fonts/Inter-SemiBold.otf")[..],
        ),
        (
            "jetbrains-mono",
            &include_bytes!("../../assets/fonts/JetBrainsMono-Regular.ttf")[..],
        ),
    ] {
        fonts
            .font_data
            .insert(name.to_owned(), egui::FontData::from_static(bytes).into());
    }
    for (family, names) in [
        (FontFamily::Proportional, ["inter", "jetbrains-mono"]),
        (semibold(), ["inter-semibold", "jetbrains-mono"]),
        (FontFamily::Monospace, ["jetbrains-mono", "inter"]),
    ] {
        fonts.families.insert(family, names.map(str::to_owned).to_vec());
    }
    fonts
}
