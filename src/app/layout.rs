//! How the panes of a station are arranged: beside each other, below each other, or behind each other as tabs.

use serde::{Deserialize, Serialize};
use strum::IntoEnumIterator as _;

use super::pages::Station;
use super::panes::Pane;

/// Share of the page that a pane gets at its edge.
const EDGE: f32 = 0.35;

/// Least share of its row or column that a pane can be narrowed to.
const LEAST: f32 = 0.1;

/// Which way the parts of a split follow each other.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Direction {
    /// Beside each other, from the left.
    Across,
    /// Below each other, from the top.
    Down,
}

/// Where a pane is moved to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Side {
    /// To the left.
    Left,
    /// To the right.
    Right,
    /// Up.
    Up,
    /// Down.
    Down,
}

impl Side {
    fn direction(self) -> Direction {
        match self {
            Self::Left | Self::Right => Direction::Across,
            Self::Up | Self::Down => Direction::Down,
        }
    }

    /// Two parts in the order that puts `moved` on this side of `other`.
    fn order(self, other: Part, moved: Part) -> Vec<Part> {
        match self {
            Self::Left | Self::Up => vec![moved, other],
            Self::Right | Self::Down => vec![other, moved],
        }
    }
}

/// A part of a split.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Part {
    /// Its room against that of the other parts.
    pub share: f32,
    /// What is in it.
    pub layout: Layout,
}

impl Part {
    /// What has this share of a split.
    pub fn new(share: f32, layout: Layout) -> Self {
        Self { share, layout }
    }
}

/// An arrangement of panes.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub enum Layout {
    /// One alone.
    Pane(Pane),
    /// Behind each other.
    Tabs {
        /// From the left.
        parts: Vec<Layout>,
        /// The one in front.
        shown: usize,
    },
    /// Beside or below each other.
    Split {
        /// Which of both.
        direction: Direction,
        /// From the left or from the top.
        parts: Vec<Part>,
    },
}

impl Layout {
    /// Parts beside each other, with their shares.
    pub fn across<const N: usize>(parts: [(f32, Self); N]) -> Self {
        Self::split(Direction::Across, parts)
    }

    /// Parts below each other, with their shares.
    pub fn down<const N: usize>(parts: [(f32, Self); N]) -> Self {
        Self::split(Direction::Down, parts)
    }

    fn split<const N: usize>(direction: Direction, parts: [(f32, Self); N]) -> Self {
        let parts = parts.map(|(share, layout)| Part::new(share, layout)).into();
        Self::Split { direction, parts }
    }

    fn children(&self) -> Vec<&Self> {
        match self {
            Self::Pane(_) => Vec::new(),
            Self::Tabs { parts, .. } => parts.iter().collect(),
            Self::Split { parts, .. } => parts.iter().map(|part| &part.layout).collect(),
        }
    }

    fn child_mut(&mut self, place: usize) -> Option<&mut Self> {
        match self {
            Self::Pane(_) => None,
            Self::Tabs { parts, .. } => parts.get_mut(place),
            Self::Split { parts, .. } => parts.get_mut(place).map(|part| &mut part.layout),
        }
    }

    /// Every pane, in reading order.
    pub fn panes(&self) -> Vec<Pane> {
        match self {
            Self::Pane(pane) => vec![*pane],
            _ => self.children().into_iter().flat_map(Self::panes).collect(),
        }
    }

    /// It arranges every pane of a station once, and its numbers can be drawn.
    pub fn is_of(&self, station: Station) -> bool {
        let mut panes = self.panes();
        panes.sort_unstable();
        panes
            .into_iter()
            .eq(Pane::iter().filter(|pane| pane.station() == station))
            && self.is_sound()
    }

    fn is_sound(&self) -> bool {
        let numbers = match self {
            Self::Pane(_) => true,
            Self::Tabs { parts, shown } => *shown < parts.len(),
            Self::Split { parts, .. } => parts.iter().all(|part| part.share.is_finite() && part.share > 0.0),
        };
        numbers && self.children().into_iter().all(Self::is_sound)
    }

    /// The places on the way to a pane, from the root.
    fn path(&self, pane: Pane) -> Option<Vec<usize>> {
        if *self == Self::Pane(pane) {
            return Some(Vec::new());
        }
        self.children().into_iter().enumerate().find_map(|(place, child)| {
            let rest = child.path(pane)?;
            Some(std::iter::once(place).chain(rest).collect())
        })
    }

    fn at_mut(&mut self, path: &[usize]) -> Option<&mut Self> {
        path.iter().try_fold(self, |layout, place| layout.child_mut(*place))
    }

    /// Without containers of one part, and without rows in rows.
    pub fn tidy(self) -> Option<Self> {
        match self {
            Self::Pane(_) => Some(self),
            Self::Tabs { parts, shown } => {
                let mut parts: Vec<Self> = parts.into_iter().filter_map(Self::tidy).collect();
                match parts.len() {
                    0 | 1 => parts.pop(),
                    count => Some(Self::Tabs {
                        parts,
                        shown: shown.min(count - 1),
                    }),
                }
            }
            Self::Split { direction, parts } => {
                let mut flat: Vec<Part> = Vec::new();
                for Part { share, layout } in parts {
                    match layout.tidy() {
                        Some(Self::Split {
                            direction: inner,
                            parts,
                        }) if inner == direction => {
                            let whole: f32 = parts.iter().map(|part| part.share).sum();
                            flat.extend(
                                parts
                                    .into_iter()
                                    .map(|part| Part::new(share * part.share / whole, part.layout)),
                            );
                        }
                        Some(layout) => flat.push(Part::new(share, layout)),
                        None => {}
                    }
                }
                match flat.len() {
                    0 | 1 => flat.pop().map(|part| part.layout),
                    _ => Some(Self::Split { direction, parts: flat }),
                }
            }
        }
    }

    /// Takes a pane out.
    fn without(self, pane: Pane) -> Option<Self> {
        let left = match self {
            Self::Pane(own) => return (own != pane).then_some(self),
            Self::Tabs { parts, shown } => Self::Tabs {
                parts: parts.into_iter().filter_map(|part| part.without(pane)).collect(),
                shown,
            },
            Self::Split { direction, parts } => Self::Split {
                direction,
                parts: parts
                    .into_iter()
                    .filter_map(|part| Some(Part::new(part.share, part.layout.without(pane)?)))
                    .collect(),
            },
        };
        left.tidy()
    }

    /// With a pane moved to a side: past its neighbour there; out of its tabs; out of a row, above or below its neighbour; from the
    /// end of its row, to the edge of the page. None when it is there already.
    pub fn moved(&self, pane: Pane, side: Side) -> Option<Self> {
        let path = self.path(pane)?;
        let (&place, above) = path.split_last()?;
        let mut next = self.clone();
        let parent = next.at_mut(above)?;
        match parent {
            Self::Split { direction, parts } if *direction == side.direction() => {
                let to = match side {
                    Side::Left | Side::Up => place.checked_sub(1),
                    Side::Right | Side::Down => Some(place + 1).filter(|to| *to < parts.len()),
                };
                match to {
                    Some(to) => parts.swap(place, to),
                    None if above.is_empty() => return None,
                    None => return self.at_edge(pane, side),
                }
            }
            Self::Split { parts, .. } => {
                let moved = parts.remove(place);
                let last = parts.len().checked_sub(1)?;
                let neighbour = parts.get_mut(place.min(last))?;
                let joined = side.order(Part::new(1.0, neighbour.layout.clone()), Part::new(1.0, moved.layout));
                *neighbour = Part::new(
                    neighbour.share + moved.share,
                    Self::Split {
                        direction: side.direction(),
                        parts: joined,
                    },
                );
            }
            Self::Tabs { .. } => {
                let rest = parent.clone().without(pane)?;
                *parent = Self::Split {
                    direction: side.direction(),
                    parts: side.order(Part::new(1.0, rest), Part::new(1.0, Self::Pane(pane))),
                };
            }
            Self::Pane(_) => return None,
        }
        next.tidy()
    }

    fn at_edge(&self, pane: Pane, side: Side) -> Option<Self> {
        let rest = Part::new(1.0 - EDGE, self.clone().without(pane)?);
        Self::Split {
            direction: side.direction(),
            parts: side.order(rest, Part::new(EDGE, Self::Pane(pane))),
        }
        .tidy()
    }

    /// With a pane in one place with the next one, as tabs; none when it is in tabs already.
    pub fn tabbed(&self, pane: Pane) -> Option<Self> {
        let path = self.path(pane)?;
        let (_, above) = path.split_last()?;
        if matches!(self.clone().at_mut(above)?, Self::Tabs { .. }) {
            return None;
        }
        let panes = self.panes();
        let others = panes.iter().cycle().skip_while(|other| **other != pane).skip(1);
        let other = others.take(panes.len() - 1).next()?;
        let mut next = self.clone().without(pane)?;
        let path = next.path(*other)?;
        let in_tabs = path.split_last().is_some_and(|(_, above)| {
            next.at_mut(above).is_some_and(|parent| match parent {
                Self::Tabs { parts, shown } => {
                    *shown = parts.len();
                    parts.push(Self::Pane(pane));
                    true
                }
                _ => false,
            })
        });
        if !in_tabs {
            *next.at_mut(&path)? = Self::Tabs {
                parts: vec![Self::Pane(*other), Self::Pane(pane)],
                shown: 1,
            };
        }
        next.tidy()
    }

    /// With a pane that has `factor` times its room along a direction; none when it has no neighbour there, or no more to give or take.
    pub fn resized(&self, pane: Pane, direction: Direction, factor: f32) -> Option<Self> {
        let path = self.path(pane)?;
        let mut next = self.clone();
        let depth = (0..path.len()).rev().find(|depth| {
            let split = next.at_mut(path.get(..*depth).unwrap_or_default());
            matches!(split, Some(Self::Split { direction: of, .. }) if *of == direction)
        })?;
        let (above, place) = (path.get(..depth)?, path.get(depth)?);
        let Self::Split { parts, .. } = next.at_mut(above)? else {
            return None;
        };
        let whole: f32 = parts.iter().map(|part| part.share).sum();
        let part = parts.get_mut(*place)?;
        let share = (part.share * factor).clamp(LEAST * whole, (1.0 - LEAST) * whole);
        let changed = (share - part.share).abs() > f32::EPSILON * whole;
        part.share = share;
        changed.then_some(next)
    }

    /// The panes in front of others, one of each place with tabs.
    pub fn in_front(&self) -> Vec<Pane> {
        let own = match self {
            Self::Tabs { parts, shown } => parts.get(*shown).and_then(|part| part.panes().first().copied()),
            _ => None,
        };
        let below = self.children().into_iter().flat_map(Self::in_front);
        own.into_iter().chain(below).collect()
    }

    /// With a pane in front, where it is in tabs.
    pub fn with_shown(&self, pane: Pane) -> Self {
        let mut next = self.clone();
        let path = next.path(pane).unwrap_or_default();
        for depth in 0..path.len() {
            let (above, below) = path.split_at(depth);
            if let (Some(Self::Tabs { shown, .. }), Some(place)) = (next.at_mut(above), below.first()) {
                *shown = *place;
            }
        }
        next
    }
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "a test")]
    use super::*;

    fn pane(pane: Pane) -> Layout {
        Layout::Pane(pane)
    }

    /// Files beside the editor beside the chunks, with the completions behind the chunks.
    fn play() -> Layout {
        let tabs = Layout::Tabs {
            parts: vec![pane(Pane::Chunks), pane(Pane::Completions)],
            shown: 0,
        };
        Layout::across([(1.0, pane(Pane::Files)), (2.0, pane(Pane::Editor)), (1.0, tabs)])
    }

    #[test]
    fn a_pane_goes_past_its_neighbour_and_stays_at_the_end() {
        let moved = play().moved(Pane::Files, Side::Right).unwrap();
        assert_eq!(
            moved.panes(),
            [Pane::Editor, Pane::Files, Pane::Chunks, Pane::Completions]
        );
        assert!(moved.is_of(Station::Play));
        assert_eq!(play().moved(Pane::Files, Side::Left), None);
    }

    #[test]
    fn a_pane_leaves_its_row_first_for_its_neighbour_and_then_for_the_edge() {
        let below = play().moved(Pane::Files, Side::Down).unwrap();
        let Layout::Split { parts, .. } = &below else {
            panic!("{below:?}")
        };
        assert_eq!(
            parts.first().unwrap().layout,
            Layout::down([(1.0, pane(Pane::Editor)), (1.0, pane(Pane::Files))])
        );
        assert_eq!(parts.first().unwrap().share, 3.0);
        let edge = below.moved(Pane::Files, Side::Down).unwrap();
        let Layout::Split { direction, parts } = &edge else {
            panic!("{edge:?}")
        };
        assert_eq!((*direction, parts.len()), (Direction::Down, 2));
        assert_eq!(parts.last().unwrap().layout, pane(Pane::Files));
        assert!(edge.is_of(Station::Play));
    }

    #[test]
    fn every_pane_can_go_to_every_side_of_every_arrangement_and_none_is_lost() {
        let sides = [Side::Left, Side::Right, Side::Up, Side::Down];
        let mut seen = vec![play()];
        for _ in 0..3 {
            let more: Vec<Layout> = seen
                .iter()
                .flat_map(|layout| {
                    let moved = layout
                        .panes()
                        .into_iter()
                        .flat_map(|pane| sides.map(|side| layout.moved(pane, side)));
                    let tabbed = layout.panes().into_iter().map(|pane| layout.tabbed(pane));
                    moved.chain(tabbed).flatten().collect::<Vec<_>>()
                })
                .collect();
            for layout in more {
                assert!(layout.is_of(Station::Play), "{layout:?}");
                assert_eq!(layout.clone().tidy().as_ref(), Some(&layout));
                if !seen.contains(&layout) && seen.len() < 400 {
                    seen.push(layout);
                }
            }
        }
        assert!(seen.len() > 100);
    }

    #[test]
    fn tabs_are_made_joined_and_left() {
        let tabs = play().tabbed(Pane::Editor).unwrap();
        let Layout::Split { parts, .. } = &tabs else {
            panic!("{tabs:?}")
        };
        let Layout::Tabs { parts, shown } = &parts.last().unwrap().layout else {
            panic!("{tabs:?}")
        };
        assert_eq!((parts.len(), *shown), (3, 2));
        assert_eq!(tabs.tabbed(Pane::Editor), None, "it is in tabs already");
        let left = tabs.moved(Pane::Editor, Side::Left).unwrap();
        assert_eq!(
            left.panes(),
            [Pane::Files, Pane::Editor, Pane::Chunks, Pane::Completions]
        );
        let shown = play().with_shown(Pane::Completions);
        assert_ne!(shown, play());
        assert_eq!(shown.with_shown(Pane::Chunks), play());
    }

    #[test]
    fn a_pane_grows_along_the_row_that_it_is_in() {
        let wider = play().resized(Pane::Completions, Direction::Across, 1.5).unwrap();
        let Layout::Split { parts, .. } = &wider else {
            panic!("{wider:?}")
        };
        assert_eq!(parts.last().unwrap().share, 1.5);
        assert_eq!(play().resized(Pane::Files, Direction::Down, 1.5), None);
        let mut widest = play();
        while let Some(wider) = widest.resized(Pane::Editor, Direction::Across, 2.0) {
            widest = wider;
        }
        assert!(widest.is_of(Station::Play));
    }

    #[test]
    fn a_layout_that_lacks_a_pane_or_has_one_twice_is_none_of_a_station() {
        assert!(play().is_of(Station::Play) && !play().is_of(Station::Train));
        assert!(!play().without(Pane::Files).unwrap().is_of(Station::Play));
        assert!(!Layout::across([(1.0, play()), (1.0, pane(Pane::Files))]).is_of(Station::Play));
        assert!(!Layout::across([(f32::NAN, pane(Pane::Tradeoff)), (1.0, pane(Pane::Numbers))]).is_of(Station::Cost));
        let tabs = Layout::Tabs {
            parts: vec![pane(Pane::Tradeoff), pane(Pane::Numbers)],
            shown: 2,
        };
        assert!(!tabs.is_of(Station::Cost));
    }
}
