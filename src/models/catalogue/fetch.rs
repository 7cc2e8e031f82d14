//! Getting what is missing: packages through pip, models of the hub, with progress, cancellable, going on where it stopped.

use std::collections::VecDeque;
use std::fs::{self, File, TryLockError};
use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use super::entry::{Entry, HubSource, Source, Wheel, defaults, entries, entry};
use super::fetch_error::{FetchError, WHEEL_LIST};
use super::hub::Hub;
use super::pip;
use super::place::{place_corpus_wheel, place_model};
use super::store::Store;

/// Wheels of one call of pip: large enough that starting it does not count, small enough that a failure loses little.
const BATCH_BYTES: u64 = 16_000_000;

/// Least time between two reports.
const REPORT_EVERY: Duration = Duration::from_millis(50);

/// The speed is that of the last seconds.
const SPEED_WINDOW: Duration = Duration::from_secs(5);

/// How far a fetch has come.
#[derive(Clone, Debug, PartialEq)]
pub struct FetchProgress {
    /// Catalogue id of what is downloaded now.
    pub id: String,
    /// The file that grows.
    pub file: String,
    /// Bytes downloaded by this fetch, of all files.
    pub done: u64,
    /// Bytes that were missing when it began.
    pub total: u64,
    /// Speed over the last seconds.
    pub bytes_per_second: f64,
}

/// Gets the entries with these ids, the defaults when there are none, as far as they are not here.
///
/// A file gets its name only when it is whole and its SHA-256 is right. When it fails or is cancelled, everything complete
/// stays, and the next fetch goes on from there.
pub fn fetch(
    store: &Store,
    ids: &[&str],
    progress: &mut dyn FnMut(FetchProgress),
    cancel: &AtomicBool,
) -> Result<(), FetchError> {
    let defaults = defaults();
    let mut chosen = Vec::new();
    for id in if ids.is_empty() { &defaults } else { ids } {
        chosen.push(entry(id).ok_or_else(|| unknown(id))?);
    }
    chosen.retain(|entry| !store.is_here(entry));
    if chosen.is_empty() {
        return Ok(());
    }
    let downloads = store.downloads();
    let _lock = lock(&downloads)?;
    let wheels: Vec<_> = chosen.iter().flat_map(|entry| missing_wheels(store, entry)).collect();
    let hub_models: Vec<_> = chosen.iter().filter_map(|entry| hub_model(entry)).collect();
    let wheel_bytes: u64 = wheels.iter().map(|missing| missing.wheel.bytes).sum();
    // pip holds a batch twice for a moment, and a model lies beside its wheel while it is unpacked.
    let room = wheels
        .iter()
        .map(|missing| missing.wheel.bytes)
        .fold(BATCH_BYTES, u64::max);
    let hub_bytes: u64 = hub_models.iter().map(|(entry, _)| entry.bytes).sum();
    let mut meter = Meter::new(wheel_bytes + hub_bytes, progress);
    let done = fetch_wheels(store, &wheels, &mut meter, cancel)
        .and_then(|()| fetch_hub_models(store, &hub_models, &mut meter, cancel));
    done.map_err(|error| match error {
        FetchError::DiskFull { folder, .. } => FetchError::DiskFull {
            folder,
            bytes: meter.left() + room,
        },
        error => error,
    })
}

fn unknown(id: &str) -> FetchError {
    let known: Vec<_> = entries().iter().map(|entry| entry.id.as_str()).collect();
    FetchError::Unknown {
        id: id.to_owned(),
        known: known.join(", "),
    }
}

/// One fetch at a time works in a store. The lock ends with the file, also when the process is killed.
fn lock(downloads: &Path) -> Result<File, FetchError> {
    fs::create_dir_all(downloads).map_err(FetchError::at(downloads))?;
    let path = downloads.join("lock");
    let file = File::create(&path).map_err(FetchError::at(&path))?;
    match file.try_lock() {
        Ok(()) => Ok(file),
        Err(TryLockError::WouldBlock) => Err(FetchError::Busy {
            folder: downloads.to_owned(),
        }),
        Err(TryLockError::Error(error)) => Err(FetchError::at(&path)(error)),
    }
}

/// A wheel that an entry lacks.
#[derive(Clone, Copy)]
struct MissingWheel<'a> {
    entry: &'a Entry,
    wheel: &'a Wheel,
}

impl MissingWheel<'_> {
    /// Puts the downloaded wheel into its place.
    fn place(&self, store: &Store) -> Result<(), FetchError> {
        let path = store.downloads().join(&self.wheel.file);
        let place = store.place(self.entry);
        match &self.entry.source {
            Source::Wheel(model) => place_model(&path, model, &place),
            Source::Wheels(_) | Source::Hub(_) => place_corpus_wheel(&path, self.wheel, &place),
        }
    }
}

fn missing_wheels<'a>(store: &Store, entry: &'a Entry) -> Vec<MissingWheel<'a>> {
    let place = store.place(entry);
    let absent = |wheel: &Wheel| {
        let metadata = place.join(&wheel.file).metadata();
        !metadata.is_ok_and(|metadata| metadata.len() == wheel.bytes)
    };
    let wheels: Vec<_> = match &entry.source {
        Source::Wheel(model) => vec![&model.wheel],
        Source::Wheels(packages) => packages.iter().map(|package| &package.wheel).collect(),
        Source::Hub(_) => Vec::new(),
    };
    let missing = wheels.into_iter().filter(|wheel| absent(wheel));
    missing.map(|wheel| MissingWheel { entry, wheel }).collect()
}

fn hub_model(entry: &Entry) -> Option<(&Entry, &HubSource)> {
    match &entry.source {
        Source::Hub(source) => Some((entry, source)),
        Source::Wheel(_) | Source::Wheels(_) => None,
    }
}

fn fetch_wheels(
    store: &Store,
    missing: &[MissingWheel],
    meter: &mut Meter,
    cancel: &AtomicBool,
) -> Result<(), FetchError> {
    let downloads = store.downloads();
    let all: Vec<_> = missing.iter().map(|missing| missing.wheel).collect();
    pip::salvage(&all, &downloads)?;
    pip::sweep(&downloads)?;
    let is_downloaded = |missing: &&MissingWheel<'_>| downloads.join(&missing.wheel.file).is_file();
    let (downloaded, absent): (Vec<&MissingWheel>, Vec<&MissingWheel>) = missing.iter().partition(is_downloaded);
    for missing in downloaded {
        missing.place(store)?;
        meter.found(missing);
    }
    let list = downloads.join(WHEEL_LIST);
    fs::write(&list, wheel_list(&absent)).map_err(FetchError::at(&list))?;
    for batch in batches(&absent) {
        let wheels: Vec<_> = batch.iter().map(|missing| missing.wheel).collect();
        let id = batch.first().map_or("", |missing| &missing.entry.id);
        pip::download(
            &wheels,
            &downloads,
            &mut |bytes, file| meter.show(id, file, bytes),
            cancel,
        )?;
        for missing in batch {
            if cancel.load(Ordering::Relaxed) {
                return Err(FetchError::Cancelled);
            }
            missing.place(store)?;
            meter.downloaded(&missing.entry.id, &missing.wheel.file, missing.wheel.bytes);
        }
    }
    fs::remove_file(&list).map_err(FetchError::at(&list))
}

/// Requirements with sums, for pip on another machine.
fn wheel_list(missing: &[&MissingWheel]) -> String {
    let line = |wheel: &Wheel| format!("{}=={} --hash=sha256:{}\n", wheel.name, wheel.version, wheel.sha256);
    missing.iter().map(|missing| line(missing.wheel)).collect()
}

/// Consecutive wheels of one entry, up to `BATCH_BYTES` together.
fn batches<'a, 'b>(missing: &'b [&'a MissingWheel<'a>]) -> Vec<&'b [&'a MissingWheel<'a>]> {
    let mut bytes = 0;
    let together = |before: &&MissingWheel, next: &&MissingWheel| {
        bytes += before.wheel.bytes;
        let fits = before.entry.id == next.entry.id && bytes + next.wheel.bytes <= BATCH_BYTES;
        if !fits {
            bytes = 0;
        }
        fits
    };
    missing.chunk_by(together).collect()
}

fn fetch_hub_models(
    store: &Store,
    models: &[(&Entry, &HubSource)],
    meter: &mut Meter,
    cancel: &AtomicBool,
) -> Result<(), FetchError> {
    if models.is_empty() {
        return Ok(());
    }
    let hub = Hub::from_environment();
    for (entry, source) in models {
        let folder = store.place(entry);
        let mut files = Vec::new();
        for name in source.files.iter().filter(|name| !folder.join(name).is_file()) {
            files.push(hub.look(source, name, &folder)?);
        }
        meter.correct(entry.bytes, files.iter().map(|file| file.bytes).sum());
        for file in &files {
            hub.download(
                file,
                &folder,
                &mut |bytes| meter.show(&entry.id, &file.name, bytes),
                cancel,
            )?;
            meter.downloaded(&entry.id, &file.name, file.bytes);
        }
    }
    Ok(())
}

/// Adds up what is done and measures the speed.
struct Meter<'a> {
    total: u64,
    /// Bytes of finished files.
    finished: u64,
    /// Times and bytes done of the last seconds.
    recent: VecDeque<(Instant, u64)>,
    progress: &'a mut dyn FnMut(FetchProgress),
}

impl<'a> Meter<'a> {
    fn new(total: u64, progress: &'a mut dyn FnMut(FetchProgress)) -> Self {
        Self {
            total,
            finished: 0,
            recent: VecDeque::new(),
            progress,
        }
    }

    /// Bytes not yet done when progress was last shown.
    fn left(&self) -> u64 {
        let done = self.recent.back().map_or(self.finished, |(_, done)| *done);
        self.total.saturating_sub(done)
    }

    /// An approximate size is now known.
    fn correct(&mut self, expected: u64, found: u64) {
        self.total = self.total.saturating_sub(expected) + found;
    }

    /// A wheel was there already: done, but not downloaded, so it says nothing about the speed.
    fn found(&mut self, missing: &MissingWheel) {
        self.recent.clear();
        self.downloaded(&missing.entry.id, &missing.wheel.file, missing.wheel.bytes);
    }

    /// A file is finished.
    fn downloaded(&mut self, id: &str, file: &str, bytes: u64) {
        self.finished += bytes;
        self.show(id, file, 0);
    }

    /// `current` bytes of unfinished files are on disk.
    fn show(&mut self, id: &str, file: &str, current: u64) {
        let now = Instant::now();
        let is_early = |(last, _): &(Instant, u64)| now - *last < REPORT_EVERY;
        if current > 0 && self.recent.back().is_some_and(is_early) {
            return;
        }
        let done = (self.finished + current).min(self.total);
        self.recent.push_back((now, done));
        while self.recent.len() > 2 && self.recent.front().is_some_and(|(time, _)| now - *time > SPEED_WINDOW) {
            self.recent.pop_front();
        }
        let (since, before) = self.recent.front().copied().unwrap_or((now, done));
        let seconds = (now - since).as_secs_f64();
        (self.progress)(FetchProgress {
            id: id.to_owned(),
            file: file.to_owned(),
            done,
            total: self.total,
            bytes_per_second: done.saturating_sub(before) as f64 / seconds.max(f64::EPSILON),
        });
    }
}
