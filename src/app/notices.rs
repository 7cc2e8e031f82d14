//! What was told to the person: shown for a moment, kept in the log.

use std::path::{Path, PathBuf};

use jiff::{SignedDuration, Timestamp};

use super::pages::Station;
use crate::engine::Severity;

/// Notices that are kept.
const KEPT: usize = 500;

/// Where a notice leads when it is clicked.
#[derive(Clone, Debug, PartialEq)]
pub struct Target {
    /// The page.
    pub station: Station,
    /// The run.
    pub run: PathBuf,
}

impl Target {
    /// A page that shows a run.
    pub fn new(station: Station, run: &Path) -> Self {
        Self {
            station,
            run: run.to_owned(),
        }
    }
}

/// Something that was told.
#[derive(Clone, Debug, PartialEq)]
pub struct Notice {
    /// When.
    pub at: Timestamp,
    /// How much it matters.
    pub severity: Severity,
    /// What happened, to what, and what to do.
    pub text: String,
    /// Where a click leads.
    pub target: Option<Target>,
}

impl Notice {
    /// How long it stays on top of the station: errors longer, because they ask for something.
    pub fn shown_for(&self) -> SignedDuration {
        SignedDuration::from_secs(if self.severity == Severity::Info { 4 } else { 10 })
    }
}

/// All notices, oldest first.
#[derive(Clone, Debug, Default)]
pub struct Notices {
    all: Vec<Notice>,
}

impl Notices {
    /// Adds one; the same words twice in a row are told once, with the newer time.
    pub fn push(&mut self, severity: Severity, text: String, target: Option<Target>, at: Timestamp) {
        let notice = Notice {
            at,
            severity,
            text,
            target,
        };
        match self.all.last_mut() {
            Some(last) if last.text == notice.text && last.severity == severity => *last = notice,
            _ => self.all.push(notice),
        }
        if self.all.len() > KEPT {
            self.all.remove(0);
        }
    }

    /// All of them, oldest first.
    pub fn iter(&self) -> impl DoubleEndedIterator<Item = &Notice> {
        self.all.iter()
    }

    /// The last one.
    pub fn newest(&self) -> Option<&Notice> {
        self.all.last()
    }

    /// Those still shown on top, oldest first; at most three.
    pub fn toasts(&self, now: Timestamp) -> impl Iterator<Item = &Notice> {
        let recent = self.all.get(self.all.len().saturating_sub(3)..).unwrap_or_default();
        recent
            .iter()
            .filter(move |notice| now.duration_since(notice.at) < notice.shown_for())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(second: i64) -> Timestamp {
        Timestamp::UNIX_EPOCH + SignedDuration::from_secs(second)
    }

    #[test]
    fn toasts_vanish_and_the_log_keeps_them() {
        let mut notices = Notices::default();
        notices.push(Severity::Info, "saved".into(), None, at(0));
        notices.push(Severity::Error, "the disk is full".into(), None, at(1));
        assert_eq!(notices.toasts(at(2)).count(), 2);
        assert_eq!(
            notices.toasts(at(8)).map(|n| n.text.as_str()).collect::<Vec<_>>(),
            ["the disk is full"]
        );
        assert_eq!((notices.toasts(at(60)).count(), notices.iter().count()), (0, 2));
    }

    #[test]
    fn the_same_words_are_told_once() {
        let mut notices = Notices::default();
        for second in 0..3 {
            notices.push(Severity::Warning, "1 line was left out".into(), None, at(second));
        }
        assert_eq!(notices.iter().map(|n| n.at).collect::<Vec<_>>(), [at(2)]);
    }
}
