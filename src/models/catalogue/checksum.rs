//! SHA-256 of files and folders, remembered so that a large file is read once.

use std::collections::BTreeMap;
use std::fs;
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};
use std::time::UNIX_EPOCH;

use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};
use walkdir::WalkDir;

use crate::models::digest::{hash_of_file, hexadecimal};

/// SHA-256 of a file's content, in hexadecimal.
pub(super) fn sha256_file(path: &Path) -> io::Result<String> {
    hash_of_file(path).map(hexadecimal)
}

/// A file's sum as it was at a size and a time.
#[derive(Clone, Serialize, Deserialize)]
struct Remembered {
    bytes: u64,
    modified_nanos: u64,
    sha256: String,
}

/// The sums of files, kept in one file of the store: a model folder that is not ours stays as it is.
pub(super) struct Checksums {
    path: PathBuf,
    known: BTreeMap<PathBuf, Remembered>,
    changed: bool,
}

impl Checksums {
    /// Reads the remembered sums; none when the file is missing or unreadable, since it is only a cache.
    pub(super) fn open(path: PathBuf) -> Self {
        let known = fs::read(&path)
            .ok()
            .and_then(|bytes| serde_json::from_slice(&bytes).ok())
            .unwrap_or_default();
        Self {
            path,
            known,
            changed: false,
        }
    }

    /// SHA-256 of a file, from memory when size and time of change are the same.
    pub(super) fn file(&mut self, path: &Path) -> io::Result<String> {
        let path = path.canonicalize()?;
        let metadata = path.metadata()?;
        let modified = metadata.modified()?.duration_since(UNIX_EPOCH).unwrap_or_default();
        let modified_nanos = u64::try_from(modified.as_nanos()).unwrap_or(u64::MAX);
        if let Some(known) = self.known.get(&path)
            && (known.bytes, known.modified_nanos) == (metadata.len(), modified_nanos)
        {
            return Ok(known.sha256.clone());
        }
        let sha256 = sha256_file(&path)?;
        let remembered = Remembered {
            bytes: metadata.len(),
            modified_nanos,
            sha256: sha256.clone(),
        };
        self.known.insert(path, remembered);
        self.changed = true;
        Ok(sha256)
    }

    /// SHA-256 of the files below a folder that have one of these extensions: the sum of the lines `<sum>  <relative path>`
    /// in the order of the paths, as `sha256sum` prints them.
    pub(super) fn folder(&mut self, folder: &Path, extensions: &[&str]) -> io::Result<String> {
        let mut hasher = Sha256::new();
        for file in WalkDir::new(folder).follow_links(true).sort_by_file_name() {
            let file = file?;
            let fits = file
                .path()
                .extension()
                .is_some_and(|found| extensions.iter().any(|wanted| found == *wanted));
            if file.file_type().is_file() && fits {
                let relative = file.path().strip_prefix(folder).unwrap_or(file.path());
                let name = relative.to_string_lossy().replace('\\', "/");
                hasher.update(format!("{}  {name}\n", self.file(file.path())?));
            }
        }
        Ok(hexadecimal(hasher))
    }

    /// Writes what was learned.
    pub(super) fn remember(&self) -> io::Result<()> {
        let Some(folder) = self.path.parent().filter(|_| self.changed) else {
            return Ok(());
        };
        fs::create_dir_all(folder)?;
        let mut file = tempfile::NamedTempFile::new_in(folder)?;
        file.write_all(&serde_json::to_vec_pretty(&self.known)?)?;
        file.persist(&self.path)?;
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

    use super::*;

    #[test]
    fn sum_of_a_file_follows_its_content() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("a.json");
        fs::write(&file, "abc").unwrap();
        let mut sums = Checksums::open(folder.path().join("sums"));
        // The example of FIPS 180-4.
        let abc = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad";
        assert_eq!(sums.file(&file).unwrap(), abc);
        sums.remember().unwrap();
        let mut again = Checksums::open(folder.path().join("sums"));
        assert_eq!(again.file(&file).unwrap(), abc);
        assert!(!again.changed);
        fs::write(&file, "abcd").unwrap();
        assert_ne!(again.file(&file).unwrap(), abc);
    }

    #[test]
    fn sum_of_a_folder_sees_names_and_content_but_not_other_files() {
        let folder = tempfile::tempdir().unwrap();
        let sum = || {
            Checksums::open(folder.path().join("sums"))
                .folder(folder.path(), &["json"])
                .unwrap()
        };
        fs::write(folder.path().join("a.json"), "1").unwrap();
        let first = sum();
        fs::write(folder.path().join("README.md"), "1").unwrap();
        assert_eq!(sum(), first);
        fs::rename(folder.path().join("a.json"), folder.path().join("b.json")).unwrap();
        assert_ne!(sum(), first);
    }
}
