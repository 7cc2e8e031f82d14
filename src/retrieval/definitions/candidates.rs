//! The definitions that may be named next.

use std::collections::HashSet;

use super::cursor::Cursor;
use super::facts::Symbol;
use super::names::{Defined, Names};
use super::view::{Entity, Place, View};

/// How a definition is reached from the cursor.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Reach {
    /// Imported by its bare name.
    Import,
    /// A member of the receiver.
    Member,
    /// A member of a class that has the name of the receiver.
    Namesake,
    /// In no way that is known: anything may stand behind a dot.
    Unknown,
}

/// The definitions of other files that may be named next, in the order of the repository: what the file imports or, behind a dot,
/// the members of the receiver and, as its class is seldom certain, all others. Behind the name of another project there are none.
pub(super) fn candidates(cursor: &Cursor<'_>, view: &View<'_>, names: &Names) -> Vec<(Defined, Reach)> {
    let found = match cursor.attribute {
        true => attributes(cursor, view, names),
        false => imported(cursor, view, names),
    };
    let mut seen = HashSet::new();
    let mut kept: Vec<(Defined, Reach)> = found
        .into_iter()
        .filter(|(one, _)| one.file != view.own && seen.insert((one.name, one.file, one.line)))
        .collect();
    kept.sort_unstable_by_key(|(one, _)| (one.file, one.line, one.name));
    kept
}

/// Files that the cursor's file imports names from.
pub(super) fn imported_files(cursor: &Cursor<'_>, view: &View<'_>) -> HashSet<usize> {
    origins(cursor, view).map(|(file, _)| file).collect()
}

fn imported(cursor: &Cursor<'_>, view: &View<'_>, names: &Names) -> Vec<(Defined, Reach)> {
    let mut found: Vec<Defined> = origins(cursor, view).filter_map(|place| names.at(place)).collect();
    for module in &cursor.facts.stars {
        if let Some(Entity::Module(file)) = view.module(module) {
            found.extend(names.top_level(view, file));
        }
    }
    found.into_iter().map(|one| (one, Reach::Import)).collect()
}

fn attributes(cursor: &Cursor<'_>, view: &View<'_>, names: &Names) -> Vec<(Defined, Reach)> {
    let function = cursor.function.and_then(|index| cursor.facts.functions.get(index));
    let place = Place {
        file: view.own,
        class: cursor.class,
        locals: function.map(|function| function.locals.as_slice()).unwrap_or_default(),
    };
    let receiver = cursor.receiver.as_deref().unwrap_or_default();
    let (known, reach) = match view.expression(place, receiver) {
        Some(Entity::Foreign) => return Vec::new(),
        Some(Entity::Module(file)) => (names.top_level(view, file), Reach::Member),
        Some(Entity::Class(file, class) | Entity::Instance(file, class)) => {
            (names.members(view, (file, class)), Reach::Member)
        }
        _ => {
            let classes = receiver
                .last()
                .map(|last| names.classes(&last.name))
                .unwrap_or_default();
            let members = classes.iter().flat_map(|class| names.members(view, *class));
            (members.collect(), Reach::Namesake)
        }
    };
    let known = known.into_iter().map(|one| (one, reach));
    known.chain(names.all().map(|one| (one, Reach::Unknown))).collect()
}

/// Where the names that the file imports from the repository are defined.
fn origins<'c>(cursor: &'c Cursor<'_>, view: &'c View<'_>) -> impl Iterator<Item = (usize, usize)> + 'c {
    let symbols = cursor.facts.symbols.iter();
    symbols
        .filter(|(_, symbol)| matches!(symbol, Symbol::Import(_)))
        .filter_map(|(name, _)| view.origin(view.own, name))
}
