//! The drawer below the charts: the chunks behind what was chosen, the samples that they serve, what their soft tokens say, what
//! would be without them, and what can be done from here.

use egui::{Key, Modifiers};
use strum::IntoEnumIterator as _;

use super::collapse_charts::Shown;
use super::collapse_counterfactual::{WhatIf, what_if_ui};
use super::collapse_hands::{Hands, hands_ui};
use super::collapse_links::{Links, samples_ui};
use super::collapse_listed::{FIRST_LIMIT, listed_ui};
use super::collapse_pairs::{LISTED, Pairs, PairsCache, Part, Picked, Whose, limit};
use super::collapse_reader::ProbeReader;
use super::collapse_reading::reading_ui;
use super::collapse_series::EncoderProbe;
use crate::app::{Action, OpenRun};
use crate::ui::View;

/// What the drawer shows.
#[derive(Clone, Copy, Debug, PartialEq, Eq, strum::EnumIter)]
enum Page {
    /// Pairs of chunks, code beside code.
    Pairs,
    /// The samples that retrieve the chosen chunks, with their completions.
    Samples,
    /// What the soft tokens of the chosen chunk say.
    SoftToken,
    /// The chosen sample with other soft tokens.
    WhatIf,
    /// Weights, roll-back and forks.
    Hands,
}

/// The key of each page and what it shows, for the sheet of shortcuts.
pub fn drawer_keys() -> impl Iterator<Item = (&'static str, &'static str)> {
    Page::iter().map(|page| (page.key().name(), page.label()))
}

impl Page {
    fn label(self) -> &'static str {
        match self {
            Self::Pairs => "pairs of chunks",
            Self::Samples => "samples and completions",
            Self::SoftToken => "what a soft token says",
            Self::WhatIf => "what if",
            Self::Hands => "act from here",
        }
    }

    fn help(self) -> &'static str {
        match self {
            Self::Pairs => {
                "The pairs of chunks behind what was chosen, their code side by side, and which pairs merged first"
            }
            Self::Samples => "The samples that retrieve the chosen chunks, and what each arm completed",
            Self::SoftToken => "Nearest tokens, the reader's continuation and the names that it recalls, over the run",
            Self::WhatIf => "A sample completed again with soft tokens dropped, emptied, averaged, swapped or shuffled",
            Self::Hands => "Raise the alignment weight, roll back, or fork at the step that is looked at",
        }
    }

    fn key(self) -> Key {
        match self {
            Self::Pairs => Key::C,
            Self::Samples => Key::S,
            Self::SoftToken => Key::T,
            Self::WhatIf => Key::W,
            Self::Hands => Key::A,
        }
    }
}

/// What the drawer keeps between frames.
#[derive(Default)]
pub struct Drawer {
    page: Option<Page>,
    picked: Option<Picked>,
    pairs: PairsCache,
    links: Links,
    what_if: WhatIf,
    hands: Hands,
}

impl Drawer {
    /// What was chosen in the charts.
    pub fn picked(&self) -> Option<Picked> {
        self.picked
    }

    /// Shows what was chosen in a chart: a cell, a bin, a point ([`Part::Chunk`]), or the step of a curve ([`Part::Step`]).
    pub fn pick(&mut self, view: &View<'_>, picked: Picked) {
        self.picked = Some(picked);
        self.page.get_or_insert(Page::Pairs);
        match picked.part {
            Part::Cell(row, other) => view.act(Action::SelectPair(row, other)),
            Part::Chunk(row) => view.act(Action::SelectChunk(Some(row))),
            // The first pair of the list is chosen when it is known.
            Part::Bin(_) | Part::Step | Part::Merged(_) => view.act(Action::SelectChunk(None)),
        }
    }

    /// Some page of it is open.
    pub fn is_open(&self) -> bool {
        self.page.is_some()
    }

    /// Forgets what was chosen: another run is looked at.
    pub fn forget(&mut self) {
        self.picked = None;
    }
}

/// What the pages of the drawer look at.
pub struct Looked<'a> {
    /// The run.
    pub open: &'a OpenRun,
    /// The same as the charts show it.
    pub run: &'a Shown,
    /// The two chunks that are chosen.
    pub pair: (usize, usize),
}

/// Draws the row of pages and answers with the run that they are about.
pub fn drawer_bar_ui<'a>(
    ui: &mut egui::Ui,
    view: &'a View<'_>,
    drawer: &mut Drawer,
    shown: &'a [Shown],
) -> Option<(&'a Shown, &'a OpenRun)> {
    let whose = drawer.picked.map_or(Whose::Run(0), |picked| picked.whose);
    let run = match whose {
        Whose::Run(index) => shown.get(index).or(shown.first()),
        Whose::Encoder => shown.first(),
    };
    let run = run?;
    let open = view.state.open_runs.get(&run.folder)?;
    keys(ui, drawer);
    egui::Panel::bottom("drawer pages")
        .frame(egui::Frame::new().inner_margin(egui::Margin::symmetric(0, 4)))
        .resizable(false)
        .show(ui, |ui| pages_ui(ui, drawer));
    Some((run, open))
}

fn pages_ui(ui: &mut egui::Ui, drawer: &mut Drawer) {
    ui.horizontal_wrapped(|ui| {
        for page in Page::iter() {
            let is_open = drawer.page == Some(page);
            let help = format!("{} ({})", page.help(), page.key().name());
            if ui.selectable_label(is_open, page.label()).on_hover_text(help).clicked() {
                drawer.page = (!is_open).then_some(page);
            }
        }
        if drawer.page.is_some() {
            ui.with_layout(egui::Layout::right_to_left(egui::Align::Center), |ui| {
                if ui
                    .button("Close")
                    .on_hover_text("Leaves the room to the charts (Esc)")
                    .clicked()
                {
                    close(drawer);
                }
            });
        }
    });
}

fn close(drawer: &mut Drawer) {
    drawer.page = None;
    drawer.picked = None;
}

/// Each page has a key, while nobody types; Escape closes the drawer.
fn keys(ui: &egui::Ui, drawer: &mut Drawer) {
    // A menu that is open has Escape for itself.
    let covered = ui.ctx().memory(|memory| memory.top_modal_layer().is_some()) || egui::Popup::is_any_open(ui.ctx());
    if covered || ui.ctx().egui_wants_keyboard_input() {
        return;
    }
    ui.input_mut(|input| {
        for page in Page::iter() {
            if input.modifiers.is_none() && input.consume_key(Modifiers::NONE, page.key()) {
                drawer.page = (drawer.page != Some(page)).then_some(page);
            }
        }
        if drawer.page.is_some() && input.consume_key(Modifiers::NONE, Key::Escape) {
            close(drawer);
        }
    });
}

/// Draws the page that is open.
pub fn drawer_ui(
    ui: &mut egui::Ui,
    view: &View<'_>,
    (drawer, reader): (&mut Drawer, &mut ProbeReader),
    encoder: &EncoderProbe,
    (run, open): (&Shown, &OpenRun),
) {
    let Some(page) = drawer.page else { return };
    let picked = drawer.picked.unwrap_or(Picked {
        whose: Whose::Run(0),
        part: Part::Merged(FIRST_LIMIT),
    });
    let left;
    let merged;
    let pairs = match picked.part {
        Part::Merged(place) => {
            let found;
            (found, left) = reader.first_to_merge(ui.ctx(), open.run(), place, LISTED);
            merged = Pairs::of_merged(&run.name, limit(place), &found);
            &merged
        }
        _ => {
            left = 0;
            drawer.pairs.of(picked, encoder, run)
        }
    };
    let selection = &view.state.selection;
    let chosen = selection.pair().or_else(|| {
        let of_chunk = |pair: &&(usize, usize)| selection.chunk.is_none_or(|chunk| pair.0 == chunk);
        pairs.pairs.iter().find(of_chunk).copied()
    });
    if let (None, Some((row, other))) = (selection.pair(), chosen) {
        view.act(Action::SelectPair(row, other));
    }
    let pair = chosen.unwrap_or_else(|| (selection.chunk.unwrap_or(0), selection.chunk.unwrap_or(0)));
    let looked = Looked { open, run, pair };
    match page {
        Page::Pairs => {
            if let Some(part) = listed_ui(ui, view, (pairs, left), picked, encoder, &looked) {
                drawer.pick(view, Picked { part, ..picked });
            }
        }
        Page::Samples => samples_ui(ui, view, &mut drawer.links, &looked),
        Page::SoftToken => reading_ui(ui, view, &looked),
        Page::WhatIf => what_if_ui(ui, view, (&mut drawer.what_if, &mut drawer.links), &looked),
        Page::Hands => hands_ui(ui, view, &mut drawer.hands, &looked),
    }
}
