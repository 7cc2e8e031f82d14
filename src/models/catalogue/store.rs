//! The cache folder: where models and code lie, and how a name in an experiment becomes files.

use std::env;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use directories::ProjectDirs;

use super::checksum::Checksums;
use super::entry::{Entry, EntryKind, Source, entries, entry};
use super::hub_cache::{find_snapshot, hub_cache};
use crate::corpus::Split;
use crate::models::ModelError;

/// Models and code on this machine.
#[derive(Clone, Debug)]
pub struct Store {
    root: PathBuf,
}

/// The files of a reader.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ReaderFiles {
    /// One GGUF file, tokenizer included.
    Gguf(PathBuf),
    /// A folder with `config.json`, `tokenizer.json` and safetensors.
    Folder(PathBuf),
}

/// The files of a corpus.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum CorpusFiles {
    /// Wheels, each a repository with its split.
    Wheels(Vec<CorpusWheel>),
    /// A folder whose sub-folders are repositories.
    Folder(PathBuf),
}

/// A wheel that is a repository.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CorpusWheel {
    /// Name of the package.
    pub name: String,
    /// The wheel, a zip archive.
    pub path: PathBuf,
    /// The split that the package belongs to.
    pub split: Split,
    /// Its licence as SPDX identifier.
    pub licence: String,
}

impl Store {
    /// The store in `folder`; else in `LLAVACODE_CACHE`; else in the platform's cache folder. Nothing is created yet.
    pub fn open(folder: Option<&Path>) -> Result<Self, ModelError> {
        let variable = || {
            env::var_os("LLAVACODE_CACHE")
                .filter(|value| !value.is_empty())
                .map(PathBuf::from)
        };
        let platform = || Some(ProjectDirs::from("", "", "llavacode")?.cache_dir().to_owned());
        let root = folder.map(Path::to_owned).or_else(variable).or_else(platform);
        Ok(Self {
            root: root.ok_or(ModelError::NoCacheFolder)?,
        })
    }

    /// The folder of the store.
    pub fn root(&self) -> &Path {
        &self.root
    }

    /// Where a fetch puts an entry.
    pub(super) fn place(&self, entry: &Entry) -> PathBuf {
        match entry.kind {
            EntryKind::Reader | EntryKind::Encoder => self.root.join("models").join(&entry.id),
            EntryKind::Corpus => self.root.join("corpora").join(&entry.id),
        }
    }

    /// Where downloads are finished before they move to their place; wheels got by hand are put here.
    pub(super) fn downloads(&self) -> PathBuf {
        self.root.join("downloads")
    }

    /// The entry is on this machine, whole. Looks at names and sizes only.
    pub fn is_here(&self, entry: &Entry) -> bool {
        self.folder(entry).is_some()
    }

    /// The entries among these ids (all defaults when empty) that are not on this machine. Ids that are not in the catalogue are left out.
    pub fn missing(&self, ids: &[&str]) -> Vec<&'static Entry> {
        entries()
            .iter()
            .filter(|entry| {
                if ids.is_empty() {
                    entry.default
                } else {
                    ids.contains(&entry.id.as_str())
                }
            })
            .filter(|entry| !self.is_here(entry))
            .collect()
    }

    /// The reader with this catalogue id, `organisation/name` in the Hugging Face cache, or path.
    pub fn reader(&self, name: &str) -> Result<ReaderFiles, ModelError> {
        let path = self.locate(name, EntryKind::Reader)?;
        reader_files(&path)
    }

    /// The folder of the encoder with this catalogue id, `organisation/name` in the Hugging Face cache, or path.
    pub fn encoder(&self, name: &str) -> Result<PathBuf, ModelError> {
        let path = self.locate(name, EntryKind::Encoder)?;
        match is_encoder_folder(&path) {
            true => Ok(path),
            false => Err(ModelError::Broken {
                path,
                message: format!("an encoder is a folder with {}", needs(EntryKind::Encoder)),
            }),
        }
    }

    /// The corpus with this catalogue id, or a folder whose sub-folders are repositories.
    pub fn corpus(&self, name: &str) -> Result<CorpusFiles, ModelError> {
        let path = self.locate(name, EntryKind::Corpus)?;
        match entry(name).map(|entry| &entry.source) {
            Some(Source::Wheels(packages)) => {
                let wheels = packages.iter().map(|package| CorpusWheel {
                    name: package.wheel.name.clone(),
                    path: path.join(&package.wheel.file),
                    split: package.split,
                    licence: package.licence.clone(),
                });
                Ok(CorpusFiles::Wheels(wheels.collect()))
            }
            _ if path.is_dir() => Ok(CorpusFiles::Folder(path)),
            _ => Err(ModelError::Broken {
                path,
                message: format!("a corpus is a folder with {}", needs(EntryKind::Corpus)),
            }),
        }
    }

    /// SHA-256 of the files that a name stands for: of the file itself when it is one, else of the lines `<sum>  <path>` of its
    /// model, wheel or Python files. Read once and remembered in the store.
    pub fn sha256(&self, name: &str) -> Result<String, ModelError> {
        let path = match entry(name) {
            Some(entry) => self.locate(name, entry.kind)?,
            None => self
                .locate(name, EntryKind::Reader)
                .or_else(|_| self.locate(name, EntryKind::Encoder))
                .or_else(|_| self.locate(name, EntryKind::Corpus))?,
        };
        let read = |source: io::Error| ModelError::Read {
            path: path.clone(),
            source,
        };
        let mut sums = Checksums::open(self.root.join("checksums.json"));
        let sum = match reader_files(&path) {
            Ok(ReaderFiles::Gguf(file)) => sums.file(&file),
            Ok(ReaderFiles::Folder(folder)) => sums.folder(&folder, &["json", "safetensors"]),
            Err(_) if is_encoder_folder(&path) => sums.folder(&path, &["json", "txt", "safetensors", "bin"]),
            Err(_) => sums.folder(&path, &["whl", "py"]),
        };
        let sum = sum.map_err(read)?;
        sums.remember().map_err(ModelError::write(&self.root))?;
        Ok(sum)
    }

    /// Where an entry lies on this machine, if it is whole: in the store, or in the Hugging Face cache.
    pub fn folder(&self, entry: &Entry) -> Option<PathBuf> {
        let place = self.place(entry);
        let whole = match &entry.source {
            Source::Wheel(model) => model.files.iter().all(|file| place.join(file).is_file()),
            Source::Wheels(packages) => packages.iter().all(|package| {
                let metadata = place.join(&package.wheel.file).metadata();
                metadata.is_ok_and(|metadata| metadata.len() == package.wheel.bytes)
            }),
            Source::Hub(hub) => {
                if !hub.files.iter().all(|file| place.join(file).is_file()) {
                    return find_snapshot(&hub_cache()?, &hub.repository, is_model_folder);
                }
                true
            }
        };
        whole.then_some(place)
    }

    /// The file or folder that a name stands for.
    fn locate(&self, name: &str, kind: EntryKind) -> Result<PathBuf, ModelError> {
        if let Some(entry) = entry(name).filter(|entry| entry.kind == kind) {
            return self.folder(entry).ok_or_else(|| ModelError::Missing {
                ids: vec![entry.id.clone()],
                needs: needs(kind),
            });
        }
        let path = Path::new(name);
        if !name.is_empty() && path.exists() {
            return Ok(path.to_owned());
        }
        let usable = if kind == EntryKind::Encoder {
            is_encoder_folder
        } else {
            is_model_folder
        };
        let snapshot = || find_snapshot(&hub_cache()?, name, usable);
        if let Some(snapshot) = snapshot().filter(|_| kind != EntryKind::Corpus && name.split('/').count() == 2) {
            return Ok(snapshot);
        }
        let known = entries().iter().filter(|entry| entry.kind == kind);
        let known: Vec<_> = known.map(|entry| entry.id.as_str()).collect();
        Err(ModelError::Unknown {
            kind: kind.to_string(),
            name: name.to_owned(),
            known: known.join(", "),
        })
    }
}

/// The files that a folder must hold to be used as this kind.
fn needs(kind: EntryKind) -> &'static str {
    match kind {
        EntryKind::Reader => "config.json, tokenizer.json and safetensors (or one GGUF file)",
        EntryKind::Encoder => {
            "config.json, tokenizer.json (or vocab.json and merges.txt) and safetensors (or pytorch_model.bin)"
        }
        EntryKind::Corpus => "one sub-folder of Python files a repository",
    }
}

fn has_extension(path: &Path, extension: &str) -> bool {
    path.extension()
        .is_some_and(|found| found.eq_ignore_ascii_case(extension))
}

/// Files in a folder with this extension, sorted.
fn files_with_extension(folder: &Path, extension: &str) -> Vec<PathBuf> {
    let files = fs::read_dir(folder).into_iter().flatten();
    let paths = files.filter_map(|file| Some(file.ok()?.path()));
    let mut found: Vec<_> = paths.filter(|path| has_extension(path, extension)).collect();
    found.sort();
    found
}

fn is_model_folder(path: &Path) -> bool {
    let named = ["config.json", "tokenizer.json"];
    named.iter().all(|name| path.join(name).is_file()) && !files_with_extension(path, "safetensors").is_empty()
}

/// Encoders of the RoBERTa kind were published with other files than today's.
fn is_encoder_folder(path: &Path) -> bool {
    let has = |name: &str| path.join(name).is_file();
    let tokenizer = has("tokenizer.json") || has("vocab.json") && has("merges.txt");
    let weights = !files_with_extension(path, "safetensors").is_empty()
        || has("pytorch_model.bin")
        || has("pytorch_model.bin.index.json");
    has("config.json") && tokenizer && weights
}

/// What a reader's path holds.
fn reader_files(path: &Path) -> Result<ReaderFiles, ModelError> {
    if path.is_file() && has_extension(path, "gguf") {
        return Ok(ReaderFiles::Gguf(path.to_owned()));
    }
    if is_model_folder(path) {
        return Ok(ReaderFiles::Folder(path.to_owned()));
    }
    if let [gguf] = files_with_extension(path, "gguf").as_slice() {
        return Ok(ReaderFiles::Gguf(gguf.clone()));
    }
    Err(ModelError::Broken {
        path: path.to_owned(),
        message: format!("a reader is a GGUF file, or a folder with {}", needs(EntryKind::Reader)),
    })
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

    use super::*;

    fn write_model(folder: &Path, names: &[&str]) {
        fs::create_dir_all(folder).unwrap();
        for name in names {
            fs::write(folder.join(name), name).unwrap();
        }
    }

    fn empty() -> (tempfile::TempDir, Store) {
        let folder = tempfile::tempdir().unwrap();
        let store = Store::open(Some(folder.path())).unwrap();
        (folder, store)
    }

    #[test]
    fn missing_entries_say_how_to_get_them() {
        let (_folder, store) = empty();
        let error = store.reader("smollm2-135m-instruct").unwrap_err().to_string();
        assert!(error.contains("llavacode fetch smollm2-135m-instruct"), "{error}");
        assert!(error.contains("config.json"), "{error}");
        assert_eq!(store.missing(&[]).len(), 3);
        assert_eq!(store.missing(&["python-packages"]).len(), 1);
        let error = store.encoder("no-such-model").unwrap_err().to_string();
        assert!(error.contains("all-minilm-l6-v2"), "{error}");
    }

    #[test]
    fn folders_on_disk_are_accepted_when_whole() {
        let (folder, store) = empty();
        let model = folder.path().join("mine");
        let name = model.to_str().unwrap();
        write_model(&model, &["config.json", "model.safetensors"]);
        let error = store.encoder(name).unwrap_err().to_string();
        assert!(error.contains("tokenizer.json"), "{error}");
        write_model(&model, &["tokenizer.json"]);
        assert_eq!(store.encoder(name).unwrap(), model);
        assert_eq!(store.reader(name).unwrap(), ReaderFiles::Folder(model.clone()));
        assert_eq!(store.corpus(name).unwrap(), CorpusFiles::Folder(model));
    }

    #[test]
    fn an_encoder_may_have_the_files_of_its_time() {
        let (folder, store) = empty();
        let model = folder.path().join("unixcoder");
        let name = model.to_str().unwrap();
        write_model(&model, &["config.json", "vocab.json", "pytorch_model.bin"]);
        let error = store.encoder(name).unwrap_err().to_string();
        assert!(error.contains("vocab.json and merges.txt"), "{error}");
        write_model(&model, &["merges.txt"]);
        assert_eq!(store.encoder(name).unwrap(), model);
        assert!(store.reader(name).is_err());
        let before = store.sha256(name).unwrap();
        fs::write(model.join("pytorch_model.bin"), "other weights").unwrap();
        assert_ne!(store.sha256(name).unwrap(), before);
    }

    #[test]
    fn gguf_is_accepted_as_file_and_as_folder() {
        let (folder, store) = empty();
        let model = folder.path().join("gguf");
        write_model(&model, &["a.gguf"]);
        let file = model.join("a.gguf");
        for name in [&model, &file] {
            let files = store.reader(name.to_str().unwrap()).unwrap();
            assert_eq!(files, ReaderFiles::Gguf(file.clone()));
            let sum = store.sha256(name.to_str().unwrap()).unwrap();
            assert_eq!(sum, super::super::checksum::sha256_file(&file).unwrap());
        }
    }
}
