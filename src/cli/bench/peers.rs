//! PyTorch and llama.cpp on the same weights, through `assets/peers.py`.

use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::Command;

use tempfile::NamedTempFile;

use super::server::{Server, ServerError};
use crate::cli::progress::ProgressLine;
use crate::engine::Work;
use crate::models::catalogue::ReaderFiles;

const SCRIPT: &str = include_str!("../../../assets/peers.py");

/// Names that the script knows, and that its answers carry.
pub const TORCH: &str = "torch";
/// See [`TORCH`].
pub const LLAMACPP: &str = "llamacpp";

/// What they are run with.
pub struct Peers {
    python: PathBuf,
    script: NamedTempFile,
    reader: PathBuf,
    threads: usize,
}

impl Peers {
    /// Lays the script out for a Python.
    pub fn new(python: &Path, reader: &ReaderFiles, threads: usize) -> anyhow::Result<Self> {
        let mut script = tempfile::Builder::new().prefix("peers-").suffix(".py").tempfile()?;
        script.write_all(SCRIPT.as_bytes())?;
        script.flush()?;
        let (ReaderFiles::Gguf(reader) | ReaderFiles::Folder(reader)) = reader.clone();
        Ok(Self {
            python: python.to_owned(),
            script,
            reader,
            threads,
        })
    }

    /// Those that do a work and are ready for it. It is told of one that could not get ready; a Python that cannot be
    /// started is an error.
    pub fn start(&self, work: Work, line: &mut ProgressLine) -> Result<Vec<Server>, ServerError> {
        let mut servers = Vec::new();
        for &name in peers_of(work) {
            let mut command = Command::new(&self.python);
            command.arg(self.script.path()).arg("--gguf").arg(&self.reader);
            command.args(["--engine", name, "--work"]).arg(work.to_string());
            command.arg("--threads").arg(self.threads.to_string()).arg("--serve");
            let what = format!("{work}: {name} loads, which may take it a minute");
            match Server::start(name, command, &what, line) {
                Ok((server, _)) => servers.push(server),
                Err(error @ ServerError::Start { .. }) => return Err(error),
                Err(error) => warn(work, &error, line),
            }
        }
        Ok(servers)
    }
}

/// Tells that a peer is left out of a work.
pub fn warn(work: Work, error: &ServerError, line: &mut ProgressLine) {
    line.clear();
    eprintln!("warning: {work} goes on without a peer: {error}");
}

/// Who does the same work.
fn peers_of(work: Work) -> &'static [&'static str] {
    match work {
        Work::Prefill206 | Work::Prefill1290 | Work::Prefill5130 | Work::DecodeOne => &[TORCH, LLAMACPP],
        Work::TrainStep | Work::DecodeEight => &[TORCH],
        Work::TrainStepLate | Work::Ttft | Work::Load => &[],
    }
}
