//! Colours of a share, 0 to 1, mixed from those of the theme.

use egui::Color32;

use super::theme::Theme;
use crate::evaluation::Arm;

impl Theme {
    /// From the background over violet and orange to the brightest ink, ever stronger.
    pub fn sequential(&self, share: f32) -> Color32 {
        let violet = self.arm(Arm::ShuffledContext).color;
        mixed(
            share,
            &[
                self.background.lerp_to_gamma(violet, 0.08),
                self.background.lerp_to_gamma(violet, 0.45),
                violet.lerp_to_gamma(self.accent, 0.45),
                self.accent,
                self.accent
                    .lerp_to_gamma(self.strong, if self.dark { 0.7 } else { 0.5 }),
            ],
        )
    }

    /// From blue (below) over the raised ground (the middle, no difference) to orange (above); told apart by those who do not see
    /// red and green.
    pub fn diverging(&self, share: f32) -> Color32 {
        let blue = self.arm(Arm::FullRag).color;
        let (low, high) = (
            blue.lerp_to_gamma(self.strong, 0.25),
            self.accent.lerp_to_gamma(self.strong, 0.25),
        );
        mixed(share, &[low, blue, self.raised, self.accent, high])
    }

    /// The ink that can be read on a colour.
    pub fn ink_on(&self, fill: Color32) -> Color32 {
        let bright = 0.299 * f32::from(fill.r()) + 0.587 * f32::from(fill.g()) + 0.114 * f32::from(fill.b());
        match (bright > 140.0, self.dark) {
            (true, true) | (false, false) => self.background,
            (true, false) | (false, true) => self.strong,
        }
    }
}

fn mixed(share: f32, stops: &[Color32; 5]) -> Color32 {
    let place = share.clamp(0.0, 1.0) * (stops.len() - 1) as f32;
    let below = (place as usize).min(stops.len() - 2);
    match stops.get(below..below + 2) {
        Some([a, b]) => a.lerp_to_gamma(*b, place - below as f32),
        _ => Color32::default(),
    }
}

#[cfg(test)]
mod tests {
    use crate::ui::theme::{DARK, LIGHT};

    #[test]
    fn no_difference_is_the_ground_and_ends_are_far_apart() {
        for theme in [&DARK, &LIGHT] {
            assert_eq!(theme.diverging(0.5), theme.raised);
            assert_ne!(theme.diverging(0.0), theme.diverging(1.0));
            assert_eq!(theme.diverging(f32::NAN), theme.diverging(f32::NAN));
        }
        assert_eq!(DARK.ink_on(DARK.background), DARK.strong);
        assert_eq!(LIGHT.ink_on(LIGHT.background), LIGHT.strong);
    }
}
