//! The playground: the repository that is open, how its index stands, and what was completed last.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use egui::mutex::Mutex;

use super::state::AppState;
use crate::corpus::{CompletionSample, code_folder};
use crate::engine::{IndexNews, IndexRequest, NearestToken, PlayEnd, PlayNews, PlayRequest, Served};
use crate::evaluation::Arm;
use crate::retrieval::Retrieved;

/// The arms in the order in which they are served.
pub const PLAYED: [Arm; 3] = [Arm::NoContext, Arm::Compressed, Arm::FullRag];

/// The files of a repository.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct FileList {
    /// Paths of those that are read, parts joined by `/`.
    pub paths: Vec<String>,
    /// Why others are not.
    pub left_out: BTreeMap<String, String>,
    /// They are Python files.
    pub is_python: bool,
}

/// The files, or why there are none; nothing while they are being read.
type Listed = Arc<Mutex<Option<Result<Arc<FileList>, String>>>>;

/// What is completed, and with which chunks.
#[derive(Clone, Debug)]
pub struct Found {
    /// Steps that the projector had finished.
    pub step: usize,
    /// The sample.
    pub sample: Box<CompletionSample>,
    /// Its chunks, best first.
    pub retrieved: Vec<Retrieved>,
    /// Milliseconds of what is kept of the code before the cursor, for all arms together.
    pub left: f64,
}

/// A completion that was asked for.
#[derive(Clone, Debug)]
pub struct PlayTask {
    /// What was asked.
    pub request: PlayRequest,
    /// The chunks, once they are found.
    pub found: Option<Found>,
    /// The arms that are done.
    pub served: Vec<Served>,
    /// For every chunk and each of its soft tokens the nearest tokens of the vocabulary.
    pub said: Vec<Vec<Vec<NearestToken>>>,
    /// How it ended; nothing while it is served.
    pub end: Option<PlayEnd>,
}

/// What the Play station reads.
#[derive(Default)]
pub struct Playground {
    /// The path in the field that asks for a repository.
    pub path: String,
    /// The repository that is open.
    pub folder: Option<PathBuf>,
    /// How the index stands.
    pub index: Option<IndexNews>,
    /// What was completed last.
    pub task: Option<PlayTask>,
    listed: Listed,
    next: u64,
}

impl Playground {
    /// The files of the open repository, or why there are none; nothing while they are being read.
    pub fn files(&self) -> Option<Result<Arc<FileList>, String>> {
        self.listed.lock().clone()
    }

    /// Opens a repository: its files are listed by a thread of their own.
    pub fn open(&mut self, folder: &Path, ctx: &egui::Context) {
        if self.folder.as_deref() != Some(folder) {
            self.task = None;
            self.index = None;
        }
        self.folder = Some(folder.to_owned());
        self.path = folder.display().to_string();
        let listed = Listed::default();
        self.listed = Arc::clone(&listed);
        let (folder, ctx) = (folder.to_owned(), ctx.clone());
        let thread = std::thread::Builder::new().name("file list".into());
        let spawned = thread.spawn(move || {
            *listed.lock() = Some(list(&folder));
            ctx.request_repaint();
        });
        if let Err(error) = spawned {
            *self.listed.lock() = Some(Err(format!("the files cannot be listed: {error}")));
        }
    }

    /// Gives a request an id and keeps it until the next one.
    pub fn ask(&mut self, mut request: PlayRequest) -> PlayRequest {
        self.next += 1;
        request.id = self.next;
        self.task = Some(PlayTask {
            request: request.clone(),
            found: None,
            served: Vec::new(),
            said: Vec::new(),
            end: None,
        });
        request
    }

    /// A completion is being served.
    pub fn is_serving(&self) -> bool {
        self.task.as_ref().is_some_and(|task| task.end.is_none())
    }

    /// Takes word of an index; that of another repository is none of its business.
    pub fn indexed(&mut self, news: IndexNews) {
        if self.folder.as_ref() == Some(&news.of.repository) {
            self.index = Some(news);
        }
    }

    /// Takes a part of an answer; one to an older request is forgotten.
    pub fn played(&mut self, id: u64, news: PlayNews) {
        let Some(task) = self.task.as_mut().filter(|task| task.request.id == id) else {
            return;
        };
        match news {
            PlayNews::Found {
                step,
                sample,
                retrieved,
                left,
            } => {
                task.found = Some(Found {
                    step,
                    sample,
                    retrieved,
                    left,
                });
            }
            PlayNews::Served(served) => task.served.push(*served),
            PlayNews::Said(said) => task.said = said,
            PlayNews::Ended(end) => task.end = Some(end),
        }
    }
}

impl AppState {
    /// What the playground completes through: the open repository with the projector of the run in focus; none without one of them.
    pub fn play_index(&self) -> Option<IndexRequest> {
        Some(IndexRequest {
            run: self.focus.clone()?,
            repository: self.playground.folder.clone()?,
        })
    }

    /// Why nothing can be completed with the run in focus now; none when it can.
    pub fn play_refusal(&self) -> Option<String> {
        if self.focus.is_none() {
            return Some("no run is open: its projector is what compresses chunks".into());
        }
        self.completion_refusal(self.focused()?)
    }
}

fn list(folder: &Path) -> Result<Arc<FileList>, String> {
    let code = code_folder(folder).map_err(|error| error.to_string())?;
    Ok(Arc::new(FileList {
        paths: code.files.into_iter().map(|file| file.path).collect(),
        left_out: code
            .left_out
            .into_iter()
            .map(|(path, reason)| (path, reason.to_string()))
            .collect(),
        is_python: code.is_python,
    }))
}
