//! The table of runs as data: which columns there are, which rows a filter keeps, in which order and groups.

use std::cmp::Ordering;
use std::collections::BTreeSet;
use std::sync::Arc;

use crate::app::fields::{self, Field};
use crate::app::{AppState, RunDigest};
use crate::evaluation::{Arm, Interval};
use crate::runs::RunEntry;

/// Settings shown as columns unless a person chooses others: more would push the numbers out of sight.
const SETTINGS_SHOWN: usize = 4;

/// A column that rows can be sorted by.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Column {
    /// Name of the run.
    Name,
    /// When it started.
    #[default]
    Started,
    /// How it stands.
    State,
    /// Steps finished.
    Steps,
    /// Loss of the last step.
    Loss,
    /// A score of the compressed arm at the newest validation evaluation, by its key.
    Score(&'static str),
    /// Mean cosine of the projected vectors at the newest probe.
    MeanCosine,
    /// Effective rank of the projected vectors at the newest probe.
    EffectiveRank,
    /// Alarms raised.
    Alarms,
    /// A field of the experiment, by its dotted name.
    Setting(&'static str),
}

/// Every column but the settings, in order.
pub const COLUMNS: [Column; 11] = [
    Column::Name,
    Column::State,
    Column::Started,
    Column::Steps,
    Column::Loss,
    Column::Score("em_token"),
    Column::Score("es_levenshtein"),
    Column::Score("cross_entropy"),
    Column::MeanCosine,
    Column::EffectiveRank,
    Column::Alarms,
];

impl Column {
    /// Its head.
    pub fn name(self) -> &'static str {
        match self {
            Self::Name => "Name",
            Self::Started => "Started",
            Self::State => "State",
            Self::Steps => "Steps",
            Self::Loss => "Last loss",
            Self::Score("em_token") => "EM, %",
            Self::Score("es_levenshtein") => "ES, %",
            Self::Score("cross_entropy") => "CE, nats",
            Self::Score(key) => key,
            Self::MeanCosine => "Cosine",
            Self::EffectiveRank => "Rank",
            Self::Alarms => "Alarms",
            Self::Setting(key) => fields::find(key).map_or(key, |field| field.label),
        }
    }

    /// Words ascend at the first click, numbers and times descend.
    pub fn begins_down(self) -> bool {
        !matches!(self, Self::Name | Self::State | Self::Setting(_))
    }
}

/// What a row is sorted and grouped by; a row without a value comes last either way.
#[derive(Clone, Debug, PartialEq)]
pub enum Key {
    /// A number.
    Number(f64),
    /// A text.
    Text(String),
    /// Nothing.
    None,
}

impl Key {
    fn of_text(text: &str) -> Self {
        match text.parse::<f64>() {
            Ok(number) => Self::Number(number),
            Err(_) => Self::Text(text.to_owned()),
        }
    }

    fn compare(&self, other: &Self, down: bool) -> Ordering {
        let turned = |order: Ordering| if down { order.reverse() } else { order };
        match (self, other) {
            (Self::None, Self::None) => Ordering::Equal,
            (Self::None, _) => Ordering::Greater,
            (_, Self::None) => Ordering::Less,
            (Self::Number(a), Self::Number(b)) => turned(a.total_cmp(b)),
            (Self::Text(a), Self::Text(b)) => turned(a.cmp(b)),
            (Self::Number(_), Self::Text(_)) => turned(Ordering::Less),
            (Self::Text(_), Self::Number(_)) => turned(Ordering::Greater),
        }
    }
}

/// The word for how a run stands; a folder that cannot be read is broken.
pub fn state_of(run: &RunEntry) -> &'static str {
    if run.error.is_some() {
        "broken"
    } else {
        run.status.label()
    }
}

/// A score of the compressed arm at the newest validation evaluation.
pub fn score(digest: &RunDigest, key: &str) -> Option<Interval> {
    digest
        .validation
        .as_ref()?
        .arm(Arm::Compressed)?
        .scores
        .get(key)
        .copied()
}

/// What a run is sorted by in a column.
pub fn key(run: &RunEntry, digest: Option<&RunDigest>, column: Column) -> Key {
    let number = |number: Option<f64>| number.filter(|value| value.is_finite()).map_or(Key::None, Key::Number);
    match column {
        Column::Name => Key::Text(run.name.to_lowercase()),
        Column::Started => Key::Text(run.started.clone()),
        Column::State => Key::Text(state_of(run).to_owned()),
        Column::Steps => Key::Number(run.steps_done as f64),
        Column::Loss => number(run.last_loss),
        Column::Score(key) => number(digest.and_then(|digest| score(digest, key)).map(|score| score.mean)),
        Column::MeanCosine => number(digest.and_then(|digest| digest.mean_cosine)),
        Column::EffectiveRank => number(digest.and_then(|digest| digest.effective_rank)),
        Column::Alarms => number(digest.map(|digest| digest.alarms as f64)),
        Column::Setting(key) => digest
            .and_then(|digest| digest.settings.get(key))
            .map_or(Key::None, |text| Key::of_text(text)),
    }
}

/// What the table keeps between frames.
#[derive(Clone, Debug, Default)]
pub struct RunsTable {
    /// What rows are sorted by.
    pub by: Column,
    /// The other way round than it begins.
    pub turned: bool,
    /// As typed.
    pub filter: String,
    /// Only runs that stand so; all when none.
    pub state: Option<&'static str>,
    /// Rows of one value stand together.
    pub group: Option<Column>,
    /// Values of groups that are folded.
    pub folded: BTreeSet<String>,
    /// Columns that a person took out.
    pub hidden: BTreeSet<Column>,
    /// Settings that a person added.
    pub added: BTreeSet<&'static str>,
    /// Settings in which runs differ.
    pub differing: Arc<[&'static Field]>,
    derived_of: (u64, usize),
}

/// A row of the table.
#[derive(Clone, Debug)]
pub enum Row<'a> {
    /// The runs below have this value.
    Group {
        /// The value.
        value: String,
        /// How many runs.
        runs: usize,
    },
    /// A run.
    Run(&'a RunEntry, Option<Arc<RunDigest>>),
}

/// The rows in order.
pub struct Listed<'a> {
    /// Groups and runs.
    pub rows: Vec<Row<'a>>,
    /// Runs that the filter keeps, folded ones too.
    pub kept: usize,
}

impl<'a> Listed<'a> {
    /// Runs that the filter keeps.
    pub fn runs(&self) -> usize {
        self.kept
    }

    /// The runs that can be opened, each with the number of its row.
    pub fn usable(&self) -> impl Iterator<Item = (usize, &'a RunEntry)> + '_ {
        self.rows.iter().enumerate().filter_map(|(at, row)| match row {
            Row::Run(run, _) if run.error.is_none() => Some((at, *run)),
            _ => None,
        })
    }
}

impl RunsTable {
    /// Finds anew in which settings runs differ, when runs have changed.
    pub fn renew(&mut self, state: &AppState) {
        let now = (state.digests.generation(), state.runs.len());
        if self.derived_of != now {
            self.derived_of = now;
            self.differing = state.digests.differing(&state.runs).into();
        }
    }

    /// The columns that are shown.
    pub fn columns(&self) -> Vec<Column> {
        let settings = self.differing.iter().enumerate().filter_map(|(place, field)| {
            let shown = place < SETTINGS_SHOWN || self.added.contains(field.key);
            shown.then_some(Column::Setting(field.key))
        });
        let all = COLUMNS.into_iter().chain(settings);
        all.filter(|column| !self.hidden.contains(column)).collect()
    }

    /// Filter, state and group, as a person has chosen them.
    pub fn choice(&self) -> (String, Option<&'static str>, Option<Column>) {
        (self.filter.clone(), self.state, self.group)
    }

    /// Filters and groups as another time.
    pub fn choose(&mut self, (filter, state, group): (String, Option<&'static str>, Option<Column>)) {
        (self.filter, self.state, self.group) = (filter, state, group);
    }

    /// Sorts by a column, or the other way round when it is sorted by that already.
    pub fn sort(&mut self, by: Column) {
        self.turned = self.by == by && !self.turned;
        self.by = by;
    }

    /// Whether the largest stands on top.
    pub fn down(&self) -> bool {
        self.by.begins_down() != self.turned
    }

    /// The rows that the filter keeps, sorted and grouped.
    pub fn listed<'a>(&self, state: &'a AppState) -> Listed<'a> {
        let runs = state.runs.iter().map(|run| (run, state.digests.get(&run.folder)));
        self.rows(runs.collect())
    }

    fn keeps(&self, run: &RunEntry) -> bool {
        let wanted = self.filter.trim().to_lowercase();
        let state = state_of(run);
        self.state.is_none_or(|only| only == state)
            && (run.name.to_lowercase().contains(&wanted) || state.contains(&wanted))
    }

    fn rows<'a>(&self, mut runs: Vec<(&'a RunEntry, Option<Arc<RunDigest>>)>) -> Listed<'a> {
        runs.retain(|(run, _)| self.keeps(run));
        let kept = runs.len();
        let sort = |runs: &mut Vec<(&'a RunEntry, Option<Arc<RunDigest>>)>, by: Column, down: bool| {
            let mut keyed: Vec<(Key, _)> = runs
                .drain(..)
                .map(|(run, digest)| (key(run, digest.as_deref(), by), (run, digest)))
                .collect();
            keyed.sort_by(|(a, _), (b, _)| a.compare(b, down));
            runs.extend(keyed.into_iter().map(|(_, run)| run));
        };
        sort(&mut runs, self.by, self.down());
        let Some(group) = self.group else {
            let rows = runs.into_iter().map(|(run, digest)| Row::Run(run, digest)).collect();
            return Listed { rows, kept };
        };
        // A stable sort: inside a group the order stays.
        sort(&mut runs, group, false);
        let value = |run: &RunEntry, digest: &Option<Arc<RunDigest>>| group_value(run, digest.as_deref(), group);
        let mut rows: Vec<Row<'a>> = Vec::new();
        let mut head: Option<usize> = None;
        for (run, digest) in runs {
            let here = value(run, &digest);
            match head.and_then(|at| rows.get_mut(at)) {
                Some(Row::Group { value, runs }) if *value == here => *runs += 1,
                _ => {
                    head = Some(rows.len());
                    rows.push(Row::Group {
                        value: here.clone(),
                        runs: 1,
                    });
                }
            }
            if !self.folded.contains(&here) {
                rows.push(Row::Run(run, digest));
            }
        }
        Listed { rows, kept }
    }
}

/// The value that a group has in common, as a person reads it.
fn group_value(run: &RunEntry, digest: Option<&RunDigest>, column: Column) -> String {
    match column {
        Column::Setting(key) => {
            let text = digest.and_then(|digest| digest.settings.get(key).cloned());
            text.unwrap_or_else(|| "not read".into())
        }
        Column::State => state_of(run).to_owned(),
        _ => run.name.clone(),
    }
}

/// Every word for how a run can stand.
pub const STATES: [&str; 6] = ["running", "finished", "stopped", "interrupted", "failed", "broken"];

#[cfg(test)]
#[path = "runs_rows_tests.rs"]
mod tests;
