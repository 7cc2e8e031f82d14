//! Panels and widgets: they read the state and emit actions, and change nothing themselves.

pub mod charts;
pub mod code;
mod cost;
mod dialogs;
mod docks;
mod dropping;
mod first_picture;
mod first_start;
pub mod format;
mod frame;
mod launch;
mod layouts_dialog;
mod log;
mod palette;
mod rail;
mod ramps;
mod recents;
mod recording;
pub mod report;
mod screenshots;
mod shortcuts;
pub mod stations;
mod status_bar;
pub mod theme;
mod top_bar;
mod tour;
pub mod widgets;
mod workbench;

use std::cell::RefCell;
use std::sync::Arc;

use egui::mutex::Mutex;

use crate::app::{Action, AppState, Choice, Edit, UiCommand};
pub use launch::{Launch, LaunchError, default_items, launch};
pub use screenshots::{PictureError, Pictures, Played, render};
use theme::Theme;
pub use workbench::{Opening, Wake, Workbench, WorkbenchSettings, run};

/// What a panel gets: the state to read, the theme to draw with, and where to put what the person did.
pub struct View<'a> {
    /// What the workbench knows.
    pub state: &'a AppState,
    /// Colours and signs of the current mode.
    pub theme: &'static Theme,
    actions: &'a RefCell<Vec<Action>>,
}

impl<'a> View<'a> {
    /// A view of the state for one frame; actions are collected in `actions`.
    pub fn new(state: &'a AppState, theme: &'static Theme, actions: &'a RefCell<Vec<Action>>) -> Self {
        Self { state, theme, actions }
    }

    /// Asks for something; it is done after the frame.
    pub fn act(&self, action: Action) {
        self.actions.borrow_mut().push(action);
    }

    /// What a panel keeps for itself was changed by the person; it can be undone. `put` sets it in what the panel keeps.
    pub fn remember<M: Send + 'static, V: Clone + PartialEq + Send + Sync + 'static>(
        &self,
        what: &'static str,
        kept: &Arc<Mutex<M>>,
        (before, after): (V, V),
        put: fn(&mut M, V),
    ) {
        if before == after {
            return;
        }
        let kept = Arc::clone(kept);
        let put = move |again: bool| put(&mut kept.lock(), if again { after.clone() } else { before.clone() });
        self.act(Action::Did(Edit::Choice(Choice::new(what, put))));
    }

    /// Asks for a command.
    pub fn command(&self, command: UiCommand) {
        self.act(Action::Command(command));
    }
}
