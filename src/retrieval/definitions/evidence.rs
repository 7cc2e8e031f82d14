//! What speaks for a definition as the one that is named next.

use std::collections::{BTreeSet, HashMap, HashSet};

use super::candidates::{Reach, imported_files};
use super::cursor::{Cursor, Slot, parts};
use super::facts::Kind;
use super::habits::Habits;
use super::names::{Defined, Names};
use super::view::View;

/// The kinds of evidence, which `likelihood` weighs.
#[derive(Clone, Copy, Debug)]
pub(super) enum Feature {
    /// Times that other files write the name after the same word and signs.
    FollowsWord,
    /// Times that they write it after the same two words.
    FollowsWords,
    /// Times that this file has written it after the same word and signs.
    FollowsWordHere,
    /// Times that this file has written it after the same two words.
    FollowsWordsHere,
    /// Times that this file has used it.
    UsedHere,
    /// This file has not used it yet, so that its import waits for something.
    NeverUsed,
    /// Parts of the name that are parts of words near the cursor.
    Near,
    /// Definitions of the same name, which share its likelihood.
    Places,
    /// It stands in a file that this one imports a name from.
    ImportedFile,
    /// It stands in a file of the same folder.
    SameFolder,
    /// It is a member of the receiver.
    Member,
    /// It is a member of a class that has the name of the receiver.
    Namesake,
    /// Parts of its class's name that are parts of the receiver's.
    ClassNamed,
    /// It is a function and no method.
    Function,
    /// It is a class.
    Class,
    /// It is a variable of a module.
    Variable,
    /// It is called an error.
    Error,
    /// It is called an error where one is raised or caught.
    ErrorFits,
    /// It is a class where a type is asked for.
    ClassFits,
    /// It is no class where a type is asked for.
    ClassLacks,
    /// It is a function where a decorator is asked for.
    FunctionFits,
    /// Its name begins with an underscore.
    Private,
    /// Jaccard similarity of its chunk to the lines before the cursor.
    Words,
}

/// Number of [`Feature`]s.
pub(super) const FEATURES: usize = Feature::Words as usize + 1;

/// One value for each [`Feature`].
pub(super) type Features = [f64; FEATURES];

/// What the text before one cursor says, ready to be held against every candidate.
pub(super) struct Evidence<'a> {
    cursor: &'a Cursor<'a>,
    view: &'a View<'a>,
    names: &'a Names,
    follows_word: HashMap<u32, f64>,
    follows_words: HashMap<u32, f64>,
    imported_files: HashSet<usize>,
    receiver: BTreeSet<String>,
}

impl<'a> Evidence<'a> {
    /// Looks up the habits for a cursor.
    pub(super) fn new(cursor: &'a Cursor<'a>, view: &'a View<'a>, names: &'a Names, habits: &Habits) -> Self {
        let receiver = cursor.receiver.as_deref().and_then(<[_]>::last);
        Self {
            follows_word: habits.followers(cursor.context.short, view.own),
            follows_words: habits.followers(cursor.context.long, view.own),
            imported_files: imported_files(cursor, view),
            receiver: receiver.map(|last| parts(&last.name)).unwrap_or_default(),
            cursor,
            view,
            names,
        }
    }

    /// The evidence for a candidate; `words` is the similarity of its chunk.
    pub(super) fn features(&self, one: &Defined, reach: Reach, words: f64) -> Features {
        let cursor = self.cursor;
        let mut features = [0.0; FEATURES];
        let Some(named) = self.names.name(one.name) else {
            return features;
        };
        let name = named.text.as_str();
        let mut set = |feature: Feature, value: f64| {
            if let Some(slot) = features.get_mut(feature as usize) {
                *slot = value;
            }
        };
        let times = |counts: &HashMap<u32, f64>| counts.get(&one.name).copied().unwrap_or_default().ln_1p();
        set(Feature::FollowsWord, times(&self.follows_word));
        set(Feature::FollowsWords, times(&self.follows_words));
        let here = cursor.followed.get(name).copied().unwrap_or_default();
        set(Feature::FollowsWordHere, here.0.ln_1p());
        set(Feature::FollowsWordsHere, here.1.ln_1p());
        let used = cursor.used.get(name).copied().unwrap_or_default();
        set(Feature::UsedHere, used.ln_1p());
        set(Feature::NeverUsed, yes(used == 0.0));
        let near: f64 = named.parts.iter().filter_map(|part| cursor.near.get(part)).sum();
        set(Feature::Near, near / named.parts.len().max(1) as f64);
        // Of the cursor's own file, what stands behind the cursor must not count.
        let places = named.files.iter().filter(|file| **file != self.view.own).count();
        set(Feature::Places, (places as f64).ln_1p());

        set(Feature::ImportedFile, yes(self.imported_files.contains(&one.file)));
        let folder = |file: usize| self.view.file(file).package();
        set(Feature::SameFolder, yes(folder(one.file) == folder(self.view.own)));
        set(Feature::Member, yes(reach == Reach::Member));
        set(Feature::Namesake, yes(reach == Reach::Namesake));
        if let Some(of_class) = self.names.class_parts(one) {
            let shared = of_class.intersection(&self.receiver).count();
            set(Feature::ClassNamed, shared as f64 / of_class.len().max(1) as f64);
        }

        let is_error = ["Error", "Exception", "Warning"].iter().any(|end| name.ends_with(end));
        let (is_class, is_function) = (one.kind == Kind::Class, one.kind == Kind::Function);
        set(Feature::Function, yes(is_function));
        set(Feature::Class, yes(is_class));
        set(Feature::Variable, yes(one.kind == Kind::Variable));
        set(Feature::Error, yes(is_error));
        set(Feature::ErrorFits, yes(is_error && cursor.slot == Slot::Error));
        set(Feature::ClassFits, yes(is_class && cursor.slot == Slot::Type));
        set(Feature::ClassLacks, yes(!is_class && cursor.slot == Slot::Type));
        set(
            Feature::FunctionFits,
            yes(is_function && cursor.slot == Slot::Decorator),
        );
        set(Feature::Private, yes(name.starts_with('_')));
        set(Feature::Words, words);
        features
    }
}

fn yes(is: bool) -> f64 {
    f64::from(u8::from(is))
}
