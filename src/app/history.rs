//! What a person did that can be undone and done again.

use std::fmt;
use std::path::PathBuf;
use std::sync::Arc;

use jiff::{SignedDuration, Timestamp};

use super::editor::ExperimentEditor;
use super::execute::Outside;
use super::fields;
use super::hands::{Undoable, weights};
use super::layouts::Layouts;
use super::presets::PRESETS;
use super::state::AppState;
use crate::engine::{Command, Severity};
use crate::runs;

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
    /// A weight or the rate of the run in training was changed.
    Weight {
        /// The run.
        run: PathBuf,
        /// The field.
        field: String,
        /// Its value before.
        before: f64,
        /// Its value after.
        after: f64,
    },
    /// The run in training went back to a step.
    RolledBack {
        /// The run.
        run: PathBuf,
        /// The step.
        step: usize,
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
            Self::Weight {
                field, before, after, ..
            } => format!("{field}: {before} → {after}"),
            Self::RolledBack { step, .. } => format!("roll-back to step {step}"),
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
            Self::Deleted { .. } | Self::Weight { .. } | Self::RolledBack { .. } => None,
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

    /// The run that it can only be undone in while that trains.
    fn trains(&self) -> Option<&PathBuf> {
        match self {
            Self::Weight { run, .. } | Self::RolledBack { run, .. } => Some(run),
            _ => None,
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

/// What was done, and what was undone.
#[derive(Debug, Default)]
pub struct History {
    done: Vec<Edit>,
    undone: Vec<Edit>,
    /// When the last edit was made, while another one can join it.
    open: Option<Timestamp>,
}

impl History {
    /// Something was done at a time; what was undone before cannot be done again.
    pub fn push(&mut self, edit: Edit, now: Timestamp) {
        let close = self.open.is_some_and(|at| now.duration_since(at) < TOGETHER);
        self.undone.clear();
        self.open = Some(now);
        let key = edit.key();
        match self.done.last_mut() {
            Some(last) if close && key.is_some() && last.key() == key => last.with(edit),
            _ => self.done.push(edit),
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

impl AppState {
    /// It has a meaning now.
    fn can_be_undone(&self, edit: &Edit) -> bool {
        edit.trains().is_none_or(|run| self.training() == Some(run.as_path()))
    }

    /// What would be undone.
    pub fn last_done(&self) -> Option<&Edit> {
        self.history.done.iter().rev().find(|edit| self.can_be_undone(edit))
    }

    /// What would be done again.
    pub fn last_undone(&self) -> Option<&Edit> {
        self.history.undone.iter().rev().find(|edit| self.can_be_undone(edit))
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

    /// Remembers a change of a weight of the run in training that is about to be asked for.
    pub fn will_weigh(&mut self, field: &str, after: f64) {
        let Some((open, now)) = self.in_training() else { return };
        let before = weights(open, now).into_iter().find(|(name, _)| name == field);
        if let Some((_, before)) = before {
            let run = open.run().folder.clone();
            self.did(Edit::Weight {
                run,
                field: field.to_owned(),
                before,
                after,
            });
        }
    }

    /// Remembers a roll-back that is about to be asked for.
    pub fn will_roll_back(&mut self, step: usize) {
        if let Some(run) = self.training().map(ToOwned::to_owned) {
            self.did(Edit::RolledBack { run, step });
        }
    }

    /// The last thing done to the run in training was undone by its own button.
    pub fn forget_hand(&mut self, undone: &Undoable) {
        let is_it = |edit: &Edit| match (edit, undone) {
            (Edit::Weight { field, after, .. }, Undoable::Change(_, change)) => {
                *field == change.field && *after == change.value
            }
            (Edit::RolledBack { step, .. }, Undoable::RollBack(to)) => step == to,
            _ => false,
        };
        if let Some(at) = self.history.done.iter().rposition(is_it) {
            self.history.done.remove(at);
        }
    }

    /// Takes the last thing back and says what it was.
    pub fn undo(&mut self, outside: &Outside<'_>) {
        while let Some(edit) = self.history.done.pop() {
            if self.can_be_undone(&edit) {
                self.put(edit, false, outside);
                return;
            }
        }
    }

    /// Does again what was undone last.
    pub fn redo(&mut self, outside: &Outside<'_>) {
        while let Some(edit) = self.history.undone.pop() {
            if self.can_be_undone(&edit) {
                self.put(edit, true, outside);
                return;
            }
        }
    }

    fn put(&mut self, mut edit: Edit, again: bool, outside: &Outside<'_>) {
        let moved = match &mut edit {
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
            Edit::Weight {
                field, before, after, ..
            } => {
                outside.engine.send(Command::Intervene {
                    field: field.clone(),
                    value: if again { *after } else { *before },
                });
                Ok(())
            }
            Edit::RolledBack { step, .. } => {
                outside.engine.send(match again {
                    true => Command::RollBack { step: *step },
                    false => Command::UndoRollBack,
                });
                Ok(())
            }
        };
        self.history.close();
        self.runs_stale |= matches!(edit, Edit::Deleted { .. });
        match moved {
            Ok(()) => {
                let word = if again { "done again" } else { "undone" };
                self.tell(Severity::Info, format!("{word}: {}", edit.what()), None);
                let to = if again {
                    &mut self.history.done
                } else {
                    &mut self.history.undone
                };
                to.push(edit);
            }
            Err(error) => self.tell(Severity::Error, error.to_string(), None),
        }
    }
}
