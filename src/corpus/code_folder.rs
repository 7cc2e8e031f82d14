//! A folder as the playground opens it: every code file that can be read, and why others are left out.

use std::collections::BTreeMap;
use std::fs::File;
use std::path::Path;

use super::folder::{entries, is_python, path_inside, walk_error};
use super::repository::MAX_BYTES;
use super::{CorpusError, Repository, SourceFile};

/// Extensions of the files that are read where a folder has no Python. Chunks and rankings by words work on any text; what was
/// trained on Python knows these languages from the reader alone.
pub const OTHER_KINDS: [&str; 24] = [
    "c", "cc", "cpp", "cs", "go", "h", "hpp", "java", "jl", "js", "jsx", "kt", "lua", "php", "pyi", "r", "rb", "rs",
    "scala", "sh", "sql", "swift", "ts", "tsx",
];

/// Why a file of a kind that is read is not read.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum LeftOut {
    /// It is larger than what a person writes.
    #[error("it is larger than {} KiB", MAX_BYTES >> 10)]
    TooLarge,
    /// Its bytes are no text in UTF-8.
    #[error("it is not text in UTF-8")]
    NotText,
    /// The system did not let it be read.
    #[error("it cannot be read ({0})")]
    Unreadable(String),
}

/// The code below a folder: its Python files, as in training, or where there are none the files of other languages.
#[derive(Clone, Debug)]
pub struct CodeFolder {
    /// Name of the folder.
    pub name: String,
    /// What is read, sorted by path; copies of a file are all here.
    pub files: Vec<SourceFile>,
    /// What is not, by path.
    pub left_out: BTreeMap<String, LeftOut>,
    /// The files are Python.
    pub is_python: bool,
}

impl CodeFolder {
    /// The repository that chunks are cut from, in which no text stands twice.
    pub fn into_repository(self) -> Repository {
        Repository::new(self.name, self.files)
    }
}

/// Reads the code below a folder, hidden folders and those that tools fill left out; links are not followed. Files that cannot be
/// read are left out with the reason; fails when the folder itself cannot be read, or when there is no code in it.
pub fn code_folder(folder: &Path) -> Result<CodeFolder, CorpusError> {
    let root = folder.canonicalize().map_err(|source| CorpusError::Read {
        path: folder.to_owned(),
        source,
    })?;
    let (mut python, mut others) = (Vec::new(), Vec::new());
    for entry in entries(&root) {
        let entry = match entry {
            Ok(entry) => entry,
            Err(error) if error.depth() == 0 => return Err(walk_error(folder, error)),
            // A folder that the system does not let us into has nothing for us.
            Err(_) => continue,
        };
        if entry.file_type().is_file() {
            let path = entry.into_path();
            if is_python(&path) {
                python.push(path);
            } else if is_other_kind(&path) {
                others.push(path);
            }
        }
    }
    let is_python = !python.is_empty();
    let mut code = CodeFolder {
        name: root
            .file_name()
            .unwrap_or(root.as_os_str())
            .to_string_lossy()
            .into_owned(),
        files: Vec::new(),
        left_out: BTreeMap::new(),
        is_python,
    };
    for path in if is_python { python } else { others } {
        match code_file(&root, &path_inside(&root, &path)) {
            Ok(file) => code.files.push(file),
            Err(CorpusError::LeftOut { file, reason }) => {
                code.left_out.insert(file, reason);
            }
            Err(error) => return Err(error),
        }
    }
    if code.files.is_empty() && code.left_out.is_empty() {
        return Err(CorpusError::NoCode {
            path: folder.to_owned(),
        });
    }
    code.files.sort_by(|a, b| a.path.cmp(&b.path));
    Ok(code)
}

/// Reads one file of a folder, given by its path inside; fails with the reason when it is left out.
pub fn code_file(folder: &Path, path: &str) -> Result<SourceFile, CorpusError> {
    let left_out = |reason| CorpusError::LeftOut {
        file: path.to_owned(),
        reason,
    };
    let file = File::open(folder.join(path)).map_err(|error| left_out(LeftOut::Unreadable(error.to_string())))?;
    let size = file.metadata().map_or(0, |metadata| metadata.len());
    if size > MAX_BYTES {
        return Err(left_out(LeftOut::TooLarge));
    }
    match SourceFile::read(path.to_owned(), file) {
        Ok(Some(file)) => Ok(file),
        Ok(None) => Err(left_out(LeftOut::NotText)),
        Err(error) => Err(left_out(LeftOut::Unreadable(error.to_string()))),
    }
}

fn is_other_kind(path: &Path) -> bool {
    let extension = path.extension().and_then(|extension| extension.to_str());
    extension.is_some_and(|extension| OTHER_KINDS.contains(&extension))
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "a failing test should panic")]
mod tests {
    use super::*;

    #[test]
    fn python_comes_before_other_languages_and_what_is_left_out_says_why() {
        let folder = tempfile::tempdir().unwrap();
        let write = |name: &str, bytes: &[u8]| {
            let path = folder.path().join(name);
            std::fs::create_dir_all(path.parent().unwrap()).unwrap();
            std::fs::write(path, bytes).unwrap();
        };
        assert!(matches!(code_folder(folder.path()), Err(CorpusError::NoCode { .. })));
        write("src/main.rs", b"fn main() {}\r\n");
        write("notes.txt", b"nothing");
        let code = code_folder(folder.path()).unwrap();
        assert_eq!((code.files.len(), code.is_python), (1, false));
        assert_eq!(
            (code.files[0].path.as_str(), code.files[0].text.as_str()),
            ("src/main.rs", "fn main() {}\n")
        );
        write("a.py", b"x = 1\n");
        write("copy.py", b"x = 1\n");
        write("latin.py", b"x = '\xe9'\n");
        write("huge.py", &vec![b'#'; (MAX_BYTES + 1) as usize]);
        let code = code_folder(folder.path()).unwrap();
        let names: Vec<&str> = code.files.iter().map(|file| file.path.as_str()).collect();
        assert_eq!((names, code.is_python), (vec!["a.py", "copy.py"], true));
        let expected = [("huge.py", LeftOut::TooLarge), ("latin.py", LeftOut::NotText)];
        assert!(
            code.left_out
                .iter()
                .map(|(name, why)| (name.as_str(), why.clone()))
                .eq(expected)
        );
        assert_eq!(code.into_repository().files.len(), 1);
    }
}
