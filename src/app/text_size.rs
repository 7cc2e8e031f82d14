//! How large everything is drawn: text and what stands around it, so that nothing overlaps.

use serde::{Deserialize, Serialize};

/// Sizes that can be chosen, percent.
const SIZES: [u16; 8] = [80, 90, 100, 110, 125, 150, 175, 200];

/// The usual one.
const USUAL: u16 = 100;

/// A size, percent of the usual one.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct TextSize(u16);

impl Default for TextSize {
    fn default() -> Self {
        Self(USUAL)
    }
}

impl TextSize {
    /// The next larger one, if there is one.
    pub fn larger(self) -> Option<Self> {
        SIZES.into_iter().find(|size| *size > self.0).map(Self)
    }

    /// The next smaller one, if there is one.
    pub fn smaller(self) -> Option<Self> {
        SIZES.into_iter().rev().find(|size| *size < self.0).map(Self)
    }

    /// In percent, within what can be chosen: what is kept on disk may be anything.
    pub fn percent(self) -> u16 {
        let [smallest, .., largest] = SIZES;
        self.0.clamp(smallest, largest)
    }

    /// Points of the screen for a point of the page.
    pub fn factor(self) -> f32 {
        f32::from(self.percent()) / f32::from(USUAL)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes_end_at_both_ends_and_hold_any_number() {
        let mut size = TextSize::default();
        while let Some(larger) = size.larger() {
            assert!(larger.percent() > size.percent());
            size = larger;
        }
        assert_eq!(size.factor(), 2.0);
        assert_eq!(TextSize(7).factor(), 0.8);
        assert_eq!(TextSize(105).larger(), Some(TextSize(110)));
    }
}
