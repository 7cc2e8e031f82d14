//! The workbench without its looks: state, commands, and the one place where actions are carried out.

mod action;
mod alarm_fields;
mod command;
mod data_fields;
mod desktop;
mod digests;
mod editor;
mod execute;
pub mod fields;
mod frames;
mod hands;
mod laboratory;
mod notices;
mod objective_fields;
mod pages;
mod polling;
mod presets;
mod prompt_fields;
mod setup;
mod state;
mod sweeps;

pub use action::{Action, PathField};
pub use command::{UiCommand, evaluation_refusal};
pub use desktop::NativeDesktop;
pub use digests::{Digests, RunDigest};
pub use editor::{ExperimentEditor, differences, field_text};
pub use execute::{Desktop, EngineHandle, Outside, execute, set_path};
pub use frames::FrameTimes;
pub use hands::{Undoable, can_resume, weights};
pub use laboratory::{Asked, Laboratory};
pub use notices::{Notice, Notices, Target};
pub use pages::{ChartSettings, Overlay, RunsPage, Selection, Station, XAxis};
pub use presets::{PRESETS, Preset, SWEEPS, SweepPreset};
pub use setup::{CatalogueItem, Fetch, Setup};
pub use state::{AppState, CompletionTask, OpenRun};
pub use sweeps::Sweeps;
