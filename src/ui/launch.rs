//! Opens the real window on the real engine.

use std::path::PathBuf;
use std::sync::Arc;

use super::{Opening, Wake, WorkbenchSettings, run};
use crate::app::{CatalogueItem, EngineHandle};
use crate::engine::{Command, DeviceChoice, Engine, EngineError, EngineSettings, Event};
use crate::models::catalogue::{self, Store};
use crate::runs::{Recordings, RunError};

/// What the workbench is opened with.
pub struct Launch {
    /// Where runs lie, and where new ones are made.
    pub runs_dir: PathBuf,
    /// A run to look at.
    pub open: Option<PathBuf>,
    /// Present the recorded runs that ship with the program.
    pub demo: bool,
    /// Close the window once its first picture is on the screen.
    pub first_picture: bool,
    /// What computes.
    pub device: DeviceChoice,
    /// Where models and corpora lie.
    pub store: Store,
}

/// Why the window could not be opened.
#[derive(Debug, thiserror::Error)]
pub enum LaunchError {
    /// The device asked for is not there.
    #[error(transparent)]
    Device(#[from] EngineError),
    /// The recorded runs have no place.
    #[error(transparent)]
    Recording(#[from] RunError),
    /// The window system or the graphics driver refused.
    #[error(
        "the window could not be opened: {0}; a display and a Vulkan or OpenGL driver are needed (Debian: mesa-vulkan-drivers)"
    )]
    Window(String),
}

impl EngineHandle for Engine {
    fn send(&self, command: Command) {
        Engine::send(self, command);
    }

    fn try_recv(&self) -> Option<Event> {
        self.events().try_recv().ok()
    }
}

/// Opens the workbench and returns when it is closed; a run in training finishes its step and keeps it first.
pub fn launch(launch: Launch) -> Result<(), LaunchError> {
    let Launch {
        runs_dir,
        open,
        demo,
        first_picture,
        device,
        store,
    } = launch;
    // Held here until the window is gone: it writes into their folder to its end.
    let recordings = demo.then(Recordings::shipped).transpose()?.map(Arc::new);
    let opening = Opening {
        demo: recordings.clone(),
        first_picture,
    };
    let settings = WorkbenchSettings {
        runs_dir: runs_dir.clone(),
        open,
        device: device.describe()?,
        catalogue: default_items(&store),
        cache: store.root().to_owned(),
        clock: jiff::Timestamp::now,
    };
    let engine = EngineSettings {
        runs_dir,
        device,
        store,
    };
    let start = move |wake: Wake| -> std::io::Result<Box<dyn EngineHandle>> {
        Ok(Box::new(Engine::spawn(engine, move || wake())?))
    };
    run(settings, opening, start).map_err(|error| LaunchError::Window(error.to_string()))
}

/// What the default experiment needs, and what of it is here.
pub fn default_items(store: &Store) -> Vec<CatalogueItem> {
    let items = catalogue::defaults().into_iter().filter_map(catalogue::entry);
    items
        .map(|entry| CatalogueItem {
            id: entry.id.clone(),
            name: entry.title.clone(),
            bytes: entry.bytes,
            licence: entry.licence.clone(),
            present: store.is_here(entry),
        })
        .collect()
}
