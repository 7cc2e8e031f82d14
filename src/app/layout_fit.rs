//! Room for every pane: where a window is small, or its text large, what would be cut takes from what has more.

use super::layout::{Direction, Layout, Part};

impl Layout {
    /// Width below which something in it is cut, with `gap` points between panes.
    fn least_width(&self, gap: f32) -> f32 {
        match self {
            Self::Pane(pane) => pane.least_width(),
            Self::Tabs { parts, .. } => widest(parts.iter(), gap),
            Self::Split {
                direction: Direction::Down,
                parts,
            } => widest(parts.iter().map(|part| &part.layout), gap),
            Self::Split { parts, .. } => {
                let widths: f32 = parts.iter().map(|part| part.layout.least_width(gap)).sum();
                widths + gap * parts.len().saturating_sub(1) as f32
            }
        }
    }

    /// The same arrangement with shares in which nothing is cut at this width, as far as there is room.
    pub fn fitted(&self, width: f32, gap: f32) -> Self {
        match self {
            Self::Pane(pane) => Self::Pane(*pane),
            Self::Tabs { parts, shown } => Self::Tabs {
                parts: parts.iter().map(|part| part.fitted(width, gap)).collect(),
                shown: *shown,
            },
            Self::Split {
                direction: Direction::Down,
                parts,
            } => {
                let fitted = |part: &Part| Part::new(part.share, part.layout.fitted(width, gap));
                Self::Split {
                    direction: Direction::Down,
                    parts: parts.iter().map(fitted).collect(),
                }
            }
            Self::Split { direction, parts } => {
                let room = width - gap * parts.len().saturating_sub(1) as f32;
                let widths = widths(parts, room, gap);
                let fitted = |(part, width): (&Part, f32)| Part::new(width, part.layout.fitted(width, gap));
                Self::Split {
                    direction: *direction,
                    parts: parts.iter().zip(widths).map(fitted).collect(),
                }
            }
        }
    }
}

fn widest<'a>(layouts: impl Iterator<Item = &'a Layout>, gap: f32) -> f32 {
    layouts.map(|layout| layout.least_width(gap)).fold(0.0, f32::max)
}

/// How wide the parts of a row are: by their shares, but none below its least width while others have more than theirs.
fn widths(parts: &[Part], room: f32, gap: f32) -> Vec<f32> {
    let whole: f32 = parts.iter().map(|part| part.share).sum();
    let wished: Vec<f32> = parts.iter().map(|part| room * part.share / whole).collect();
    let least: Vec<f32> = parts.iter().map(|part| part.layout.least_width(gap)).collect();
    let lacking: f32 = wished
        .iter()
        .zip(&least)
        .map(|(wished, least)| (least - wished).max(0.0))
        .sum();
    let spare: f32 = wished
        .iter()
        .zip(&least)
        .map(|(wished, least)| (wished - least).max(0.0))
        .sum();
    if lacking == 0.0 || spare < lacking {
        return wished;
    }
    let fit = |(wished, least): (&f32, &f32)| match wished > least {
        true => wished - lacking * (wished - least) / spare,
        false => *least,
    };
    wished.iter().zip(&least).map(fit).collect()
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "a test")]
    use super::super::panes::Pane;
    use super::*;

    fn shares(layout: Layout, width: f32) -> Vec<f32> {
        let Layout::Split { parts, .. } = layout.fitted(width, 10.0) else {
            return Vec::new();
        };
        parts.iter().map(|part| part.share).collect()
    }

    #[test]
    fn a_form_keeps_its_width_in_a_small_window_and_its_share_in_a_large_one() {
        let train = Layout::across([
            (0.25, Layout::Pane(Pane::Experiment)),
            (0.75, Layout::Pane(Pane::Curves)),
        ]);
        assert_eq!(shares(train.clone(), 2010.0), [500.0, 1500.0]);
        assert_eq!(shares(train.clone(), 810.0), [310.0, 490.0]);
        // No room for both: as if nothing were cut.
        assert_eq!(shares(train.clone(), 210.0), [50.0, 150.0]);
        let inside = Layout::down([(1.0, train), (1.0, Layout::Pane(Pane::Drawer))]);
        let Layout::Split { parts, .. } = inside.fitted(810.0, 10.0) else {
            return;
        };
        assert_eq!(shares(parts.first().unwrap().layout.clone(), 810.0), [310.0, 490.0]);
    }
}
