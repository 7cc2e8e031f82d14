//! What the import statements of a file bind: names of this repository, and names of other projects.

use std::collections::HashSet;

use super::Repository;
use super::python::Name;

/// The names that a file imports.
#[derive(Debug, Default)]
pub(super) struct Imports<'a> {
    /// Taken from a module of the repository, under the name that they are defined by.
    pub(super) own: HashSet<&'a str>,
    /// Modules of other projects, and what is taken from them.
    pub(super) foreign: HashSet<&'a str>,
}

/// The first parts of the module names that lead into a repository.
///
/// These are its top-level folders and files, and every package or module that is not inside a package (`src/name`).
pub(super) fn module_roots(repository: &Repository) -> HashSet<&str> {
    let packages: HashSet<&str> = repository
        .files
        .iter()
        .filter_map(|file| file.path.strip_suffix("/__init__.py"))
        .collect();
    let mut roots = HashSet::new();
    for file in &repository.files {
        let mut module = file.path.trim_end_matches(".py");
        roots.extend(module.split('/').next());
        while let Some((folder, _)) = module.rsplit_once('/').filter(|(folder, _)| packages.contains(folder)) {
            module = folder;
        }
        roots.extend(module.rsplit('/').next());
    }
    roots
}

/// Sorts the names that `text` imports, given its names and the roots of its repository.
pub(super) fn imports<'a>(text: &str, names: &[Name<'a>], roots: &HashSet<&str>) -> Imports<'a> {
    let importing: Vec<Name<'a>> = names.iter().filter(|name| name.import).copied().collect();
    let mut found = Imports::default();
    for statement in importing.chunk_by(|_, next| !next.first) {
        let mut parts = statement.splitn(2, |name| name.text == "import");
        let (Some(before), Some(items)) = (parts.next(), parts.next()) else {
            continue;
        };
        match before {
            [] => import_modules(text, items, roots, &mut found),
            // `from . import name`
            [_] => import_names(items, true, &mut found),
            [_, module, ..] => {
                let is_own = is_relative(text, module) || roots.contains(module.text);
                import_names(items, is_own, &mut found);
            }
        }
    }
    found
}

/// `import a.b, c as d`.
fn import_modules<'a>(text: &str, items: &[Name<'a>], roots: &HashSet<&str>, found: &mut Imports<'a>) {
    let mut is_own = false;
    let mut alias = false;
    for item in items {
        let is_head = !alias && item.text != "as" && !is_relative(text, item);
        if is_head {
            is_own = roots.contains(item.text);
        }
        if (is_head || alias) && !is_own {
            found.foreign.insert(item.text);
        }
        alias = item.text == "as";
    }
}

/// `from module import a, b as c`.
fn import_names<'a>(items: &[Name<'a>], is_own: bool, found: &mut Imports<'a>) {
    let mut alias = false;
    for (index, item) in items.iter().enumerate() {
        let renamed = items.get(index + 1).is_some_and(|next| next.text == "as");
        if item.text != "as" && !renamed {
            if !is_own {
                found.foreign.insert(item.text);
            } else if !alias {
                found.own.insert(item.text);
            }
        }
        alias = item.text == "as";
    }
}

/// A dot stands right before the name: it is relative to what stands before the dot, or to the file's own package.
fn is_relative(text: &str, name: &Name<'_>) -> bool {
    text.split_at(name.start).0.ends_with('.')
}

#[cfg(test)]
mod tests {
    use super::super::SourceFile;
    use super::super::python::scan;
    use super::*;

    fn sorted<'a>(names: &HashSet<&'a str>) -> Vec<&'a str> {
        let mut names: Vec<&str> = names.iter().copied().collect();
        names.sort_unstable();
        names
    }

    #[test]
    fn roots_are_the_packages_that_are_not_inside_one() {
        let paths = [
            "src/shop/__init__.py",
            "src/shop/cart/__init__.py",
            "src/shop/cart/row.py",
            "tests/check.py",
            "run.py",
        ];
        let file = |path: &str| SourceFile {
            path: path.into(),
            text: String::new(),
        };
        let repository = Repository::new("demo".into(), paths.map(file).into());
        assert_eq!(
            sorted(&module_roots(&repository)),
            ["check", "run", "shop", "src", "tests"]
        );
    }

    #[test]
    fn tells_names_of_the_repository_from_those_of_others() {
        let text = "\
import numpy as np, os.path, shop.cart
from unittest import TestCase, mock as fake
from shop.cart import (
    Row,  # a comment
    Total as Sum,
)
from . import helpers
from .deep.er import Thing
";
        let found = imports(text, &scan(text).names, &HashSet::from(["shop"]));
        assert_eq!(sorted(&found.own), ["Row", "Thing", "helpers"]);
        assert_eq!(sorted(&found.foreign), ["TestCase", "fake", "np", "numpy", "os"]);
    }
}
