//! The files of a repository by the names of their modules.

use std::collections::{HashMap, HashSet};

use super::facts::FileFacts;
use crate::corpus::Repository;

/// All files of a repository by module name.
#[derive(Debug, Default)]
pub(super) struct Catalogue {
    /// Facts of each file, in the order of the repository.
    pub(super) files: Vec<FileFacts>,
    /// Index of the file at a path.
    pub(super) paths: HashMap<String, usize>,
    /// Path of each file.
    of_index: Vec<String>,
    /// Index of the file of a module, by its dotted name, from the top of the repository and from its outermost package.
    pub(super) modules: HashMap<String, usize>,
    /// Dotted names of folders that hold a module.
    pub(super) folders: HashSet<String>,
}

impl Catalogue {
    /// Looks the modules of a repository up by name, given the facts of its files in their order.
    pub(super) fn new(repository: &Repository, files: Vec<FileFacts>) -> Self {
        let packages: HashSet<&[String]> = files
            .iter()
            .filter(|file| file.is_package)
            .map(|file| file.module.as_slice())
            .collect();
        let (mut modules, mut folders) = (HashMap::new(), HashSet::new());
        for (index, file) in files.iter().enumerate() {
            modules.entry(file.module.join(".")).or_insert(index);
            let mut outermost = file.module.len().saturating_sub(1);
            while outermost > 0
                && file
                    .module
                    .get(..outermost)
                    .is_some_and(|parts| packages.contains(parts))
            {
                outermost -= 1;
            }
            if let Some(inside) = file.module.get(outermost..) {
                modules.entry(inside.join(".")).or_insert(index);
            }
            for end in 1..file.module.len() {
                folders.extend(file.module.get(..end).map(|parts| parts.join(".")));
            }
        }
        let paths = repository.files.iter().map(|file| file.path.clone()).zip(0..).collect();
        Self {
            files,
            of_index: repository.files.iter().map(|file| file.path.clone()).collect(),
            paths,
            modules,
            folders,
        }
    }

    /// The path of a file.
    pub(super) fn path(&self, file: usize) -> Option<&str> {
        self.of_index.get(file).map(String::as_str)
    }
}
