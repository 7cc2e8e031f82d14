//! Python wheels as repositories: a package as it is installed, read straight from the archive.

use std::fs::File;
use std::io::BufReader;
use std::path::Path;

use zip::ZipArchive;

use super::repository::is_vendored;
use super::{CorpusError, Repository, SourceFile};

/// The Python files of a wheel, without its metadata and without vendored packages.
///
/// Fails when the wheel cannot be read, is no zip archive, or holds no Python file.
pub fn repository_from_wheel(name: &str, wheel: &Path) -> Result<Repository, CorpusError> {
    let broken = |message: String| CorpusError::Wheel {
        path: wheel.to_owned(),
        message,
    };
    let file = File::open(wheel).map_err(|source| CorpusError::Read {
        path: wheel.to_owned(),
        source,
    })?;
    let mut archive = ZipArchive::new(BufReader::new(file)).map_err(|error| broken(error.to_string()))?;

    let mut files = Vec::new();
    for index in 0..archive.len() {
        let entry = archive.by_index(index).map_err(|error| broken(error.to_string()))?;
        let path = entry.name().map_err(|error| broken(error.to_string()))?.into_owned();
        if is_source(&path) {
            let file = SourceFile::read(path, entry).map_err(|error| broken(error.to_string()))?;
            files.extend(file);
        }
    }
    if files.is_empty() {
        return Err(broken("it holds no Python files".into()));
    }
    Ok(Repository::new(name.to_owned(), files))
}

/// The entry is Python code of the package itself.
fn is_source(path: &str) -> bool {
    let Some((folders, file)) = path.rsplit_once('/') else {
        return path.ends_with(".py");
    };
    file.ends_with(".py")
        && !folders
            .split('/')
            .any(|folder| is_vendored(folder) || folder.ends_with(".dist-info") || folder.ends_with(".data"))
}
