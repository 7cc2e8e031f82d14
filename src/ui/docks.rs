//! The panes of a station where a person put them: dragged by their grips, resized by the lines between them, or moved by commands.

use egui::{Color32, Id, Rect, Role, Sense, Stroke, StrokeKind, Ui, UiBuilder, Visuals, WidgetInfo, WidgetText, vec2};
use egui_tiles::{
    Behavior, Container, EditAction, Linear, LinearDir, ResizeState, Tabs, Tile, TileId, Tiles, Tree, UiResponse,
};
use strum::IntoEnumIterator as _;

use super::View;
use super::theme::{self, Theme};
use crate::app::{Action, Direction, Layout, LayoutAction, Pane, Part, Station, UiCommand};

/// Room between two panes, with the line that resizes them in the middle.
const BETWEEN: f32 = 14.0;

/// Height of the strip at the top of a pane that holds its grip.
const STRIP: f32 = 10.0;

/// Least width and height of a pane, points.
const LEAST: f32 = 120.0;

/// First number of a container's tile; those of panes are below.
const CONTAINERS: u64 = 1000;

/// What the menu of a grip offers.
const MENU: [&[UiCommand]; 3] = [
    &[
        UiCommand::PaneLeft,
        UiCommand::PaneRight,
        UiCommand::PaneUp,
        UiCommand::PaneDown,
        UiCommand::PaneTabs,
    ],
    &[
        UiCommand::PaneWider,
        UiCommand::PaneNarrower,
        UiCommand::PaneTaller,
        UiCommand::PaneLower,
    ],
    &[UiCommand::Layouts, UiCommand::ResetLayout],
];

/// Draws the panes of the station that is shown; of `panes`, only those that have something to show now.
pub fn panes_ui(ui: &mut Ui, view: &View<'_>, panes: &[Pane], mut draw: impl FnMut(&mut Ui, Pane)) {
    let station = view.state.station;
    let layout = view.state.layout(station).fitted(ui.available_width(), BETWEEN);
    let mut tree = tree_of(&layout, station);
    for pane in Pane::iter().filter(|pane| pane.station() == station) {
        tree.set_visible(tile_of(pane), panes.contains(&pane));
    }
    let mut docks = Docks {
        view,
        theme: Theme::of(ui),
        tabbed: tabbed(&tree.tiles),
        alone: panes.len() < 2,
        draw: &mut draw,
        dragged: false,
        tab_chosen: false,
    };
    tree.ui(&mut docks, ui);
    let (dragged, tab_chosen) = (docks.dragged, docks.tab_chosen);
    let layout = tree
        .root
        .filter(|_| dragged || tab_chosen)
        .and_then(|root| layout_of(&tree, root)?.tidy());
    match layout {
        Some(layout) if dragged => view.act(Action::Layout(LayoutAction::Set(station, layout))),
        Some(layout) => {
            let shown = layout.in_front().into_iter();
            shown.for_each(|pane| view.act(Action::Layout(LayoutAction::Show(pane))));
        }
        None => {}
    }
    let leaves = ui.input(|input| input.pointer.any_pressed() || input.key_pressed(egui::Key::Escape));
    if leaves && view.state.layouts.chosen.is_some() {
        view.act(Action::Layout(LayoutAction::Choose(None)));
    }
}

/// A pane has the same tile wherever it is.
fn tile_of(pane: Pane) -> TileId {
    TileId::from_u64(pane as u64)
}

fn tree_of(layout: &Layout, station: Station) -> Tree<Pane> {
    let mut tiles = Tiles::default();
    let mut next = CONTAINERS;
    let root = insert(&mut tiles, layout, &mut next);
    Tree::new(Id::unique(("panes of", station.to_string())), root, tiles)
}

/// Puts an arrangement into the tiles and answers with its own.
fn insert(tiles: &mut Tiles<Pane>, layout: &Layout, next: &mut u64) -> TileId {
    let container = match layout {
        Layout::Pane(pane) => {
            tiles.insert(tile_of(*pane), Tile::Pane(*pane));
            return tile_of(*pane);
        }
        Layout::Tabs { parts, shown } => {
            let children: Vec<TileId> = parts.iter().map(|part| insert(tiles, part, next)).collect();
            let active = children.get(*shown).copied();
            let mut tabs = Tabs::new(children);
            tabs.active = active;
            Container::Tabs(tabs)
        }
        Layout::Split { direction, parts } => {
            let children: Vec<(TileId, f32)> = parts
                .iter()
                .map(|part| (insert(tiles, &part.layout, next), part.share))
                .collect();
            let direction = match direction {
                Direction::Across => LinearDir::Horizontal,
                Direction::Down => LinearDir::Vertical,
            };
            let mut linear = Linear::new(direction, children.iter().map(|(child, _)| *child).collect());
            for (child, share) in children {
                linear.shares.set_share(child, share);
            }
            Container::Linear(linear)
        }
    };
    let id = TileId::from_u64(*next);
    *next += 1;
    tiles.insert(id, Tile::Container(container));
    id
}

/// The arrangement below a tile, as it was dragged.
fn layout_of(tree: &Tree<Pane>, tile: TileId) -> Option<Layout> {
    let container = match tree.tiles.get(tile)? {
        Tile::Pane(pane) => return Some(Layout::Pane(*pane)),
        Tile::Container(container) => container,
    };
    let below = |child: &TileId| layout_of(tree, *child);
    Some(match container {
        Container::Tabs(tabs) => Layout::Tabs {
            parts: tabs.children.iter().filter_map(below).collect(),
            shown: tabs
                .children
                .iter()
                .position(|child| Some(*child) == tabs.active)
                .unwrap_or(0),
        },
        Container::Linear(linear) => Layout::Split {
            direction: match linear.dir {
                LinearDir::Horizontal => Direction::Across,
                LinearDir::Vertical => Direction::Down,
            },
            parts: linear
                .children
                .iter()
                .filter_map(|child| Some(Part::new(linear.shares[*child], below(child)?)))
                .collect(),
        },
        // None is made here, and nothing that is dragged makes one.
        Container::Grid(grid) => Layout::Split {
            direction: Direction::Across,
            parts: grid
                .children()
                .filter_map(below)
                .map(|layout| Part::new(1.0, layout))
                .collect(),
        },
    })
}

/// The tiles that are tabs of others.
fn tabbed(tiles: &Tiles<Pane>) -> Vec<TileId> {
    let tabs = tiles.tiles().filter_map(|tile| match tile {
        Tile::Container(Container::Tabs(tabs)) => Some(tabs.children.clone()),
        _ => None,
    });
    tabs.flatten().collect()
}

struct Docks<'a, 'v> {
    view: &'a View<'v>,
    theme: &'static Theme,
    /// Tiles that have a tab.
    tabbed: Vec<TileId>,
    /// There is but one pane, which nothing can be done to.
    alone: bool,
    draw: &'a mut dyn FnMut(&mut Ui, Pane),
    /// A pane was moved or resized by hand.
    dragged: bool,
    /// A pane was brought in front.
    tab_chosen: bool,
}

impl Docks<'_, '_> {
    fn is_chosen(&self, pane: Pane) -> bool {
        self.view.state.layouts.chosen == Some(pane)
    }

    /// The mark at the top of a pane that it is dragged by; a click on it opens the menu.
    fn grip_ui(&self, ui: &mut Ui, pane: Pane) -> UiResponse {
        let strip = ui.max_rect().with_max_y(ui.max_rect().top() + STRIP);
        let rect = Rect::from_center_size(strip.center(), vec2(56.0, STRIP));
        let response = ui.interact(rect, Id::unique(("grip", pane)), Sense::click_and_drag());
        let name = format!("Arrange {}", pane.name());
        response.widget_info(|| WidgetInfo::labeled(Role::Button, true, &name));
        let color = match (
            self.is_chosen(pane) || response.has_focus(),
            response.hovered() || response.dragged(),
        ) {
            (true, _) => self.theme.accent,
            (false, true) => self.theme.text,
            (false, false) => self.theme.line,
        };
        let bar = Rect::from_center_size(strip.center(), vec2(28.0, 3.0));
        ui.painter().rect_filled(bar, 1.5, color);
        egui::Popup::menu(&response).show(|ui| self.menu_ui(ui, pane));
        let response = response.on_hover_cursor(egui::CursorIcon::Grab);
        let dragged = response.drag_started();
        response.on_hover_text(format!(
            "{}: drag it to a side of another pane, or onto it for tabs; click for more",
            pane.name()
        ));
        match dragged {
            true => UiResponse::DragStarted,
            false => UiResponse::None,
        }
    }

    fn menu_ui(&self, ui: &mut Ui, pane: Pane) {
        for (place, commands) in MENU.iter().enumerate() {
            if place > 0 {
                ui.separator();
            }
            for command in *commands {
                let shortcut = command.shortcut().map(|shortcut| ui.ctx().format_shortcut(&shortcut));
                let button = egui::Button::new(command.name()).shortcut_text(shortcut.unwrap_or_default());
                if ui.add(button).on_hover_text(command.tooltip()).clicked() {
                    self.view.act(match command.pane_move() {
                        Some(asked) => Action::Layout(LayoutAction::Move(pane, asked)),
                        None => Action::Command(*command),
                    });
                    ui.close();
                }
            }
        }
    }
}

impl Behavior<Pane> for Docks<'_, '_> {
    fn pane_ui(&mut self, ui: &mut Ui, tile: TileId, pane: &mut Pane) -> UiResponse {
        // What is folded open, scrolled or being typed stays so wherever the pane goes.
        let mut ui = ui.new_child(
            UiBuilder::new()
                .scope_id(Id::unique(("pane", *pane)))
                .max_rect(ui.max_rect()),
        );
        let clip = ui.clip_rect().intersect(ui.max_rect().expand(BETWEEN / 2.0));
        ui.set_clip_rect(clip);
        let mut response = UiResponse::None;
        if !self.alone && !self.tabbed.contains(&tile) {
            response = self.grip_ui(&mut ui, *pane);
            ui.add_space(STRIP);
        }
        (self.draw)(&mut ui, *pane);
        response
    }

    fn tab_title_for_pane(&mut self, pane: &Pane) -> WidgetText {
        theme::caption(pane.name()).into()
    }

    fn tab_title_for_tile(&mut self, tiles: &Tiles<Pane>, tile: TileId) -> WidgetText {
        let names: Vec<&str> = match tiles.get(tile) {
            Some(Tile::Pane(pane)) => vec![pane.name()],
            Some(Tile::Container(container)) => container
                .children()
                .filter_map(|child| tiles.get_pane(child))
                .map(|pane| pane.name())
                .collect(),
            None => Vec::new(),
        };
        theme::caption(names.join(", ")).into()
    }

    fn on_edit(&mut self, action: EditAction) {
        match action {
            EditAction::TileResized | EditAction::TileDropped => self.dragged = true,
            EditAction::TabSelected => self.tab_chosen = true,
            EditAction::TileDragged => {}
        }
    }

    fn gap_width(&self, _style: &egui::Style) -> f32 {
        BETWEEN
    }

    fn min_size(&self) -> f32 {
        LEAST
    }

    fn tab_bar_color(&self, _visuals: &Visuals) -> Color32 {
        self.theme.background
    }

    fn tab_bg_color(
        &self,
        _visuals: &Visuals,
        _tiles: &Tiles<Pane>,
        _tile: TileId,
        state: &egui_tiles::TabState,
    ) -> Color32 {
        if state.active {
            self.theme.raised
        } else {
            Color32::TRANSPARENT
        }
    }

    fn tab_text_color(
        &self,
        _visuals: &Visuals,
        _tiles: &Tiles<Pane>,
        _tile: TileId,
        state: &egui_tiles::TabState,
    ) -> Color32 {
        if state.active {
            self.theme.strong
        } else {
            self.theme.weak
        }
    }

    fn tab_outline_stroke(
        &self,
        _visuals: &Visuals,
        _tiles: &Tiles<Pane>,
        _tile: TileId,
        _state: &egui_tiles::TabState,
    ) -> Stroke {
        Stroke::NONE
    }

    fn tab_bar_hline_stroke(&self, _visuals: &Visuals) -> Stroke {
        Stroke::new(1.0, self.theme.line)
    }

    fn resize_stroke(&self, _style: &egui::Style, state: ResizeState) -> Stroke {
        match state {
            ResizeState::Idle => Stroke::new(1.0, self.theme.line),
            ResizeState::Hovering => Stroke::new(1.0, self.theme.weak),
            ResizeState::Dragging => Stroke::new(theme::STRONG_LINE, self.theme.accent),
        }
    }

    fn drag_preview_stroke(&self, _visuals: &Visuals) -> Stroke {
        Stroke::new(1.0, self.theme.accent)
    }

    fn drag_preview_color(&self, _visuals: &Visuals) -> Color32 {
        self.theme.accent.gamma_multiply(0.15)
    }

    fn dragged_overlay_color(&self, _visuals: &Visuals) -> Color32 {
        self.theme.background.gamma_multiply(0.5)
    }

    fn paint_on_top_of_tile(&self, painter: &egui::Painter, _style: &egui::Style, tile: TileId, rect: Rect) {
        if self.view.state.layouts.chosen.map(tile_of) == Some(tile) {
            let stroke = Stroke::new(1.0, self.theme.accent);
            painter.rect_stroke(rect.expand(4.0), theme::ROUNDING, stroke, StrokeKind::Inside);
        }
    }
}
