//! What a person did that can be undone and done again. What was done to a run in training stands in that run's log, and is taken from
//! there alone; everything else is remembered here. The one that came last is undone first.

use std::fmt;
use std::path::PathBuf;
use std::sync::Arc;

use jiff::{SignedDuration, Timestamp};

use super::editor::ExperimentEditor;
use super::execute::Outside;
use super::fields;
use super::hands::hand_text;
use super::layouts::Layouts;
use super::presets::PRESETS;
use super::state::AppState;
use crate::engine::Severity;
use crate::runs::{self, EventRecord};

/// Most that is remembered.
const KEPT: usize = 100;

/// Letters typed into one field, or steps of one drag, are one thing done when they follow each other so closely.
const TOGETHER: SignedDuration = SignedDuration::from_secs(2);

/// Puts a choice of a panel back (false) or makes it again (true).
type Put = Arc<dyn Fn(bool) + Send + Sync>;

/// A choice that a panel keeps for itself: a filter, a search.
#[derive(Clone)]
pub struct Choice {
    what: &'static str,
    put: Put,
}

impl Choice {
    /// `what` was chosen; `put` brings back what was before, or the choice again.
    pub fn new(what: &'static str, put: impl Fn(bool) + Send + Sync + 'static) -> Self {
        Self {
            what,
            put: Arc::new(put),
        }
    }
}

impl fmt::Debug for Choice {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Choice").field(&self.what).finish()
    }
}

/// Something that was done.
#[derive(Clone, Debug)]
pub enum Edit {
    /// The experiment of the Train station was changed.
    Experiment {
        /// What it was.
        before: Box<ExperimentEditor>,
        /// What it became.
        after: Box<ExperimentEditor>,
    },
    /// Panes were arranged.
    Layouts {
        /// In words.
        what: String,
        /// What they were.
        before: Box<Layouts>,
        /// What they became.
        after: Box<Layouts>,
    },
    /// A filter was chosen.
    Choice(Choice),
    /// A run was moved to the trash.
    Deleted {
        /// Where it was.
        folder: PathBuf,
        /// Where it is while it is deleted.
        trash: PathBuf,
    },
}

impl Edit {
    /// In words, for palette and notices.
    pub fn what(&self) -> String {
        match self {
            Self::Experiment { before, after } => experiment_change(before, after),
            Self::Layouts { what, .. } => what.clone(),
            Self::Choice(choice) => choice.what.to_owned(),
            Self::Deleted { folder, .. } => format!("{} to the trash", runs::name_of(folder)),
        }
    }

    /// Two edits with one key that follow each other closely are one.
    fn key(&self) -> Option<String> {
        match self {
            Self::Experiment { before, after } => {
                let changed = changed_fields(before, after);
                (changed.len() == 1).then(|| changed.concat())
            }
            Self::Layouts { what, .. } => Some(what.clone()),
            Self::Choice(choice) => Some(choice.what.to_owned()),
            Self::Deleted { .. } => None,
        }
    }

    /// This edit with a later one of the same kind.
    fn with(&mut self, later: Self) {
        match (self, later) {
            (Self::Experiment { after, .. }, Self::Experiment { after: later, .. }) => *after = later,
            (Self::Layouts { after, .. }, Self::Layouts { after: later, .. }) => *after = later,
            (Self::Choice(first), Self::Choice(later)) => {
                let before = Arc::clone(&first.put);
                first.put = Arc::new(move |again| if again { (later.put)(true) } else { before(false) });
            }
            _ => {}
        }
    }
}

fn changed_fields(before: &ExperimentEditor, after: &ExperimentEditor) -> Vec<&'static str> {
    let keys = fields::all().map(|field| field.key);
    keys.filter(|key| before.text(key) != after.text(key)).collect()
}

fn experiment_change(before: &ExperimentEditor, after: &ExperimentEditor) -> String {
    if before.preset != after.preset {
        let name = PRESETS.get(after.preset).map_or("none", |preset| preset.name);
        return format!("preset {name}");
    }
    match changed_fields(before, after).as_slice() {
        [key] => {
            let name = fields::find(key).map_or(*key, |field| field.label);
            format!("{name}: {} → {}", before.text(key), after.text(key))
        }
        keys => format!("reset of {} fields", keys.len()),
    }
}

/// An edit with its times.
#[derive(Debug)]
struct Dated {
    edit: Edit,
    /// When it was made.
    made: Timestamp,
    /// When it was undone last.
    undone: Timestamp,
}

/// What was done, and what was undone.
#[derive(Debug, Default)]
pub struct History {
    done: Vec<Dated>,
    undone: Vec<Dated>,
    /// When the last edit was made, while another one can join it.
    open: Option<Timestamp>,
    /// When the last edit was made that was not undone or done again.
    newest: Option<Timestamp>,
}

impl History {
    /// Something was done at a time; what was undone before cannot be done again.
    pub fn push(&mut self, edit: Edit, now: Timestamp) {
        let close = self.open.is_some_and(|at| now.duration_since(at) < TOGETHER);
        self.undone.clear();
        self.open = Some(now);
        self.newest = Some(now);
        let key = edit.key();
        match self.done.last_mut() {
            Some(last) if close && key.is_some() && last.edit.key() == key => last.edit.with(edit),
            _ => self.done.push(Dated {
                edit,
                made: now,
                undone: now,
            }),
        }
        if self.done.len() > KEPT {
            self.done.remove(0);
        }
    }

    /// The next edit joins no earlier one.
    pub fn close(&mut self) {
        self.open = None;
    }
}

/// What is undone or done again next.
pub enum Next<'a> {
    /// Something that is remembered here.
    Edit(&'a Edit),
    /// Something that was done to the run in training.
    Hand(&'a EventRecord),
}

impl Next<'_> {
    /// In words, for palette and notices.
    pub fn what(&self) -> String {
        match self {
            Self::Edit(edit) => edit.what(),
            Self::Hand(hand) => hand_text(hand),
        }
    }
}

/// When an event was written; before everything else where that is unknown.
fn time(event: &EventRecord) -> Timestamp {
    event.time.parse().unwrap_or(Timestamp::UNIX_EPOCH)
}

impl AppState {
    /// What would be undone.
    pub fn last_done(&self) -> Option<Next<'_>> {
        let edit = self.history.done.last();
        match self.hands().done.last() {
            Some(hand) if edit.is_none_or(|edit| edit.made <= time(hand)) => Some(Next::Hand(hand)),
            _ => edit.map(|dated| Next::Edit(&dated.edit)),
        }
    }

    /// What would be done again: nothing that was undone before something new was done.
    pub fn last_undone(&self) -> Option<Next<'_>> {
        let hands = self.hands();
        let edit = self.history.undone.last();
        let edit = edit.filter(|edit| hands.newest.is_none_or(|hand| time(hand) <= edit.undone));
        let newest = self.history.newest;
        let hand = hands.undone.last();
        let hand = hand.filter(|(_, by)| newest.is_none_or(|newest| newest <= time(by)));
        match hand {
            Some((hand, by)) if edit.is_none_or(|edit| edit.undone <= time(by)) => Some(Next::Hand(hand)),
            _ => edit.map(|dated| Next::Edit(&dated.edit)),
        }
    }

    /// Remembers what was done.
    pub fn did(&mut self, edit: Edit) {
        self.history.push(edit, self.now);
    }

    /// Changes the experiment being edited, and remembers what it was.
    pub fn edit_experiment(&mut self, change: impl FnOnce(&mut ExperimentEditor)) {
        let before = Box::new(self.editor.clone());
        change(&mut self.editor);
        let after = Box::new(self.editor.clone());
        if before.preset != after.preset || !changed_fields(&before, &after).is_empty() {
            self.did(Edit::Experiment { before, after });
        }
    }

    /// Takes the last thing back and says what it was.
    pub fn undo(&mut self, outside: &Outside<'_>) {
        self.step(false, outside);
    }

    /// Does again what was undone last.
    pub fn redo(&mut self, outside: &Outside<'_>) {
        self.step(true, outside);
    }

    fn step(&mut self, again: bool, outside: &Outside<'_>) {
        let next = if again { self.last_undone() } else { self.last_done() };
        match next {
            Some(Next::Hand(_)) => self.ask_hand(again, outside.engine),
            Some(Next::Edit(_)) => {
                let History { done, undone, .. } = &mut self.history;
                if let Some(edit) = if again { undone } else { done }.pop() {
                    self.put(edit, again);
                }
            }
            None => {}
        }
    }

    /// Puts an edit back, or makes it `again`; one that cannot be stays where it was, to be tried again when the reason is gone.
    fn put(&mut self, mut dated: Dated, again: bool) {
        let moved = match &mut dated.edit {
            Edit::Experiment { before, after } => {
                self.editor = ExperimentEditor::clone(if again { after } else { before });
                Ok(())
            }
            Edit::Layouts { before, after, .. } => {
                let to = if again { after } else { before };
                self.layouts.stations = to.stations.clone();
                self.layouts.named = to.named.clone();
                Ok(())
            }
            Edit::Choice(choice) => {
                (choice.put)(again);
                Ok(())
            }
            Edit::Deleted { folder, trash } if again => runs::delete(folder).map(|now_at| *trash = now_at),
            Edit::Deleted { folder, trash } => runs::restore(trash, folder),
        };
        self.history.close();
        self.runs_stale |= matches!(dated.edit, Edit::Deleted { .. });
        match moved {
            Ok(()) => {
                let word = if again { "done again" } else { "undone" };
                self.tell(Severity::Info, format!("{word}: {}", dated.edit.what()), None);
                if !again {
                    dated.undone = self.now;
                }
            }
            Err(ref error) => self.tell(Severity::Error, error.to_string(), None),
        }
        match again == moved.is_ok() {
            true => self.history.done.push(dated),
            false => self.history.undone.push(dated),
        }
    }
}
