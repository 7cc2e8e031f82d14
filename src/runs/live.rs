//! Whether a process writes a run right now.
//!
//! A lock of the operating system on the file `live` answers that, not a process id and a time: the system lets go of the lock when the
//! process ends, however it ends, a paused run keeps it for as long as it likes, and a copied folder never has it.

use std::fs::{File, TryLockError};
use std::path::Path;
use std::time::Duration;

use super::{RunError, layout};

/// Takes the lock for writing; it lasts as long as the returned file.
pub(super) fn hold(folder: &Path) -> Result<File, RunError> {
    let path = folder.join(layout::LIVE);
    let file = File::options()
        .create(true)
        .truncate(false)
        .write(true)
        .open(&path)
        .map_err(RunError::write(&path))?;
    // A reader that looks at this moment holds the lock for an instant; a writer holds it on.
    for attempt in 0.. {
        match file.try_lock() {
            Ok(()) => break,
            Err(TryLockError::WouldBlock) if attempt < 10 => std::thread::sleep(Duration::from_millis(20)),
            Err(TryLockError::WouldBlock) => {
                return Err(RunError::Busy {
                    folder: folder.to_owned(),
                });
            }
            // Some network file systems know no locks; the run is then shown as interrupted while it goes on.
            Err(TryLockError::Error(_)) => break,
        }
    }
    Ok(file)
}

/// Whether some process holds the lock.
pub(super) fn is_held(folder: &Path) -> bool {
    let Ok(file) = File::open(folder.join(layout::LIVE)) else {
        return false;
    };
    matches!(file.try_lock_shared(), Err(TryLockError::WouldBlock))
}
