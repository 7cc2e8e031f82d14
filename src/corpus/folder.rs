//! Folders as repositories: what a user has on the disk.

use std::fs::File;
use std::path::Path;

use walkdir::{DirEntry, WalkDir};

use super::repository::is_vendored;
use super::{CorpusError, Repository, SourceFile};

/// Folders that tools fill.
const GENERATED: [&str; 6] = [
    "__pycache__",
    "build",
    "dist",
    "node_modules",
    "site-packages",
    "target",
];

/// Files that stand at the top of a project.
const PROJECT_MARKERS: [&str; 4] = [".git", "pyproject.toml", "setup.cfg", "setup.py"];

/// The Python files below a folder, which gives the repository its name.
///
/// Hidden folders, virtual environments, vendored packages and tools' folders are left out; links are not followed.
/// Fails when something cannot be read, or when there is no Python file.
pub fn repository_from_folder(folder: &Path) -> Result<Repository, CorpusError> {
    // The name of `.` is the name of the folder that it stands for.
    let root = folder.canonicalize().map_err(|source| CorpusError::Read {
        path: folder.to_owned(),
        source,
    })?;
    let mut files = Vec::new();
    for entry in entries(&root) {
        let entry = entry.map_err(|error| walk_error(folder, error))?;
        if entry.file_type().is_file() && is_python(entry.path()) {
            files.extend(read_file(&root, entry.path())?);
        }
    }
    if files.is_empty() {
        return Err(CorpusError::Empty {
            path: folder.to_owned(),
        });
    }
    let name = root.file_name().unwrap_or(root.as_os_str());
    Ok(Repository::new(name.to_string_lossy().into_owned(), files))
}

/// Every sub-folder with Python files as a repository, sorted by name; the folder itself when it is one project.
///
/// A folder is one project when a Python file, a `.git` or a packaging file stands at its top level.
/// Fails when something cannot be read, or when there is no Python file.
pub fn repositories_in_folder(folder: &Path) -> Result<Vec<Repository>, CorpusError> {
    let entries: Vec<DirEntry> = WalkDir::new(folder)
        .min_depth(1)
        .max_depth(1)
        .sort_by_file_name()
        .into_iter()
        .collect::<Result<_, _>>()
        .map_err(|error| walk_error(folder, error))?;

    let is_project = entries.iter().any(|entry| {
        entry.file_type().is_file() && is_python(entry.path())
            || PROJECT_MARKERS.iter().any(|marker| entry.file_name() == *marker)
    });
    if is_project {
        return Ok(vec![repository_from_folder(folder)?]);
    }

    let mut repositories = Vec::new();
    for entry in entries.iter().filter(|entry| !is_skipped(entry)) {
        if entry.file_type().is_dir() {
            match repository_from_folder(entry.path()) {
                Ok(repository) => repositories.push(repository),
                Err(CorpusError::Empty { .. }) => {}
                Err(error) => return Err(error),
            }
        }
    }
    if repositories.is_empty() {
        return Err(CorpusError::Empty {
            path: folder.to_owned(),
        });
    }
    Ok(repositories)
}

/// What lies below a folder, but for the folders that hold no code of this repository.
pub(super) fn entries(root: &Path) -> impl Iterator<Item = walkdir::Result<DirEntry>> {
    let all = WalkDir::new(root).into_iter();
    all.filter_entry(|entry| entry.depth() == 0 || !is_skipped(entry))
}

/// The path of a file inside its repository, parts joined by `/`.
pub(super) fn path_inside(root: &Path, path: &Path) -> String {
    let inside = path.strip_prefix(root).unwrap_or(path);
    let parts: Vec<_> = inside.iter().map(|part| part.to_string_lossy()).collect();
    parts.join("/")
}

/// The file with its path relative to the repository; nothing when it is no hand-written text.
fn read_file(root: &Path, path: &Path) -> Result<Option<SourceFile>, CorpusError> {
    File::open(path)
        .and_then(|file| SourceFile::read(path_inside(root, path), file))
        .map_err(|source| CorpusError::Read {
            path: path.to_owned(),
            source,
        })
}

/// The folder holds no code that somebody wrote for this repository.
fn is_skipped(entry: &DirEntry) -> bool {
    let name = entry.file_name().to_string_lossy();
    entry.file_type().is_dir()
        && (name.starts_with('.')
            || GENERATED.contains(&name.as_ref())
            || is_vendored(&name)
            || entry.path().join("pyvenv.cfg").is_file())
}

pub(super) fn is_python(path: &Path) -> bool {
    path.extension().is_some_and(|extension| extension == "py")
}

pub(super) fn walk_error(folder: &Path, error: walkdir::Error) -> CorpusError {
    CorpusError::Read {
        path: error.path().unwrap_or(folder).to_owned(),
        source: error.into(),
    }
}
