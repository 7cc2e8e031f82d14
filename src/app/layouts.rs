//! The arrangements of all stations: what a person changed, what was saved under a name, and what is kept between starts.

use std::borrow::Cow;
use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use strum::IntoEnumIterator as _;

use super::history::Edit;
use super::layout::{Direction, Layout, Side};
use super::pages::{RunsPage, Station};
use super::panes::Pane;
use super::state::AppState;
use crate::engine::Severity;

/// Version of what is kept; another version is ignored.
const VERSION: u32 = 1;

/// How much a pane grows at once.
const GROWTH: f32 = 1.2;

/// Arrangements by station; a station that is missing has its usual one.
pub type Stations = BTreeMap<Station, Layout>;

/// What a command does to a pane.
#[derive(Clone, Copy, Debug, PartialEq, Eq, strum::EnumIter)]
pub enum PaneMove {
    /// Past its neighbour at the left, or to the edge.
    Left,
    /// The same to the right.
    Right,
    /// The same upwards.
    Up,
    /// The same downwards.
    Down,
    /// Into one place with the next pane.
    Tabs,
    /// More of the width.
    Wider,
    /// Less of the width.
    Narrower,
    /// More of the height.
    Taller,
    /// Less of the height.
    Lower,
}

impl PaneMove {
    fn apply(self, layout: &Layout, pane: Pane) -> Option<Layout> {
        match self {
            Self::Left => layout.moved(pane, Side::Left),
            Self::Right => layout.moved(pane, Side::Right),
            Self::Up => layout.moved(pane, Side::Up),
            Self::Down => layout.moved(pane, Side::Down),
            Self::Tabs => layout.tabbed(pane),
            Self::Wider => layout.resized(pane, Direction::Across, GROWTH),
            Self::Narrower => layout.resized(pane, Direction::Across, 1.0 / GROWTH),
            Self::Taller => layout.resized(pane, Direction::Down, GROWTH),
            Self::Lower => layout.resized(pane, Direction::Down, 1.0 / GROWTH),
        }
    }
}

/// What a person does to arrangements, besides commands.
#[derive(Clone, Debug)]
pub enum LayoutAction {
    /// Panes were dragged.
    Set(Station, Layout),
    /// Commands are about this pane from now on.
    Choose(Option<Pane>),
    /// A pane comes in front of the others of its tabs; there is nothing to undo.
    Show(Pane),
    /// Move a pane.
    Move(Pane, PaneMove),
    /// What was typed as a name.
    SetName(String),
    /// Keep the arrangements under the typed name.
    Save,
    /// Arrange every station as under a name.
    Use(String),
    /// Forget what is kept under a name.
    Remove(String),
}

/// The arrangements, and what is being done to them.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Layouts {
    /// What was changed.
    pub stations: Stations,
    /// What was saved, by name.
    pub named: BTreeMap<String, Stations>,
    /// The pane that commands are about.
    pub chosen: Option<Pane>,
    /// As typed.
    pub name: String,
}

/// What is kept between starts.
#[derive(Debug, Default, Serialize, Deserialize)]
pub struct KeptLayouts {
    version: u32,
    stations: Stations,
    named: BTreeMap<String, Stations>,
}

impl Layouts {
    /// What is to be kept.
    pub fn keep(&self) -> KeptLayouts {
        KeptLayouts {
            version: VERSION,
            stations: self.stations.clone(),
            named: self.named.clone(),
        }
    }

    /// Takes what was kept; arrangements that do not fit the panes of today are left out, and of another version all.
    pub fn restore(&mut self, kept: KeptLayouts) {
        if kept.version != VERSION {
            return;
        }
        let fitting = |stations: Stations| -> Stations {
            let mut stations = stations;
            stations.retain(|station, layout| layout.is_of(*station));
            stations
        };
        self.stations = fitting(kept.stations);
        let named = kept.named.into_iter();
        self.named = named.map(|(name, stations)| (name, fitting(stations))).collect();
    }
}

impl AppState {
    /// How the panes of a station are arranged.
    pub fn layout(&self, station: Station) -> Cow<'_, Layout> {
        let changed = self.layouts.stations.get(&station);
        changed.map_or_else(|| Cow::Owned(self.usual_layout(station)), Cow::Borrowed)
    }

    /// The arrangement of a station that nobody has changed.
    fn usual_layout(&self, station: Station) -> Layout {
        let pane = Layout::Pane;
        match station {
            Station::Train => Layout::across([(0.31, pane(Pane::Experiment)), (0.69, pane(Pane::Curves))]),
            Station::Collapse => {
                // A second run has a column of its own among the instruments.
                let instruments = if self.shown_runs().nth(1).is_some() { 0.4 } else { 0.36 };
                let above = Layout::across([
                    (1.0 - instruments, pane(Pane::Charts)),
                    (instruments, pane(Pane::Instruments)),
                ]);
                Layout::down([(0.58, above), (0.42, pane(Pane::Drawer))])
            }
            Station::Compare => Layout::across([(0.42, pane(Pane::Samples)), (0.58, pane(Pane::Sample))]),
            Station::Retrieve => Layout::across([(0.27, pane(Pane::Queries)), (0.73, pane(Pane::Retrieved))]),
            Station::Play => {
                let middle = Layout::down([(0.56, pane(Pane::Editor)), (0.44, pane(Pane::Completions))]);
                Layout::across([(0.17, pane(Pane::Files)), (0.58, middle), (0.25, pane(Pane::Chunks))])
            }
            Station::Cost => Layout::down([(0.6, pane(Pane::Tradeoff)), (0.4, pane(Pane::Numbers))]),
            Station::Runs => {
                // The table has the height of its rows, and at most half of the page.
                let table = 0.14 + 0.06 * self.runs.len().clamp(4, 6) as f32;
                Layout::down([(table, pane(Pane::Runs)), (1.0 - table, pane(Pane::Chosen))])
            }
        }
    }

    /// What is shown is made of panes; the pages of a sweep and of a blind review are of one piece.
    pub fn shows_panes(&self) -> bool {
        match self.station {
            Station::Runs => self.runs_page != RunsPage::Sweep,
            Station::Compare => !self.shows_review(),
            _ => true,
        }
    }

    /// The pane that commands are about: the chosen one, or else the first of the station.
    fn pane_in_question(&self) -> Option<Pane> {
        let chosen = self.layouts.chosen.filter(|pane| pane.station() == self.station);
        chosen.or_else(|| self.layout(self.station).panes().first().copied())
    }

    /// What a command would make of the arrangement of the station that is shown; none when nothing would change.
    pub fn arranged(&self, asked: PaneMove) -> Option<Layout> {
        asked.apply(&self.layout(self.station), self.pane_in_question()?)
    }

    /// Moves the pane that is chosen.
    pub fn arrange(&mut self, asked: PaneMove) {
        if let (Some(layout), Some(pane)) = (self.arranged(asked), self.pane_in_question()) {
            self.layouts.chosen = Some(pane);
            self.set_layout(self.station, layout);
            self.history.close();
        }
    }

    /// Chooses the next pane of the station, and brings it in front.
    pub fn choose_next_pane(&mut self) {
        let panes = self.layout(self.station).panes();
        let current = panes.iter().position(|pane| Some(*pane) == self.layouts.chosen);
        let next = current.map_or(0, |at| (at + 1) % panes.len());
        if let Some(pane) = panes.get(next).copied() {
            self.layouts.chosen = Some(pane);
            self.bring_in_front(pane);
        }
    }

    /// Brings a pane in front of the others of its tabs.
    fn bring_in_front(&mut self, pane: Pane) {
        let layout = self.layout(pane.station());
        let shown = layout.with_shown(pane);
        if shown != *layout {
            self.layouts.stations.insert(pane.station(), shown);
        }
    }

    /// Every station has its usual arrangement again; what was saved stays.
    pub fn reset_layouts(&mut self) {
        self.change_layouts("all panes where they usually are".into(), |layouts| {
            layouts.stations.clear()
        });
    }

    /// Carries out what a person did to arrangements.
    pub fn act_on_layout(&mut self, action: LayoutAction) {
        match action {
            LayoutAction::Set(station, layout) => self.set_layout(station, layout),
            LayoutAction::Show(pane) => self.bring_in_front(pane),
            LayoutAction::Choose(pane) => self.layouts.chosen = pane,
            LayoutAction::Move(pane, asked) => {
                self.layouts.chosen = Some(pane);
                self.arrange(asked);
            }
            LayoutAction::SetName(name) => self.layouts.name = name,
            LayoutAction::Save => {
                let name = self.layouts.name.trim().to_owned();
                self.layouts.name.clear();
                let stations = Station::iter()
                    .map(|station| (station, self.layout(station).into_owned()))
                    .collect();
                self.tell(Severity::Info, format!("layout {name} is saved"), None);
                self.change_layouts(format!("layout {name} saved"), |layouts| {
                    layouts.named.insert(name, stations);
                });
            }
            LayoutAction::Use(name) => {
                if let Some(stations) = self.layouts.named.get(&name).cloned() {
                    self.change_layouts(format!("layout {name} used"), |layouts| layouts.stations = stations);
                }
            }
            LayoutAction::Remove(name) => {
                self.change_layouts(format!("layout {name} removed"), |layouts| {
                    layouts.named.remove(&name);
                });
            }
        }
    }

    /// One arrangement is another one; steps of one drag are undone together.
    fn set_layout(&mut self, station: Station, layout: Layout) {
        self.change_layouts(format!("panes of {station}"), |layouts| {
            layouts.stations.insert(station, layout);
        });
    }

    fn change_layouts(&mut self, what: String, change: impl FnOnce(&mut Layouts)) {
        let before = self.layouts.clone();
        change(&mut self.layouts);
        let after = self.layouts.clone();
        self.did(Edit::Layouts {
            what,
            before: Box::new(before),
            after: Box::new(after),
        });
    }
}
