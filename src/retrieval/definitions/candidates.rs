//! The names that may come next, and what speaks for each.

use std::collections::{HashMap, HashSet};

use super::catalogue::Catalogue;
use super::cursor::{Cursor, Slot, parts};
use super::facts::{Kind, Symbol};
use super::habits::{Habits, plain};
use super::likelihood::{FEATURES, Feature};
use super::view::{Entity, Place, View};

/// A name that may come next, at one of the places where it is defined.
#[derive(Debug)]
pub(super) struct Candidate {
    /// The file of the definition.
    pub(super) file: usize,
    /// Its line, from 1.
    pub(super) line: usize,
    /// The name.
    pub(super) name: String,
    /// What speaks for it, by [`Feature`].
    pub(super) features: [f64; FEATURES],
}

/// How a definition is reached from the cursor.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Reach {
    /// A member of the receiver.
    Member,
    /// A member of a class that is called as the receiver is.
    Namesake,
    /// In no way that is known, or by its bare name.
    Any,
}

/// A definition of the repository.
#[derive(Clone, Copy, Debug)]
struct Defined {
    name: u32,
    file: usize,
    line: usize,
    kind: Kind,
    class: Option<usize>,
}

/// All definitions of a repository by name.
#[derive(Debug, Default)]
pub(super) struct Names {
    numbers: HashMap<String, u32>,
    texts: Vec<String>,
    defined: Vec<Defined>,
    /// Indices in `defined` of each name.
    places: Vec<Vec<usize>>,
    /// Indices in `defined` by file.
    of_file: Vec<Vec<usize>>,
    /// Classes, as file and index in it, by their name in small letters without underscores.
    classes: HashMap<String, Vec<(usize, usize)>>,
}

impl Names {
    /// Numbers the names that the files define.
    pub(super) fn of(catalogue: &Catalogue) -> Self {
        let mut found = Self::default();
        for (file, facts) in catalogue.files.iter().enumerate() {
            let mut of_file = Vec::new();
            for one in &facts.definitions {
                let name = match found.numbers.get(&one.name) {
                    Some(name) => *name,
                    None => {
                        let next = found.texts.len() as u32;
                        found.numbers.insert(one.name.clone(), next);
                        found.texts.push(one.name.clone());
                        found.places.push(Vec::new());
                        next
                    }
                };
                if let Some(places) = found.places.get_mut(name as usize) {
                    places.push(found.defined.len());
                }
                of_file.push(found.defined.len());
                found.defined.push(Defined {
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
        }
        found
    }

    /// The number of every name.
    pub(super) fn numbers(&self) -> &HashMap<String, u32> {
        &self.numbers
    }

    /// The candidates for a cursor.
    pub(super) fn candidates(&self, cursor: &Cursor<'_>, view: &View<'_>, habits: &Habits) -> Vec<Candidate> {
        let defined = match cursor.attribute {
            true => self.attributes(cursor, view),
            false => self.imported(cursor, view),
        };
        let short = habits.followers(cursor.context.short, view.own);
        let long = habits.followers(cursor.context.long, view.own);
        let receiver = cursor
            .context
            .receiver
            .map(|context| habits.followers(context, view.own))
            .unwrap_or_default();
        let last = cursor.receiver.as_deref().and_then(<[_]>::last);
        let of_receiver = last.map(|last| parts(&last.name)).unwrap_or_default();
        let imported_files: HashSet<usize> = (cursor.facts.symbols.iter())
            .filter(|(_, symbol)| matches!(symbol, Symbol::Import(_)))
            .filter_map(|(name, _)| view.origin(view.own, name))
            .map(|(file, _)| file)
            .collect();
        let mut candidates = Vec::new();
        for (one, reach) in defined {
            let name = self
                .texts
                .get(one.name as usize)
                .map(String::as_str)
                .unwrap_or_default();
            let mut features = [0.0; FEATURES];
            let mut set = |feature: Feature, value: f64| {
                if let Some(slot) = features.get_mut(feature as usize) {
                    *slot = value;
                }
            };
            set(Feature::Short, log(short.get(&one.name).copied().unwrap_or_default()));
            set(Feature::Long, log(long.get(&one.name).copied().unwrap_or_default()));
            let (mut files, mut uses) = (0.0, 0.0);
            for use_ in habits
                .uses(one.name)
                .iter()
                .filter(|uses| uses.file as usize != view.own)
            {
                let count = if cursor.attribute { use_.attribute } else { use_.bare };
                files += f64::from(u8::from(count > 0));
                uses += f64::from(count);
            }
            set(Feature::Uses, log(uses));
            set(Feature::Files, log(files));
            let (used, ago) = cursor.used.get(name).copied().unwrap_or_default();
            set(Feature::UsedHere, log(used));
            set(
                Feature::UsedNear,
                if used > 0.0 { 1.0 / (1.0 + ago / 50.0) } else { 0.0 },
            );
            set(Feature::NeverUsed, f64::from(u8::from(used == 0.0)));
            let followed = cursor.followed.get(name).copied().unwrap_or_default();
            set(Feature::FollowedShort, log(followed.0));
            set(Feature::FollowedLong, log(followed.1));
            let of_name = parts(name);
            let near: f64 = of_name.iter().filter_map(|part| cursor.near.get(part)).sum();
            set(Feature::Near, near / of_name.len().max(1) as f64);
            set(
                Feature::Places,
                log(self.places.get(one.name as usize).map_or(0, Vec::len) as f64),
            );
            set(
                Feature::ImportedFile,
                f64::from(u8::from(imported_files.contains(&one.file))),
            );
            set(Feature::Member, f64::from(u8::from(reach == Reach::Member)));
            set(Feature::Namesake, f64::from(u8::from(reach == Reach::Namesake)));
            let kind = match one.kind {
                Kind::Function => Some(Feature::IsFunction),
                Kind::Class => Some(Feature::IsClass),
                Kind::Variable => Some(Feature::IsVariable),
                Kind::Attribute => Some(Feature::IsAttribute),
                Kind::Method => None,
            };
            if let Some(kind) = kind {
                set(kind, 1.0);
            }
            let yes = |is: bool| f64::from(u8::from(is));
            let is_error = ["Error", "Exception", "Warning"].iter().any(|end| name.ends_with(end));
            set(Feature::ErrorFits, yes(is_error && cursor.slot == Slot::Error));
            set(Feature::Error, yes(is_error));
            set(
                Feature::ClassFits,
                yes(one.kind == Kind::Class && cursor.slot == Slot::Type),
            );
            set(
                Feature::NoClass,
                yes(one.kind != Kind::Class && cursor.slot == Slot::Type),
            );
            set(
                Feature::FunctionFits,
                yes(one.kind == Kind::Function && cursor.slot == Slot::Decorator),
            );
            let owner = one.class.and_then(|class| view.file(one.file).classes.get(class));
            if let Some(owner) = owner {
                let known =
                    cursor.facts.symbols.contains_key(&owner.name) || cursor.used.contains_key(owner.name.as_str());
                set(Feature::OwnerKnown, yes(known));
                let of_owner = parts(&owner.name);
                let shared = of_owner.iter().filter(|part| of_receiver.contains(*part)).count();
                set(Feature::OwnerNamed, shared as f64 / of_owner.len().max(1) as f64);
            }
            set(
                Feature::Receiver,
                log(receiver.get(&one.name).copied().unwrap_or_default()),
            );
            let folder = |file: usize| view.file(file).package();
            set(Feature::SameFolder, yes(folder(one.file) == folder(view.own)));
            set(Feature::Private, f64::from(u8::from(name.starts_with('_'))));
            candidates.push(Candidate {
                file: one.file,
                line: one.line,
                name: name.to_owned(),
                features,
            });
        }
        candidates
    }

    /// What the file imports from the repository.
    fn imported(&self, cursor: &Cursor<'_>, view: &View<'_>) -> Vec<(Defined, Reach)> {
        let bound = cursor.facts.symbols.iter();
        let bound = bound
            .filter(|(_, symbol)| matches!(symbol, Symbol::Import(_)))
            .filter_map(|(name, _)| view.origin(view.own, name));
        let mut found: Vec<Defined> = bound.filter_map(|(file, line)| self.at(file, line)).collect();
        for module in &cursor.facts.stars {
            if let Some(Entity::Module(file)) = view.module(module) {
                found.extend(self.top_level(file, view));
            }
        }
        self.distinct(found.into_iter().map(|one| (one, Reach::Any)), view)
    }

    /// What may stand behind the dot.
    fn attributes(&self, cursor: &Cursor<'_>, view: &View<'_>) -> Vec<(Defined, Reach)> {
        let function = cursor.function.and_then(|index| cursor.facts.functions.get(index));
        let place = Place {
            file: view.own,
            class: cursor.class,
            locals: function.map(|function| function.locals.as_slice()).unwrap_or_default(),
        };
        let receiver = cursor.receiver.as_deref();
        let found: Vec<(Defined, Reach)> = match receiver.and_then(|one| view.expression(place, one)) {
            Some(Entity::Foreign) => return Vec::new(),
            Some(Entity::Module(file)) => {
                let top = self.top_level(file, view).into_iter();
                top.map(|one| (one, Reach::Member)).collect()
            }
            Some(Entity::Class(file, class) | Entity::Instance(file, class)) => {
                self.members(view, file, class, Reach::Member)
            }
            _ => {
                let last = receiver.and_then(<[_]>::last);
                let named = last.and_then(|last| self.classes.get(&plain(&last.name)));
                named
                    .into_iter()
                    .flatten()
                    .flat_map(|&(file, class)| self.members(view, file, class, Reach::Namesake))
                    .collect()
            }
        };
        let all = self.defined.iter().map(|one| (*one, Reach::Any));
        self.distinct(found.into_iter().chain(all), view)
    }

    /// The members of a class and of those that it inherits from.
    fn members(&self, view: &View<'_>, file: usize, class: usize, reach: Reach) -> Vec<(Defined, Reach)> {
        let mut found = Vec::new();
        for (file, index) in view.lineage(file, class) {
            let Some(class) = view.file(file).classes.get(index) else {
                continue;
            };
            for (name, member) in &class.members {
                if let Some(&name) = self.numbers.get(name) {
                    let kind = if member.is_method {
                        Kind::Method
                    } else {
                        Kind::Attribute
                    };
                    let one = Defined {
                        name,
                        file,
                        line: member.line,
                        kind,
                        class: Some(index),
                    };
                    found.push((one, reach));
                }
            }
        }
        found
    }

    /// What a module gives to others: its own definitions, and what it imports from the repository.
    fn top_level(&self, file: usize, view: &View<'_>) -> Vec<Defined> {
        let names = view.file(file).symbols.keys();
        names
            .filter_map(|name| view.origin(file, name))
            .filter_map(|(file, line)| self.at(file, line))
            .collect()
    }

    /// The definition at a line.
    fn at(&self, file: usize, line: usize) -> Option<Defined> {
        let of_file = self.of_file.get(file)?.iter();
        of_file
            .filter_map(|index| self.defined.get(*index))
            .find(|one| one.line == line)
            .copied()
    }

    /// Each definition once, the first time it comes, without those of the cursor's own file; in the order of the repository.
    fn distinct(&self, found: impl Iterator<Item = (Defined, Reach)>, view: &View<'_>) -> Vec<(Defined, Reach)> {
        let mut seen = HashSet::new();
        let mut kept: Vec<(Defined, Reach)> = found
            .filter(|(one, _)| one.file != view.own && seen.insert((one.name, one.file, one.line)))
            .collect();
        kept.sort_unstable_by_key(|(one, _)| (one.file, one.line, one.name));
        kept
    }
}

fn log(count: f64) -> f64 {
    count.ln_1p()
}
