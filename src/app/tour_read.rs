//! What a tour reads before it begins, in a thread of its own: runs with their steps, probes and evaluations.

use std::path::PathBuf;
use std::sync::Arc;

use super::tour::Stop;
use super::tour_stops::stops;
use crate::runs::{self, Recordings, Run, RunError, RunFollower};

/// Everything that a tour shows.
#[derive(Debug)]
pub struct TourRead {
    /// The recordings, when it is of them.
    pub(super) recordings: Option<Arc<Recordings>>,
    /// Its runs: what is read once is not read again at each stop.
    pub(super) runs: Vec<RunFollower>,
    /// Its stops.
    pub(super) stops: Vec<Stop>,
    /// What could not be read, and is not shown.
    pub(super) unread: Vec<String>,
}

impl TourRead {
    /// Of these runs.
    pub(super) fn of_runs(folders: Vec<PathBuf>) -> Self {
        let (mut followers, mut unread) = (Vec::new(), Vec::new());
        for folder in folders {
            match RunFollower::open(&folder) {
                Ok(follower) => followers.push(follower),
                Err(error) => unread.push(error.to_string()),
            }
        }
        let runs: Vec<&Run> = followers.iter().map(RunFollower::run).collect();
        let stops = stops(&runs, &mut unread);
        // Two stops may have wanted the same file.
        unread.sort();
        unread.dedup();
        Self {
            recordings: None,
            stops,
            unread,
            runs: followers,
        }
    }

    /// Of the recordings, which are unpacked first unless they are.
    pub(super) fn of_recordings(unpacked: Option<Arc<Recordings>>) -> Result<Self, RunError> {
        let recordings = match unpacked {
            Some(recordings) => recordings,
            None => Arc::new(Recordings::shipped()?),
        };
        let listed = runs::list(recordings.folder()).into_iter();
        Ok(Self {
            recordings: Some(recordings),
            ..Self::of_runs(listed.map(|run| run.folder).collect())
        })
    }
}
