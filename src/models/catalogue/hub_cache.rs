//! Models that the Hugging Face tools have already downloaded.

use std::env;
use std::fs;
use std::path::{Path, PathBuf};

use directories::BaseDirs;

/// The cache folder of the Hugging Face tools: `HF_HUB_CACHE`, `HF_HOME/hub`, or the default place.
pub(super) fn hub_cache() -> Option<PathBuf> {
    let variable = |name| env::var_os(name).filter(|value| !value.is_empty()).map(PathBuf::from);
    if let Some(folder) = variable("HF_HUB_CACHE") {
        return Some(folder);
    }
    let home = variable("HF_HOME").or_else(|| {
        let cache = variable("XDG_CACHE_HOME").or_else(|| Some(BaseDirs::new()?.home_dir().join(".cache")))?;
        Some(cache.join("huggingface"))
    })?;
    Some(home.join("hub"))
}

/// The snapshot of `organisation/name` in a cache folder: the one that the branch `main` points to, else any that `usable` accepts.
pub(super) fn find_snapshot(cache: &Path, repository: &str, usable: impl Fn(&Path) -> bool) -> Option<PathBuf> {
    let folder = cache.join(format!("models--{}", repository.replace('/', "--")));
    let snapshots = folder.join("snapshots");
    let main = fs::read_to_string(folder.join("refs").join("main"))
        .ok()
        .map(|commit| snapshots.join(commit.trim()));
    let mut others: Vec<_> = fs::read_dir(&snapshots)
        .ok()?
        .filter_map(|snapshot| Some(snapshot.ok()?.path()))
        .collect();
    others.sort();
    main.into_iter().chain(others).find(|snapshot| usable(snapshot))
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

    use super::*;

    #[test]
    fn snapshot_of_main_is_preferred_and_unusable_ones_are_passed_over() {
        let cache = tempfile::tempdir().unwrap();
        let model = cache.path().join("models--Org--Model");
        for commit in ["aaa", "bbb", "ccc"] {
            fs::create_dir_all(model.join("snapshots").join(commit)).unwrap();
        }
        fs::create_dir_all(model.join("refs")).unwrap();
        fs::write(model.join("refs/main"), "ccc\n").unwrap();
        let find = |usable: fn(&Path) -> bool| find_snapshot(cache.path(), "Org/Model", usable);
        assert_eq!(find(|_| true).unwrap(), model.join("snapshots/ccc"));
        assert_eq!(
            find(|path| !path.ends_with("ccc")).unwrap(),
            model.join("snapshots/aaa")
        );
        assert!(find(|_| false).is_none());
        assert!(find_snapshot(cache.path(), "Org/Other", |_| true).is_none());
    }
}
