//! Folders that were opened before: repositories, and runs that lie outside the runs folder.

use std::path::{Path, PathBuf};

/// Most that are remembered of each kind.
const KEPT: usize = 12;

/// What kind of folder it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RecentKind {
    /// A run that lies outside the runs folder.
    Run,
    /// A repository to play with.
    Repository,
}

/// A folder that was opened.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Recent {
    /// The folder.
    pub folder: PathBuf,
    /// It was not there when it was last looked for.
    pub gone: bool,
}

/// What was opened before, newest first.
#[derive(Clone, Debug, Default)]
pub struct Recents {
    runs: Vec<Recent>,
    repositories: Vec<Recent>,
}

impl Recents {
    /// What was kept at the last end.
    pub fn of(runs: Vec<PathBuf>, repositories: Vec<PathBuf>) -> Self {
        let recents = |folders: Vec<PathBuf>| -> Vec<Recent> {
            let kept = folders.into_iter().take(KEPT);
            kept.map(|folder| Recent { folder, gone: false }).collect()
        };
        Self {
            runs: recents(runs),
            repositories: recents(repositories),
        }
    }

    /// The folders of one kind, newest first.
    pub fn all(&self, kind: RecentKind) -> &[Recent] {
        match kind {
            RecentKind::Run => &self.runs,
            RecentKind::Repository => &self.repositories,
        }
    }

    /// The folders of one kind, to be kept.
    pub fn folders(&self, kind: RecentKind) -> Vec<PathBuf> {
        self.all(kind).iter().map(|recent| recent.folder.clone()).collect()
    }

    fn all_mut(&mut self, kind: RecentKind) -> &mut Vec<Recent> {
        match kind {
            RecentKind::Run => &mut self.runs,
            RecentKind::Repository => &mut self.repositories,
        }
    }

    /// A folder was opened; under its full path, wherever the program starts next time.
    pub fn opened(&mut self, kind: RecentKind, folder: &Path) {
        let folder = std::path::absolute(folder).unwrap_or_else(|_empty| folder.to_owned());
        self.remove(kind, &folder);
        let all = self.all_mut(kind);
        all.insert(0, Recent { folder, gone: false });
        all.truncate(KEPT);
    }

    /// Forgets a folder.
    pub fn remove(&mut self, kind: RecentKind, folder: &Path) {
        self.all_mut(kind).retain(|recent| recent.folder != folder);
    }

    /// Looks which are still there; returns whether that has changed.
    pub fn look(&mut self) -> bool {
        let mut changed = false;
        for recent in self.runs.iter_mut().chain(&mut self.repositories) {
            let gone = !recent.folder.is_dir();
            changed |= gone != recent.gone;
            recent.gone = gone;
        }
        changed
    }
}

/// A folder lies in another one, however both paths are written.
pub(super) fn is_inside(folder: &Path, parent: &Path) -> bool {
    let [folder, parent] = [folder, parent].map(|path| std::path::absolute(path).ok());
    folder.is_some_and(|folder| folder.parent() == parent.as_deref())
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "a test")]
    use super::*;

    #[test]
    fn the_newest_stands_first_and_twelve_are_kept() {
        let mut recents = Recents::default();
        for number in 0..20 {
            recents.opened(RecentKind::Run, Path::new(&format!("/runs/{number}")));
        }
        recents.opened(RecentKind::Run, Path::new("/runs/15"));
        let folders = recents.folders(RecentKind::Run);
        assert_eq!(folders.len(), KEPT);
        assert_eq!(folders.first().unwrap(), Path::new("/runs/15"));
        assert_eq!(folders.iter().filter(|folder| folder.ends_with("15")).count(), 1);
        assert!(recents.all(RecentKind::Repository).is_empty());
    }

    #[test]
    fn a_folder_that_vanished_is_gone_until_it_is_back() {
        let parent = tempfile::tempdir().unwrap();
        let folder = parent.path().join("code");
        std::fs::create_dir(&folder).unwrap();
        let mut recents = Recents::of(Vec::new(), vec![folder.clone()]);
        assert!(!recents.look());
        std::fs::remove_dir(&folder).unwrap();
        assert!(recents.look() && recents.all(RecentKind::Repository).first().unwrap().gone);
        std::fs::create_dir(&folder).unwrap();
        assert!(recents.look() && !recents.look());
    }
}
