//! The definitions of a repository by name, file and class.

use std::collections::{BTreeSet, HashMap};

use super::catalogue::Catalogue;
use super::cursor::parts;
use super::facts::Kind;
use super::view::View;

/// A definition of the repository.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Defined {
    /// Number of its name.
    pub(super) name: u32,
    /// Index of the file.
    pub(super) file: usize,
    /// Line of the name, from 1.
    pub(super) line: usize,
    /// What it is.
    pub(super) kind: Kind,
    /// Index, in the file, of the class that it belongs to.
    pub(super) class: Option<usize>,
}

/// A name that is defined at least once.
#[derive(Debug)]
pub(super) struct Named {
    /// The name.
    pub(super) text: String,
    /// Its [`parts`].
    pub(super) parts: BTreeSet<String>,
    /// The file of each definition.
    pub(super) files: Vec<usize>,
}

/// All definitions of a repository.
#[derive(Debug, Default)]
pub(super) struct Names {
    numbers: HashMap<String, u32>,
    names: Vec<Named>,
    /// The definitions of each file, in the order of the text.
    of_file: Vec<Vec<Defined>>,
    /// Classes, as file and index in it, by [`plain`] name.
    classes: HashMap<String, Vec<(usize, usize)>>,
    /// Parts of the names of each file's classes.
    class_parts: Vec<Vec<BTreeSet<String>>>,
}

impl Names {
    /// Numbers the names that the files define.
    pub(super) fn of(catalogue: &Catalogue) -> Self {
        let mut found = Self::default();
        for (file, facts) in catalogue.files.iter().enumerate() {
            let mut of_file = Vec::with_capacity(facts.definitions.len());
            for one in &facts.definitions {
                let name = found.number(&one.name);
                if let Some(named) = found.names.get_mut(name as usize) {
                    named.files.push(file);
                }
                of_file.push(Defined {
                    name,
                    file,
                    line: one.line,
                    kind: one.kind,
                    class: one.class,
                });
            }
            found.of_file.push(of_file);
            for (index, class) in facts.classes.iter().enumerate() {
                found.classes.entry(plain(&class.name)).or_default().push((file, index));
            }
            let of_classes = facts.classes.iter().map(|class| parts(&class.name));
            found.class_parts.push(of_classes.collect());
        }
        found
    }

    fn number(&mut self, name: &str) -> u32 {
        if let Some(number) = self.numbers.get(name) {
            return *number;
        }
        let number = self.names.len() as u32;
        self.numbers.insert(name.to_owned(), number);
        self.names.push(Named {
            text: name.to_owned(),
            parts: parts(name),
            files: Vec::new(),
        });
        number
    }

    /// The number of every name.
    pub(super) fn numbers(&self) -> &HashMap<String, u32> {
        &self.numbers
    }

    /// The name with a number.
    pub(super) fn name(&self, number: u32) -> Option<&Named> {
        self.names.get(number as usize)
    }

    /// Parts of the name of the class that a definition belongs to.
    pub(super) fn class_parts(&self, one: &Defined) -> Option<&BTreeSet<String>> {
        self.class_parts.get(one.file)?.get(one.class?)
    }

    /// Every definition, in the order of the repository.
    pub(super) fn all(&self) -> impl Iterator<Item = Defined> {
        self.of_file.iter().flatten().copied()
    }

    /// The definition at a line of a file.
    pub(super) fn at(&self, (file, line): (usize, usize)) -> Option<Defined> {
        self.of_file.get(file)?.iter().find(|one| one.line == line).copied()
    }

    /// The classes of this name, whatever its case and underscores.
    pub(super) fn classes(&self, name: &str) -> &[(usize, usize)] {
        self.classes.get(&plain(name)).map(Vec::as_slice).unwrap_or_default()
    }

    /// The members of a class and of those that it inherits from.
    pub(super) fn members(&self, view: &View<'_>, (file, class): (usize, usize)) -> Vec<Defined> {
        let mut found = Vec::new();
        for (file, index) in view.lineage(file, class) {
            let class = view.file(file).classes.get(index);
            for (name, member) in class.into_iter().flat_map(|class| &class.members) {
                if let Some(&name) = self.numbers.get(name) {
                    found.push(Defined {
                        name,
                        file,
                        line: member.line,
                        kind: if member.is_method {
                            Kind::Method
                        } else {
                            Kind::Attribute
                        },
                        class: Some(index),
                    });
                }
            }
        }
        found
    }

    /// What a module gives to others: its own definitions, and what it imports from the repository.
    pub(super) fn top_level(&self, view: &View<'_>, file: usize) -> Vec<Defined> {
        let names = view.file(file).symbols.keys();
        names
            .filter_map(|name| view.origin(file, name))
            .filter_map(|place| self.at(place))
            .collect()
    }
}

/// `MyClass`, `_my_class` and `my_class` are the same.
fn plain(name: &str) -> String {
    name.chars()
        .filter(|c| *c != '_')
        .flat_map(char::to_lowercase)
        .collect()
}
