//! The workbench without its looks: state, commands, and the one place where actions are carried out.

mod action;
mod command;
mod editor;
pub mod fields;
mod frames;
mod notices;
mod presets;
mod setup;
mod state;

pub use action::Action;
pub use command::UiCommand;
pub use editor::{ExperimentEditor, differences};
pub use frames::FrameTimes;
pub use notices::{Notice, Notices, Target};
pub use presets::{PRESETS, Preset};
pub use setup::{CatalogueItem, Fetch, Setup};
pub use state::{AppState, ChartSettings, CompletionTask, OpenRun, Overlay, Selection, Station, XAxis};
