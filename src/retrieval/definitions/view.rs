//! What names and expressions stand for, across files: imports followed, members inherited, values typed.

use super::catalogue::Catalogue;
use super::facts::{Expression, FileFacts, Import, Member, Segment, Symbol};

/// Imports of imports, and values of values, are followed this far: cycles end here.
const DEEPEST: usize = 8;

/// Classes that a class may inherit from, itself counted.
const MOST_BASES: usize = 40;

/// What a name or an expression stands for.
#[derive(Clone, Copy, Debug)]
pub(super) enum Entity<'a> {
    /// A file of the repository.
    Module(usize),
    /// A folder that holds modules and is none itself, by its dotted name.
    Folder(&'a str),
    /// A class: file, and index in it.
    Class(usize, usize),
    /// An instance of a class.
    Instance(usize, usize),
    /// A function or method, whose result is one of these, named in this file.
    Callable(usize, &'a [Expression]),
    /// Something of another project.
    Foreign,
}

/// What surrounds an expression.
#[derive(Clone, Copy)]
pub(super) struct Place<'a> {
    /// The file.
    pub(super) file: usize,
    /// The class around it.
    pub(super) class: Option<usize>,
    /// What the names of the function around it hold.
    pub(super) locals: &'a [(String, Vec<Expression>)],
}

/// The repository as it is seen from a cursor: of the cursor's own file only what stands before it is known.
#[derive(Clone, Copy)]
pub(super) struct View<'a> {
    catalogue: &'a Catalogue,
    /// Index of the cursor's own file; one behind the last for a file that the repository does not have.
    pub(super) own: usize,
    left: &'a FileFacts,
}

impl<'a> View<'a> {
    /// From a cursor in the file at `path`, of which `left` was read.
    pub(super) fn new(catalogue: &'a Catalogue, path: &str, left: &'a FileFacts) -> Self {
        let own = catalogue.paths.get(path).copied();
        Self {
            catalogue,
            own: own.unwrap_or(catalogue.files.len()),
            left,
        }
    }

    /// What is known of a file.
    pub(super) fn file(&self, index: usize) -> &'a FileFacts {
        match self.catalogue.files.get(index) {
            Some(file) if index != self.own => file,
            _ => self.left,
        }
    }

    /// What an expression stands for.
    pub(super) fn expression(&self, place: Place<'a>, expression: &[Segment]) -> Option<Entity<'a>> {
        self.value(place, expression, DEEPEST)
    }

    /// File and line where the name at the top of a file is defined, imports followed.
    pub(super) fn origin(&self, file: usize, name: &str) -> Option<(usize, usize)> {
        self.follow(file, name, DEEPEST)
    }

    /// A class and all that it inherits from, nearest first.
    pub(super) fn lineage(&self, file: usize, class: usize) -> Vec<(usize, usize)> {
        self.ancestors(file, class, DEEPEST)
    }

    /// The module of this name.
    pub(super) fn module(&self, parts: &[String]) -> Option<Entity<'a>> {
        let name = parts.join(".");
        match self.catalogue.modules.get(&name) {
            Some(index) => Some(Entity::Module(*index)),
            None => self.catalogue.folders.get(&name).map(|folder| Entity::Folder(folder)),
        }
    }

    fn value(&self, place: Place<'a>, expression: &[Segment], depth: usize) -> Option<Entity<'a>> {
        let depth = depth.checked_sub(1)?;
        let (first, rest) = expression.split_first()?;
        let mut entity = self.name(place, &first.name, depth)?;
        if first.called {
            entity = self.result(entity, depth)?;
        }
        for segment in rest {
            entity = self.attribute(entity, &segment.name, depth)?;
            if segment.called {
                entity = self.result(entity, depth)?;
            }
        }
        Some(entity)
    }

    fn any_value(&self, place: Place<'a>, values: &[Expression], depth: usize) -> Option<Entity<'a>> {
        let mut known = values
            .iter()
            .filter_map(|value| self.value(place, value, depth))
            .peekable();
        let first = known.peek().copied();
        // `Optional[Own]` is of this repository, although `Optional` is not.
        known.find(|entity| !matches!(entity, Entity::Foreign)).or(first)
    }

    fn name(&self, place: Place<'a>, name: &str, depth: usize) -> Option<Entity<'a>> {
        if let (Some(class), "self" | "cls" | "super") = (place.class, name) {
            return Some(Entity::Instance(place.file, class));
        }
        let held = place.locals.iter().rev().filter(|(local, _)| local == name);
        held.into_iter()
            .find_map(|(_, values)| self.any_value(place, values, depth))
            .or_else(|| self.symbol(place.file, name, depth))
    }

    fn symbol(&self, file: usize, name: &str, depth: usize) -> Option<Entity<'a>> {
        let depth = depth.checked_sub(1)?;
        let facts = self.file(file);
        match facts.symbols.get(name) {
            Some(Symbol::Class(index)) => Some(Entity::Class(file, *index)),
            Some(Symbol::Function(index)) => {
                let function = facts.functions.get(*index)?;
                Some(Entity::Callable(file, &function.returns))
            }
            Some(Symbol::Variable(index)) => {
                let place = Place {
                    file,
                    class: None,
                    locals: &[],
                };
                self.any_value(place, facts.variables.get(*index)?, depth)
            }
            Some(Symbol::Import(_)) => self
                .bindings(facts, name)
                .find_map(|one| self.import(one, depth))
                .or(Some(Entity::Foreign)),
            None => facts.stars.iter().find_map(|module| match self.module(module)? {
                Entity::Module(module) => self.symbol(module, name, depth),
                _ => None,
            }),
        }
    }

    fn import(&self, import: &'a Import, depth: usize) -> Option<Entity<'a>> {
        let module = self.module(&import.module)?;
        match &import.item {
            None => Some(module),
            Some(item) => self.attribute(module, item, depth),
        }
    }

    /// The imports that bind a name: several under `try` and `if`.
    fn bindings<'n>(&self, facts: &'a FileFacts, name: &'n str) -> impl Iterator<Item = &'a Import> + use<'a, 'n> {
        facts.imports.iter().filter(move |import| import.name == name)
    }

    fn attribute(&self, of: Entity<'a>, name: &str, depth: usize) -> Option<Entity<'a>> {
        let depth = depth.checked_sub(1)?;
        match of {
            Entity::Module(file) => self.symbol(file, name, depth).or_else(|| {
                let parts = self.file(file).module.iter().cloned();
                self.module(&parts.chain([name.to_owned()]).collect::<Vec<_>>())
            }),
            Entity::Folder(folder) => self.module(&[folder.to_owned(), name.to_owned()]),
            Entity::Class(file, class) | Entity::Instance(file, class) => {
                let (owner, class, member) = self.member(file, class, name, depth)?;
                if member.is_method {
                    return Some(Entity::Callable(owner, &member.value));
                }
                let place = Place {
                    file: owner,
                    class: Some(class),
                    locals: &[],
                };
                self.any_value(place, &member.value, depth)
            }
            Entity::Callable(..) => None,
            Entity::Foreign => Some(Entity::Foreign),
        }
    }

    fn result(&self, of: Entity<'a>, depth: usize) -> Option<Entity<'a>> {
        match of {
            Entity::Class(file, class) => Some(Entity::Instance(file, class)),
            Entity::Callable(file, returns) => {
                let place = Place {
                    file,
                    class: None,
                    locals: &[],
                };
                self.any_value(place, returns, depth)
            }
            // `super()` is known by what it gives.
            Entity::Instance(..) | Entity::Foreign => Some(of),
            Entity::Module(_) | Entity::Folder(_) => None,
        }
    }

    fn member(&self, file: usize, class: usize, name: &str, depth: usize) -> Option<(usize, usize, &'a Member)> {
        self.ancestors(file, class, depth)
            .into_iter()
            .find_map(|(file, class)| {
                let member = self.file(file).classes.get(class)?.members.get(name)?;
                Some((file, class, member))
            })
    }

    fn ancestors(&self, file: usize, class: usize, depth: usize) -> Vec<(usize, usize)> {
        let mut found = vec![(file, class)];
        let mut next = 0;
        while let Some(&(file, class)) = found.get(next) {
            next += 1;
            let Some(facts) = self.file(file).classes.get(class) else {
                continue;
            };
            let place = Place {
                file,
                class: None,
                locals: &[],
            };
            for base in &facts.bases {
                if let Some(Entity::Class(file, class)) = self.value(place, base, depth)
                    && found.len() < MOST_BASES
                    && !found.contains(&(file, class))
                {
                    found.push((file, class));
                }
            }
        }
        found
    }

    fn follow(&self, file: usize, name: &str, depth: usize) -> Option<(usize, usize)> {
        let depth = depth.checked_sub(1)?;
        let facts = self.file(file);
        match facts.symbols.get(name) {
            Some(Symbol::Import(_)) => {
                self.bindings(facts, name)
                    .find_map(|import| match self.module(&import.module)? {
                        Entity::Module(module) => self.follow(module, import.item.as_deref()?, depth),
                        _ => None,
                    })
            }
            Some(_) => {
                let defined = facts.definitions.iter().filter(|one| one.name == name);
                let line = defined.min_by_key(|one| one.kind.is_member())?.line;
                Some((file, line))
            }
            None => facts.stars.iter().find_map(|module| match self.module(module)? {
                Entity::Module(module) => self.follow(module, name, depth),
                _ => None,
            }),
        }
    }
}
