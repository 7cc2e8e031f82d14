//! What can be fetched: the entries of `assets/catalogue.toml`.

use std::sync::LazyLock;

use serde::Deserialize;

use crate::corpus::Split;

/// What an entry is used as.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, strum::Display)]
#[serde(rename_all = "lowercase")]
#[strum(serialize_all = "lowercase")]
pub enum EntryKind {
    /// The frozen language model.
    Reader,
    /// The frozen model that turns a chunk into one vector.
    Encoder,
    /// Repositories to learn from.
    Corpus,
}

/// A model or a corpus that can be fetched.
#[derive(Clone, Debug, Deserialize)]
pub struct Entry {
    /// The name used in experiments and on the command line.
    pub id: String,
    /// What it is used as.
    pub kind: EntryKind,
    /// What it is, in a few words.
    pub title: String,
    /// Licences as SPDX identifiers.
    pub licence: String,
    /// Fetched when nothing else is asked for.
    #[serde(default)]
    pub default: bool,
    /// Bytes downloaded.
    pub bytes: u64,
    /// `bytes` is only near the truth.
    #[serde(default)]
    pub approximate: bool,
    /// Where it comes from.
    pub source: Source,
}

/// Where an entry comes from.
#[derive(Clone, Debug, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Source {
    /// A model in a Python package.
    Wheel(ModelWheelSource),
    /// Python packages that are the code to learn from.
    Wheels(Vec<CorpusWheelSource>),
    /// A model on the Hugging Face hub.
    Hub(HubSource),
}

/// A wheel of a Python package, pinned.
#[derive(Clone, Debug, Deserialize)]
pub struct Wheel {
    /// Name of the package.
    pub name: String,
    /// Its version.
    pub version: String,
    /// File name of the wheel.
    pub file: String,
    /// SHA-256 of the wheel, in hexadecimal.
    pub sha256: String,
    /// Size of the wheel.
    pub bytes: u64,
}

/// A wheel that holds a model.
#[derive(Clone, Debug, Deserialize)]
pub struct ModelWheelSource {
    /// The wheel.
    #[serde(flatten)]
    pub wheel: Wheel,
    /// Folder in the wheel that holds the model.
    pub folder: String,
    /// Files to take out, relative to `folder`.
    pub files: Vec<String>,
}

/// A wheel that is a repository of the corpus.
#[derive(Clone, Debug, Deserialize)]
pub struct CorpusWheelSource {
    /// The wheel.
    #[serde(flatten)]
    pub wheel: Wheel,
    /// The split that the whole package belongs to.
    pub split: Split,
    /// Its licence as SPDX identifier.
    pub licence: String,
}

/// A model on the Hugging Face hub.
#[derive(Clone, Debug, Deserialize)]
pub struct HubSource {
    /// `organisation/name`.
    pub repository: String,
    /// Branch, tag or commit.
    pub revision: String,
    /// Files to get.
    pub files: Vec<String>,
}

/// The catalogue. It is part of the program; the tests below hold that it can be read.
static ENTRIES: LazyLock<Vec<Entry>> = LazyLock::new(|| {
    #[derive(Default, Deserialize)]
    struct Catalogue {
        entries: Vec<Entry>,
    }
    toml::from_str::<Catalogue>(include_str!("../../../assets/catalogue.toml"))
        .unwrap_or_default()
        .entries
});

/// All entries, in the order of the catalogue.
pub fn entries() -> &'static [Entry] {
    &ENTRIES
}

/// The entry with this id.
pub fn entry(id: &str) -> Option<&'static Entry> {
    entries().iter().find(|entry| entry.id == id)
}

/// Ids of what a first run needs.
pub fn defaults() -> Vec<&'static str> {
    entries()
        .iter()
        .filter(|entry| entry.default)
        .map(|entry| entry.id.as_str())
        .collect()
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;
    use crate::experiment::Experiment;

    fn wheels() -> Vec<Wheel> {
        entries()
            .iter()
            .flat_map(|entry| match &entry.source {
                Source::Wheel(model) => vec![model.wheel.clone()],
                Source::Wheels(packages) => packages.iter().map(|package| package.wheel.clone()).collect(),
                Source::Hub(_) => Vec::new(),
            })
            .collect()
    }

    #[test]
    fn default_experiment_uses_default_entries() {
        let experiment = Experiment::default();
        let names = [
            experiment.reader.model,
            experiment.encoder.model,
            experiment.data.corpus,
        ];
        assert_eq!(defaults(), names);
    }

    #[test]
    fn ids_and_files_are_unique_and_sums_are_sha256() {
        let ids: BTreeSet<_> = entries().iter().map(|entry| &entry.id).collect();
        assert_eq!(ids.len(), entries().len());
        let files: BTreeSet<_> = wheels().into_iter().map(|wheel| wheel.file).collect();
        assert_eq!(files.len(), wheels().len());
        for wheel in wheels() {
            assert!(
                wheel.sha256.len() == 64 && wheel.sha256.chars().all(|digit| digit.is_ascii_hexdigit()),
                "{}",
                wheel.name
            );
            assert!(
                wheel.file.ends_with("-none-any.whl"),
                "{} is not pure Python",
                wheel.file
            );
            assert!(wheel.file.contains(&wheel.version), "{}", wheel.file);
        }
    }

    #[test]
    fn sizes_add_up() {
        for entry in entries() {
            let bytes = match &entry.source {
                Source::Wheel(model) => model.wheel.bytes,
                Source::Wheels(packages) => packages.iter().map(|package| package.wheel.bytes).sum(),
                Source::Hub(_) => continue,
            };
            assert_eq!(entry.bytes, bytes, "{}", entry.id);
        }
    }

    #[test]
    fn corpus_has_three_splits_of_permissive_packages() {
        let Some(Source::Wheels(packages)) = entry("python-packages").map(|entry| &entry.source) else {
            panic!("python-packages is a corpus of wheels");
        };
        assert!(packages.len() >= 48);
        for (split, least) in [(Split::Train, 32), (Split::Validation, 8), (Split::Test, 8)] {
            let found = packages.iter().filter(|package| package.split == split).count();
            assert!(found >= least, "{split:?} has {found} packages");
        }
        let permissive = ["MIT", "BSD-2-Clause", "BSD-3-Clause", "Apache-2.0"];
        for package in packages {
            assert!(permissive.contains(&package.licence.as_str()), "{}", package.wheel.name);
        }
    }

    #[test]
    fn families_stand_in_one_split() {
        let Some(Source::Wheels(packages)) = entry("python-packages").map(|entry| &entry.source) else {
            panic!("python-packages is a corpus of wheels");
        };
        let families: [&[&str]; 11] = [
            &["celery", "kombu"],
            &["rich", "textual"],
            &["httpx", "httpcore"],
            &["jedi", "parso"],
            &["fabric", "invoke"],
            &["dask", "distributed"],
            &["alembic", "Mako"],
            &["click", "Flask", "Jinja2"],
            &["Authlib", "oauthlib"],
            &["Django", "django-allauth", "djangorestframework"],
            &[
                "ipython",
                "jupyter_client",
                "jupyter_server",
                "nbconvert",
                "nbformat",
                "traitlets",
                "prompt_toolkit",
            ],
        ];
        for family in families {
            let splits: BTreeSet<_> = family
                .iter()
                .map(|name| {
                    packages
                        .iter()
                        .find(|package| package.wheel.name == *name)
                        .map(|package| package.split)
                })
                .collect();
            assert_eq!(splits.len(), 1, "{family:?} stand in {splits:?}");
        }
    }
}
