//! The playground: the index of any repository, and completions at a cursor in an edited file served through it.

mod index;
pub mod messages;
mod serve;
mod shared;
mod windows;

pub(super) use serve::Listener;
pub(super) use shared::Playground;
