//! Python packages, downloaded by pip as a child process: the user's own index, proxy and certificates apply.

use std::collections::BTreeMap;
use std::fs;
use std::io::{self, Read as _};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::{self, JoinHandle};
use std::time::Duration;

use walkdir::WalkDir;

use super::entry::Wheel;
use super::fetch_error::FetchError;

/// Chooses the pure Python wheel whatever Python runs pip. One pinned version has exactly one such wheel.
pub(super) const DOWNLOAD_ARGUMENTS: [&str; 10] = [
    "--no-deps",
    "--only-binary=:all:",
    "--python-version",
    "3.13",
    "--implementation",
    "py",
    "--abi",
    "none",
    "--platform",
    "any",
];

/// How often the growing files are looked at.
const POLL: Duration = Duration::from_millis(100);

/// Prefix of the folders that pip works in.
const WORK_PREFIX: &str = "working-";

/// Downloads wheels into `folder` with one call of pip. `progress` gets the bytes that are on disk and the file that grows.
///
/// pip writes each wheel below its temporary folder and copies all to `folder` in the end, so both are looked at. When it is
/// cancelled, what is complete is kept (`salvage`).
pub(super) fn download(
    wheels: &[&Wheel],
    folder: &Path,
    progress: &mut dyn FnMut(u64, &str),
    cancel: &AtomicBool,
) -> Result<(), FetchError> {
    let work = tempfile::Builder::new()
        .prefix(WORK_PREFIX)
        .tempdir_in(folder)
        .map_err(FetchError::at(folder))?;
    let (python, mut child) = start(wheels, folder, work.path())?;
    let words = listen(&mut child).map_err(FetchError::at(folder))?;
    let status = loop {
        thread::sleep(POLL);
        if cancel.load(Ordering::Relaxed) {
            // A child that has just ended cannot be killed, which is as good.
            child.kill().ok();
            child.wait().map_err(FetchError::at(folder))?;
            salvage(wheels, folder)?;
            return Err(FetchError::Cancelled);
        }
        let (bytes, file) = grown(wheels, folder);
        progress(bytes, file);
        if let Some(status) = child.try_wait().map_err(FetchError::at(folder))? {
            break status;
        }
    };
    if status.success() {
        return Ok(());
    }
    salvage(wheels, folder)?;
    Err(explain(&words.join().unwrap_or_default(), python, wheels, folder))
}

/// Starts pip with whichever name Python has here.
fn start(wheels: &[&Wheel], folder: &Path, work: &Path) -> Result<(&'static str, Child), FetchError> {
    for python in ["python3", "python"] {
        let mut command = Command::new(python);
        command
            .args([
                "-m",
                "pip",
                "download",
                "--quiet",
                "--no-input",
                "--no-cache-dir",
                "--progress-bar=off",
            ])
            .arg("--disable-pip-version-check")
            .args(DOWNLOAD_ARGUMENTS)
            .arg("--dest")
            .arg(folder)
            .args(wheels.iter().map(|wheel| format!("{}=={}", wheel.name, wheel.version)));
        for variable in ["TMPDIR", "TEMP", "TMP"] {
            command.env(variable, work);
        }
        command
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::piped());
        // Ctrl-C in a terminal goes to the whole process group; pip would delete what it has before we can keep it.
        #[cfg(unix)]
        std::os::unix::process::CommandExt::process_group(&mut command, 0);
        match command.spawn() {
            Ok(child) => return Ok((python, child)),
            Err(error) if error.kind() == io::ErrorKind::NotFound => {}
            Err(error) => return Err(FetchError::at(folder)(error)),
        }
    }
    Err(FetchError::NoPython {
        folder: folder.to_owned(),
    })
}

/// Collects what pip says. Not in a file: it must be heard above all when the disk is full.
fn listen(child: &mut Child) -> io::Result<JoinHandle<String>> {
    let stderr = child.stderr.take();
    thread::Builder::new().name("pip".into()).spawn(move || {
        let mut words = Vec::new();
        if let Some(mut stderr) = stderr {
            // What was heard before a broken pipe is still worth telling.
            stderr.read_to_end(&mut words).ok();
        }
        String::from_utf8_lossy(&words).into_owned()
    })
}

/// The files below `folder` that bear the name of one of these wheels, with their sizes.
fn present<'a>(wheels: &[&'a Wheel], folder: &Path) -> Vec<(&'a Wheel, PathBuf, u64)> {
    let files = WalkDir::new(folder).into_iter().filter_map(Result::ok);
    files
        .filter_map(|file| {
            let wheel = wheels.iter().find(|wheel| file.file_name() == wheel.file.as_str())?;
            let bytes = file.metadata().ok()?.len();
            Some((*wheel, file.into_path(), bytes))
        })
        .collect()
}

/// Bytes on disk, each wheel counted once, and the wheel that grows now.
fn grown<'a>(wheels: &[&'a Wheel], folder: &Path) -> (u64, &'a str) {
    let mut sizes = BTreeMap::new();
    for (wheel, _, bytes) in present(wheels, folder) {
        let size = sizes.entry(&wheel.file).or_insert(0);
        *size = bytes.clamp(*size, wheel.bytes);
    }
    let growing = wheels
        .iter()
        .find(|wheel| sizes.get(&wheel.file).is_none_or(|bytes| *bytes < wheel.bytes));
    (
        sizes.values().sum(),
        growing.or(wheels.last()).map_or("", |wheel| &wheel.file),
    )
}

/// Moves wheels of full size out of pip's working folders into `folder`, also those of an earlier process that was killed, and
/// deletes wheels of another size, which pip would take for whole ones. Only for the holder of the store's lock.
pub(super) fn salvage(wheels: &[&Wheel], folder: &Path) -> Result<(), FetchError> {
    for (wheel, path, bytes) in present(wheels, folder) {
        let place = folder.join(&wheel.file);
        if bytes != wheel.bytes {
            fs::remove_file(&path).map_err(FetchError::at(&path))?;
        } else if path != place {
            fs::rename(&path, &place).map_err(FetchError::at(&place))?;
        }
    }
    Ok(())
}

/// Deletes the working folders of processes that were killed. Only for the holder of the store's lock.
pub(super) fn sweep(folder: &Path) -> Result<(), FetchError> {
    for item in fs::read_dir(folder).map_err(FetchError::at(folder))? {
        let item = item.map_err(FetchError::at(folder))?;
        if item.file_name().to_string_lossy().starts_with(WORK_PREFIX) {
            fs::remove_dir_all(item.path()).map_err(FetchError::at(&item.path()))?;
        }
    }
    Ok(())
}

/// What pip's words mean.
fn explain(log: &str, python: &'static str, wheels: &[&Wheel], folder: &Path) -> FetchError {
    let says = |words: &[&str]| words.iter().any(|words| log.contains(words));
    let folder = folder.to_owned();
    if says(&["No module named pip"]) {
        return FetchError::NoPip { python, folder };
    }
    if says(&["No space left on device", "Errno 28", "Disk quota exceeded"]) {
        return FetchError::DiskFull { folder, bytes: 0 };
    }
    let last = log.lines().rev().find(|line| line.starts_with("ERROR"));
    let last = last.or_else(|| log.lines().rev().find(|line| !line.trim().is_empty()));
    let missing = wheels.iter().filter(|wheel| !folder.join(&wheel.file).is_file());
    let missing: Vec<_> = missing
        .map(|wheel| format!("{} {}", wheel.name, wheel.version))
        .collect();
    FetchError::Pip {
        wheels: missing.join(", "),
        message: last.unwrap_or("it gave no reason").trim().to_owned(),
        folder,
    }
}
