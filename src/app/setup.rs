//! What a first start needs: the default models and the default code, and how far getting them has come.

use std::path::PathBuf;

use jiff::Timestamp;

use crate::engine::Progress;

/// Something of the catalogue that the default experiment needs.
#[derive(Clone, Debug, PartialEq)]
pub struct CatalogueItem {
    /// Catalogue id.
    pub id: String,
    /// What it is, in words: "reader SmolLM2-135M-Instruct".
    pub name: String,
    /// Size of the download.
    pub bytes: u64,
    /// Its licence.
    pub licence: String,
    /// It lies on this machine.
    pub present: bool,
}

/// A download as it goes on.
#[derive(Clone, Debug, PartialEq)]
pub struct Fetch {
    /// How far it has come.
    pub progress: Progress,
    /// Where it stood when it began, for the speed.
    began: (Timestamp, u64),
    /// The time of the newest report.
    at: Timestamp,
}

impl Fetch {
    /// Units a second since it began; none in the first half second.
    pub fn speed(&self) -> Option<f64> {
        let (began, done) = self.began;
        let seconds = self.at.duration_since(began).as_secs_f64();
        (seconds >= 0.5).then(|| self.progress.done.saturating_sub(done) as f64 / seconds)
    }

    /// Seconds until everything is here at that speed.
    pub fn seconds_left(&self) -> Option<f64> {
        let left = self.progress.total.checked_sub(self.progress.done)?;
        self.speed()
            .filter(|speed| *speed > 0.0)
            .map(|speed| left as f64 / speed)
    }
}

/// What is needed, and how far getting it has come.
#[derive(Clone, Debug, Default)]
pub struct Setup {
    /// What the default experiment needs.
    pub items: Vec<CatalogueItem>,
    /// Where it is kept.
    pub cache: PathBuf,
    /// The download in progress.
    pub fetch: Option<Fetch>,
    /// It was asked for and has not ended.
    pub fetching: bool,
    /// Why the last download ended before everything was here.
    pub failed: Option<String>,
    /// Its last report has come, and its result has not.
    pub ending: bool,
    /// The first page was left for folders of the person's own, or to look at a recorded run.
    pub skipped: bool,
}

impl Setup {
    /// The page that gets models and code is to be shown.
    pub fn is_needed(&self) -> bool {
        !self.skipped && self.missing().next().is_some()
    }

    /// What is not here.
    pub fn missing(&self) -> impl Iterator<Item = &CatalogueItem> {
        self.items.iter().filter(|item| !item.present)
    }

    /// A download was asked for.
    pub fn start(&mut self) {
        self.fetching = true;
        self.failed = None;
    }

    /// Takes a report of the download; none comes last, before what went wrong and what is missing.
    pub fn progress(&mut self, progress: Option<Progress>, now: Timestamp) {
        self.ending = progress.is_none();
        let Some(progress) = progress else {
            self.fetch = None;
            return;
        };
        let began = match &self.fetch {
            Some(fetch) if fetch.progress.done <= progress.done => fetch.began,
            _ => (now, progress.done),
        };
        self.fetching = true;
        self.fetch = Some(Fetch {
            progress,
            began,
            at: now,
        });
    }

    /// Something failed: keeps the reason when it was the download.
    pub fn fail(&mut self, reason: &str) {
        if self.ending {
            self.failed = Some(reason.to_owned());
        }
    }

    /// The download ended with `missing` ids still not here. Returns whether it brought the last of them.
    pub fn fetched(&mut self, missing: &[String]) -> bool {
        let lacked = self.missing().next().is_some();
        self.fetch = None;
        self.fetching = false;
        self.ending = false;
        for item in &mut self.items {
            item.present = !missing.contains(&item.id);
        }
        lacked && self.missing().next().is_none()
    }
}

#[cfg(test)]
mod tests {
    use jiff::SignedDuration;

    use super::*;

    fn report(done: u64) -> Option<Progress> {
        Some(Progress {
            task: "reader".into(),
            done,
            total: 1000,
            unit: "bytes",
        })
    }

    #[test]
    fn speed_counts_only_what_came_since_a_resume() {
        let start = Timestamp::UNIX_EPOCH;
        let mut setup = Setup::default();
        setup.progress(report(600), start);
        setup.progress(report(800), start + SignedDuration::from_secs(4));
        let fetch = setup.fetch.as_ref();
        assert_eq!(fetch.and_then(Fetch::speed), Some(50.0));
        assert_eq!(fetch.and_then(Fetch::seconds_left), Some(4.0));
    }

    #[test]
    fn the_page_is_done_when_nothing_is_missing() {
        let item = |id: &str| CatalogueItem {
            id: id.into(),
            name: id.into(),
            bytes: 1,
            licence: "MIT".into(),
            present: false,
        };
        let mut setup = Setup {
            items: vec![item("reader"), item("code")],
            ..Setup::default()
        };
        assert!(setup.is_needed());
        assert!(!setup.fetched(&["code".into()]));
        assert!(setup.is_needed());
        assert!(setup.fetched(&[]));
        assert!(!setup.is_needed());
    }

    #[test]
    fn only_the_download_s_own_failure_is_kept_and_a_new_download_forgets_it() {
        let mut setup = Setup::default();
        setup.start();
        setup.fail("a run failed meanwhile");
        assert_eq!(setup.failed, None);
        setup.progress(None, Timestamp::UNIX_EPOCH);
        setup.fail("no network");
        setup.fetched(&["reader".into()]);
        assert_eq!(setup.failed.as_deref(), Some("no network"));
        setup.start();
        assert_eq!(setup.failed, None);
    }
}
